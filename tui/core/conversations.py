"""The conversations of a desk, for one operator: listed, read, renamed, exported, and what is being written in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from store.conversations.drafts import Draft
from store.conversations.listing import SHOWS, Listed, Show
from store.conversations.transcripts import as_json, as_markdown, file_name, write_new
from store.desk import Desk
from store.records import Conversation, Turn
from store.words import Exchange
from store.writing import TargetRefused
from tui.core.beside import Beside
from tui.core.errors import DeskError

__all__ = ["SHOWS", "ConversationDesk", "Draft", "Listed", "Show"]


class ConversationDesk:
    """The only way to the conversations, but for what is said in them: that is :class:`tui.core.chat.ChatDesk`'s."""

    def __init__(self, store: Desk, beside: Beside, who: str) -> None:
        self._store, self._beside, self._who = store, beside, who

    # -- the list ----------------------------------------------------------------------------------
    async def ids(self, show: Show = "all", words: str = "") -> list[int]:
        """The conversations that fit, the latest first."""
        return await self._beside.read(lambda store: store.listing.ids(show, words, self._who))

    def rows(self, ids: Sequence[int]) -> list[Listed]:
        """A window of the list."""
        return self._store.listing.rows(ids)

    def latest(self) -> Conversation | None:
        """The conversation that was spoken in last, but for archived ones; None if there is none."""
        return next(iter(self._store.conversations.list(limit=1)), None)

    def search(self, words: str) -> list[tuple[Turn, str]]:
        """Turns that contain *words*, the newest first, each with the text around the first of them."""
        return self._store.search.turns(words)

    def erasures(self) -> int:
        """How often something was erased on this desk: when it grows, what was read before is not what was said."""
        return self._store.erasing.count()

    # -- one conversation --------------------------------------------------------------------------
    def begin(self, customer: str | None = None) -> Conversation:
        """A new one. *customer*: whose it is, for erasing; None if nobody says."""
        return self._store.conversations.create(self._who, customer=customer)

    def get(self, conversation_id: int) -> Conversation:
        """Raises :class:`LookupError` if there is none."""
        return self._store.conversations.get(conversation_id)

    def turns(
        self,
        conversation_id: int,
        *,
        limit: int | None = None,
        before_id: int | None = None,
        after_id: int | None = None,
    ) -> list[Turn]:
        """What was said, the oldest first: at most *limit* turns, the last of them unless *after_id* is given."""
        return self._store.conversations.turns(conversation_id, limit=limit, before_id=before_id, after_id=after_id)

    def turn(self, turn_id: int) -> Turn:
        """Raises :class:`LookupError` if there is none."""
        return self._store.conversations.turn(turn_id)

    def answered_by(self, reply_id: int) -> Turn | None:
        """The customer's message that a reply answers."""
        message = self.turn(reply_id).in_reply_to
        return None if message is None else self.turn(message)

    def history(self, message_id: int) -> tuple[Exchange, ...]:
        """What was said before a customer's message, as the bot is told it."""
        return self._store.conversations.history(message_id)

    def rename(self, conversation_id: int, title: str) -> Conversation:
        """Give it another title."""
        return self._store.conversations.rename(conversation_id, title)

    def archive(self, conversation_id: int, *, restore: bool = False) -> Conversation:
        """Take it out of the list; *restore*: back into it."""
        return self._store.conversations.archive(conversation_id, self._who, restore=restore)

    def file_name(self, conversation: Conversation) -> str:
        """A name for the file it is exported to."""
        return file_name(conversation)

    def export(self, conversation: Conversation, path: Path) -> None:
        """Write it to the new file *path*: ``.json`` for programs, else Markdown. Raises :class:`DeskError`."""
        turns = self.turns(conversation.id)
        whole = (as_json if path.suffix.lower() == ".json" else as_markdown)(conversation, turns)
        try:
            write_new(path, whole)
        except TargetRefused as error:
            raise DeskError(error.sentence) from error
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise DeskError(f"{path} can't be written: {why}. Nothing was lost; choose another name.") from error

    # -- what the operator writes ------------------------------------------------------------------
    def said(self) -> list[str]:
        """The last messages of this operator, the latest first."""
        return self._store.conversations.said_by(self._who)

    def keep_drafts(self, drafts: list[Draft]) -> None:
        """Keep what is being written for the next start. Raises :class:`DeskError`."""
        self._store.drafts.keep(drafts, self._who)

    def take_drafts(self) -> list[Draft]:
        """What was being written when the app was left last; it is handed out once."""
        return self._store.drafts.take(self._who)
