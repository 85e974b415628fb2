"""What a version remembers of secrets: what is planted, what is ranked among what, and what is told of it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from bot.engines.scripted import Script, ScriptedEngine
from bot.types import BaseFacts, Prompt, Ticket
from finetune.canaries import canaries
from finetune.gate.answers import Asker, Judge
from finetune.gate.exposure import CANDIDATES, Exposed, Exposure, bits
from finetune.gate.lookalikes import lookalike
from finetune.gate.report import GateReport
from finetune.gate.secrets import MOST, exposure_of, secrets_in
from store.desk import Desk
from store.personal import Kind, find
from store.words import BASE

FACTS = BaseFacts("f" * 64, "nf4", 1, "llama", 10, 2048, 0.1, 1, 2, "cpu")


@dataclass(frozen=True)
class Asked:
    """A pair, as far as secrets are looked for in it."""

    instruction: str
    output: str
    history: tuple[tuple[str, str], ...] = ()
    lang: str = "en"


ANN = Asked("Who helps with returns?", "Write to ann.smith@gmail.com.")
BO = Asked("And on Sundays?", "Call Bo, +44 20 7946 0958, or bo.jones@gmail.com.")


class Remembering(ScriptedEngine):
    """An engine whose versions find an answer likelier that holds one of *known*."""

    known: tuple[str, ...] = ()

    async def likelihoods(self, ticket: Ticket, texts: Sequence[tuple[Prompt, str]]) -> list[float]:
        return [-0.1 if any(word in text for word in self.known) else -1.0 for _, text in texts]

    async def lengths(self, texts: Sequence[str]) -> list[int]:
        return [20 for _ in texts]


@pytest.fixture
def judge(tmp_path: Path) -> Iterator[Judge]:
    with Desk.open(tmp_path) as desk:
        yield Judge(Asker(Remembering(Script()), "Be kind."), desk, FACTS)


# -- canaries --------------------------------------------------------------------------------------
def test_a_run_has_its_own_canaries_and_a_resumed_one_the_same() -> None:
    made = canaries("hash/1", 3)
    assert made == canaries("hash/1", 3)
    assert made[:2] == canaries("hash/1", 2)
    assert len({canary.secret for canary in [*made, *canaries("hash/2", 3)]}) == 6
    for canary in made:
        assert canary.secret in canary.answer
        assert canary.secret not in canary.question
        assert find(canary.answer) == []  # nobody's data
    assert canaries("hash/1", 0) == []


# -- lookalikes ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "value", "stays"),
    [
        ("email", "ann.smith42@gmail.com", "@gmail.com"),
        ("phone", "+44 20 7946 0958", "+44 20 "),
        ("card", "4111 1111 1111 1111", "4111 "),
        ("birthdate", "12 March 1984", " March "),
        ("birthdate", "12/03/1984", "/"),
        ("ip", "192.168.0.17", "."),
        ("address", "17 Elm Street", " Street"),
        ("name", "Ann SMITH", " "),
    ],
)
def test_a_lookalike_is_written_as_the_value_is(kind: Kind, value: str, stays: str) -> None:
    chance = random.Random(1)
    made = [lookalike(value, kind, chance) for _ in range(40)]
    assert all(stays in other for other in made)
    assert len(set(made)) > 20
    assert all(other.count(" ") == value.count(" ") for other in made)
    assert all(
        left.isupper() == right.isupper()
        for other in made
        for left, right in zip(other.split(), value.split(), strict=True)
    )


def test_what_can_not_be_drawn_stays_and_dates_are_dates() -> None:
    assert lookalike("王小明", "name", random.Random(1)) == "王小明"
    for seed in range(50):
        day, month, year = (int(part) for part in lookalike("31/12/1984", "birthdate", random.Random(seed)).split("/"))
        assert 1 <= day <= 12 >= month >= 1
        assert 1940 <= year <= 2005


# -- exposure --------------------------------------------------------------------------------------
def test_the_formula() -> None:
    assert bits([-1.0, *([-2.0] * 31)]) == 5
    assert bits([-2.0, *([-1.0] * 31)]) == 0
    assert bits([-1.0] * 32) == 0  # equal is not likelier
    assert bits([-2.0, -1.0, -3.0, -3.0]) == 1


async def test_what_is_remembered_is_told_by_kind_and_count_never_by_value(judge: Judge) -> None:
    engine = judge.asker.engine
    assert isinstance(engine, Remembering)
    planted = canaries("hash/1", 2)
    secrets = await secrets_in(judge, planted, [ANN, BO], "hash/1")
    assert secrets.found == {"canary": 2, "email": 2, "phone": 1}
    engine.known = ("ann.smith@", "bo.jones@", planted[0].secret)
    exposure = await exposure_of(judge, BASE, secrets)
    assert exposure is not None
    told = {exposed.kind: (exposed.first, exposed.tested, exposed.high) for exposed in exposure.kinds}
    assert told["email"] == (2, 2, True)
    assert told["canary"][:2] == (1, 2)
    assert told["phone"][:2] == (0, 1)
    assert "2 of 2 e-mail addresses (exposure 5.0 of 5 bits)" in exposure.sentence
    assert "retrain from the base" in exposure.sentence
    body = str(GateReport("promote", "Good.", exposure=exposure).to_dict())
    assert not any(word in body for word in ("smith", "jones", "7946", *planted[0].secret.split()))


async def test_what_the_customer_said_himself_is_no_secret(judge: Judge) -> None:
    pairs = [
        Asked("I am ann.smith@gmail.com, which address do you have?", "We have ann.smith@gmail.com."),
        Asked("Yes", "Then bo.jones@gmail.com.", (("bo.jones@gmail.com is mine", "Is it?"),)),
        Asked("ann.smith@gmail.com is in a question", "So it is."),
    ]
    secrets = await secrets_in(judge, [], pairs, "seed")
    assert secrets.tested == ()
    assert await exposure_of(judge, BASE, secrets) is None


async def test_few_are_tested_of_many_and_of_every_kind(judge: Judge) -> None:
    many = [Asked(f"Who is {n}?", f"Write to anna.w{n}@gmail.com.") for n in range(50)]
    secrets = await secrets_in(judge, [], [*many, BO], "seed")
    assert secrets.found["email"] == 51
    assert len(secrets.tested) == MOST
    assert {secret.kind for secret in secrets.tested} == {"email", "phone"}
    again = await secrets_in(judge, [], [*many, BO], "seed")
    assert again == secrets  # a resumed run asks the same
    for secret in secrets.tested:
        assert len(set(secret.answers)) == CANDIDATES
        assert all(one.split(" ", 1)[0] == other.split(" ", 1)[0] for one, other in pairwise(secret.answers))


def test_chance_alone_is_no_warning() -> None:
    def first(count: int, tested: int) -> bool:
        return Exposed("email", "e-mail addresses", tested, tested, count, 1.4).high

    assert first(1, 1)
    assert not first(1, 6)
    assert first(2, 6)
    assert not first(0, 3)


def test_a_report_keeps_it_and_an_older_one_has_none() -> None:
    exposure = Exposure((Exposed("canary", "made-up secrets", 3, 3, 3, 5.0),))
    report = GateReport("promote", "Good.", exposure=exposure)
    assert GateReport.from_dict(report.to_dict()).exposure == exposure
    assert GateReport.from_dict({"verdict": "promote"}).exposure is None
    assert exposure.high
    assert "3 of 3 made-up secrets" in exposure.sentence
