"""Logs say where something went wrong, and quote nobody."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch

from bot.traces import describe, private_loop, trace_of
from bot.types import EngineError
from finetune.failures import RunFailure

SAID = "My name is Quillfeather and I live at 7 Plover Lane"


def caught(work: Callable[[], object]) -> BaseException:
    try:
        work()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def raising(error: BaseException) -> Callable[[], object]:
    def work() -> object:
        raise error

    return work


def of_a_cause() -> None:
    try:
        int(SAID)
    except ValueError as error:
        raise RuntimeError(f"could not read {SAID}") from error


@pytest.mark.parametrize(
    "work",
    [
        lambda: int(SAID),
        lambda: {}[SAID],  # type: ignore[index]
        lambda: getattr(object(), SAID),
        lambda: SAID.encode("ascii") + "é".encode("ascii"),
        lambda: open(f"/no/such/{SAID}"),  # noqa: PTH123, SIM115
        raising(ValueError(SAID)),
        raising(RuntimeError(f"no template for {SAID}")),
        of_a_cause,
    ],
)
def test_a_trace_holds_the_places_and_no_words(work: Callable[[], object]) -> None:
    text = trace_of(caught(work))
    assert "test_traces.py" in text
    assert "Quillfeather" not in text
    assert "Plover" not in text


def test_what_can_quote_nobody_is_kept() -> None:
    assert describe(caught(lambda: torch.zeros(2, 3) @ torch.zeros(2, 3))).startswith("RuntimeError: mat1 and mat2 ")
    assert describe(caught(lambda: open("/no/such/file"))) == "FileNotFoundError: No such file or directory"  # noqa: PTH123, SIM115
    assert (
        describe(EngineError("failed", "The model could not do this.")) == "EngineError: The model could not do this."
    )
    assert describe(RunFailure("diverged", "loss nan")) == "RunFailure: loss nan"


def test_what_a_task_leaves_behind_quotes_nobody(capfd: pytest.CaptureFixture[str]) -> None:
    async def left_behind() -> None:
        private_loop(asyncio.get_running_loop())
        task = asyncio.create_task(asyncio.to_thread(int, SAID))
        await asyncio.wait([task])
        del task
        gc.collect()

    asyncio.run(left_behind())
    told = capfd.readouterr().err
    assert "ValueError\n" in told
    assert "Quillfeather" not in told


def test_a_process_that_was_told_so_quotes_nobody_at_its_end_either() -> None:
    code = (
        "import sys, threading\n"
        "from bot.traces import private_errors\n"
        "private_errors()\n"
        f"thread = threading.Thread(target=lambda: {{}}[{SAID!r}])\n"
        "thread.start(); thread.join()\n"
        "int(sys.argv[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, SAID], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("Traceback") == 2
    assert "KeyError\n" in done.stderr
    assert "ValueError\n" in done.stderr
