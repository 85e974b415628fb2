"""``deskloop doctor``: look at everything a desk stands on, and say what to do about what is wrong."""

from __future__ import annotations

import os
import platform
import shutil
import stat
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from bot.adapters import verify
from bot.base import fingerprint
from bot.limits import serving_bytes
from bot.types import EngineError
from finetune.memory import memory_plan, plan_words, savings
from store.desk import Desk
from store.home import Home
from store.runs import OVER
from store.settings_file import FILE_NAME
from tui.core.adapters import folder_of, verify_all
from tui.core.base import base_spec
from tui.core.errors import DeskError
from tui.core.recipes import recipe_from

PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "datasets", "textual", "sqlite-utils", "sacrebleu")
LOW_DISK = 2 * 2**30  # bytes; an adapter and its checkpoints need well under this, a base a little more


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. ``todo`` is what to do about it, None if nothing is wrong."""

    name: str
    ok: bool
    finding: str
    todo: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``deskloop doctor``."""
        return asdict(self)


def examine(desk: Desk) -> Iterator[Check]:
    """Every check, each on its own: one that breaks is reported as wrong and the others still run."""
    checks: dict[str, Callable[[Desk], Check]] = {
        "machine": _machine,
        "packages": _packages,
        "disk": _disk,
        "home": _home,
        "store": _store,
        "settings": _settings,
        "base": _base,
        "memory": _memory,
        "adapters": _adapters,
        "runs": _runs,
        "training": _training,
        "logs": _logs,
    }
    for name, check in checks.items():
        try:
            yield check(desk)
        except Exception as error:
            yield Check(name, False, f"This could not be checked: {error}", "See the sentence, then run this again.")


def unreadable_store(home: Home, error: Exception) -> Check:
    """The finding where not even the database opens, so that nothing else can be looked at."""
    return Check(
        "store",
        False,
        f"{home.database} can't be opened: {str(error).rstrip('.')}.",
        "Keep a copy of the file, then restore it from a backup. Adapters and models are not affected.",
    )


def _machine(desk: Desk) -> Check:
    cores = os.process_cpu_count() if hasattr(os, "process_cpu_count") else len(os.sched_getaffinity(0))
    return Check("machine", True, f"{platform.machine()}, {cores} cores, Python {platform.python_version()}")


def _packages(desk: Desk) -> Check:
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


def _disk(desk: Desk) -> Check:
    free = shutil.disk_usage(desk.home.root).free
    if free < LOW_DISK:
        return Check("disk", False, f"Only {_gib(free)} free.", f"Free some space on the disk of {desk.home.root}.")
    return Check("disk", True, f"{_gib(free)} free")


def _home(desk: Desk) -> Check:
    root = Path(desk.home.root)
    for path, allowed in ((root, 0o700), (Path(desk.home.database), 0o600)):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & ~allowed:
            return Check("home", False, f"{path} can be read by others ({mode:04o}).", f"chmod {allowed:o} {path}")
    return Check("home", True, f"{root}, for your eyes only")


def _store(desk: Desk) -> Check:
    problems = [row[0] for row in desk.db.all("PRAGMA integrity_check") if row[0] != "ok"]
    problems += [f"a row of {row[0]} points to nothing" for row in desk.db.all("PRAGMA foreign_key_check")]
    if problems:
        return Check(
            "store",
            False,
            f"The database is damaged: {problems[0]}",
            f"Copy {desk.home.database} away, then restore it from a backup.",
        )
    return Check("store", True, f"sound; {desk.pairs.count()} pairs, {desk.judgements.waiting()} corrections waiting")


def _settings(desk: Desk) -> Check:
    file = desk.settings.file()
    if file.problem:
        return Check("settings", False, file.problem, f"Put {desk.home.settings_file} right; it is read at once.")
    where = f"{', '.join(file.values)} from {FILE_NAME}, the rest" if file.values else "all"
    return Check("settings", True, f"{where} as set in the app")


