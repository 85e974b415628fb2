"""Threads that wait for each other don't spin while somebody else needs the processor, and a run says who that is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot import contention
from bot.child import module_command
from bot.contention import CALM_LOOKS, STARVED_SECONDS, Contention, Culprit, WaitedTime, busiest_since, processor_times
from finetune.train.trainer import starved


class RecordedBrake:
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def hold(self) -> None:
        self.told.append("hold")

    def release(self) -> None:
        self.told.append("release")


class Machine:
    """A clock and a share of waiting, moved by the test."""

    def __init__(self) -> None:
        self.now, self.share, self._last = 100.0, 0.0, 100.0
        self.brake = RecordedBrake()
        self.said: list[Culprit | str | None] = []
        self.contention = Contention(
            self.said.append,
            lambda: self.said.append("calm"),
            brake=self.brake,
            waited=self._waited,
            busiest=lambda before, seconds: Culprit("make", 7, 0.9),
            clock=lambda: self.now,
        )

    def _waited(self) -> float:
        waited, self._last = (self.now - self._last) * self.share, self.now
        return waited

    def look(self, share: float, times: int = 1, seconds: float = 0.5) -> None:
        for _ in range(times):
            self.now += seconds
            self.share = share
            self.contention.look()


def test_a_calm_machine_is_left_alone() -> None:
    machine = Machine()
    machine.look(0.05, times=100)
    assert machine.brake.told == []
    assert machine.said == []


def test_spinning_is_cut_short_at_once_where_processors_are_short() -> None:
    machine = Machine()
    machine.look(0.02)
    machine.look(1.0)
    assert machine.brake.told == ["hold"]
    assert machine.contention.crowded


def test_it_stays_so_while_less_is_waited_and_ends_when_nothing_is() -> None:
    machine = Machine()
    machine.look(1.0)
    machine.look(0.5, times=50)  # what is waited with the brake on, beside one busy core
    machine.look(0.15, times=50)  # neither calm nor crowded
    assert machine.brake.told == ["hold"]
    machine.look(0.02, times=CALM_LOOKS)
    assert machine.brake.told == ["hold", "release"]


def test_a_program_that_comes_and_goes_does_not_flip_it() -> None:
    machine = Machine()
    for _ in range(10):
        machine.look(0.8)
        machine.look(0.01, times=CALM_LOOKS - 1)
    assert machine.brake.told == ["hold"]


def test_who_takes_the_processor_is_told_once_when_it_lasts_and_that_it_is_over() -> None:
    machine = Machine()
    machine.look(1.0)
    assert machine.said == []
    machine.look(0.5, times=int(STARVED_SECONDS / 0.5) + 20)
    assert machine.said == [Culprit("make", 7, 0.9)]
    machine.look(0.0, times=CALM_LOOKS)
    assert machine.said == [Culprit("make", 7, 0.9), "calm"]


def test_a_short_wait_is_not_worth_a_word() -> None:
    machine = Machine()
    machine.look(1.0, times=2)
    machine.look(0.0, times=CALM_LOOKS)
    assert machine.said == []


def test_the_wait_of_all_threads_counts_and_one_that_ended_does_not(tmp_path: Path) -> None:
    def write(thread: str, waited: int) -> None:
        (tmp_path / thread).mkdir(exist_ok=True)
        (tmp_path / thread / "schedstat").write_text(f"5 {waited} 1\n")

    write("1", 1_000_000_000)
    write("2", 7_000_000_000)
    time = WaitedTime(tmp_path)
    write("1", 1_500_000_000)
    (tmp_path / "2" / "schedstat").unlink()
    (tmp_path / "2").rmdir()
    write("3", 250_000_000)
    assert time.since_last() == 0.75
    assert time.since_last() == 0.0


def test_where_the_system_does_not_tell_nothing_is_watched(tmp_path: Path) -> None:
    brake = RecordedBrake()
    contention = Contention(brake=brake, waited=WaitedTime(tmp_path / "no such folder").since_last)
    contention.start()
    contention.look()
    assert brake.told == []


def test_the_busiest_other_process_is_found_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        monkeypatch.setattr(contention, "processor_times", lambda: {other.pid: 5.0, 1: 4.0})
        found = busiest_since({other.pid: 2.0, 1: 3.5}, 4.0)
        assert found is not None
        assert (found.pid, found.share) == (other.pid, 0.75)
        assert found.name.startswith("python")
        assert busiest_since({other.pid: 4.9, 1: 4.0}, 4.0) is None  # too little to starve anybody
    finally:
        other.communicate()


def test_this_process_is_not_among_the_others() -> None:
    assert os.getpid() not in processor_times()


def test_the_sentence_names_the_program() -> None:
    assert starved(Culprit("make", 7, 0.93)) == (
        "make (process 7) uses 93 % of a core. Training goes on more slowly until it is done."
    )
    assert starved(Culprit("ffmpeg", 7, 1.9)).startswith("ffmpeg (process 7) uses 1.9 cores.")
    assert starved(None) == "Other programs use the processor. Training goes on more slowly."


def test_held_pools_outnumber_the_processors_and_go_again() -> None:
    """In a process of its own: pools of a test's process would be those of its torch."""
    code = """
import json, os, time, torch
from bot.contention import SleepingPools
torch.set_num_threads(2)
torch.ones(1 << 20).add_(1)
count = lambda: len(os.listdir("/proc/self/task"))
pools = SleepingPools()
before = count()
same = torch.ones(1 << 20).sum().item()
pools.hold()
held = count()
pools.hold()
again = count()
pools.release()
deadline = time.monotonic() + 20  # a thread that was let go takes a moment to leave
while count() > before and time.monotonic() < deadline:
    time.sleep(0.01)
print(json.dumps([before, held, again, count(), same == torch.ones(1 << 20).sum().item()]))
"""
    if not Path("/proc/self/task").is_dir():
        pytest.skip("only Linux tells of a process's threads here")
    python = module_command("x")[0]
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True, env=environment)
    before, held, again, after, same = json.loads(done.stdout)
    assert held >= before + 2  # at least one sleeping thread with a pool of two
    assert again == held
    assert after == before
    assert same
