"""What every engine promises, whatever computes in it: each back end passes the same tests."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.engines import Engine, make_engine, torch
from bot.engines.child import RemoteEngine
from bot.engines.scripted import CAPABILITIES, Script, ScriptedEngine
from bot.engines.shared.client import SharedEngine, SharedEngines
from bot.kinds import KINDS
from bot.types import AdapterRef, Answer, BaseSpec, Decoding, EngineError, ErrorKind, Expected, Prompt, Ticket, new_id
from store.words import BASE, Version
from tests import tiny as makers

HELLO = Prompt("You are a support agent.", (), "Hello")
SHORT = Decoding(max_new_tokens=8)
LONG = Decoding(do_sample=True, max_new_tokens=400, seed=1)


@dataclass
class Subject:
    """An engine under test: with ``base`` to load, two versions, and one that is damaged. ``die`` ends its process."""

    engine: Engine
    base: BaseSpec
    refs: tuple[AdapterRef, AdapterRef]
    damaged: AdapterRef
    die: Callable[[], None]

    async def answer(self, ticket: Ticket, conversation: str | None = None, prompt: Prompt = HELLO) -> Answer:
        """The whole answer to *prompt*."""
        async for item in self.engine.stream(ticket, prompt, SHORT, conversation):
            if isinstance(item, Answer):
                return item
        raise AssertionError("no answer came")


@pytest.fixture(scope="module")
def adapters(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> list[AdapterRef]:
    """Two versions of the tiny base, and one whose weights are none."""
    home = tmp_path_factory.mktemp("adapters")
    refs = []
    for number in (1, 2, 3):
        folder = makers.make_adapter(tiny, home / f"v{number}", seed=number)
        makers.publish_adapter(folder, tiny, f"v{number}")
        refs.append(AdapterRef(Version(f"v{number}"), str(folder)))
    Path(refs[2].folder, "adapter_model.safetensors").write_bytes(b"x")
    return refs


def real_subject(engine: Engine, tiny: Path, adapters: list[AdapterRef]) -> Subject:
    assert isinstance(engine, RemoteEngine | SharedEngine)

    def die() -> None:
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)

    return Subject(engine, BaseSpec(str(tiny), "fp32"), (adapters[0], adapters[1]), adapters[2], die)


def scripted_subject() -> Subject:
    script = Script(unfit={"v3": EngineError("adapter-damaged", "v3 is damaged.")})
    engine = script(log=Path("engine.log"))
    one, two, three = (AdapterRef(Version(f"v{number}"), f"/v{number}") for number in (1, 2, 3))
    return Subject(engine, BaseSpec("/base"), (one, two), three, engine.die)


@pytest.fixture(params=["scripted", "torch", "shared"])
async def subject(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Subject]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    if request.param == "scripted":
        made = scripted_subject()
    else:
        tiny, adapters = request.getfixturevalue("tiny"), request.getfixturevalue("adapters")
        alone = make_engine if request.param == "torch" else SharedEngines(tmp_path / "engine", make_engine, linger=0.1)
        made = real_subject(alone(log=tmp_path / "engine.log"), tiny, adapters)
    await made.engine.load(made.base)
    assert made.engine.shared if isinstance(made.engine, SharedEngine) else request.param != "shared"
    yield made
    await made.engine.close()


async def refusal(call: Callable[[], object]) -> ErrorKind:
    """The kind of the error that awaiting *call* raises."""
    with pytest.raises(EngineError) as caught:
        await call()  # type: ignore[misc]
    return caught.value.kind


async def test_each_request_is_answered_by_the_version_it_names_and_none_changes_another(subject: Subject) -> None:
    engine, (one, two) = subject.engine, subject.refs
    bare = await subject.answer(Ticket(BASE))
    first = await engine.ready(one)
    assert (first.version, first.probe.finite) == (one.version, True)
    assert (await subject.answer(Ticket(BASE))).text == bare.text  # nobody asked for v1
    await engine.ready(two)
    assert (await engine.status()).ready == (one.version, two.version)
    alone = {version: (await subject.answer(Ticket(version))).text for version in (BASE, one.version, two.version)}
    assert len(set(alone.values())) == 3
    order = [one.version, BASE, two.version, two.version, one.version, BASE]
    answers = await asyncio.gather(*(subject.answer(Ticket(version)) for version in order))
    assert [answer.text for answer in answers] == [alone[version] for version in order]
    for version in alone:
        (batched,) = await engine.batch(Ticket(version), [HELLO], SHORT)
        assert batched.text == alone[version]
    texts = [(HELLO, "In your account.")]
    assert await engine.likelihoods(Ticket(one.version), texts) != await engine.likelihoods(Ticket(BASE), texts)


async def test_drafts_change_no_answer_whatever_they_are(subject: Subject) -> None:
    engine, (one, _) = subject.engine, subject.refs
    await engine.ready(one)
    prompts = [Prompt("", (), message) for message in ("Where?", "When, and why?", "Hi", "你好")]
    told: list[tuple[int, int]] = []

    def tell(done: int, wanted: int) -> None:
        told.append((done, wanted))

    for version in (BASE, one.version):
        said = await engine.batch(Ticket(version), prompts, SHORT)
        texts = (said[0].text, "Something else.", None, said[0].text)
        drafted = await engine.batch(Ticket(version), prompts, SHORT, Expected(None, texts), tell)
        assert [(answer.text, answer.finish) for answer in drafted] == [(answer.text, answer.finish) for answer in said]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)] * 2


async def test_versions_never_share_the_cache_of_a_conversation(subject: Subject) -> None:
    engine, (one, two) = subject.engine, subject.refs
    await engine.ready(one)
    await engine.ready(two)
    for version in (BASE, one.version, two.version):
        assert (await subject.answer(Ticket(version), "7")).reused_tokens == 0
    for version in (BASE, one.version, two.version):
        again = await subject.answer(Ticket(version), "7")
        assert again.reused_tokens > 0
        assert again.text == (await subject.answer(Ticket(version))).text


async def test_a_version_that_nobody_made_ready_is_refused_and_so_is_one_that_was_forgotten(subject: Subject) -> None:
    engine, (one, two) = subject.engine, subject.refs
    ticket = Ticket(one.version)
    assert await refusal(lambda: subject.answer(ticket)) == "not-ready"
    assert await refusal(lambda: engine.batch(ticket, [HELLO], SHORT)) == "not-ready"
    assert await refusal(lambda: engine.likelihoods(ticket, [(HELLO, "Hi")])) == "not-ready"
    await engine.ready(one)
    await engine.ready(two)
    await engine.forget(one.version)
    await engine.forget(one.version)  # twice is once
    assert (await engine.status()).ready == (two.version,)
    assert await refusal(lambda: subject.answer(Ticket(one.version))) == "not-ready"
    assert (await subject.answer(Ticket(two.version))).new_tokens > 0


async def test_an_unfit_version_is_refused_and_those_that_are_ready_stay(subject: Subject) -> None:
    engine, (one, _) = subject.engine, subject.refs
    await engine.ready(one)
    before = await subject.answer(Ticket(one.version))
    assert await refusal(lambda: engine.ready(subject.damaged)) == "adapter-damaged"
    assert (await engine.status()).ready == (one.version,)
    assert (await subject.answer(Ticket(one.version))).text == before.text


async def test_a_cancel_ends_the_request_it_names_and_no_other(subject: Subject) -> None:
    engine = subject.engine
    if isinstance(engine, ScriptedEngine):
        engine.script.deltas = ["on "] * 50
    stopped, whole = Ticket(BASE), Ticket(BASE)
    heard: list[str | Answer] = []
    other = asyncio.create_task(subject.answer(whole))
    async for item in engine.stream(stopped, HELLO, LONG):
        heard.append(item)
        if len(heard) == 2:
            await engine.cancel(stopped.id)
    last = heard[-1]
    assert isinstance(last, Answer)
    assert last.finish == "stopped"
    assert (await other).finish != "stopped"
    await engine.cancel(stopped.id)  # answered already
    await engine.cancel(new_id())  # and one that nobody asked
    assert (await subject.answer(Ticket(BASE))).finish != "stopped"


async def test_a_batch_that_is_given_up_leaves_the_engine_to_others(subject: Subject) -> None:
    engine = subject.engine
    if isinstance(engine, ScriptedEngine):
        engine.script.before_batch = asyncio.Event().wait  # type: ignore[assignment]
    going = asyncio.create_task(engine.batch(Ticket(BASE), [HELLO] * 64, LONG))
    await asyncio.sleep(0)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    assert (await subject.answer(Ticket(BASE))).finish != "stopped"


async def test_a_new_base_has_none_of_the_versions_of_the_former(subject: Subject) -> None:
    await subject.engine.ready(subject.refs[0])
    await subject.engine.load(subject.base)
    status = await subject.engine.status()
    assert status.ready == ()
    assert status.facts is not None
    assert await refusal(lambda: subject.answer(Ticket(subject.refs[0].version))) == "not-ready"


async def test_an_engine_that_dies_says_so_to_everybody(subject: Subject) -> None:
    engine = subject.engine
    if isinstance(engine, ScriptedEngine):
        engine.script.gate = asyncio.Semaphore(1)

    async def talk() -> None:
        async for _ in engine.stream(Ticket(BASE), HELLO, LONG):
            subject.die()

    assert await refusal(talk) == "engine-died"
    assert await refusal(engine.status) == "engine-died"
    assert await refusal(lambda: engine.ready(subject.refs[0])) == "engine-died"


def test_capabilities_are_known_before_anything_is_loaded() -> None:
    assert make_engine(log=Path("engine.log")).capabilities == torch.CAPABILITIES
    assert set(torch.CAPABILITIES.kinds) == set(KINDS)
    assert Script()(log=Path("engine.log")).capabilities == CAPABILITIES
    with pytest.raises(ValueError, match="no back end 'abacus'"):
        make_engine(log=Path("engine.log"), back_end="abacus")
