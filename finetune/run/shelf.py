"""The folder of published adapters: what lies there without a row is put aside, and no name is ever used twice."""

from __future__ import annotations

import re

from store.desk import Desk
from store.home import private_folder, sync_folder
from store.owned import sweep
from store.writing import free_name

_VERSION = re.compile(r"v([0-9]{1,9})(?![0-9])")


def clean_up(desk: Desk) -> list[str]:
    """Put aside what lies in the adapters folder without a row in the database; only under the run lock. Returns the
    names it had there. Half a version of ours whose process was killed goes.

    It may be what a crash left, or the only copy of a version whose database was put back to an older one: it is
    moved to the folder ``aside`` under a free name, never deleted."""
    sweep(desk.home.adapters)
    known = {version.name for version in desk.versions.list()}
    strange = sorted(path for path in desk.home.adapters.iterdir() if path.name not in known)
    for path in strange:
        path.rename(free_name(private_folder(desk.home.aside), path.name.removeprefix(".")))
    if strange:
        sync_folder(desk.home.aside)
        sync_folder(desk.home.adapters)
    return [path.name for path in strange]


def next_number(desk: Desk) -> int:
    """The number of the next version: beyond every one that has a row, and every one that ever lay on this disk."""
    lying = [
        int(found[1])
        for folder in (desk.home.adapters, desk.home.aside)
        if folder.is_dir()
        for path in folder.iterdir()
        if (found := _VERSION.match(path.name))
    ]
    return max(desk.versions.next_number(), 1 + max(lying, default=0))
