"""Looking after the pairs: what each key of their screens does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from store.desk import Desk
from store.errors import Refused
from store.pairs.editing import Outcome
from store.pairs.listing import PairFilter
from store.records import Pair
from tui.core import DeskError
from tui.core.pair_words import outcome_words
from tui.core.service import aside
from tui.flows.stage import Stage
from tui.keymap import spoken
from tui.screens.conflicts import ConflictsScreen
from tui.screens.dialog import Ask, Confirm
from tui.screens.pair_editor import PairEditor, PairText
from tui.screens.pair_filter import PairFilterDialog
from tui.screens.pair_story import PairStoryDialog
from tui.screens.pairs import PairsScreen

LISTED = 200  # pairs whose redactions are shown before many are redacted


async def show_pairs(stage: Stage, wanted: PairFilter | None = None) -> None:
    """Every pair; from there, if wanted, to the reply one came of."""
    reply: int | None = await stage.show(PairsScreen(stage.service, wanted))
    if reply is not None:
        turn = stage.service.desk.conversations.turn(reply)
        await stage.chat.open(turn.conversation_id, at=turn.id)
    await stage.chat.follows.catch_up()


async def show_conflicts(stage: Stage) -> None:
    """The inbox of what contradicts itself."""
    if not isinstance(stage.app.screen, ConflictsScreen):
        await stage.show(ConflictsScreen(stage.service))
        if isinstance(stage.app.screen, PairsScreen):
            await stage.app.screen.follow()


# -- one pair ------------------------------------------------------------------------------------------
async def pair_story(stage: Stage) -> None:
    """Everything about the highlighted pair."""
    screen = stage.app.screen
    if isinstance(screen, PairsScreen) and (number := screen.current) is not None:
        reply: int | None = await stage.show(PairStoryDialog(stage.service.desk.pair_stories.story(number)))
        if reply is not None:
            screen.dismiss(reply)


async def edit_pair(stage: Stage) -> None:
    """A better text for the highlighted pair, or the chosen one of a conflict."""
    screen = stage.app.screen
    if isinstance(screen, PairsScreen):
        number = screen.current
    elif isinstance(screen, ConflictsScreen):
        number = screen.chosen
    else:
        return
    if number is None:
        return
    if await _edited(stage, stage.service.desk.pairs.get(number)):
        await screen.follow()


async def _edited(stage: Stage, pair: Pair, redacted: PairText | None = None) -> bool:
    """Have a pair edited until its new text is kept, or the operator leaves it as it is (False). What was written
    and can't be kept is there to go on with."""
    editor = PairEditor(pair, redacted)
    while (text := await stage.show(editor)) is not None:
        try:
            new = stage.service.desk.editing.edit(
                pair.id, stage.service.who, text.instruction, text.output, text.history
            )
        except DeskError as error:
            stage.say(error.sentence, trouble=True)
            editor = editor.again(text)
        else:
            stage.say(f"Pair {new.id} stands in the place of pair {pair.id}, which is kept.")
            return True
    return False


async def redact_pairs(stage: Stage) -> None:
    """Placeholders for personal data. It is shown before it is kept: one pair as it will be, and can be changed;
    of many, what is taken out."""
    screen = stage.app.screen
    if not isinstance(screen, PairsScreen) or not (ids := screen.targets):
        return
    desk, who = stage.service.desk, stage.service.who
    if len(ids) == 1:
        pair = desk.pairs.get(ids[0])
        redacted = PairText(*desk.editing.redacted(pair.id))
        if redacted == PairText(pair.instruction, pair.output, pair.history):
            stage.say(f"There is no personal data in pair {pair.id}.")
        elif await _edited(stage, pair, redacted):
            await screen.follow()
        return
    found = await stage.service.reader.read(lambda desk: desk.editing.redactions(ids))
    if not found:
        stage.say(f"There is no personal data in these {len(ids):,} pairs that nobody has cleared.")
    elif await stage.show(Confirm(f"Redact {_what([pair for pair, _ in found])}?", _redactions(found), "Redact")):
        await _act(stage, screen, "Redacted", lambda desk: desk.editing.redact_all(ids, who))


def _redactions(found: Sequence[tuple[int, Sequence[tuple[str, str]]]]) -> str:
    """What is taken out of each pair, as far as anybody would read it."""
    lines = [f"Pair {pair}: {', '.join(f'{text} → {name}' for text, name in out)}" for pair, out in found[:LISTED]]
    if (more := len(found) - LISTED) > 0:
        lines.append(f"and of {more:,} more pairs")
    return "\n".join(["The old texts are kept. Taken out is:", *lines])


