"""An open desk whose engines are scripted, and versions that are files without weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters import WEIGHTS_NAME, Manifest, sha256_of, write_manifest
from bot.engines.scripted import Script
from store.desk import Desk
from store.versions import NewVersion
from store.words import BASE, RunState, Version
from tui.core import DeskChange, OpenDesk
from tui.core.base import base_mark


def make_base(models: Path) -> None:
    """Files that look like a prepared starter."""
    folder = models / "smollm2-135m-instruct"
    folder.mkdir(parents=True)
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "intermediate_size": 8, "vocab_size": 8}
    (folder / "config.json").write_text(json.dumps({**sizes, "num_attention_heads": 1}))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"\x02" + bytes(7) + b"{}")  # whole, and without a tensor


def make_version(
    desk: Desk,
    verdict: str | None = None,
    run_id: int | None = None,
    base_fingerprint: str | None = None,
    bleu: tuple[float | None, float | None] = (1.0, 2.0),
) -> Version:
    """A published version whose weights are no weights; *verdict*: of a run that made it, *run_id*: of another one;
    *base_fingerprint*: by default that of the desk's base, if it has one; *bleu*: of the version before and its own."""
    mark = base_fingerprint or base_mark(desk) or "f" * 64
    number = desk.versions.next_number()
    folder = desk.home.adapters / f"v{number}"
    folder.mkdir()
    (folder / WEIGHTS_NAME).write_bytes(hashlib.sha256(str(number).encode()).digest())
    files = {WEIGHTS_NAME: sha256_of(folder / WEIGHTS_NAME)}
    digest = write_manifest(folder, Manifest(f"v{number}", mark, "qlora", "2026-01-01T00:00:00.000Z", files))
    if verdict is not None:
        run_id = desk.runs.create({}, BASE, "tester").id
        desk.runs.transition(run_id, "training")
        desk.runs.transition(run_id, "evaluating", candidate=Version(f"v{number}"))
        desk.runs.save_report(run_id, verdict, {"bleu": {"active": bleu[0], "candidate": bleu[1]}})  # type: ignore[arg-type]
        ends: dict[str, RunState] = {"promote": "promoted", "reject": "rejected"}
        desk.runs.transition(run_id, ends.get(verdict, "held"))
    return desk.versions.add(NewVersion(number, digest, mark, "qlora", {}, run_id)).name


@pytest.fixture
def script() -> Script:
    return Script(deltas=["We open ", "at nine."], certainty=-0.25)


@pytest.fixture
async def open_desk(tmp_path: Path, script: Script, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenDesk]:
    """An empty desk, open."""
    monkeypatch.setenv("DESKLOOP_MODELS", str(tmp_path / "models"))
    make_base(tmp_path / "models")
    async with OpenDesk(tmp_path / "home", operator="tester", engine_factory=script) as open_desk:
        yield open_desk


@pytest.fixture
def told(open_desk: OpenDesk) -> list[DeskChange]:
    """Everything that was published at the desk."""
    changes: list[DeskChange] = []
    open_desk.changes.listen(changes.append)
    return changes
