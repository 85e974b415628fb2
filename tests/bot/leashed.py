"""A tree of processes for ``test_leash.py``: ``python -m bot tests.bot.leashed FOLDER BEHAVIOUR DEPTH``.

Each writes its number into FOLDER and starts the next; the last does as BEHAVIOUR says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from bot.child import child_options, module_command


def note(folder: Path, name: str, pid: int) -> None:
    """Tell who waits for it that the process *name* is there."""
    (folder / f"{name}.new").write_text(str(pid))
    (folder / f"{name}.new").rename(folder / name)


def main(folder: Path, behaviour: str, depth: int) -> None:
    """Be a link, or the last one."""
    if depth:
        command = [*module_command("tests.bot.leashed"), str(folder), behaviour, str(depth - 1)]
        with subprocess.Popen(command, **child_options()) as child:
            note(folder, f"link-{depth}", os.getpid())
            child.wait()
    elif behaviour == "foreign":  # a program that knows of no leash
        with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as sleeping:
            note(folder, "foreign", sleeping.pid)
            note(folder, "last", os.getpid())
            sleeping.wait()
    elif behaviour == "computing":
        note(folder, "last", os.getpid())
        sum(range(10**13))  # one call of native code, which lets no other thread go on
    elif behaviour == "forked":  # a copy of it must not hold what it held
        subprocess.Popen([*module_command("tests.bot.leashed"), str(folder), "waiting", "0"], **child_options())
        while not (folder / "last").exists():
            time.sleep(0.02)
        if os.fork():
            os.kill(os.getpid(), signal.SIGKILL)
        note(folder, "copy", os.getpid())
        threading.Event().wait()
    else:
        note(folder, "last", os.getpid())
        threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
