"""Values as texts: one place where placeholders, pictures, parts and HTML are met."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from store.importing.html_text import holds_html, plain_text
from store.importing.marks import is_placeholder, media_named, refuse_media_marks
from store.importing.names import fold
from store.importing.rows import Foreign, RowRejected
from store.pairs.new import LONGEST
from store.text import clean, visible

TOOLS = (
    "This file contains tool calls, which this bot can't make. Nothing was imported. Remove those rows, or export "
    "plain questions and answers."
)
_TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
_TOOL_PARTS = frozenset({"tool_use", "tool_result", "tool_call", "function_call", "function", "tool_calls"})


def tool_calls() -> Foreign:
    """The refusal of a row with tool calls."""
    return Foreign("it contains tool calls, which this bot can't make", TOOLS)


class Texts:
    """Reads the texts of one row after the other.

    *plain*: HTML becomes plain text. ``html``: whether any text since :meth:`begin` held some."""

    def __init__(self, plain: bool = False) -> None:
        self._plain, self._verbatim = plain, False
        self.html = False

    def begin(self, verbatim: bool) -> None:
        """A new row; *verbatim*: this program wrote it, and every text in it means itself."""
        self._verbatim, self.html = verbatim, False

    def text(self, value: Any, name: str) -> str:
        """*value* as clean text. Raises :class:`RowRejected` if it is no text, is empty, or is far too long."""
        text = self._clean(value, name)
        if not visible(text):
            raise RowRejected(f"{name} is empty")
        return text

    def answer(self, value: Any, name: str) -> str:
        """The same, and no placeholder: what a bot is to learn."""
        return self._said(value, name, "answer")

    def question(self, value: Any, name: str) -> str:
        """The same for a question."""
        return self._said(value, name, "question")

    def _said(self, value: Any, name: str, what: str) -> str:
        text = self.text(value, name)
        if self.is_nothing(text):
            raise RowRejected(f"{name} says {text}, which is no {what}")
        return text

    def optional(self, value: Any, name: str) -> str:
        """The same where nothing may stand: "" for None, nothing to see, and placeholders."""
        if value is None or value == [] or isinstance(value, float):
            return ""
        text = self._clean(value, name)
        return text if visible(text) and not self.is_nothing(text) else ""

    def is_nothing(self, text: str) -> bool:
        """Whether *text* is a placeholder."""
        return not self._verbatim and is_placeholder(text)

    def _clean(self, value: Any, name: str) -> str:
        raw = _raw(value, name)
        if len(raw) > LONGEST:
            raise RowRejected(f"{name} is longer than {LONGEST} characters")
        if not self._verbatim:
            refuse_media_marks(raw)
            if holds_html(raw):
                self.html = True
                raw = plain_text(raw) if self._plain else raw
        return clean(raw).strip()


def _raw(value: Any, name: str) -> str:
    """*value* as it stands: a text, or the texts of its parts."""
    if isinstance(value, Mapping):  # ChatGPT's {"content_type": "text", "parts": [...]}, and {"text": ...}
        parts = value.get("parts")
        value = value.get("text", value.get("value")) if parts is None else parts
        if isinstance(value, list) and all(isinstance(part, str) for part in value):
            value = "\n".join(value)
    if isinstance(value, list):
        if len(value) > 1 and all(isinstance(part, str) for part in value):
            raise RowRejected(f"{name} is a list of {len(value)} texts where one belongs")
        value = "\n".join(_part(part, name) for part in value)
    if not isinstance(value, str):
        missing = value is None or value != value  # NaN
        raise RowRejected(f"{name} is {'missing' if missing else 'not text'}")
    return value


def _part(part: Any, name: str) -> str:
    if isinstance(part, dict):
        kind = part.get("type", "text")
        if kind in _TOOL_PARTS:
            raise tool_calls()
        if kind not in _TEXT_PARTS:
            if what := media_named(fold(kind)) if isinstance(kind, str) else None:
                raise RowRejected(f"it needs {what}: {name} holds a part that is not text ({str(kind)[:40]!r})")
            raise RowRejected(f"{name} holds a part that is not text ({str(kind)[:40]!r})")
        part = part.get("text", part.get("value", part.get("content")))
    if not isinstance(part, str):
        raise RowRejected(f"{name} holds a part that is not text")
    return part
