"""Small desks as earlier deskloops left them: a base of 15,000 weights, versions on it, and the runs they come of."""

from __future__ import annotations

import tarfile
from pathlib import Path

MARK = "5dc70feddd84e04122942d4bfd8bce00a0874820e1bd1c8d58a30ec3465e654b"  # how both know their base


def unpack(folder: Path, commit: str = "7e23663") -> Path:
    """Unpack the desk that deskloop at *commit* left into *folder*; returns its home.

    ``7e23663``: one version, before the renderer had a number. ``9f9428d``: the last before 0.2.0; v1 was activated by
    hand, v2 held, run 3 killed after a checkpoint, and a draft and a named recipe wait."""
    with tarfile.open(Path(__file__).with_name(f"desk_{commit}.tar.xz")) as archive:
        archive.extractall(folder, filter="data")
    home = folder / "olddesk"
    for path in (home, *home.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return home
