"""``deskloop doctor``: look at everything a desk stands on, and say what to do about what is wrong."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from bot.adapters import verify
from bot.bases.base import content_digest, fingerprint
from bot.bases.limits import serving_bytes
from bot.child import TROUBLE as GAVE_UP
from bot.child import child_options, module_command
from bot.types import EngineError
from finetune.endings import failure_of
from finetune.events import TroubleFound, recorded
from finetune.memory import memory_plan, plan_words, savings
from store.database import SALVAGE
from store.database.soundness import damage, unfit_indexes, unreadable_cells
from store.desk import Desk
from store.errors import OperatorError
from store.home import Home
from store.records import Run
from store.runs import OVER
from store.settings.file import FILE_NAME
from store.words import BASE
from tui.core.adapters import folder_of, verify_all
from tui.core.base import base_spec
from tui.core.erasing import removable
from tui.core.errors import DeskError
from tui.core.recipes import recipe_from
from tui.core.runs import ways_on

PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "datasets", "textual", "sqlite-utils", "sacrebleu")
CHANGED = "Put them back, or take them as they are now: deskloop setup --base FOLDER_OR_ID"
PATIENCE = 300.0  # seconds for looking at a base, which has its own limits on processor time
TOO_MUCH = "Looking at the base took more time or memory than any sound one needs."
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


class HealthDesk:
    """What is wrong with a desk."""

    def __init__(self, store: Desk) -> None:
        self._store = store

    def examine(self) -> Iterator[Check]:
        """See :func:`examine`."""
        return examine(self._store)


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
        "erased": _erased,
        "training": _training,
        "logs": _logs,
    }
    for name, check in checks.items():
        try:
            yield check(desk)
        except Exception as error:
            yield Check(name, False, f"This could not be checked: {error}", "See the sentence, then run this again.")


def examine_unreadable(home: Home, error: Exception) -> Iterator[Check]:
    """What can be looked at where not even the database opens: why not, and what is safe beside it."""
    yield _machine()
    yield _packages()
    with suppress(OSError):
        yield _disk(home)
    sentence = error.sentence if isinstance(error, DeskError) else f"{home.database} can't be opened: {error}."
    yield Check("store", False, sentence, f"First copy {home.root} somewhere else, whole; then as the sentence says.")
    yield _lying(home)


def _lying(home: Home) -> Check:
    """The adapters on the disk, each against its own manifest: without a database nobody knows which there should
    be."""
    found, damaged = [], []
    with suppress(OSError):
        for folder in sorted(path for path in home.adapters.iterdir() if path.is_dir()):
            try:
                verify(folder)
                found.append(folder.name)
            except (OperatorError, OSError) as error:
                damaged.append(f"{folder.name}: {error}")
    finding = f"whole on the disk: {', '.join(found) or 'none'}"
    if damaged:
        return Check("adapters", False, f"{finding}. {' '.join(damaged)}", "Restore their folders from a backup.")
    return Check("adapters", True, finding)


def _machine(desk: Desk | None = None) -> Check:
    cores = os.process_cpu_count() if hasattr(os, "process_cpu_count") else len(os.sched_getaffinity(0))
    return Check("machine", True, f"{platform.machine()}, {cores} cores, Python {platform.python_version()}")


def _packages(desk: Desk | None = None) -> Check:
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


def _disk(desk: Desk | Home) -> Check:
    root = desk.root if isinstance(desk, Home) else desk.home.root
    free = shutil.disk_usage(root).free
    if free < LOW_DISK:
        return Check("disk", False, f"Only {_gib(free)} free.", f"Free some space on the disk of {root}.")
    return Check("disk", True, f"{_gib(free)} free")


def _home(desk: Desk) -> Check:
    root = Path(desk.home.root)
    if (mode := stat.S_IMODE(root.stat().st_mode)) & 0o022:
        return Check("home", False, f"Others can put files into {root} ({mode:04o}).", f"chmod go-w {root}")
    for path in sorted(root.iterdir()):
        if path == desk.home.models or path.is_symlink():
            continue  # bases may be shared, and hold nobody's words
        mode, allowed = stat.S_IMODE(path.stat().st_mode), 0o700 if path.is_dir() else 0o600
        if mode & 0o077:
            return Check("home", False, f"Others can read {path} ({mode:04o}).", f"chmod {allowed & mode:o} {path}")
    return Check("home", True, f"{root}, for your eyes only")


def _store(desk: Desk) -> Check:
    conn = desk.db.conn
    if problems := damage(conn):
        return Check("store", False, f"{desk.home.database} is damaged: {problems[0]}.", SALVAGE)
    if desk.db.read_only is not None:
        finding = f"{desk.home.database} can only be read: {desk.db.read_only}. Reading, exports and backups go on."
        return Check("store", False, finding, "Make it writable, or make room, and start again; nothing is lost.")
    if unfit := unfit_indexes(conn):
        finding = f"What is said and learned is sound, but the index for search is not ({', '.join(unfit)})."
        return Check("store", False, finding, "deskloop backup FILE, then deskloop restore FILE --home NEW, mends it.")
    if cells := list(unreadable_cells(conn)):
        finding = f"{len(cells)} values can't be read and count as empty: {', '.join(cells[:5])}."
        return Check("store", False, finding, f"Everything else goes on. {SALVAGE}")
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
        read = content_digest(Path(spec.folder), anew=True)  # every byte: a file may have been exchanged unseen
        if spec.digest not in (None, read) or read != content_digest(Path(spec.folder)):
            return Check("base", False, f"The files in {spec.folder} are not those that were set up.", CHANGED)
        mark = fingerprint(spec)
        if (trouble := trouble_of(Path(spec.folder))) is not None:
            return Check("base", False, trouble, "deskloop setup --base FOLDER_OR_ID")
    except DeskError as error:
        return Check("base", False, error.sentence, "deskloop setup")
    except EngineError as error:
        return Check("base", False, error.sentence, "deskloop setup --base FOLDER_OR_ID")
    return Check("base", True, f"{Path(spec.folder).name}, {spec.quantization}, fingerprint {mark[:12]}")


def trouble_of(folder: Path) -> str | None:
    """Why the base in *folder* would not load, by ``bot.bases.check`` in a process of its own; None if it would."""
    command = [*module_command("bot.bases.check"), str(folder)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False, **child_options()
        )
    except subprocess.TimeoutExpired:
        return TOO_MUCH
    if done.returncode == 0:
        return None
    said = done.stdout.decode("utf-8", "replace").splitlines()
    return next((line.removeprefix(GAVE_UP) for line in said if line.startswith(GAVE_UP)), TOO_MUCH)


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
    if active != BASE:
        try:
            verify(folder_of(desk, desk.versions.get(active)), fingerprint(base_spec(desk)))
        except EngineError as error:
            return Check("adapters", False, error.sentence, "deskloop versions activate base, or change the base back")
        except DeskError:
            pass  # without a base there is nothing to compare with; the check of the base says so
    known = {finding.version for finding in findings}
    strange = sorted(path.name for path in desk.home.adapters.iterdir() if path.name not in known)
    if strange and desk.runs.live() is None:
        finding = f"{', '.join(strange[:5])} in {desk.home.adapters} are in no row of the database."
        return Check("adapters", False, finding, "Was an older database put back? The next retraining moves them to "
                     f"{desk.home.aside}; nothing is deleted.")  # fmt: skip
    return Check("adapters", True, f"{len(findings)} versions as published; {active} answers")


def _runs(desk: Desk) -> Check:
    desk.runs.mark_interrupted()
    waiting = [run for run in desk.runs.list() if run.state == "interrupted" or (run.discardable and _keeps(desk, run))]
    if waiting:
        found = ", ".join(f"{run.id} ({run.state})" for run in waiting)
        return Check("runs", False, f"Did not come to their end and wait: {found}.", ways_on(waiting[-1]).strip())
    live = desk.runs.live()
    return Check("runs", True, f"run {live.id} is {live.state}" if live else "none in progress")


def _keeps(desk: Desk, run: Run) -> bool:
    """Whether files of *run* lie there for a resume."""
    folder = desk.home.runs / str(run.id)
    return (folder / "checkpoints").is_dir() or (folder / "adapter").is_dir()


def _erased(desk: Desk) -> Check:
    """What erasing left to do: files to be written anew, and a version that knows what it should not."""
    if desk.erasing.unfinished():
        return Check(
            "erased",
            False,
            "An erasure was cut off; the database's free pages may still hold what was erased.",
            "deskloop forget --finish",
        )
    tainted, active = desk.erasing.tainted(), desk.promotions.active()
    if active in tainted:
        return Check("erased", False, f"{active} answers and learned what was erased.", "deskloop forget --retrain")
    if left := removable(desk):
        return Check(
            "erased", False, f"{', '.join(left)} learned what was erased.", "deskloop forget --remove-versions"
        )
    return Check("erased", True, "nothing left to do")


def _training(desk: Desk) -> Check:
    """What was wrong with the last run that came to an end."""
    last = next((run for run in desk.runs.list() if run.state in OVER and run.state != "cancelled"), None)
    if last is None:
        return Check("training", True, "no run yet")
    said = [recorded(row).event for row in desk.runs.events(last.id)]
    if troubles := [event.trouble for event in said if isinstance(event, TroubleFound)]:
        finding = " ".join(trouble.finding for trouble in troubles)
        return Check("training", False, f"run {last.id}: {finding}", " ".join(one.advice for one in troubles))
    if (failure := failure_of(last)) is not None:
        finding = f"run {last.id}: {last.state}. {failure.sentence}"
        return Check("training", False, finding, f"See the log: {failure.log}")
    return Check("training", True, f"run {last.id}: {last.state}.")


def _logs(desk: Desk) -> Check:
    return Check("logs", True, str(desk.home.logs))


def _gib(count: float) -> str:
    return f"{count / 2**30:.1f} GiB"
