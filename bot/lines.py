"""The form for a base without a chat template (Pythia, say): plain words, one speaker after the other.

There are no tokens here that only we can write, so what keeps turns apart is text, and two things follow. What people
say is freed of whatever looks like the beginning of a turn; and a reply ends where the next customer would speak, since
a base that was never tuned goes on to write the customer's part too.
"""

from __future__ import annotations

import re
import unicodedata

SYSTEM = "{system}\n\n"
CUSTOMER = "Customer: {text}\n"
BOT = "Agent:"
END = "\n"  # between the end of an answer and the next turn
_NEXT = "Customer:"

_BREAKS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# A label of ours and a colon, also in brackets or stars.
_LABEL = re.compile(r"(?<![^\W_])(?:customer|agent)[^\w\n:]{0,4}:")
# Letters and colons of other scripts that look like ours; compatibility forms (full width, mathematical) fold anyway.
_LOOKALIKES = str.maketrans(
    "\u0430\u0441\u0435\u043e\u043c\u0442\u0455\u0433\u043f\u0501\u0578\u0585\u057d"
    "\u03b1\u03bf\u03b5\u03c4\u03c5\u03b7"
    "\u0251\u0261\u1d00\u1d04\u1d07\u0262\u1d0d\u0274\u1d0f\u0280\ua731\u1d1b\u1d1c"
    "\u2236\ua789\u02d0\u02f8\u0589\u05c3\u1804\ufe55",
    "aceomtsrndnou" + "aoetun" + "agacegmnorstu" + "::::::::",
)
_ENDS_ANYWHERE = re.compile(r"\n[ \t]*Customer[ \t]*:")
_ENDS_AT_ONCE = re.compile(r"\s*Customer[ \t]*:")


def said(text: str) -> str:
    """What somebody said, as it may stand in a prompt: no line of it begins a turn, however it is spelled. ``Agent:``
    becomes ``Agent -``, and every kind of line break the usual one."""
    text = _BREAKS.sub("\n", text)
    folded, places = _folded(text)
    pieces, begin = [], 0
    for match in _LABEL.finditer(folded):
        colon = places[match.end() - 1]
        pieces += [text[begin:colon].rstrip(" "), " -"]
        begin = colon + 1
    return "".join([*pieces, text[begin:]])


def _folded(text: str) -> tuple[str, list[int] | range]:
    """*text* as a reader would take it (case, width, accents and what can't be seen put aside), and where in *text*
    each of its characters stands."""
    if text.isascii():
        return text.lower(), range(len(text))
    folded, places = list[str](), list[int]()
    for place, character in enumerate(text):
        for part in unicodedata.normalize("NFKD", character).casefold():
            if unicodedata.category(part) in ("Mn", "Me", "Cf", "Cc") and part not in "\n\t":
                continue
            folded.append(part.translate(_LOOKALIKES))
            places.append(place)
    return "".join(folded), places


def end_of_reply(text: str, *, whole: bool = True) -> int | None:
    """Where in the reply *text* the customer's next turn begins; None if it does not. *whole*: it is the reply from its
    beginning, which may be such a turn at once."""
    if whole and _ENDS_AT_ONCE.match(text):
        return 0
    match = _ENDS_ANYWHERE.search(text)
    return None if match is None else match.start()


def sure(text: str) -> int:
    """How much of an unfinished reply is surely its own: from there on it may be the beginning of the next turn."""
    line = text.rfind("\n")
    begun = text[line + 1 :].replace(" ", "").replace("\t", "")
    if not _NEXT.startswith(begun) or (line < 0 and not begun):
        return len(text)
    return len(text[: max(line, 0)].rstrip()) if line >= 0 else 0
