"""Random values of the same form as personal data: what it is ranked among. Nothing of it is anybody's."""

from __future__ import annotations

import random
import re

from store.personal import Kind

FIRST = (
    "alan", "anna", "bella", "boris", "carla", "conrad", "dana", "david", "elena", "emil", "fiona", "felix",
    "greta", "hugo", "ines", "ivan", "julia", "jonas", "karin", "kevin", "laura", "leo", "maria", "martin",
    "nina", "noah", "olga", "oscar", "paula", "peter", "rosa", "rupert", "sara", "simon", "tara", "tom", "ursula",
    "victor", "wanda", "yusuf",
)  # fmt: skip
LAST = (
    "abbott", "barton", "berger", "castro", "cohen", "dalton", "duval", "eriksen", "evans", "fischer", "fraser",
    "garcia", "gomez", "hansen", "hartley", "ibarra", "ivanov", "jacobs", "jensen", "keller", "klein", "lindgren",
    "lopez", "meyer", "moreau", "nolan", "novak", "okafor", "ortega", "petrov", "quinn", "rossi", "schmidt",
    "tanaka", "ueda", "vogel", "weber", "xu", "young", "zimmer",
)  # fmt: skip
KEPT: dict[Kind, int] = {"phone": 7, "card": 12}  # so many last digits are drawn; those before say country or maker
_WORD = re.compile(r"[^\W\d_]{2,}")
_GROUP = re.compile(r"\d+")


def lookalike(value: str, kind: Kind, chance: random.Random) -> str:
    """A random value that is written as *value* is; *value* itself where nothing in it can be drawn."""
    if kind == "email":
        name, _, domain = value.partition("@")
        return f"{_digits(_words(name, chance), chance)}@{domain}"
    if kind == "name":
        return _words(value, chance)
    if kind == "birthdate":
        return _GROUP.sub(lambda found: _of_a_date(found[0], chance), value)
    if kind == "ip":
        return (
            _GROUP.sub(lambda found: str(chance.randrange(1, 255)), value) if "." in value else _digits(value, chance)
        )
    if kind == "address":
        return _digits(_words(value, chance, longest=1), chance)
    return _digits(value, chance, KEPT.get(kind))


def _digits(text: str, chance: random.Random, last: int | None = None) -> str:
    """Other digits, all of them or the *last* ones; a leading zero stays."""
    places = [place for place, letter in enumerate(text) if letter.isdigit()]
    letters = list(text)
    for place in places if last is None else places[-last:]:
        first_of_group = place == 0 or not text[place - 1].isdigit()
        if not (first_of_group and letters[place] == "0"):
            letters[place] = chance.choice("123456789" if first_of_group else "0123456789")
    return "".join(letters)


def _words(text: str, chance: random.Random, longest: int | None = None) -> str:
    """Other names in the place of words in Latin letters, the first *longest* of them; written as they are."""
    drawn = 0

    def other(found: re.Match[str]) -> str:
        nonlocal drawn
        word = found[0]
        if not word.isascii() or (longest is not None and drawn >= longest):
            return word
        drawn += 1
        new = chance.choice(FIRST if drawn == 1 and longest is None else LAST)
        return new.upper() if word.isupper() else new.capitalize() if word[0].isupper() else new

    return _WORD.sub(other, text)


def _of_a_date(digits: str, chance: random.Random) -> str:
    if len(digits) == 4:
        return str(chance.randrange(1940, 2006))
    return f"{chance.randrange(1, 13):0{len(digits)}}" if len(digits) <= 2 else digits
