"""Adapter versions as people look at them: an overview, the card, a check of the files, a copy."""

from __future__ import annotations

import asyncio
import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bot.adapters import CARD_NAME, MANIFEST_NAME, sha256_of, verify
from bot.types import AdapterRef, EngineError
from finetune.files import appearing
from finetune.gate.measures import Recall
from finetune.gate.report import GateReport, report_of
from store.desk import Desk
from store.records import AdapterVersion, Promotion
from store.words import BASE, Version
from store.writing import check_new_folder
from tui.core.base import base_mark
from tui.core.errors import DeskError
from tui.core.reports import bleu_of, recall_of

REMOVED = "The files of {} were removed: it had learned something that has been erased."


@dataclass(frozen=True, slots=True)
class Overview:
    """One line of the list of versions. ``bleu`` is the candidate's on its gate's held-out pairs, ``recall`` how it
    answers what it was taught; the bare base has no method, run or numbers of its own. ``promoted_by`` and
    ``promoted_at``: the last time it became active. ``other_base``: it was trained on another base than the desk's, or
    on the same one quantized otherwise, and waits until that is set again. ``erased``: it learned something that has
    been erased; ``removed``: its files are gone because of that; ``shadow``: it answers unseen."""

    version: Version
    active: bool = False
    method: str = "bare base"
    created_at: str | None = None
    run: int | None = None
    pairs: int | None = None
    bleu: float | None = None
    recall: Recall | None = None
    verdict: str | None = None
    promoted_at: str | None = None
    promoted_by: str | None = None
    promoted_as: str | None = None
    other_base: bool = False
    erased: bool = False
    removed: bool = False
    shadow: bool = False

    @property
    def standing(self) -> str:
        """What to know before it answers, in a few words: what its check said, if nothing else is the matter."""
        if self.removed or self.erased:
            return "removed" if self.removed else "learned erased data"
        if self.other_base:
            return "other base"
        return ", ".join(word for word in (self.verdict, "shadow" if self.shadow else None) if word)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``deskloop versions list``."""
        return {**asdict(self), "recall": None if self.recall is None else self.recall.to_dict()}


BARE = Overview(BASE)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check of one version's files found; ``sentence`` is None if they are as published."""

    version: Version
    sentence: str | None


def folder_of(desk: Desk, version: AdapterVersion) -> Path:
    """The absolute folder of *version*."""
    return desk.home.adapters / version.folder


def overview(desk: Desk) -> list[Overview]:
    """The bare base and every version, oldest first."""
    active = desk.promotions.active()
    last = {promotion.version: promotion for promotion in sorted(desk.promotions.list(), key=lambda row: row.id)}
    mark = base_mark(desk)
    erased, removed = desk.erasing.tainted(), desk.versions.removed()
    shadow = desk.shadows.current()
    rows = [_with_promotion(BARE, last.get(BASE))]
    for version in sorted(desk.versions.list(), key=lambda row: row.number):
        row = replace(
            _made(desk, version),
            other_base=mark is not None and version.base_fingerprint != mark,
            erased=version.name in erased,
            removed=version.name in removed,
            shadow=version.name == shadow,
        )
        rows.append(_with_promotion(row, last.get(version.name)))
    return [replace(row, active=row.version == active) for row in rows]


def _made(desk: Desk, version: AdapterVersion) -> Overview:
    """How *version* came to be."""
    made = Overview(Version(version.name), method=version.method, created_at=version.created_at, run=version.run_id)
    if version.run_id is None:
        return made
    run = desk.runs.get(version.run_id)
    pairs, bleu, recall = desk.runs.trained_pairs(run.id), bleu_of(run).candidate, recall_of(run)
    return replace(made, pairs=pairs, bleu=bleu, recall=recall, verdict=run.verdict)


def _with_promotion(row: Overview, promotion: Promotion | None) -> Overview:
    if promotion is None:
        return row
    return replace(row, promoted_at=promotion.at, promoted_by=promotion.who, promoted_as=promotion.kind)


