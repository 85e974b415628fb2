"""A shadow answers what was answered, unseen, behind everybody else; and what it said is compared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.engines.scripted import Script
from bot.types import EngineError
from store.conversations.shadows import ShadowAnswer
from store.runs.lock import RunLock
from store.words import BASE, Version
from tests.core.conftest import make_version
from tests.opened import store_of
from tui.core import DeskChange, DeskError, Notice, OpenDesk
from tui.core.adapters import overview
from tui.core.shadow_report import Difference, ShadowReport

V1 = Version("v1")
DAMAGED = EngineError("probe-failed", "Its answers are not those it was published with.")


async def say(open_desk: OpenDesk, message: str) -> int:
    """One exchange in a conversation of its own; returns the reply."""
    number, events = open_desk.chat.begin(message)
    async for _ in events:
        pass
    return store_of(open_desk).conversations.turns(number)[-1].id


async def until(holds: Callable[[], bool]) -> None:
    """Wait for something that the desk does in the background."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  (there is no event for what nobody sees)
            await asyncio.sleep(0.01)


def said(open_desk: OpenDesk) -> list[str]:
    return [answer.said for answer in store_of(open_desk).shadows.answers(V1)]


@pytest.fixture
async def desk(open_desk: OpenDesk, script: Script, monkeypatch: pytest.MonkeyPatch) -> OpenDesk:
    """A desk whose engine says who answers, with a held version that is the shadow."""
    monkeypatch.setattr("tui.core.watching.CHECK_EVERY", 0.01)
    script.deltas = None
    make_version(store_of(open_desk), "inconclusive")
    await open_desk.engine.start()
    open_desk.shadow.turn_on(V1)
    return open_desk


async def test_each_question_is_answered_by_the_shadow_too_and_nothing_of_it_is_seen(
    desk: OpenDesk, script: Script
) -> None:
    desk.watch()
    reply = await say(desk, "When do you open?")
    await until(lambda: said(desk) != [])
    (answer,) = store_of(desk).shadows.answers(V1)
    assert (answer.reply, answer.question, answer.sent_by) == (reply, "When do you open?", BASE)
    assert (answer.sent, answer.said) == ("base says: When do you open?", "v1 says: When do you open?")
    assert [turn.text for turn in store_of(desk).conversations.turns(1)][1:] == ["base says: When do you open?"]
    decoding, prompts, _ = script.batches[-1]
    assert (decoding.do_sample, len(prompts)) == (False, 1)
    assert script.asked[0][1] == script.asked[1][1]  # the same prompt
    assert desk.engine.state.name == "ready"


async def test_what_was_not_answered_yet_is_answered_after_a_restart(desk: OpenDesk) -> None:
    for number in range(3):
        await say(desk, f"Question {number}?")
    assert said(desk) == []  # nobody watches
    desk.watch()
    await until(lambda: len(said(desk)) == 3)
    assert said(desk) == [f"v1 says: Question {number}?" for number in (2, 1, 0)]


async def test_turned_off_it_is_dropped_from_the_engine(desk: OpenDesk, script: Script) -> None:
    desk.watch()
    await say(desk, "Hello?")
    await until(lambda: said(desk) != [])
    assert script.engines[0].versions == ["v1"]
    desk.shadow.turn_off()
    await until(lambda: script.engines[0].versions == [])
    await say(desk, "Once more?")
    assert len(said(desk)) == 1


async def test_a_shadow_that_is_activated_ends_and_goes_on_serving(desk: OpenDesk, script: Script) -> None:
    desk.watch()
    await say(desk, "Hello?")
    await until(lambda: said(desk) != [])
    await desk.promotions.activate(V1)
    assert desk.shadow.version is None
    await asyncio.sleep(0.05)
    assert (script.engines[0].versions, desk.engine.serving) == (["v1"], "v1")


async def test_a_version_that_fails_is_the_shadow_no_more_and_it_is_said(
    desk: OpenDesk, script: Script, told: list[DeskChange]
) -> None:
    script.unfit["v1"] = DAMAGED
    desk.watch()
    await say(desk, "Hello?")
    await until(lambda: desk.shadow.version is None)
    await until(lambda: any(isinstance(change, Notice) for change in told))
    notices = [change.sentence for change in told if isinstance(change, Notice)]
    assert notices == [f"v1 failed, so it answers nothing unseen any more: {DAMAGED.sentence}"]
    assert store_of(desk).shadows.ended_because() == DAMAGED.sentence
    assert desk.engine.state.name == "ready"


