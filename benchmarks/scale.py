"""How the app feels on a desk of years: opening, scrolling, searching, a long conversation.

python -m benchmarks scale [--conversations 20000] [--turns 10] [--longest 500] [--home FOLDER]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from benchmarks.big_desk import LONGEST_TITLE, made
from benchmarks.common import machine, markdown_table, write_result
from store.desk import Desk
from tui.app import DeskloopApp
from tui.core.open_desk import OpenDesk
from tui.widgets.rows import Rows
from tui.widgets.turns import BotTurn, CustomerTurn

SIZE = (160, 45)
BEAT = 0.002  # seconds between two looks at whether the event loop is held up
QUERIES = ("order", "siena lamp", "退货", "no such word")
GIVE_UP = 60.0  # seconds


class Heartbeat:
    """The longest time for which the event loop could do nothing else: what an operator feels as a stutter. In seconds
    of the clock, and of the processor, which other programs on the machine don't lengthen."""

    def __init__(self) -> None:
        self.worst = self.worst_busy = 0.0

    async def beat(self) -> None:
        """Beat until cancelled."""
        while True:
            before, busy = time.perf_counter(), time.thread_time()
            await asyncio.sleep(BEAT)
            self.worst = max(self.worst, time.perf_counter() - before - BEAT)
            self.worst_busy = max(self.worst_busy, time.thread_time() - busy)


async def timed(work: Callable[[], Awaitable[object]]) -> dict[str, float]:
    """Seconds that *work* took, and the longest stutter meanwhile."""
    heart = Heartbeat()
    task = asyncio.create_task(heart.beat())
    start = time.perf_counter()
    await work()
    seconds = time.perf_counter() - start
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    return {"seconds": seconds, "stutter_seconds": heart.worst, "busy_seconds": heart.worst_busy}


async def until(holds: Callable[[], object]) -> None:
    """Wait until *holds*."""
    async with asyncio.timeout(GIVE_UP):
        while not holds():  # noqa: ASYNC110  # what is seen on a screen has no event to wait for
            await asyncio.sleep(BEAT)


def queries(home: Path) -> dict[str, float]:
    """The store alone: milliseconds of each question that the chat asks, the best of three."""
    with Desk.open(home) as desk:
        ids = desk.listing.ids()
        asked: dict[str, Callable[[], Any]] = {
            "every conversation's number": lambda: desk.listing.ids(),
            "those that need review": lambda: desk.listing.ids("needs review"),
            "those of today": lambda: desk.listing.ids("today"),
            "search: a letter": lambda: desk.listing.ids("all", "w"),
            "search: a word in most": lambda: desk.listing.ids("all", "when"),
            "search: two words": lambda: desk.listing.ids("all", "siena lamp"),
            "search: Chinese": lambda: desk.listing.ids("all", "退货"),
            "a window of rows with marks": lambda: desk.listing.rows(ids[9000:9130]),
            "the next reply to review": lambda: desk.review.next("least certain"),
            "progress of the review": lambda: desk.review.progress(),
            "a window of turns": lambda: desk.conversations.turns(ids[-1], limit=31),
            "corrections that wait": lambda: desk.judgements.waiting(),
        }
        return {name: min(_milliseconds(ask) for _ in range(3)) for name, ask in asked.items()}


def _milliseconds(ask: Callable[[], Any]) -> float:
    start = time.perf_counter()
    ask()
    return (time.perf_counter() - start) * 1000


