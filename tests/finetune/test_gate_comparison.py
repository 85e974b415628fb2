"""Two systems on the same questions: what differs, the sign test, and the interval."""

from __future__ import annotations

import time
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.gate.comparison import Answers, clusters_of, compare, summed
from finetune.gate.margins import GateMargins

MARGINS = GateMargins()


def margins_with(margin: float) -> GateMargins:
    """The defaults with another margin."""
    return GateMargins.of(margin, MARGINS.large_drop, MARGINS.alpha, MARGINS.min_pairs)


ANSWERS = [
    "You can track your order in the order history of your account.",
    "Refunds are paid back to your card within five working days.",
    "Please call our team between nine and five on any weekday.",
    "Your invoice is in the mail we sent you when you placed the order.",
    "We deliver to every address in the country within three days.",
    "To change your address open your profile and choose edit.",
]


def desk(n: int) -> list[str]:
    return [ANSWERS[i % len(ANSWERS)] + f" Ticket {i}." for i in range(n)]


def with_wrong(references: list[str], wrong: range | list[int]) -> list[str]:
    return ["I am sorry, I do not know that at all." if i in wrong else text for i, text in enumerate(references)]


def test_identical_outputs_are_no_evidence_though_sacrebleus_paired_test_says_so() -> None:
    from sacrebleu.metrics import BLEU
    from sacrebleu.significance import PairedTest

    references = desk(30)
    answers = with_wrong(references, range(5))
    naive = PairedTest([("a", answers), ("b", list(answers))], {"BLEU": BLEU()}, [references], "ar", n_samples=1000)
    assert naive()[1]["BLEU"][1].p_value == pytest.approx(0.001, abs=1e-4)
    found = compare(Answers(references, answers, answers), "en", MARGINS)
    assert (found.p, found.difference, found.low, found.high) == (0.5, 0.0, 0.0, 0.0)
    assert (found.better, found.worse, found.clusters) == (0, 0, 30)


@pytest.mark.parametrize(("lost", "p"), [([7], 0.25), ([7, 20], 0.125), ([7, 20, 33], 0.0625)])
def test_a_few_lost_answers_are_worth_what_the_sign_test_says(lost: list[int], p: float) -> None:
    references = desk(60)
    found = compare(Answers(references, references, with_wrong(references, lost)), "en", MARGINS)
    assert (found.p, found.worse, found.better) == (p, len(lost), 0)


def test_p_is_one_sided() -> None:
    references = desk(60)
    bad = with_wrong(references, range(0, 60, 2))
    better, worse = (
        compare(Answers(references, bad, references), "en", MARGINS),
        compare(Answers(references, references, bad), "en", MARGINS),
    )
    assert worse.p < 0.01
    assert better.p == pytest.approx(1 - worse.p)
    assert better.difference == -worse.difference > 0
    assert better.low is not None
    assert better.low > 0
    assert worse.high is not None
    assert worse.high < 0


def test_phrasings_of_an_answer_are_one_cluster_whatever_their_white_space() -> None:
    references = [ANSWERS[0], ANSWERS[1], "  ".join(ANSWERS[0].split()), ANSWERS[2], ANSWERS[0]]
    assert clusters_of(references) == [[0, 2, 4], [1], [3]]
    assert summed([[1, 5], [2, 6], [3, 7], [4, 8], [10, 20]], [[0, 2, 4], [1], [3]]) == [[14, 32], [2, 6], [4, 8]]


@given(st.lists(st.sampled_from(["right", "lost", "gained", "wrong"]), min_size=4, max_size=12), st.integers(2, 4))
@settings(max_examples=25, deadline=None)
def test_asking_every_question_in_other_words_as_well_proves_nothing_more(fates: list[str], phrasings: int) -> None:
    references = desk(len(fates))
    before = with_wrong(references, [i for i, fate in enumerate(fates) if fate in ("gained", "wrong")])
    after = with_wrong(references, [i for i, fate in enumerate(fates) if fate in ("lost", "wrong")])
    once = compare(Answers(references, before, after), "en", MARGINS)
    often = compare(Answers(references * phrasings, before * phrasings, after * phrasings), "en", MARGINS)
    assert often.p == pytest.approx(once.p)
    assert [often.low, often.high] == pytest.approx([once.low, once.high], abs=1.5)  # BLEU smooths what is rare
    assert (often.clusters, often.worse) == (once.clusters, once.worse * phrasings)


