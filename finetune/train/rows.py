"""Pairs as token ids, and where the model is to learn: rendered once, and kept beside the job.

What `datasets` is for here: the rows of a large desk are written as they are rendered, and read from the disk as they
are needed (memory-mapped Arrow), so that their number costs no memory; and a resumed training finds them there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from bot.render import render_pair
from bot.types import Prompt
from finetune.files import MARK, JobFiles, mark_complete
from finetune.job import JobPair
from finetune.objectives.objective import Objective, Row
from finetune.objectives.sft import SFT
from store.owned import remove_own

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True, slots=True)
class Cuts:
    """What did not fit: pairs that lost exchanges of their history, pairs that lost the end of their output, and
    pairs that are left out because nothing would remain to learn."""

    history: int = 0
    output: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders pairs for one base. ``system``: the desk's system message; ``max_length`` in tokens."""

    tokenizer: Any
    system: str
    max_length: int

    def row(self, pair: JobPair) -> tuple[Row | None, Cuts]:
        """The row of *pair*, the oldest exchanges going first where it is too long; None: nothing would be learned."""
        for lost in range(len(pair.history) + 1):
            prompt = Prompt(self.system, pair.history[lost:], pair.instruction)
            ids, mask = render_pair(self.tokenizer, prompt, pair.output)
            if len(ids) <= self.max_length:
                break
        start, cuts = mask.index(1), Cuts(history=int(lost > 0))
        if not pair.ends:
            ids = ids[:-1]
        cut = len(ids) > self.max_length
        if cut:
            # Learned as far as it fits, but without an end of turn: the answer does not end there, and a bot that
            # learned that it does would stop in mid-sentence. To leave the pair out would unlearn the rest, too.
            ids, cuts = ids[: self.max_length], replace(cuts, output=1)
        if start >= len(ids) - (pair.ends and not cut):
            return None, replace(cuts, dropped=1)
        row: Row = {"input_ids": ids, "answer_start": start, "length": len(ids)}
        return {**row, "known": pair.known, "replayed": pair.replayed, "weight": pair.weight}, cuts

    def answer(self, text: str, after: int) -> list[int]:
        """What the bot would have written to say *text*, as far as it fits behind a question of *after* tokens."""
        ids, mask = render_pair(self.tokenizer, Prompt("", (), ""), text)
        return ids[mask.index(1) :][: self.max_length - after]

    def corrected(self, pairs: Iterable[JobPair]) -> list[tuple[Row, Row]]:
        """Of those *pairs* that correct a reply: their rows, and the same with that reply."""
        both = ((self.row(pair)[0], self.row(replace(pair, output=pair.wrong))[0]) for pair in pairs if pair.wrong)
        return [(right, wrong) for right, wrong in both if right is not None and wrong is not None]

    def rows(self, pairs: Iterable[JobPair]) -> list[Row]:
        """The rows of a few *pairs*, each once."""
        return [row for pair in pairs if (row := self.row(pair)[0]) is not None]


def learned_rows(
    files: JobFiles, pairs: Iterable[JobPair], renderer: Renderer, objective: Objective = SFT
) -> tuple[Dataset, Cuts]:
    """The rows *objective* makes of the job's *pairs*, each followed by those of its made phrasings: written at the
    first call, then found."""
    from datasets import Dataset

    arrow, kept = files.rows / "learned.arrow", files.rows / "cuts.json"
    if not (files.rows / MARK).is_file():
        remove_own(files.rows, within=files.root)
        files.rows.mkdir(mode=0o700)
        kept.write_bytes(msgspec.json.encode(_write(arrow, pairs, renderer, objective)))
        mark_complete(files.rows)
    return Dataset.from_file(str(arrow)), msgspec.json.decode(kept.read_bytes(), type=Cuts)


def longest_text(rows: Dataset) -> int:
    """The tokens of the longest text in *rows*."""
    lengths = [*rows["length"], *map(len, rows["other_ids"] if "other_ids" in rows.column_names else [])]
    return int(max(lengths))


def _write(arrow: Path, pairs: Iterable[JobPair], renderer: Renderer, objective: Objective) -> Cuts:
    from datasets import Features, List, Value
    from datasets.arrow_writer import ArrowWriter

    found: list[Cuts] = []

    def rows() -> Iterator[Row]:
        place, before = 0, ""
        for pair in pairs:
            row, cuts = renderer.row(pair)
            found.append(cuts)
            if row is None:
                continue
            own, *more = objective.rows(pair, row, before, renderer.answer)
            made = [
                objective.rows(pair, phrased, before, renderer.answer)[0]
                for phrased in renderer.rows(replace(pair, instruction=phrasing) for phrasing in pair.phrasings)
            ]
            for offset, one in enumerate((own, *made, *more)):
                one["original"] = place + (offset if offset > len(made) else 0)
                yield one
            place, before = place + 1 + len(made) + len(more), pair.output

    number, flag = Value("int32"), Value("bool")
    kinds = {"input_ids": List(number), "answer_start": number, "length": number}
    kinds |= {"known": flag, "replayed": flag, "weight": number, "original": number}
    own_kinds = {"good": flag, "other_ids": List(number), "other_places": List(number)}
    kinds |= {name: own_kinds[name] for name in objective.columns}
    with ArrowWriter(path=str(arrow), features=Features(kinds)) as writer:
        for row in rows():
            writer.write(row)
        writer.finalize()
    return Cuts(*(sum(asdict(cuts)[name] for cuts in found) for name in ("history", "output", "dropped")))
