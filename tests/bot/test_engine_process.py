"""The engine as a real process, on a tiny model: what crosses the pipes, and what happens when it dies."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from bot import pulse, wire
from bot.engines import link, torch
from bot.engines.child import EngineProcess
from bot.engines.line import DIED
from bot.engines.torch.jobs import Job
from bot.engines.torch.process import EngineProcessMain
from bot.types import (
    AdapterRef,
    Answer,
    BaseSpec,
    Decoding,
    EngineError,
    EngineStatus,
    Priority,
    Prompt,
    RequestId,
    Ticket,
    new_id,
)
from store.words import BASE, Version
from tests import tiny as makers

HELLO = Prompt("You are a support agent.", (), "Hello")
SHORT = Decoding(max_new_tokens=12)
ENDLESS = Decoding(do_sample=True, max_new_tokens=4096, seed=1)  # ends by a stop; the text of chance goes on


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with a context long enough for a reply that has to be stopped."""
    folder = makers.make(tmp_path_factory.mktemp("models") / "long", "llama")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 8192, "eos_token_id": 1}))
    return folder


def made(log: Path, on_death: Callable[[], None] | None = None) -> EngineProcess:
    return EngineProcess(torch.MODULE, torch.CAPABILITIES, log=log, on_death=on_death)


@pytest.fixture
async def engine(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[EngineProcess]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as in conftest: nothing to gain on 64 x 64
    process = made(tmp_path / "engine.log")
    facts = await process.load(BaseSpec(str(base), "fp32"))
    assert (facts.model_type, facts.quantization, facts.context) == ("llama", "fp32", 8192)
    yield process
    await process.close()


async def collect(engine: EngineProcess, decoding: Decoding = SHORT, version: Version = BASE) -> tuple[str, Answer]:
    parts = [item async for item in engine.stream(Ticket(version), HELLO, decoding, "1")]
    answer = parts.pop()
    assert isinstance(answer, Answer)
    return "".join(str(part) for part in parts), answer


async def test_load_stream_batch_and_a_version(engine: EngineProcess, base: Path, tmp_path: Path) -> None:
    text, answer = await collect(engine)
    assert answer.new_tokens == 12
    assert answer.text.startswith(text.strip())
    assert answer.first_token_seconds is not None

    progress: list[tuple[int, int]] = []
    batch = await engine.batch(
        Ticket(BASE),
        [HELLO, Prompt("", (), "Hi")],
        SHORT,
        on_progress=lambda done, total: progress.append((done, total)),
    )
    assert batch[0].text == answer.text
    assert progress == [(1, 2), (2, 2)]

    folder = makers.make_adapter(base, tmp_path / "v1")
    measured = await engine.probe(str(folder))
    assert measured.finite
    makers.publish_adapter(folder, base, "v1")
    ref = AdapterRef(Version("v1"), str(folder))
    assert (await engine.ready(ref)).probe.values == pytest.approx(measured.values, abs=1e-3)
    _, adapted = await collect(engine, version=ref.version)
    assert adapted.text != answer.text
    assert adapted.reused_tokens == 0  # the cache was the base's
    status = await engine.status()
    assert status.ready == ("v1",)
    assert status.facts is not None
    assert (await collect(engine))[1].text == answer.text

    (folder / "adapter_model.safetensors").write_bytes(b"x")
    with pytest.raises(EngineError) as caught:
        await engine.ready(ref)
    assert caught.value.kind == "adapter-damaged"
    assert (await collect(engine, version=ref.version))[1].text == adapted.text  # what was verified is still in memory
    await engine.forget(ref.version)
    with pytest.raises(EngineError) as gone:
        await collect(engine, version=ref.version)
    assert gone.value.kind == "not-ready"


async def test_a_reply_that_is_stopped_ends_soon_and_the_next_is_whole(engine: EngineProcess) -> None:
    items: list[str | Answer] = []
    ticket = Ticket(BASE)
    async for item in engine.stream(ticket, HELLO, ENDLESS):
        items.append(item)
        if len(items) == 3:
            await engine.cancel(ticket.id)
    answer = items[-1]
    assert isinstance(answer, Answer)
    assert answer.finish == "stopped"
    assert answer.new_tokens < 3000
    assert (await collect(engine))[1].finish == "length"


async def test_leaving_a_stream_stops_it(engine: EngineProcess) -> None:
    async with aclosing(engine.stream(Ticket(BASE), HELLO, ENDLESS)) as stream:
        async for _ in stream:
            break
    assert (await collect(engine))[1].new_tokens == 12  # the engine is free again, and not stopped itself


async def test_a_stop_that_comes_before_the_reply_has_begun_is_not_lost(engine: EngineProcess) -> None:
    ticket = Ticket(BASE)
    stream = engine.stream(ticket, HELLO, ENDLESS)
    first = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)  # the request is written, nothing is read back yet
    await engine.cancel(ticket.id)
    items = [await first, *[item async for item in stream]]
    answer = items[-1]
    assert isinstance(answer, Answer)
    assert answer.finish == "stopped"
    assert answer.new_tokens < 3000


