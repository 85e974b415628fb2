"""Where the files of a run lie, and which of them are whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from store.home import Home, private_folder, sync_folder

MARK = "complete"  # written last, so that what a kill left half-written is known by its absence


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The folder of one run."""

    root: Path

    @classmethod
    def of(cls, home: Home, run_id: int) -> RunFiles:
        """The folder of run *run_id*, created."""
        return cls(private_folder(home.runs / str(run_id)))

    @property
    def log(self) -> Path:
        """Everything the run's processes printed."""
        return self.root / "run.log"

    @property
    def checkpoints(self) -> Path:
        """What a resume goes on from."""
        return self.root / "checkpoints"

    @property
    def adapter(self) -> Path:
        """The trained adapter, before it is published."""
        return self.root / "adapter"

    @property
    def trained(self) -> bool:
        """Whether training is done and its adapter whole."""
        return (self.adapter / MARK).is_file()

    def last_checkpoint(self) -> Path | None:
        """The newest checkpoint that was written to its end."""
        found = [path for path in self.checkpoints.glob("checkpoint-*") if (path / MARK).is_file()]
        return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)

    def best(self, step: int) -> Path:
        """The weights of the look at *step*, where it is the best one so far."""
        return self.checkpoints / f"best-{step}.safetensors"

    def drop_best(self, *, but: int) -> None:
        """Remove the weights of looks that were the best ones once."""
        for path in self.checkpoints.glob("best-*.safetensors"):
            if path != self.best(but):
                path.unlink(missing_ok=True)

    def drop_checkpoints(self, *, but: Path | None = None) -> None:
        """Remove checkpoints, all or all but one."""
        for path in self.checkpoints.glob("checkpoint-*"):
            if path != but:
                shutil.rmtree(path, ignore_errors=True)

    def drop_work(self) -> None:
        """Remove everything a finished run needs no more; the log stays."""
        shutil.rmtree(self.checkpoints, ignore_errors=True)
        shutil.rmtree(self.adapter, ignore_errors=True)


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
    """A path beside *target* to build a folder at: it becomes *target* at the end of the block, whole or not at all."""
    staging = target.with_name(f".{target.name}.{os.getpid()}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield staging
        staging.rename(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
