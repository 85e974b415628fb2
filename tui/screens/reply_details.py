"""How one reply came to be: version, settings, speed, and the pairs it may have learned it from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Button

from store.records import Reply, Turn
from store.words import BASE, Version
from tui.core.certainty import certainty_words
from tui.core.nearest import Near
from tui.core.pair_words import from_correction
from tui.keymap import spoken
from tui.keys import DETAILS
from tui.screens.dialog import Dialog
from tui.widgets.text import Plain, PlainButton

LONG = 300  # characters of a pair's sides that are shown


class ReplyDetails(Dialog[bool]):
    """*nearest* looks the pairs up; the facts are there at once. None: nothing taught it. Returns whether to find out
    who did."""

    BINDINGS: ClassVar[list[BindingType]] = list(DETAILS)
    TITLE_TEXT = "Details of this reply"

    def __init__(self, reply: Turn, nearest: Callable[[], Awaitable[Sequence[Near]]] | None = None) -> None:
        super().__init__()
        self._turn, self._nearest = reply, nearest

    def body(self) -> ComposeResult:
        """Facts, then the pairs."""
        assert self._turn.reply is not None
        for name, value in facts(self._turn, self._turn.reply):
            yield Plain(f"{name:<13} {value}", classes="fact")
        if self._nearest is None:
            return
        yield Plain(f"Most alike of the pairs {self._turn.reply.version} was trained on", classes="heading")
        with Vertical(id="nearest"):
            yield Plain("Looking…", classes="detail")

    def on_mount(self) -> None:
        """Look the pairs up."""
        self.query_one("#close").focus()
        if self._nearest is not None:
            self.run_worker(self._look(self._nearest), name="nearest")

    async def _look(self, nearest: Callable[[], Awaitable[Sequence[Near]]]) -> None:
        found = await nearest()
        box = self.query_one("#nearest", Vertical)
        await box.remove_children()
        await box.mount_all(list(self._shown(found)))

    def _shown(self, found: Sequence[Near]) -> Iterator[Plain]:
        assert self._turn.reply is not None
        if not found:
            yield Plain(_none(self._turn.reply.version), classes="detail")
        for near in found:
            pair, likeness = near.row.pair, near.likeness
            yield Plain(f"{likeness.question:3.0f}% alike: {_short(pair.instruction)}", classes="outcome")
            about = f"{pair.source} {pair.id}, {pair.created_by}"
            yield Plain(f"{likeness.answer:3.0f}% alike → {_short(pair.output)} ({about})", classes="detail")

    def buttons(self) -> ComposeResult:
        """Find out more, or leave."""
        if self._nearest is not None:
            yield PlainButton(spoken(self, "Who taught it ({details.who_taught})"), id="who")
        yield PlainButton("Close", id="close")

    def action_who_taught(self) -> None:
        """On to the pairs that taught it."""
        if self._nearest is not None:
            self.dismiss(True)

    @on(Button.Pressed, "#who")
    def _who(self) -> None:
        self.dismiss(True)


def facts(turn: Turn, reply: Reply) -> Iterator[tuple[str, str]]:
    """What is known of a reply, a line each."""
    yield "Version", "imported from elsewhere" if reply.version == "imported" else reply.version
    yield "When", f"{turn.created_at[:19].replace('T', ' ')} UTC, {reply.state}"
    if reply.from_correction is not None:
        yield "Words", f"{from_correction(reply.from_correction)}; the bot itself was not asked"
        return
    yield "Settings", settings_line(reply.decoding)
    if reply.new_tokens is not None:
        yield "Tokens", str(reply.new_tokens)
    if reply.seconds is not None:
        yield "Seconds", f"{reply.seconds:.2f}"
    if reply.first_token_seconds is not None:
        yield "First token", f"after {reply.first_token_seconds:.2f} s"
    if reply.new_tokens and reply.seconds:
        yield "Speed", f"{reply.new_tokens / reply.seconds:.1f} tokens/s"
    if reply.chance is not None or reply.certainty is not None:
        yield "Certainty", certainty_words(reply)
    if reply.answer_from is not None:
        yield "Answers", f"customers from {reply.answer_from:.0%} on"
    if reply.draft is not None:
        yield "Draft", _short(reply.draft)


def settings_line(decoding: dict[str, Any]) -> str:
    """Generation settings in words."""
    if not decoding:
        return "not known"
    how = "sampled" if decoding.get("do_sample") else "greedy"
    sampling = ("temperature", "top_p", "seed") if decoding.get("do_sample") else ()
    named = [name for name in (*sampling, "repetition_penalty", "max_new_tokens") if decoding.get(name) is not None]
    return ", ".join([how, *(f"{name} {decoding[name]}" for name in named)])


def _none(version: Version) -> str:
    if version == BASE:
        return "The base model was not trained on this desk's pairs."
    return "It was not trained on this desk, so its pairs are unknown."


def _short(text: str) -> str:
    line = " ".join(text[: LONG * 2].split())
    return line if len(line) <= LONG else line[: LONG - 1] + "…"
