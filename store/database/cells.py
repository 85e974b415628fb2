"""JSON in cells of the database, read so that a damaged cell stops nothing but itself.

What a cell should hold is told by a shape: a type, several in a tuple (None among them: or nothing), ``[shape]`` for a
list of such things, ``{"name": shape}`` for an object, whose other names may hold anything. Of an object in a cell the
values that fit are kept; of a list in it, the entries.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

Shape = Any  # a type, None, or a tuple, list or dict of shapes
NUMBER = (int, float)
OBJECT: dict[str, Shape] = {}
VALUE = (str, int, float, bool, list, dict, None)
_OPTIONAL = (*NUMBER, None)
_TEXT = (str, None)
_SIDES = {"active": _OPTIONAL, "candidate": _OPTIONAL}
_SCORES = {"bleu": NUMBER, "chrf": NUMBER, "exact": NUMBER, "signature": _TEXT}
_LANGUAGE = {
    "lang": str, "n": int, "p": NUMBER, "active": _SCORES, "candidate": _SCORES, "low": _OPTIONAL, "high": _OPTIONAL,
    "metric": _TEXT, "decision": _TEXT, "note": _TEXT,
}  # fmt: skip
TROUBLE: dict[str, Shape] = {"finding": str, "advice": str}
# The gate's numbers, as far as anything looks into them.
REPORT: dict[str, Shape] = {
    "verdict": str,
    "sentence": str,
    "bleu": _SIDES,
    "chrf": _SIDES,
    "exact": _SIDES,
    "learned": int,
    "not_learned": int,
    "regressed": int,
    "languages": [_LANGUAGE],
    "drift": {"sentence": str},
    "troubles": [TROUBLE],
}
FAILURE: dict[str, Shape] = {"kind": str, "sentence": str, "log": _TEXT}
EXCHANGES: list[Shape] = [[str]]


def cell(text: object, shape: Shape, otherwise: Any) -> Any:
    """The value in a cell, as far as it has the *shape*; *otherwise* where it is of another kind or no JSON."""
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return otherwise
    if isinstance(shape, dict) and isinstance(value, dict):
        return dict(_kept(value, shape))
    return value if whole(value, shape) else otherwise


def _kept(value: dict[str, Any], shape: dict[str, Shape]) -> Iterator[tuple[str, Any]]:
    for name, part in value.items():
        wanted = shape.get(name, part)
        if name not in shape or whole(part, wanted):
            yield name, part
        elif isinstance(wanted, list) and isinstance(part, list):
            yield name, [entry for entry in part if whole(entry, wanted[0])]


def whole(value: Any, shape: Shape) -> bool:
    """Whether *value* has the *shape* in every part."""
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(whole(value.get(name), part) for name, part in shape.items())
    if isinstance(shape, list):
        return isinstance(value, list) and all(whole(entry, shape[0]) for entry in value)
    kinds = shape if isinstance(shape, tuple) else (shape,)
    if value is None:
        return None in kinds
    if isinstance(value, bool):
        return bool in kinds
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return isinstance(value, tuple(kind for kind in kinds if kind is not None))


def is_whole(text: object, shape: Shape) -> bool:
    """Whether the value in a cell has the *shape* in every part; an object may lack any of its names."""
    value = cell(text, shape, _NOTHING)
    try:
        return value is not _NOTHING and isinstance(text, str) and bool(value == json.loads(text))
    except (ValueError, RecursionError):
        return False


_NOTHING = object()
