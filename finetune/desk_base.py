"""The base of a desk: one rule for the app, the preflight and the run. Needs no torch."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from bot.bases.locate import base_folder, is_prepared
from bot.types import BaseSpec, EngineError, Quantization
from store.desk import Desk


def folder_of_base(desk: Desk) -> Path:
    """The folder that the desk's setting ``base`` means: what was decided when it was set up, as long as that is there,
    else the place of that name. Raises :class:`EngineError` (``base-missing``) for a name that means none."""
    name = desk.settings.load().base
    known = desk.bases.get(name)
    if known is not None and known.folder.is_dir():
        return known.folder
    return base_folder(desk.home.models, name)


def desk_base(desk: Desk) -> BaseSpec:
    """What an engine shall load for *desk*, and what its files must be. Raises :class:`EngineError` (``base-missing``)
    with the way out if there is nothing."""
    settings = desk.settings.load()
    folder = folder_of_base(desk)
    if not is_prepared(folder):
        raise EngineError(
            "base-missing",
            f"This desk has no model yet (looked for {settings.base!r} in {folder}). Get one with "
            "`deskloop setup` (the starter model), `deskloop setup --base FOLDER` (a local model) or "
            "`deskloop setup --base ORG/NAME` (a download from the hub).",
        )
    known = desk.bases.get(settings.base)
    return BaseSpec(str(folder), cast(Quantization, settings.quantization), None if known is None else known.digest)


def base_facts(desk: Desk, spec: BaseSpec) -> dict[str, str | None]:
    """What an adapter's card says of its base; ``revision``: the hub's commit, if it is a download."""
    known = desk.bases.get(desk.settings.load().base)
    revision = known.revision if known is not None and known.folder == Path(spec.folder) else None
    return {"folder": Path(spec.folder).name, "quantization": spec.quantization, "revision": revision}
