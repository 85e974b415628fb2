"""The sample desk: enough of it, each question once, and one set of facts."""

from __future__ import annotations

import re
from collections import defaultdict

from store.desk import Desk
from store.sample import load_sample, sample_rows
from store.text import detect_language, normalise


def test_there_are_forty_english_and_ten_chinese_answers_with_five_phrasings_each() -> None:
    phrasings: dict[tuple[str, str], set[str]] = defaultdict(set)
    outputs: dict[str, set[str]] = defaultdict(set)
    for row in sample_rows():
        phrasings[row["lang"], row["answer"]].add(normalise(row["instruction"]))
        outputs[row["answer"]].add(row["output"])
        assert detect_language(row["instruction"] + row["output"]) == row["lang"]
    assert all(len(found) >= 5 for found in phrasings.values())
    assert sum(lang == "en" for lang, _ in phrasings) >= 40
    assert sum(lang == "zh" for lang, _ in phrasings) == 10
    assert all(len(texts) == 1 for texts in outputs.values())
    assert len(outputs) == len(phrasings)


def test_no_question_occurs_twice() -> None:
    questions = [normalise(row["instruction"]) for row in sample_rows()]
    assert len(questions) == len(set(questions))


def test_answers_are_short_and_their_facts_agree() -> None:
    text = {row["answer"]: row["output"] for row in sample_rows()}
    assert all(len(answer) <= 200 for answer in text.values())
    everything = " ".join(text.values())
    assert set(re.findall(r"[\w.]+@([\w.]+\w)", everything)) == {"larkspur.example"}
    assert set(re.findall(r"\d{3}-\d{4}", everything)) == {"555-0142"}
    for answer in ("delivery-fee", "minimum-order"):
        assert "$4.90" in text[answer]
        assert "$50" in text[answer]
    for answer in ("return", "sale-return", "seed-return"):
        assert "30 days" in text[answer]


def test_loading_it_twice_changes_nothing(desk: Desk) -> None:
    first, again = load_sample(desk, "ann"), load_sample(desk, "ann")
    assert first.added == desk.pairs.count() == sum(1 for _ in sample_rows())
    assert (again.added, again.duplicates) == (0, first.added)
    assert 20 <= desk.pairs.count(split="heldout") <= 90
