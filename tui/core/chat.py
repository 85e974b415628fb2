"""One exchange with the bot: the message is kept first, then answered, and whatever was said stays."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Literal

from bot.types import PRESETS, Answer, Decoding, EngineError, Finish, Prompt, Ticket
from finetune.certainty.features import Said
from finetune.lengths import decoding_of
from store.conversations import Measured
from store.desk import Desk
from store.handing_over import hand_over_sentence
from store.pairs.known import Known
from store.records import Turn
from store.text import CleanPieces, clean
from tui.core.beside import Beside
from tui.core.certainty import CertaintyDesk, Chance
from tui.core.errors import DeskError
from tui.core.events import MessageKept, ReplyDelta, ReplyEvent, ReplyFinished, ReplyStarted
from tui.core.keeper import EngineKeeper

KEEP_EVERY = 0.5  # seconds: no streamed text is ever older than this without being in the store
REMARKS: dict[Finish, str] = {
    "length": "The reply reached the maximum length and was cut off.",
    "repeated": "The bot began to repeat itself here and was stopped. What it said once is kept.",
}


class PartialKeeper:
    """Writes a growing reply to the store at once and then at most every :data:`KEEP_EVERY` seconds."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write, self._text, self._kept = write, "", 0
        self._begun = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def text(self) -> str:
        """Everything streamed so far."""
        return self._text

    def add(self, delta: str) -> None:
        """Take in more text; it is in the store within :data:`KEEP_EVERY` seconds."""
        self._text += delta
        if not self._begun:
            self._begun = True
            self._flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(KEEP_EVERY, self._flush)

    def _flush(self) -> None:
        self._timer = None
        if len(self._text) > self._kept:
            with suppress(DeskError):  # a full disk or a busy desk: the next words try again, the reply's end tells it
                self._write(self._text)
                self._kept = len(self._text)

    def close(self) -> None:
        """Stop the timer; the last word is ``finish_reply``'s."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@dataclass(frozen=True, slots=True)
class _End:
    """How a reply to *message* ended: what was streamed of it, the ``answer`` or the ``failure``, and its chance.
    ``handing_over``: it is given only if it is certain enough."""

    message: str
    streamed: str
    answer: Answer | None
    failure: EngineError | None
    chance: Chance | None
    handing_over: bool

    @property
    def unsure(self) -> bool:
        """Whether the people are to answer instead. What nobody could measure is not certain."""
        return self.handing_over and (self.chance is None or self.chance.chance < self.chance.answer_from)


class ChatDesk:
    """Sending, answering again and stopping. *itself*: the bot is asked even what a correction would answer.

    ``hand_over``: whether a reply that is not certain enough is kept as a draft for the people, and the desk's sentence
    said instead; then nothing streams. None: as the desk's setting has it for the operators' own chat; where the
    setting is off, nobody's is."""

    def __init__(self, desk: Desk, keeper: EngineKeeper, beside: Beside, who: str, *, itself: bool = False) -> None:
        self._desk, self._keeper, self._beside, self._who = desk, keeper, beside, who
        self._itself = itself
        self.certainty = CertaintyDesk(desk, beside)
        self._stopping = False
        self._asked: Ticket | None = None  # of the reply that is being written

    def decoding(self, preset: str | None = None) -> Decoding:
        """The generation settings of *preset* (None: the desk's), with the desk's own changes to its
        fields."""
        settings = self._desk.settings.load()
        name = preset or settings.decoding
        if name not in PRESETS:
            raise DeskError(f"There is no preset {name!r}. Choose one of: {', '.join(sorted(PRESETS))}.")
        try:
            return decoding_of(self._desk, settings, name)
        except (TypeError, ValueError) as error:
            raise DeskError(f"The settings of the preset {name!r} are not valid: {error}") from error

    def send(
        self, conversation_id: int, text: str, preset: str | None = None, hand_over: bool | None = None
    ) -> AsyncIterator[ReplyEvent]:
        """Keep the customer's message now and return the events of its reply, to be iterated.

        Raises :class:`DeskError` at once, with nothing written, for an empty message or an unknown preset."""
        said = clean(text).strip()
        if not said:
            raise DeskError("The message is empty. Write what the customer says and send it again.")
        decoding = self.decoding(preset)
        turn = self._desk.conversations.add_customer(conversation_id, said, self._who)
        return self._exchange(turn, decoding, new=True, handing_over=self._hands_over(hand_over))

    def begin(self, text: str, preset: str | None = None) -> tuple[int, AsyncIterator[ReplyEvent]]:
        """:meth:`send` in a new conversation, which is there only if the message is; returns its number as well."""
        with self._desk.atomic():
            conversation = self._desk.conversations.create(self._who).id
            return conversation, self.send(conversation, text, preset)

    def regenerate(self, customer_turn_id: int, preset: str | None = None) -> AsyncIterator[ReplyEvent]:
        """Answer a customer's message once more; the replies it already has stay. The bot itself is asked, so that an
        operator can see what it would say."""
        turn = self._desk.conversations.turn(customer_turn_id)
        if turn.role != "customer":
            raise DeskError("Only a customer's message can be answered again.")
        return self._exchange(turn, self.decoding(preset), new=False, handing_over=self._hands_over(None))

    def _hands_over(self, wanted: bool | None) -> bool:
        """Whether an exchange may be handed over, where *wanted* says what its channel wants."""
        where = self._desk.settings.load().hand_over
        return where == "everywhere" if wanted is None else wanted and where != "off"

    async def stop(self) -> None:
        """Stop the reply that is being written; what was streamed is kept and marked as stopped."""
        self._stopping = True
        if self._asked is not None:
            await self._keeper.cancel(self._asked.id)

    async def _exchange(
        self, turn: Turn, decoding: Decoding, *, new: bool, handing_over: bool
    ) -> AsyncIterator[ReplyEvent]:
        if new:
            yield MessageKept(turn)
            if (told := await self._from_correction(turn)) is not None:
                yield ReplyStarted(told)
                yield ReplyDelta(told.text)
                yield ReplyFinished(told)
                return
        self._stopping = False
        answer: Answer | None = None
        failure: EngineError | None = None
        chance: Chance | None = None
        async with self._keeper.turn() as engine:
            ticket = self._asked = Ticket(self._keeper.serving)
            reply = self._desk.conversations.begin_reply(turn.id, ticket.version, asdict(decoding))
            partial = PartialKeeper(lambda text: self._desk.conversations.extend_reply(reply.id, text))
            prompt = Prompt(
                self._desk.settings.load().system_message,
                self._desk.conversations.history(turn.id),
                self._desk.conversations.turn(turn.id).text,  # while it waited for the engine it may have been erased
            )
            heard, pieces = False, CleanPieces()
            stream = engine.stream(ticket, prompt, decoding, str(turn.conversation_id))
            try:
                yield ReplyStarted(reply)
                async for item in stream:
                    if isinstance(item, Answer):
                        answer = item
                    elif delta := pieces.add(item):
                        partial.add(delta)
                        if not handing_over:
                            yield ReplyDelta(delta)
                heard = True
                chance = await self._chance(ticket, prompt, answer)
            except EngineError as error:
                failure, heard = error, True
                if error.kind == "engine-died":
                    self._keeper.died()
            finally:
                # Also runs when the listener went away (screen closed, app quitting): the reply still gets
                # its end.
                self._asked = None
                partial.close()
                self._finish(reply.id, _End(prompt.message, partial.text, answer, failure, chance, handing_over))
                if not heard:
                    await engine.cancel(ticket.id)
                    await stream.aclose()
        said = self._desk.conversations.turn(reply.id)
        if handing_over:
            yield ReplyDelta(said.text)
        yield ReplyFinished(said, _remark(answer, failure))

    async def _from_correction(self, message: Turn) -> Turn | None:
        """The reply that a correction gives to *message* at once, whole and kept; None if the bot is to answer."""
        if self._itself or self._desk.settings.load().answer_from_corrections == "off":
            return None
        history = self._desk.conversations.history(message.id)
        try:
            known: Known | None = await self._beside.read(lambda store: store.known.answer(message.text, history))
        except DeskError:  # a busy or damaged desk: the bot answers, and says what is wrong
            return None
        with self._desk.atomic():  # meanwhile either may have been erased, or the correction undone
            if known is None or not self._desk.known.stands(known):
                return None
            if self._desk.conversations.turn(message.id).text != message.text:
                return None
            version = self._desk.promotions.active()
            return self._desk.conversations.known_reply(message.id, version, known.answer, known.pair_id)

    async def _chance(self, ticket: Ticket, prompt: Prompt, answer: Answer | None) -> Chance | None:
        """The chance of a whole answer; None of any other."""
        if answer is None or answer.finish != "complete":
            return None
        said = Said(prompt.message, clean(answer.text), answer.certainty, answer.least)
        return await self.certainty.of(ticket.version, said)

    def _finish(self, reply_id: int, end: _End) -> None:
        state: Literal["complete", "stopped", "failed"]
        answer, failure = end.answer, end.failure
        if answer is not None:
            state = "stopped" if answer.finish == "stopped" else "complete"
        else:
            state = "failed" if failure is not None and not self._stopping else "stopped"
        with suppress(ValueError), self._desk.atomic():  # it has its end already: what it answers was erased meanwhile
            self._desk.conversations.finish_reply(
                reply_id, end.streamed if answer is None else clean(answer.text), state, _measured(answer, end.chance)
            )
            if end.unsure and state == "complete":
                sentence = hand_over_sentence(self._desk.settings.load(), end.message)
                self._desk.conversations.hand_over(reply_id, sentence)


def _measured(answer: Answer | None, chance: Chance | None) -> Measured:
    if answer is None:
        return Measured()
    found = Measured(answer.new_tokens, answer.seconds, answer.first_token_seconds, answer.certainty)
    return found if chance is None else replace(found, chance=chance.chance, answer_from=chance.answer_from)


def _remark(answer: Answer | None, failure: EngineError | None) -> str | None:
    """The sentence beside a finished reply, if it needs one."""
    if failure is not None:
        return f"{failure.sentence} The message and the text so far are saved; send it again for a new reply."
    return None if answer is None else REMARKS.get(answer.finish)
