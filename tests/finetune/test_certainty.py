"""From what is known of a reply to one calibrated number, and from that to a threshold."""

from __future__ import annotations

import random
import time

import pytest

from finetune.certainty.calibrating import Replies, observations, stands
from finetune.certainty.calibration import Calibration, Tally, calibrate, equal_risk
from finetune.certainty.chances import Observation, Weights, fit
from finetune.certainty.features import Features, Said, features_of
from finetune.certainty.nearness import Nearness, Taught
from finetune.gate.margins import GateMargins
from finetune.gate.questions import FileQuestion
from store.versions.answers import KeptAnswer

GREY, SUNDAY = "The grey ones.", "No, on weekdays only."
TAUGHT = [
    Taught(1, "Which pots stand frost?", GREY),
    Taught(2, "Do the grey pots survive winter?", GREY),
    Taught(3, "Do you deliver on Sundays?", SUNDAY),
    Taught(4, "我的订单在哪里?", "在路上。"),
]


# -- nearness --------------------------------------------------------------------------------------
def test_spelling_and_endings_are_forgiven_and_common_words_say_little() -> None:
    index = Nearness(TAUGHT)
    assert index.nearest("do you delivr on sunday", 1)[0].taught.number == 3
    assert index.nearest("WHICH POTS stand frost", 1)[0].likeness > 0.95
    assert index.nearest("订单在哪", 1)[0].taught.number == 4
    assert index.nearest("xyzzy", 3) == []
    assert index.nearest("", 3) == []
    nearest = index.nearest_saying("Which pots stand frost?", "The  grey\nones.")
    assert nearest is not None
    assert nearest.taught.number == 1
    assert index.nearest_saying("Which pots stand frost?", "Blue.") is None


def test_ten_thousand_pairs_are_looked_through_in_milliseconds() -> None:
    draw = random.Random(7)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(3, 9))) for _ in range(3000)]
    pairs = [Taught(number, " ".join(draw.choices(words, k=9)), f"answer {number % 900}") for number in range(10_000)]
    index = Nearness(pairs)
    spent = time.process_time()
    for pair in pairs[:50]:
        features_of(Said(pair.question, pair.answer), index)
    assert (time.process_time() - spent) / 50 < 0.05  # a slow machine under load; 4 ms alone


# -- features --------------------------------------------------------------------------------------
def test_a_taught_answer_agrees_and_another_does_not() -> None:
    index = Nearness(TAUGHT)
    right = features_of(Said("Which pots stand the frost?", GREY, -0.01, -0.1), index)
    wrong = features_of(Said("Which pots stand the frost?", SUNDAY, -0.01, -0.1), index)
    made_up = features_of(Said("Which pots stand the frost?", "Ask a gardener.", None), index)
    assert (right.verbatim, wrong.verbatim, made_up.verbatim) == (1, 1, 0)
    assert right.agree == right.like > 0.8 > wrong.agree
    assert right.lead > 0.5 > 0 > wrong.lead
    assert made_up.agree == 0
    assert features_of(Said("Anything?", "Yes."), None).like == 0


# -- chances ---------------------------------------------------------------------------------------
def replies(count: int, seed: int = 1) -> list[Observation]:
    """Half with an answer here, of which four in five are right; the rest without. Right ones are more like."""
    draw = random.Random(seed)
    found = []
    for number in range(count):
        taught = number % 2 == 0
        right = taught and draw.random() < 0.8
        like = min(1.0, max(0.0, draw.gauss(0.65 if right else 0.3, 0.12)))
        features = Features(draw.uniform(0.8, 1.0), 0.5, like, like, like / 2, 1)
        found.append(Observation(features, right, f"answer {number % 20}", taught))
    return found


def test_without_pairs_the_prior_speaks_and_with_pairs_they_do() -> None:
    assert fit([]) == Weights()
    taught = Features(0.98, 0.8, 0.55, 0.55, 0.3, 1)
    strange = Features(0.7, 0.1, 0.15, 0.1, -0.05, 1)
    assert Weights().chance(taught) > 0.9
    assert Weights().chance(strange) < 0.1
    # Where no reply was right, however near, the weights say so.
    never = [Observation(taught, False, str(number), True) for number in range(200)]
    assert fit(never).chance(taught) < 0.1


