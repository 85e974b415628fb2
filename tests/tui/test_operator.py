"""An operator's day, by real keys on the real app; only the engine is scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from bot.engines.scripted import DIED, Script
from store.pairs import NewPair
from store.runs import RunLock
from store.words import BASE, Version
from tests.core.conftest import make_base, make_version
from tests.opened import store_of
from tests.tui.helpers import shows, told, wait_until
from tui.app import DeskloopApp
from tui.core import OpenDesk

SIZES = [(80, 24), (160, 45)]


@pytest.fixture
def script() -> Script:
    return Script(deltas=["We open ", "at nine."])


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKLOOP_MODELS", str(tmp_path / "models"))
    make_base(tmp_path / "models")


@asynccontextmanager
async def opened(
    tmp_path: Path, script: Script, size: tuple[int, int] = (80, 24), *, fresh: bool = False, setup: Any = None
) -> AsyncIterator[tuple[Pilot[None], OpenDesk]]:
    """The app on a desk, ready to chat; *fresh*: on a desk that was never used."""
    open_desk = OpenDesk(tmp_path / "home", operator="ann", engine_factory=script)
    if not fresh:
        store_of(open_desk).pairs.add(NewPair("When do you open?", "At nine.", split="train"), "import", "ann")
    if setup is not None:
        setup(open_desk)
    app = DeskloopApp(open_desk)
    async with app.run_test(size=size) as pilot:
        if not fresh:
            await wait_until(pilot, lambda: open_desk.engine.state.name == "ready", "the engine is ready")
        yield pilot, open_desk


async def say(pilot: Pilot[None], text: str) -> None:
    for character in text:
        await pilot.press("space" if character == " " else character)
    await pilot.press("enter")


def replies(open_desk: OpenDesk) -> list[Any]:
    conversations = store_of(open_desk).conversations
    listed = conversations.list()
    return [turn.reply for turn in conversations.turns(listed[0].id) if turn.reply] if listed else []


@pytest.mark.parametrize("size", SIZES)
async def test_ask_correct_and_see_it_wait(tmp_path: Path, script: Script, size: tuple[int, int]) -> None:
    async with opened(tmp_path, script, size) as (pilot, open_desk):
        await say(pilot, "hello")
        await wait_until(pilot, lambda: shows(pilot.app, "We open at nine."))
        await wait_until(pilot, lambda: replies(open_desk) and replies(open_desk)[0].state == "complete")
        assert shows(pilot.app, "base")
        await pilot.press("f2")
        await wait_until(pilot, lambda: shows(pilot.app, "It should have said"))
        await pilot.press(*"now", "ctrl+s")
        await wait_until(pilot, lambda: open_desk.judgements.waiting() == 1)
        await wait_until(pilot, lambda: shows(pilot.app, "1 correction waiting"))
        assert replies(open_desk)[0].correction == "now"
        await wait_until(pilot, lambda: shows(pilot.app, "corrected"))


async def test_approve_with_one_key(tmp_path: Path, script: Script) -> None:
    async with opened(tmp_path, script) as (pilot, open_desk):
        await say(pilot, "hello")
        await wait_until(pilot, lambda: replies(open_desk) and replies(open_desk)[0].state == "complete")
        await wait_until(pilot, lambda: shows(pilot.app, "We open at nine."))
        await pilot.pause()
        await pilot.press("f3")
        await wait_until(pilot, lambda: replies(open_desk)[0].approved)
        await wait_until(pilot, lambda: shows(pilot.app, "approved"))


async def test_again_is_a_new_reply_and_the_old_one_stays(tmp_path: Path, script: Script) -> None:
    async with opened(tmp_path, script, (160, 45)) as (pilot, open_desk):
        await say(pilot, "hello")
        await wait_until(pilot, lambda: replies(open_desk) and replies(open_desk)[0].state == "complete")
        await pilot.pause()
        script.deltas = ["Other", " words."]
        await pilot.press("f4")
        await wait_until(pilot, lambda: shows(pilot.app, "Other words."))
        assert shows(pilot.app, "We open at nine.")
        assert len(replies(open_desk)) == 2


async def test_stop_keeps_what_was_said_and_gives_the_message_back(tmp_path: Path, script: Script) -> None:
    script.pause = asyncio.Event()
    async with opened(tmp_path, script) as (pilot, open_desk):
        await say(pilot, "hello")
        await wait_until(pilot, lambda: shows(pilot.app, "We open"))
        await pilot.press("escape")
        await wait_until(pilot, lambda: replies(open_desk)[0].finished_at is not None)
        assert replies(open_desk)[0].state == "stopped"
        await wait_until(pilot, lambda: shows(pilot.app, "stopped"))


async def test_an_engine_that_dies_leaves_a_failed_reply_and_comes_back(tmp_path: Path, script: Script) -> None:
    script.ends = DIED
    async with opened(tmp_path, script) as (pilot, open_desk):
        await say(pilot, "hello")
        await wait_until(pilot, lambda: replies(open_desk) and replies(open_desk)[0].finished_at is not None)
        assert replies(open_desk)[0].state == "failed"
        await wait_until(pilot, lambda: shows(pilot.app, "failed"))
        script.ends = None
        await wait_until(pilot, lambda: open_desk.engine.state.name == "ready", "the engine is back")


async def test_hostile_text_is_shown_as_text(tmp_path: Path, script: Script) -> None:
    script.deltas = ["[/b] [ORDER-1234] ", "\x1b]52;c;aGk=\x07\x1b[31mred"]
    async with opened(tmp_path, script, (160, 45)) as (pilot, open_desk):
        conversation = store_of(open_desk).conversations.create("ann", title="[bold]x[/nope] \x1b[2J")
        async for _ in open_desk.chat.send(conversation.id, "[/b] [red]hi \x1b[2J[link=x]"):
            pass
        await pilot.press("ctrl+f")
        await pilot.press(*"hi")
        await wait_until(pilot, lambda: shows(pilot.app, "[red]hi"))
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(pilot.app, "[/b] [red]hi [link=x]"))
        await wait_until(pilot, lambda: shows(pilot.app, "[ORDER-1234]"))
        assert shows(pilot.app, "[bold]x[/nope]")
        await pilot.press("f2")
        await wait_until(pilot, lambda: shows(pilot.app, "It should have said"))


async def test_first_start_loads_the_sample_desk(tmp_path: Path, script: Script) -> None:
    async with opened(tmp_path, script, fresh=True) as (pilot, open_desk):
        await wait_until(pilot, lambda: shows(pilot.app, "Welcome to deskloop"))
        await pilot.press("enter")
        await wait_until(pilot, lambda: store_of(open_desk).pairs.count() > 200)


async def test_retrain_asks_first_and_says_what_stands_in_the_way(tmp_path: Path, script: Script) -> None:
    async with opened(tmp_path, script) as (pilot, open_desk):
        await pilot.press("f5")
        await wait_until(pilot, lambda: shows(pilot.app, "Pairs to learn from"))
        await wait_until(pilot, lambda: shows(pilot.app, "at least"))
        await pilot.press("enter")  # focus is on Cancel where there is a problem
        await wait_until(pilot, lambda: not shows(pilot.app, "Pairs to learn from"))
        assert store_of(open_desk).runs.list() == []


@pytest.mark.parametrize("size", SIZES)
async def test_a_run_is_in_view_and_its_verdict_and_swap_are_told(
    tmp_path: Path, script: Script, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.core.runs.POLL", 0.01)
    async with opened(tmp_path, script, size) as (pilot, open_desk):
        desk = store_of(open_desk)
        lock = RunLock(desk.home)
        assert lock.acquire()
        run = desk.runs.create({}, BASE, "ann")
        desk.runs.transition(run.id, "training", phase="training")
        step = {"step": 3, "steps": 9, "loss": 1.5, "learning_rate": 1e-3, "tokens_per_second": 200.0,
                "seconds_left": 61.0, "peak_memory_bytes": 2**30, "epoch": 0.3}  # fmt: skip
        desk.runs.add_event(run.id, "phase", {"phase": "training", "sentence": "Training on 12 examples."})
        desk.runs.add_event(run.id, "step", step)
        open_desk.runs.follow()
        await wait_until(pilot, lambda: shows(pilot.app, "step 3 of 9"))
        await pilot.press("f6")
        await wait_until(pilot, lambda: shows(pilot.app, "1:01 left"))
        await wait_until(pilot, lambda: shows(pilot.app, "Training on 12 examples."))
        await pilot.press("escape")
        name = make_version(desk)
        desk.runs.transition(run.id, "evaluating", candidate=Version(name))
        scores = {"bleu": 10.0, "chrf": 20.0, "exact": 0.1, "n": 30, "signature": "s"}
        better = {**scores, "bleu": 12.0}
        english = {"lang": "en", "n": 30, "p": 0.01, "active": scores, "candidate": better, "note": None}
        bleu = {"active": 10.0, "candidate": 12.0}
        report = {"sentence": f"{name} is better.", "bleu": bleu, "languages": [english]}
        desk.runs.save_report(run.id, "promote", report)
        with desk.atomic():
            desk.promotions.promote(Version(name), "gate", "ann", run_id=run.id)
            desk.runs.transition(run.id, "promoted")
        desk.runs.add_event(run.id, "done", {"run": run.id, "state": "promoted", "version": name, "verdict": "promote"})
        lock.release()
        await wait_until(pilot, lambda: shows(pilot.app, f"{name} is better."))
        await wait_until(pilot, lambda: shows(pilot.app, "BLEU"))
        await pilot.press("escape")
        await wait_until(pilot, lambda: open_desk.engine.serving == name)
        await wait_until(pilot, lambda: shows(pilot.app, f"{name}"))


async def test_versions_are_listed_activated_and_rolled_back(tmp_path: Path, script: Script) -> None:
    def two(open_desk: OpenDesk) -> None:
        make_version(store_of(open_desk))
        make_version(store_of(open_desk))

    async with opened(tmp_path, script, (160, 45), setup=two) as (pilot, open_desk):
        await pilot.press("f7")
        await wait_until(pilot, lambda: shows(pilot.app, "v2"))
        assert shows(pilot.app, "base")
        await pilot.press("pageup", "up", "up", "up")
        await pilot.press("enter")
        await wait_until(pilot, lambda: shows(pilot.app, "Activate"))
        await pilot.press("enter")
        await wait_until(pilot, lambda: open_desk.promotions.active == "v2")
        await wait_until(pilot, lambda: open_desk.engine.serving == "v2")
        for _ in range(3):
            await pilot.press("escape")
        await pilot.press("f8")
        await wait_until(pilot, lambda: shows(pilot.app, "Roll back to the bare base?"))
        await pilot.press("enter")
        await wait_until(pilot, lambda: open_desk.promotions.active == "base")


async def test_help_and_palette_open_everywhere(tmp_path: Path, script: Script) -> None:
    async with opened(tmp_path, script) as (pilot, _):
        await pilot.press("f1")
        await wait_until(pilot, lambda: shows(pilot.app, "Keys"))
        await pilot.press("escape", "f9")
        await wait_until(pilot, lambda: shows(pilot.app, "system_message"))
        await pilot.press("f1")
        await wait_until(pilot, lambda: shows(pilot.app, "Keys"))
        await pilot.press("escape", "escape", "ctrl+p")
        await wait_until(pilot, lambda: shows(pilot.app, "Search for commands"))


async def test_an_interrupted_run_is_offered(tmp_path: Path, script: Script) -> None:
    def interrupted(open_desk: OpenDesk) -> None:
        run = store_of(open_desk).runs.create({}, BASE, "ann")
        store_of(open_desk).runs.transition(run.id, "training")

    async with opened(tmp_path, script, setup=interrupted) as (pilot, open_desk):
        await wait_until(pilot, lambda: shows(pilot.app, "Run 1 was interrupted"))
        await pilot.press("tab", "enter")
        await wait_until(pilot, lambda: store_of(open_desk).runs.get(1).state == "cancelled")


async def test_a_run_that_cannot_be_resumed_is_said_and_the_app_goes_on(tmp_path: Path, script: Script) -> None:
    def interrupted(open_desk: OpenDesk) -> None:
        for _ in range(2):
            run = store_of(open_desk).runs.create({}, BASE, "ann")
            store_of(open_desk).runs.transition(run.id, "training")
            store_of(open_desk).runs.transition(run.id, "interrupted")

    async with opened(tmp_path, script, setup=interrupted) as (pilot, open_desk):
        lock = RunLock(open_desk.home)
        assert lock.acquire()
        await wait_until(pilot, lambda: shows(pilot.app, "was interrupted"))
        await pilot.press("enter")
        await wait_until(pilot, lambda: told(pilot.app, "already in progress"))
        await wait_until(pilot, lambda: shows(pilot.app, "was interrupted"), "the other one is offered, too")
        lock.release()
