"""A lost connection keeps the app, and its own browser finds it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from store.home import Home
from tests.web.conftest import holds
from tui.web.messages import Pace, Said, Unreadable, read
from tui.web.session import COLUMNS, ROWS, Link, Session, WindowSize, environment
from tui.web.sessions import MOST, NoRoom, Sessions

SIZE = WindowSize(80, 24)


class FakeLink:
    """A web socket that notes how it was closed."""

    code: int | None = None

    async def send_bytes(self, data: bytes) -> None:
        """Take it."""

    def end(self, code: int) -> None:
        """Note it."""
        self.code = code


class FakeSession(Session):
    """A session without a process."""

    def __init__(self, home: Home, owner: str | None, ended: Callable[[Session], None]) -> None:
        super().__init__(home, owner, ended)
        self.stopped = 0

    async def start(self, size: WindowSize) -> None:
        """Nothing runs."""

    async def stop(self) -> None:
        """It has gone at once."""
        self.stopped += 1
        self._ended(self)


@pytest.fixture
def sessions(home: Home) -> Sessions:
    return Sessions(home, FakeSession)


async def test_the_same_browser_and_tab_get_the_same_app_again(sessions: Sessions) -> None:
    first, second = FakeLink(), FakeLink()
    app = await sessions.enter("ann", "tab", first, SIZE)
    sessions.leave(app, first)
    assert (sessions.kept, app.linked) == (1, False)
    assert await sessions.enter("ann", "tab", second, SIZE) is app
    assert (sessions.kept, app.linked, len(sessions)) == (0, True, 1)


async def test_a_new_tab_takes_up_what_its_browser_lost_last_and_nobody_elses(sessions: Sessions) -> None:
    links = [FakeLink() for _ in range(5)]
    older, newer = [await sessions.enter("ann", name, link, SIZE) for name, link in zip("ab", links, strict=False)]
    sessions.leave(older, links[0])
    sessions.leave(newer, links[1])
    assert await sessions.enter("bob", "a", links[2], SIZE) not in (older, newer)
    assert await sessions.enter("ann", "c", links[3], SIZE) is newer
    assert await sessions.enter("ann", "a", links[4], SIZE) is older


async def test_the_last_connection_sees_the_app_and_the_one_before_is_told(sessions: Sessions) -> None:
    first, second = FakeLink(), FakeLink()
    app = await sessions.enter("ann", "tab", first, SIZE)
    await sessions.enter("ann", "tab", second, SIZE)
    assert (first.code, second.code) == (4001, None)
    sessions.leave(app, first)
    assert (app.linked, sessions.kept) == (True, 0)


async def test_what_nobody_takes_up_leaves(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.web.sessions.KEPT_SECONDS", 0.0)
    link = FakeLink()
    app = await sessions.enter("ann", "tab", link, SIZE)
    sessions.leave(app, link)
    await holds(lambda: len(sessions) == 0)
    assert isinstance(app, FakeSession)
    assert app.stopped == 1


async def test_who_cannot_come_again_is_not_waited_for(sessions: Sessions) -> None:
    link = FakeLink()
    sessions.leave(await sessions.enter(None, "", link, SIZE), link)
    await holds(lambda: len(sessions) == 0)


async def test_there_is_room_for_so_many_kept_ones_included(sessions: Sessions) -> None:
    links = [FakeLink() for _ in range(MOST)]
    for number, link in enumerate(links):
        app = await sessions.enter(f"browser {number}", "tab", link, SIZE)
        sessions.leave(app, link)
    assert not sessions.has_room("stranger", "tab")
    with pytest.raises(NoRoom):
        await sessions.enter("stranger", "tab", FakeLink(), SIZE)
    assert sessions.has_room("browser 0", "another tab")
    await sessions.close()
    assert len(sessions) == 0
    with pytest.raises(NoRoom):
        await sessions.enter("browser 0", "tab", FakeLink(), SIZE)


async def test_an_app_that_cannot_be_started_takes_no_room(home: Home) -> None:
    class Unable(FakeSession):
        async def start(self, size: WindowSize) -> None:
            raise OSError("no more processes")

    sessions = Sessions(home, Unable)
    with pytest.raises(OSError, match="no more"):
        await sessions.enter("ann", "tab", FakeLink(), SIZE)
    assert len(sessions) == 0


# -- what a page says ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "said"),
    [('["stdin", "a\\u001b[A"]', Said("stdin", "a\x1b[A")), ('["ping", "1"]', Said("ping", "1")),
     ('["resize", {"width": 90, "height": 30}]', Said("resize", WindowSize(90, 30))),
     ('["resize", {"width": 1000000000, "height": 1000000000}]', Said("resize", WindowSize(COLUMNS[1], ROWS[1]))),
     ('["resize", {"width": -5, "height": 0}]', Said("resize", WindowSize(COLUMNS[0], ROWS[0]))),
     ('["focus"]', Said("focus", None)), ('["blur"]', Said("blur", None))],
)  # fmt: skip
def test_messages_of_the_page_are_read(text: str, said: Said) -> None:
    assert read(text) == said


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '"stdin"', '["stdin"]', '["stdin", 5]', '["stdin", null]', '["quit"]', "[" * 100_000,
     '["resize", {"width": 90}]', '["resize", {"width": "90", "height": 30}]', '["resize", [1, 2]]',
     '["resize", {"width": 1e9, "height": 30}]', '["resize", {"width": true, "height": 30}]',
     '["resize", {"width": NaN, "height": 30}]', '["resize", {"width": ' + "9" * 5000 + ', "height": 1}]',
     '["deliver_chunk_request", {"key": "x", "size": 1}]'],
)  # fmt: skip
def test_other_messages_are_not(text: str) -> None:
    with pytest.raises(Unreadable):
        read(text)


def test_who_says_much_waits() -> None:
    now = 0.0
    pace = Pace(10, 20, lambda: now)
    assert [pace.due(1) for _ in range(20)] == [0.0] * 20
    assert pace.due(5) == pytest.approx(0.5)
    now = 10.0
    assert pace.due(20) == 0.0


async def test_of_many_sizes_the_app_is_told_the_last(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    async def send(self: Session, kind: bytes, data: bytes) -> None:
        told.append(data)

    monkeypatch.setattr(Session, "_send", send)
    monkeypatch.setattr("tui.web.session.RESIZE_SECONDS", 0.01)
    session = Session(home, "ann", lambda _: None)
    for columns in range(20, 120):
        session.resize(WindowSize(columns, 30))
    await holds(lambda: told)
    assert told == [b'{"type": "resize", "width": 119, "height": 30}']


async def test_a_browser_that_takes_nothing_does_not_stop_the_app(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tui.web.session.SEND_SECONDS", 0.01)

    class Deaf(FakeLink):
        async def send_bytes(self, data: bytes) -> None:
            await asyncio.Event().wait()

    link = Deaf()
    session = Session(home, "ann", lambda _: None)
    await session.take_up(link, SIZE)
    await session._draw(b"picture")
    assert not session.linked
    assert link.code is not None
    await session._draw(b"the next one")


def test_an_app_in_a_browser_knows_no_editor_and_no_secret(home: Home) -> None:
    given = {"VISUAL": "sh", "EDITOR": "sh", "TEXTUAL": "devtools", "TEXTUAL_LOG": "/x", "DESKLOOP_TOKEN": "t",
             "DESKLOOP_PASSWORD": "p",
             "DESKLOOP_HOME": "/elsewhere", "DESKLOOP_MODELS": "/models", "PATH": "/bin"}  # fmt: skip
    found = environment(given, home, SIZE)
    assert not {"VISUAL", "EDITOR", "TEXTUAL", "TEXTUAL_LOG", "DESKLOOP_TOKEN", "DESKLOOP_PASSWORD"} & set(found)
    assert (found["DESKLOOP_HOME"], found["DESKLOOP_MODELS"]) == (str(home.root), "/models")


def test_a_link_is_all_a_session_needs() -> None:
    link: Link = FakeLink()
    assert link is not None
