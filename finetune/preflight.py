"""Before a run: is there enough to learn from, enough memory and disk, and how long will it take? Needs no torch."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from bot.bases.limits import serving_bytes
from bot.types import EngineError
from finetune.desk_base import desk_base
from finetune.estimate import Estimate, estimate
from finetune.gate.answers import margins_of
from finetune.gate.power import Sight, sight_of
from finetune.lengths import too_long, too_long_warning
from finetune.memory import memory_plan, savings
from finetune.mistakes import WrongReplies, without_mistakes, wrong_replies
from finetune.parent import warm_parent
from finetune.recipe import ON_DENSE, ON_NF4, Recipe
from store.desk import Desk
from store.personal import MANY, NAMES, Kind
from store.records import Pair
from store.settings import Settings
from store.words import Version

DISK_NEEDED = 600 * 2**20  # checkpoints, adapter and database with room to spare for a small base


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a run with ``recipe`` would do. ``problems`` forbid it, ``warnings`` are for the operator to weigh; memory
    in bytes. ``conflicts``: those nobody has settled. ``personal``: how many pairs hold which kind of personal data
    that nobody redacted or cleared; ``flagged``: how many pairs that are."""

    recipe: Recipe
    pairs: int
    new_corrections: int
    conflicts: int
    personal: dict[Kind, int]
    flagged: int
    heldout: int
    parent: Version
    memory_needed: int
    memory_available: int
    disk_free: int
    estimate_seconds: float
    at_most_seconds: float
    problems: tuple[str, ...]
    warnings: tuple[str, ...]
    unload_engine: bool  # the chat's memory would have to be lent to the run
    too_long: int = 0  # pairs that do not fit into max_length
    sight: Sight | None = None  # what the held-out pairs of the language with most of them can show

    @property
    def time(self) -> Estimate:
        """How long it takes."""
        return Estimate(self.estimate_seconds, self.at_most_seconds)


def preflight(desk: Desk, recipe: Recipe) -> Preflight:
    """Look at *desk* and say what a run with *recipe* would train on, need and take. On a desk of many pairs this takes
    seconds. Raises :class:`OSError` or :class:`ValueError` for a base whose files don't tell its size."""
    settings = desk.settings.load()
    data = _data(desk, settings, recipe)
    memory = _memory(desk, settings, recipe)
    time = estimate(desk, recipe, data.training, data.mistakes)
    disk_free = shutil.disk_usage(desk.home.root).free
    return Preflight(
        recipe=recipe,
        pairs=len(data.training),
        new_corrections=sum(new for _, new in data.training),
        conflicts=data.conflicts,
        personal=data.personal,
        flagged=data.flagged,
        heldout=data.heldout,
        parent=warm_parent(desk, recipe),
        memory_needed=memory.needed,
        memory_available=memory.available,
        disk_free=disk_free,
        estimate_seconds=time.seconds,
        at_most_seconds=time.at_most,
        problems=(
            *_too_few(data, settings),
            *without_mistakes(data.mistakes, recipe, refused=True),
            *_wrong_grid(settings, recipe),
            *memory.problems,
            *_full_disk(disk_free),
        ),
        warnings=(
            *memory.warnings,
            *without_mistakes(data.mistakes, recipe, refused=False),
            *_open_conflicts(data),
            *_personal_data(data, settings),
            *_tainted(desk),
            *([too_long_warning(data.too_long, recipe)] if data.too_long else []),
            *_hard_to_judge(data, settings),
        ),
        unload_engine=memory.unload_engine,
        too_long=len(data.too_long),
        sight=data.sight,
    )


# -- the data --------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Data:
    """What there is to learn from and to judge by; ``too_long``: the tokens of each pair that does not fit;
    ``mistakes``: the wrong replies that the recipe's objective learns from."""

    training: list[tuple[Pair, bool]]
    heldout: int
    sight: Sight | None
    conflicts: int
    personal: dict[Kind, int]
    flagged: int
    too_long: list[int]
    mistakes: WrongReplies


