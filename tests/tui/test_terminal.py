"""The app and its terminal: how it is left, what is typed there, where there is none."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from store.conversations.drafts import Draft
from store.desk import Desk
from tests.tui.terminal import CALL, PATIENCE, Terminal

WRITING = "mrite as"  # of the composer's placeholder, its first letter under the cursor: keys arrive there now
# What the terminal was told at the start, and what takes each back.
TAKEN_BACK = [
    ("\x1b[?1049h", "\x1b[?1049l"),  # the other screen
    ("\x1b[?1000h", "\x1b[?1000l"),  # the mouse
    ("\x1b[?1003h", "\x1b[?1003l"),
    ("\x1b[?1006h", "\x1b[?1006l"),
    ("\x1b[?2004h", "\x1b[?2004l"),  # brackets around pastes
    ("\x1b[?1004h", "\x1b[?1004l"),  # focus
    ("\x1b[?25l", "\x1b[?25h"),  # the cursor
]


@pytest.fixture
def home(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A desk with a conversation, whose engine has a real base to load."""
    monkeypatch.setenv("DESKLOOP_OPERATOR", "jo")
    with Desk.open(tmp_path / "home") as desk:
        desk.conversations.create("jo")
        desk.settings.set("base", str(tiny), "jo")
        return desk.home.root


def drafts(home: Path) -> list[Draft]:
    with Desk.open(home) as desk:
        return desk.drafts.take("jo")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_the_terminal_as_it_was_and_keeps_what_was_typed(home: Path, number: signal.Signals) -> None:
    with Terminal("--home", str(home)) as terminal:
        terminal.until(WRITING)
        assert terminal.modes() != terminal.before
        terminal.type("\x1b[200~half a sent\x1b[201~")  # as a paste it is drawn at once
        terminal.until("half a sent")
        children = psutil.Process(terminal.process.pid).children(recursive=True)
        os.kill(terminal.process.pid, number)
        assert terminal.end() == 128 + number
        assert terminal.modes() == terminal.before
        seen = terminal.seen.decode("utf-8", "replace")
        for taken, back in TAKEN_BACK:
            assert seen.rfind(back) > seen.rfind(taken) > -1, back
        assert "Traceback" not in seen
        psutil.wait_procs(children, PATIENCE)
        assert not any(child.is_running() for child in children)
    assert drafts(home) == [Draft("half a sent", conversation=1)]


def test_the_first_screen_of_a_new_desk_is_drawn_and_ends_by_a_signal_too(tmp_path: Path) -> None:
    with Terminal("--home", str(tmp_path / "new")) as terminal:
        terminal.until("Welcome")
        assert terminal.modes() != terminal.before
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM
        assert terminal.modes() == terminal.before
        assert b"Traceback" not in terminal.seen
    assert not (tmp_path / "new").exists()


def test_from_the_first_screen_into_the_new_desk(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKLOOP_MODELS", str(tmp_path / "models"))  # without a model: the chat opens all the same
    with Terminal("--home", str(tmp_path / "new")) as terminal:
        terminal.until("Welcome")
        terminal.type("\t\t\r")  # the third way: an empty desk
        terminal.until(WRITING)
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM
        assert terminal.modes() == terminal.before
    assert (tmp_path / "new" / "desk.db").exists()


def test_what_was_kept_is_there_again(home: Path) -> None:
    with Desk.open(home) as desk:
        desk.drafts.keep([Draft("half a sentence", conversation=1)], "jo")
    with Terminal("--home", str(home)) as terminal:
        terminal.until("half a sentence")
        assert drafts(home) == []  # taken up


def test_a_terminal_that_is_gone_ends_the_app(home: Path) -> None:
    with Terminal("--home", str(home)) as terminal:
        terminal.until(WRITING)
        terminal.type("\x1b[200~half a sent\x1b[201~")  # as a paste it is drawn at once
        terminal.until("half a sent")
        children = psutil.Process(terminal.process.pid).children(recursive=True)
        terminal.hang_up()
        assert terminal.process.wait(PATIENCE) == 128 + signal.SIGHUP
        psutil.wait_procs(children, PATIENCE)
        assert not any(child.is_running() for child in children)
    assert drafts(home) == [Draft("half a sent", conversation=1)]


def test_a_paste_without_brackets_is_one_message(home: Path) -> None:
    text = "Hello,\rmy order 4711\tis late.\r\rWhere is it?"
    with Terminal("--home", str(home)) as terminal:
        terminal.until(WRITING)
        terminal.type(text)
        terminal.until("Where")
        os.kill(terminal.process.pid, signal.SIGTERM)
        terminal.end()
    assert drafts(home) == [Draft(text.replace("\r", "\n"), conversation=1)]
    with Desk.open(home) as desk:
        assert desk.conversations.turns(1) == []  # nothing was sent


def test_a_long_paste_without_brackets_comes_in_pieces_and_is_one(home: Path) -> None:
    text = "".join(f"Line {number} of a long story.\r" for number in range(400)) + "The end"
    with Terminal("--home", str(home)) as terminal:
        terminal.until(WRITING)
        rest = text.encode()
        while rest:
            try:
                rest = rest[os.write(terminal.controller, rest[:1000]) :]
            except BlockingIOError:
                time.sleep(0.001)  # the terminal is full for a moment
        terminal.until("The end")
        os.kill(terminal.process.pid, signal.SIGTERM)
        terminal.end()
    assert drafts(home) == [Draft(text.replace("\r", "\n"), conversation=1)]


@pytest.mark.parametrize(("kind", "said"), [("dumb", "TERM is 'dumb'"), ("", "TERM is not set"), (None, "not set")])
def test_a_terminal_on_which_nothing_can_be_placed_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, kind: str | None, said: str
) -> None:
    with Terminal("--home", str(home), kind=kind) as terminal:
        assert terminal.end() == 1
        text = terminal.seen.decode()
    assert said in text
    assert "Traceback" not in text
    assert "\x1b" not in text


def test_without_a_terminal_for_input_the_app_is_refused(home: Path) -> None:
    with Terminal("--home", str(home), stdin=subprocess.DEVNULL) as terminal:
        assert terminal.end() == 1
        text = terminal.seen.decode()
    assert "its input comes from elsewhere" in text
    assert "Traceback" not in text


def test_without_a_terminal_for_output_the_app_is_refused(home: Path) -> None:
    done = subprocess.run([*CALL, "--home", str(home)], stdin=subprocess.PIPE, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert "its output goes elsewhere" in done.stderr
    assert "Traceback" not in done.stderr
