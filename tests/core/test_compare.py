"""Comparisons: both versions answer, the chat's customers always hear the version that is wanted."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from bot.engines.scripted import Script
from bot.types import EngineError
from store.desk import Desk
from store.pairs import NewPair
from store.versions.comparisons import Ballot, Tally
from store.words import BASE, Version
from tests.core.conftest import make_version
from tests.opened import store_of
from tests.tui.scenes import said
from tui.core import DeskError, OpenDesk
from tui.core.compare import MOST, TOGETHER, Comparison, of_conversation, of_heldout, of_question, shuffled
from tui.core.differences import differences


@pytest.fixture
def script() -> Script:
    """Engines answer with the version's name."""
    return Script(reply=lambda prompt, version: f"{version}: {prompt.message}")


async def answered(open_desk: OpenDesk, items: list[Comparison]) -> list[Comparison]:
    def heard(place: int, version: str, text: str) -> None:
        items[place] = items[place].heard(Version(version), text)

    await open_desk.comparisons.answer(items, heard)
    return items


async def test_both_answer_and_what_serves_the_chat_stays_as_it_is(open_desk: OpenDesk, script: Script) -> None:
    await open_desk.promotions.activate(make_version(store_of(open_desk)))
    make_version(store_of(open_desk))
    await open_desk.engine.start()
    questions = [of_question(f"Q{number}", (), BASE, Version("v2"))[0] for number in range(TOGETHER + 1)]
    items = await answered(open_desk, questions)
    assert all(item.complete for item in items)
    assert (items[0].left.text, items[0].right.text) == ("base: Q0", "v2: Q0")
    assert script.engines[0].made_ready == ["v1", "v2"]  # once, and beside what serves
    assert (open_desk.engine.serving, open_desk.engine.state.name, open_desk.engine.purpose) == ("v1", "ready", None)
    script.asked.clear()
    assert (await answered(open_desk, of_question("Q0", (), BASE, Version("v2"))))[0].complete
    assert script.asked == []  # known by now


async def test_an_engine_that_dies_or_a_version_that_is_unfit_leaves_the_active_version(
    open_desk: OpenDesk, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.keeper.FIRST_DELAY", 0.0)
    await open_desk.promotions.activate(make_version(store_of(open_desk)))
    make_version(store_of(open_desk))
    await open_desk.engine.start()
    script.unfit["v2"] = EngineError("probe-failed", "v2 can't.")
    with pytest.raises(EngineError, match="v2 can't"):
        await answered(open_desk, of_question("Why?", (), Version("v1"), Version("v2")))
    assert (open_desk.promotions.active, open_desk.engine.serving) == ("v1", "v1")

    async def die() -> None:
        script.engines[-1].die()

    script.before_batch = die
    with pytest.raises(EngineError, match="stopped"):
        await answered(open_desk, of_question("Why not?", (), BASE, Version("v1")))
    await open_desk.engine.wait_ready()
    assert (open_desk.engine.serving, script.engines[-1].versions) == ("v1", ["v1"])


async def test_a_cancelled_comparison_leaves_the_engine_to_others(open_desk: OpenDesk, script: Script) -> None:
    await open_desk.promotions.activate(make_version(store_of(open_desk)))
    await open_desk.engine.start()
    begun = asyncio.Event()

    async def endless() -> None:
        begun.set()
        await asyncio.Event().wait()

    script.before_batch = endless
    task = asyncio.create_task(answered(open_desk, of_question("Why?", (), BASE, Version("v1"))))
    await begun.wait()
    assert open_desk.engine.state.sentence.startswith("The model is answering for a comparison")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (open_desk.engine.serving, open_desk.engine.state.name) == ("v1", "ready")


def test_a_conversation_is_asked_again_with_its_own_history(desk: Desk) -> None:
    said(desk, "Pots", ("Which?", "Clay.", "v1", "complete"), ("Why?", "So.", "v2", "complete"))
    desk.conversations.add_customer(1, "And now?", "maria")
    first, second, third = of_conversation(desk, 1, Version("v3"))
    assert (first.left.version, first.left.text, first.history) == ("v1", "Clay.", ())
    assert (second.left.version, second.history, second.right.version) == ("v2", (("Which?", "Clay."),), "v3")
    assert (third.left.text, third.complete) == ("", False)
    with pytest.raises(DeskError, match="Nothing was said"):
        of_conversation(desk, desk.conversations.create("maria").id, Version("v3"))
    with pytest.raises(DeskError, match="no held-out pairs"):
        of_heldout(desk, BASE, Version("v1"))


def test_shuffling_keeps_answers_with_their_versions() -> None:
    items = of_question("Q", (), BASE, Version("v1")) * 50
    sides = {(item.left.version, item.right.version) for item in shuffled(items, Random(7))}
    assert sides == {("base", "v1"), ("v1", "base")}


def test_votes_are_counted_for_the_version_whichever_side_it_was_on(desk: Desk) -> None:
    for versions, vote in (
        (("v1", "v2"), "left"), (("v2", "v1"), "left"), (("v2", "v1"), "right"), (("v1", "v2"), "neither"),
        (("v1", "v3"), "left"),
    ):  # fmt: skip
        desk.comparisons.add(Ballot("Q\x1b[2J", (), versions, ("a", "b"), vote, True), "maria")  # type: ignore[arg-type]
    assert desk.comparisons.tally(Version("v1"), Version("v2")) == Tally(2, 1, 0, 1)
    assert desk.comparisons.tally(Version("v2"), Version("v1")) == Tally(1, 2, 0, 1)


def test_differences_are_by_word_and_by_character_where_there_are_no_words() -> None:
    one, other = differences("We open at ten.", "We open at nine, always.")
    assert one == [("We open at ", False), ("ten", True), (".", False)]
    assert "".join(text for text, _ in other) == "We open at nine, always."
    assert differences("订单号", "订货号")[0] == [("订", False), ("单", True), ("号", False)]
    assert differences("same", "same") == ([("same", False)], [("same", False)])
    assert differences("", "new") == ([], [("new", True)])
    assert differences("a " * 9000, "b") == ([("a " * 9000, True)], [("b", True)])


def test_a_large_set_is_thinned_out_evenly_and_brings_its_targets(desk: Desk) -> None:
    news = [NewPair(f"Q{number}", f"A{number}", split="heldout") for number in range(MOST * 3)]
    desk.pairs.add_many(news, "import", "maria")
    items = of_heldout(desk, BASE, Version("v1"))
    assert [item.question for item in items] == [f"Q{number}" for number in range(0, MOST * 3, 3)]
    assert items[1].target == "A3"
