"""What comes as keys and was pasted is told from what was typed."""

from __future__ import annotations

import pytest
from textual import events

from tui.terminal.typed import SAME_PASTE, TypedParser, is_pasted


class Typed:
    """A parser, its time and what it made of each read."""

    def __init__(self) -> None:
        self.time = 0.0
        self._parser = TypedParser(clock=lambda: self.time)

    def read(self, *pieces: str) -> list[str]:
        """Pastes as ``paste TEXT``, keys by their names."""
        return [
            f"paste {event.text}" if isinstance(event, events.Paste) else event.key
            for piece in pieces
            for event in self._parser.feed(piece)
            if isinstance(event, events.Paste | events.Key)
        ]


def test_many_characters_with_ends_of_lines_or_tabs_inside_are_a_paste() -> None:
    assert Typed().read("Hello,\rmy order\tis late.\r\rThanks\r") == ["paste Hello,\rmy order\tis late.\r\rThanks\r"]
    assert Typed().read("\tindented") == ["paste \tindented"]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("a", ["a"]),
        ("ok\r", ["o", "k", "enter"]),  # a line that was typed ahead, or sent by a script
        ("a longer line, sent\r", [*"a"]),
        ("\t\t\r", ["tab", "tab", "enter"]),
        ("\x1b[B\r\x1b[Babc", ["down"]),
        ("a\rb", ["a", "enter", "b"]),
    ],
)
def test_keys_stay_keys(text: str, keys: list[str]) -> None:
    assert Typed().read(text)[: len(keys)] == keys
    assert not is_pasted(text)


def test_a_paste_in_brackets_is_one_however_it_is_cut() -> None:
    text = "\x1b[200~one\rtwo three\rfour\x1b[201~"
    for size in (1, 2, 3, 5, 7, 11, len(text)):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        typed = Typed()
        assert typed.read(*pieces) == ["paste one\rtwo three\rfour"]
        assert typed.read("x") == ["x"]


def test_the_rest_of_a_paste_belongs_to_it_and_a_later_key_does_not() -> None:
    typed = Typed()
    assert typed.read("one\rtwo and ") == ["paste one\rtwo and "]
    typed.time += SAME_PASTE / 2
    assert typed.read("three\r") == ["paste three\r"]
    typed.time += SAME_PASTE
    assert typed.read("\r") == ["enter"]


def test_what_is_no_text_is_no_rest_of_a_paste() -> None:
    typed = Typed()
    typed.read("one\rtwo and three")
    assert typed.read("\x11") == ["ctrl+q"]
    assert typed.read("\x1b[B") == ["down"]
