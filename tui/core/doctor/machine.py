"""The machine that a desk runs on: packages, disk, memory."""

from __future__ import annotations

import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from bot.bases.limits import serving_bytes
from finetune.memory import memory_plan, plan_words, savings
from store.desk import Desk
from store.home import Home
from tui.core.base import base_spec
from tui.core.doctor.check import Check, gib
from tui.core.errors import DeskError
from tui.core.recipes import recipe_from

PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "datasets", "textual", "sqlite-utils", "sacrebleu")
LOW_DISK = 2 * 2**30  # bytes; an adapter and its checkpoints need well under this, a base a little more


def machine(desk: Desk | None = None) -> Check:
    """What it is."""
    cores = os.process_cpu_count() if hasattr(os, "process_cpu_count") else len(os.sched_getaffinity(0))
    return Check("machine", True, f"{platform.machine()}, {cores} cores, Python {platform.python_version()}")


def packages(desk: Desk | None = None) -> Check:
    """The libraries that deskloop stands on."""
    found: list[str] = []
    missing: list[str] = []
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            missing.append(package)
    if missing:
        return Check("packages", False, f"Missing: {', '.join(missing)}", "Install deskloop again in this environment.")
    return Check("packages", True, ", ".join(found))


def disk(desk: Desk | Home) -> Check:
    """Room for a retraining."""
    root = desk.root if isinstance(desk, Home) else desk.home.root
    free = shutil.disk_usage(root).free
    if free < LOW_DISK:
        return Check("disk", False, f"Only {gib(free)} free.", f"Free some space on the disk of {root}.")
    return Check("disk", True, f"{gib(free)} free")


def memory(desk: Desk) -> Check:
    """Whether it is enough for answering and for training."""
    ram = psutil.virtual_memory()
    have = f"{gib(ram.available)} of {gib(ram.total)} available"
    try:
        spec = base_spec(desk)
    except DeskError:
        return Check("memory", True, have)
    recipe = recipe_from(desk)
    plan = memory_plan(Path(spec.folder), spec.quantization, recipe)
    ways = savings(Path(spec.folder), spec.quantization, recipe)
    serving, training = serving_bytes(spec.folder, spec.quantization), sum(plan.values())
    need = f"answering needs about {gib(serving)}, training about {gib(training)} more ({plan_words(plan)})"
    if ram.available < serving:
        return Check("memory", False, f"{have}; {need}.", "Close other programs, or choose a smaller base.")
    if ram.available < serving + training:
        return Check(
            "memory",
            False,
            f"{have}; {need}.",
            "A retraining offers to pause the chat; or close other programs. In the recipe, "
            f"{', '.join(way.words for way in ways) or 'nothing would save much'}.",
        )
    return Check("memory", True, f"{have}; {need}")
