"""Publishing: a version's name is never one that was used, and what has no row is put aside, never deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters import WEIGHTS_NAME
from bot.types import ProbeResult
from finetune.recipe import Recipe
from finetune.run.publish import Candidate, publish
from finetune.run.shelf import clean_up
from store.desk import Desk
from store.versions import NewVersion
from store.words import BASE, Version


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """What a training left."""
    folder = tmp_path / "trained"
    folder.mkdir()
    (folder / WEIGHTS_NAME).write_bytes(b"new")
    return folder


def published(desk: Desk, adapter: Path) -> str:
    run = desk.runs.create({}, BASE, "ann")
    desk.runs.transition(run.id, "training")
    probe = ProbeResult(True, 1.0, (1.0,))
    row = publish(desk, Candidate(run.id, adapter, base_fingerprint="f", recipe=Recipe(), probe=probe, card={}))
    desk.runs.transition(run.id, "cancelled")
    return row.name


def lies(desk: Desk, name: str, content: str) -> None:
    """Something in the adapters folder that no row knows."""
    (desk.home.adapters / name).mkdir()
    (desk.home.adapters / name / "weights").write_text(content)


def test_folders_without_a_row_are_put_aside_whole(desk: Desk) -> None:
    lies(desk, "v1", "first")
    assert clean_up(desk) == ["v1"]
    lies(desk, "v1", "second")
    lies(desk, ".staging-v2-77", "half")
    (desk.home.adapters / "note").write_text("mine")
    assert clean_up(desk) == [".staging-v2-77", "note", "v1"]
    assert list(desk.home.adapters.iterdir()) == []
    assert (desk.home.aside / "v1" / "weights").read_text() == "first"
    assert (desk.home.aside / "v1-2" / "weights").read_text() == "second"
    assert (desk.home.aside / "staging-v2-77" / "weights").read_text() == "half"
    assert (desk.home.aside / "note").read_text() == "mine"
    assert desk.home.aside.stat().st_mode & 0o777 == 0o700


def test_a_known_version_stays_where_it_is(desk: Desk, adapter: Path) -> None:
    assert published(desk, adapter) == "v1"
    assert clean_up(desk) == []
    assert not desk.home.aside.exists()


def test_a_new_version_takes_no_number_that_lay_on_the_disk(desk: Desk, adapter: Path) -> None:
    lies(desk, "v4", "old")
    assert published(desk, adapter) == "v5"
    assert (desk.home.aside / "v4" / "weights").read_text() == "old"
    lies(desk, "v4", "older")
    lies(desk, "v12", "strange")
    assert clean_up(desk) == ["v12", "v4"]
    assert published(desk, adapter) == "v13"
    assert sorted(path.name for path in desk.home.aside.iterdir()) == ["v12", "v4", "v4-2"]


def test_a_version_that_lost_its_row_is_not_overwritten(desk: Desk, adapter: Path, tmp_path: Path) -> None:
    """A database put back to an older one beside newer adapters."""
    published(desk, adapter)
    with Desk.open(tmp_path / "other") as older:
        desk.home.adapters.rename(tmp_path / "kept")
        older.home.adapters.rmdir()
        (tmp_path / "kept").rename(older.home.adapters)
        (adapter / WEIGHTS_NAME).write_bytes(b"newer")
        assert published(older, adapter) == "v2"
        assert (older.home.aside / "v1" / WEIGHTS_NAME).read_bytes() == b"new"


def test_no_folder_column_leads_outside(desk: Desk) -> None:
    desk.versions.add(NewVersion(1, "m", "f", "qlora", {}, None))
    desk.db.conn.execute("DROP TRIGGER IF EXISTS adapter_versions_no_update")
    desk.db.run("UPDATE adapter_versions SET folder = '../../elsewhere'")
    assert desk.versions.get(Version("v1")).folder == "v1"
