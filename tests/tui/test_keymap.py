"""Other keys: which can be, and that bar, help and palette tell them."""

from __future__ import annotations

import ast
import asyncio
import re

import pytest

from bot.engines.scripted import Script
from store.settings import SettingError
from tests.conftest import ROOT
from tests.tui import places
from tests.tui.helpers import ready, shows, told, wait_until
from tui.app import DeskloopApp
from tui.core import OpenDesk
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
    app.desk.settings.change("keys", '"desk.settings" = "f12"\n"desk.retrain" = "f11"')
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
        app.desk.home.settings_file.write_text(text, encoding="utf-8")

    async with app.run_test(size=(120, 40)) as pilot:
        await ready(app, pilot)
        put('theme = "deskloop-high-contrast"\n[keys]\ndesk.retrain = "f12"\ncomposer.send = "ctrl+s"\n')
        await wait_until(pilot, lambda: shows(app, "F12 Retrain") and app.theme == "deskloop-high-contrast")
        assert shows(app, "Ctrl+S sends.")
        assert shows(app, "F12 teaches the bot")
        put('[keys]\ndesk.retrain = "f2"\n')
        await wait_until(pilot, lambda: told(app, "line 2: keys.desk.retrain would share f2 with desk.correct"))
        assert shows(app, "F12 Retrain")


OTHERS = {
    "composer.send": "ctrl+s", "desk.stop": "f12", "desk.mark-up": "alt+u", "dialog.dismiss_dialog": "f12",
    "preflight.conflicts": "z", "preflight.personal": "y", "pairs.search": "y", "pairs.filter_pairs": "g",
    "pairs.redact_pairs": "z", "pairs.clear_pairs": "w", "pairs.restore_pairs": "v", "pair_story.open": "z",
    "runs.diff": "z", "conflicts.keep_answer": "z",
    "details.who_taught": "z", "bisect.compare_gradients": "y",
}  # fmt: skip
LISTED = ("ctrl+b", "?G Filter")


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        ((), "Write as the customer would. Ctrl+S sends."),
        (("ctrl+n",), "Write as a customer would and press Ctrl+S."),
        (("ctrl+r",), "Edit this copy. Ctrl+S sends it"),
        (("ctrl+n", "?Nothing has been said yet", "ctrl+d"), "Mark one with Alt+U"),
        (("ctrl+d",), "Who taught it (Z)"),
        (("alt+t",), "By words. Y compares gradients"),
        (("f2",), "Cancel (F12)"),
        (("f5",), "2 open: Z settles them"),
        (("f5",), ": Y looks at them"),
        (LISTED, "Words in question or answer ( Y )"),
        (LISTED, "Z redacts it, W lets it train"),
        ((*LISTED, "y", *"qqqq"), "No pair matches. G changes the filter, Y the words."),
        ((*LISTED, "x"), "V brings it back"),
        ((*LISTED, "e"), "Cancel (F12)"),
        ((*LISTED, "y", *"stand", "enter", "end", "s"), "Open the conversation (Z)"),
        (("f6", "?V Report", "slash"), "F12 leaves"),
        (("ctrl+g", "?Z Recipes", "space"), "is marked; Z on another"),
    ],
)
async def test_every_screen_names_the_keys_in_force(
    app: DeskloopApp, open_desk: OpenDesk, steps: tuple[str, ...], sentence: str
) -> None:
    places.furnish(open_desk)
    open_desk.settings.change("keys", "\n".join(f'"{name}" = "{key}"' for name, key in OTHERS.items()))
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(app, pilot)
        await places.go(app, pilot, places.Place(None, steps, ""))
        await wait_until(pilot, lambda: shows(app, sentence) or told(app, sentence), sentence)


async def test_a_reply_that_is_waited_for_says_how_to_stop_it(app: DeskloopApp, engines: Script) -> None:
    app.desk.settings.change("keys", '"desk.stop" = "f12"')
    engines.gate = asyncio.Semaphore(1)
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(app, pilot)
        await pilot.press("a", "enter")
        await wait_until(pilot, lambda: app.chat.talk.current is not None)
        await pilot.press("b", "enter")
        await wait_until(pilot, lambda: told(app, "stop it with F12."))
        await pilot.press("f12")
        await wait_until(pilot, lambda: app.chat.talk.current is None)


async def test_sentences_name_the_keys_in_force(app: DeskloopApp) -> None:
    app.desk.settings.change("keys", '"desk.correct" = "f12"\n"desk.retrain" = "f11"')
    async with app.run_test(size=(120, 40)) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: shows(app, "correct the reply (F12) or approve it (F3). F11 teaches"))
        await pilot.press("f10")
        await wait_until(pilot, lambda: shows(app, "learns corrections at the next F11"))


def test_no_sentence_names_a_key_by_itself() -> None:
    """Keys can be others: a sentence writes ``{desk.retrain}``, not F5. (Not so Ctrl+P, nor Enter and arrows in
    textual's own fields.)"""
    named = re.compile(
        r"\b(F[1-9]\d?|Esc|Ctrl\+(?!P\b)\w+|Alt\+\w+)\b"
        r"|Enter sends|press Enter"
        r"|(?<![\w\\-])[B-HJ-Z] [a-z]"  # "D redacts it"
        r"|\( ?[A-Z/] ?\)"
    )
    about_keys = ("keys_table.py", "keymap.py")
    keys = ROOT / "tui" / "keys"
    sources = [path for path in (ROOT / "tui").rglob("*.py") if path.name not in about_keys and path.parent != keys]
    for path in sources:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
                found = named.search(node.value)
                assert found is None, f"{path.name}: {node.value}"
