"""Trying a version unseen: turned on by keys where versions stand, and its answers looked through in its report."""

from __future__ import annotations

from textual.widgets import DataTable, Input, OptionList

from store.desk import Desk
from store.words import BASE, Version
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import ready, shows, wait_until
from tui.app import DeskloopApp
from tui.core import OpenDesk, StoreChanged
from tui.screens.report import ReportScreen
from tui.screens.versions import VersionsScreen

SIZE = (100, 30)
SENT = "We open at ten, every day of the week."
CORRECTED = "We open at nine, every day of the week."


def unseen(desk: Desk, version: Version) -> None:
    """Let *version* be the shadow, with an answer of each kind."""
    desk.shadows.turn_on(version, "maria")
    for question, said in (
        ("[b]When[/b] do you open?", CORRECTED),
        ("And on Sundays?", "Never."),
        ("Really?", SENT),
        ("Who says so?", "I do."),
    ):
        turn = desk.conversations.add_customer(desk.conversations.create("maria").id, question, "maria")
        reply = desk.conversations.begin_reply(turn.id, BASE, {})
        desk.conversations.finish_reply(reply.id, SENT, "complete")
        asked = desk.shadows.next()
        assert asked is not None
        desk.shadows.keep(asked, version, said)
        if "When" in question:
            desk.judgements.correct(reply.id, CORRECTED, "maria")
        elif "Sundays" in question:
            desk.judgements.approve(reply.id, "maria")


async def test_a_key_in_the_report_of_a_held_run_lets_its_version_answer_unseen_and_stops_it(
    app: DeskloopApp, open_desk: OpenDesk
) -> None:
    scenes.judge(store_of(open_desk), "inconclusive")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("f6", "v")
        await wait_until(pilot, lambda: isinstance(app.screen, ReportScreen) and shows(app, "Answers 4"))
        assert not shows(app, "Shadow 0")
        await pilot.press("s")
        await wait_until(pilot, lambda: open_desk.shadow.version == "v3" and shows(app, "Shadow 0"))
        await pilot.press("s")
        await wait_until(pilot, lambda: open_desk.shadow.version is None)
        assert isinstance(app.screen, ReportScreen)


async def test_the_list_of_versions_says_which_answers_unseen(app: DeskloopApp, open_desk: OpenDesk) -> None:
    scenes.judge(store_of(open_desk), "inconclusive")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("f7")
        await wait_until(pilot, lambda: isinstance(app.screen, VersionsScreen))
        versions = app.screen.query_one("#version-table", DataTable)
        await wait_until(pilot, lambda: versions.has_focus and versions.cursor_row == 1)
        await pilot.press("s")  # the active one, which answers already
        await pilot.press("up")
        await wait_until(pilot, lambda: versions.cursor_row == 0)
        await pilot.press("s")
        await wait_until(pilot, lambda: open_desk.shadow.version == "v3")
        await wait_until(pilot, lambda: shows(app, "shadow"))


async def test_what_it_said_is_compared_and_it_can_be_activated_from_there(
    app: DeskloopApp, open_desk: OpenDesk
) -> None:
    scenes.judge(store_of(open_desk), "inconclusive")
    unseen(store_of(open_desk), Version("v3"))
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("f6", "v")
        await wait_until(pilot, lambda: isinstance(app.screen, ReportScreen) and shows(app, "Shadow 4"))
        await pilot.press("right")  # a held run opens with what was lost, and the shadow stands beside that
        await wait_until(pilot, lambda: shows(app, "v3 answered 4 questions unseen, 1 as the reply that was sent."))
        await wait_until(pilot, lambda: shows(app, "▲ better [b]When[/b] do you open?"))
        assert shows(app, "▼ worse  And on Sundays?")
        assert shows(app, "≠ other  Who says so?")
        await wait_until(pilot, lambda: shows(app, "base said (corrected)") and shows(app, "Wanted"))
        assert shows(app, "We open at {+nine,+}") or shows(app, "{+nine+}")
        await wait_until(pilot, lambda: isinstance(app.focused, OptionList))
        await pilot.press("down")
        await wait_until(pilot, lambda: shows(app, "base said (approved)"))
        open_desk.changes.publish(StoreChanged())
        await pilot.pause()
        await wait_until(pilot, lambda: shows(app, "base said (approved)"))  # the marked one stays marked
        await pilot.press("u")
        await wait_until(pilot, lambda: shows(app, "Use v3 anyway?") and bool(app.screen.query(Input)))
        await pilot.press(*"tried", "enter")
        await wait_until(pilot, lambda: open_desk.engine.serving == "v3")
        assert open_desk.shadow.version is None
