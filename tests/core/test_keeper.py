"""The keeper: an engine that dies comes back with the right version, and one that keeps dying is left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.engines.scripted import DIED, Script
from bot.types import AdapterRef, BaseSpec, EngineError
from store.words import Version
from tui.core.errors import DeskError
from tui.core.events import EngineState
from tui.core.keeper import EngineKeeper


class Bench:
    """A keeper over engines that do as they are told. ``faults``: what each load raises, in order."""

    def __init__(self, tmp_path: Path, faults: Sequence[EngineError | None] = ()) -> None:
        self.script = Script(loads=list(faults))
        self.engines = self.script.engines
        self.states: list[EngineState] = []
        self.slept: list[float] = []
        self.time = 0.0
        self.prepared = 0
        self.missing = False
        self.keeper = EngineKeeper(
            self.spec, self.script, tmp_path / "engine.log", changed=self.states.append, prepare=self.prepare,
            clock=lambda: self.time, sleep=self.sleep,
        )  # fmt: skip

    def spec(self) -> BaseSpec:
        if self.missing:
            raise DeskError("This desk has no model yet.")
        return BaseSpec("/base")

    async def prepare(self) -> None:
        self.prepared += 1
        version = (await self.keeper.ready(AdapterRef(Version("v1"), "/v1"))).version
        self.keeper.serve(version)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    async def until(self, *names: str) -> None:
        while self.keeper.state.name not in names:
            await self.keeper.moved()


async def test_a_started_engine_serves_the_active_version(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.keeper.start()
    assert (bench.keeper.state.name, bench.keeper.serving) == ("ready", "v1")
    assert [state.name for state in bench.states] == ["starting", "ready"]


async def test_a_desk_without_a_base_says_how_to_get_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.missing = True
    await bench.keeper.start()
    assert bench.keeper.state == EngineState("absent", "This desk has no model yet.")
    with pytest.raises(DeskError, match="no model yet"):
        await bench.keeper.wait_ready()


async def test_a_base_that_comes_later_is_found(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.missing = True
    await bench.keeper.start()
    bench.missing = False
    await bench.keeper.wait_ready()
    assert bench.keeper.state.name == "ready"


async def test_an_idle_engine_that_dies_is_restarted_with_its_version(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.keeper.start()
    bench.engines[0].die()
    assert bench.keeper.state.name == "restarting"
    await bench.until("ready", "failed")
    assert (bench.keeper.state.name, bench.keeper.serving, bench.prepared) == ("ready", "v1", 2)
    assert bench.engines[0].closed
    assert bench.slept == [0.5]


async def test_an_engine_that_dies_in_use_is_restarted_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.keeper.start()

    async def use() -> None:
        async with bench.keeper.turn():
            bench.engines[0].die()  # both ways a death shows: the callback and the error of the call in flight
            raise DIED

    with pytest.raises(EngineError):
        await use()
    await bench.until("ready", "failed")
    assert len(bench.engines) == 2
    async with bench.keeper.turn() as engine:
        assert engine is bench.engines[1]


async def test_an_engine_that_keeps_dying_is_given_up_with_its_log(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [None, DIED, DIED, DIED])
    await bench.keeper.start()
    bench.engines[0].die()
    await bench.until("failed")
    assert len(bench.engines) == 3
    assert bench.slept == [0.5, 1.0]
    assert str(tmp_path / "engine.log") in bench.keeper.state.sentence


async def test_a_given_up_engine_gets_a_fresh_chance_when_it_is_needed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [DIED, DIED, DIED])
    await bench.keeper.start()
    await bench.until("failed")
    async with bench.keeper.turn() as engine:
        assert engine is bench.engines[-1]


async def test_deaths_long_ago_do_not_count(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.keeper.start()
    for number in range(5):
        bench.time += 61
        bench.engines[number].die()
        await bench.until("ready", "failed")
    assert bench.keeper.state.name == "ready"


async def test_out_of_memory_is_not_tried_again(tmp_path: Path) -> None:
    bench = Bench(tmp_path, [EngineError("out-of-memory", "The model does not fit into memory.")])
    await bench.keeper.start()
    assert bench.keeper.state.name == "failed"
    assert bench.keeper.state.sentence.startswith("The model does not fit into memory.")
    assert len(bench.engines) == 1


async def test_who_asks_takes_turns_and_who_waits_is_told_for_what(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.keeper.start()
    order: list[str] = []

    async def second() -> None:
        async with bench.keeper.turn():
            order.append("second")

    async with bench.keeper.turn("A comparison is being made."):
        assert bench.keeper.state.sentence == "A comparison is being made."
        task = asyncio.create_task(second())
        for _ in range(5):
            await asyncio.sleep(0)
        order.append("first")
    await task
    assert order == ["first", "second"]


async def test_a_version_is_made_ready_while_a_reply_is_written_and_the_next_one_names_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.keeper.start()
    async with bench.keeper.turn():
        before = bench.keeper.serving
        readiness = await bench.keeper.ready(AdapterRef(Version("v2"), "/v2"))
        assert bench.keeper.serving == before == "v1"
        bench.keeper.serve(readiness.version)
        assert bench.engines[0].versions == ["v1", "v2"]  # the reply goes on with v1
    assert (bench.keeper.serving, bench.keeper.state.sentence) == ("v2", "Answering with v2.")


async def test_only_what_is_ready_can_serve_and_an_engine_that_is_gone_holds_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.keeper.start()
    with pytest.raises(EngineError, match="not loaded"):
        bench.keeper.serve(Version("v9"))
    await bench.keeper.unload("The chat waits.")
    assert bench.keeper.readiness(Version("v1")) is None
    with pytest.raises(EngineError, match="not running"):
        await bench.keeper.ready(AdapterRef(Version("v1"), "/v1"))


async def test_an_unloaded_engine_says_why_the_chat_waits(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.keeper.start()
    await bench.keeper.unload("The chat waits for the retraining.")
    assert bench.engines[0].closed
    with pytest.raises(DeskError, match="waits for the retraining"):
        await bench.keeper.wait_ready()
    await bench.keeper.reload()
    assert (bench.keeper.state.name, bench.keeper.serving) == ("ready", "v1")


async def test_a_closed_keeper_restarts_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.keeper.start()
    await bench.keeper.close()
    bench.engines[0].die()
    assert bench.keeper.state.name == "absent"
    assert len(bench.engines) == 1


async def test_an_engine_that_is_just_restarting_can_be_unloaded(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.keeper.start()
    bench.engines[0].die()
    await bench.keeper.unload("The chat waits.")
    for _ in range(5):
        await asyncio.sleep(0)
    assert bench.keeper.state == EngineState("absent", "The chat waits.")


async def test_a_changed_base_is_loaded_afresh_between_replies(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    await bench.keeper.start()
    async with bench.keeper.turn():
        task = asyncio.create_task(bench.keeper.restart())
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(bench.engines) == 1
    await task
    assert (bench.keeper.state.name, bench.keeper.serving, len(bench.engines)) == ("ready", "v1", 2)
