"""``deskloop ask``, ``correct``, ``approve``, ``wrong``: one exchange with the bot, and the operator's word on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import click

from store.records import Turn
from store.words import Version
from tui.cli.context import Cli, home_option, json_option, pass_cli
from tui.cli.typed import TYPED, VERSION
from tui.core import DeskError, OpenDesk, ReplyDelta, ReplyFinished
from tui.core.certainty import certainty_words
from tui.core.pair_words import from_correction


@dataclass(frozen=True, slots=True)
class AsWhom:
    """The customer who asks: in an existing *conversation*, or a new one of *customer*. *hand_over*: as a customer from
    outside, who gets no reply that is not certain enough; None: as the desk's setting has it."""

    conversation: int | None = None
    customer: str | None = None
    hand_over: bool | None = None


async def exchange(cli: Cli, desk: OpenDesk, text: str, whom: AsWhom = AsWhom()) -> Turn:
    """Ask *text* as a customer, stream the answer to stdout (unless ``--json``), return the reply.

    Raises :class:`DeskError` if no whole reply came."""
    await desk.engine.start()
    if desk.engine.state.name in ("absent", "failed"):
        raise DeskError(desk.engine.state.sentence)
    conversation = whom.conversation
    if conversation is None:
        conversation = desk.conversations.begin(whom.customer).id
    finished: ReplyFinished | None = None
    async for event in desk.chat.send(conversation, text, hand_over=whom.hand_over):
        if isinstance(event, ReplyDelta):
            cli.piece(event.text)
        elif isinstance(event, ReplyFinished):
            finished = event
    cli.data("")
    if finished is None or finished.turn.reply is None:
        raise DeskError("No reply came. The message is saved; ask again.")
    if finished.turn.reply.state == "failed":
        raise DeskError(finished.sentence or "The reply failed. The message is saved; ask again.")
    if finished.sentence:
        cli.say(finished.sentence)
    return finished.turn


def reply_facts(turn: Turn) -> dict[str, object]:
    """The JSON of ``deskloop ask``."""
    assert turn.reply is not None
    return {
        "reply_id": turn.id,
        "text": turn.text,
        "version": turn.reply.version,
        "new_tokens": turn.reply.new_tokens,
        "seconds": turn.reply.seconds,
        "first_token_seconds": turn.reply.first_token_seconds,
        "from_correction": turn.reply.from_correction,
        "chance": turn.reply.chance,
        "answer_from": turn.reply.answer_from,
        "handed_over": turn.reply.handed_over,
        "draft": turn.reply.draft,
    }


@click.command()
@click.argument("text", type=TYPED)
@click.option(
    "--version", "version", type=VERSION, metavar="vN|base", help="Answer with this version instead of the active one."
)
@click.option("--conversation", type=int, metavar="ID", help="Continue this conversation.")
@click.option(
    "--customer", type=TYPED, metavar="X", help="The customer of the new conversation, for `deskloop forget`."
)
@click.option(
    "--hand-over/--no-hand-over",
    "hand_over",
    default=None,
    help="Say the desk's sentence in place of a reply that is not certain enough, as customers get it; the reply is "
    "kept as a draft. Without the option: as the setting hand_over has it.",
)
@home_option
@json_option
@pass_cli
def ask(cli: Cli, /, text: str, version: Version | None, **whom: Any) -> None:
    """Ask TEXT as a customer and print the bot's answer. TEXT - is read from standard input, unseen by others.

    The exchange is kept in the desk; the reply's number is what `correct` and `approve` take.
    """

    asker = AsWhom(**whom)
    if asker.conversation is not None and asker.customer is not None:
        raise click.UsageError("An existing conversation keeps its customer. Leave out --customer.")

    async def work() -> Turn:
        async with cli.desk(pin=version) as desk:
            if version is not None:
                await desk.promotions.check(version)
            cli.say("Loading the model...")
            return await exchange(cli, desk, text, asker)

    turn = cli.run(work())
    assert turn.reply is not None
    cli.emit(reply_facts(turn))
    if turn.reply.draft is not None:
        cli.say(f"Handed over: it waits at the top of the review queue. The bot's draft: {turn.reply.draft}")
    words = from_correction(turn.reply.from_correction)
    cli.say(
        f"Reply {turn.id} {words or f'by {turn.reply.version}, {certainty_words(turn.reply)}'}. "
        f"Not right? deskloop correct {turn.id} TEXT. Good? deskloop approve {turn.id}."
    )


@click.command()
@click.argument("reply_id", type=int)
@click.argument("text", type=TYPED)
@home_option
@json_option
@pass_cli
def correct(cli: Cli, reply_id: int, text: str) -> None:
    """Keep TEXT as the better answer for the reply REPLY_ID; the next retraining learns it.

    TEXT - is read from standard input, unseen by other accounts of the machine.
    """
    pair, waiting = cli.read(lambda desk: (desk.judgements.correct(reply_id, text), desk.judgements.waiting()))
    cli.emit({"reply_id": reply_id, "pair": pair.id, "waiting": waiting})
    cli.say(f"Saved as pair {pair.id}. Corrections waiting for training: {waiting}.")


@click.command()
@click.argument("reply_id", type=int)
@home_option
@json_option
@pass_cli
def approve(cli: Cli, reply_id: int) -> None:
    """Approve the reply REPLY_ID as it is."""
    pair, waiting = cli.read(lambda desk: (desk.judgements.approve(reply_id), desk.judgements.waiting()))
    cli.emit({"reply_id": reply_id, "pair": pair.id, "waiting": waiting})
    cli.say(f"Saved as pair {pair.id}.")


@click.command()
@click.argument("reply_id", type=int)
@home_option
@json_option
@pass_cli
def wrong(cli: Cli, reply_id: int) -> None:
    """Mark the reply REPLY_ID as wrong without saying what is right. It waits in the review for a correction."""
    cli.read(lambda desk: desk.judgements.reject(reply_id))
    cli.emit({"reply_id": reply_id, "wrong": True})
    cli.say(f"Reply {reply_id} is marked as wrong. What would be right? deskloop correct {reply_id} TEXT.")


@click.command()
@click.argument("reply_id", type=int)
@home_option
@json_option
@pass_cli
def undo(cli: Cli, reply_id: int) -> None:
    """Undo the last judgement of the reply REPLY_ID, until a retraining has used it."""
    turn = cli.read(lambda desk: desk.judgements.withdraw(reply_id))
    cli.emit({"reply_id": reply_id, "judged": turn.reply is not None and turn.reply.judged})
    cli.say(f"Undone for reply {reply_id}.")
