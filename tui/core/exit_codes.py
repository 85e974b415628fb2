"""Exit codes that the app and the command line share."""

from __future__ import annotations

from typing import Final

SIGNALLED: Final = 128  # an exit code says by which signal a process ended when this is added to its number
