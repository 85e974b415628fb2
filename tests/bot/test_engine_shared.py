"""One engine for several clients: real hosts with a tiny model, and what happens when anything of it ends or hangs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from bot.engines import Engine, link, make_engine
from bot.engines.child import RemoteEngine
from bot.engines.line import DIED
from bot.engines.scripted import Script, ScriptedEngine
from bot.engines.shared import client, finding, guests, line, words
from bot.engines.shared.client import SharedEngine, SharedEngines
from bot.engines.shared.desk import SharedDesk
from bot.engines.shared.finding import NobodyThereError, Place, let_end, look
from bot.engines.shared.line import HostLine
from bot.types import (
    AdapterRef,
    Answer,
    BaseSpec,
    Decoding,
    EngineError,
    Priority,
    Prompt,
    RequestId,
    Ticket,
)
from store.words import BASE, Version
from tests import tiny as makers
from tests.hosting import PATIENCE, comes, place_of, running, scripted_host

ROOT = Path(__file__).parents[2]
HELLO = Prompt("You are a support agent.", (), "Hello")
SHORT = Decoding(max_new_tokens=8)
ENDLESS = Decoding(do_sample=True, max_new_tokens=4096, seed=1)  # ends by a stop; the text of chance goes on


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with a context long enough for a reply that has to be stopped."""
    folder = makers.make(tmp_path_factory.mktemp("models") / "long", "llama")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 8192, "eos_token_id": 1}))
    return folder


@pytest.fixture(scope="module")
def one(base: Path, tmp_path_factory: pytest.TempPathFactory) -> AdapterRef:
    """A version of it."""
    folder = makers.make_adapter(base, tmp_path_factory.mktemp("adapters") / "v1")
    makers.publish_adapter(folder, base, "v1")
    return AdapterRef(Version("v1"), str(folder))


class Desk:
    """A desk's folder, and clients of its engine; ``deaths``: of whose engine somebody was told."""

    def __init__(self, folder: Path, base: Path) -> None:
        self.folder, self.log, self.spec = folder, folder.parent / "engine.log", BaseSpec(str(base), "fp32")
        self.engines = SharedEngines(folder, make_engine, linger=0.3)
        self.deaths: list[int] = []
        self.all: list[SharedEngine] = []

    def client(self, engines: SharedEngines | None = None) -> SharedEngine:
        """One more that has no base yet."""
        number = len(self.all)
        self.all.append((engines or self.engines)(log=self.log, on_death=lambda: self.deaths.append(number)))
        return self.all[-1]

    async def asking(self, engines: SharedEngines | None = None) -> SharedEngine:
        """One more."""
        made = self.client(engines)
        await made.load(self.spec)
        return made

    def hosts(self) -> list[psutil.Process]:
        """The hosts of this desk that run."""
        return [
            process
            for process in psutil.process_iter(["cmdline", "status"])
            if {client.HOST, str(self.folder)} <= set(process.info["cmdline"] or [])
            and process.info["status"] != psutil.STATUS_ZOMBIE
        ]


