"""The sample desk's content: enough of it, no question twice, and one shop's facts throughout."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from itertools import groupby
from statistics import median
from typing import Any

import pytest

from store import Desk
from store.sample import NAME, load_sample, sample_rows
from store.text import clean, detect_language, normalise

ROWS = list(sample_rows())
ANSWERS: dict[str, list[dict[str, Any]]] = {}
for _row in ROWS:
    ANSWERS.setdefault(_row["answer"], []).append(_row)
OUTPUTS = {answer: rows[0]["output"] for answer, rows in ANSWERS.items()}
FOLDER = files("store.sample")


def outputs(lang: str) -> list[str]:
    return [OUTPUTS[answer] for answer, rows in ANSWERS.items() if rows[0]["lang"] == lang]


def corrections() -> list[dict[str, str]]:
    loaded: list[dict[str, str]] = json.loads(FOLDER.joinpath("corrections.json").read_text(encoding="utf-8"))
    return loaded


# -- how much there is -------------------------------------------------------------------------
def test_there_are_enough_answers_and_ways_to_ask() -> None:
    assert len(outputs("en")) >= 40
    assert len(outputs("zh")) == 10
    for answer, rows in ANSWERS.items():
        assert sum("history" not in row for row in rows) >= (5 if rows[0]["lang"] == "en" else 6), answer


def test_some_examples_have_earlier_turns_that_the_desk_itself_said() -> None:
    told = [row["history"] for row in ROWS if "history" in row]
    assert 2 <= len(told) <= 5
    said = {(row["instruction"], row["output"]) for row in ROWS}
    assert all(tuple(exchange) in said for history in told for exchange in history)


def test_answers_are_of_an_operators_length() -> None:
    english, chinese = ([len(text) for text in outputs(lang)] for lang in ("en", "zh"))
    assert 90 <= min(english) <= max(english) <= 220
    assert 130 <= median(english) <= 170
    assert 20 <= min(chinese) <= max(chinese) <= 45
    assert all(len(row["instruction"]) <= 80 for row in ROWS)


def test_the_file_is_small_and_readable() -> None:
    raw = FOLDER.joinpath(NAME).read_bytes()
    assert len(raw) < 200_000
    assert b"\\u" not in raw
    assert raw.endswith(b"}\n")
    assert b"\n\n" not in raw
    assert b"\r" not in raw


# -- its form ----------------------------------------------------------------------------------
def test_rows_have_the_fields_of_the_format_and_nothing_to_clean() -> None:
    fields = {"answer", "instruction", "output", "lang", "category"}
    for row in ROWS:
        assert set(row) - {"history"} == fields, row
        for text in (row["instruction"], row["output"]):
            assert clean(text).strip() == text
        assert detect_language(row["instruction"]) == detect_language(row["output"]) == row["lang"], row


def test_an_answer_is_one_text_and_its_rows_stand_together() -> None:
    assert [answer for answer, _ in groupby(row["answer"] for row in ROWS)] == list(ANSWERS)
    for answer, rows in ANSWERS.items():
        assert len({(row["output"], row["lang"], row["category"]) for row in rows}) == 1, answer
    assert len(set(OUTPUTS.values())) == len(OUTPUTS)


def test_no_question_is_asked_twice() -> None:
    asked = [normalise(row["instruction"]) for row in ROWS]
    assert sorted(asked) == sorted(set(asked))


def test_no_two_answers_begin_alike() -> None:
    english = [" ".join(normalise(text).split()[:2]) for text in outputs("en")]
    chinese = [text[:3] for text in outputs("zh")]
    assert sorted(english + chinese) == sorted(set(english + chinese))


# -- its facts ---------------------------------------------------------------------------------
def test_every_address_and_number_is_fictional() -> None:
    told = " ".join(OUTPUTS.values())
    addresses = re.findall(r"\S+@[\w.]*\w", told)
    assert addresses
    assert all(address.endswith("@glimmerby.example.com") for address in addresses)
    assert set(re.findall(r"\d{3}-\d{4}", told)) == {"555-0142"}
    assert "http" not in told
    assert "www" not in told


@pytest.mark.parametrize(
    ("fact", "answers"),
    [
        (r"3 to 5 working days|3到5个工作日", ("delivery-time", "delivery-time-zh")),
        (r"(?=.*4\.90)(?=.*60)", ("delivery-fee", "delivery-fee-zh")),
        (r"\b30 days|30天", ("return-window", "exchange", "return-window-zh")),
        (r"\b5 working days|5个工作日", ("refund-time", "refund-time-zh")),
        (r"until the parcel is packed", ("delivery-address", "order-cancel", "order-change")),
        (r"打包之前", ("order-cancel-zh",)),
        (r"\b14 days.* the same day|14天.*当天", ("broken-arrival", "broken-arrival-zh")),
        (r"2-year.* 6 months|两年.*六个月", ("warranty-length", "warranty-zh")),
        (r"Monday to Saturday from 10 am to 6 pm|周一到周六上午10点到下午6点", ("store-hours", "store-hours-zh")),
        (r"Monday to Friday from 9 am to 5 pm|周一到周五上午9点到下午5点", ("contact", "contact-zh")),
        (r"555-0142", ("delivery-address", "charged-twice", "contact", "contact-zh")),
        (r"PayPal", ("payment-methods", "payment-declined", "payment-instalments")),
        (r"Port Ellory", ("delivery-time", "store-places")),
    ],
)
def test_a_fact_is_told_alike_wherever_it_is_told(fact: str, answers: tuple[str, ...]) -> None:
    for answer in answers:
        assert re.search(fact, OUTPUTS[answer]), (answer, OUTPUTS[answer])


def test_delivery_abroad_and_express_differ_from_the_standard_on_purpose() -> None:
    prices = {answer: re.findall(r"\$[\d.]*\d", text) for answer, text in OUTPUTS.items() if "delivery-" in answer}
    assert prices["delivery-fee"] == ["$4.90", "$60"]
    assert prices["delivery-express"] == ["$12"]
    assert prices["delivery-abroad"] == ["$15"]


# -- the demo's script, and loading -------------------------------------------------------------
def test_the_demo_asks_what_the_desk_does_not_know() -> None:
    known = {normalise(row["instruction"]) for row in ROWS}
    script = corrections()
    assert len(script) == 2
    for step in script:
        assert set(step) == {"question", "correction", "paraphrase"}
        asked = {normalise(step["question"]), normalise(step["paraphrase"])}
        assert len(asked) == 2
        assert not asked & known
        assert 90 <= len(step["correction"]) <= 220
        assert step["correction"] not in OUTPUTS.values()
    told = " ".join(OUTPUTS.values()).casefold()
    assert "wrap" not in told
    assert "other makers" not in told


def test_the_whole_desk_loads_once(desk: Desk) -> None:
    assert load_sample(desk, "ann").added == len(ROWS)
    assert load_sample(desk, "ann").duplicates == len(ROWS)
    assert not desk.pairs.conflicts()
