"""One engine for all clients of a desk: what each further one costs, and what the check of a run does to a chat.

    python -m benchmarks sharing [--base FOLDER] [--clients 4] [--rounds 8]

Every client is a process of its own, and has asked something before memory is read (PSS, the engine's host and back end
together). For comparison as many engines of their own. Then one client asks as a chat does, calm and while another one
asks as a run's check does: 24 questions a request, of which a reply interrupts the generation. Last, `deskloop ask`
three times in a row on a desk of its own, where the second and third find the engine of the first.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from benchmarks.common import ROOT, Goal, starter, write_goals
from benchmarks.serving import QUESTIONS, SYSTEM
from bot.child import say
from bot.engines import Engine, make_engine, share_engine
from bot.engines.shared.finding import let_end
from bot.types import Answer, BaseSpec, Decoding, Priority, Prompt, Ticket
from store.words import BASE

COMMAND = "python -m benchmarks sharing"
SHORT, LONG = Decoding(max_new_tokens=16), Decoding(max_new_tokens=64)
TOGETHER = 24  # questions in a request of the check


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog=COMMAND, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", type=Path, help="folder of the base; by default the starter")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=8, help="how often the chat asks, calm and beside the check")
    parser.add_argument("--client", choices=("shared", "own"), help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


async def first_token(engine: Engine, question: str) -> float:
    """Seconds from asking to the first text, as whoever asks feels it."""
    begun, found = time.perf_counter(), 0.0
    async for item in engine.stream(Ticket(BASE), Prompt(SYSTEM, (), question), SHORT):
        if not found and not isinstance(item, Answer):
            found = time.perf_counter() - begun
    return found


async def client(kind: str, base: Path, work: Path) -> None:
    """Be one: say how long it took to be ready and which process answers, and stay until the input ends."""
    begun = time.perf_counter()
    factory = share_engine(work / "engine") if kind == "shared" else make_engine
    engine = factory(log=work / "engine.log")
    await engine.load(BaseSpec(str(base), "nf4"))
    ready = time.perf_counter() - begun
    await first_token(engine, QUESTIONS[0])
    say(f"{ready} {getattr(engine, 'pid', 0)}")
    await asyncio.to_thread(sys.stdin.read)
    await engine.close()


@contextmanager
def started(kind: str, chosen: argparse.Namespace, work: Path) -> Iterator[tuple[float, int]]:
    """A client: seconds until it was ready, and the process that answers it."""
    command = [sys.executable, "-m", "benchmarks.sharing", "--client", kind, "--work", str(work), "--base"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([*command, str(chosen.base)], cwd=ROOT, text=True, **pipes) as process:  # type: ignore[call-overload]
        ready, pid = process.stdout.readline().split()
        yield float(ready), int(pid)
        process.stdin.close()
        process.wait()


def memory_of(pids: Sequence[int]) -> int:
    """Bytes of these processes and their children; what they share counts once."""
    found = 0
    for pid in set(pids):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                found += one.memory_full_info().pss
    return found


def growth(kind: str, chosen: argparse.Namespace, work: Path) -> dict[str, list[float]]:
    """With one client more each time: seconds until it was ready, and the memory of all engines."""
    seconds, memory, pids = [], [], []
    with ExitStack() as stack:
        for _ in range(chosen.clients):
            ready, pid = stack.enter_context(started(kind, chosen, work))
            pids.append(pid)
            seconds.append(ready)
            memory.append(float(memory_of(pids)))
    return {"ready_seconds": seconds, "memory_bytes": memory}


async def beside_a_check(chosen: argparse.Namespace, work: Path) -> dict[str, list[float]]:
    """First tokens of a chat, calm and while another client asks as the check of a run does."""
    chat, check = (share_engine(work / "engine")(log=work / "engine.log") for _ in range(2))
    spec = BaseSpec(str(chosen.base), "nf4")
    await asyncio.gather(chat.load(spec), check.load(spec))
    questions = [f"{QUESTIONS[n % len(QUESTIONS)]} My number is {1000 + n}." for n in range(chosen.rounds)]
    await first_token(chat, "Hello?")
    calm = [await first_token(chat, question) for question in questions]
    prompts = [Prompt(SYSTEM, (), f"{QUESTIONS[n % len(QUESTIONS)]} Order {n}.") for n in range(TOGETHER)]

    async def judge() -> None:
        while True:
            await check.batch(Ticket(BASE, Priority.GATE), prompts, LONG)

    judging = asyncio.create_task(judge())
    busy = []
    for question in questions:
        await asyncio.sleep(1.0)  # so that it falls anywhere into the check's work
        busy.append(await first_token(chat, question))
    judging.cancel()
    await asyncio.gather(judging, return_exceptions=True)
    await asyncio.gather(chat.close(), check.close())
    await let_end(work / "engine")
    return {"calm_seconds": calm, "beside_seconds": busy}


def in_a_row(base: Path, work: Path) -> list[float]:
    """Seconds of `deskloop ask`, three times."""
    environment = os.environ | {"DESKLOOP_MODELS": str(base.parent)}
    command = [sys.executable, "-m", "tui", "ask", "Hello?", "--home", str(work / "desk"), "--create"]
    found = []
    for _ in range(3):
        begun = time.perf_counter()
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        found.append(time.perf_counter() - begun)
    return found


def main() -> None:
    """Measure and write the table."""
    chosen = options()
    chosen.base = (chosen.base or starter()).absolute()
    if chosen.client is not None:
        asyncio.run(client(chosen.client, chosen.base, chosen.work))
        return
    facts: dict[str, Any] = {"base": chosen.base.name, "clients": chosen.clients}
    with tempfile.TemporaryDirectory(prefix="deskloop-bench-") as folder:
        work = Path(folder)
        with started("own", chosen, work):
            pass  # the first load of a base quantizes it, and keeps that
        for kind in ("shared", "own"):
            facts[kind] = growth(kind, chosen, work)
        asyncio.run(let_end(work / "engine"))
        facts |= asyncio.run(beside_a_check(chosen, work))
        facts["ask_seconds"] = in_a_row(chosen.base, work)
        asyncio.run(let_end(work / "desk" / "engine"))
    write_goals("sharing", COMMAND, goals(facts), facts)


def goals(facts: dict[str, Any]) -> list[Goal]:
    """What was to be reached, and was."""
    memory, own = facts["shared"]["memory_bytes"], facts["own"]["memory_bytes"]
    ready, asked = facts["shared"]["ready_seconds"], facts["ask_seconds"]
    calm, beside = median(facts["calm_seconds"]), median(facts["beside_seconds"])
    count = facts["clients"]
    grown = f"{memory[-1] / memory[0]:.3f} ({memory[0] / 2**20:.0f} MiB, {memory[-1] / 2**20:.0f} MiB)"
    alone = f"{own[-1] / own[0]:.3f} ({own[0] / 2**20:.0f} MiB, {own[-1] / 2**20:.0f} MiB)"
    chat = f"{beside / calm:.2f} ({calm:.2f} s, {beside:.2f} s, at worst {max(facts['beside_seconds']):.2f} s)"
    return [
        Goal(f"memory of the engine with {count} clients / with 1", "<= 1.1", grown, memory[-1] / memory[0] <= 1.1),
        Goal(f"the same with an engine each ({count}, 1)", "shown", alone, True),
        Goal("engine ready for the first client, cold", "<= 3 s", f"{ready[0]:.2f} s", ready[0] <= 3),
        Goal("engine ready for each further client", "shown", ", ".join(f"{one:.2f} s" for one in ready[1:]), True),
        Goal("first token of a chat beside a check / calm, medians", "<= 2", chat, beside / calm <= 2),
        Goal("`deskloop ask`, three in a row", "shown", ", ".join(f"{one:.1f} s" for one in asked), True),
    ]


if __name__ == "__main__":
    main()
