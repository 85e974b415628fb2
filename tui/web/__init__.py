"""The app in a browser: a door, the sessions behind it, and the page. textual-serve gives the terminal in the page.

``server`` holds the rest together. ``door`` says who comes in, ``connections`` and ``guesses`` how many and how often,
``session`` is one app behind one browser tab, ``visitor`` and ``driver`` run in that app's process.
"""