def work_off(*messages: wire.Request) -> list[wire.Event]:
    """What the process answers that has read all of *messages* before it begins to work."""
    out = io.BytesIO()
    main = EngineProcessMain(io.BytesIO(b"".join(map(wire.encode, messages))), out)
    main.read()
    main.work_off()
    return [wire.decode_event(line) for line in out.getvalue().splitlines()]


def asked(number: int, priority: Priority = Priority.CHAT) -> wire.Stream:
    return wire.Stream(
        id=RequestId(str(number)), version=BASE, priority=priority, prompt=HELLO, decoding=SHORT, conversation=None
    )


@pytest.fixture
def staying(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the input does not end this process."""
    monkeypatch.setattr(os, "_exit", lambda code: None)


@pytest.mark.usefixtures("staying")
def test_a_stop_ends_the_request_it_names_while_that_still_waits_and_no_other() -> None:
    one, two = asked(1), asked(2)
    stopped, other = work_off(one, two, wire.Cancel(id=one.id), wire.Cancel(id=RequestId("9")))
    assert isinstance(stopped, wire.Done)
    assert (stopped.id, wire.result_of(stopped, Answer).finish) == (one.id, "stopped")
    assert isinstance(other, wire.Failed)  # it came to its turn; there is no base
    assert (other.id, other.kind) == (two.id, "bad-request")


@pytest.mark.usefixtures("staying")
def test_who_is_more_urgent_is_answered_first() -> None:
    requests = [asked(0, Priority.IDLE), asked(1, Priority.GATE), asked(2), asked(3, Priority.CHANNEL), asked(4)]
    assert [event.id for event in work_off(*requests)] == ["2", "4", "3", "1", "0"]


def test_a_batch_that_always_has_to_give_way_takes_smaller_portions_until_they_come_to_an_end() -> None:
    prompts = tuple(Prompt("", (), str(number)) for number in range(30))
    batch = wire.Batch(id=new_id(), version=BASE, priority=Priority.GATE, prompts=prompts, decoding=SHORT)
    job = Job(Priority.GATE, 1, batch)
    sizes = []
    while job.left:
        sizes.append(len(job.portion))
        fits = sizes[-1] <= 5  # so many are answered before somebody comes
        before = len(job.answered)
        job.answered.update(job.portion if fits else ())
        job.pauses(len(job.answered) - before)
    assert sizes[:4] == [30, 12, 6, 3]
    assert set(sizes[4:]) == {6, 3}


async def test_a_batch_gives_way_in_its_middle_and_is_answered_whole_all_the_same(
    engine: EngineProcess, base: Path
) -> None:
    long = Decoding(max_new_tokens=40)
    prompts = [Prompt("", (), "Hi " * size) for size in range(1, 27)]  # more than are answered together
    alone = [answer.text for answer in await engine.batch(Ticket(BASE), prompts, long)]
    events: list[str] = []
    some = asyncio.Event()

    def answered(done: int, total: int) -> None:
        events.append("idle")
        some.set()

    idle = asyncio.create_task(engine.batch(Ticket(BASE, Priority.IDLE), prompts, long, on_progress=answered))
    await some.wait()  # the first of them are answered, and the others are worked on
    urgent = asyncio.create_task(collect(engine))
    urgent.add_done_callback(lambda task: events.append("urgent"))
    assert [answer.text for answer in await idle] == alone
    assert (await urgent)[1].new_tokens == 12
    assert events.index("urgent") < len(prompts)  # not behind the batch
    assert events.count("idle") == len(prompts)  # and none was answered twice


async def test_a_batch_that_has_given_way_can_be_cancelled(engine: EngineProcess) -> None:
    idle = asyncio.create_task(engine.batch(Ticket(BASE, Priority.IDLE), [HELLO] * 8, ENDLESS))
    await asyncio.sleep(0)  # the request is written
    urgent = Ticket(BASE)
    async with aclosing(engine.stream(urgent, HELLO, ENDLESS)) as stream:
        async for _ in stream:  # it is answered, so the batch waits
            idle.cancel()
            with pytest.raises(asyncio.CancelledError):
                await idle
            break
    assert (await collect(engine))[1].new_tokens == 12


async def test_a_stop_with_nothing_running_does_nothing(engine: EngineProcess) -> None:
    await engine.cancel(new_id())
    assert (await collect(engine))[1].new_tokens == 12


async def test_a_process_that_is_killed_in_mid_reply_is_reported_once(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    deaths: list[str] = []
    told = asyncio.Event()

    def died() -> None:
        deaths.append("dead")
        told.set()

    engine = made(tmp_path / "engine.log", died)
    await engine.load(BaseSpec(str(base), "fp32"))
    assert engine.pid is not None
    pid = engine.pid

    async def talk_until_killed() -> None:
        seen = 0
        async for _ in engine.stream(Ticket(BASE), HELLO, ENDLESS):
            seen += 1
            if seen == 2:
                os.kill(pid, signal.SIGKILL)

    with pytest.raises(EngineError) as caught:
        await talk_until_killed()
    assert caught.value.kind == "engine-died"
    await asyncio.wait_for(told.wait(), 10)
    with pytest.raises(EngineError) as again:
        await engine.status()
    assert again.value.kind == "engine-died"
    await engine.close()
    assert deaths == ["dead"]


async def test_closing_on_purpose_is_no_death(tmp_path: Path) -> None:
    deaths: list[int] = []
    engine = made(tmp_path / "engine.log", lambda: deaths.append(1))
    with pytest.raises(EngineError):
        await engine.load(BaseSpec(str(tmp_path / "none"), "fp32"))
    pid = engine.pid
    assert pid is not None
    await engine.close()
    await engine.close()
    assert not psutil.pid_exists(pid)
    assert deaths == []


async def test_a_base_that_is_not_there_is_said_in_words_and_the_process_lives(
    engine: EngineProcess, base: Path, tmp_path: Path
) -> None:
    with pytest.raises(EngineError) as caught:
        await engine.load(BaseSpec(str(tmp_path / "none"), "fp32"))
    assert caught.value.kind == "base-missing"
    with pytest.raises(EngineError) as early:
        await collect(engine)
    assert early.value.kind == "bad-request"
    await engine.load(BaseSpec(str(base), "fp32"))
    assert (await collect(engine))[1].new_tokens == 12


async def test_a_stopped_engine_is_killed_and_what_it_said_is_kept(
    engine: EngineProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[object] = []

    async def listen() -> None:
        async for item in engine.stream(Ticket(BASE), HELLO, ENDLESS):
            if not heard:
                assert engine.pid is not None
                os.kill(engine.pid, signal.SIGSTOP)
                monkeypatch.setattr(link, "BEAT", 0.05)
            heard.append(item)

    with pytest.raises(EngineError) as caught:
        await listen()
    assert (caught.value.kind, caught.value.sentence) == ("engine-died", DIED)
    assert heard


async def test_a_request_that_does_not_stop_when_told_ends_with_its_process(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "BEAT", 0.02)
    monkeypatch.setattr(pulse, "SILENT_BEATS", 10**6)
    monkeypatch.setattr(pulse, "STOPPING_SILENT_BEATS", 10**6)
    monkeypatch.setattr(pulse, "STOPPING_BEATS", 0)  # at the first look: text of chance may end early
    died = asyncio.Event()
    engine = made(tmp_path / "engine.log", died.set)
    await engine.load(BaseSpec(str(base), "fp32"))
    ticket = Ticket(BASE)
    computing = asyncio.create_task(engine.batch(ticket, [HELLO] * 64, ENDLESS))
    await asyncio.sleep(0)
    assert ticket.id in engine._line.in_flight
    engine._line._stopping.add(ticket.id)  # as if it had been told, and did not come to it
    with pytest.raises(EngineError) as caught:
        await computing
    assert (caught.value.kind, caught.value.sentence) == ("engine-died", DIED)
    await asyncio.wait_for(died.wait(), 60)
    await engine.close()


def child(*code: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "\n".join(code)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_the_process_ends_when_its_input_does() -> None:
    process = child("from bot.engines.torch.process import main", "main()")
    assert process.stdin is not None
    process.stdin.write(b'not json\n{"id":"1","op":"status"}\n')
    process.stdin.flush()
    assert process.stdout is not None
    answer = wire.decode_event(process.stdout.readline())
    assert isinstance(answer, wire.Done)
    assert (answer.id, wire.result_of(answer, EngineStatus).ready) == ("1", ())
    process.stdin.close()
    assert process.wait(20) == 0
    process.stdout.close()


def test_what_libraries_print_goes_to_the_log_and_not_into_the_pipe() -> None:
    process = child(
        "import os, subprocess, sys",
        "from bot.engines.torch import process as engine",
        "class Loud(engine.EngineProcessMain):",
        "    def _handle(self, job):",
        "        print('a library prints', flush=True)",
        "        os.write(1, b'and writes')",
        "        subprocess.run([sys.executable, '-c', 'print(1234567)'])",
        "        return None",
        "engine.EngineProcessMain = Loud",
        "engine.main()",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(b'{"id":"1","op":"status"}\n')
    process.stdin.flush()
    assert json.loads(process.stdout.readline()) == {"id": "1", "event": "done", "result": None}
    process.stdin.close()
    assert process.stdout.read() == b""
    log = process.stderr.read()
    for words in (b"a library prints", b"and writes", b"1234567"):
        assert words in log
    assert process.wait(20) == 0
    process.stdout.close()
    process.stderr.close()
