"""A published adapter on disk: its manifest, and the check that its files are those that were published."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bot.adapter_config import CONFIG_NAME, ConfigRefused, read_checked
from bot.types import EngineError, ProbeResult

MANIFEST_NAME = "manifest.json"
CARD_NAME = "card.json"
FORMAT = 1
WEIGHTS_NAME = "adapter_model.safetensors"
# Pickles run code when they are read; an adapter that brings one is refused, whatever else it holds.
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was published: the sha256 of every file, the base it was trained on, and what its probe measured."""

    version: str
    base_fingerprint: str
    method: str
    created_at: str
    files: dict[str, str]
    probe: ProbeResult | None = None
    format: int = field(default=FORMAT)


def sha256_of(path: Path) -> str:
    """The hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """Write *manifest* into *folder*; returns the sha256 of the manifest file itself."""
    raw = json.dumps(asdict(manifest), indent=1, sort_keys=True).encode()
    (folder / MANIFEST_NAME).write_bytes(raw)
    return hashlib.sha256(raw).hexdigest()


def read_manifest(folder: Path | str) -> Manifest:
    """The manifest in *folder*. Raises :class:`EngineError` (``adapter-damaged``)."""
    path = Path(folder) / MANIFEST_NAME
    try:
        body: dict[str, Any] = json.loads(path.read_bytes())
        if body.get("format") != FORMAT:
            raise ValueError(f"format {body.get('format')!r}")
        probe = body.pop("probe", None)
        if probe is not None:
            probe = ProbeResult(bool(probe["finite"]), float(probe["difference"]), tuple(probe["values"]))
        return Manifest(probe=probe, **body)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(Path(folder), f"its manifest can't be read ({error})") from error


def verify(folder: Path | str, base_fingerprint: str | None = None) -> Manifest:
    """Check that *folder* holds exactly what was published, for this base if a fingerprint is given.

    Raises :class:`EngineError`: ``adapter-damaged`` or ``base-changed``."""
    folder = Path(folder)
    manifest = read_manifest(folder)
    try:
        _check_files(folder, manifest)
    except OSError as error:
        raise _damaged(folder, f"its files can't be read ({error.strerror or error})") from error
    if CONFIG_NAME in manifest.files:
        checked_config(folder)
    if base_fingerprint is not None and manifest.base_fingerprint != base_fingerprint:
        raise EngineError(
            "base-changed",
            f"{manifest.version} was trained on a different base model (or quantization, or prompt format) than the "
            "one that is loaded. Nothing was lost: change the base back, or retrain on this one.",
        )
    return manifest


def _check_files(folder: Path, manifest: Manifest) -> None:
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file() or path.is_symlink()}
    present.discard(MANIFEST_NAME)
    if missing := sorted(set(manifest.files) - present):
        raise _damaged(folder, f"{missing[0]} is missing")
    if added := sorted(present - set(manifest.files)):
        raise _damaged(folder, f"{added[0]} does not belong there")
    if WEIGHTS_NAME not in manifest.files or any(name.endswith(PICKLES) for name in present):
        raise _damaged(folder, "its weights are not in safetensors")
    for name, digest in manifest.files.items():
        if (folder / name).is_symlink() or sha256_of(folder / name) != digest:
            raise _damaged(folder, f"{name} is not the file that was published")


def checked_config(folder: Path) -> dict[str, Any]:
    """The adapter's own description, which asks for nothing that deskloop's adapters do not. Raises
    :class:`EngineError` (``adapter-damaged``)."""
    try:
        return read_checked(folder)
    except ConfigRefused as error:
        raise _damaged(folder, str(error)) from error
    except OSError as error:
        raise _damaged(folder, f"{CONFIG_NAME} can't be read ({error.strerror or error})") from error


def _damaged(folder: Path, what: str) -> EngineError:
    return EngineError(
        "adapter-damaged",
        f"The adapter in {folder} is damaged: {what}. It is not used; restore the folder from a backup, or retrain.",
    )
