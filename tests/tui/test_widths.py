"""No word vanishes, whichever opinion of a character's width the terminal has."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len, get_character_cell_size
from textual.content import Content

from store.desk import Desk
from tests.tui import scenes
from tests.tui.terminal import CALL, PATIENCE
from tui.terminal.widths import measure_by_the_wider

HINDI = "नहीं, दुकान रविवार को बंद रहती है। सोमवार से शनिवार सुबह नौ बजे से शाम पाँच बजे तक खुली रहती है। 👍🏽✅❤️"
TAMIL = "கடை ஞாயிற்றுக்கிழமை மூடப்பட்டிருக்கும், திங்கள் முதல் சனி வரை காலை ஒன்பது மணி முதல் மாலை ஐந்து மணி வரை திறந்திருக்கும்."
BURMESE = "ဆိုင်ကို တနင်္ဂနွေနေ့တွင် ပိတ်ထားပါသည်။ တနင်္လာနေ့မှ စနေနေ့အထိ နံနက် ကိုးနာရီမှ ညနေ ငါးနာရီအထိ ဖွင့်ပါသည်။"


@pytest.fixture(autouse=True)
def measured() -> None:
    measure_by_the_wider()


def columns_in_c(text: str) -> int:
    """The columns of *text* by the C library's rule (``wcwidth``)."""
    return sum(
        0 if unicodedata.category(character) in ("Mn", "Me", "Cf")
        else 2 if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )  # fmt: skip


@pytest.mark.parametrize(
    ("character", "columns"),
    [
        ("\u093e", 1),  # Hindi: aa
        ("\u093f", 1),  # i, drawn before its consonant
        ("\u0941", 0),  # u, drawn below it
        ("\u094d", 0),  # virama
        ("\u0bbe", 1),  # Tamil: aa
        ("\u1031", 1),  # Burmese: e
        ("\u102d", 0),
        ("\u0301", 0),  # an acute accent
        ("\U0001f3fd", 2),  # a skin tone
        ("\u200d", 0),
        ("\ufe0f", 0),
        ("\u1161", 0),  # Korean: a, joined to the consonant before it
        ("a", 1),
        ("好", 2),
    ],
)
def test_a_character_takes_the_wider_of_two_widths(character: str, columns: int) -> None:
    assert get_character_cell_size(character) == columns


@pytest.mark.parametrize("text", [HINDI, TAMIL, BURMESE])
@pytest.mark.parametrize("width", [20, 34, 41, 76])
def test_no_line_is_wider_than_it_may_be_by_either_opinion(text: str, width: int) -> None:
    lines = [line.plain for line in Content(text).wrap(width)]
    assert max(columns_in_c(line) for line in lines) <= width
    assert max(cell_len(line) for line in lines) <= width
    assert " ".join(line.strip() for line in lines).split() == text.split()


def test_english_and_chinese_are_measured_as_ever() -> None:
    assert cell_len("Grüße, \u4f60\u597d!") == 12
    assert cell_len("cafe\u0301") == 4


@pytest.fixture
def tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """How tmux is called, with a server of this test's own."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed: nothing here draws as a terminal does")
    socket = tmp_path / "socket"
    if len(str(socket)) > 100:
        pytest.skip("the folder for temporary files has too long a name for a socket")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    command = ["tmux", "-S", str(socket), "-f", "/dev/null", "-u"]
    yield command
    subprocess.run([*command, "kill-server"], check=False, capture_output=True)


@pytest.mark.skipif(sys.platform != "linux", reason="the C library's opinion is tested on Linux")
@pytest.mark.parametrize("text", [HINDI, TAMIL, BURMESE])
def test_every_word_is_on_the_screen_of_a_terminal(tmux: list[str], text: str, tiny: Path, tmp_path: Path) -> None:
    with Desk.open(tmp_path / "home") as desk:
        desk.settings.set("base", str(tiny), "jo")
        scenes.said(desk, text[:40], ("?", text, "base", "complete"))
    subprocess.run(
        [*tmux, "new-session", "-d", "-s", "desk", "-x", "80", "-y", "24", *CALL, "--home", str(tmp_path / "home")],
        check=True,
    )  # fmt: skip
    wanted, deadline = set(text.split()), time.monotonic() + PATIENCE
    screen = ""
    while True:
        shown = subprocess.run([*tmux, "capture-pane", "-p", "-t", "desk"], capture_output=True, text=True, check=True)
        screen = unicodedata.normalize("NFC", shown.stdout)
        if wanted <= set(screen.replace("│", " ").replace("▏", " ").split()):
            break
        assert time.monotonic() < deadline, f"{wanted - set(screen.split())} missing\n{screen}"
        time.sleep(0.1)
