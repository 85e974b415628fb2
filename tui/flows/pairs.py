"""Looking after the pairs: what is asked for in their screens."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from store.errors import Refused
from store.records import Pair
from tui import requests as ask
from tui.core import DeskError
from tui.core.pair_words import outcome_words
from tui.core.pairs import ROWS, Outcome
from tui.flows.stage import Stage
from tui.keymap import spoken
from tui.messages import PairsChanged
from tui.screens.conflicts import ConflictsScreen
from tui.screens.dialog import Ask, Confirm
from tui.screens.pair_editor import PairEditor, PairText
from tui.screens.pair_story import PairStoryDialog
from tui.screens.pairs import PairsScreen

LISTED = 200  # pairs whose redactions are shown before many are redacted


async def show_pairs(stage: Stage, request: ask.ShowPairs) -> None:
    """The pairs."""
    await stage.open(PairsScreen(stage.desk, request.wanted))
    stage.store_changed()


async def show_conflicts(stage: Stage, _: ask.ShowConflicts) -> None:
    """The inbox of what contradicts itself."""
    await stage.open(ConflictsScreen(stage.desk))
    stage.store_changed()


# -- one pair ------------------------------------------------------------------------------------------
async def show_pair_story(stage: Stage, request: ask.ShowPairStory) -> None:
    """Everything about a pair; from there, if wanted, to the reply it came of."""
    reply = await stage.open(PairStoryDialog(stage.desk.pairs.story(request.pair)))
    if reply is not None:
        turn = stage.desk.conversations.turn(reply)
        stage.host.show_in_chat(turn.conversation_id, turn.id)


async def edit_pair(stage: Stage, request: ask.EditPair) -> None:
    """A better text for a pair."""
    await _edit(stage, stage.desk.pairs.get(request.pair))


async def _edit(stage: Stage, pair: Pair, redacted: PairText | None = None) -> None:
    """Have a pair edited until its new text is kept, or the operator leaves it as it is. What was written and can't be
    kept is there to go on with."""
    editor = PairEditor(pair, redacted)
    while (text := await stage.open(editor)) is not None:
        try:
            new = stage.desk.pairs.edit(pair.id, text.instruction, text.output, text.history)
        except DeskError as error:
            stage.say(error.sentence, trouble=True)
            editor = editor.again(text)
        else:
            stage.say(f"Pair {new.id} replaces pair {pair.id}, which is kept.")
            stage.host.broadcast(PairsChanged())
            return


async def redact_pairs(stage: Stage, request: ask.RedactPairs) -> None:
    """Placeholders for personal data. It is shown before it is kept: one pair as it will be, and can be changed;
    of many, what is taken out."""
    pairs, ids = stage.desk.pairs, request.pairs
    if len(ids) == 1:
        pair = pairs.get(ids[0])
        redacted = PairText(*pairs.redacted(pair.id))
        if redacted == PairText(pair.instruction, pair.output, pair.history):
            stage.say(f"There is no personal data in pair {pair.id}.")
        else:
            await _edit(stage, pair, redacted)
        return
    found = await pairs.redactions(ids)
    if not found:
        stage.say(f"There is no personal data in these {len(ids):,} pairs that nobody has cleared.")
    elif await stage.open(Confirm(f"Redact {_what([pair for pair, _ in found])}?", _redactions(found), "Redact")):
        await _act(stage, request, "Redacted", pairs.redact(ids))


def _redactions(found: Sequence[tuple[int, Sequence[tuple[str, str]]]]) -> str:
    """What is taken out of each pair, as far as anybody would read it."""
    lines = [f"Pair {pair}: {', '.join(f'{text} → {name}' for text, name in out)}" for pair, out in found[:LISTED]]
    if (more := len(found) - LISTED) > 0:
        lines.append(f"and of {more:,} more pairs")
    return "\n".join(["The old texts are kept. To be redacted:", *lines])


# -- one or many ---------------------------------------------------------------------------------------
async def exclude_pairs(stage: Stage, request: ask.ExcludePairs) -> None:
    """Out of training and check, with why."""
    ids = request.pairs
    text = spoken(stage.app, "Nothing is deleted; {pairs.restore_pairs} brings it back.")
    why = await stage.open(Ask(f"Exclude {_what(ids)}?", text, "Exclude", "Why"))
    if why is not None:
        await _act(stage, request, "Excluded", stage.desk.pairs.exclude(ids, why))


async def restore_pairs(stage: Stage, request: ask.RestorePairs) -> None:
    """Take excluded pairs in again."""
    await _act(stage, request, "Restored", stage.desk.pairs.restore(request.pairs))


async def pin_pairs(stage: Stage, request: ask.PinPairs) -> None:
    """Make them tests; if all are, let them be as others are."""
    pairs, ids = stage.desk.pairs, request.pairs
    pinned = not all(row.pair.pinned for row in pairs.rows(ids[:ROWS]))
    did = "Pinned as tests:" if pinned else "Unpinned"
    await _act(stage, request, did, pairs.pin(ids, pinned=pinned))


async def tag_pairs(stage: Stage, request: ask.TagPairs) -> None:
    """A tag on them, or with a minus before it, off them."""
    pairs, ids = stage.desk.pairs, request.pairs
    names = ", ".join(f"#{name}" for name in pairs.tag_names()[:20])
    text = f"Any word; put a minus before it to remove the tag.{f' There are: {names}' if names else ''}"
    tag = await stage.open(Ask(f"Tag {_what(ids)}", text, "Tag", "tag or -tag"))
    if tag is None:
        return
    off, word = tag.startswith("-"), tag.lstrip("-").lstrip("#")
    if off:
        await _act(stage, request, f"Took #{word} off", pairs.untag(ids, word))
    else:
        await _act(stage, request, f"Put #{word} on", pairs.tag(ids, word))


async def clear_pairs(stage: Stage, request: ask.ClearPairs) -> None:
    """They may train with the personal data in them."""
    await _act(stage, request, "Cleared for training:", stage.desk.pairs.clear(request.pairs))


async def _act(stage: Stage, request: ask.OfPairs, did: str, work: Awaitable[Outcome]) -> None:
    outcome = await work
    stage.say(outcome_words(did, outcome), trouble=not outcome.changed)
    stage.host.broadcast(PairsChanged(request.pairs))


def _what(ids: Sequence[int]) -> str:
    return f"pair {ids[0]}" if len(ids) == 1 else f"{len(ids):,} pairs"


# -- conflicts -----------------------------------------------------------------------------------------
async def keep_answer(stage: Stage, request: ask.KeepAnswer) -> None:
    """The chosen answer stands, those that say something else are excluded."""
    try:
        others = stage.desk.conflicts.keep(request.conflict, request.pair)
    except Refused as error:
        stage.say(error.sentence, trouble=True)
    else:
        stage.say(f"Pair {request.pair} stands; {others} other{'' if others == 1 else 's'} excluded.")
    stage.host.broadcast(PairsChanged())


async def all_are_fine(stage: Stage, request: ask.AllAreFine) -> None:
    """All the answers of a conflict may stand."""
    stage.desk.conflicts.settle(request.conflict)
    stage.say(f"{len(request.conflict.ids)} answers are kept side by side.")
    stage.host.broadcast(PairsChanged())
