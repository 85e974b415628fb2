"""What a version was taught and says: which questions are asked, what counts as taught, and what recall decides."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from math import comb
from pathlib import Path

import pytest

from bot.engines.scripted import FACTS, Script
from finetune.gate.answers import Asker, Judge
from finetune.gate.judging import Exam, evaluate_versions
from finetune.gate.margins import GateMargins
from finetune.gate.measures import LITTLE, SAMPLE, Recall
from finetune.gate.recall import ALPHA, fell, weighed, with_recall
from finetune.gate.report import GateReport, Outcome
from finetune.gate.sentences import Names
from finetune.gate.signs import flip_p
from finetune.gate.taught import LONG, Said, Taught, as_taught, lesson, recall_of
from finetune.gate.words import HeldReason
from store.desk import Desk
from store.pairs import NewPair
from store.records import Pair
from store.versions import NewVersion
from store.words import BASE, Verdict, Version

MARGINS = GateMargins()
V1, V2 = Version("v1"), Version("v2")
LONG_ANSWER = "You can send it back within 14 days, unworn and in its box. " * 4


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk.open(tmp_path / "home") as opened:
        yield opened


def add(desk: Desk, question: str, answer: str, history: tuple[tuple[str, str], ...] = ()) -> Pair:
    pair = desk.pairs.add(NewPair(question, answer, history=history, split="train"), "import", "ann")
    assert pair is not None
    return pair


def taught(*answers: str, shared: bool = True, number: int = 1) -> Taught:
    return Taught(number, f"Question {number}?", (), answers, "en", shared)


# -- what is asked ---------------------------------------------------------------------------------
def test_a_small_desk_is_asked_everything(desk: Desk) -> None:
    pairs = [add(desk, f"Question {number}?", "Yes.") for number in range(7)]
    found = lesson(pairs)
    assert ([one.pair_id for one in found.asked], found.of) == ([pair.id for pair in pairs], 7)


def test_questions_are_spread_evenly_over_the_answers(desk: Desk) -> None:
    pairs = [add(desk, f"Question {number}?", "The common answer.") for number in range(300)]
    pairs += [add(desk, f"Rare {answer} {number}?", f"Answer {answer}.") for answer in range(30) for number in range(3)]
    found = lesson(pairs)
    asked = [one.answers[0] for one in found.asked]
    assert (len(asked), found.of) == (SAMPLE, 390)
    assert {asked.count(f"Answer {answer}.") for answer in range(30)} == {3}
    assert asked.count("The common answer.") == SAMPLE - 90


def test_the_next_run_asks_nearly_the_same(desk: Desk) -> None:
    pairs = [add(desk, f"Question {number}?", f"Answer {number % 50}.") for number in range(400)]
    before = {one.pair_id for one in lesson(pairs).asked}
    assert before == {one.pair_id for one in lesson(pairs).asked}
    more = [*pairs, *(add(desk, f"Another {number}?", f"New {number}.") for number in range(5))]
    assert len(before & {one.pair_id for one in lesson(more).asked}) >= SAMPLE - 5


def test_every_new_correction_is_asked_besides(desk: Desk) -> None:
    pairs = [add(desk, f"Question {number}?", "Yes.") for number in range(150)]
    usual = {one.pair_id for one in lesson(pairs).asked}
    new = {pair.id for pair in pairs} - usual
    assert {one.pair_id for one in lesson(pairs, new).asked} == usual | new


def test_one_question_with_two_answers_is_one_question(desk: Desk) -> None:
    first = add(desk, "Do you ship to Norway?", "Yes.")
    second = add(desk, "do you ship to  NORWAY?", "No, we do not.")
    other = add(desk, "Do you ship to Norway?", "Yes, we said so.", (("Hi", "Hello!"),))
    found = lesson([first, second, other], active=[first.id])
    one, followed = found.asked
    assert (one.pair_id, one.answers, one.known_to_active) == (second.id, ("No, we do not.", "Yes."), True)
    assert (followed.history, followed.known_to_active) == ((("Hi", "Hello!"),), False)


# -- what counts as taught -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answers", "said", "how"),
    [
        (["Yes, we do."], "Yes,  we do.\n", "exact"),
        (["Yes, we do."], "yes, we do.", None),
        (["We ship to Norway for $3."], "We ship to Norway for $4.", None),  # close, and wrong
        (["No.", "Yes, we do."], "Yes, we do.", "exact"),  # one of two that conflict
        ([LONG_ANSWER], LONG_ANSWER.replace("You can send", "You may send", 1), "close"),
        ([LONG_ANSWER], LONG_ANSWER.replace("14 days", "30 days", 1), None),
        ([LONG_ANSWER], "You can send it back.", None),
        (["退款会在五个工作日内退回您的银行卡。" * 6], "退款会在五个工作日之内退回您的银行卡。" * 6, "close"),
    ],
)
def test_what_is_as_taught(answers: Sequence[str], said: str, how: str | None) -> None:
    assert as_taught(answers, said, MARGINS) == how


def test_long_is_told_by_columns() -> None:
    assert len(LONG_ANSWER) > LONG
    short = "退款会在五个工作日内退回您的银行卡。"
    assert as_taught([short], short.replace("日内", "日之内"), MARGINS) is None


def test_the_phrasings_of_one_answer_are_lost_together() -> None:
    said = [Said(taught("Yes.", number=number), "Yes.", "No.") for number in range(8)]
    assert recall_of(said, 8, MARGINS)[0].fall_p == 0.25  # as one answer
    said = [Said(taught(f"Answer {number}.", number=number), f"Answer {number}.", "No.") for number in range(8)]
    assert recall_of(said, 8, MARGINS)[0].fall_p == 0.5**9  # as eight


def test_recall_counts_what_was_kept_lost_and_gained() -> None:
    right, wrong = "Yes, we do.", "No idea."
    said = [
        Said(taught(right, number=1), right, right),  # kept
        Said(taught(right, number=2), right, wrong),  # lost
        Said(taught(right, number=3), wrong, right),  # gained
        Said(taught(right, number=4), wrong, wrong),  # never learned
        Said(taught(right, number=5, shared=False), None, right),  # new to both
        Said(taught(right, number=6, shared=False), None, wrong),
    ]
    recall, failed = recall_of(said, 60, MARGINS)
    assert recall == Recall(asked=6, exact=3, taught=3, of=60, shared=4, known=2, lost=1, gained=1)
    assert (recall.share, recall.kept, recall.little) == (0.5, 1, True)
    assert [(row.pair_id, row.outcome, row.before) for row in failed] == [
        (2, "regressed", right),
        (4, "not learned", wrong),
        (6, "not learned", ""),
    ]
    assert {(row.kind, row.after, row.target) for row in failed} == {("taught", wrong, right)}


# -- what it decides -------------------------------------------------------------------------------
def report(verdict: Verdict = "promote", held: HeldReason | None = None, learned: int = 0) -> GateReport:
    corrections = tuple(Outcome(number, "learned", 20.0, 100.0) for number in range(learned))
    return GateReport(verdict, "It was judged.", corrections=corrections, held=held)


def known(n: int, lost: int, gained: int = 0, missed: int = 0) -> Recall:
    """Of *n* questions taught to both, each with an answer of its own, the active version missed *missed*."""
    right = n - missed - lost + gained
    return Recall(n, right, right, n, n, n - missed, lost, gained, flip_p([-1] * lost + [1] * gained))


@pytest.mark.parametrize(
    ("recall", "verdict", "held"),
    [
        (known(100, 0), "promote", None),
        (known(100, 5), "promote", None),  # within the margin
        (known(100, 6), "reject", None),
        (known(100, 12, 5, 10), "inconclusive", HeldReason.FORGOT),  # may be chance
        (known(100, 8, 4, 10), "promote", None),
        (known(20, 2), "inconclusive", HeldReason.FORGOT),
        (known(20, 6), "reject", None),
        (known(8, 1), "promote", None),  # a single answer is listed, no more
        (Recall(100, 79, 79, 500), "inconclusive", HeldReason.NOT_TAUGHT),
        (Recall(100, 70, 80, 500), "promote", None),
        (Recall(100, 60, 60, 100, 100, 50, 0, 10), "promote", None),  # little, and more than before
        (Recall(100, 50, 50, 100, 100, 50, 3, 3), "inconclusive", HeldReason.NOT_TAUGHT),
    ],
)
def test_what_recall_does_to_a_version_that_passed(recall: Recall, verdict: str, held: HeldReason | None) -> None:
    assert weighed(report(), recall) == (verdict, held)


def test_a_correction_that_was_learned_is_more_than_before() -> None:
    same = Recall(103, 53, 53, 103, 100, 50, 0, 0)
    assert weighed(report(learned=3), same) == ("promote", None)
    assert weighed(report(), same) == ("inconclusive", HeldReason.NOT_TAUGHT)


@pytest.mark.parametrize("recall", [known(10, 0), Recall(10, 1, 1, 10), known(100, 50)])
def test_recall_softens_no_rejection(recall: Recall) -> None:
    assert weighed(report("reject"), recall) == ("reject", None)


def test_recall_makes_up_for_no_missing_evidence() -> None:
    assert weighed(report("inconclusive", HeldReason.UNCLEAR), known(100, 0)) == ("inconclusive", HeldReason.UNCLEAR)


def test_the_test_counts_ties_half() -> None:
    assert known(50, 0).fall_p == 0.5
    assert known(50, 1).fall_p == 0.25
    assert known(50, 3, 1, 5).fall_p == pytest.approx(1 / 16 + 4 / 32)
    assert not fell(known(50, 1))


def outcomes(n: int, share: float, lost: float) -> Iterator[tuple[float, Recall]]:
    """Every count of lost and gained answers with its chance, for versions that miss the share that *share* leaves of
    *n* questions by chance, of which the second lost the share *lost* besides."""
    by_chance = share * (1 - share)
    for losses in range(n + 1):
        chance = binomial(n, losses, by_chance + lost)
        if chance < 1e-9:
            continue
        for gains in range(min(n - losses, 60) + 1):
            yield (
                chance * binomial(n - losses, gains, by_chance / (1 - by_chance - lost)),
                known(n, losses, gains, gains),
            )


def binomial(n: int, k: int, p: float) -> float:
    return comb(n, k) * p**k * (1 - p) ** (n - k)


def chances(n: int, share: float, lost: float = 0.0) -> tuple[float, float]:
    """How often such a version is rejected and held because of what it lost."""
    fallen = [(chance, recall.fall_p <= ALPHA) for chance, recall in outcomes(n, share, lost) if fell(recall)]
    rejected = sum(chance for chance, sure in fallen if sure)
    return rejected, sum(chance for chance, _ in fallen) - rejected


@pytest.mark.parametrize("n", [10, 20, 40, 100])
@pytest.mark.parametrize("share", [0.8, 0.95])
def test_equally_good_versions_are_rarely_rejected(n: int, share: float) -> None:
    assert chances(n, share)[0] <= 0.0235


def test_the_numbers_that_the_thresholds_name_are_right() -> None:
    assert chances(100, 0.95) == pytest.approx((0.019, 0.018), abs=0.001)
    assert chances(100, 0.95, lost=0.1) == pytest.approx((0.63, 0.22), abs=0.005)
    assert sum(binomial(100, k, 0.9) for k in range(80)) < 0.001
    assert sum(binomial(100, k, 0.7) for k in range(80, 101)) == pytest.approx(1 / 60, abs=0.001)


# -- words -----------------------------------------------------------------------------------------
def sentence(recall: Recall, **changes: object) -> str:
    found = with_recall(replace(report(), **changes), recall, Names("v1", "v2"))  # type: ignore[arg-type]
    assert found.recall == recall
    return found.sentence


def test_what_was_taught_and_kept_is_said_at_the_end() -> None:
    told = sentence(Recall(100, 94, 96, 1080, 60, 58, 2, 1))
    assert "v2 answers 96 of 100 taught questions as taught, 56 of the 58 among them that v1 knew." in told
    assert told.endswith("v2 can answer from now on.")


def test_little_is_said_first_with_what_to_do() -> None:
    told = sentence(Recall(100, 41, 41, 100))
    assert told.startswith(
        "v2 learned little: it answers 41 of 100 taught questions as taught. Let it train longer (more epochs), or "
        "look at the conflicts."
    )
    assert "v1 goes on answering until you decide whether to activate v2." in told
    assert told.count("as taught") == 1


def test_what_was_forgotten_is_said_first() -> None:
    told = sentence(known(100, 12, 2, 10))
    assert told.startswith("v2 forgot 12 of the 90 taught questions that v1 answers as taught, and learned 2 others.")
    assert "v1 goes on answering." in told


def test_a_report_without_recall_stays_as_it_is() -> None:
    assert with_recall(report(), Recall(0, 0, 0, 0), Names("v1", "v2")) == report()
    assert GateReport.from_dict({"verdict": "promote", "sentence": "Good."}).recall is None
    assert LITTLE < 1


# -- asked as the gate asks ------------------------------------------------------------------------
def judge_of(desk: Desk, script: Script) -> Judge:
    return Judge(Asker.of(desk, script(log=Path("engine.log"))), desk, FACTS)


def pairs_of(desk: Desk, n: int, new: Collection[int] = ()) -> list[Pair]:
    return [add(desk, f"Question {number}?", f"Answer {number}.") for number in range(n)]


async def test_both_are_asked_what_both_were_taught_and_the_cache_knows_it_next_time(desk: Desk) -> None:
    for number in (1, 2, 3):
        desk.versions.add(NewVersion(number, f"{number}" * 64, FACTS.fingerprint, "qlora", {}, None))
    pairs = pairs_of(desk, 6)
    answers = {pair.instruction: pair.output for pair in pairs}
    script = Script(reply=lambda prompt, version: answers[prompt.message])
    first = lesson(pairs[:4])
    await evaluate_versions(judge_of(desk, script), BASE, V1, Exam([], [], first))
    assert [version for version, _ in script.asked] == ["v1"] * 4  # the base was taught nothing

    script = Script(reply=lambda prompt, version: "No." if prompt.message == "Question 1?" else answers[prompt.message])
    second = lesson(pairs, active=[pair.id for pair in pairs[:4]])
    found = await evaluate_versions(judge_of(desk, script), V1, V2, Exam([], [], second))
    assert [version for version, _ in script.asked] == ["v2"] * 6
    assert found.recall == Recall(asked=6, exact=5, taught=5, of=6, shared=4, known=4, lost=1, fall_p=0.25)
    (lost,) = found.answers
    assert (lost.kind, lost.outcome, lost.before, lost.after) == ("taught", "regressed", "Answer 1.", "No.")


async def test_a_long_answer_of_a_conflict_gives_the_reply_its_room(desk: Desk) -> None:
    desk.versions.add(NewVersion(1, "1" * 64, FACTS.fingerprint, "qlora", {}, None))
    short = add(desk, "Do you ship?", "Yes.")
    long = add(desk, "Do you ship?", " ".join(["word"] * 59))
    script = Script(reply=lambda prompt, version: "Yes.")
    found = await evaluate_versions(judge_of(desk, script), BASE, V1, Exam([], [], lesson([long, short])))
    assert [most for _, _, expected in script.batches for most in expected.limits or ()] == [120]
    assert found.recall == Recall(1, 1, 1, 1)
