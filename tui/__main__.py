"""``python -m tui``: the ``deskloop`` command, for what starts it as a child."""

from tui.cli import main

main()
