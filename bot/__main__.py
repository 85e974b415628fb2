"""``python -m bot MODULE ARGUMENTS``: run a module, ours or another's, as a child on the leash of who started it."""

from __future__ import annotations

import runpy
import sys

from bot import leash

if __name__ == "__main__":
    leash.follow()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
