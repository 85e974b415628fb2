"""How fast deskloop is there: imports, and the first paint of the app in a real terminal.

python -m benchmarks startup [--times 5]
"""

from __future__ import annotations

import argparse
import os
import pty
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from fcntl import ioctl
from struct import pack
from termios import TIOCSWINSZ
from typing import Any

from benchmarks.common import ROOT, machine, markdown_table, write_result
from store.desk import Desk

CASES = {
    "the interpreter": "pass",
    "store.desk": "import store.desk",
    "textual.app": "import textual.app",
    "tui.app": "import tui.app",
    "tui.cli": "import tui.cli",
    "tui.core": "import tui.core",
}
HEAVY = ("torch", "transformers", "peft", "datasets", "bitsandbytes", "accelerate", "sacrebleu", "pandas", "numpy")
ENTERED = b"\x1b[?1049h"  # the terminal's other screen: the app draws from here on
PAINTED = 400  # bytes after that make a frame and not only set modes
GIVE_UP = 30.0  # seconds


def import_seconds(code: str, times: int) -> float:
    """The median time of a fresh interpreter that runs *code*."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stderr=subprocess.DEVNULL)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def loaded(code: str) -> list[str]:
    """Which of the heavy libraries *code* loads; none should be."""
    script = f"{code}\nimport sys\nprint(*[name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, capture_output=True, text=True)
    return result.stdout.split()


def first_paint(home: str) -> float:
    """Seconds from starting `deskloop` in an 80x24 terminal to its first frame; the app is ended then."""
    start = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        environment = os.environ | {"DESKLOOP_HOME": home, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, "-c", "from tui.cli import main; main()"], environment)
    ioctl(terminal, TIOCSWINSZ, pack("HHHH", 24, 80, 0, 0))
    output = b""
    try:
        while time.perf_counter() - start < GIVE_UP:
            if select.select([terminal], [], [], 0.05)[0]:
                try:
                    output += os.read(terminal, 65536)
                except OSError:  # the app ended
                    break
                if len(output.partition(ENTERED)[2]) > PAINTED:
                    return time.perf_counter() - start
        raise RuntimeError(f"The app did not paint: {output[-500:]!r}")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5, help="fresh processes for each number; the median counts")
    times = parser.parse_args().times
    imports: dict[str, dict[str, Any]] = {
        name: {"seconds": import_seconds(code, times), "heavy": loaded(code)} for name, code in CASES.items()
    }
    with tempfile.TemporaryDirectory(prefix="deskloop-bench-") as home:
        Desk.open(home).close()
        paints = [first_paint(home) for _ in range(times + 1)][1:]  # the first one warms the disk's cache
    facts: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "imports": imports,
        "first_paint_seconds": statistics.median(paints),
        "first_paints": paints,
    }
    rows = [
        {"a fresh process with": name, "seconds": f"{found['seconds']:.2f}", "loads": ", ".join(found["heavy"]) or "-"}
        for name, found in imports.items()
    ]
    rows.append({"a fresh process with": "first paint of the app", "seconds": f"{statistics.median(paints):.2f}"})
    write_result("startup", facts, f"# Start\n\n{facts['at']}; medians of {times}.\n\n{markdown_table(rows)}")


if __name__ == "__main__":
    main()
