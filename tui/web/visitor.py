"""The app of one browser tab: ``python -m tui.web.visitor``, started by ``deskloop serve`` on the desk that
``DESKLOOP_HOME`` names."""

from __future__ import annotations

import sys

from store.home import Home
from tui.app import DeskloopApp
from tui.core.crashes import explain
from tui.core.open_desk import OpenDesk
from tui.core.reach import InDesk
from tui.web.driver import DeskWebDriver


def main() -> int:
    """Open the app and stay until it is left; returns the exit code."""
    home = Home.open(create=False)
    try:
        app = DeskloopApp(OpenDesk(home, reach=InDesk(home)), driver=DeskWebDriver)
        app.collector.begin()
        app.run()
    except Exception as error:  # standard error is a log
        sys.stderr.write(explain(home, error, "web", "opening the app") + "\n")
        return 1
    return app.return_code or 0


if __name__ == "__main__":
    sys.exit(main())
