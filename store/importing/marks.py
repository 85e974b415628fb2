"""What the makers of a file say of their rows and messages: not to be learned, private, of no worth, or no text.

Every row and every message of every form passes here, whatever program wrote it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from store.importing import names
from store.importing.names import fold, folded, words
from store.importing.rows import RowRejected

# -- flags -----------------------------------------------------------------------------------------
_FALSE = frozenset({"false", "0", "0.0", "no", "n", "f", "off"})
_TRUE = frozenset({"true", "1", "1.0", "yes", "y", "t", "on"})

# False or 0: not to be learned.
_TEACHES = ("weight", "loss_weight", "loss", "train", "training", "trainable", "train_on_turn", "learn")
_WORTH = ("label", "kto_tag", "kto_label", "desirable")
_AGAINST = ("thumbs_down", "thumb_down", "is_bad", "downvoted", "disliked", "undesirable")  # true: a bad answer
# A judgement: negative numbers, false, and these words.
_JUDGED = (
    "label", "kto_tag", "kto_label", "rating", "score", "feedback", "thumb", "thumbs", "vote", "votes",
    "reaction", "annotation", "satisfaction", "satisfaction_rating", "user_feedback", "feedback_score", "quality",
)  # fmt: skip
_INSIDE = (
    "rating",
    "score",
    "value",
    "label",
    "feedback",
    "thumbs",
    "thumb",
    "type",
)  # of a judgement that is an object
_ASIDE = ("metadata", "meta", "annotations", "extra", "info", "additional_kwargs", "custom")  # where marks stand, too
_BAD = words(
    "bad wrong negative thumbs_down thumb_down thumbsdown thumbdown down downvote downvoted dislike disliked poor "
    "incorrect undesirable rejected reject unacceptable not_helpful unhelpful not_good very_bad terrible awful "
    "badwithcomment bad_with_comment unsatisfied unsatisfactory dissatisfied 👎"
)
# True, or false, or one of the words: for the team alone.
_PRIVATE = (
    "private", "is_private", "internal", "is_internal", "internal_note", "is_internal_note", "private_note", "hidden",
    "confidential", "is_note",
)  # fmt: skip
_PUBLIC = ("public", "is_public", "jsd_public")
_KIND = ("visibility", "access")
_MESSAGE_KIND = (*_KIND, "type", "part_type", "message_type", "comment_type", "note_type", "kind", "channel")
_NEGATIVE = re.compile(r"[-\u2212]\s*\d*[.,]?\d+(?:\s*/\s*\d+)?")
# Names of what was preferred, and of what it was preferred to, by how they begin.
_PREFERENCES = (
    ("chosen", "rejected"), ("preferred", "non_preferred"), ("preferred", "dispreferred"), ("better", "worse"),
    ("response_j", "response_k"), ("winner", "loser"),
)  # fmt: skip
_RANKS = ("rank", "ranks", "ranking", "rankings", *_JUDGED, *(f"{name}s" for name in _JUDGED))
_PRIVATE_KINDS = words(
    "private internal note internal_note private_note agent_note admin_note staff_note whisper internal_comment "
    "private_comment internalnote privatenote"
)


def unlearned(thing: dict[str, Any]) -> str | None:
    """Why *thing* (a row or a message, folded) is not to be learned, in the file's own words; None if it may be."""
    if _LOOKED_AT.isdisjoint(thing):  # most rows hold nothing of this
        return None
    for aside in _ASIDE:
        if isinstance(held := thing.get(aside), dict) and (reason := unlearned(folded(held))):
            return reason
    for name in _TEACHES:
        if name in thing and (_is(thing[name], _FALSE) or _is_negative(thing[name])):
            return f"it is marked as not for training ({_said(name, thing[name])})"
    for name in _WORTH:
        value = thing.get(name)
        if _is(value, frozenset({"false", "0", "0.0"})):
            return f"it is marked as a bad answer ({_said(name, value)})"
    for name in _AGAINST:
        if _is(thing.get(name), _TRUE):
            return f"it is marked as a bad answer ({_said(name, thing[name])})"
    for name in _JUDGED:
        value = thing.get(name)
        inside: list[Any] = value if isinstance(value, list) and len(value) == 1 else []
        if isinstance(value, dict):
            inside = [inner for key, inner in folded(value).items() if key in _INSIDE]
        if any(_is_bad(name, judged) for judged in (value, *inside)):
            return f"it is marked as a bad answer ({_said(name, next((i for i in inside if _is_bad(name, i)), value))})"
    return None


def private(thing: dict[str, Any], message: bool) -> bool:
    """Whether *thing* (a message or a row, folded) is for the team alone."""
    if _LOOKED_AT.isdisjoint(thing):
        return False
    return (
        any(isinstance(held := thing.get(aside), dict) and private(folded(held), message) for aside in _ASIDE)
        or any(_is(thing.get(name), _TRUE) for name in _PRIVATE)
        or any(_is(thing.get(name), _FALSE) for name in _PUBLIC)
        or any(
            isinstance(kind := thing.get(name), str) and fold(kind) in _PRIVATE_KINDS
            for name in (_MESSAGE_KIND if message else _KIND)
        )
    )


