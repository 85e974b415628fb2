"""``python -m tui.keys_table``: writes docs/keys.md from the bindings, so that the table can't be wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from textual.binding import Binding

from tui.keys import APP, PLACES, key_name

FILE = Path(__file__).parent.parent / "docs" / "keys.md"
TITLES = {"APP": "Everywhere", "COMPOSER": "Where you write", "CONVERSATIONS": "The list of conversations"}
HEAD = """# Keys

Made by `python -m tui.keys_table` from the bindings themselves. `F1` shows the keys of where you are, `Ctrl+P` finds
every action by its name; the bar at the bottom shows as many keys as fit.

Every one of them can be another: in the settings (`F9`, **keys**), or in `deskloop.toml`:

    [keys]
    "desk.correct" = "f12"
    "composer.newline" = "ctrl+j,alt+enter"

The names are in the last column. Two actions of one place can't share a key, letters and digits are only for places
where nothing is written, and what doesn't fit is refused with its reason.
"""


def table() -> str:
    """The page."""
    return "\n".join([HEAD, *(line for place, own in _own() for line in _lines(place, own))])


def _own() -> Iterator[tuple[str, list[Binding]]]:
    """The bindings of each place that no place before it lists."""
    listed: set[str | None] = set()
    for place, bindings in sorted(PLACES.items(), key=lambda item: item[1] is not APP):
        own = [binding for binding in bindings if binding.id not in listed]
        listed.update(binding.id for binding in own)
        if own:
            yield place, own


def _lines(place: str, own: list[Binding]) -> Iterator[str]:
    yield f"## {TITLES.get(place, place.replace('_', ' ').capitalize())}\n"
    yield "| key | action | does | name |"
    yield "|---|---|---|---|"
    for binding in own:
        keys = " ".join(f"`{key_name(key)}`" for key in binding.key.split(","))
        does = binding.tooltip.replace("|", "\\|")
        yield f"| {keys} | {binding.description} | {does} | `{binding.id}` |"
    yield ""


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
