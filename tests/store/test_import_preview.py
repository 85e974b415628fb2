"""The preview of an import: what it tells is what the import does, and it writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from store.desk import Desk
from store.importing import ImportRefused, import_file, preview_file
from store.importing.preview import SHOWN
from store.pairs import NewPair


def talk(number: int) -> dict[str, object]:
    """A row of the conversation form."""
    said = [("customer", f"Where is order {number}?"), ("agent", "On its way."), ("customer", "Thanks!")]
    return {"conversation": number, "turns": [{"role": role, "text": text} for role, text in said]}


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_pairs_are_counted_as_the_import_counts_them_and_nothing_is_written(desk: Desk, tmp_path: Path) -> None:
    desk.pairs.add(NewPair("Known?", "Yes."), "import", "ann")
    pair = {"instruction": "New?", "output": "Yes."}
    known = {"instruction": "Known?", "output": "Yes."}
    path = lines(tmp_path / "pairs.jsonl", pair, known, pair, "{broken", {"instruction": "No answer", "output": " "})
    before = (desk.data_version(), desk.pairs.count(state="all"), sorted(desk.home.exports.iterdir()))
    found = preview_file(desk, path)
    assert before == (desk.data_version(), desk.pairs.count(state="all"), sorted(desk.home.exports.iterdir()))
    assert (found.form, found.rows, found.pairs) == ("alpaca", 5, [("New?", "Yes.")])
    assert [line for line, _ in found.reasons] == [4, 5]
    assert found.reasons[1][1] == "output is empty"
    done = import_file(desk, path, who="ann")
    assert (found.added, found.duplicates, found.rejected) == (done.added, done.duplicates, done.rejected) == (1, 2, 2)


def test_conversations_are_shown_turn_by_turn(desk: Desk, tmp_path: Path) -> None:
    import_file(desk, lines(tmp_path / "before.jsonl", talk(0)), who="ann")
    rows = [talk(number) for number in range(SHOWN + 3)]
    path = lines(tmp_path / "talks.jsonl", *rows, rows[1])
    found = preview_file(desk, path)
    assert (found.form, found.conversations, found.added, found.duplicates) == ("turns", SHOWN + 2, SHOWN + 2, 2)
    assert len(found.talks) == SHOWN
    assert found.talks[0][0] == ("customer", "Where is order 1?")
    done = import_file(desk, path, who="ann")
    assert (done.conversations, done.added, done.duplicates) == (found.conversations, found.added, found.duplicates)


def test_a_file_that_the_import_refuses_is_refused(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="can't be read"):
        preview_file(desk, tmp_path / "absent.jsonl")
    with pytest.raises(ImportRefused, match="No row of the file"):
        preview_file(desk, lines(tmp_path / "strange.jsonl", {"a": 1}))
