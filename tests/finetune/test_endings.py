"""What a run came to is said in one place: a sentence, its numbers, and what can be done next."""

from __future__ import annotations

import pytest

from finetune.endings import Way, ending_of, ending_told
from finetune.events import Done
from finetune.gate.measures import Recall
from finetune.gate.report import GateReport, Sides
from finetune.gate.words import HeldReason
from store.desk import Desk
from store.words import BASE, RunState, Version

V1 = Version("v1")


def ended(desk: Desk, state: RunState, **failure: str) -> int:
    run = desk.runs.create({"r": 4}, BASE, "ann").id
    desk.runs.transition(run, "training")
    if state in ("promoted", "held", "rejected"):
        desk.runs.transition(run, "evaluating", candidate=Version("v1"))
    if failure:
        desk.runs.transition(run, state, failure=failure)
    else:
        desk.runs.transition(run, state)
    return run


@pytest.mark.parametrize(
    ("state", "says", "ways"),
    [
        ("promoted", "v1 passed the check and answers now.", ()),
        ("held", "v1 is held: there is not enough to judge by.", ("activate",)),
        ("rejected", "v1 was rejected; the current version goes on answering.", ("activate",)),
        ("cancelled", "The retraining was cancelled; nothing changed.", ()),
        ("interrupted", "The retraining was interrupted; nothing was lost.", ("resume", "discard")),
        ("failed", "The retraining failed; nothing changed.", ("resume", "discard")),
    ],
)
def test_every_end_has_its_words_and_its_ways_on(desk: Desk, state: RunState, says: str, ways: tuple[Way, ...]) -> None:
    ending = ending_of(desk.runs.get(ended(desk, state)))
    assert (ending.sentence, ending.ways, ending.numbers) == (says, ways, "")
    told = ending_told(Done(state, version=V1), GateReport("inconclusive", "", held=HeldReason.TOO_LITTLE))
    assert told.sentence == says


def test_what_it_failed_of_is_said_with_where_to_look(desk: Desk) -> None:
    run = ended(desk, "failed", kind="diverged", sentence="Training diverged.", log="/run.log")
    ending = ending_of(desk.runs.get(run))
    assert ending.failure is not None
    assert (ending.failure.sentence, ending.failure.log) == ("Training diverged.", "/run.log")
    assert ending.ways == ("discard",)  # it would diverge again


def test_a_damaged_failure_is_one_all_the_same(desk: Desk) -> None:
    run = ended(desk, "failed", log="/run.log")
    ending = ending_of(desk.runs.get(run))
    assert ending.failure is not None
    assert ending.failure.sentence == "The retraining failed."


def test_what_passed_and_is_held_was_overtaken(desk: Desk) -> None:
    run = ended(desk, "held")
    report = GateReport("promote", "v1 is not worse.", bleu=Sides(1.0, 2.0))
    desk.runs.save_report(run, "promote", report.to_dict())
    ending = ending_of(desk.runs.get(run))
    assert ending.sentence == "v1 is held: another version was activated in the meantime."
    assert ending.numbers == "BLEU 1.0 -> 2.0."
    assert ending.held is HeldReason.OVERTAKEN


LITTLE = Recall(asked=100, exact=41, taught=41, of=100)


@pytest.mark.parametrize(
    ("state", "held", "says"),
    [
        ("held", "not-taught", "v1 is held: it learned little and answers 41 of 100 taught questions as taught."),
        (
            "promoted",
            None,
            "v1 learned little: it answers 41 of 100 taught questions as taught. v1 passed the check and answers now.",
        ),
    ],
)
def test_that_little_was_learned_is_said_first(desk: Desk, state: RunState, held: str | None, says: str) -> None:
    run = ended(desk, state)
    report = GateReport("inconclusive", "So it is.", held=HeldReason(held) if held else None, recall=LITTLE)
    desk.runs.save_report(run, report.verdict, report.to_dict())
    ending = ending_of(desk.runs.get(run))
    assert (ending.sentence, ending.numbers) == (says, "Recall 41 of 100.")
    assert ending_told(Done(state, version=V1), report).sentence == says


def test_what_a_run_failed_of_before_it_was_resumed_is_no_failure_of_its_end(desk: Desk) -> None:
    run = ended(desk, "failed", kind="disk-full", sentence="The disk is full.", log="/run.log")
    for state in ("queued", "training", "evaluating", "promoted"):
        desk.runs.transition(run, state)
    ending = ending_of(desk.runs.get(run))
    assert (ending.state, ending.failure) == ("promoted", None)
