"""The systems `canned` compares: deskloop through its own run process, and the yardsticks as they are.

Each trains in processes of its own at the same niceness (a run's), and leaves an adapter folder that the engine can
activate, so that all are answered and scored by the same code in the configuration deskloop serves in.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT, bench_folder
from bot.adapters import Manifest, sha256_of, write_manifest
from bot.bases.base import fingerprint
from bot.engines import make_engine
from bot.types import AdapterRef, BaseSpec, Quantization
from finetune.gate.answers import Asker
from finetune.gate.judging import evaluate_file
from finetune.gate.questions import FileQuestion
from finetune.recipe import BEFORE
from finetune.recipe_values import recipe_of
from finetune.run.client import start_run
from finetune.run.worker import NICENESS
from store.desk import Desk
from store.pairs import NewPair
from store.times import now
from store.words import Version

TRL = "trl==1.16.0"
NO_SYSTEM = ""  # the chat template then puts its own system message, the same tokens as in the yardsticks
# The yardsticks' own: a plain LoRA on all layers, every row whole in every epoch; epochs come from the command line.
EQUAL = BEFORE | {"learning_rate": 1e-3, "batch_size": 8, "lora_plus": 1.0, "dropout": 0.05}


@dataclass(frozen=True, slots=True)
class System:
    """One way to learn the pairs. ``script`` None: deskloop itself, with ``recipe`` and ``system_message`` (None: the
    desk's default) in place of the defaults."""

    name: str
    quantization: Quantization
    script: str | None = None
    recipe: dict[str, Any] = field(default_factory=dict)
    system_message: str | None = NO_SYSTEM
    equal: bool = True  # takes --epochs; deskloop's default recipe does not


SYSTEMS = {
    system.name: system
    for system in (
        System("deskloop", "nf4", system_message=None, equal=False),
        System("deskloop-equal", "nf4", recipe=EQUAL),
        System("deskloop-lora-equal", "bf16", recipe={**EQUAL, "method": "lora"}),
        System("plain", "nf4", script="plain_qlora.py"),
        System("trl", "bf16", script="trl_lora.py"),
    )
}


@dataclass(frozen=True, slots=True)
class Trained:
    """What training left: the folder of a published adapter and the facts to report."""

    adapter: Path
    spec: BaseSpec
    system_message: str
    facts: dict[str, Any]


async def train(system: System, base: Path, rows: Sequence[dict[str, Any]], epochs: int, work: Path) -> Trained:
    """Train *system* on *rows* below the empty folder *work*. Raises :class:`RuntimeError` with what it printed if it
    fails."""
    load, start = os.getloadavg()[0], time.perf_counter()
    trained = (
        await _train_deskloop(system, base, rows, epochs, work)
        if system.script is None
        else _train_yardstick(system, base, rows, epochs, work)
    )
    trained.facts["wall_seconds"] = round(time.perf_counter() - start, 1)
    trained.facts["load_average_before"] = round(load, 2)
    return trained


async def answer(trained: Trained, rows: Sequence[dict[str, Any]], log: Path) -> dict[str, Any]:
    """BLEU, chrF and exact match of the adapter's answers to *rows*, as the engine serves them."""
    engine = make_engine(log=log)
    try:
        await engine.load(trained.spec)
        await engine.ready(AdapterRef(Version("trained"), str(trained.adapter)))
        asked = [FileQuestion(row["instruction"], row["output"], lang=row.get("lang")) for row in rows]
        return await evaluate_file(Asker(engine, trained.system_message), Version("trained"), asked, _show)
    finally:
        await engine.close()


async def _train_deskloop(
    system: System, base: Path, rows: Sequence[dict[str, Any]], epochs: int, work: Path
) -> Trained:
    """A real run of a real desk that holds nothing but the pairs: with nothing held out, the gate holds its result."""
    recipe = recipe_of({**system.recipe, **({"epochs": epochs} if system.equal else {})})
    with Desk.open(work / "desk") as desk:
        settings = {"base": str(base), "quantization": system.quantization, "min_pairs": 1}
        if system.system_message is not None:
            settings["system_message"] = system.system_message
        for key, value in settings.items():
            desk.settings.set(key, value, "benchmark")
        news = [NewPair(row["instruction"], row["output"], lang=row.get("lang"), split="train") for row in rows]
        desk.pairs.add_many(news, "import", "benchmark")
        process = await start_run(desk, recipe, "benchmark")
        run = await process.wait()
        if run.candidate is None:
            raise RuntimeError(f"deskloop's run ended as {run.state}: {run.failure}")
        folder = desk.home.adapters / desk.versions.get(run.candidate).folder
        rows_per_step = recipe.batch_size * recipe.gradient_accumulation
        training = json.loads((folder / "card.json").read_text(encoding="utf-8"))["training"]
        facts = {
            "train_seconds": training["train_seconds"],
            "samples_per_second": round(training["steps"] * rows_per_step / training["train_seconds"], 2),
            "epochs": round(training["steps"] * rows_per_step / training["examples"], 1),
            "learning_rate": recipe.learning_rate,
            "batch_size": recipe.batch_size,
            "peak_memory_bytes": training["peak_memory_bytes"],
            "trainable_share": training["trainable_share"],
        }
        return Trained(folder, BaseSpec(str(base), system.quantization), desk.settings.load().system_message, facts)


def _train_yardstick(system: System, base: Path, rows: Sequence[dict[str, Any]], epochs: int, work: Path) -> Trained:
    """Run a copy of the yardstick's script, which reads its pairs from the folder it lies in."""
    assert system.script is not None
    script, out = work / system.script, work / "out"
    (work / "canned").mkdir(parents=True)
    shutil.copyfile(bench_folder() / system.script, script)
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (work / "canned" / "train.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    if system.name == "trl":
        environment["PYTHONPATH"] = str(trl_folder())
    command = ["nice", "-n", str(NICENESS), sys.executable, str(script), str(base), str(out), "--epochs", str(epochs)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"{system.script} failed:\n{result.stderr[-3000:]}")
    printed = json.loads(result.stdout.strip().splitlines()[-1])
    spec = BaseSpec(str(base), system.quantization)
    facts = {
        "train_seconds": printed["seconds"],
        "samples_per_second": printed["samples_per_second"],
        "epochs": epochs,
        "learning_rate": EQUAL["learning_rate"],
        "batch_size": EQUAL["batch_size"],
    }
    return Trained(as_published(out, work / "adapter", spec), spec, NO_SYSTEM, facts)


def as_published(adapter: Path, target: Path, spec: BaseSpec) -> Path:
    """Copy a foreign adapter to the new folder *target* with the manifest the engine asks for."""
    target.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        shutil.copyfile(adapter / name, target / name)
    files = {path.name: sha256_of(path) for path in sorted(target.iterdir())}
    write_manifest(target, Manifest("trained", fingerprint(spec), spec.quantization, now(), files))
    return target


def trl_folder() -> Path:
    """Where TRL is installed for the yardstick: a folder of its own, which the environment never sees."""
    return ROOT / ".cache" / "benchmarks" / TRL.replace("==", "-")


def install_trl() -> None:
    """Install TRL alone into :func:`trl_folder`: everything it needs is in the environment, at the pinned versions."""
    if not (trl_folder() / "trl").is_dir():
        print(f"Installing {TRL} into {trl_folder()}...", file=sys.stderr)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(trl_folder()), TRL]
        subprocess.run(command, check=True)


def _show(done: int, wanted: int, version: str) -> None:
    print(f"\r  answered {done} of {wanted}", end="\n" if done == wanted else "", file=sys.stderr, flush=True)