def card(desk: Desk, version: AdapterVersion) -> dict[str, Any]:
    """Everything known about *version*: its row, its card's facts, and how its gate went."""
    facts: dict[str, Any] = asdict(version)
    facts["folder"] = str(folder_of(desk, version))
    try:
        facts["card"] = json.loads((folder_of(desk, version) / CARD_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        facts["card"] = None
    run = desk.runs.get(version.run_id) if version.run_id is not None else None
    facts["verdict"] = run.verdict if run else None
    facts["report"] = run.report if run else None
    facts["erased"] = version.name in desk.erasing.tainted()  # its data hash can't be checked any more then
    facts["removed"] = desk.versions.removed().get(version.name)
    return facts


def report_on(desk: Desk, version: AdapterVersion) -> GateReport | None:
    """What the gate found about *version*; None if nothing judged it."""
    return report_of(desk.runs.get(version.run_id)) if version.run_id is not None else None


def verify_all(desk: Desk, version: Version | None = None) -> list[Finding]:
    """Check the files of one version, or of all of them. Raises :class:`DeskError` for an unknown name."""
    removed = desk.versions.removed()
    rows = [row for row in desk.versions.list() if version in (None, row.name) and row.name not in removed]
    if version in removed:
        raise DeskError(REMOVED.format(version))
    if version not in (None, BASE) and not rows:
        raise DeskError(f"There is no version {version}.")
    return [Finding(row.name, damage(folder_of(desk, row), row)) for row in rows]


def verify_version(folder: Path, version: AdapterVersion) -> None:
    """Check that *folder* holds what was published as *version*: its files by the manifest, the manifest by the row.

    Raises :class:`EngineError` (``adapter-damaged``), also for files that can't be read."""
    try:
        verify(folder)
        published = sha256_of(folder / MANIFEST_NAME) == version.manifest_sha256
    except OSError as error:
        raise EngineError(
            "adapter-damaged",
            f"The files of {version.name} in {folder} can't be read: {error.strerror or error}. They are not used; "
            "restore the folder from a backup, or retrain.",
        ) from error
    if not published:
        raise EngineError(
            "adapter-damaged",
            f"The manifest in {folder} is not the one that was published as {version.name}. It is not used; restore "
            "the folder from a backup, or retrain.",
        )


def known(desk: Desk, version: str) -> AdapterVersion:
    """The row of *version*, or a :class:`DeskError` that names what exists."""
    rows = desk.versions.list()
    row = next((row for row in rows if row.name == version), None)
    if row is None:
        raise DeskError(
            f"There is no version {version}. This desk has: {', '.join([BASE, *(row.name for row in rows)])}."
        )
    return row


async def verified(desk: Desk, version: Version) -> AdapterRef | None:
    """What an engine needs to make *version* ready (None: the bare base), its files checked. To read hundreds of
    megabytes takes its time, so that is done beside the event loop.

    Raises :class:`EngineError` (``adapter-damaged``)."""
    if version == BASE:
        return None
    try:
        row = known(desk, version)
        if version in desk.versions.removed():
            raise DeskError(REMOVED.format(version))
    except DeskError as error:
        raise EngineError("adapter-damaged", error.sentence) from error
    folder = folder_of(desk, row)
    await asyncio.to_thread(verify_version, folder, row)
    return AdapterRef(version, str(folder))


def damage(folder: Path, version: AdapterVersion) -> str | None:
    """The sentence that says how *folder* differs from what was published as *version*; None if it does not."""
    try:
        verify_version(folder, version)
    except EngineError as error:
        return error.sentence
    return None


def export_version(desk: Desk, version: AdapterVersion, target: Path) -> list[str]:
    """Copy the verified files of *version* to the new folder *target*; returns their names.

    The copy is made beside the target, verified again and renamed, so that *target* is whole or not there.
    Raises :class:`DeskError` if the version is damaged or *target* exists."""
    if version.name in desk.versions.removed():
        raise DeskError(REMOVED.format(version.name))
    source = folder_of(desk, version)
    if problem := damage(source, version):
        raise DeskError(f"{version.name} was not exported: {problem}")
    target = target.expanduser().absolute()
    check_new_folder(target)
    try:
        with appearing(target) as staging:
            shutil.copytree(source, staging)
            if problem := damage(staging, version):
                raise DeskError(f"The copy of {version.name} is not complete and was removed: {problem}")
    except OSError as error:
        raise DeskError(f"{version.name} could not be exported to {target}: {error.strerror or error}.") from error
    return sorted(path.name for path in target.iterdir())
