"""How far a training is, and how it did so far: what a checkpoint holds beside weights. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One step. ``loss``: mean nats a learned token, before it; ``gradient_norm``: before it was cut; ``places``: that
    were computed, padding and all."""

    loss: float
    gradient_norm: float
    places: int


@dataclass(frozen=True, slots=True)
class Validation:
    """How a training did after ``step`` steps on pairs it does not learn from; ``bleu``: 0 to 100, if it was asked."""

    step: int
    loss: float
    bleu: float | None = None


@dataclass(frozen=True, slots=True)
class TaughtShare:
    """After ``step`` steps: of ``asked`` taught questions (of which ``asked_new`` were new to the version that training
    goes on from) how many would be answered as taught, ``known`` and ``known_new``."""

    step: int
    asked: int
    known: int
    asked_new: int = 0
    known_new: int = 0

    @property
    def share(self) -> float:
        """Of all that is asked, 0 to 1; what is new counts by itself as well, and the lesser of the two it is."""
        return min(self.known / max(1, self.asked), self.known_new / self.asked_new if self.asked_new else 1.0)


@dataclass(slots=True)
class Progress:
    """``step``: so many steps were taken; ``stopped_early``: no more are to be; ``taught``: how much was, by epoch;
    ``falls``: those of the learning rate, in a training that goes on until it is taught: from which step to which;
    ``closing``: all was taught, and the last of them is the last."""

    step: int = 0
    validations: list[Validation] = field(default_factory=list)
    stopped_early: bool = False
    taught: list[TaughtShare] = field(default_factory=list)
    falls: list[tuple[int, int]] = field(default_factory=list)
    closing: bool = False

    @property
    def is_validated(self) -> bool:
        """Whether there was a validation after the last step."""
        return bool(self.validations) and self.validations[-1].step == self.step

    @property
    def is_asked(self) -> bool:
        """Whether it was asked after the last step what is taught."""
        return bool(self.taught) and self.taught[-1].step == self.step

    def best(self, measure: str) -> Validation | None:
        """The best validation by *measure*, "loss" or "bleu", of equal ones the first; None if there was none."""
        if measure == "bleu":
            return max(self.validations, key=lambda found: (found.bleu or 0.0, -found.step), default=None)
        return min(self.validations, key=lambda found: (found.loss, found.step), default=None)
