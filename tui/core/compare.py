"""Two versions' answers to the same questions, without the chat's customers noticing more than a short wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from bot.types import BaseFacts, Decoding, Priority, Prompt, Ticket
from finetune.gate.answers import answer_key, judging_decoding
from store.desk import Desk
from store.importing.pairs_in import pairs_in
from store.text import clean
from store.versions.comparisons import Vote
from store.words import BASE, Exchange, Version
from tui.core.errors import DeskError
from tui.core.keeper import EngineKeeper
from tui.core.versions import VersionDesk

TOGETHER = 4  # questions asked at a time: the chat waits no longer than for these
MOST = 60  # questions of a set: more than an operator looks through in one sitting
PURPOSE = "The model is answering for a comparison; this message is next."


@dataclass(frozen=True, slots=True)
class Side:
    """Whose answer stands on one side: ``version`` ("base", "vN", "imported"), and its text as far as it is known."""

    version: Version
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question and the two sides, as they stand on the screen. ``target``: the right answer, where there is one."""

    question: str
    history: tuple[Exchange, ...]
    left: Side
    right: Side
    target: str | None = None
    vote: Vote | None = None

    @property
    def complete(self) -> bool:
        """Whether both answers are there."""
        return self.left.text is not None and self.right.text is not None

    def heard(self, version: Version, text: str) -> Comparison:
        """The same with what *version* answered."""
        sides = [
            replace(side, text=text) if side.version == version and side.text is None else side
            for side in (self.left, self.right)
        ]
        return replace(self, left=sides[0], right=sides[1])


# -- what to ask -----------------------------------------------------------------------------------
def of_question(question: str, history: tuple[Exchange, ...], left: Version, right: Version) -> list[Comparison]:
    """One question. Raises :class:`DeskError` for an empty one."""
    said = clean(question).strip()
    if not said:
        raise DeskError("There is no question. Write what a customer might ask.")
    return [Comparison(said, history, Side(left), Side(right))]


def of_heldout(desk: Desk, left: Version, right: Version) -> list[Comparison]:
    """The held-out pairs, evenly thinned out to :data:`MOST`. Raises :class:`DeskError` if there are none."""
    pairs = desk.pairs.heldout_set()
    if not pairs:
        raise DeskError("This desk has no held-out pairs. Approve replies, import pairs or pin some as tests.")
    chosen = _thinned(len(pairs))
    return [
        Comparison(pairs[place].instruction, pairs[place].history, Side(left), Side(right), pairs[place].output)
        for place in chosen
    ]


def of_file(path: Path, left: Version, right: Version) -> list[Comparison]:
    """The questions of a file of pairs, thinned out likewise. Raises :class:`DeskError` if it holds none, and
    :class:`store.importing.ImportRefused` if it can't be read."""
    pairs = pairs_in(path.expanduser())
    if not pairs:
        raise DeskError(f"{path} holds no pairs.")
    return [
        Comparison(clean(pair.instruction), tuple(pair.history), Side(left), Side(right), clean(pair.output))
        for pair in (pairs[place] for place in _thinned(len(pairs)))
    ]


def of_conversation(desk: Desk, conversation_id: int, version: Version) -> list[Comparison]:
    """Each customer message of a conversation with the reply it got on the left, for *version* to answer on the
    right from the same history. Raises :class:`DeskError` if nothing was said."""
    turns = desk.conversations.turns(conversation_id)
    replies = {turn.in_reply_to: turn for turn in turns if turn.reply is not None}  # the latest of several
    found = []
    for turn in turns:
        if turn.role == "customer":
            reply = replies.get(turn.id)
            said = (
                Side(reply.reply.version, reply.text)
                if reply is not None and reply.reply
                else Side(Version("nobody"), "")
            )
            found.append(Comparison(turn.text, desk.conversations.history(turn.id), said, Side(version)))
    if not found:
        raise DeskError("Nothing was said in this conversation yet.")
    return found


def shuffled(comparisons: Sequence[Comparison], random: Random | None = None) -> list[Comparison]:
    """The same with the sides of each swapped or not, by a coin."""
    coin = random or Random()
    return [replace(item, left=item.right, right=item.left) if coin.random() < 0.5 else item for item in comparisons]


def _thinned(count: int) -> list[int]:
    """At most :data:`MOST` places of *count*, at even distances."""
    return sorted({place * count // min(count, MOST) for place in range(min(count, MOST))})


# -- asking ----------------------------------------------------------------------------------------
async def answer_all(
    desk: Desk,
    engine: EngineKeeper,
    versions: VersionDesk,
    comparisons: Sequence[Comparison],
    heard: Callable[[int, Version, str], None],
) -> None:
    """Answer what is not answered yet; *heard* gets the place, the version and the text of each answer.

    Answers are greedy, as the gate's are, and come out of the desk's cache where they are known. A few questions are
    asked at a time, and customers are answered in between, by the version that serves them. Raises :class:`DeskError`
    and :class:`bot.types.EngineError`; what was heard stays true."""
    await engine.wait_ready()
    settings = desk.settings.load()
    asker = _Asker(desk, engine, versions, judging_decoding(settings, desk), engine.state.facts)
    for begin in range(0, len(comparisons), TOGETHER):
        asked: dict[Version, dict[int, Prompt]] = {}
        for place, item in enumerate(comparisons[begin : begin + TOGETHER], begin):
            for side in (item.left, item.right):
                if side.text is None:
                    prompt = Prompt(settings.system_message, item.history, item.question)
                    asked.setdefault(side.version, {})[place] = prompt
        for version, prompts in asked.items():
            texts = await asker.answers(version, list(prompts.values()))
            for place, text in zip(prompts, texts, strict=True):
                heard(place, version, text)


@dataclass(frozen=True, slots=True)
class _Asker:
    """Asks versions by one way to decode. ``facts``: of the loaded base; None: unknown, so no answer is kept."""

    desk: Desk
    engine: EngineKeeper
    versions: VersionDesk
    decoding: Decoding
    facts: BaseFacts | None

    async def answers(self, version: Version, prompts: Sequence[Prompt]) -> list[str]:
        """What *version* answers, from the cache if it said all of it before."""
        keys = await asyncio.to_thread(self._keys, version, prompts)
        known = [text for key in keys if (text := self.desk.answers.get(key)) is not None]
        if keys and len(known) == len(prompts):
            return known
        async with self.engine.turn(PURPOSE) as engine:
            ticket = Ticket(await self.versions.ready(version), Priority.GATE)
            texts = [clean(answer.text) for answer in await engine.batch(ticket, prompts, self.decoding)]
        if keys:
            self.desk.answers.put_many(dict(zip(keys, texts, strict=True)))
        return texts

    def _keys(self, version: Version, prompts: Sequence[Prompt]) -> list[str]:
        if self.facts is None:
            return []
        digest = "base" if version == BASE else self.versions.known(version).manifest_sha256
        return [answer_key(self.facts, digest, self.decoding, prompt) for prompt in prompts]
