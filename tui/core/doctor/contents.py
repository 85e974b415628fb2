"""What a desk keeps: its files, its rows, its versions, and what runs and erasures left to do."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path

from bot.adapters import verify
from bot.bases.base import fingerprint
from bot.types import EngineError
from finetune.endings import failure_of
from finetune.events import TroubleFound, recorded
from finetune.files import RunFiles
from store.database import SALVAGE
from store.database.soundness import damage, unfit_indexes, unreadable_cells
from store.desk import Desk
from store.errors import OperatorError
from store.home import Home
from store.runs import OVER
from store.settings.file import FILE_NAME
from store.words import BASE
from tui.core.adapters import folder_of, verify_all
from tui.core.base import base_spec
from tui.core.doctor.check import Check
from tui.core.erasing import removable
from tui.core.errors import DeskError
from tui.core.runs import ways_on


def home_check(desk: Desk) -> Check:
    """Whether others can read or write it."""
    root = Path(desk.home.root)
    if (mode := stat.S_IMODE(root.stat().st_mode)) & 0o022:
        return Check("home", False, f"Others can put files into {root} ({mode:04o}).", f"chmod go-w {root}")
    for path in sorted(root.iterdir()):
        if path == desk.home.models or path.is_symlink():
            continue  # bases may be shared, and hold nobody's words
        mode, allowed = stat.S_IMODE(path.stat().st_mode), 0o700 if path.is_dir() else 0o600
        if mode & 0o077:
            return Check("home", False, f"Others can read {path} ({mode:04o}).", f"chmod {allowed & mode:o} {path}")
    return Check("home", True, f"{root}, readable only by you")


def store_check(desk: Desk) -> Check:
    """Whether the database is sound."""
    conn = desk.db.conn
    if problems := damage(conn):
        return Check("store", False, f"{desk.home.database} is damaged: {problems[0]}.", SALVAGE)
    if desk.db.read_only is not None:
        finding = (
            f"{desk.home.database} can only be read: {desk.db.read_only}. Reading, exports and backups still work."
        )
        return Check("store", False, finding, "Make it writable, or free some space, and start again; nothing is lost.")
    if unfit := unfit_indexes(conn):
        finding = f"Conversations and pairs are intact, but the search index is not ({', '.join(unfit)})."
        return Check(
            "store", False, finding, "deskloop backup FILE, then deskloop restore FILE --home NEW, repairs it."
        )
    if cells := list(unreadable_cells(conn)):
        finding = f"{len(cells)} values can't be read and are treated as empty: {', '.join(cells[:5])}."
        return Check("store", False, finding, f"Everything else still works. {SALVAGE}")
    return Check("store", True, f"sound; {desk.pairs.count()} pairs, {desk.judgements.waiting()} corrections waiting")


def settings_check(desk: Desk) -> Check:
    """Where the settings come from."""
    file = desk.settings.file()
    if file.problem:
        return Check("settings", False, file.problem, f"Put {desk.home.settings_file} right; changes apply at once.")
    where = f"{', '.join(file.values)} from {FILE_NAME}, the rest" if file.values else "all"
    return Check("settings", True, f"{where} as set in the app")


def adapters(desk: Desk) -> Check:
    """Whether the versions are as they were published."""
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
        finding = f"{', '.join(strange[:5])} in {desk.home.adapters} are not in the database."
        return Check("adapters", False, finding, "Was an older database restored? The next retraining moves them to "
                     f"{desk.home.aside}; nothing is deleted.")  # fmt: skip
    return Check("adapters", True, f"{len(findings)} versions as published; {active} answers")


def lying(home: Home) -> Check:
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
    finding = f"intact on the disk: {', '.join(found) or 'none'}"
    if damaged:
        return Check("adapters", False, f"{finding}. {' '.join(damaged)}", "Restore their folders from a backup.")
    return Check("adapters", True, finding)


def runs_check(desk: Desk) -> Check:
    """Runs that wait to be resumed or discarded."""
    desk.runs.mark_interrupted()
    waiting = [
        run
        for run in desk.runs.list()
        if run.state == "interrupted" or (run.discardable and RunFiles(desk.home.runs / str(run.id)).has_work)
    ]
    if waiting:
        found = ", ".join(f"{run.id} ({run.state})" for run in waiting)
        return Check("runs", False, f"Interrupted or failed, and waiting: {found}.", ways_on(waiting[-1]).strip())
    live = desk.runs.live()
    return Check("runs", True, f"run {live.id} is {live.state}" if live else "none in progress")


def erased(desk: Desk) -> Check:
    """What erasing left to do: files to be written anew, and a version that knows what it should not."""
    if desk.erasing.unfinished():
        return Check(
            "erased",
            False,
            "An erasure was interrupted; the database's free pages may still contain what was erased.",
            "deskloop forget --finish",
        )
    tainted, active = desk.erasing.tainted(), desk.promotions.active()
    if active in tainted:
        return Check("erased", False, f"{active} is active and learned what was erased.", "deskloop forget --retrain")
    if left := removable(desk):
        return Check(
            "erased", False, f"{', '.join(left)} learned what was erased.", "deskloop forget --remove-versions"
        )
    return Check("erased", True, "nothing left to do")


def training(desk: Desk) -> Check:
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


def logs(desk: Desk) -> Check:
    """Where to look for more."""
    return Check("logs", True, str(desk.home.logs))
