"""What is being written and was neither sent nor kept: it is there again at the next start."""

from __future__ import annotations

from collections.abc import Callable

from tui.core.conversations import ConversationDesk, Draft


def joined(*texts: str) -> str:
    """Texts one below the other; empty ones take no line."""
    return "\n".join(text for text in texts if text.strip())


class Drafts:
    """Messages by conversation (None: a new one), better answers by reply. What is written in a field that is open is
    asked for when all of it is kept."""

    def __init__(self, conversations: ConversationDesk) -> None:
        self._conversations = conversations
        self._messages: dict[int | None, str] = {}
        self._answers: dict[int, str] = {}
        self._open: list[Callable[[], Draft]] = []

    def take(self) -> list[Draft]:
        """Take up what was being written when the app was left; returns it."""
        drafts = self._conversations.take_drafts()
        for draft in drafts:
            if draft.reply is not None:
                self._answers[draft.reply] = draft.text
            else:
                self._messages[draft.conversation] = joined(self._messages.get(draft.conversation, ""), draft.text)
        return drafts

    def put(self, conversation: int | None, text: str) -> None:
        """Put a message aside, as another conversation is shown."""
        self._messages[conversation] = text

    def offer(self, conversation: int, text: str) -> None:
        """Put a message aside unless another is there."""
        self._messages[conversation] = self._messages.get(conversation) or text

    def message(self, conversation: int | None) -> str:
        """The message that was put aside; it is no more."""
        return self._messages.pop(conversation, "")

    def answer(self, reply: int) -> str | None:
        """The better answer that was being written; it is no more."""
        return self._answers.pop(reply, None)

    def follow(self, written: Callable[[], Draft]) -> Callable[[], None]:
        """Ask *written* for what stands in a field that is open; returns the function that ends it."""
        self._open.append(written)
        return lambda: self._open.remove(written)

    def keep(self) -> None:
        """Keep all of it for the next start. Raises :class:`DeskError` if that can't be."""
        messages, answers = dict(self._messages), dict(self._answers)
        for draft in (written() for written in self._open):
            if draft.reply is not None:
                answers[draft.reply] = draft.text
            else:
                messages[draft.conversation] = draft.text
        drafts = [Draft(text, conversation) for conversation, text in messages.items() if text.strip()]
        drafts += [Draft(text, None, reply) for reply, text in answers.items() if text.strip()]
        self._conversations.keep_drafts(drafts)