async def app_times(home: Path, long: int) -> dict[str, dict[str, float]]:
    """The app itself, by keys."""
    found: dict[str, dict[str, float]] = {}
    desk = OpenDesk(home, operator="maria")
    app = DeskloopApp(desk)
    app.collector.begin()  # as tui.app.run_app does
    app.desk.engine.start = _no_engine  # type: ignore[method-assign]
    start = time.perf_counter()
    async with app.run_test(size=SIZE) as pilot:
        await until(lambda: app.screen is app.chat and app.chat.is_mounted and app.chat.query_one(Rows).count > 1)
        found["open the app, list and latest conversation shown"] = {"seconds": time.perf_counter() - start}
        listed = app.chat.query_one(Rows)
        while app.screen is not app.chat:
            await pilot.press("escape")
        await pilot.press("ctrl+l")
        found["one row down the list"] = await _each(pilot, "down", 50)
        found["one page down the list"] = await _each(pilot, "pagedown", 50)
        found["to the end of the list"] = await timed(lambda: pilot.press("end"))
        await pilot.press("ctrl+l")
        for words in QUERIES:
            found[f"search as you type: {words}"] = await timed(partial(_search, pilot, listed, words))
            found[f"search as you type: {words}"]["found"] = listed.count
        found["open a conversation of ten turns"] = await timed(lambda: app.chat.open(1))
        found["open one of 500 turns"] = await timed(lambda: app.chat.open(long))
        turns = desk.conversations.turns(long)
        middle = turns[len(turns) // 2].id
        found["open it in its middle"] = await timed(lambda: app.chat.open(long, at=middle))
        await until(lambda: app.chat.query(BotTurn))
        pilot.app.screen.query_one("#conversation-filter", Input).value = ""
        await until(lambda: listed.count > 1)
        await app.chat.open(long)
        with Desk.open(home) as other:
            found["a conversation that another app began is listed"] = await timed(lambda: _begun(other, listed))
            found["a message that another app wrote is shown"] = await timed(lambda: _written(other, app, long))
    return found


async def _begun(other: Desk, listed: Rows) -> None:
    """Begin a conversation in another app, and wait for its row in this one."""
    count = listed.count
    other.conversations.create("jo", "Begun elsewhere")
    await until(lambda: listed.count > count)


async def _written(other: Desk, app: DeskloopApp, conversation: int) -> None:
    """Write a message in another app, and wait for it in this one."""
    turn = other.conversations.add_customer(conversation, "Written elsewhere", "jo")
    await until(lambda: any(shown.turn.id == turn.id for shown in app.chat.query(CustomerTurn)))


async def _each(pilot: Pilot[None], key: str, times: int) -> dict[str, float]:
    taken = [await timed(lambda: pilot.press(key)) for _ in range(times)]
    return {
        "seconds": statistics.median(one["seconds"] for one in taken),
        "stutter_seconds": max(one["stutter_seconds"] for one in taken),
        "busy_seconds": max(one["busy_seconds"] for one in taken),
    }


async def _search(pilot: Pilot[None], listed: Rows, words: str) -> None:
    """Type *words* letter by letter, and wait for the list that fits them."""
    box = pilot.app.screen.query_one("#conversation-filter", Input)
    box.value = ""
    shown: list[str] = []  # the words for which the list was shown
    real = listed.show

    def show(*given: Any) -> None:
        shown.append(box.value)
        real(*given)

    listed.show = show  # type: ignore[method-assign, assignment]
    for letter in words:
        await pilot.press("space" if letter == " " else letter)
    await until(lambda: words in shown)
    listed.show = real  # type: ignore[method-assign]


async def _no_engine() -> None:
    """No model is needed to look at a desk."""


def main() -> None:
    """Make the desk, measure, write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=10, help="in each of them")
    parser.add_argument("--longest", type=int, default=500, help="turns of one more conversation")
    parser.add_argument("--home", help="a folder in which the desk stays; made if it is not there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="deskloop-scale-") as folder:
        home = Path(options.home or folder) / "desk"
        print("Making the desk...", file=sys.stderr)
        start = time.perf_counter()
        if not home.exists():
            made(home, options.conversations, options.turns, options.longest)
        filled = time.perf_counter() - start
        with Desk.open(home) as desk:
            long = int(desk.db.value("SELECT max(id) FROM conversations WHERE title = ?", LONGEST_TITLE))
            turns = int(desk.db.value("SELECT count(*) FROM turns"))
        asked = queries(home)
        app = asyncio.run(app_times(home, long))
    facts: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "conversations": options.conversations + 1,
        "turns": turns,
        "fill_seconds": filled,
        "queries_milliseconds": asked,
        "app": app,
    }
    rows = [
        {
            "in the app": name,
            "ms": f"{1000 * taken['seconds']:.0f}",
            "longest hold, ms": f"{1000 * taken['busy_seconds']:.0f}" if "busy_seconds" in taken else "",
            "found": f"{taken['found']:.0f}" if "found" in taken else "",
        }
        for name, taken in app.items()
    ]
    questions = [{"in the store": name, "ms": f"{taken:.1f}"} for name, taken in asked.items()]
    head = f"{facts['at']}; {facts['conversations']:,} conversations, {turns:,} turns; screen {SIZE[0]}x{SIZE[1]}."
    load, cores = facts["machine"]["load_average"], facts["machine"]["usable_cores"]
    note = (
        f"Load average {load} on {cores} cores. Times of the app are from the key to the picture and hold the test "
        "driver's own pauses (about 50 ms a key); a search waits 120 ms for further letters first. A hold is how long, "
        "in processor time, the event loop did nothing else."
    )
    tables = f"{markdown_table(rows)}\n{markdown_table(questions)}"
    write_result("scale", facts, f"# A desk of years\n\n{head} {note}\n\n{tables}")


if __name__ == "__main__":
    main()
