"""``python -m benchmarks [NAME] [OPTIONS]``: run one benchmark; `canned` if none is named."""

from __future__ import annotations

import runpy
import sys

NAMES = (
    "canned",
    "startup",
    "serving",
    "sharing",
    "judging",
    "gate_power",
    "scale",
    "methods",
    "busy",
    "objectives",
    "personal",
    "pictures",
    "exposure",
    "bisect",
    "at_once",
    "manners",
    "teaching",
    "hand_over",
    "learning",
)


def main() -> None:
    """Hand over to the benchmark that is named first."""
    name = sys.argv.pop(1) if len(sys.argv) > 1 and sys.argv[1] in NAMES else NAMES[0]
    runpy.run_module(f"benchmarks.{name}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
