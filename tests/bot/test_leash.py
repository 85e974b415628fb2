"""What deskloop started ends with who started it, however that went."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bot import leash
from bot.child import child_options, module_command

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # seconds; far more than it takes anywhere
only_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends what can do nothing by itself")


def until(true: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def gone(pid: int) -> bool:
    """Whether a process has ended, reaped or not."""
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


class Tree:
    """Processes one below the other, of which this test holds the first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.first: subprocess.Popen[bytes] | None = None

    def plant(self, behaviour: str, depth: int) -> None:
        """Start it, and wait until the last one is there."""
        command = [sys.executable, "-m", "bot", "tests.bot.leashed", str(self._folder), behaviour, str(depth)]
        self.first = subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
        until(lambda: (self._folder / "last").exists())

    def pids(self) -> dict[str, int]:
        """The processes there are, by name."""
        return {path.name: int(path.read_text()) for path in self._folder.iterdir() if not path.suffix}

    def fell(self) -> None:
        """Kill the first one."""
        assert self.first is not None
        self.first.kill()
        self.first.wait()

    def clear(self) -> None:
        """Leave nothing behind, also of a failed test."""
        for pid in self.pids().values():
            if not gone(pid):
                os.kill(pid, signal.SIGKILL)
        if self.first is not None:
            self.first.kill()
            self.first.wait()


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """A tree that is not planted yet."""
    grown = Tree(tmp_path)
    yield grown
    grown.clear()


def test_a_kill_far_above_ends_every_process_below(tree: Tree) -> None:
    tree.plant("waiting", 3)
    pids = tree.pids()
    assert sorted(pids) == ["last", "link-1", "link-2", "link-3"]
    tree.fell()
    until(lambda: all(gone(pid) for pid in pids.values()))


def test_what_knows_of_no_leash_ends_with_who_started_it(tree: Tree) -> None:
    tree.plant("foreign", 1)
    tree.fell()
    until(lambda: all(gone(pid) for pid in tree.pids().values()))


@only_linux
def test_native_code_that_holds_the_interpreter_ends_too(tree: Tree) -> None:
    tree.plant("computing", 1)
    tree.fell()
    until(lambda: gone(tree.pids()["last"]))


@only_linux
def test_a_stopped_process_ends_too(tree: Tree) -> None:
    tree.plant("waiting", 1)
    os.kill(tree.pids()["last"], signal.SIGSTOP)
    tree.fell()
    until(lambda: gone(tree.pids()["last"]))


def test_a_forked_copy_holds_nobody(tree: Tree) -> None:
    tree.plant("forked", 0)  # kills itself; only its copy lives on
    until(lambda: "copy" in tree.pids())
    until(lambda: gone(tree.pids()["last"]))
    assert not gone(tree.pids()["copy"])


def test_a_child_without_a_leash_lives_on(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys; from bot.child import child_options, module_command; "
        f"command = [*module_command('tests.bot.leashed'), {str(tmp_path)!r}, 'waiting', '0']; "
        "out = subprocess.DEVNULL; child = subprocess.Popen(command, stdout=out, **child_options(leashed=False)); "
        "print(child.pid)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        check=True,
    )
    pid = int(done.stdout)
    try:
        until(lambda: (tmp_path / "last").exists())
        assert not gone(pid)
    finally:
        os.kill(pid, signal.SIGKILL)


def test_a_process_on_its_leash_starts_others_on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(leash.VARIABLE, "not a number")
    leash.follow()
    assert leash.VARIABLE not in os.environ
    options = child_options(pass_fds=(0,))
    descriptor = int(options["env"][leash.VARIABLE])
    assert options["pass_fds"] == (0, descriptor)
    assert not os.get_inheritable(descriptor)  # no program but who is handed it has it
    assert leash.VARIABLE not in child_options(leashed=False)["env"]


def test_the_command_runs_any_module_with_its_arguments() -> None:
    command = [*module_command("json.tool"), "--compact"]
    done = subprocess.run(command, input=b"[1, 2]", stdout=subprocess.PIPE, check=True, **child_options())
    assert done.stdout == b"[1,2]\n"
