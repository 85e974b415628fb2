"""Importing in the app: a table whose columns nobody knows, and HTML."""

from __future__ import annotations

import json
from pathlib import Path

from textual.widgets import Button, Input, Select

from tests.opened import store_of
from tests.tui.helpers import ready, shows, wait_until
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.screens.import_columns import problem_with


async def test_the_columns_of_a_table_are_named_with_its_first_rows_in_view(
    app: DeskloopApp, open_desk: OpenDesk, tmp_path: Path
) -> None:
    before = store_of(open_desk).pairs.count()
    path = tmp_path / "table.csv"
    path.write_text("wen;was\n[b]Wo ist es?[/b];Hier.\n", encoding="utf-8")
    async with app.run_test(size=(100, 40)) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+o")
        await wait_until(pilot, lambda: shows(app, "Path of the file"))
        app.screen.query_one(Input).value = str(path)
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(app, "wen: [b]Wo ist es?[/b]"))
        app.screen.query_one("#use", Button).press()
        await wait_until(pilot, lambda: shows(app, "Choose a column for the question"))
        app.screen.query_one("#column-instruction", Select).value = "wen"
        app.screen.query_one("#column-output", Select).value = "was"
        app.screen.query_one("#use", Button).press()
        await wait_until(pilot, lambda: shows(app, "1 pair will be added"))
        assert store_of(open_desk).pairs.count() == before
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(app, "Added: 1 pair."))
        newest = store_of(open_desk).pairs.list()[-1]
        assert (newest.instruction, newest.output) == ("[b]Wo ist es?[/b]", "Hier.")


async def test_html_is_told_and_offered_as_plain_text(app: DeskloopApp, open_desk: OpenDesk, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps({"question": "When?", "answer": "<p>At <b>nine</b>.</p>"}), encoding="utf-8")
    async with app.run_test(size=(100, 40)) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+o")
        await wait_until(pilot, lambda: shows(app, "Path of the file"))
        app.screen.query_one(Input).value = str(path)
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(app, "1 rows contain HTML"))
        app.screen.query_one("#plain", Button).press()
        await wait_until(pilot, lambda: shows(app, "imported as plain text"))
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(app, "Added: 1 pair."))
        assert store_of(open_desk).pairs.list()[-1].output == "At nine."


def test_what_is_wrong_with_a_choice_of_columns_is_a_sentence() -> None:
    assert problem_with({"instruction": "a", "output": "b"}) == ""
    assert problem_with({"conversation": "a", "role": "b", "text": "c"}) == ""
    assert "can't be two things" in problem_with({"instruction": "a", "output": "a"})
    assert "Choose a column" in problem_with({"instruction": "a", "role": "b"})