def _data(desk: Desk, settings: Settings, recipe: Recipe) -> _Data:
    looks = settings.personal_data != "off"
    training = desk.pairs.training_set()
    heldout = desk.pairs.heldout_set()
    return _Data(
        training=training,
        heldout=len(heldout),
        sight=sight_of([(pair.lang, pair.output) for pair in heldout], margins_of(settings)),
        conflicts=len(desk.conflicts.open()),
        personal=desk.pair_listing.flagged() if looks else {},
        flagged=desk.pair_listing.flagged_count() if looks else 0,
        too_long=too_long(desk, settings, [(pair.instruction, pair.output) for pair, _ in training], recipe),
        mistakes=wrong_replies(desk, recipe, [pair for pair, _ in training]),
    )


def _too_few(data: _Data, settings: Settings) -> Iterator[str]:
    if len(data.training) < settings.min_pairs:
        yield (
            f"There are {len(data.training)} pairs to train on and at least {settings.min_pairs} are needed. "
            "Correct or approve more replies, or import some pairs."
        )


def _open_conflicts(data: _Data) -> Iterator[str]:
    if data.conflicts:
        yield (
            f"{_many(data.conflicts, 'question has', 'questions have')} more than one answer. "
            "The bot would learn all of them."
        )


def _personal_data(data: _Data, settings: Settings) -> Iterator[str]:
    if not data.flagged:
        return
    named = ", ".join(_many(count, NAMES[kind], MANY[kind]) for kind, count in data.personal.items())
    holds = f"{_many(data.flagged, 'pair holds', 'pairs hold')} personal data ({named})."
    if settings.personal_data != "block":
        yield f"{holds} A bot may repeat what it learned to anybody."
    elif data.flagged == 1:
        yield f"{holds} It is left out of this run until somebody redacts or clears it."
    else:
        yield f"{holds} They are left out of this run until somebody redacts or clears them."


def _tainted(desk: Desk) -> Iterator[str]:
    if (active := desk.promotions.active()) in desk.erasing.tainted():
        yield f"{active} learned something that has been erased. This run starts from the base to replace it."


def _hard_to_judge(data: _Data, settings: Settings) -> Iterator[str]:
    if data.heldout < settings.gate_min_pairs:
        yield (
            f"There are {data.heldout} held-out pairs to check with; with fewer than {settings.gate_min_pairs} no "
            "version is promoted by itself."
        )


# -- the machine -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Memory:
    """In bytes; ``unload_engine``: the chat's memory would have to be lent to the run."""

    needed: int
    available: int
    unload_engine: bool = False
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def _memory(desk: Desk, settings: Settings, recipe: Recipe) -> _Memory:
    available = psutil.virtual_memory().available
    try:
        folder = Path(desk_base(desk).folder)
    except EngineError:
        return _Memory(0, available, problems=("This desk has no model yet. Run `deskloop setup` first.",))
    needed = sum(memory_plan(folder, settings.quantization, recipe).values())
    if needed <= available:
        return _Memory(needed, available)
    unload = needed <= available + serving_bytes(folder, settings.quantization)
    problem = (
        f"Training every weight of this base needs about {needed / 2**30:.1f} GiB of memory and "
        f"{available / 2**30:.1f} GiB are free. Choose another method, such as lora."
    )
    warning = (
        f"Training needs about {needed / 2**30:.1f} GiB and {available / 2**30:.1f} GiB are free. "
        + (
            "The chat has to wait until it is done."
            if unload
            else "If that is not enough, the run continues in smaller parts."
        )
        + "".join(f" {saving.words}." for saving in savings(folder, settings.quantization, recipe)[:1])
    )
    problems = (problem,) if recipe.method == "full" and not unload else ()
    return _Memory(needed, available, unload, problems, (warning,))


def _wrong_grid(settings: Settings, recipe: Recipe) -> Iterator[str]:
    if recipe.method in (ON_DENSE if settings.quantization == "nf4" else ON_NF4):
        yield (
            f"The recipe's method {recipe.method} does not go with the setting quantization = {settings.quantization}: "
            f"{', '.join(ON_NF4)} needs nf4; {' and '.join(ON_DENSE)} need bf16 or fp32."
        )


def _full_disk(free: int) -> Iterator[str]:
    if free < DISK_NEEDED:
        yield f"Only {free / 2**20:.0f} MiB of disk are free and {DISK_NEEDED / 2**20:.0f} MiB are needed."


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
