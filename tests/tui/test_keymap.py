"""Other keys: which can be, and that bar, help and palette tell them."""

from __future__ import annotations

import ast
import re

import pytest

from store.settings import SettingError
from tests.conftest import ROOT
from tests.tui.helpers import ready, shows, told, wait_until
from tui.app import DeskloopApp
from tui.keymap import check, keymap
from tui.keys_table import FILE, table


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"desk.fly": "f12"}, "is no action"),
        ({"desk.correct": "f3"}, "would share f3 with desk.approve"),
        ({"composer.send": "ctrl+f"}, "would share ctrl+f with desk.search"),
        ({"app.help": "f2"}, "would share f2 with"),
        ({"desk.correct": "f12", "desk.approve": "F12"}, "would share f12 with"),
        ({"desk.correct": "a"}, "taken from what is written"),
        ({"desk.correct": "f99"}, "'f99' is none"),
        ({"desk.correct": "hyper+"}, "is none"),
        ({"desk.correct": "f12,"}, "is none"),
        ({"desk.correct": "ctrl+m"}, "terminals send it as Enter"),
        ({"desk.correct": "ctrl+p"}, "that is for the command palette"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(changes: dict[str, str], why: str) -> None:
    with pytest.raises(SettingError) as refused:
        check(changes)
    assert why in refused.value.reason
    assert refused.value.path[0] == "keys"


@pytest.mark.parametrize(
    "changes",
    [{}, {"desk.correct": "f3", "desk.approve": "f2"}, {"versions.activate": "z"}, {"composer.send": "ctrl+s, F12"}],
)
def test_what_can_be_is_taken(changes: dict[str, str]) -> None:
    check(changes)


def test_an_action_that_shared_its_key_keeps_it() -> None:
    assert keymap({"desk.stop": "ctrl+x"}) == {"desk.stop": "ctrl+x", "desk.write": "escape"}


def test_the_page_of_keys_is_fresh() -> None:
    assert FILE.read_text(encoding="utf-8") == table(), "run `python -m tui.keys_table`"


async def test_bar_help_and_palette_tell_the_keys_of_the_settings(app: DeskloopApp) -> None:
    app.service.change_setting("keys", '"desk.settings" = "f12"\n"desk.retrain" = "f11"')
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: shows(app, "F11 Retrain"))
        await pilot.press("f12")
        await wait_until(pilot, lambda: shows(app, "Settings — a value"))
        await pilot.press("escape", "f1")
        await wait_until(pilot, lambda: shows(app, "F11 Teach the bot"))
        await pilot.press("escape", "f9")
        await pilot.press("ctrl+p", *"retrain")
        await wait_until(pilot, lambda: shows(app, "F11: Teach the bot"))


async def test_keys_of_the_file_are_in_force_while_the_app_runs(app: DeskloopApp) -> None:
    def put(text: str) -> None:
        app.service.home.settings_file.write_text(text, encoding="utf-8")

    async with app.run_test(size=(120, 40)) as pilot:
        await ready(app, pilot)
        put('theme = "deskloop-high-contrast"\n[keys]\ndesk.retrain = "f12"\n')
        await wait_until(pilot, lambda: shows(app, "F12 Retrain") and app.theme == "deskloop-high-contrast")
        put('[keys]\ndesk.retrain = "f2"\n')
        await wait_until(pilot, lambda: told(app, "line 2: keys.desk.retrain would share f2 with desk.correct"))
        assert shows(app, "F12 Retrain")


async def test_sentences_name_the_keys_in_force(app: DeskloopApp) -> None:
    app.service.change_setting("keys", '"desk.correct" = "f12"\n"desk.retrain" = "f11"')
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: shows(app, "correct the reply (F12) or approve it (F3); F11 teaches"))
        await pilot.press("f10")
        await wait_until(pilot, lambda: shows(app, "trains at the next F11"))


def test_no_sentence_names_a_key_by_itself() -> None:
    """Keys can be others: a sentence writes ``{desk.retrain}``, not F5. (Ctrl+P can't be changed.)"""
    named = re.compile(r"\b(Esc|F[1-9]\d?|Ctrl\+(?!P\b)\w+|Alt\+\w+)\b|(?<![\w-])[B-HJ-Z] [a-z]")  # "D redacts it"
    sources = [
        path for path in (ROOT / "tui").rglob("*.py") if path.name not in ("keys.py", "keymap.py", "keys_table.py")
    ]
    for path in sources:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
                found = named.search(node.value)
                assert found is None, f"{path.name}: {node.value}"
