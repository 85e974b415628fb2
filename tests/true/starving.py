"""A disk that fills up at any moment, and what must hold meanwhile and once there is room again."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.true.kills import RUN_SECONDS
from tests.true.outside import COMMAND, LONGEST, Site

SIZE = "40m"
PHASES = ("ask", "correct", "import", "export", "backup", "setup", "doctor", "forget", "retrain", "retrain", "retrain")


def can_mount() -> bool:
    """Whether this process may make a small disk: on Linux, for root."""
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("mount") is not None


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of :data:`SIZE` at the new folder *folder*."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, left: int) -> Path:
    """Fill *disk* but for about *left* bytes; returns the file that does."""
    filler = disk / "filler"
    try:
        with filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 2**16)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
    os.truncate(filler, max(0, filler.stat().st_size - left))
    return filler


def full_disk(site: Site) -> None:
    """Fill the disk of a desk before or during a command; then make room, and everything goes on."""
    chance = site.chance
    phase = chance.choice(PHASES)
    with small_disk(site.root) as disk:
        site.prepare()
        reply = site.data("ask", "Where is my order?")["reply_id"]
        rows = disk / "rows.jsonl"
        rows.write_text('{"instruction": "Do you ship to Mars?", "output": "Not yet."}\n' * 300)
        words: dict[str, list[str | Path]] = {
            "ask": ["ask", "Is the shop open on Sunday?"],
            "correct": ["correct", str(reply), "It is on its way."],
            "import": ["pairs", "import", rows],
            "export": ["pairs", "export", disk / "out.jsonl"],
            "backup": ["backup", disk / "desk.tar"],
            "setup": ["setup", "--base", site.base],
            "doctor": ["doctor"],
            "forget": ["forget", "--text", "Where is my order?", "--yes"],
            "retrain": ["retrain", "--yes", "--set", "epochs=6", "--set", "r=4", "--set", "replay=0"],
        }
        if phase == "retrain":
            _retrain_until_full(site, disk)
        else:
            filler = fill(disk, chance.choice([0, 4096, 2**15, 2**17]))
            site.run(*words[phase], check=False)
            filler.unlink()
        assert (phase == "forget") or site.data("ask", "Are you there?")["text"] is not None
        if phase in ("export", "backup"):
            target = Path(str(words[phase][-1]))
            assert not target.exists() or target.stat().st_size > 0
            assert not list(disk.glob(".deskloop-*")), "a workshop was left"
        site.check()


def _retrain_until_full(site: Site, disk: Path) -> None:
    """Fill the disk somewhere in a run; the command ends within seconds of what it can't write, with a sentence."""
    command = [
        *COMMAND,
        "retrain",
        "--yes",
        "--set",
        "epochs=6",
        "--set",
        "r=4",
        "--set",
        "replay=0",
        "--home",
        str(site.home),
    ]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=site.environment())
    filled = threading.Event()
    try:
        deadline = time.monotonic() + site.chance.uniform(0.0, 2 * RUN_SECONDS)
        while run.poll() is None and time.monotonic() < deadline:
            filled.wait(0.05)
        filler = fill(disk, site.chance.choice([0, 4096, 2**16]))
        out, _ = run.communicate(timeout=LONGEST)
        assert "Traceback" not in out, out
        assert run.returncode in (0, 1, 3, 4), out
        filler.unlink()
    finally:
        run.kill()
        run.wait()
