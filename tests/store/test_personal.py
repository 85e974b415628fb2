"""Personal data: what is found, what is not, and what is left after redaction."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import Desk
from store.pairs import NewPair
from store.personal import find, kinds, redact


@pytest.mark.parametrize(
    ("text", "kind", "lang"),
    [
        ("Write to ann.smith@gmail.com, please", "email", "en"),
        ("call me at 415-555-2671", "phone", "en"),
        ("my phone is 4155552671", "phone", "en"),
        ("It is +44 20 7946 0958.", "phone", "en"),
        ("我的手机是13812345678。", "phone", "zh"),
        ("I paid with 4111 1111 1111 1111", "card", "en"),
        ("Auf DE89 3704 0044 0532 0130 00 bitte", "iban", "de"),
        ("to GB82WEST12345698765432 thanks", "iban", "en"),
        ("my number is 536-90-4399", "id", "en"),
        ("身份证 11010519491231002X", "id", "zh"),
        ("AB123456C", "id", "en"),
        ("mi DNI es 12345678Z", "id", "es"),
        ("CPF 390.533.447-05", "id", "pt"),
    ],
)
def test_what_identifies_a_person_is_found(text: str, kind: str, lang: str) -> None:
    assert kinds([text], lang) == (kind,)
    assert f"[{kind}]" in redact(text, lang)


@pytest.mark.parametrize(
    "text",
    [
        "Write to support@garden.example or customer.service@garden.example",
        "Call +1 800 555 0199, it is free",
        "Order 4155552671 of 2024-05-06 for 1,299.00 EUR",
        "order 100-2345678-1234567",
        "tracking 1Z999AA10123456784, item 12345678",
        "Between 09:00-17:00 on 24.12.2025 and 2025-12-31",
        "DE89 3704 0044 0532 0130 01",  # a wrong check digit
        "4111 1111 1111 1112",
        "Set 255.255.255.0 or 192.168.196.58",
        "{{Client Email}} and {{Customer Support Phone Number}}",
    ],
)
def test_the_shops_own_and_other_numbers_are_none(text: str) -> None:
    assert find(text) == []


PIECES = st.sampled_from(
    ["ann@x.org", "415-555-2671", "call ", " ", "+44 20 7946 0958", "4111111111111111", "DE89370400440532013000",
     "536-90-4399", "@", ".", "-", "12", "[email]", "ssn ", "390.533.447-05", "电话"]
)  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=6), max_size=12).map("".join), st.sampled_from(["en", "zh", "de", "xx"]))
@settings(deadline=None)
def test_redaction_never_leaves_a_finding(text: str, lang: str) -> None:
    without = redact(text, lang)
    assert find(without, lang) == []
    assert find(text, lang) or without == text


def test_false_alarms_on_real_data_without_customers_are_rare(shared_data: Path) -> None:
    flagged = total = 0
    for name in ("bitext_cs", "bitext_cs_canned", "dstc9_faq", "esp_faq_en", "esp_faq_zh", "tidb_faq_zh"):
        for line in (shared_data / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
            pair = json.loads(line)
            flagged += bool(kinds((pair["instruction"], pair["output"]), "zh" if name.endswith("zh") else "en"))
            total += 1
    assert total > 25_000
    assert flagged <= total / 1000


def test_a_pair_is_flagged_until_it_is_redacted_or_cleared(desk: Desk) -> None:
    news = [
        NewPair("Where is it? I am ann@x.org", "On its way.", split="train"),
        NewPair("And mine?", "Ask bob@x.org or 415-555-2671.", (("I am eve@x.org", "Hi."),), split="train"),
        NewPair("Hello?", "Hello.", split="train"),
    ]
    desk.pairs.add_many(news, "import", "ann")
    assert desk.pair_listing.flagged() == {"email": 2, "phone": 1}
    assert len(desk.pairs.training_set()) == 3
    desk.settings.set("personal_data", "block", "ann")
    assert [pair.instruction for pair, _ in desk.pairs.training_set()] == ["Hello?"]
    assert desk.editing.redact_all([1, 2, 3], "ann").same == 1
    assert desk.pair_listing.flagged() == {}
    edited = desk.pairs.list()
    assert [(pair.instruction, pair.output, pair.history) for pair in edited[1:]] == [
        ("Where is it? I am [email]", "On its way.", ()),
        ("And mine?", "Ask [email] or [phone].", (("I am [email]", "Hi."),)),
    ]
    assert len(desk.pairs.training_set()) == 3
    last = desk.pairs.add(NewPair("Me?", "zoe@x.org", split="train"), "import", "ann")
    assert last is not None
    assert len(desk.pairs.training_set()) == 3
    cleared = desk.editing.clear([last.id, 3, 1], "ann")
    assert (cleared.changed, cleared.same, len(cleared.refused)) == ([last.id], 1, 1)
    assert len(desk.pairs.training_set()) == 4


def test_a_correction_with_personal_data_does_not_wait_while_it_is_blocked(desk: Desk) -> None:
    message = desk.conversations.add_customer(desk.conversations.create("ann").id, "Where?", "ann")
    reply = desk.conversations.begin_reply(message.id, "base", {})
    desk.conversations.finish_reply(reply.id, "No idea.", "complete")
    desk.judgements.correct(reply.id, "Ask ann@x.org.", "ann")
    assert desk.judgements.waiting() == 1
    desk.settings.set("personal_data", "block", "ann")
    assert desk.judgements.waiting() == 0