async def test_it_waits_while_a_run_is_live_and_while_the_engine_is_busy(desk: OpenDesk, script: Script) -> None:
    await say(desk, "Hello?")
    run = store_of(desk).runs.create({}, BASE, "tester").id
    lock = RunLock(desk.home)
    assert lock.acquire()  # as its process would
    async with desk.engine.turn():
        desk.watch()
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.05)
    assert said(desk) == []
    store_of(desk).runs.transition(run, "cancelled")
    lock.release()
    await until(lambda: len(said(desk)) == 1)


async def test_an_engine_that_dies_under_it_comes_back_and_the_question_is_answered(
    desk: OpenDesk, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.keeper.FIRST_DELAY", 0)
    await say(desk, "Hello?")
    asked = asyncio.Event()

    async def die() -> None:
        if not asked.is_set():
            asked.set()
            script.engines[0].die()

    script.before_batch = die
    desk.watch()
    await until(lambda: said(desk) == ["v1 says: Hello?"])
    assert (len(script.engines), desk.shadow.version) == (2, "v1")


async def test_what_can_not_be_a_shadow_is_refused_with_the_reason(desk: OpenDesk) -> None:
    store = store_of(desk)
    other = make_version(store, base_fingerprint="e" * 64)
    for version, why in (
        (BASE, "not the bare base"),
        (Version("v9"), "There is no version v9"),
        (other, "another base"),
    ):
        with pytest.raises(DeskError, match=why):
            desk.shadow.turn_on(version)
    assert desk.shadow.version == "v1"
    assert [row.standing for row in overview(store)] == ["", "inconclusive, shadow", "other base"]
    await desk.promotions.activate(V1)
    with pytest.raises(DeskError, match="answers already"):
        desk.shadow.turn_on(V1)


# -- the report -------------------------------------------------------------------------------------
async def test_the_report_puts_what_was_corrected_first_and_what_was_approved_second(desk: OpenDesk) -> None:
    store = store_of(desk)
    sent = "We open at ten in the morning."
    answers = {
        "corrected": "We open at nine in the morning.",
        "corrected otherwise": "We are closed on Mondays.",
        "approved": "No idea.",
        "approved and same": sent,
        "not judged": "Perhaps.",
    }
    for question, said_unseen in answers.items():
        turn = store.conversations.add_customer(store.conversations.create("tester").id, question, "tester")
        reply = store.conversations.begin_reply(turn.id, BASE, {})
        store.conversations.finish_reply(reply.id, sent, "complete")
        asked = store.shadows.next()
        assert asked is not None
        store.shadows.keep(asked, V1, said_unseen)
        if question.startswith("corrected"):
            store.judgements.correct(reply.id, "We open at nine in the morning.", "tester")
        elif question.startswith("approved"):
            store.judgements.approve(reply.id, "tester")
    report = await desk.shadow.report(V1)
    assert [(one.kind, one.answer.question) for one in report.differences] == [
        ("better", "corrected"),
        ("worse", "approved"),
        ("other", "not judged"),
        ("other", "corrected otherwise"),
    ]
    assert (report.answered, report.same, report.on, report.p) == (5, 1, True, None)
    assert report.sentence == (
        "v1 answered 5 questions unseen, 1 as the reply that was sent. It says your correction in 1 and differs from "
        "an approved reply in 1: too few to tell, 6 are needed."
    )
    assert report.to_dict()["differences"][0]["correction"] == "We open at nine in the morning."
    with pytest.raises(DeskError, match="no version v9"):
        await desk.shadow.report(Version("v9"))


def report_of(better: int, worse: int) -> ShadowReport:
    answer = ShadowAnswer(1, "?", "a", BASE, None, None, "b", "now")
    differences = [Difference("better", answer)] * better + [Difference("worse", answer)] * worse
    return ShadowReport(V1, True, 20, 0, tuple(differences))


@pytest.mark.parametrize(
    ("better", "worse", "p", "words"),
    [
        (6, 0, 2 / 64, "better than what was sent (p 0.031)"),
        (0, 8, 2 / 256, "worse than what was sent (p 0.008)"),
        (5, 2, 2 * 29 / 128, "that can be chance (p 0.45)"),
        (3, 3, 1.0, "that can be chance (p 1.00)"),
        (5, 0, None, "too few to tell"),
    ],
)
def test_a_sign_test_says_whether_it_may_be_chance(better: int, worse: int, p: float | None, words: str) -> None:
    report = report_of(better, worse)
    assert report.p == p
    assert words in report.sentence


def test_a_shadow_that_has_said_nothing_says_when_it_will() -> None:
    assert "while an app is open" in ShadowReport(V1, True, 0, 0, ()).sentence
    assert "it is off" in ShadowReport(V1, False, 0, 0, ()).sentence
