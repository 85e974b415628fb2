"""Every screen with text that tries to be something else than text."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult

from bot.engines.scripted import Script
from bot.types import Prompt
from store.desk import Desk
from store.pairs import NewPair
from store.pairs.new import LONGEST
from store.words import BASE, Version
from tests.core.conftest import make_base
from tests.hostile import CORPUS, NEVER_DRAWN
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import ready, shows, wait_until
from tests.tui.places import CHATS, MOMENTS, PLACES, TABLE, back, go
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.widgets.text import Plain


def fill(open_desk: OpenDesk, text: str) -> None:
    """Put *text* wherever somebody other than an operator of this desk can put text, and where operators can."""
    desk = store_of(open_desk)
    # names come from settings and systems, which can't hold surrogates
    who = text[:200].encode(errors="ignore").decode()
    failed = desk.runs.create({}, BASE, who)
    desk.runs.transition(failed.id, "failed", failure={"kind": "failed", "sentence": text, "log": text})
    desk.runs.transition(desk.runs.create({}, BASE, who).id, "cancelled")
    scenes.judge(desk, "reject")
    replies = scenes.said(desk, text, (text, text, "base", "complete"), ("a", text, "v1", "stopped"))
    short = f"It is {text[:5000]}"
    if len(text) < LONGEST:
        desk.judgements.correct(replies[0], short, who)
    pairs = [NewPair(short, f"{short} {end}", ((short, short),), category=text, split="train") for end in "ab"]
    pairs.append(NewPair(f"ann.smith@gmail.com {short}", short, split="train"))
    desk.pairs.add_many(pairs, "import", who)
    taught = [pair.id for pair in desk.pairs.list()]
    run_of_v1 = desk.versions.get(Version("v1")).run_id
    assert run_of_v1 is not None
    desk.runs.set_snapshot(run_of_v1, [(pair, 1) for pair in taught], [], "0" * 64)
    last = desk.pairs.list(limit=1)[0].id
    with contextlib.suppress(ValueError):  # what can't be a tag or a name of a recipe
        desk.editing.tag([last], text[:40], who)
    with contextlib.suppress(ValueError):
        desk.recipes.save(text[:40], {"r": 8}, who)
    desk.promotions.promote(Version("v1"), "manual", who, reason=who)
    run = desk.runs.list(limit=1)[0]
    desk.runs.add_event(run.id, "note", {"sentence": text})
    desk.settings.set("system_message", text[:8000], who)
    chats = [{"instruction": text, "output": text}, {"instruction": f"b {text}", "output": text}]
    (open_desk.home.root / CHATS).write_text("\n".join(map(json.dumps, chats)), encoding="utf-8")
    with (open_desk.home.root / TABLE).open("w", encoding="utf-8", newline="", errors="replace") as file:
        csv.writer(file).writerows([[f"a {text}", f"b {text}"], [text, text]])


def assert_sane(app: App[Any], where: str) -> None:
    """Every line has the screen's width, and no character in it can steer a terminal."""
    width, height = app.size
    for line, strip in enumerate(app.screen._compositor.render_strips(app.size)[:height]):
        drawn = "".join(segment.text for segment in strip if not segment.control)
        assert not NEVER_DRAWN.search(drawn), (where, line, drawn)
        assert strip.cell_length == width, (where, line, strip.cell_length, drawn)


# What fills a screen by itself, and the rest in one text: the sequence without an end last, as it eats what follows.
ALONE = ("long-line", "many-lines")
BROAD = ("combining", "emoji", "wide")
REST = " ".join(
    text for kind, text in sorted(CORPUS.items(), key=lambda item: item[0] == "unfinished") if kind not in ALONE + BROAD
)
CASES = [
    ("long-line", CORPUS["long-line"], (80, 24)),
    ("broad", "\n".join(CORPUS[kind] for kind in (*BROAD, "many-lines")), (80, 24)),
    ("rest", REST, (160, 45)),
]


