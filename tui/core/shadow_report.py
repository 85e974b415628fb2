"""What a shadow said, beside what was sent: where it is better, where it is worse, and whether that may be chance."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import comb
from typing import Any, Literal

from store.conversations.shadows import ShadowAnswer
from store.desk import Desk
from store.words import Version

Kind = Literal["better", "worse", "other"]
"""Of an answer that differs from what was sent: ``better`` says what the operator corrected that to, ``worse``
something else than what the operator approved; nobody has judged ``other`` ones, or both are wrong."""

ORDER: tuple[Kind, ...] = ("better", "worse", "other")
ENOUGH = 6  # answers better or worse: of fewer, even all on one side may be chance (two-sided p of five of five: .06)
REAL = 0.05  # a p below this is called more than chance


@dataclass(frozen=True, slots=True)
class Difference:
    """A question that the shadow answered otherwise than it was answered."""

    kind: Kind
    answer: ShadowAnswer


@dataclass(frozen=True, slots=True)
class ShadowReport:
    """What ``version`` said unseen. ``on``: whether it goes on doing so; ``same``: how many of the ``answered`` say
    what was sent, but for white space; ``differences``: the others, the better ones first, of each kind the newest
    first."""

    version: Version
    on: bool
    answered: int
    same: int
    differences: tuple[Difference, ...]

    def count(self, kind: Kind) -> int:
        """How many differences are of *kind*."""
        return sum(one.kind == kind for one in self.differences)

    @property
    def p(self) -> float | None:
        """The chance that better and worse fall at least so far apart by chance alone: the two-sided sign test. None
        below :data:`ENOUGH` of them."""
        better, judged = self.count("better"), self.count("better") + self.count("worse")
        if judged < ENOUGH:
            return None
        tail: int = sum(comb(judged, least) for least in range(min(better, judged - better) + 1))
        return float(min(1.0, 2 * tail / 2**judged))

    @property
    def sentence(self) -> str:
        """The sum of it."""
        if not self.answered:
            ready = (
                "it answers each question after its reply was sent, while an app is open" if self.on else "it is off"
            )
            return f"{self.version} has answered no question unseen yet: {ready}."
        questions = "1 question" if self.answered == 1 else f"{self.answered:,} questions"
        said = f"{self.version} answered {questions} unseen, {self.same:,} as the reply that was sent."
        better, worse = self.count("better"), self.count("worse")
        if not better + worse:
            more = " Correct or approve the other replies to see which are better." if self.differences else ""
            return said + more
        judged = f" It says your correction in {better:,} and differs from an approved reply in {worse:,}: "
        return said + judged + self._meaning(better, worse) + "."

    def _meaning(self, better: int, worse: int) -> str:
        if self.p is None:
            return f"too few to tell, {ENOUGH} are needed"
        if self.p >= REAL:
            return f"that can be chance (p {self.p:.2f})"
        return f"{'better' if better > worse else 'worse'} than what was sent (p {self.p:.3f})"

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``deskloop versions shadow VERSION --report``."""
        return {
            "version": self.version,
            "on": self.on,
            "answered": self.answered,
            "same": self.same,
            **{kind: self.count(kind) for kind in ORDER},
            "p": self.p,
            "sentence": self.sentence,
            "differences": [{"kind": one.kind, **asdict(one.answer)} for one in self.differences],
        }


def shadow_report(desk: Desk, version: Version) -> ShadowReport:
    """Everything *version* said unseen. Takes a second for a thousand answers that are judged."""
    from finetune.gate.scores import exact

    answers = desk.shadows.answers(version)
    differences = [Difference(_kind(one), one) for one in answers if not exact(one.sent, one.said)]
    differences.sort(key=lambda one: ORDER.index(one.kind))
    on = desk.shadows.current() == version
    return ShadowReport(version, on, len(answers), len(answers) - len(differences), tuple(differences))


def _kind(answer: ShadowAnswer) -> Kind:
    if answer.correction is not None:
        return "better" if _says(answer.correction, answer.said, answer.sent) else "other"
    return "worse" if answer.judgement == "approved" and not _says(answer.sent, answer.said, "") else "other"


def _says(right: str, said: str, before: str) -> bool:
    """Whether *said* says what is *right*, by the measure of the gate's corrections."""
    from finetune.gate.outcomes import outcome_of
    from finetune.gate.report import GateItem

    return outcome_of(GateItem(0, "", right, before, said)).outcome == "learned"
