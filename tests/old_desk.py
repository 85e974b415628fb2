"""A small desk as deskloop 7e23663 left it: a base of 15,000 weights, and a version that answers, with its run."""

from __future__ import annotations

import tarfile
from pathlib import Path

ARCHIVE = Path(__file__).with_name("desk_7e23663.tar.xz")
MARK = "5dc70feddd84e04122942d4bfd8bce00a0874820e1bd1c8d58a30ec3465e654b"  # how it knew its base


def unpack(folder: Path) -> Path:
    """Unpack it into *folder*; returns its home."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    home = folder / "olddesk"
    home.chmod(0o700)
    return home
