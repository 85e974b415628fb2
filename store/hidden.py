"""Characters that show nothing: which of them a script or an emoji needs, and what becomes of all others.

Text that nobody sees can still be learned, searched and sent to a model (Unicode tags spell whole sentences), so
what comes in is stripped of it (:func:`strip`, by way of :func:`store.text.clean`) and what is kept from earlier
days is shown by a mark (:func:`reveal`). Only the neighbours of a character decide whether it is needed.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# What emoji are built of: a variation selector or a joiner after one of these changes how it is drawn. Digits, # and *
# only begin a keycap.
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2900-\u297f"
    "\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_HAN = "\u3001\u3002\uff01\uff0c\uff0e\uff1a\uff1b\uff1f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Scripts whose letters join, or are kept from joining, by an invisible character: Arabic and its kin, the Brahmic
# scripts of India and its neighbours, Mongolian.
_JOINING = "\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ua840-\uaaff\ufb50-\ufdff\ufe70-\ufefc"
# Scripts without spaces, in which a line may be broken where a zero-width space stands.
_UNSPACED = "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\ua9e0-\ua9ff\uaa60-\uaadf"
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u05ff\u0620-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
# The flags of England, Scotland and Wales are the only ones that are written with tags.
_FLAG = "\U0001f3f4(?:" + "|".join(
    "".join(chr(0xE0000 + ord(letter)) for letter in region) for region in ("gbeng", "gbsct", "gbwls")
) + ")\U000e007f"  # fmt: skip

_MARKS = "\u061c\u200e\u200f"  # the sides of a line on which signs stand, where left and right are mixed
_NEVER = (
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_SELECTORS = "\ufe00-\ufe0f"
_MONGOLIAN = "\u180b-\u180f"
_BETWEEN = "\u200b-\u200d"
JOINERS = "\u200b\u200c\u200d\ufe0f"  # needed or not by what follows them
_ANY = re.compile(f"[{_MARKS}{_NEVER}{_SELECTORS}{_MONGOLIAN}{_BETWEEN}\u2800\u202a-\u202e]")
_NEEDED = (
    _FLAG,
    "(?<=[0-9#*])\ufe0f(?=\u20e3)",
    f"(?<=[{_EMOJI}])[\ufe0e\ufe0f]",
    f"(?<=[{_EMOJI}\ufe0f\U000e007f])\u200d(?=[{_EMOJI}])",
    f"(?<=[{_HAN}])[\ufe00-\ufe02]",
    "(?<=[\u1000-\u109f\uaa60-\uaa7f])\ufe00",
    f"(?<=[{_JOINING}])[\u200c\u200d]",
    f"(?<=[{_UNSPACED}])\u200b(?=[{_UNSPACED}])",
    "(?<=[\u1820-\u18aa])[\u180b-\u180f]",
)
_HIDDEN = f"[{_NEVER}{_SELECTORS}{_MONGOLIAN}{_BETWEEN}\u202a-\u202e]"
_LEFT_TO_RIGHT = re.compile(f"({'|'.join(_NEEDED)})|(?:{_HIDDEN}|[{_MARKS}])+")
_MIXED = re.compile(f"({'|'.join(_NEEDED)})|(?:{_HIDDEN}|[{_MARKS}](?=[{_MARKS}]))+")


def strip(text: str) -> str:
    """*text* without the characters that show nothing, but for those that its letters and emoji need. A blank Braille
    cell is a space. Doing it until nothing changes leaves none."""
    return replace(text, lambda run: "").replace("\u2800", " ")


def reveal(text: str) -> str:
    """*text* with a mark for each run of characters that :func:`strip` would take away: what was kept before they were
    stripped is learned as it stands, so it must be seen."""
    return replace(text, lambda run: f"⟨{len(run)} hidden character{'' if len(run) == 1 else 's'}⟩")


def replace(text: str, becomes: Callable[[str], str]) -> str:
    """*text* with something else in the place of each run of characters that show nothing and are not needed."""
    if text.isascii() or _ANY.search(text) is None:
        return text
    pattern = _MIXED if _RIGHT_TO_LEFT.search(text) else _LEFT_TO_RIGHT
    return pattern.sub(lambda match: match[0] if match[1] is not None else becomes(match[0]), text)