def _base(desk: Desk) -> Check:
    try:
        spec = base_spec(desk)
        mark = fingerprint(spec)
    except DeskError as error:
        return Check("base", False, error.sentence, "deskloop setup")
    except EngineError as error:
        return Check("base", False, error.sentence, "deskloop setup --base FOLDER_OR_ID")
    return Check("base", True, f"{Path(spec.folder).name}, {spec.quantization}, fingerprint {mark[:12]}")


def _memory(desk: Desk) -> Check:
    memory = psutil.virtual_memory()
    have = f"{_gib(memory.available)} of {_gib(memory.total)} available"
    try:
        spec = base_spec(desk)
    except DeskError:
        return Check("memory", True, have)
    recipe = recipe_from(desk)
    plan = memory_plan(Path(spec.folder), spec.quantization, recipe)
    ways = savings(Path(spec.folder), spec.quantization, recipe)
    serving, training = serving_bytes(spec.folder, spec.quantization), sum(plan.values())
    need = f"answering needs about {_gib(serving)}, training about {_gib(training)} more ({plan_words(plan)})"
    if memory.available < serving:
        return Check("memory", False, f"{have}; {need}.", "Close other programs, or choose a smaller base.")
    if memory.available < serving + training:
        return Check(
            "memory",
            False,
            f"{have}; {need}.",
            "Retraining offers to unload the chat meanwhile; or close other programs. In the recipe, "
            f"{', '.join(way.words for way in ways) or 'nothing would free much'}.",
        )
    return Check("memory", True, f"{have}; {need}")


def _adapters(desk: Desk) -> Check:
    findings = verify_all(desk)
    damaged = [f"{finding.version}: {finding.sentence}" for finding in findings if finding.sentence]
    if damaged:
        return Check(
            "adapters", False, " ".join(damaged), "They will not be activated. Restore their folders, or retrain."
        )
    active = desk.promotions.active()
    if active != "base":
        try:
            verify(folder_of(desk, desk.versions.get(active)), fingerprint(base_spec(desk)))
        except EngineError as error:
            return Check("adapters", False, error.sentence, "deskloop versions activate base, or change the base back")
        except DeskError:
            pass  # without a base there is nothing to compare with; the check of the base says so
    return Check("adapters", True, f"{len(findings)} versions as published; {active} answers")


def _runs(desk: Desk) -> Check:
    desk.runs.mark_interrupted()
    waiting = [str(run.id) for run in desk.runs.list() if run.state == "interrupted"]
    if waiting:
        return Check(
            "runs",
            False,
            f"Interrupted: {', '.join(waiting)}",
            f"deskloop runs resume {waiting[-1]}, or deskloop runs discard {waiting[-1]}",
        )
    live = desk.runs.live()
    return Check("runs", True, f"run {live.id} is {live.state}" if live else "none in progress")


def _training(desk: Desk) -> Check:
    """What was wrong with the last run that came to an end."""
    last = next((run for run in desk.runs.list() if run.state in OVER and run.state != "cancelled"), None)
    if last is None:
        return Check("training", True, "no run yet")
    troubles = [event.body["trouble"] for event in desk.runs.events(last.id) if event.kind == "trouble"]
    if troubles:
        finding = " ".join(trouble["finding"] for trouble in troubles)
        return Check("training", False, f"run {last.id}: {finding}", " ".join(one["advice"] for one in troubles))
    if last.failure is not None:
        sentence, log = last.failure["sentence"], last.failure["log"]
        return Check("training", False, f"run {last.id}: {last.state}. {sentence}", f"See the log: {log}")
    return Check("training", True, f"run {last.id}: {last.state}.")


def _logs(desk: Desk) -> Check:
    return Check("logs", True, str(desk.home.logs))


def _gib(count: float) -> str:
    return f"{count / 2**30:.1f} GiB"