def _is(value: Any, wanted: frozenset[str]) -> bool:
    if isinstance(value, bool | int | float):
        return str(value).casefold() in wanted
    return isinstance(value, str) and value.strip().casefold() in wanted


def _is_bad(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return _is_negative(value) or (value == 0 and name == "feedback")
    if not isinstance(value, str):
        return False
    word = value.strip()
    if name == "feedback" and len(word.split()) > 3:
        return False  # what somebody wrote
    return _is_negative(word) or word.startswith("👎") or fold(word) in _BAD or word.casefold() == "false"


def _is_negative(value: Any) -> bool:
    """Whether *value* is a number below zero, also one that is written: "-1", "−0.5", "-1/5"."""
    if isinstance(value, str):
        return _NEGATIVE.fullmatch(value.strip()) is not None and re.search("[1-9]", value) is not None
    return isinstance(value, int | float) and value < 0


def _said(name: str, value: Any) -> str:
    return f"{name} is {value if isinstance(value, str) else str(value).casefold()}"[:80]


def prefers(row: dict[str, Any]) -> bool:
    """Whether *row* (folded) holds answers that were preferred to others."""
    return _names_preferences(tuple(row))


@lru_cache(maxsize=1024)
def _names_preferences(names_of: tuple[str, ...]) -> bool:
    return any(
        any(name.startswith(better) for name in names_of) and any(name.startswith(worse) for name in names_of)
        for better, worse in _PREFERENCES
    )


def ranks(row: dict[str, Any], answers: list[Any]) -> bool:
    """Whether *row* (folded) puts its *answers* in an order, or judges each of them, in a list beside them."""
    return len(answers) > 1 and any(
        isinstance(value := row.get(name), list) and len(value) == len(answers) for name in _RANKS
    )


# -- no texts --------------------------------------------------------------------------------------
_PLACEHOLDERS = frozenset(
    {
        "null",
        "none",
        "nan",
        "n/a",
        "#n/a",
        "na",
        "nil",
        "undefined",
        "-",
        "\\n",
        "<noinput>",
        "<na>",
        "(null)",
        "<null>",
        "[null]",
        "<none>",
        "(none)",
        "n.a.",
        "[deleted]",
        "[removed]",
        *("#ref!", "#value!", "#name?", "#null!", "#num!", "#div/0!"),  # a spreadsheet's words for an error
    }
)


def is_placeholder(text: str) -> bool:
    """Whether *text* is no text but a program's word for none."""
    if len(text) >= 40:
        return False
    word = text.strip().casefold()
    return word in _PLACEHOLDERS or (word != "" and not word.strip("-\u2013\u2014"))


# -- pictures, sounds, videos ----------------------------------------------------------------------
_MEDIA_WORDS = {
    "an image": "image images img imgs img_context picture pictures photo photos pixel_values screenshot screenshots "
    "input_image",
    "a sound": "audio audios sound sounds speech input_audio",
    "a video": "video videos vid vids frames input_video",
    "an image or a sound": "media medias multimedia visual",
}
_MEDIA = {word: what for what, listed in _MEDIA_WORDS.items() for word in words(listed)}
_MEDIA_ENDS = ("_url", "_urls", "_path", "_paths", "_file", "_files", "_id", "_ids", "_bytes", "_base64")
_MARK = re.compile(
    r"<\|?/?(?:start_of_|end_of_|begin_of_)?(image|img|picture|photo|audio|sound|speech|video|vid|media)"
    r"(?:[_ -]?(?:\d+|pad|token|soft_token|placeholder|context|start|end|here))?\|?>"
    r"|<\|vision_(?:start|end|pad)\|>|\[(?:image|img|audio|video)(?: ?#?\d+)?\]",
    re.IGNORECASE,
)


def media_in(thing: dict[str, Any]) -> str | None:
    """What *thing* (a row or a message, folded) needs beside its text: "an image", "a sound", "a video"."""
    for name, value in thing.items():
        if value and value != [None] and not (isinstance(value, str) and _is_none(value)):
            what = media_named(name)
            if what is not None and not isinstance(value, bool | int | float):
                return what
    return None


def _is_none(text: str) -> bool:
    return text.strip() in ("", "[]", "{}") or is_placeholder(text)


def media_named(name: str) -> str | None:
    """What a column or a part of a message that is called *name* (folded) holds, if it is no text."""
    if what := _MEDIA.get(name):
        return what
    stem = next((name.removesuffix(end) for end in _MEDIA_ENDS if name.endswith(end)), "")
    return _MEDIA.get(stem)


def refuse_media_marks(text: str) -> None:
    """Raise :class:`RowRejected` if *text* holds a place where a picture, a sound or a video belongs."""
    if found := _MARK.search(text):
        word = (found[1] or "image").casefold()
        raise RowRejected(f"it needs {_MEDIA.get(word, 'an image')} ({found[0][:40]} stands in the text)")


FLAGS = frozenset(
    {*_TEACHES, *_WORTH, *_AGAINST, *_JUDGED, *_PRIVATE, *_PUBLIC, *_KIND}
)  # every name that is looked at here
_LOOKED_AT = frozenset({*FLAGS, *_MESSAGE_KIND, *_ASIDE})
MATTERING = frozenset().union(*names.NAMES_OF.values(), names.CARRIERS, FLAGS)  # of these no row may have two
