"""The pairs a reply may come from, of those its version was trained on: by words, which takes no time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from finetune.bisect.words import Likeness, Told, likest
from store.desk import Desk
from store.pairs.listing import ListedPair
from store.words import BASE, Exchange, Version

SHOWN = 5  # pairs that are shown of the hundreds


@dataclass(frozen=True, slots=True)
class Said:
    """Something a version said: its ``answer`` to a ``question`` after a ``history``."""

    version: Version
    question: str
    answer: str
    history: tuple[Exchange, ...] = ()


@dataclass(frozen=True, slots=True)
class Near:
    """A pair that may have taught what was said, and why: ``likeness`` by words, and ``gradient``, how far it pulls the
    version to that answer (-1 to 1; None: nobody measured it). ``taught``: the version whose training had it last,
    which the one that spoke goes on from if it is another."""

    row: ListedPair
    likeness: Likeness
    taught: Version
    gradient: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``deskloop bisect``."""
        pair = self.row.pair
        return {
            "pair": pair.id,
            "question_alike": round(self.likeness.question, 1),
            "answer_alike": round(self.likeness.answer, 1),
            "gradient": self.gradient,
            "taught": self.taught,
            "live": pair.live,
            "instruction": pair.instruction,
            "output": pair.output,
        }


def nearest(desk: Desk, said: Said, limit: int = SHOWN) -> list[Near]:
    """The pairs most like what was said, the likest first, of all that its version and those it goes on from were
    trained on. Empty for the base and for what no run of this desk made. Takes some tenths of a second for ten thousand
    pairs."""
    pairs: dict[int, Told] = {}
    taught: dict[int, Version] = {}
    for version, run in _lineage(desk, said.version):
        for number, question, answer in desk.runs.trained_on(run):
            if number not in pairs:
                pairs[number], taught[number] = Told(number, question, answer), version
    found = likest(said.question, said.answer, pairs.values(), limit)
    rows = {row.pair.id: row for row in desk.pair_listing.rows([likeness.number for likeness in found])}
    return [Near(rows[one.number], one, taught[one.number]) for one in found if one.number in rows]


def why(near: Near, speaker: Version) -> str:
    """Why a pair is listed for what *speaker* said, in a sentence or two."""
    told = f"Question {near.likeness.question:.0f}% alike, answer {near.likeness.answer:.0f}% alike"
    if near.gradient is not None:
        told += f", gradient {100 * near.gradient:.0f} of 100"
    learned = "" if near.taught == speaker else f" {near.taught} learned it last, and {speaker} goes on from there."
    return f"{told}.{learned}"


def _lineage(desk: Desk, version: Version) -> Iterator[tuple[Version, int]]:
    """*version* and those it goes on from, each with its run, the newest first: what an earlier one learned is still in
    the weights, also if the pair was put aside since."""
    rows = {Version(row.name): row for row in desk.versions.list()}
    while version != BASE and (row := rows.pop(version, None)) is not None and row.run_id is not None:
        yield version, row.run_id
        version = desk.runs.get(row.run_id).parent
