"""What was said, taken up again: copied, quoted, edited and sent anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from store.records import Turn
from store.text import clean
from tui.core import DeskError, DeskService
from tui.core.editor import edit, editor_command
from tui.core.excerpts import code_blocks, quoted
from tui.keymap import spoken

if TYPE_CHECKING:
    from tui.screens.chat import ChatScreen

OTHER = {True: "faithful", False: "natural"}  # by whether a reply was sampled: the preset it was not made with


class Reusing:
    """The actions of one chat screen that make something new of what is there."""

    def __init__(self, service: DeskService, chat: ChatScreen) -> None:
        self._service, self._chat = service, chat

    def copy(self, turn: Turn) -> None:
        """The text of a reply (as it should have been, if it was corrected) to the clipboard of the terminal, also
        over SSH."""
        text = turn.reply.correction if turn.reply is not None and turn.reply.correction is not None else turn.text
        self._copy(text, "The reply is copied." if text == turn.text else "The correction is copied.")

    def copy_code(self, turn: Turn) -> None:
        """The code in a reply to the clipboard."""
        self._copy(code_blocks(turn.text), "The code is copied.")

    def _copy(self, text: str, done: str) -> None:
        if not text:
            self._say("There is nothing of that kind in the marked reply to copy.")
            return
        self._chat.app.copy_to_clipboard(clean(text))
        self._say(done)

    def quote(self, turn: Turn) -> None:
        """A reply as a quotation into what is being written."""
        composer = self._chat.composer
        composer.insert(quoted(turn.text), (0, 0), maintain_selection_offset=True)
        composer.move_cursor(composer.document.end)
        composer.focus()

    def resend(self, message: Turn) -> None:
        """A copy of a customer's message to be edited; what was said stays."""
        self._chat.composer.take(message.text)
        self._chat.composer.focus()
        self._say(spoken(self._chat, "A copy to edit. {composer.send} sends it as a new message; the old one stays."))

    def other_preset(self, turn: Turn) -> str:
        """The name of the preset that a reply was not made with."""
        return OTHER[bool(turn.reply is not None and turn.reply.decoding.get("do_sample"))]

    def edit_outside(self) -> None:
        """What is being written, in the operator's own editor; the app waits meanwhile."""
        composer = self._chat.composer
        text, trouble = composer.text, ""
        try:
            if not self._service.reach.own_programs:
                raise SuspendNotSupported
            command = editor_command()
            with self._chat.app.suspend():
                try:
                    text = edit(text, command, self._service.home.root)
                except DeskError as error:  # caught here: the app takes the terminal back only from a block that ends
                    trouble = error.sentence
        except DeskError as error:
            trouble = error.sentence
        except SuspendNotSupported:
            trouble = "An editor can't be opened from here (a browser, or this kind of terminal). Your text stays."
        if trouble:
            self._chat.notify(trouble, severity="warning", markup=False)
            return
        composer.take(text)
        composer.focus()

    def _say(self, sentence: str) -> None:
        self._chat.notify(sentence, markup=False, timeout=3)
