"""From wrong replies of a desk to what a run learns: fixed when it begins, in its job and on its card, and erasable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters import CARD_NAME
from bot.engines.scripted import Script
from finetune.estimate import estimate
from finetune.files import JobFiles
from finetune.job import JobPair, read_pairs
from finetune.memory import memory_plan
from finetune.mistakes import wrong_replies
from finetune.preflight import preflight
from finetune.recipe import OBJECTIVES, Recipe
from finetune.run.context import RunContext
from finetune.run.worker import work
from store.desk import Desk
from store.erasing import Subject
from store.pairs import NewPair
from store.records import Run
from store.words import BASE, Version
from tests.core.conftest import make_base
from tests.finetune.test_run_steps import Place, better

WRONG, RIGHT, REJECTED = "No idea, sorry.", "You can return it within 30 days.", "Ask somebody else."
FROM_MISTAKES = [name for name in OBJECTIVES if name != "sft"]


class Reading(Place):
    """Trains in no time, and notes the pairs it was given."""

    pairs: list[JobPair]

    async def start(self, job: JobFiles, base: Path) -> Place:
        await super().start(job, base)
        assert self.job is not None
        self.pairs = list(read_pairs(self.job.learned))
        return self


def say(desk: Desk, message: str, answer: str, customer: str | None = None) -> int:
    conversation = desk.conversations.create("ann", customer=customer)
    turn = desk.conversations.add_customer(conversation.id, message, "ann")
    reply = desk.conversations.begin_reply(turn.id, BASE, {})
    desk.conversations.finish_reply(reply.id, answer, "complete")
    return reply.id


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("DESKLOOP_MODELS", str(tmp_path / "models"))
    make_base(tmp_path / "models")
    with Desk.open(tmp_path / "home") as opened:
        news = [NewPair(f"Question {number}?", f"Answer {number}.", split="train") for number in range(8)]
        opened.pairs.add_many(news, "import", "ann")
        yield opened


@pytest.fixture
def judged(desk: Desk) -> Desk:
    """A desk on which one reply was corrected and one rejected."""
    desk.judgements.correct(say(desk, "Can I return it?", WRONG, "Ann Archer"), RIGHT, "ann")
    desk.judgements.reject(say(desk, "Who are you?", REJECTED, "Bob Bowman"), "ann")
    return desk


async def run_with(desk: Desk, objective: str, place: Place) -> Run:
    run = desk.runs.create(Recipe(objective=objective, new_weight=2).to_dict(), BASE, "ann")
    return await work(RunContext.of(desk, run, launcher=place, make_engine=Script(reply=better)))


@pytest.mark.parametrize("objective", OBJECTIVES)
async def test_a_job_holds_the_wrong_replies_that_its_objective_learns_from(judged: Desk, objective: str) -> None:
    place = Reading()
    run = await run_with(judged, objective, place)
    assert run.failure is None
    (corrected,) = [pair for pair in place.pairs if pair.output == RIGHT]
    assert corrected.wrong == ("" if objective == "sft" else WRONG)
    assert [pair.wrong for pair in place.pairs if pair.output.startswith("Answer")] == [""] * 8
    bad = [pair for pair in place.pairs if not pair.good]
    assert bad == ([JobPair("Who are you?", (), REJECTED, "en", good=False)] if objective == "kto" else [])


@pytest.mark.parametrize("objective", OBJECTIVES)
async def test_the_card_names_the_replies(judged: Desk, objective: str) -> None:
    run = await run_with(judged, objective, Reading())
    assert run.candidate is not None
    card = json.loads((judged.home.adapters / run.candidate / CARD_NAME).read_text())
    count = {"sft": 0, "kto": 2}.get(objective, 1)
    assert len(card["mistakes"]) == count
    assert frozenset(card["mistakes"]) == judged.runs.snapshot(run.id).mistakes
    assert card["recipe"]["objective"] == objective


async def test_what_is_learned_is_fixed_when_the_run_begins(judged: Desk) -> None:
    recipe = Recipe(objective="kto")
    before = wrong_replies(judged, recipe, judged.pairs.list())
    judged.judgements.reject(say(judged, "And later?", "Nothing."), "ann")
    after = wrong_replies(judged, recipe, judged.pairs.list())
    assert after.replies > before.replies
    assert wrong_replies(judged, recipe, judged.pairs.list(), before.replies) == before


async def test_the_data_differ_where_the_wrong_replies_do(judged: Desk) -> None:
    hashes = [(await run_with(judged, objective, Reading())).data_hash for objective in ("sft", "edits", "orpo", "kto")]
    assert hashes[1] == hashes[2]
    assert len(set(hashes)) == 3


@pytest.mark.parametrize("objective", FROM_MISTAKES)
async def test_a_desk_without_wrong_replies_is_told_so(desk: Desk, objective: str) -> None:
    found = preflight(desk, Recipe(objective=objective))
    said = [text for text in (*found.problems, *found.warnings) if "wrong replies" in text]
    run = await run_with(desk, objective, Reading())
    if objective == "kto":
        assert list(found.problems) == said
        assert said == ["The objective kto learns from wrong replies, and this desk has none. Correct replies, mark "
                        "some as wrong, or choose objective = sft."]  # fmt: skip
        assert run.failure is not None
        assert run.failure["kind"] == "no-mistakes"
    else:
        assert said == [f"The objective {objective} learns from wrong replies, and this desk has none: this run "
                        "learns as with objective = sft."]  # fmt: skip
        assert run.failure is None


def test_a_reply_alone_is_enough_for_kto(judged: Desk) -> None:
    for objective in OBJECTIVES:
        found = preflight(judged, Recipe(objective=objective))
        assert not [text for text in (*found.problems, *found.warnings) if "wrong replies" in text]


def test_wrong_replies_take_time_and_memory(judged: Desk, tiny: Path) -> None:
    times = {objective: estimate(judged, Recipe(objective=objective)).seconds for objective in OBJECTIVES}
    assert times["sft"] < times["edits"] == times["orpo"] == times["dpop"] < times["kto"]
    plain, learning = (sum(memory_plan(tiny, "nf4", Recipe(objective=name)).values()) for name in ("sft", "orpo"))
    assert plain < learning


@pytest.mark.parametrize("name", ["Ann Archer", "Bob Bowman"], ids=["corrected", "rejected"])
async def test_a_version_that_learned_from_an_erased_reply_is_known(judged: Desk, name: str) -> None:
    run = await run_with(judged, "kto", Reading())
    plain = await run_with(judged, "sft", Reading())
    assert judged.erasing.tainted() == []
    plan = judged.erasing.plan(Subject.of_customer(name))
    assert run.candidate in plan.versions
    assert run.id in plan.runs
    judged.erasing.erase(Subject.of_customer(name), "ann")
    assert Version(str(run.candidate)) in judged.erasing.tainted()
    assert judged.erasing.erased_from(run.id)
    assert (Version(str(plain.candidate)) in judged.erasing.tainted()) == (name == "Ann Archer")
    assert not wrong_replies(judged, Recipe(objective="kto"), judged.pairs.list(), {99}).replies


async def test_a_real_run_learns_from_mistakes_and_is_judged(tiny: Path, tmp_path: Path) -> None:
    """Trainer and engine are the real ones, the model is tiny."""
    with Desk.open(tmp_path / "home") as desk:
        for key, value in (("base", str(tiny)), ("min_pairs", 2)):
            desk.settings.set(key, value, "ann")
        for number in range(4):
            desk.judgements.correct(say(desk, f"Return {number}?", WRONG), RIGHT, "ann")
            desk.judgements.reject(say(desk, f"Who {number}?", REJECTED), "ann")
        desk.pairs.add_many(
            [NewPair(f"Test {number}?", "Yes.", split="heldout") for number in range(2)], "import", "ann"
        )
        recipe = Recipe(objective="kto", r=4, alpha=8, epochs=2.0, new_weight=1, replay=0.0, phrasings=0)
        run = desk.runs.create(recipe.to_dict(), BASE, "ann")
        ended = await work(RunContext.of(desk, run))
        assert ended.failure is None, ended.failure
        assert ended.verdict is not None
        assert ended.candidate is not None
        card = json.loads((desk.home.adapters / ended.candidate / CARD_NAME).read_text())
        assert card["training"]["examples"] == 12  # of each correction a good row and a bad one
        assert card["training"]["preferred"][1] == 4
        notes = [event.body["sentence"] for event in desk.runs.events(run.id) if event.kind == "note"]
        assert any("of 4 corrections likelier than the replies they replaced" in note for note in notes)
