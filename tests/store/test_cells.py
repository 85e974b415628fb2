"""One damaged cell stops nothing but itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from store.database.cells import EXCHANGES, OBJECT, REPORT, cell, is_whole, whole
from store.database.soundness import unreadable_cells
from store.desk import Desk
from store.pairs import NewPair
from store.settings import SettingError, Settings
from store.versions import NewVersion
from store.words import BASE, Version
from tests.store.test_desk import said

SCORES = {"bleu": 1.0, "chrf": 2.0, "exact": 0.5, "signature": "s"}
LANGUAGE = {"lang": "en", "n": 3, "p": 0.5, "active": SCORES, "candidate": SCORES, "metric": "bleu"}


@pytest.mark.parametrize("text", ["", "{", "\x00", "[1", "null", "7", '"x"', "[]", "NaN", None, b"{}", "[" * 10**5])
def test_what_is_no_object_counts_as_the_default(text: Any) -> None:
    assert cell(text, OBJECT, {}) == {}
    assert not is_whole(text, OBJECT)


def test_of_a_report_what_fits_is_kept() -> None:
    report = {
        "verdict": "promote", "sentence": 5, "bleu": {"active": None, "candidate": 2.5}, "chrf": {"active": "x"},
        "languages": [LANGUAGE, {"lang": "de"}, 7, LANGUAGE | {"p": None}], "learned": True, "drift": None,
        "troubles": {"finding": "x"}, "other": [None],
    }  # fmt: skip
    assert cell(json.dumps(report), REPORT, None) == {
        "verdict": "promote", "bleu": {"active": None, "candidate": 2.5}, "languages": [LANGUAGE], "other": [None],
    }  # fmt: skip
    assert not is_whole(json.dumps(report), REPORT)
    assert is_whole(json.dumps({"verdict": "promote", "languages": [LANGUAGE]}), REPORT)
    assert not whole({"verdict": float("nan")}, {"verdict": float})


def test_a_history_is_whole_or_nothing() -> None:
    assert cell('[["a", "b"]]', EXCHANGES, []) == [["a", "b"]]
    assert cell('[["a", 5]]', EXCHANGES, []) == []


def damage(desk: Desk, table: str, column: str, value: str) -> None:
    for (name,) in desk.db.all("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", table):
        desk.db.run(f"DROP TRIGGER {name}")
    desk.db.run(f"UPDATE {table} SET {column} = ?", value)


@pytest.mark.parametrize("value", ["", "{", "5", '"x"', "[[]]", '{"a": ['])
def test_every_reader_goes_on_past_a_damaged_cell(desk: Desk, value: str) -> None:
    reply = said(desk)
    desk.pairs.add(NewPair("When?", "At nine.", (("Hello", "Hi"),), split="train"), "import", "ann")
    desk.recipes.save("mine", {"r": 4}, "ann")
    run = desk.runs.create({"r": 4}, BASE, "ann")
    desk.runs.add_event(run.id, "note", {"sentence": "x"})
    desk.runs.update(run.id, report={"verdict": "promote"}, failure={"kind": "failed", "sentence": "x"})
    desk.versions.add(NewVersion(1, "m", "f", "qlora", {"r": 4}, run.id))
    for table, column in [
        ("runs", "recipe"), ("runs", "report"), ("runs", "failure"), ("run_events", "body"), ("recipes", "recipe"),
        ("adapter_versions", "recipe"), ("replies", "decoding"), ("pairs", "history"),
    ]:  # fmt: skip
        damage(desk, table, column, value)
    found = desk.runs.get(run.id)
    assert (found.recipe, found.report, found.failure) == ({}, None, None)
    assert [event.body for event in desk.runs.events(run.id)] == [{}]
    assert [recipe.values for recipe in desk.recipes.list()] == [{}]
    assert desk.versions.get(Version("v1")).recipe == {}
    turn = desk.conversations.turn(reply)
    assert turn.reply is not None
    assert turn.reply.decoding == {}
    assert desk.pairs.get(1).history == ()
    if value == "{":
        assert desk.pairs.training_set() == []  # without what was said before, its answer may be wrong
        assert sorted(unreadable_cells(desk.db.conn)) == [
            "body of run_events 1", "decoding of replies 2", "failure of runs 1", "history of pairs 1",
            "recipe of adapter_versions v1", "recipe of recipes mine", "recipe of runs 1", "report of runs 1",
        ]  # fmt: skip


@pytest.mark.parametrize("value", ["", "{", "null", "[]", "{}", "true", "5", '"\\u0000"', '{"top_p": "x"}', "1e999"])
def test_a_damaged_setting_is_its_default(desk: Desk, value: str) -> None:
    for key in ("base", "heldout_share", "min_pairs", "faithful", "keys", "deskloop.toml", "theme"):
        desk.db.run("INSERT OR REPLACE INTO settings VALUES (?, ?, '', '')", key, value)
    settings = desk.settings.load()
    assert (settings.heldout_share, settings.keys) in [(0.2, {}), (0.2, {"top_p": "x"})]
    assert isinstance(settings.base, str)
    assert settings.base
    assert desk.settings.file().problem is None
    assert desk.settings.set("min_pairs", 9, "ann").min_pairs == 9


def test_a_damaged_secret_is_said_before_a_pair_lands_on_the_wrong_side(desk: Desk) -> None:
    desk.settings.secret()
    desk.db.run("UPDATE settings SET value = '{' WHERE key = 'split_secret'")
    with pytest.raises(Exception, match="split_secret in the desk's settings is damaged"):
        desk.pairs.add(NewPair("When?", "At nine."), "import", "ann")
    assert desk.pairs.count() == 0
    assert desk.settings.load() == Settings()
    with pytest.raises(SettingError):
        desk.settings.set("min_pairs", "many", "ann")