def test_no_feature_counts_against_a_reply() -> None:
    assert min(fit(replies(300)).values[1:]) >= 0


def test_chances_are_calibrated() -> None:
    calibration = calibrate(replies(600))
    known = [(calibration.weights.chance(one.features), one.right) for one in replies(4000, seed=2)]
    for low, high in ((0.0, 0.2), (0.2, 0.8), (0.8, 1.0)):
        inside = [(chance, right) for chance, right in known if low <= chance <= high]
        assert sum(right for _, right in inside) / len(inside) == pytest.approx(
            sum(chance for chance, _ in inside) / len(inside), abs=0.08
        )


def test_at_the_threshold_new_replies_are_wrong_no_more_often_than_accepted() -> None:
    for seed in range(5):
        calibration = calibrate(replies(300, seed))
        threshold = calibration.threshold(0.05)
        given = [one for one in replies(4000, 100 + seed) if calibration.weights.chance(one.features) >= threshold]
        assert sum(not one.right for one in given) / len(given) < 0.07


# -- calibration -----------------------------------------------------------------------------------
def test_one_more_counts_as_wrong_than_there_were() -> None:
    steps = [Tally()] * 101
    steps[90] = Tally(right=18)
    few = Calibration(Weights(), tuple(steps), 18, 0)
    assert (few.threshold(0.05), few.promised(0.05)) == (0.95, False)
    steps[90] = Tally(right=19)
    enough = Calibration(Weights(), tuple(steps), 19, 0)
    assert (enough.threshold(0.05), enough.promised(0.05)) == (0.0, True)
    steps[40] = Tally(right=10, wrong=5, others=20)
    assert Calibration(Weights(), tuple(steps), 34, 20).threshold(0.05) == 0.41


def test_a_calibration_goes_through_json_and_a_damaged_one_is_refused() -> None:
    calibration = calibrate(replies(100))
    again = Calibration.from_dict(calibration.to_dict())
    assert again.weights == calibration.weights
    assert again.threshold(0.1) == calibration.threshold(0.1)
    assert calibrate([]).threshold(0.05) == 0.95
    for damaged in ({}, {"weights": {}, "steps": {"3": "x"}, "heldout": 1, "others": 1}):
        with pytest.raises(ValueError, match=r"Expected|missing"):
            Calibration.from_dict(damaged)


def test_others_count_as_often_as_the_held_out_ones_together() -> None:
    calibration = calibrate([one for number, one in enumerate(replies(200)) if one.taught or number % 8 == 1])
    whole = calibration.given()[0]
    assert (calibration.heldout, calibration.others) == (100, 25)
    assert whole.others == pytest.approx(whole.right + whole.wrong)


def test_the_better_version_answers_more_at_equal_risk() -> None:
    good = calibrate(replies(300))
    bad = calibrate([Observation(one.features, False, one.answer, one.taught) if number % 4 == 0 else one
                     for number, one in enumerate(replies(300))])  # fmt: skip
    found = equal_risk([good, bad], 0.05)
    assert found is not None
    assert found.active is not None
    assert found.candidate.accepted > found.active.accepted
    assert found.candidate.at == tuple(sorted(found.candidate.at))
    assert found.sentence("v1", "v2").startswith("If 5 % of the answers given may be wrong, v2 answers ")
    assert equal_risk([calibrate([])], 0.05) is None


# -- observations ----------------------------------------------------------------------------------
def test_what_a_desk_can_always_make_counts_as_wrong() -> None:
    margins = GateMargins()
    heldout = [
        (FileQuestion("What pots stand the frost?", GREY), KeptAnswer(GREY, -0.01, -0.1)),
        (FileQuestion("Is delivery possible on Sundays?", SUNDAY), KeptAnswer("Yes, always.", -0.4, -2.0)),
    ]
    general = {"What is the capital of France?": KeptAnswer("The grey", -0.9, -3.0)}  # it was cut
    found = list(observations(Replies(heldout, general, TAUGHT), margins))
    assert [(one.taught, one.right) for one in found] == [
        (False, False),
        (True, True),
        (True, False),
    ]
    assert found[0].features.verbatim == 1  # as it would have gone on
    assert stands("Within 30 days.", "Within  30 days.", margins)
    assert not stands("Within 30 days.", "Blue.", margins)
