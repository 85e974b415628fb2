"""The paired test and the interval."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.gate.comparison import Answers, compare
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


def test_identical_outputs_are_not_significant_as_sacrebleus_paired_test_says() -> None:
    from sacrebleu.metrics import BLEU
    from sacrebleu.significance import PairedTest

    references = desk(30)
    answers = with_wrong(references, range(5))
    naive = PairedTest([("a", answers), ("b", list(answers))], {"BLEU": BLEU()}, [references], "ar", n_samples=1000)
    assert naive()[1]["BLEU"][1].p_value == pytest.approx(0.001, abs=1e-4)
    found = compare(Answers(references, answers, answers), "en", MARGINS)
    assert (found.p, found.difference, found.low, found.high) == (1.0, 0.0, 0.0, 0.0)


def test_one_changed_answer_is_not_significant_though_paired_test_calls_it_so() -> None:
    from sacrebleu.metrics import BLEU
    from sacrebleu.significance import PairedTest

    references = desk(60)
    worse = with_wrong(references, [7])
    naive = PairedTest([("a", references), ("b", worse)], {"BLEU": BLEU()}, [references], "ar", n_samples=1000)
    assert naive()[1]["BLEU"][1].p_value < 0.01
    assert compare(Answers(references, references, worse), "en", MARGINS).p == 1.0


def test_two_changed_answers_are_worth_a_p_of_a_half() -> None:
    references = desk(60)
    found = compare(Answers(references, references, with_wrong(references, [7, 20])), "en", MARGINS)
    assert found.p == pytest.approx(0.5, abs=0.06)


def test_without_ties_p_is_sacrebleus() -> None:
    from sacrebleu.metrics import BLEU
    from sacrebleu.significance import PairedTest

    references = desk(60)
    one = with_wrong(references, range(0, 60, 5))
    other = [text.replace("order", "thing") for text in with_wrong(references, range(2, 60, 4))]
    naive = PairedTest(
        [("a", one), ("b", other)], {"BLEU": BLEU(effective_order=True)}, [references], "ar", n_samples=1000
    )
    assert compare(Answers(references, one, other), "en", MARGINS).p == pytest.approx(
        naive()[1]["BLEU"][1].p_value, abs=0.003
    )


def test_p_is_two_sided_so_the_sign_tells_the_direction() -> None:
    references = desk(60)
    bad = with_wrong(references, range(0, 60, 2))
    better, worse = (
        compare(Answers(references, bad, references), "en", MARGINS),
        compare(Answers(references, references, bad), "en", MARGINS),
    )
    assert better.p == worse.p < 0.01
    assert better.difference == -worse.difference > 0
    assert better.low is not None
    assert better.low > 0
    assert worse.high is not None
    assert worse.high < 0


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
    assert found.p < 0.01
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
def test_p_is_a_probability_and_swapping_the_systems_keeps_it(references: list[str], chance) -> None:  # type: ignore[no-untyped-def]
    margins = GateMargins(samples=100)
    one, other = ([chance.choice([text, *ANSWERS]) for text in references] for _ in range(2))
    found, swapped = (compare(Answers(references, a, b), "en", margins) for a, b in ((one, other), (other, one)))
    assert 0 < found.p <= 1
    assert found.p == swapped.p
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
