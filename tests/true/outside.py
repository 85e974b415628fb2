"""A desk from outside: commands as they are typed, and what must hold whatever was done to it."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.home import Home
from tests.true.kills import Bench

COMMAND = [sys.executable, "-c", "from tui.cli import main; main()"]
CODES = {0, 1, 2, 3, 4}  # the exit codes that the README promises
LONGEST = 180.0  # seconds that a command may take here


@dataclass
class Site:
    """One attack's place: a desk with a tiny base, and a folder beside it that nothing may touch."""

    root: Path
    base: Path
    chance: random.Random

    def __post_init__(self) -> None:
        self.home = self.root / "home"
        self.treasure = self.root / "treasure.txt"  # lies beside the home, where a path that escapes would lead
        self.models = self.root / "models"

    def prepare(self) -> Site:
        """Make the desk."""
        self.root.mkdir(parents=True, exist_ok=True)
        self.treasure.write_text("untouched")
        Home.open(self.home)
        Bench(self.home, self.chance).prepare(self.base)
        return self

    def run(
        self, *words: str | Path, said: str = "", home: Path | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """One command. It may fail, with a sentence and a promised code; it may not break."""
        command = [*COMMAND, *map(str, words), "--home", str(home or self.home)]
        done = subprocess.run(
            command,
            input=said,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LONGEST,
            check=False,
            env=self.environment(),
        )
        told = f"{' '.join(map(str, words))}: code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        assert done.returncode in CODES, told
        assert "Traceback" not in done.stderr + done.stdout, told
        if done.returncode:
            assert done.stderr.strip() or done.stdout.strip(), f"failed without a word: {told}"
        if check:
            assert done.returncode == 0, told
        return done

    def environment(self) -> dict[str, str]:
        """That of a command: models beside the desk, one thread."""
        return {**os.environ, "DESKLOOP_MODELS": str(self.models), "OMP_NUM_THREADS": "1"}

    def data(self, *words: str | Path, said: str = "") -> dict[str, Any]:
        """What a command that must not fail puts out with --json; the last object."""
        lines = self.run(*words, "--json", said=said).stdout.splitlines()
        found: dict[str, Any] = json.loads(lines[-1])
        return found

    def check(self) -> None:
        """The desk is sound, and nothing beside it was touched."""
        Bench(self.home, self.chance).check()
        assert self.treasure.read_text() == "untouched"

    def teach(self) -> str:
        """Train, and make what came of it answer; returns the version's name."""
        done = self.run(
            "retrain", "--yes", "--set", "epochs=2", "--set", "r=4", "--set", "replay=0", "--json", check=False
        )
        version = str(json.loads(done.stdout.splitlines()[-1])["version"])
        self.run("versions", "activate", version, "--reason", "for the test")
        return version

    def remove(self) -> None:
        """Make room; the site is the attack's own temporary folder."""
        shutil.rmtree(self.root, ignore_errors=True)