@pytest.fixture
async def desk(tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    made = Desk(tmp_path / "engine", base)
    yield made
    for one in made.all:
        await one.close()
    await comes(lambda: not made.hosts())


async def answered(engine: Engine, version: Version = BASE) -> Answer:
    """The whole of a short answer."""
    async for item in engine.stream(Ticket(version), HELLO, SHORT):
        if isinstance(item, Answer):
            return item
    raise AssertionError("no answer came")


async def refused(awaitable: Awaitable[object]) -> EngineError:
    with pytest.raises(EngineError) as caught:
        await awaitable
    return caught.value


# -- several clients -------------------------------------------------------------------------------
async def test_clients_that_start_at_one_instant_have_one_engine_with_one_base(desk: Desk) -> None:
    clients = await asyncio.gather(*(desk.asking() for _ in range(4)))
    assert all(one.shared for one in clients)
    assert len({one.pid for one in clients}) == len(desk.hosts()) == 1
    children = desk.hosts()[0].children(recursive=True)
    assert len([child for child in children if "bot.engines.torch.process" in child.cmdline()]) == 1
    assert (await clients[0].status()).clients == 4
    texts = await asyncio.gather(*(answered(one) for one in clients))
    assert len({answer.text for answer in texts}) == 1
    await clients[0].close()
    await comes(lambda: has_clients(clients[1], 3))
    [seen] = await look(desk.folder)
    assert (seen.pid, seen.clients, seen.ready) == (clients[1].pid, 3, ())
    assert seen.facts == (await clients[1].status()).facts


async def has_clients(engine: Engine, count: int) -> bool:
    return (await engine.status()).clients == count


async def test_the_same_id_of_two_clients_is_two_requests_and_a_cancel_ends_ones_own(desk: Desk) -> None:
    mine, other = await desk.asking(), await desk.asking()
    same = RequestId("1")
    heard: list[str | Answer] = []
    theirs = asyncio.create_task(other.batch(Ticket(BASE, Priority.GATE, same), [HELLO] * 3, SHORT))
    async for item in mine.stream(Ticket(BASE, id=same), HELLO, ENDLESS):
        heard.append(item)
        if len(heard) == 2:
            await other.cancel(RequestId("2"))
            await mine.cancel(same)
    assert isinstance(heard[-1], Answer)
    assert heard[-1].finish == "stopped"
    assert [answer.finish for answer in await theirs] == ["length"] * 3


async def test_a_version_is_there_for_all_who_use_it_and_gone_when_nobody_does(desk: Desk, one: AdapterRef) -> None:
    mine, other = await desk.asking(), await desk.asking()
    await mine.ready(one)
    said = (await answered(other, one.version)).text  # which makes it a user
    await mine.forget(one.version)
    assert (await mine.status()).ready == (one.version,)
    assert (await answered(other, one.version)).text == said
    await other.load(desk.spec)  # as if it had just begun
    assert (await other.status()).ready == ()
    assert (await refused(answered(mine, one.version))).kind == "not-ready"
    await mine.ready(one)
    await mine.close()  # without a word about it
    await comes(lambda: has_no_version(other))


async def has_no_version(engine: Engine) -> bool:
    return (await engine.status()).ready == ()


async def test_a_client_that_is_killed_frees_what_it_asked_and_used(desk: Desk, base: Path, one: AdapterRef) -> None:
    mine = await desk.asking()
    command = [sys.executable, "-m", "tests.bot.sharing", str(desk.folder), str(base), one.folder]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    assert int(await process.stdout.readline()) == mine.pid
    assert (await look(desk.folder))[0].clients == 2
    process.kill()
    await process.wait()
    assert (await answered(mine)).new_tokens == 8  # what it waited for never ends by itself
    await comes(lambda: has_no_version(mine))
    assert (await mine.status()).clients == 1


async def test_a_chat_comes_between_the_portions_of_a_long_scoring(tmp_path: Path) -> None:
    async with hosted(tmp_path / "engine", Script()) as (mine, engine):
        texts = [(HELLO, "Hi" * number) for number in range(20)]
        assert len(await mine.likelihoods(Ticket(BASE, Priority.GATE), texts)) == 20
        assert len(engine.script.scored) == 20 // guests.PORTION
        await mine.likelihoods(Ticket(BASE), texts)  # somebody waits for it
        assert len(engine.script.scored) == 20 // guests.PORTION + 1


async def test_a_scoring_in_portions_says_what_one_in_one_piece_says(desk: Desk) -> None:
    mine = await desk.asking()
    texts = [(HELLO, "It is in your account. " * number) for number in (3, 1, 2, 5, 4)]
    whole = await mine.likelihoods(Ticket(BASE), texts)
    for ticket in (Ticket(BASE, Priority.GATE), Ticket(BASE, Priority.IDLE)):
        assert await mine.likelihoods(ticket, texts) == pytest.approx(whole, abs=0.01)


async def test_files_that_others_use_are_not_exchanged(tmp_path: Path) -> None:
    async with hosted(tmp_path / "engine", Script()) as (mine, engine):
        other = RemoteEngine(
            HostLine(await finding.call(place_of(tmp_path / "engine", SPEC)), None), engine.capabilities
        )
        await mine.ready(AdapterRef(Version("v1"), "/one"))
        assert (await refused(other.ready(AdapterRef(Version("v1"), "/other")))).kind == "bad-request"
        await mine.ready(AdapterRef(Version("v1"), "/other"))  # its own
        assert engine.made_ready == ["v1", "v1"]
        await other.close()


SPEC = BaseSpec("/base", "nf4", "0" * 64)


@asynccontextmanager
async def hosted(folder: Path, script: Script) -> AsyncIterator[tuple[SharedEngine, ScriptedEngine]]:
    """A client of a host whose back end is scripted."""
    async with scripted_host(folder, SPEC, script) as engine:
        mine = SharedEngines(folder, script, starts=False)(log=Path("engine.log"))
        await mine.load(SPEC)
        assert mine.shared
        yield mine, engine
        await mine.close()


async def test_what_a_client_has_left_is_dropped_also_if_it_was_the_only_one(tmp_path: Path) -> None:
    folder, script = tmp_path / "engine", Script()
    engines = SharedEngines(folder, script, starts=False)
    async with scripted_host(folder, SPEC, script, linger=0.5) as engine:
        first, second = engines(log=Path("engine.log")), engines(log=Path("engine.log"))
        await first.load(SPEC)
        await first.ready(AdapterRef(Version("v1"), "/one"))
        await first.close()
        await second.load(SPEC)
        assert engine.versions == ["v1"]  # as for the next command of a script
        await comes(lambda: not engine.versions)
        assert (await second.status()).clients == 1
        await second.close()


async def test_another_account_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with hosted(tmp_path / "engine", Script()):
        own = SharedEngines(tmp_path / "engine", Script(), starts=False)
        for side in (guests, finding):
            with monkeypatch.context() as patched:
                patched.setattr(side, "peer", lambda line: (1, os.geteuid() + 1))
                stranger = own(log=Path("engine.log"))
                await stranger.load(SPEC)
                assert not stranger.shared


# -- ends and hangs --------------------------------------------------------------------------------
@pytest.mark.parametrize("victim", ["host", "back end"])
async def test_who_waits_is_told_when_it_is_killed_and_it_comes_back(desk: Desk, victim: str) -> None:
    mine, other = await desk.asking(), await desk.asking()
    pid = mine.pid
    assert pid is not None
    [back_end] = psutil.Process(pid).children()
    heard: list[str | Answer] = []

    async def talk() -> None:
        async for item in mine.stream(Ticket(BASE), HELLO, ENDLESS):
            heard.append(item)
            if len(heard) == 2:
                os.kill(pid if victim == "host" else back_end.pid, signal.SIGKILL)

    waiting = asyncio.create_task(other.batch(Ticket(BASE), [HELLO] * 8, ENDLESS))
    for failed in (await refused(talk()), await refused(waiting), await refused(mine.status())):
        assert (failed.kind, failed.sentence) == ("engine-died", DIED)
    assert len(heard) >= 2  # what was said is there
    await comes(lambda: sorted(desk.deaths) == [0, 1])
    await comes(lambda: not back_end.is_running() or back_end.status() == psutil.STATUS_ZOMBIE)
    again = await asyncio.gather(desk.asking(), desk.asking())
    assert again[0].pid == again[1].pid != pid
    assert (await answered(again[0])).new_tokens == 8


async def test_it_ends_shortly_after_its_last_client_and_leaves_nothing(desk: Desk) -> None:
    mine, other = await desk.asking(), await desk.asking()
    processes = [*desk.hosts(), *desk.hosts()[0].children(recursive=True)]
    await mine.close()
    assert (await answered(other)).new_tokens == 8
    await other.close()
    gone, alive = await asyncio.to_thread(psutil.wait_procs, processes, PATIENCE)
    assert (len(gone), alive) == (2, [])
    assert [path.name for path in desk.folder.iterdir()] == [finding.LOCK]
    assert desk.deaths == []


async def test_one_that_nobody_uses_is_let_go_at_once_and_one_in_use_stays(desk: Desk) -> None:
    patient = replace(desk.engines, linger=600.0)
    mine = await desk.asking(patient)
    await let_end(desk.folder)
    assert (await answered(mine)).new_tokens == 8
    processes = [*desk.hosts(), *desk.hosts()[0].children(recursive=True)]
    await mine.close()
    await comes(lambda: nobody_at(desk.folder))
    await let_end(desk.folder)
    _, alive = await asyncio.to_thread(psutil.wait_procs, processes, PATIENCE)
    assert alive == []


async def nobody_at(folder: Path) -> bool:
    return all(not welcome.clients for welcome in await look(folder))


async def test_a_back_end_that_hangs_is_replaced_with_its_host(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    gone, folder = asyncio.Event(), tmp_path / "engine"
    back_end = make_engine(log=tmp_path / "engine.log", on_death=gone.set)
    assert isinstance(back_end, RemoteEngine)
    spec = words.known(BaseSpec(str(base), "fp32"))
    async with running(folder, SharedDesk(back_end, spec, gone)):
        mine = SharedEngines(folder, make_engine, starts=False)(log=tmp_path / "engine.log")
        await mine.load(spec)

        async def talk() -> None:
            async with aclosing(mine.stream(Ticket(BASE), HELLO, ENDLESS)) as items:
                async for _ in items:
                    assert back_end.pid is not None
                    os.kill(back_end.pid, signal.SIGSTOP)
                    monkeypatch.setattr(link, "BEAT", 0.05)

        failed = await refused(talk())
        assert (failed.kind, failed.sentence) == ("engine-died", DIED)
        assert gone.is_set()
        await mine.close()


async def test_a_host_that_hangs_is_killed_by_its_clients(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "BEAT", 0.05)
    mine = await desk.asking()
    [host] = desk.hosts()
    host.suspend()
    assert (await refused(mine.status())).sentence == DIED
    await comes(lambda: not host.is_running() or host.status() == psutil.STATUS_ZOMBIE)
    assert desk.deaths == [0]


async def test_a_host_that_hangs_is_killed_by_who_calls_it_and_replaced(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "ANSWER_SECONDS", 0.5)
    first = await desk.asking()
    [host] = desk.hosts()
    host.suspend()
    second = await desk.asking()
    assert second.shared
    assert second.pid != host.pid
    await comes(lambda: desk.deaths == [0])
    assert (await refused(first.status())).sentence == DIED


# -- what else may lie there -----------------------------------------------------------------------
async def test_a_socket_that_nobody_listens_on_is_replaced(desk: Desk) -> None:
    place = place_of(desk.folder, desk.spec)
    assert finding.private(desk.folder)
    for path in (place.socket, desk.folder / f"{0:012x}"):
        stale = socket.socket(socket.AF_UNIX)
        stale.bind(str(path))
        stale.close()
    assert (await desk.asking()).shared
    assert sorted(path.name for path in desk.folder.iterdir()) == sorted([finding.LOCK, place.name])


async def test_a_file_that_is_no_socket_stays_and_the_client_has_an_engine_of_its_own(desk: Desk) -> None:
    place = place_of(desk.folder, desk.spec)
    assert finding.private(desk.folder)
    place.socket.write_text("mine")
    mine = await desk.asking()
    assert not mine.shared
    assert (await answered(mine)).new_tokens == 8
    assert place.socket.read_text() == "mine"


async def test_the_engine_of_another_desk_is_not_used(desk: Desk, tmp_path: Path, base: Path) -> None:
    other = Desk(tmp_path / "other", base)
    theirs = await other.asking()
    place = place_of(desk.folder, desk.spec)
    assert finding.private(desk.folder)
    place.socket.symlink_to(place_of(other.folder, other.spec).socket)
    mine = await desk.asking()
    assert not mine.shared
    assert mine.pid != theirs.pid
    assert (await other.all[0].status()).clients == 1
    await theirs.close()


async def test_a_folder_that_leads_elsewhere_is_not_used(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    desk.folder.symlink_to(tmp_path / "elsewhere")
    mine = await desk.asking()
    assert not mine.shared
    assert list((tmp_path / "elsewhere").iterdir()) == []


async def test_the_folder_and_what_lies_in_it_is_the_owners_alone(desk: Desk) -> None:
    desk.folder.mkdir(mode=0o755)
    assert (await desk.asking()).shared
    modes = {path.stat().st_mode & 0o777 for path in desk.folder.iterdir()}
    assert (desk.folder.stat().st_mode & 0o777, modes) == (0o700, {0o600})


async def test_it_is_found_however_deep_the_desk_lies(desk: Desk, tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 80) / ("b" * 80)
    deep.mkdir(parents=True)
    desk.folder = deep / "engine"
    desk.engines = replace(desk.engines, folder=desk.folder)
    mine, other = await desk.asking(), await desk.asking()
    assert mine.shared
    assert mine.pid == other.pid


async def test_who_comes_by_a_link_has_the_same_engine(desk: Desk, tmp_path: Path, one: AdapterRef) -> None:
    (tmp_path / "way").symlink_to(tmp_path)
    (tmp_path / "base").symlink_to(desk.spec.folder)
    (tmp_path / "v1").symlink_to(one.folder)
    mine = await desk.asking()
    await mine.ready(one)
    desk.spec = replace(desk.spec, folder=str(tmp_path / "base"))
    other = await desk.asking(replace(desk.engines, folder=tmp_path / "way" / "engine"))
    assert other.pid == mine.pid
    await other.ready(replace(one, folder=str(tmp_path / "v1")))
    assert (await answered(other, one.version)).new_tokens == 8


async def test_without_such_sockets_it_is_found_by_a_port_and_opens_to_who_has_the_token(desk: Desk) -> None:
    desk.engines = replace(desk.engines, loopback=True)
    mine, other = await desk.asking(), await desk.asking()
    assert mine.pid == other.pid
    assert (await answered(other)).new_tokens == 8
    place = place_of(desk.folder, desk.spec)
    port = Place(desk.folder, place.name, loopback=True).port
    known = json.loads(port.read_text())
    assert port.stat().st_mode & 0o777 == 0o600
    port.write_text(json.dumps(known | {"token": "0" * 64}))
    assert not (await desk.asking()).shared
    port.write_text(json.dumps(known))
    assert (await mine.status()).clients == 2


# -- settings and upgrades -------------------------------------------------------------------------
async def test_another_grid_is_another_engine_and_the_former_ends_when_nobody_uses_it(desk: Desk) -> None:
    desk.engines = replace(desk.engines, linger=600.0)
    mine, other = await desk.asking(), await desk.asking()
    former, was = desk.hosts()[0], mine.pid
    desk.spec = replace(desk.spec, quantization="bf16")
    assert (await mine.load(desk.spec)).quantization == "bf16"
    assert mine.pid != was
    assert (await answered(other)).new_tokens == 8  # the other one goes on with what it has
    assert other.pid == was
    await other.load(desk.spec)
    assert other.pid == mine.pid
    assert former in desk.hosts()  # it waits for clients
    desk.spec = replace(desk.spec, quantization="nf4")
    await mine.load(desk.spec)  # which needs the memory that nobody uses
    assert former not in desk.hosts()
    assert (await answered(other)).new_tokens == 8
    for one in desk.all:
        await one.close()
    await comes(lambda: nobody_at(desk.folder))
    await let_end(desk.folder)


async def test_a_host_of_older_code_is_not_used_and_ends_with_its_last_client(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await desk.asking()
    pid = old.pid
    code = words.code()
    monkeypatch.setattr(words, "code", lambda: f"{code}, and more")
    new = await desk.asking()
    assert new.shared
    assert (new.pid, old.pid) != (pid, new.pid)
    assert (await answered(old)).new_tokens == (await answered(new)).new_tokens == 8
    await old.close()
    await comes(lambda: pid not in [host.pid for host in desk.hosts()])


async def test_who_only_joins_has_an_engine_of_its_own_where_there_is_none(desk: Desk) -> None:
    joining = replace(desk.engines, starts=False)
    alone = await desk.asking(joining)
    assert not alone.shared
    assert desk.hosts() == []
    mine = await desk.asking()
    joined = await desk.asking(joining)
    assert joined.shared
    assert joined.pid == mine.pid
    assert (await answered(alone)).text == (await answered(joined)).text


async def test_a_base_that_is_not_there_is_said_in_words(desk: Desk, tmp_path: Path) -> None:
    mine = desk.client()
    failed = await refused(mine.load(BaseSpec(str(tmp_path / "none"), "fp32")))
    assert failed.kind == "base-missing"
    await mine.load(desk.spec)
    assert (await answered(mine)).new_tokens == 8


async def test_whoever_says_nothing_of_sense_is_hung_up_on(desk: Desk) -> None:
    mine = await desk.asking()
    place = place_of(desk.folder, desk.spec)
    for said in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100 + b"\n", b"{}\n"):
        reader, writer = await asyncio.open_unix_connection(str(place.socket))
        writer.write(said)
        assert await reader.read() == b""
        writer.close()
    with pytest.raises(NobodyThereError):
        await finding.call(Place(desk.folder, "0" * 12))
    assert (await answered(mine)).new_tokens == 8
