"""Commands whose input, output or locale is not as one would wish: a sentence or silence, never a traceback."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from store.desk import Desk
from store.pairs import NewPair
from tui.cli.root import COMMANDS

CALL = shlex.join([sys.executable, "-c", "from tui.cli import main; main()"])
WAITING = """
import asyncio, click
from tui.cli import root
from tui.cli.context import pass_cli

@click.command()
@pass_cli
def wait(cli):
    async def work():
        print("waiting", flush=True)
        try:
            await asyncio.sleep(600)
        finally:
            print("in order", flush=True)
    cli.run(work())

root.COMMANDS["wait"] = ("__main__", "wait")
root.main()
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A desk with more pairs than a pipe holds, not all of them in English."""
    with Desk.open(tmp_path / "home") as desk:
        answer = "Grüße, 你好, \U0001f44b. " * 20
        with desk.atomic():
            for number in range(300):
                desk.pairs.add(NewPair(f"Frage {number}?", answer), "import", "jo")
    return tmp_path / "home"


def shell(line: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line in a shell, ``deskloop`` being the command."""
    line = line.replace("deskloop", CALL)
    return subprocess.run(
        ["bash", "-c", line], env=os.environ | environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        encoding="utf-8", check=False,
    )  # fmt: skip


def calm(done: subprocess.CompletedProcess[str]) -> None:
    """Nothing that Python says by itself."""
    for word in ("Traceback", "Exception ignored", "Error:", "Errno"):
        assert word not in done.stderr, done.stderr


@pytest.mark.parametrize("options", ["", "--json"])
def test_a_pipe_that_nobody_reads_to_its_end_is_no_error(home: Path, options: str) -> None:
    done = shell(f"deskloop pairs list --home {home} {options} | head -1; exit ${{PIPESTATUS[0]}}")
    calm(done)
    assert done.returncode in (0, 1)
    assert len(done.stdout.splitlines()) == 1


def test_closed_and_full_streams_are_a_sentence_or_silence(home: Path) -> None:
    for end in (">&-", "2>&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-"):
        calm(shell(f"deskloop pairs list --home {home} {end}"))
        calm(shell(f"deskloop --help {end}"))
    with Desk.open(home) as desk:  # nothing was printed into its file
        assert desk.pairs.count() == 300
        assert desk.db.value("PRAGMA integrity_check") == "ok"


def test_an_export_into_a_closed_output_says_so(home: Path) -> None:
    done = shell(f"deskloop pairs export - --home {home} >&-")
    calm(done)
    assert (done.returncode, done.stderr) == (1, "Standard output is closed, so nothing was written.\n")


def test_a_question_that_nobody_can_answer_is_a_sentence(home: Path, tiny: Path) -> None:
    with Desk.open(home) as desk:
        desk.settings.set("base", str(tiny), "jo")
    for end in ("</dev/null", "<&-", "<&- 2>&-"):
        done = shell(f"deskloop retrain --home {home} --set epochs=1 {end}")
        assert "Traceback" not in done.stderr
        assert "2>&-" in end or "There is nobody to ask. Add --yes" in done.stderr
        assert done.returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", ["pairs list", "pairs list --json", "--help", "runs list"])
def test_output_that_can_not_be_written_is_a_failure(home: Path, words: str) -> None:
    done = shell(f"deskloop --home {home} {words} > /dev/full")
    calm(done)
    if words != "runs list":  # which has nothing to say
        assert done.returncode == 1
    calm(shell(f"deskloop pairs list --home {home} > /dev/null 2> /dev/full"))


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX"},
        {"LC_ALL": "xx_YY.broken"},
        {"LANG": "", "LC_ALL": ""},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii:strict"},
    ],
)
def test_data_is_the_same_in_every_locale(home: Path, locale: dict[str, str]) -> None:
    here = shell(f"deskloop pairs list --home {home}", LC_ALL="C.UTF-8")
    done = shell(f"deskloop pairs list --home {home}", **locale)
    calm(done)
    assert (done.returncode, done.stdout) == (0, here.stdout)
    assert "Grüße, 你好" in done.stdout


def test_text_that_comes_in_bytes_of_another_locale_is_read_as_what_it_is(home: Path) -> None:
    setting = "system_message"
    done = shell(
        f"deskloop settings set {setting} 'Grüße' --home {home}",
        LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0",
    )  # fmt: skip
    calm(done)
    assert done.returncode == 0
    with Desk.open(home) as desk:
        assert desk.settings.load().system_message == "Grüße"


def test_no_command_shows_a_traceback_when_nobody_listens() -> None:
    for name in COMMANDS:
        calm(shell(f"deskloop {name} --help >&- 2>&-"))
        calm(shell(f"deskloop {name} --help | true"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_command_that_is_told_to_end_ends_in_order(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(number)
        out, err = process.communicate()
    assert out == "in order\n"
    assert "Stopped. Everything finished before is saved." in err
    assert "Traceback" not in err
    assert process.returncode == (1 if number == signal.SIGINT else 128 + number)


def test_a_signal_that_whoever_started_the_command_ignores_stays_ignored() -> None:
    code = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n{WAITING}"
    with subprocess.Popen(
        [sys.executable, "-c", code, "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
