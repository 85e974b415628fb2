"""A job: a folder with all that a training needs, and all that it gives back. Needs no torch, and knows no desk.

    job.json        what is to be done: the recipe, the base by what it is, the system message
    learned.jsonl   the pairs that are learned, with their weights; for objectives that learn from mistakes with the
                    replies that were wrong, and replies of which only that is known
    watched.jsonl   the pairs by which the training is watched
    parent/         the files of the version it goes on from, if it does
    complete        the mark: all of the above is there

    rows/           made of the pairs by the trainer: token ids, in Arrow
    reference.safetensors  how likely they were before anything was learned, for objectives that ask
    checkpoints/    what an interrupted training goes on from
    adapter/        what was trained, once it is whole
    training.json   what the training found out about itself

It names no place of a desk; where the base lies is said to the trainer when it starts. The pairs are texts, not token
ids: the trainer makes ids of them by the base's own tokenizer and the one renderer, whose number is part of the base's
fingerprint. They are customers' words: files are 0600, the folder 0700, and it goes when its run is over or somebody
who is in it is erased (:meth:`finetune.files.RunFiles.drop_work`).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import msgspec

from bot.types import Quantization
from finetune.events import WatchedKind
from finetune.failures import RunFailure
from finetune.files import JobFiles, mark_complete
from finetune.recipe import Recipe
from store.owned import make_own, remove_own
from store.words import BASE, Exchange, Version

FORMAT = 1
EXAMPLES = 32  # at most, of held-out pairs to watch a training by: to read them takes about as long as learning ten

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class JobPair:
    """A pair, as far as a training needs it. ``weight``: how often an epoch has it; ``known``: the version
    that training goes on from has learned it; ``replayed``: no pair of the desk, see :mod:`finetune.replay`;
    ``ends``: the answer ends where its text does; ``phrasings``: other forms of the instruction, made for this training
    (:mod:`finetune.phrasings`); ``wrong``: the reply that the output corrects, empty if there was none or the objective
    does not ask; ``good``: whether the output is to be said; else it is the very reply that was wrong."""

    instruction: str
    history: tuple[Exchange, ...]
    output: str
    lang: str
    weight: int = 1
    known: bool = False
    replayed: bool = False
    ends: bool = True
    phrasings: tuple[str, ...] = ()
    wrong: str = ""
    good: bool = True


@dataclass(frozen=True, slots=True)
class JobBase:
    """Which base, by what it is: the name of its folder, how it is held, and what its files must be (see
    :class:`bot.types.BaseSpec`)."""

    name: str
    quantization: Quantization
    digest: str | None
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Job:
    """What a training is to do. ``system``: the desk's system message; ``parent``: the version it goes on from;
    ``watched``: what the pairs are it is watched by: held-out ones, which decide nothing, or a validation share of its
    own; ``libraries``: the versions of those that decide a result, where the job was written."""

    recipe: Recipe
    base: JobBase
    system: str
    parent: Version
    watched: WatchedKind
    libraries: dict[str, str]
    format: int = field(default=FORMAT)

    @property
    def warm(self) -> bool:
        """Whether it goes on from a version."""
        return self.parent != BASE


def write_job(
    files: JobFiles, job: Job, learned: Iterable[JobPair], watched: Iterable[JobPair], parent: Path | None
) -> None:
    """Write all that goes in, into a new folder; *parent*: the folder of the version to go on from. A folder that a
    kill left half-written is replaced; one that is whole stays as it is: what a run learns is fixed when it begins.

    Raises :class:`OSError` if the disk does not take it, or if there is a folder that deskloop did not make."""
    if files.whole:
        return
    remove_own(files.root)
    make_own(files.root, what="job")
    for path, pairs in ((files.learned, learned), (files.watched, watched)):
        with path.open("wb") as lines:
            for pair in pairs:
                lines.write(msgspec.json.encode(pair) + b"\n")
    if parent is not None:
        shutil.copytree(parent, files.parent, copy_function=_link_or_copy)
    files.description.write_bytes(msgspec.json.encode(job))
    mark_complete(files.root)


def change_recipe(files: JobFiles, recipe: Recipe) -> None:
    """Have the job done with *recipe*, which takes the same steps in other parts (see :meth:`Recipe.smaller`)."""
    job = read_job(files)
    if job.recipe == recipe:
        return
    new = files.description.with_suffix(".new")
    new.touch(mode=0o600)
    new.write_bytes(msgspec.json.encode(replace(job, recipe=recipe)))
    new.replace(files.description)


def read_job(files: JobFiles) -> Job:
    """What is to be done. Raises :class:`RunFailure`."""
    try:
        job = msgspec.json.decode(files.description.read_bytes(), type=Job)
    except (OSError, ValueError) as error:
        raise RunFailure("failed", f"{files.description}: {type(error).__name__}") from error
    if not files.whole or job.format != FORMAT:
        raise RunFailure("failed", f"{files.root} is not whole, or of another deskloop")
    return job


def read_pairs(path: Path) -> Iterator[JobPair]:
    """The pairs in one of a job's files, one after another. Raises :class:`RunFailure`."""
    decoder = msgspec.json.Decoder(JobPair)
    try:
        with path.open("rb") as lines:
            for line in lines:
                yield decoder.decode(line)
    except (OSError, ValueError) as error:
        raise RunFailure("failed", f"{path}: {type(error).__name__}") from error


def spread(items: Sequence[Item], count: int = EXAMPLES) -> list[Item]:
    """At most *count* of *items*, evenly spread over them, the same at every call."""
    return [items[place * len(items) // count] for place in range(count)] if len(items) > count else list(items)


def _link_or_copy(source: str, target: str) -> None:
    """A second name for the file, where the disk knows such: published files never change, and may be large."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)
