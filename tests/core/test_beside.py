"""Work on the store beside the event loop: cancelled, closed and failing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from store.desk import Desk
from store.pairs import NewPair
from tui.core.beside import Beside

FOREVER = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n WHERE i < 0"


@pytest.fixture
async def beside(desk: Desk) -> AsyncIterator[Beside]:
    made = Beside(desk.home)
    yield made
    await made.close()


async def test_questions_share_a_connection_and_a_thread_of_their_own(beside: Beside) -> None:
    first, second = [await beside.read(lambda store: (store, threading.current_thread())) for _ in range(2)]
    assert first == second
    assert first[1] is not threading.current_thread()


async def test_work_is_kept_and_its_error_is_its_callers(desk: Desk, beside: Beside) -> None:
    await beside.work(lambda store: store.pairs.add_many([NewPair("Where?", "Here.")], "import", "maria"))
    assert desk.pairs.count() == 1
    with pytest.raises(LookupError):
        await beside.work(lambda store: store.pairs.get(99))
    assert await beside.read(lambda store: store.pairs.count()) == 1


async def test_who_is_cancelled_stops_the_question_and_the_next_one_is_answered(beside: Beside) -> None:
    begun = threading.Event()

    def endless(store: Desk) -> object:
        begun.set()
        return store.db.value(FOREVER)

    asking = asyncio.create_task(beside.read(endless))
    await asyncio.to_thread(begun.wait)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert await beside.read(lambda store: store.pairs.count()) == 0


async def test_work_that_is_cancelled_leaves_nothing_of_its_transaction(desk: Desk, beside: Beside) -> None:
    begun, cancelled, ended = threading.Event(), threading.Event(), threading.Event()

    def half(store: Desk) -> None:
        try:
            with store.atomic():
                store.pairs.add_many([NewPair("Where?", "Here.")], "import", "maria")
                begun.set()
                cancelled.wait()
                store.pairs.add_many([NewPair("When?", "Now.")], "import", "maria")
        finally:
            ended.set()

    working = asyncio.create_task(beside.work(half))
    await asyncio.to_thread(begun.wait)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    cancelled.set()
    await asyncio.to_thread(ended.wait)
    await beside.close()
    assert desk.pairs.count(state="all") == 0


async def test_closing_stops_everything_and_waits_for_it(desk: Desk) -> None:
    before, beside, begun = set(threading.enumerate()), Beside(desk.home), threading.Event()

    def endless(store: Desk) -> object:
        begun.set()
        return store.db.value(FOREVER)

    tasks = [asyncio.create_task(beside.read(endless)), asyncio.create_task(beside.work(endless))]
    await asyncio.to_thread(begun.wait)
    await beside.close()
    assert all(
        isinstance(found, asyncio.CancelledError) for found in await asyncio.gather(*tasks, return_exceptions=True)
    )
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("desk-")]
    await beside.close()
    with pytest.raises(asyncio.CancelledError):
        await beside.read(lambda store: None)
