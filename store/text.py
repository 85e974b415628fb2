"""Customers' text is hostile: the one place where it is made harmless, compared, and told by language."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence

from store import hidden

# Escape sequences go as a whole (else "[31m" would stay behind): CSI, OSC/DCS/APC/PM/SOS strings, two-byte ESC.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
# C0 and C1 controls but newline and tab, DEL, lone surrogates, noncharacters, and the bidirectional overrides and
# isolates that can make a screen show another text than the one that is stored.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u202a-\u202e\u2066-\u2069]")
_NEWLINES = re.compile(r"\r\n?|\u2028|\u2029|\x85")
_SPACES = re.compile(r"\s+")
# At most this many combining marks in a row: a flood of them draws over neighbouring lines of the screen.
_COMBINING_FLOOD = re.compile(
    r"([\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]{4})"
    r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
)
HAN = "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
KANA = "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"
HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
CJK = re.compile(f"[{HAN}{KANA}{HANGUL}]")
_KANA, _HANGUL, _HAN = (re.compile(f"[{block}]") for block in (KANA, HANGUL, HAN))


def clean(text: str) -> str:
    """*text* with newlines unified, NFC, and nothing in it that could steer a terminal or hide its meaning.

    Newline and tab stay; escape sequences, other control characters, bidirectional overrides, lone surrogates,
    characters that show nothing (:mod:`store.hidden`) and floods of combining marks go. Cleaning twice changes nothing.
    """
    text = _NEWLINES.sub("\n", text)
    while (stripped := _stripped(text)) != text:
        text = stripped
    return _COMBINING_FLOOD.sub(r"\1", text)


def _stripped(text: str) -> str:
    """One round: what is taken out may have kept others apart."""
    return unicodedata.normalize("NFC", hidden.strip(_CONTROLS.sub("", _ESCAPES.sub("", text))))


class CleanPieces:
    """:func:`clean` for a text that comes in pieces: what a character means may be decided in the piece before."""

    def __init__(self) -> None:
        self._before = ""  # the end of what was given out
        self._held = ""  # an end that only what follows can explain

    def add(self, piece: str) -> str:
        """What can be given out now that *piece* has come, clean; it may be empty."""
        piece = self._held + piece
        self._held = piece[len(piece.rstrip(hidden.JOINERS)) :]
        piece = piece[: len(piece) - len(self._held)]
        whole = clean(self._before + piece)
        fresh = whole[len(self._before) :] if whole.startswith(self._before) else clean(piece)
        self._before = (self._before + fresh)[-4:]
        return fresh


def normalise(text: str) -> str:
    """The form in which two instructions count as the same: NFKC, casefolded, runs of white space as one space."""
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def detect_language(text: str) -> str:
    """``ja``, ``ko`` or ``zh`` by script, else ``en``, which stands for every language written with spaces.

    Kana decides for Japanese and Hangul for Korean; Han characters without either are Chinese if they make up a
    fifth of the letters, so that an English sentence that names one Chinese product stays English.
    """
    if not CJK.search(text):
        return "en"
    letters = sum(character.isalpha() for character in text) or 1
    if len(_KANA.findall(text)) * 5 >= letters:
        return "ja"
    if len(_HANGUL.findall(text)) * 5 >= letters:
        return "ko"
    return "zh" if len(_HAN.findall(text)) * 5 >= letters else "en"


# What files call a language, in the form in which it is kept.
_NAMES = {
    "english": "en", "eng": "en", "chinese": "zh", "zho": "zh", "chi": "zh", "cn": "zh", "cmn": "zh", "mandarin": "zh",
    "中文": "zh", "japanese": "ja", "jpn": "ja", "jp": "ja", "korean": "ko", "kor": "ko", "kr": "ko",
}  # fmt: skip
_CODE = re.compile(r"[a-z]{2,3}")
_UNSEEN = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"})


def language(label: str | None, text: str) -> str:
    """The language of *text*: what *label* says ("zh-CN", "Chinese", "de") where it can be so, else by script.

    The gate tokenizes by it, and Chinese that is scored as English is scored as nothing at all."""
    detected = detect_language(text)
    name = re.split(r"[-_\s]", (label or "").strip().casefold(), maxsplit=1)[0]
    name = _NAMES.get(name, name)
    cjk = ("zh", "ja", "ko")
    if not _CODE.fullmatch(name) or (detected in cjk and name not in cjk):
        return detected
    return name


def visible(text: str) -> bool:
    """Whether there is anything to see in *text*: zero-width characters and spaces alone are nothing."""
    return any(unicodedata.category(character) not in _UNSEEN for character in hidden.strip(text))


def split_key(secret: str, instruction: str, history: Sequence[tuple[str, str]]) -> str:
    """The keyed hash under which a pair's side is decided: the same for the same normalised question and history.

    Keyed, so that nobody who can only send messages can choose the side on which they fall.
    """
    parts = [normalise(instruction)]
    for customer, bot in history:
        parts += [normalise(customer), normalise(bot)]
    return hmac.new(secret.encode(), "\x00".join(parts).encode(), hashlib.sha256).hexdigest()


def content_hash(instruction: str, history: Sequence[tuple[str, str]], output: str) -> str:
    """The hash by which exact duplicates of a pair are known."""
    parts = [instruction, *(side for exchange in history for side in exchange), output]
    return hashlib.sha256("\x00".join(parts).encode()).hexdigest()


def segment(text: str) -> str:
    """*text* for full-text search: every CJK character a word of its own, the rest as it stands."""
    return CJK.sub(lambda match: f" {match[0]} ", unicodedata.normalize("NFKC", text))


def counted(count: int, what: str) -> str:
    """*count* of *what* for a sentence: "1 pair", "2 pairs"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
