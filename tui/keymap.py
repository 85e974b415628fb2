"""Other keys than those of :mod:`tui.keys`: which changes can be, and what the app makes of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from textual.keys import Keys, _character_to_key, _normalize_key_list
from textual.message_pump import MessagePump

from store.settings import refuse
from store.text import clean
from tui.keys import PLACES, WITHIN, key_name

MODIFIERS = ("ctrl", "alt", "shift", "super", "meta", "hyper")
NAMED = frozenset(key.value for key in Keys if "<" not in key.value) | {"space"}
MISTAKEN = {"ctrl+h": "Backspace", "ctrl+i": "Tab", "ctrl+m": "Enter", "ctrl+[": "Esc"}  # a terminal sends the same
RESERVED = {
    "ctrl+p": "the command palette",
    "ctrl+c": "copying",
    "tab": "going to the next field",
    "shift+tab": "going to the field before",
}


def normal(keys: str) -> str:
    """Keys as textual calls them: ``F2, ?`` is ``f2,question_mark``."""
    parts = [part.strip() for part in keys.split(",")]
    return _normalize_key_list(",".join(part if len(part) == 1 else part.lower() for part in parts))


_PLACEHOLDER = re.compile(r"\{([a-z_.]+\.[a-z_-]+)\}")


def in_words(sentence: str, changes: Mapping[str, str]) -> str:
    """*sentence* with the key of an action in the place of its name: ``{desk.retrain}`` becomes F5, or what *changes*
    say instead. What is no name of an action stays."""
    known = {binding.id: binding.key for bindings in PLACES.values() for binding in bindings if binding.id}

    def key_of(match: re.Match[str]) -> str:
        name = match[1]
        if name not in known:
            return match[0]
        return key_name(normal(changes[name]).split(",")[0] if name in changes else known[name].split(",")[0])

    return _PLACEHOLDER.sub(key_of, sentence)


def spoken(node: MessagePump, sentence: str) -> str:
    """*sentence* as :func:`in_words` has it, by the keys in force in the app that *node* is part of."""
    return in_words(sentence, getattr(node.app, "key_changes", {}))


def keymap(changes: Mapping[str, str]) -> dict[str, str]:
    """What :meth:`textual.app.App.set_keymap` needs for *changes*: them, and whatever shares a key with a changed
    binding, which would lose that key otherwise. Names the app doesn't know are left out."""
    known = {binding.id: binding.key for bindings in PLACES.values() for binding in bindings if binding.id}
    wanted = {name: normal(keys) for name, keys in changes.items() if name in known}
    for bindings in PLACES.values():
        lost = {key for binding in bindings if binding.id in wanted for key in binding.key.split(",")}
        for binding in bindings:
            if binding.id and lost.intersection(binding.key.split(",")):
                wanted.setdefault(binding.id, binding.key)
    return wanted


def check(changes: Mapping[str, str]) -> None:
    """Check that *changes* name bindings and keys that exist, and that no two actions of one place share a key.

    Raises :class:`store.settings.SettingError`."""
    known = {binding.id for bindings in PLACES.values() for binding in bindings}
    for name, keys in changes.items():
        if name not in known:
            raise refuse("is no action; docs/keys.md lists them", "keys", clean(name))
        for key in normal(keys).split(","):
            _check_key(name, key)
    for place in PLACES:
        _check_place(place, changes)


def _check_key(name: str, key: str) -> None:
    *modifiers, last = key.split("+")
    exists = all(part in MODIFIERS for part in modifiers) and (last in NAMED or _is_character(last))
    if not exists:
        raise refuse(f"needs a key such as f12 or ctrl+t, and {clean(key)!r} is none", "keys", name)
    if key in MISTAKEN:
        raise refuse(f"can't be {key}: terminals send it as {MISTAKEN[key]}", "keys", name)
    if key in RESERVED:
        raise refuse(f"can't be {key}: that is for {RESERVED[key]}", "keys", name)


def _is_character(key: str) -> bool:
    """Whether the key alone writes a character."""
    return len(key) == 1 or key == "space" or key in CHARACTERS


CHARACTERS = frozenset(_character_to_key(chr(code)) for code in range(33, 127))


def _check_place(place: str, changes: Mapping[str, str]) -> None:
    """Check one list together with the lists that are in force where it is."""
    own = PLACES[place]
    for_commands = any(_is_character(key) for binding in own for key in binding.key.split(","))
    for binding in own:
        for key in normal(changes.get(binding.id or "", "")).split(","):
            if key and _is_character(key) and not for_commands:
                raise refuse(
                    f"can't be {key}: it would be taken from what is written there; put ctrl before it, or choose a "
                    "function key",
                    "keys",
                    binding.id or "",
                )
    before = dict(_owners(place, {}))
    for key, owners in _owners(place, changes):
        changed = sorted(name for name in owners if name in changes)
        if changed and len(owners) > 1 and owners != before.get(key):
            others = " and ".join(sorted(owners - {changed[0]}))
            raise refuse(f"would share {key} with {others}", "keys", changed[0])


def _owners(place: str, changes: Mapping[str, str]) -> Iterator[tuple[str, frozenset[str]]]:
    """Every key of a place, with the actions it would mean."""
    together = [*PLACES["APP"], *PLACES[place], *(PLACES[WITHIN[place]] if place in WITHIN else ())]
    owners: dict[str, set[str]] = {}
    for binding in together:
        if binding.id:
            for key in normal(changes.get(binding.id, binding.key)).split(","):
                owners.setdefault(key, set()).add(binding.id)
    for key, names in owners.items():
        yield key, frozenset(names)