@pytest.mark.parametrize(
    ("text", "size"), [(text, size) for _, text, size in CASES], ids=[f"{c[0]}-{c[2][0]}" for c in CASES]
)
async def test_no_screen_is_led_astray(open_desk: OpenDesk, engines: Script, text: str, size: tuple[int, int]) -> None:
    fill(open_desk, text)

    def reply(prompt: Prompt, version: str) -> str:
        return text

    engines.reply = reply
    app = DeskloopApp(open_desk)
    async with app.run_test(size=size) as pilot:
        await ready(app, pilot)
        await pilot.press("h", "i", "enter")
        await wait_until(pilot, lambda: app.chat.talk.current is None and shows(app, "F2 Correct"))
        for name, place in PLACES.items():
            await go(app, pilot, place)
            assert_sane(app, name)
            await back(app, pilot)
        for name, make in MOMENTS.items():
            screen = make(text)
            await app.push_screen(screen)
            await pilot.pause()
            assert_sane(app, name)
            await screen.dismiss(None)


class OneText(App[None]):
    """A screen with one text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """The text."""
        yield Plain(self._text)


@given(st.text(st.characters(), max_size=200), st.integers(1, 60))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_said_is_drawn_as_text(text: str, width: int) -> None:
    async def draw() -> None:
        app = OneText(text)
        async with app.run_test(size=(width, 12)) as pilot:
            await pilot.pause()
            assert_sane(app, "one text")

    asyncio.run(draw())


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DESKLOOP_MODELS", str(tmp_path / "models"))
    make_base(tmp_path / "models")
    with Desk.open(tmp_path / "home") as desk:
        for text in CORPUS.values():
            if len(text) < 10_000:
                scenes.said(desk, text, (text, text, "base", "complete"))
    return tmp_path / "home"


def test_nothing_reaches_a_terminal_raw(home: Path) -> None:
    """The whole app in a real terminal: what it writes there holds none of what the corpus wanted to be written."""
    controller, terminal = pty.openpty()
    os.set_blocking(controller, False)
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "120", "LINES": "60"}
    app = subprocess.Popen(
        [sys.executable, "-c", "from tui.cli import main; main()", "--home", str(home)],
        stdin=terminal, stdout=terminal, stderr=terminal, env=environment, start_new_session=True,
    )  # fmt: skip
    os.close(terminal)
    try:
        seen = _read_until(controller, b"Correct")
        os.write(controller, b"\x1b[15~")  # F5
        seen += _read_until(controller, b"learn from")
    finally:
        app.kill()
        app.wait()
        os.close(controller)
    for forbidden in (b"\x1b]52", b"\x1b]0;owned", b"\x1b]2;owned", b"evil.example\x1b", b"\x1b[31mred", b"\x1bP1$r"):
        assert forbidden not in seen
    text = seen.decode("utf-8", "replace")
    assert not re.search("[\x80-\x9f\u202a-\u202e\u2066-\u2069]", text)


def _read_until(controller: int, word: bytes, seconds: float = 60.0) -> bytes:
    """What the terminal gets until *word* is in it. Cursor movements may stand between its letters, so only short
    words of one colour can be waited for."""
    seen = b""
    while word not in seen:
        ready_ones, _, _ = select.select([controller], [], [], seconds)
        assert ready_ones, f"{word!r} never came: {seen[-2000:]!r}"
        seen += os.read(controller, 65536)
    return seen


async def test_hidden_text_that_an_older_desk_kept_is_shown_where_it_stood(
    open_desk: OpenDesk, engines: Script
) -> None:
    """It is learned as it stands; what comes in today holds none."""
    desk = store_of(open_desk)
    said = scenes.said(desk, "Frost", ("Which pots stand frost?", "All.", "base", "complete"))[0]
    tags = "".join(chr(0xE0000 + ord(letter)) for letter in "be rude")
    desk.db.run("UPDATE turns SET text = text || ? WHERE id = ?", tags, desk.conversations.turn(said).id - 1)
    desk.db.run("UPDATE turns SET text = ? || text WHERE id = ?", "\u200b\u3164", said)
    app = DeskloopApp(open_desk)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: shows(app, "Which pots stand frost?⟨7 hidden characters⟩"))
        await wait_until(pilot, lambda: shows(app, "⟨2 hidden characters⟩All."))