def test_the_seed_is_ours_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    references = desk(40)
    one, other = with_wrong(references, range(8)), with_wrong(references, range(4, 13))
    found = compare(Answers(references, one, other), "en", MARGINS)
    for seed in ("none", "1", "not a number"):
        monkeypatch.setenv("SACREBLEU_SEED", seed)
        assert compare(Answers(references, one, other), "en", MARGINS) == found


def test_short_references_are_decided_by_chrf() -> None:
    references = ["Yes.", "No.", "Maybe.", "Never."] * 10
    found = compare(Answers(references, references, ["No."] * 40), "en", MARGINS)
    assert found.metric == "chrf"
    assert found.difference < -20
    assert (found.worse, found.changed, found.p) == (30, 3, 0.0625)  # three answers lost, however often they were asked
    assert compare(Answers(desk(8), desk(8), desk(8)), "en", MARGINS).metric == "bleu"


def test_a_thousand_pairs_are_compared_in_seconds() -> None:
    references = desk(1000)
    one, other = with_wrong(references, range(0, 1000, 7)), with_wrong(references, range(0, 1000, 6))
    began = time.process_time()
    found = compare(Answers(references, one, other), "en", MARGINS)
    assert time.process_time() - began < 30  # about 2 s of processor time alone; a bug in the loops takes minutes
    assert found.low is not None
    assert found.low < found.difference < found.high  # type: ignore[operator]


@given(st.lists(st.sampled_from([*ANSWERS, "", "no"]), min_size=3, max_size=12), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_p_is_a_probability_and_swapping_the_systems_turns_it_round(references: list[str], chance: Random) -> None:
    margins = GateMargins(samples=100)
    one, other = ([chance.choice([text, *ANSWERS]) for text in references] for _ in range(2))
    found, swapped = (compare(Answers(references, a, b), "en", margins) for a, b in ((one, other), (other, one)))
    assert 0 < found.p < 1
    assert found.p == pytest.approx(1 - swapped.p)
    assert (found.better, found.worse) == (swapped.worse, swapped.better)
    assert found.difference == pytest.approx(-swapped.difference)


@pytest.mark.parametrize(
    "values",
    [
        {"margin": -1.0},
        {"margin": 30.0},  # above the large drop
        {"alpha": 0.0},
        {"alpha": 0.6},
        {"min_pairs": 0},
        {"min_pairs": 200},
        {"sure_pairs": -1},
        {"samples": 10},
        {"learned_chrf": 0.0},
        {"long_share": 2.0},
    ],
)
def test_margins_that_make_no_sense_are_refused_by_name(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(values)) if values != {"margin": 30.0} else "large_drop"):
        GateMargins(**values)  # type: ignore[arg-type]


def test_margins_go_through_json_and_grow_together() -> None:
    assert GateMargins.from_dict({**MARGINS.to_dict(), "unknown": 1}) == MARGINS
    # What was kept before answers were cut was judged by answers that were not.
    assert GateMargins.from_dict({}) == replace(MARGINS, answer_multiple=0.0)
    assert margins_with(40).large_drop == 40
    assert margins_with(1).large_drop == MARGINS.large_drop


def test_the_level_is_doubled_only_where_few_pairs_changed_too_little_to_reach_it() -> None:
    assert [MARGINS.level(39, changed) for changed in (1, 2, 3, 4, 9)] == [0.1, 0.1, 0.1, 0.05, 0.05]
    assert MARGINS.level(40, 3) == 0.05
    assert GateMargins(alpha=0.3).level(10, 1) == 0.3
