"""The report on a run: opened by keys, looked through, overridden with a reason."""

from __future__ import annotations

import pytest
from textual.widgets import Input, OptionList, TabbedContent

from finetune.gate.words import Decision
from store.words import Verdict
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import ready, shows, wait_until
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.screens.report import ReportScreen

SIZE = (100, 30)


async def test_the_answers_that_changed_most_come_first_and_can_be_filtered(
    app: DeskloopApp, open_desk: OpenDesk
) -> None:
    scenes.judge(store_of(open_desk), "reject")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("f6", "v")
        await wait_until(pilot, lambda: isinstance(app.screen, ReportScreen) and shows(app, "Answers 4"))
        assert shows(app, "v3 is worse than v2: English, BLEU 40.2 against 63.9")
        assert shows(app, "on 54 held-out pairs")
        await pilot.press("left")
        await wait_until(pilot, lambda: shows(app, "Shown: all · [changed] · worse · better — 3 of 4"))
        assert shows(app, "[-告诉-]") is False
        await wait_until(pilot, lambda: shows(app, "请告诉我{+们地址+}。"))  # the worst
        await pilot.press("down", "down")
        await wait_until(pilot, lambda: shows(app, "We open at [-ten-]."))
        assert shows(app, "We open at {+nine+}.")
        await pilot.press("f")
        await wait_until(pilot, lambda: shows(app, "[worse] · better — 2 of 4"))
        await pilot.press("f")
        await wait_until(pilot, lambda: shows(app, "[better] — 1 of 4"))
        await pilot.press("f")
        await wait_until(pilot, lambda: shows(app, "Shown: [all]"))


async def test_each_correction_says_what_became_of_it(app: DeskloopApp, open_desk: OpenDesk) -> None:
    scenes.judge(store_of(open_desk), "reject")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("f7", "v")  # of the version that is marked: the active one, whose run judged nothing
        await wait_until(pilot, lambda: isinstance(app.screen, ReportScreen) and shows(app, "Corrections 0"))
        await pilot.press("escape", "up", "v")
        await wait_until(pilot, lambda: shows(app, "Corrections 3"))
        await pilot.press("right")
        await wait_until(pilot, lambda: shows(app, "▼ regressed"))
        assert shows(app, "✓ learned")
        assert shows(app, "✗ not learned")
        await wait_until(pilot, lambda: shows(app, "v3 says (regressed, chrF"))


async def test_what_was_taught_and_is_not_said_is_listed_lost_answers_first(
    app: DeskloopApp, open_desk: OpenDesk
) -> None:
    scenes.judge(store_of(open_desk), "reject")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("f6", "v")
        await wait_until(pilot, lambda: shows(app, "Recall: 40 of 43 taught questions as taught"))
        assert shows(app, "39 word for word; 37 of the 38 that the version before knew")
        await wait_until(pilot, lambda: shows(app, "Taught 40/43"))
        while app.screen.query_one(TabbedContent).active != "taught":
            await pilot.press("right")
        await wait_until(pilot, lambda: shows(app, "v2 said (chrF 100.0)"))  # knew it
        listed = app.screen.query_one("#judged-taught OptionList", OptionList)
        told = [str(listed.get_option_at_index(place).prompt)[:13].strip() for place in range(listed.option_count)]
        assert told == ["▼ regressed", "✗ not learned", "✗ not learned"]
        await pilot.press("down", "down")
        await wait_until(pilot, lambda: shows(app, "Wrap it in [fleece].") and not shows(app, "v2 said"))


async def test_a_report_from_before_recall_was_asked_has_no_such_tab(app: DeskloopApp, open_desk: OpenDesk) -> None:
    desk = store_of(open_desk)
    run = desk.runs.get(scenes.judge(desk, "reject"))
    assert run.report is not None
    older = {name: value for name, value in run.report.items() if name != "recall"}
    desk.runs.save_report(run.id, "reject", older)
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("f6", "v")
        await wait_until(pilot, lambda: shows(app, "Answers 0"))
        assert not shows(app, "Taught")
        await pilot.press("right", "right")
        await wait_until(pilot, lambda: app.screen.query_one(TabbedContent).active == "answers")


async def test_a_rejected_version_is_used_all_the_same_with_a_reason(app: DeskloopApp, open_desk: OpenDesk) -> None:
    scenes.judge(store_of(open_desk), "reject")
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("f6", "v")
        await wait_until(pilot, lambda: shows(app, "U Use it anyway"))
        await pilot.press("u")
        await wait_until(pilot, lambda: shows(app, "Your reason is saved in the log") and bool(app.screen.query(Input)))
        await pilot.press(*"spring", "enter")
        await wait_until(pilot, lambda: open_desk.engine.serving == "v3")
        last = store_of(open_desk).promotions.list()[-1]
        assert (last.version, last.kind, last.reason) == ("v3", "forced", "spring")


@pytest.mark.parametrize(
    ("verdict", "decision", "why"),
    [
        ("promote", "pass", "another version was activated in the meantime"),
        ("inconclusive", "pass", "it did not learn what it was trained for"),
        ("inconclusive", "unclear", "it may be worse"),
        ("inconclusive", "too few", "there is not enough to judge by"),
    ],
)
async def test_a_held_version_is_said_to_be_for_its_own_reason(
    app: DeskloopApp, open_desk: OpenDesk, verdict: Verdict, decision: Decision, why: str
) -> None:
    scenes.judge(store_of(open_desk), verdict, decision)
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("f6", "v")
        await wait_until(pilot, lambda: shows(app, f"Run 3: v3 is held: {why}"))
        await pilot.press("u")
        await wait_until(pilot, lambda: shows(app, f"It is held: {why}."))


async def test_the_base_has_no_report(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=SIZE) as pilot:
        await ready(app, pilot)
        await pilot.press("f7", "v")
        await wait_until(pilot, lambda: any("not made by a retraining" in note.message for note in app._notifications))