# -- one or many ---------------------------------------------------------------------------------------
async def exclude_pairs(stage: Stage) -> None:
    """Out of training and check, with why."""
    screen = stage.app.screen
    if isinstance(screen, PairsScreen) and (ids := screen.targets):
        who = stage.service.who
        text = spoken(stage.app, "Nothing is deleted; {pairs.restore_pairs} takes it in again.")
        ask = Ask(f"Exclude {_what(ids)}?", text, "Exclude", "Why")
        if (why := await stage.show(ask)) is not None:
            await _act(stage, screen, "Excluded", lambda desk: desk.editing.exclude(ids, who, why))


async def restore_pairs(stage: Stage) -> None:
    """Take excluded pairs in again."""
    screen, who = stage.app.screen, stage.service.who
    if isinstance(screen, PairsScreen) and (ids := screen.targets):
        await _act(stage, screen, "Restored", lambda desk: desk.editing.restore(ids, who))


async def pin_pairs(stage: Stage) -> None:
    """Make them tests; if all are, let them be as others are."""
    screen = stage.app.screen
    if isinstance(screen, PairsScreen) and (ids := screen.targets):
        pinned = not all(row.pair.pinned for row in stage.service.desk.pair_listing.rows(ids[:900]))
        did = "Pinned as tests:" if pinned else "Unpinned"
        await _act(stage, screen, did, lambda desk: desk.editing.pin(ids, pinned))


async def tag_pairs(stage: Stage) -> None:
    """A tag on them, or with a minus before it, off them."""
    screen, who = stage.app.screen, stage.service.who
    if not isinstance(screen, PairsScreen) or not (ids := screen.targets):
        return
    names = ", ".join(f"#{name}" for name in stage.service.desk.tags.names()[:20])
    text = f"A word of your own; with a minus before it, it is taken off.{f' There are: {names}' if names else ''}"
    tag: str | None = await stage.show(Ask(f"Tag {_what(ids)}", text, "Tag", "tag or -tag"))
    if tag is None:
        return
    off, word = tag.startswith("-"), tag.lstrip("-").lstrip("#")
    if off:
        await _act(stage, screen, f"Took #{word} off", lambda desk: desk.editing.untag(ids, word))
    else:
        await _act(stage, screen, f"Put #{word} on", lambda desk: desk.editing.tag(ids, word, who))


async def clear_pairs(stage: Stage) -> None:
    """They may train with the personal data in them."""
    screen, who = stage.app.screen, stage.service.who
    if isinstance(screen, PairsScreen) and (ids := screen.targets):
        await _act(stage, screen, "Cleared for training:", lambda desk: desk.editing.clear(ids, who))


async def filter_pairs(stage: Stage) -> None:
    """Other pairs in the list."""
    screen = stage.app.screen
    if isinstance(screen, PairsScreen):
        choices = await stage.service.reader.read(lambda desk: desk.pair_listing.choices())
        wanted: PairFilter | None = await stage.show(PairFilterDialog(screen.wanted, choices))
        if wanted is not None:
            await screen.narrow(wanted)


async def _act(stage: Stage, screen: PairsScreen, did: str, work: Callable[[Desk], Outcome]) -> None:
    outcome = await aside(stage.service, work)
    screen.forget_marks()
    stage.say(outcome_words(did, outcome), trouble=not outcome.changed)
    await screen.follow()


def _what(ids: list[int]) -> str:
    return f"pair {ids[0]}" if len(ids) == 1 else f"{len(ids):,} pairs"


# -- conflicts -----------------------------------------------------------------------------------------
async def keep_answer(stage: Stage) -> None:
    """The chosen answer stands, those that say something else are excluded."""
    screen = stage.app.screen
    if isinstance(screen, ConflictsScreen) and (conflict := screen.conflict) and (number := screen.chosen) is not None:
        desk, who = stage.service.desk, stage.service.who
        try:
            others = desk.conflicts.keep(conflict, number, who)
        except Refused as error:
            stage.say(error.sentence, trouble=True)
        else:
            stage.say(f"Pair {number} stands; {others} other{'' if others == 1 else 's'} excluded.")
        await screen.follow()


async def both_are_fine(stage: Stage) -> None:
    """All the answers of the highlighted conflict may stand."""
    screen = stage.app.screen
    if isinstance(screen, ConflictsScreen) and (conflict := screen.conflict):
        stage.service.desk.conflicts.settle(conflict, stage.service.who)
        stage.say(f"{len(conflict.ids)} answers may stand side by side.")
        await screen.follow()
