"""Before a run: is there enough to learn from, enough memory and disk, and how long will it take? Needs no torch."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from bot.bases.limits import serving_bytes
from bot.lengths import estimated_tokens
from bot.types import EngineError
from finetune.desk_base import desk_base
from finetune.lengths import PROMPT_TOKENS, too_long, too_long_warning
from finetune.memory import memory_plan, savings
from finetune.recipe import ON_DENSE, ON_NF4, Recipe
from store.desk import Desk
from store.personal import MANY, NAMES, Kind
from store.records import Pair

# Trained tokens a second where this desk has no run of its own to go by: SmolLM2-135M on 2 cores, benchmarks/.
DEFAULT_SPEED = 200.0
DISK_NEEDED = 600 * 2**20  # checkpoints, adapter and database with room to spare for a small base


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a run would do. ``problems`` forbid it, ``warnings`` are for the operator to weigh; memory in bytes.
    ``conflicts``: those nobody has settled. ``personal``: how many pairs hold which kind of personal data that nobody
    redacted or cleared; ``flagged``: how many pairs that are."""

    pairs: int
    new_corrections: int
    conflicts: int
    personal: dict[Kind, int]
    flagged: int
    heldout: int
    parent: str
    memory_needed: int
    memory_available: int
    disk_free: int
    estimate_seconds: float
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    unload_engine: bool  # the chat's memory would have to be lent to the run
    too_long: int = 0  # pairs that do not fit into max_length


def preflight(desk: Desk, recipe: Recipe) -> Preflight:
    """Look at *desk* and say what a run with *recipe* would train on, need and take."""
    settings = desk.settings.load()
    training = desk.pairs.training_set()
    fresh = sum(new for _, new in training)
    conflicts = len(desk.conflicts.open())
    policy = settings.personal_data
    personal = {} if policy == "off" else desk.pair_listing.flagged()
    flagged = 0 if policy == "off" else desk.pair_listing.flagged_count()
    heldout = desk.pairs.count(split="heldout")
    parent = warm_parent(desk, recipe)
    problems: list[str] = []
    warnings: list[str] = []

    if len(training) < settings.min_pairs:
        problems.append(
            f"There are {len(training)} pairs to train on and at least {settings.min_pairs} are needed. "
            "Correct or approve more replies, or import some pairs."
        )
    if (settings.quantization == "nf4" and recipe.method in ON_DENSE) or (
        settings.quantization != "nf4" and recipe.method in ON_NF4
    ):
        problems.append(
            f"The recipe's method {recipe.method} does not go with the setting quantization = {settings.quantization}: "
            f"{', '.join(ON_NF4)} needs nf4; {' and '.join(ON_DENSE)} need bf16 or fp32."
        )
    need = 0
    memory = psutil.virtual_memory()
    try:
        folder = Path(desk_base(desk).folder)
    except EngineError:
        problems.append("This desk has no model yet. Run `deskloop setup` first.")
    else:
        need = sum(memory_plan(folder, settings.quantization, recipe).values())
    unload = False
    if need > memory.available:
        freed = serving_bytes(folder, settings.quantization)
        unload = need <= memory.available + freed
        if recipe.method == "full" and not unload:
            problems.append(
                f"Training every weight of this base needs about {need / 2**30:.1f} GiB of memory and "
                f"{memory.available / 2**30:.1f} GiB are free. Choose another method, such as lora."
            )
        warnings.append(
            f"Training needs about {need / 2**30:.1f} GiB and {memory.available / 2**30:.1f} GiB are free. "
            + (
                "The chat has to wait until it is done."
                if unload
                else "Where that does not suffice, the run goes on in smaller parts by itself."
            )
            + "".join(f" {saving.words}." for saving in savings(folder, settings.quantization, recipe)[:1])
        )
    free = shutil.disk_usage(desk.home.root).free
    if free < DISK_NEEDED:
        problems.append(f"Only {free / 2**20:.0f} MiB of disk are free and {DISK_NEEDED / 2**20:.0f} MiB are needed.")
    if conflicts:
        warnings.append(
            f"{_many(conflicts, 'question has', 'questions have')} more than one answer, word by word or nearly. The "
            "bot would learn all of them."
        )
    if flagged:
        named = ", ".join(_many(count, NAMES[kind], MANY[kind]) for kind, count in personal.items())
        warnings.append(
            f"{_many(flagged, 'pair holds', 'pairs hold')} personal data ({named}). "
            + (
                f"{'It is' if flagged == 1 else 'They are'} left out of this run until somebody redacts or clears "
                f"{'it' if flagged == 1 else 'them'}."
                if policy == "block"
                else "A bot may repeat what it learned to anybody."
            )
        )
    active = desk.promotions.active()
    if active in desk.erasing.tainted():
        warnings.append(
            f"{active} learned something that was erased since. This run begins from the base to replace it."
        )
    long = too_long(desk, settings, [(pair.instruction, pair.output) for pair, _ in training], recipe)
    if long:
        warnings.append(too_long_warning(long, recipe))
    if heldout < settings.gate_min_pairs:
        warnings.append(
            f"There are {heldout} held-out pairs to judge by; with fewer than {settings.gate_min_pairs} no version is "
            "promoted by itself."
        )
    return Preflight(
        pairs=len(training),
        new_corrections=fresh,
        conflicts=conflicts,
        personal=personal,
        flagged=flagged,
        heldout=heldout,
        parent=parent,
        memory_needed=need,
        memory_available=memory.available,
        disk_free=free,
        estimate_seconds=_estimate(desk, recipe, training, heldout, warm=parent != "base"),
        problems=tuple(problems),
        warnings=tuple(warnings),
        unload_engine=unload,
        too_long=len(long),
    )


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"


