"""Hashes of the pinned packages: ``python .ci/lock.py UV`` writes requirements.lock from constraints.txt.

Every file that the index has of a pinned version is allowed, so that one lock serves all platforms. PyTorch is left
out: its builds differ by platform and lie in several indexes, so it is pinned by its version alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PINS, LOCK = ROOT / "constraints.txt", ROOT / "requirements.lock"
BY_VERSION_ALONE = ("torch",)
OLDEST_PYTHON = "3.11"
HEAD = "# Made by `make lock` from constraints.txt; what `make install` may install, whatever an index offers.\n"


def pins() -> dict[str, str]:
    """Name and version of every package that is pinned."""
    lines = PINS.read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def main(uv: str) -> int:
    """Write the lock; returns the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, made = Path(folder) / "wanted.in", Path(folder) / "made.lock"
        hashed = {name: version for name, version in pins().items() if name not in BY_VERSION_ALONE}
        wanted.write_text("".join(f"{name}=={version}\n" for name, version in hashed.items()), encoding="utf-8")
        command = [uv, "pip", "compile", str(wanted), "--output-file", str(made), "--quiet", "--no-deps", "--universal",
                   "--python-version", OLDEST_PYTHON, "--generate-hashes", "--no-header", "--no-annotate"]  # fmt: skip
        done = subprocess.run(command, env={**os.environ, "UV_NO_CONFIG": "1"}, stdout=subprocess.DEVNULL, check=False)
        if done.returncode != 0:
            sys.stderr.write("The index did not name all packages. requirements.lock is as it was.\n")
            return 1
        LOCK.write_text(HEAD + made.read_text(encoding="utf-8"), encoding="utf-8")
    sys.stdout.write(f"requirements.lock holds the hashes of {len(hashed)} packages.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
