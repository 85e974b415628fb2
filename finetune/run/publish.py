"""Publishing an adapter: it appears whole, under a name that was never used, or not at all. Needs no torch."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bot.adapters import CARD_NAME, Manifest, sha256_of, write_manifest
from bot.types import ProbeResult
from finetune.files import MARK, appearing, sync_tree
from store.desk import Desk
from store.home import private_folder, sync_folder
from store.owned import sweep
from store.records import AdapterVersion, now
from store.writing import free_name

_VERSION = re.compile(r"v([0-9]{1,9})(?![0-9])")
LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "datasets", "accelerate", "safetensors")


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


def publish(
    desk: Desk,
    run_id: int,
    adapter: Path,
    *,
    base_fingerprint: str,
    method: str,
    recipe: dict[str, Any],
    card: dict[str, Any],
    probe: ProbeResult,
) -> AdapterVersion:
    """Copy *adapter* to its final place: staged, synced, described by a manifest, renamed once; then its row.

    The card holds what is needed to repeat the run. The gate's numbers come later than the card, which never
    changes: they are in the run's report."""
    clean_up(desk)
    number = next_number(desk)
    name = f"v{number}"
    with appearing(desk.home.adapters / name) as built:
        shutil.copytree(adapter, built, ignore=shutil.ignore_patterns(MARK))
        about = {"version": name, "run": run_id, **card, "libraries": library_versions()}
        (built / CARD_NAME).write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")
        files = {path.relative_to(built).as_posix(): sha256_of(path) for path in built.rglob("*") if path.is_file()}
        digest = write_manifest(
            built, Manifest(name, base_fingerprint, method, now(), dict(sorted(files.items())), probe)
        )
        sync_tree(built)
    sync_folder(desk.home.adapters)
    with desk.atomic():
        row = desk.versions.add(number, name, digest, base_fingerprint, method, recipe, run_id)
        desk.runs.update(run_id, candidate=name)
    return row


def library_versions(libraries: Iterable[str] = LIBRARIES) -> dict[str, str]:
    """The versions of those *libraries* that are installed; by default the ones that decide a result."""
    found = {}
    for library in libraries:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
