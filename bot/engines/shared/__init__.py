"""One engine for all clients of a desk.

``host`` is the process that owns the back end, ``desk`` what it keeps of versions and who uses them, ``guests`` how it
serves each client. ``client`` is the :class:`bot.engines.engine.Engine` that everybody has, ``line`` its line to the
host, ``finding`` where a host is found and who may call it, ``words`` what is said before the first request, and how a
host is called: by all that decides what it answers."""
