"""Publishing an adapter: it appears whole, under a name that was never used, or not at all. Needs no torch."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bot.adapters import CARD_NAME, Manifest, sha256_of, write_manifest
from bot.types import ProbeResult
from finetune.files import MARK, sync_tree
from store.desk import Desk
from store.home import sync_folder
from store.records import AdapterVersion, now

STAGING = ".staging-"
LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "datasets", "accelerate", "safetensors")


def clean_up(desk: Desk) -> list[str]:
    """Remove what a crash left in the adapters folder: folders without a row. Only under the run lock."""
    known = {row.folder for row in desk.versions.list()}
    rubbish = [path for path in desk.home.adapters.iterdir() if path.name not in known]
    for path in rubbish:
        shutil.rmtree(path, ignore_errors=True)
    return sorted(path.name for path in rubbish)


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
    number = desk.versions.next_number()
    name = f"v{number}"
    staging = desk.home.adapters / f"{STAGING}{name}-{os.getpid()}"
    try:
        shutil.copytree(adapter, staging)
        (staging / MARK).unlink(missing_ok=True)
        about = {"version": name, "run": run_id, **card, "libraries": library_versions()}
        (staging / CARD_NAME).write_text(json.dumps(about, indent=1, ensure_ascii=False), encoding="utf-8")
        files = {path.relative_to(staging).as_posix(): sha256_of(path) for path in staging.rglob("*") if path.is_file()}
        digest = write_manifest(
            staging, Manifest(name, base_fingerprint, method, now(), dict(sorted(files.items())), probe)
        )
        sync_tree(staging)
        staging.rename(desk.home.adapters / name)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
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
