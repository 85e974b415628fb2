"""How long a run will take, by what this machine's own runs took. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.lengths import estimated_tokens
from finetune.events import Step, recorded
from finetune.gate.measures import SAMPLE
from finetune.lengths import PROMPT_TOKENS
from finetune.mistakes import WrongReplies, wrong_replies
from finetune.parent import known_pairs, warm_parent
from finetune.recipe import Recipe
from finetune.train.plan import WHOLE_SHARE, usual_epochs
from store.desk import Desk
from store.records import Pair
from store.words import BASE

# Trained tokens a second where this desk has no run of its own to go by: SmolLM2-135M on 2 cores, benchmarks/.
DEFAULT_SPEED = 300.0
STARTING_SECONDS = 25.0  # of the two processes of a run
ANSWER_SECONDS = 0.4  # for a question that two versions answer, most of them as the draft says
TELLING = 4  # tokens by which an answer differs from all others, and its opening begins to count


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds until the verdict: those it will take, about, and those that it takes at most."""

    seconds: float
    at_most: float

    @property
    def words(self) -> str:
        """For an operator: "about 4 minutes, at most 9"."""
        usual, most = (max(1, round(seconds / 60)) for seconds in (self.seconds, self.at_most))
        return f"about {usual} minute{'s' if usual > 1 else ''}" + (f", at most {most}" if most > usual else "")


def estimate(
    desk: Desk,
    recipe: Recipe,
    training: Sequence[tuple[Pair, bool]] | None = None,
    wrong: WrongReplies | None = None,
) -> Estimate:
    """How long a run with *recipe* takes. *training*: the desk's training set, and *wrong*: the wrong replies that it
    learns from, if they are at hand."""
    pairs = desk.pairs.training_set() if training is None else training
    parent = warm_parent(desk, recipe)
    known = known_pairs(desk, parent)
    if wrong is None:
        wrong = wrong_replies(desk, recipe, [pair for pair, _ in pairs])
    epoch = (epoch_tokens(pairs, recipe, known) + wrong_tokens(pairs, recipe, wrong)) / measured_speed(desk)
    asked = desk.pairs.count(split="heldout") + min(SAMPLE, len(pairs))
    around = STARTING_SECONDS + ANSWER_SECONDS * asked
    usual, most = _epochs(recipe, pairs, known, warm=parent != BASE)
    return Estimate(around + usual * epoch, around + most * epoch)


def _epochs(recipe: Recipe, pairs: Sequence[tuple[Pair, bool]], known: set[int], *, warm: bool) -> tuple[float, float]:
    """(how often the pairs are usually gone through, how often at most)."""
    weights = {pair.id: recipe.new_weight if new else 1 for pair, new in pairs}
    if recipe.steps:
        fixed = recipe.steps * recipe.batch_size * recipe.gradient_accumulation / max(1, sum(weights.values()))
        return fixed, fixed
    if fixed := recipe.warm_epochs if warm else recipe.epochs:
        return fixed, fixed
    fresh = [pair for pair, new in pairs if new or pair.id not in known] or [pair for pair, _ in pairs]
    phrasings = sum(weights[pair.id] for pair in fresh) / max(1, len({pair.output for pair in fresh}))
    return min(usual_epochs(phrasings), recipe.most_epochs), recipe.most_epochs


def epoch_tokens(pairs: Sequence[tuple[Pair, bool]], recipe: Recipe, known: set[int]) -> float:
    """About how many tokens an epoch of *pairs* takes, each with whether it is new; *known*: the numbers of those that
    the version knows which training goes on from."""
    phrasings: dict[str, int] = {}
    for pair, _ in pairs:
        phrasings[pair.output] = phrasings.get(pair.output, 0) + 1
    total = 0.0
    for pair, new in pairs:
        prompt, answer = tokens_of(pair)
        count = phrasings[pair.output]
        whole = math.ceil(WHOLE_SHARE * count) / count if recipe.opening else 1.0
        tokens = prompt + whole * answer + (1 - whole) * min(answer, TELLING + recipe.opening)
        times = recipe.rehearsal if pair.id in known and not new else recipe.new_weight if new else 1
        total += tokens * times
    return total * (1 + recipe.replay)


def wrong_tokens(pairs: Sequence[tuple[Pair, bool]], recipe: Recipe, wrong: WrongReplies) -> float:
    """About how many tokens an epoch takes for the *wrong* replies: each is read after its question again."""
    total = 0.0
    for pair, new in pairs:
        if text := wrong.corrected.get(pair.id):
            total += (tokens_of(pair)[0] + estimated_tokens(text)) * (recipe.new_weight if new else 1)
    texts = ((mistake.instruction, mistake.wrong) for mistake in wrong.rejected)
    return total + sum(PROMPT_TOKENS + estimated_tokens(asked) + estimated_tokens(said) for asked, said in texts)


def tokens_of(pair: Pair) -> tuple[float, float]:
    """About how many tokens the prompt of *pair* takes, and how many its answer."""
    asked = "".join([pair.instruction, *(side for exchange in pair.history for side in exchange)])
    return PROMPT_TOKENS + estimated_tokens(asked), float(estimated_tokens(pair.output))


def measured_speed(desk: Desk) -> float:
    """Trained tokens a second of the desk's last run that came to its verdict, else of a small machine."""
    for run in desk.runs.list(limit=10):
        if run.verdict is not None and (row := desk.runs.last_event(run.id, "step")) is not None:
            step = recorded(row).event
            return (step.tokens_per_second if isinstance(step, Step) else None) or DEFAULT_SPEED
    return DEFAULT_SPEED
