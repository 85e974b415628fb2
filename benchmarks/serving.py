"""The engine as an operator feels it: first token, tokens a second, the pause of a swap, and a long conversation.

    python -m benchmarks serving [--base FOLDER] [--quantization nf4] [--turns 8] [--tokens 64] [--adapter FOLDER]

Without --adapter two random LoRA adapters of the default recipe's shape are made: they answer nonsense at the speed of
sense. Answers of nonsense rarely end by themselves, so most take --tokens tokens.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT, machine, markdown_table, starter, write_result
from benchmarks.systems import as_published
from bot.engines import Engine, make_engine
from bot.types import FAITHFUL, AdapterRef, Answer, BaseSpec, Decoding, Priority, Prompt, Ticket
from store.words import BASE, Version

SYSTEM = "You are a customer support agent."
QUESTIONS = (
    "Hello, I ordered a lamp last week and it has not arrived yet. Where is it?",
    "The tracking page says it is on its way since Monday. Is that normal?",
    "I will be away from Thursday on. Can it go to another address?",
    "What does it cost to change the address now?",
    "If it comes too late, can I send it back?",
    "How long does a refund take, and how is it paid?",
    "Please send me the invoice once more.",
    "Can I talk to a person about this?",
)


async def ask(engine: Engine, version: Version, prompt: Prompt, decoding: Decoding, conversation: str | None) -> Answer:
    """One streamed answer."""
    async for item in engine.stream(Ticket(version), prompt, decoding, conversation):
        if isinstance(item, Answer):
            return item
    raise RuntimeError("The engine ended without an answer.")


async def speed(engine: Engine, version: Version, decoding: Decoding) -> dict[str, float]:
    """First token and tokens a second of single answers, the medians over some questions."""
    answers = [await ask(engine, version, Prompt(SYSTEM, (), question), decoding, None) for question in QUESTIONS[:4]]
    rates = [
        (answer.new_tokens - 1) / (answer.seconds - answer.first_token_seconds)
        for answer in answers
        if answer.first_token_seconds is not None and answer.new_tokens > 1
    ]
    return {
        "first_token_seconds": statistics.median(answer.first_token_seconds or 0.0 for answer in answers),
        "tokens_per_second": statistics.median(rates) if rates else 0.0,
    }


async def conversation(
    engine: Engine, version: Version, decoding: Decoding, turns: int, reuse: bool
) -> list[dict[str, Any]]:
    """A conversation that grows: for each turn the first token's time, and how much came out of the cache."""
    history: tuple[tuple[str, str], ...] = ()
    found = []
    for turn in range(turns):
        message = QUESTIONS[turn % len(QUESTIONS)]
        answer = await ask(engine, version, Prompt(SYSTEM, history, message), decoding, "bench" if reuse else None)
        history = (*history, (message, answer.text))
        found.append({"first_token_seconds": answer.first_token_seconds, "reused_tokens": answer.reused_tokens})
    return found


async def batch_speed(engine: Engine, version: Version, decoding: Decoding, prompts: int) -> float:
    """Tokens a second over a batch, as the gate answers."""
    asked = [
        Prompt(SYSTEM, (), f"{QUESTIONS[i % len(QUESTIONS)]} My order number is {1000 + i}.") for i in range(prompts)
    ]
    answers = await engine.batch(Ticket(version, Priority.GATE), asked, decoding)
    return sum(answer.new_tokens for answer in answers) / sum(answer.seconds for answer in answers)


async def main() -> None:
    """Measure and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path)
    parser.add_argument("--quantization", choices=("nf4", "bf16", "fp32"), default="nf4")
    parser.add_argument("--turns", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--adapter", type=Path, help="folder of a published adapter of this base")
    chosen = parser.parse_args()
    base = chosen.base.absolute() if chosen.base else starter()
    spec = BaseSpec(str(base), chosen.quantization)
    decoding = replace(FAITHFUL, max_new_tokens=chosen.tokens)
    with tempfile.TemporaryDirectory(prefix="deskloop-bench-") as work:
        adapters = [AdapterRef(Version(f"r{seed}"), str(make_adapter(base, spec, Path(work), seed))) for seed in (1, 2)]
        if chosen.adapter:
            adapters[0] = AdapterRef(Version("given"), str(chosen.adapter.absolute()))
        engine = make_engine(log=Path(work, "engine.log"))
        try:
            facts = await measure(engine, spec, adapters, decoding, chosen)
        finally:
            await engine.close()
    write_result("serving", facts, report(facts))


async def measure(
    engine: Engine, spec: BaseSpec, adapters: list[AdapterRef], decoding: Decoding, chosen: argparse.Namespace
) -> dict[str, Any]:
    """Everything, on one engine."""
    loaded = await engine.load(spec)
    facts: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "base": Path(spec.folder).name,
        "quantization": spec.quantization,
        "load_seconds": loaded.load_seconds,
        "memory_bytes": loaded.memory_bytes,
        "versions": {"base": await speed(engine, BASE, decoding)},
    }
    swaps = []
    for adapter in (adapters[0], adapters[1], adapters[0]):
        readiness = await engine.ready(adapter)
        swaps.append({"to": readiness.version, "seconds": readiness.seconds})
    version = adapters[0].version
    facts["swaps"] = swaps
    facts["versions"]["adapter"] = await speed(engine, version, decoding)
    facts["batch_tokens_per_second"] = await batch_speed(engine, version, decoding, chosen.batch)
    facts["conversation"] = {
        name: await conversation(engine, version, decoding, chosen.turns, reuse)
        for name, reuse in (("reuse", True), ("fresh", False))
    }
    facts["memory_bytes_with_adapters"] = (await engine.status()).memory_bytes
    return facts


def make_adapter(base: Path, spec: BaseSpec, work: Path, seed: int) -> Path:
    """A random adapter, published; made in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.random_adapter", str(base), str(work / f"raw{seed}"), str(seed)]
    subprocess.run(command, check=True, cwd=ROOT, stderr=subprocess.DEVNULL)
    return as_published(work / f"raw{seed}", work / f"r{seed}", spec)


def report(facts: dict[str, Any]) -> str:
    """The measurement as text."""
    speeds = [
        {
            "answering with": name,
            "first token": f"{found['first_token_seconds']:.2f} s",
            "tokens/s": f"{found['tokens_per_second']:.1f}",
        }
        for name, found in facts["versions"].items()
    ]
    swaps = [{"made ready": swap["to"], "in": f"{swap['seconds']:.2f} s"} for swap in facts["swaps"]]
    turns = [
        {
            "turn": str(number),
            "first token, cache reused": f"{one['first_token_seconds'] or 0:.2f} s ({one['reused_tokens']} tokens)",
            "first token, fresh": f"{other['first_token_seconds'] or 0:.2f} s",
        }
        for number, (one, other) in enumerate(
            zip(facts["conversation"]["reuse"], facts["conversation"]["fresh"], strict=True), 1
        )
    ]
    return (
        f"# Serving\n\n{facts['at']}, {facts['base']} in {facts['quantization']}: "
        f"loaded in {facts['load_seconds']:.1f} s, "
        f"{facts['memory_bytes'] / 2**20:.0f} MiB ({facts['memory_bytes_with_adapters'] / 2**20:.0f} MiB with two "
        f"adapters); a batch answers at {facts['batch_tokens_per_second']:.0f} tokens/s.\n\n"
        + "\n".join(markdown_table(rows) for rows in (speeds, swaps, turns))
    )


if __name__ == "__main__":
    asyncio.run(main())
