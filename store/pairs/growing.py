"""More held-out pairs for the check, taken from what would train: the fewer tests an answer has, the sooner one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from store.database import Database
from store.pairs import COUNTS, LIVE, Pairs

GROWN = "grown"  # why a question is a test
# A run has learned from the question, or from another pair of it. (Splits of old desks know it by used_by_run alone.)
_USED = """(s.used_by_run IS NOT NULL
    OR EXISTS (SELECT 1 FROM run_pairs r JOIN pairs q ON q.id = r.pair_id WHERE q.key = p.key))"""
_CORRECTED = f"""EXISTS (SELECT 1 FROM pairs c WHERE c.key = p.key AND c.source = 'correction'
    AND {LIVE.replace("p.", "c.")})"""


@dataclass(slots=True)
class _Answer:
    """The phrasings of one right answer, as keys of their questions: those that train, those that test, and of
    the ones that train those that are free to change sides."""

    train: set[str] = field(default_factory=set)
    tests: set[str] = field(default_factory=set)
    free: set[str] = field(default_factory=set)

    @property
    def may_give(self) -> bool:
        """Whether at least as many phrasings would go on training as test."""
        return bool(self.free) and len(self.train) - 1 >= len(self.tests) + 1


class GrowingTests:
    """The repository of ``desk.growing``."""

    def __init__(self, db: Database, pairs: Pairs) -> None:
        self._db, self._pairs = db, pairs

    def more(self) -> int:
        """Make tests of some questions that train, and return how many; 0 if there are none to take.

        One phrasing of each answer that has the fewest tests of all that can give one. A question stays where it is if
        a run has used it, if it was corrected, or if pairs with different answers ask it. Of each answer at least as
        many phrasings train as test, so the only one is never taken. Which phrasing it is, is decided by the keyed
        hash of the question, as for new pairs."""
        with self._db.atomic():
            giving = [answer for answer in self._answers() if answer.may_give]
            fewest = min((len(answer.tests) for answer in giving), default=0)
            taken = {min(answer.free) for answer in giving if len(answer.tests) == fewest}
            for key in taken:
                self._pairs.writer.set_side(key, "heldout", GROWN)
        return len(taken)

    def fewer(self) -> int:
        """Let what :meth:`more` took train again, as far as no run has judged by it and nobody pinned it; returns how
        many questions."""
        with self._db.atomic():
            rows = self._db.all(
                "SELECT key FROM splits s WHERE reason = ? AND split = 'heldout' AND used_by_run IS NULL "
                "AND NOT EXISTS (SELECT 1 FROM pairs p WHERE p.key = s.key AND p.pinned)",
                GROWN,
            )
            for row in rows:
                self._pairs.writer.set_side(row["key"], "train", "put back")
        return len(rows)

    def _answers(self) -> list[_Answer]:
        """Every right answer that something trains on or tests."""
        outputs: dict[str, set[str]] = defaultdict(set)
        answers: dict[str, _Answer] = defaultdict(_Answer)
        rows = self._db.all(
            f"SELECT p.key, p.output, s.split, {_USED} OR {_CORRECTED} AS stays, "
            f"{COUNTS} AND {self._pairs.may_train()} AS trains "
            f"FROM pairs p JOIN splits s ON s.key = p.key WHERE {LIVE} ORDER BY p.id"
        )
        for row in rows:
            outputs[row["key"]].add(_text(row["output"]))
        for row in rows:
            answer = answers[_text(row["output"])]
            if row["split"] == "heldout":
                answer.tests.add(row["key"])
            elif row["trains"]:
                answer.train.add(row["key"])
                if not row["stays"] and len(outputs[row["key"]]) == 1:
                    answer.free.add(row["key"])
        return list(answers.values())


def _text(output: str) -> str:
    return " ".join(output.split())
