"""Where the files of a run lie, and which of them are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from store.home import Home, private_folder, sync_folder
from store.owned import NotOwn, is_own, make_own, mark_own, place, remove_own, workshop

MARK = "complete"  # written last, so that what a kill left half-written is known by its absence
# All that earlier deskloops, which marked no folders, wrote into that of a run.
_NAMES = frozenset({"run.log", "run.old.log", "checkpoints", "adapter", "training.json"})
# Where a run's work was before jobs had a folder of their own.
_OLD_RESULTS = ("adapter", "training.json")
_OLD_WORK = ("checkpoints", *_OLD_RESULTS)


@dataclass(frozen=True, slots=True)
class JobFiles:
    """The folder of a job: what a training needs goes in, what it makes comes out (see :mod:`finetune.job`). It is
    complete in itself, and may lie on any machine."""

    root: Path

    # -- what goes in --------------------------------------------------------------------------------
    @property
    def description(self) -> Path:
        """The :class:`finetune.job.Job`."""
        return self.root / "job.json"

    @property
    def learned(self) -> Path:
        """The pairs that are learned, a JSON line each."""
        return self.root / "learned.jsonl"

    @property
    def watched(self) -> Path:
        """The pairs by which the training is watched, a JSON line each."""
        return self.root / "watched.jsonl"

    @property
    def parent(self) -> Path:
        """The adapter to go on from; missing for a training that begins at the base."""
        return self.root / "parent"

    @property
    def whole(self) -> bool:
        """Whether all that goes in is there."""
        return (self.root / MARK).is_file()

    # -- what comes out ------------------------------------------------------------------------------
    @property
    def rows(self) -> Path:
        """The pairs as token ids, in Arrow."""
        return self.root / "rows"

    @property
    def lower(self) -> Path:
        """What the layers that don't learn make of the rows (see :mod:`finetune.train.lower`)."""
        return self.rows / "lower.bin"

    @property
    def reference(self) -> Path:
        """How likely the texts were before anything was learned, for objectives that ask."""
        return self.root / "reference.safetensors"

    @property
    def checkpoints(self) -> Path:
        """What a resume goes on from."""
        return self.root / "checkpoints"

    @property
    def adapter(self) -> Path:
        """The trained adapter, before it is published."""
        return self.root / "adapter"

    @property
    def facts(self) -> Path:
        """What the training found out about itself, in JSON."""
        return self.root / "training.json"

    @property
    def trained(self) -> bool:
        """Whether training is done and its adapter whole."""
        return (self.adapter / MARK).is_file()

    def last_checkpoint(self) -> Path | None:
        """The newest checkpoint that was written to its end."""
        found = [path for path in self.checkpoints.glob("checkpoint-*") if (path / MARK).is_file()]
        return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)

    def best(self, step: int) -> Path:
        """The learned weights at *step*, where its validation is the best one so far."""
        return self.checkpoints / f"best-{step}.safetensors"

    # -- what goes -----------------------------------------------------------------------------------
    def drop_best(self, *, but: int) -> None:
        """Remove the weights of validations that were the best ones once."""
        for path in self.checkpoints.glob("best-*.safetensors"):
            if path != self.best(but):
                _remove(path, within=self.root)

    def drop_checkpoints(self, *, but: Path | None = None) -> None:
        """Remove checkpoints, all or all but one."""
        for path in self.checkpoints.glob("checkpoint-*"):
            if path != but:
                _remove(path, within=self.root)


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The folder of one run."""

    root: Path

    @classmethod
    def of(cls, home: Home, run_id: int) -> RunFiles:
        """The folder of run *run_id*, created and marked as deskloop's. Raises :class:`store.owned.NotOwn` if there is
        a folder of that name that deskloop did not make."""
        folder = private_folder(home.runs) / str(run_id)
        try:
            return cls(make_own(folder, what="run"))
        except FileExistsError:
            if not is_own(folder):
                _adopt(folder)
        files = cls(folder)
        files._move_old_results()
        return files

    @property
    def log(self) -> Path:
        """Everything the run's processes printed."""
        return self.root / "run.log"

    @property
    def job(self) -> JobFiles:
        """What the run trains."""
        return JobFiles(self.root / "job")

    @property
    def has_work(self) -> bool:
        """Whether anything is there that the run learns from or has learned."""
        return any(os.path.lexists(path) for path in self._work)

    def is_work(self, name: str) -> bool:
        """Whether what is called *name* in this folder is part of that."""
        return self.root / name in self._work

    def drop_work(self) -> None:
        """Remove everything a finished run needs no more: the pairs' texts and whatever was made of them. The log
        stays."""
        for path in self._work:
            _remove(path, within=self.root)

    @property
    def _work(self) -> list[Path]:
        return [self.job.root, *(self.root / name for name in _OLD_WORK)]

    @property
    def begun_by_earlier_deskloop(self) -> bool:
        """Whether checkpoints lie here as 0.1 wrote them, and no others: nothing can go on from those."""
        return (self.root / "checkpoints").is_dir() and not os.path.lexists(self.job.root)

    def _move_old_results(self) -> None:
        """Put what an earlier deskloop had trained where it belongs now. (From its checkpoints nothing can go on: such
        a training begins again.)"""
        found = [name for name in _OLD_RESULTS if (self.root / name).exists()]
        if found and not os.path.lexists(self.job.root):
            make_own(self.job.root, what="job")
            for name in found:
                place(self.root / name, self.job.root / name)


def _remove(path: Path, *, within: Path) -> None:
    with suppress(OSError):  # it costs room, no more
        remove_own(path, within=within)


def _adopt(folder: Path) -> None:
    """Mark the folder of a run by a deskloop that knew no marks: it holds nothing but what a run writes."""
    if folder.is_symlink() or not folder.is_dir() or not _NAMES.issuperset(path.name for path in folder.iterdir()):
        raise NotOwn(folder)
    mark_own(folder, what="run")


def sync_tree(folder: Path) -> None:
    """Have every file below *folder* on the disk, and give files 0600 and folders 0700."""
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            path.chmod(0o700)
            sync_folder(path)
            continue
        path.chmod(0o600)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    sync_folder(folder)


def mark_complete(folder: Path) -> None:
    """Say that everything in *folder* is written and on the disk."""
    sync_tree(folder)
    (folder / MARK).touch(mode=0o600)
    sync_folder(folder)


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """A path beside *target* to build a folder at: it becomes *target* at the end of the block, whole or not at all.

    Raises :class:`FileExistsError` if *target* is there by then."""
    with workshop(target.parent) as shop:
        built = shop / target.name
        yield built
        place(built, target)
