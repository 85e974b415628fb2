"""What can go wrong with a training that does not fail: its loss does not fall, its memory did not suffice, it is
slow, or what it made does nothing. For each the cause that can be found, and what to change. Needs no torch.

All of it follows from what a run tells of itself: its steps (loss, gradient norm, learning rate), the facts it ends
with, and the answers its version gave.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, median

from finetune.events import Step, Trained
from finetune.gate.report import Trouble
from finetune.recipe import Recipe
from store.records import JudgedAnswer

STEPS_NEEDED = 10  # told steps from which a loss curve says anything
FALLEN = 0.9  # of its beginning: a loss above that has not fallen
LEARNED = 0.5  # a loss (nats a token) at which there was little left to learn from the beginning
CUT_SHARE = 0.2  # of all examples: cut outputs from which on they explain a loss that stays
SLOW = 0.2  # of the ceiling; the default recipe with the starter comes to about a third on 2 cores (benchmarks/)
BUSY = 0.7  # of the processor's time that training gets on a machine with nothing else to do
PADDED, LOOKING = 0.25, 0.25  # shares of places and of time from which on they are worth a change
WEAK = 0.05  # logits; below it an adapter as good as does nothing


@dataclass(frozen=True, slots=True)
class Course:
    """How a run went. ``fitted``: the memory did not suffice for the recipe as it stands; ``difference``: the probe's,
    in logits; ``answers``: those the gate compared with ``before``."""

    recipe: Recipe
    steps: Sequence[Step]
    facts: Trained
    fitted: bool = False
    difference: float | None = None
    answers: Sequence[JudgedAnswer] = ()
    before: str = "the version before"


def troubles_of(course: Course) -> list[Trouble]:
    """What was wrong with a run, worst first."""
    found = [
        _no_effect(course),
        _loss(course),
        _memory(course.recipe) if course.fitted else None,
        _slow(course.recipe, course.facts),
    ]
    return [trouble for trouble in found if trouble is not None]


def diverged(recipe: Recipe, steps: Sequence[Step]) -> Trouble:
    """Why a loss became no number, as far as its steps tell."""
    rate = _rate(recipe, steps)
    norms = _norms(steps)
    taken = steps[-1].step if steps else 0
    told = f" Gradients were up to {max(norms):.3g} long." if norms else ""
    return Trouble(
        "loss",
        f"The loss was no longer a number after {taken} steps at a learning rate of {rate:.3g}.{told}",
        f"Set learning_rate = {rate / 5:.2g}, or warmup = 0.1.",
    )


# -- each ------------------------------------------------------------------------------------------
def _loss(course: Course) -> Trouble | None:
    recipe, steps, facts = course.recipe, course.steps, course.facts
    losses = [step.loss for step in steps if step.loss is not None]
    if len(losses) < STEPS_NEEDED:
        return None
    fifth = max(2, len(losses) // 5)
    first, last = fmean(losses[:fifth]), fmean(losses[-fifth:])
    if last <= FALLEN * first or last <= LEARNED:
        return None
    finding = f"The loss did not fall: {first:.2f} in the first steps, {last:.2f} in the last."
    norms, rate = _norms(steps), _rate(recipe, steps)
    _, cut, dropped = facts.cuts
    if norms and median(norms) < 1e-6:
        return Trouble(
            "loss", f"{finding} No gradient reaches what is trained.", "Choose another method for this base."
        )
    if (cut + dropped) > CUT_SHARE * max(1, facts.examples):
        lost = f"{cut} answers lost their end and {dropped} pairs were left out to fit max_length."
        return Trouble("loss", f"{finding} {lost}", f"Set max_length = {2 * recipe.max_length}, or shorten the pairs.")
    if last > 1.02 * first or (norms and median(norms) > 10 * recipe.max_grad_norm):
        cause = f"Gradients are {median(norms):.3g} long, " if norms else "It rose, "
        return Trouble(
            "loss",
            f"{finding} {cause}so the steps are probably too large.",
            f"Set learning_rate = {rate / 5:.2g}.",
        )
    return Trouble(
        "loss",
        f"{finding} Gradients are fine, so the {len(losses)} steps were too short or too few.",
        f"Set learning_rate = {rate * 3:.2g}, or more epochs.",
    )


def _memory(recipe: Recipe) -> Trouble:
    smaller = recipe.smaller()
    keep = "a smaller max_length"
    if smaller is not None:
        changed = ("batch_size", "gradient_accumulation", "checkpointing")
        keep = ", ".join(
            f"{name} = {str(getattr(smaller, name)).lower()}"
            for name in changed
            if getattr(smaller, name) != getattr(recipe, name)
        )
    return Trouble(
        "memory",
        "Memory was too small for the recipe; the run continued in smaller parts.",
        f"Set {keep} in the recipe, so that the next run starts there.",
    )


def _slow(recipe: Recipe, facts: Trained) -> Trouble | None:
    speed, possible = facts.tokens_per_second, facts.ceiling_tokens_per_second
    if not speed or not possible:
        return None
    limits = list(_limits(recipe, facts))
    looking = facts.looking_seconds > LOOKING * facts.train_seconds
    if speed >= SLOW * possible and not looking:
        return None
    finding = f"Training did {speed:.0f} tokens a second; this machine's matrix products alone would do {possible:.0f}."
    if not limits:
        limits = [("None of the known causes explains it", "A smaller base is faster on any machine")]
    causes, advice = zip(*limits, strict=True)
    return Trouble("slow", f"{finding} {'. '.join(causes)}.", f"{'. '.join(advice)}.")


def _limits(recipe: Recipe, facts: Trained) -> Iterator[tuple[str, str]]:
    if (cpu := facts.cpu_share) is not None and cpu < BUSY:
        yield f"It got {cpu:.0%} of the processor", "Close other programs, or retrain when the desk is quiet"
    if (padding := facts.padding_share or 0) > PADDED:
        name = "bucketing" if not recipe.bucketing else "packing"
        yield f"{padding:.0%} of what was computed was padding", f"Set {name} = true"
    if recipe.checkpointing:
        yield "Activations were computed twice", "Set checkpointing = false where the memory allows"
    if recipe.dora:
        yield "DoRA recomputes every weight at each step", "Set dora = false"
    if facts.unpacked is False and recipe.method == "qlora":
        yield "4-bit weights were unpacked at every step, because memory was short", "Close other programs"
    if facts.looking_seconds > LOOKING * facts.train_seconds > 0:
        yield (
            f"{facts.looking_seconds / facts.train_seconds:.0%} of the time went into evaluation",
            "Set a larger evaluate_every or fewer bleu_questions",
        )


def _no_effect(course: Course) -> Trouble | None:
    steps, difference, answers = course.steps, course.difference, course.answers
    same = [answer.before == answer.after for answer in answers]
    weak = difference is not None and difference < WEAK
    if not weak and not (len(same) >= 5 and all(same)):
        return None
    finding = (
        f"The new version changes no logit of the probe by more than {difference:.3f}."
        if weak
        else f"The new version answers all {len(same)} questions word for word as {course.before} does."
    )
    taken = steps[-1].step if steps else 0
    if taken < 20:
        return Trouble(
            "no-effect", f"{finding} It took {taken} steps only.", "Set more epochs, or correct more replies."
        )
    rate = _rate(course.recipe, steps)
    return Trouble("no-effect", f"{finding} Its learning rate was {rate:.2g}.", f"Set learning_rate = {rate * 5:.2g}.")


# -- small parts -----------------------------------------------------------------------------------
def _norms(steps: Sequence[Step]) -> list[float]:
    return [step.gradient_norm for step in steps if step.gradient_norm is not None]


def _rate(recipe: Recipe, steps: Sequence[Step]) -> float:
    """The highest learning rate of the steps, before it fell; without any, the recipe's."""
    rates = [step.learning_rate for step in steps if step.learning_rate is not None]
    return max(rates, default=recipe.rate) or recipe.rate
