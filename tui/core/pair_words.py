"""Pairs in words, for screens."""

from __future__ import annotations

from store.pairs.editing import Outcome
from store.pairs.listing import ListedPair, PairFilter
from store.pairs.story import Story
from store.personal import NAMES, kinds
from store.records import Pair
from store.text import counted

SIDES = {"train": "trains", "heldout": "test"}
STATES = {
    "live": "live",
    "excluded": "excluded",
    "superseded": "replaced by an edit",
    "in conflict": "in conflict",
    "personal data": "with personal data",
    "all": "all, whatever their state",
}

USED = {
    "train": "trained on it",
    "heldout": "judged by it",
    "validation": "was watched by it",
}  # what a run did with it


def outcome_words(did: str, outcome: Outcome) -> str:
    """One sentence of what happened to how many pairs; *did* is the verb ("Excluded")."""
    changed = len(outcome.changed)
    words = [f"{did} {changed} pair{'' if changed == 1 else 's'}." if changed else "Nothing was changed."]
    if outcome.same:
        words.append(f"{outcome.same} needed nothing.")
    if outcome.refused:
        more = len(outcome.refused) - 1
        words.append(f"Left unchanged: {outcome.refused[0]}{f' So were {more} more.' if more else ''}")
    return " ".join(words)


def grown_words(taken: int, tests: int) -> str:
    """What came of asking for more tests: *taken* questions changed sides, and there are *tests* held-out pairs now."""
    if taken:
        return f"{counted(taken, 'question')} held out for the check and no longer trained on: {tests:,} pairs by now."
    return (
        "There is nothing to hold out: every pair was used by a run, is a correction, or is needed to train its "
        "answer. Approve replies, import new pairs, or write the same questions in other words."
    )


def put_back_words(count: int) -> str:
    """What came of taking that back."""
    if count:
        return f"{counted(count, 'question')} put back into training."
    return "There is nothing to put back: what was held out has been used by a run, or is pinned."


def filter_words(wanted: PairFilter) -> str:
    """What a filter lets through, in a line."""
    parts = [STATES[wanted.state]]
    if wanted.source is not None:
        parts.append(f"from {wanted.source}")
    if wanted.split is not None:
        parts.append(SIDES[wanted.split])
    if wanted.lang is not None:
        parts.append(f"in {wanted.lang}")
    if wanted.tag is not None:
        parts.append(f"#{wanted.tag}")
    if wanted.run is not None:
        parts.append(f"trained in run {wanted.run}")
    return " · ".join(parts)


def personal_words(row: ListedPair) -> str:
    """Which personal data a pair holds; empty if none that still counts."""
    return "" if row.cleared else ", ".join(NAMES[kind] for kind in row.personal)


def personal_warning(texts: list[str], lang: str) -> str:
    """A line for editors: which personal data *texts* hold; empty if none."""
    found = kinds(texts, lang)
    return f"! Personal data: {', '.join(NAMES[kind] for kind in found)}. The bot may repeat it." if found else ""


def state_words(row: ListedPair) -> str:
    """What became of a pair."""
    if row.pair.superseded_by is not None:
        return f"replaced by pair {row.pair.superseded_by}"
    if row.pair.excluded_at is not None:
        return f"excluded{f' ({row.why})' if row.why else ''}"
    return "pinned as a test" if row.pair.pinned else SIDES[row.pair.split]


def pair_marks(row: ListedPair) -> str:
    """What is special about a pair, at the end of its row."""
    marks = [f"#{tag}" for tag in row.tags]
    if found := personal_words(row):
        marks.append(f"! {found}")
    if row.pair.superseded_by is not None or row.pair.excluded_at is not None or row.pair.pinned:
        marks.append(state_words(row))
    return "  ".join(marks)


def pair_head(row: ListedPair) -> str:
    """A pair's facts in a line."""
    pair = row.pair
    facts = [
        f"Pair {pair.id}",
        state_words(row),
        pair.source,
        pair.lang,
        f"{day(pair.created_at)} by {pair.created_by}",
    ]
    if pair.category:
        facts.append(pair.category)
    return " · ".join([*facts, *(f"#{tag}" for tag in row.tags)])


def from_correction(pair_id: int | None) -> str:
    """Whose words a reply is, if it is a correction's; else nothing."""
    return "" if pair_id is None else f"from correction {pair_id}"


def history_lines(pair: Pair) -> list[str]:
    """What was said before, a line for each turn."""
    return [line for customer, bot in pair.history for line in (f"Customer: {customer}", f"Bot: {bot}")]


def story_parts(story: Story) -> list[tuple[str, str]]:
    """A pair's story: headings, and what is under them."""
    pair = story.row.pair
    parts = [("", pair_head(story.row))]
    if before := history_lines(pair):
        parts.append(("Before that", "\n".join(before)))
    parts += [("Customer", pair.instruction), ("Answer", pair.output)]
    if story.conversation is not None and story.judged is not None:
        number, title = story.conversation
        said, version = story.judged
        parts.append(("Comes from", f"conversation {number}, {title}\n{version} said: {said}"))
    elif pair.source_ref:
        parts.append(("Comes from", pair.source_ref))
    if pair.excluded_at is not None:
        why = f": {story.row.why}" if story.row.why else ""
        parts.append(("Excluded", f"{day(pair.excluded_at)} by {story.excluded_by}{why}"))
    if story.row.personal:
        names = ", ".join(NAMES[kind] for kind in story.row.personal)
        parts.append(("Personal data", f"{names}{f'; may train, says {story.cleared_by}' if story.cleared_by else ''}"))
    parts.append(("Runs", "\n\n".join(_run_words(story)) or "No run has used it yet."))
    for row in story.earlier:
        head = f"Before the edit · pair {row.pair.id}, {day(row.pair.created_at)} by {row.pair.created_by}"
        parts.append((head, f"Customer: {row.pair.instruction}\nAnswer: {row.pair.output}"))
    return parts


def _run_words(story: Story) -> list[str]:
    told = []
    for part in story.runs:
        used = USED[part.used]
        often = f", weight {part.weight}" if part.used == "train" and part.weight > 1 else ""
        version = f" ({part.version})" if part.version else ""
        lines = [f"Run {part.run_id}{version} {used}{often} · {day(part.at)} · {part.outcome or part.state}"]
        if part.before is not None:
            lines += [f"  before: {part.before}", f"  after:  {part.after}"]
        told.append("\n".join(lines))
    return told


def day(at: str) -> str:
    """A time as a day."""
    return at[:10]