def warm_parent(desk: Desk, recipe: Recipe) -> str:
    """The version a run would go on from, as far as its row tells: the active one, or "base". One that learned what
    was erased since is no beginning: whatever goes on from it has learned that, too."""
    active = desk.promotions.active()
    if active == "base" or not recipe.warm_start or active in desk.erasing.tainted():
        return "base"
    return active if recipe.can_go_on_from(desk.versions.get(active).recipe) else "base"


def tokens_of(pair: Pair) -> float:
    """About how many tokens *pair* takes."""
    text = "".join([pair.instruction, pair.output, *(side for exchange in pair.history for side in exchange)])
    return PROMPT_TOKENS + estimated_tokens(text)


def estimate_seconds(desk: Desk, recipe: Recipe) -> float:
    """Seconds until the verdict of a run with *recipe*, by what this machine's own runs of this desk took."""
    return _estimate(
        desk,
        recipe,
        desk.pairs.training_set(),
        desk.pairs.count(split="heldout"),
        warm=warm_parent(desk, recipe) != "base",
    )


def _estimate(desk: Desk, recipe: Recipe, training: list[tuple[Pair, bool]], heldout: int, *, warm: bool) -> float:
    """Measured speed of the desk's last run that came to its verdict, else that of a small machine."""
    speed = DEFAULT_SPEED
    for run in desk.runs.list(limit=10):
        if run.verdict is not None and (last := desk.runs.last_event(run.id, "step")) is not None:
            speed = float(last.body.get("tokens_per_second") or DEFAULT_SPEED)
            break
    tokens = sum(tokens_of(pair) * (recipe.new_weight if new else 1) for pair, new in training)
    epochs = recipe.warm_epochs if warm else recipe.epochs
    if recipe.steps:
        seen = sum(recipe.new_weight if new else 1 for _, new in training)
        epochs = recipe.steps * recipe.batch_size * recipe.gradient_accumulation / max(1, seen)
    return 25 + tokens * epochs / speed + 0.8 * heldout  # starting two processes; answering by two versions
