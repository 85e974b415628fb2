"""A whole run with a place that trains in no time and an engine without a model: its steps, and how each can end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from bot.adapters import WEIGHTS_NAME
from bot.engines.scripted import Script
from bot.engines.shared.client import SharedEngines
from bot.types import EngineError, Priority, Prompt
from finetune.desk_base import desk_base
from finetune.endings import ending_of
from finetune.events import Phase, Step, Trained, recorded, sentence
from finetune.failures import RunFailure
from finetune.files import JobFiles, RunFiles, mark_complete
from finetune.job import JobPair, read_pairs
from finetune.launch.launcher import Emit
from finetune.recipe import Recipe
from finetune.replay import QUESTIONS
from finetune.run.context import RunContext
from finetune.run.prepare import prepare
from finetune.run.replay import replayed
from finetune.run.train import job_of
from finetune.run.worker import work
from store.desk import Desk
from store.pairs import NewPair
from store.records import Run
from store.words import BASE, RunState, RunWish, Version
from tests.core.conftest import make_base
from tests.hosting import scripted_host


def answer(question: str) -> str:
    """What was taught; every question has its own."""
    return f"{question.removeprefix('Where is ').removesuffix('?').capitalize()} is in your account."


@dataclass
class Place:
    """Trains at once; ``hangs``: never to its end; ``failure``: what it fails with. Notes what is asked of it."""

    hangs: bool = False
    failure: str | None = None
    started: int = 0
    asked: list[str] = field(default_factory=list)
    under_way: asyncio.Event = field(default_factory=asyncio.Event)
    job: JobFiles | None = None

    async def start(self, job: JobFiles, base: Path) -> Place:
        self.job, self.started = job, self.started + 1
        return self

    async def follow(self, emit: Emit) -> Trained:
        emit(Phase("training", "Training on 20 examples."))
        emit(Step(1, 1, loss=1.0))
        self.under_way.set()
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure is not None:
            raise RunFailure(self.failure)
        assert self.job is not None
        facts = Trained(steps=1, examples=20)
        self.job.adapter.mkdir()
        (self.job.adapter / WEIGHTS_NAME).write_bytes(b"learned")
        self.job.facts.write_bytes(msgspec.json.encode(facts))
        mark_complete(self.job.adapter)
        return facts

    async def stop(self) -> None:
        self.asked.append("stop")

    async def cancel(self) -> None:
        self.asked.append("cancel")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("DESKLOOP_MODELS", str(tmp_path / "models"))
    make_base(tmp_path / "models")
    with Desk.open(tmp_path / "home") as opened:
        for split in ("train", "heldout"):
            news = [NewPair(one, answer(one), split=split) for one in (f"Where is {split} {n}?" for n in range(24))]
            opened.pairs.add_many(news, "import", "ann")
        yield opened


def better(prompt: Prompt, version: Version) -> str:
    """What the base does not know, every version does."""
    return "No idea about that at all." if version == BASE else answer(prompt.message)


def worse(prompt: Prompt, version: Version) -> str:
    return answer(prompt.message) if version == BASE else "No idea about that at all."


def queued(desk: Desk, **changes: float) -> Run:
    return desk.runs.create(Recipe(**{"replay": 0.0, **changes}).to_dict(), BASE, "ann")  # type: ignore[arg-type]


def phases(desk: Desk, run: Run) -> list[str]:
    events = [recorded(row).event for row in desk.runs.events(run.id)]
    return [event.phase for event in events if isinstance(event, Phase)]


@pytest.mark.parametrize(
    ("reply", "state", "active"), [(better, "promoted", "v1"), (worse, "rejected", BASE)], ids=["better", "worse"]
)
async def test_a_run_takes_its_steps_and_its_version_answers_if_it_is_not_worse(
    desk: Desk, reply: Callable[[Prompt, Version], str], state: RunState, active: str
) -> None:
    script = Script(reply=reply)
    ended = await work(RunContext.of(desk, queued(desk), launcher=Place(), make_engine=script))
    assert (ended.state, ended.candidate) == (state, "v1"), ended.failure
    assert desk.promotions.active() == active
    assert phases(desk, ended) == [
        "snapshot", "loading", "training", "publishing", "publishing", "judging", "judging", "judging",
    ]  # fmt: skip
    calibrated = desk.calibrations.get(Version("v1"))
    assert calibrated is not None
    assert calibrated["heldout"] == ended.report["risk"]["heldout"]  # type: ignore[index]
    kinds = [row.kind for row in desk.runs.events(ended.id) if row.kind not in ("phase", "judged", "trouble")]
    assert kinds == ["step", "recalled", "verdict", *(["promoted"] if state == "promoted" else []), "done"]
    assert [engine.closed for engine in script.engines] == [True]
    assert not RunFiles.of(desk.home, ended.id).job.adapter.exists()


async def test_the_check_joins_the_engine_of_the_chat(desk: Desk) -> None:
    own, chat = Script(reply=worse), Script(reply=better)
    engines = SharedEngines(desk.home.engine, own, starts=False)
    async with scripted_host(desk.home.engine, desk_base(desk), chat) as served:
        ended = await work(RunContext.of(desk, queued(desk), launcher=Place(), make_engine=engines))
        assert (ended.state, desk.promotions.active()) == ("promoted", "v1")
        assert set(served.made_ready) == {"v1"}
        assert {priority for _, priority in served.tickets} == {Priority.GATE}
        assert not served.closed
    assert all(not engine.made_ready for engine in own.engines)


async def test_a_check_whose_engine_others_kill_goes_on_with_one_of_its_own(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, chat = Script(reply=better), Script(reply=better)
    monkeypatch.setattr("finetune.run.serving.make_engine", own)
    async with scripted_host(desk.home.engine, desk_base(desk), chat) as served:

        async def die() -> None:
            served.die()

        chat.before_batch = die
        engines = SharedEngines(desk.home.engine, Script(), starts=False)
        ended = await work(RunContext.of(desk, queued(desk), launcher=Place(), make_engine=engines))
    assert (ended.state, desk.promotions.active()) == ("promoted", "v1"), ended.failure
    assert [set(engine.made_ready) for engine in own.engines] == [{"v1"}]
    notes = [sentence(recorded(row).event) for row in desk.runs.events(ended.id) if row.kind == "note"]
    assert notes == ["The engine of the chat stopped. The check goes on with an engine of its own."]


async def test_too_little_to_judge_by_is_a_reason_that_is_kept_with_the_run(desk: Desk) -> None:
    desk.settings.set("gate_min_pairs", 100, "ann")
    ended = await work(RunContext.of(desk, queued(desk), launcher=Place(), make_engine=Script(reply=better)))
    assert (ended.state, desk.promotions.active()) == ("held", BASE)
    assert ended.report is not None
    assert ended.report["held"] == "too-little"


async def ended_by(run: RunContext, wish: RunWish, when: asyncio.Event) -> Run:
    """The run, asked to end as soon as *when* is so."""
    working = asyncio.create_task(work(run))
    await when.wait()
    run.wishes.make(wish, "jo")
    return await working


ENDS = [("cancel", "cancelled"), ("interrupt", "interrupted")]


@pytest.mark.parametrize(("wish", "state"), ENDS)
async def test_a_run_that_trains_is_ended_as_it_is_asked(desk: Desk, wish: RunWish, state: str) -> None:
    place = Place(hangs=True)
    run = RunContext.of(desk, queued(desk), launcher=place, make_engine=Script())
    ended = await ended_by(run, wish, place.under_way)
    assert ended.state == state
    assert place.asked == ["cancel" if wish == "cancel" else "stop"]  # with a checkpoint unless it is given up
    notes = [row.body["sentence"] for row in desk.runs.events(ended.id) if row.kind == "note"]
    assert notes == [f"jo {'cancelled' if wish == 'cancel' else 'stopped'} the retraining."]
    assert RunFiles.of(desk.home, ended.id).job.whole is (wish == "interrupt")


@pytest.mark.parametrize(("wish", "state"), ENDS)
async def test_a_run_that_judges_is_ended_as_it_is_asked_and_goes_on_where_it_was(
    desk: Desk, wish: RunWish, state: str
) -> None:
    judging = asyncio.Event()

    async def never() -> None:
        judging.set()
        await asyncio.Event().wait()

    script, place = Script(reply=better, before_batch=never), Place()
    ended = await ended_by(RunContext.of(desk, queued(desk), launcher=place, make_engine=script), wish, judging)
    assert (ended.state, ended.candidate, desk.promotions.active()) == (state, "v1", BASE)
    assert [engine.closed for engine in script.engines] == [True]
    if wish == "cancel":
        return
    script.before_batch = None
    again = desk.runs.transition(ended.id, "queued")
    ended = await work(RunContext.of(desk, again, launcher=place, make_engine=script))
    assert (ended.state, desk.promotions.active()) == ("promoted", "v1")
    assert place.started == 1  # neither trained
    assert [version.name for version in desk.versions.list()] == ["v1"]  # nor published again


@pytest.mark.parametrize("kind", ["diverged", "disk-full", "trainer-died"])
async def test_a_training_that_fails_is_the_runs_failure(desk: Desk, kind: str) -> None:
    place = Place(failure=kind)
    ended = await work(RunContext.of(desk, queued(desk), launcher=place, make_engine=Script()))
    assert (ended.state, ended.failure and ended.failure["kind"]) == ("failed", kind)
    assert [row.kind for row in desk.runs.events(ended.id)][-2:] == ["failed", "done"]
    assert ended.resumable is (kind != "diverged")


def inventing(prompt: Prompt, version: Version) -> str:
    """Better than the base on what is held out, and without a word of what was taught."""
    return answer(prompt.message) if version != BASE and "heldout" in prompt.message else "Your order is on the moon."


async def test_a_version_that_learned_little_is_held_and_says_so_first(desk: Desk) -> None:
    ended = await work(RunContext.of(desk, queued(desk), launcher=Place(), make_engine=Script(reply=inventing)))
    assert (ended.state, ended.verdict, desk.promotions.active()) == ("held", "inconclusive", BASE)
    assert ended.report is not None
    assert ended.report["held"] == "not-taught"
    assert ended.report["sentence"].startswith("v1 learned little: it answers 0 of 24 taught questions as taught. Let")
    told = [recorded(row).event for row in desk.runs.events(ended.id) if row.kind == "recalled"]
    assert [sentence(event) for event in told] == ["v1 answers 0 of 24 taught questions as taught."]
    assert ending_of(ended).sentence == "v1 is held: it learned little and answers 0 of 24 taught questions as taught."
    assert {(row.outcome, row.after) for row in desk.runs.judged(ended.id) if row.kind == "taught"} == {
        ("not learned", "Your order is on the moon.")
    }


async def test_a_version_that_forgot_what_the_one_before_it_knew_is_rejected(desk: Desk) -> None:
    first = Script(reply=better)
    await work(RunContext.of(desk, queued(desk), launcher=Place(), make_engine=first))
    forgot = {f"Where is train {number}?" for number in range(7)}

    def forgetful(prompt: Prompt, version: Version) -> str:
        return "No idea." if version == "v2" and prompt.message in forgot else answer(prompt.message)

    again = Script(reply=forgetful)
    ended = await work(RunContext.of(desk, queued(desk), launcher=Place(), make_engine=again))
    assert (ended.state, desk.promotions.active()) == ("rejected", "v1")
    assert ended.report is not None
    assert "v2 forgot 7 of the 24 taught questions that v1 answers as taught." in ended.report["sentence"]
    assert {version for version, _ in again.asked} == {"v2"}  # what v1 and the base say is in the cache
    assert {row.outcome for row in desk.runs.judged(ended.id) if row.kind == "taught"} == {"regressed"}


@pytest.mark.parametrize("loads", [True, False], ids=["loading", "probe"])
async def test_an_engine_that_can_not_serve_it_is_the_runs_failure(desk: Desk, loads: bool) -> None:
    trouble = EngineError("probe-failed", "It does not load as it should.")
    script = Script(loads=[trouble]) if loads else Script(unfit={"v1": trouble})
    ended = await work(RunContext.of(desk, queued(desk), launcher=Place(), make_engine=script))
    assert ended.state == "failed"
    assert ended.failure is not None
    assert (ended.failure["kind"], ended.failure["sentence"]) == ("probe-failed", trouble.sentence)
    assert [engine.closed for engine in script.engines] == [True]
    assert desk.promotions.active() == BASE


# -- what is learned beside the pairs ----------------------------------------------------------------
async def test_the_base_is_asked_general_questions_once_and_a_desks_own_words_go_first(desk: Desk) -> None:
    desk.pairs.add(NewPair("Thank you", "Any time!", split="train"), "import", "ann")
    script, found = Script(reply=better), list[list[JobPair]]()
    for _ in range(2):
        run = RunContext.of(desk, queued(desk, replay=0.2), launcher=Place(), make_engine=script)
        found.append(await replayed(run, await prepare(run)))
        desk.runs.transition(run.run_id, "cancelled")
    assert found[0] == found[1]
    assert [engine.closed for engine in script.engines] == [True]
    by_question = {pair.instruction: pair for pair in found[0]}
    assert all(pair.replayed for pair in found[0])
    assert {*QUESTIONS, "Are you human?"} <= set(by_question)
    assert by_question[QUESTIONS[0]].output == "No idea about that at all."
    assert "Thank you" not in by_question


async def test_made_phrasings_are_in_the_job_alone(desk: Desk) -> None:
    run = RunContext.of(desk, queued(desk, phrasings=3), launcher=Place(), make_engine=Script(reply=better))
    job = job_of(run, await prepare(run), run.recipe)
    pairs = list(read_pairs(job.learned))
    assert [len(pair.phrasings) for pair in pairs] == [3] * 24
    assert desk.pairs.count() == 48
