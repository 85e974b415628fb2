"""What the makers of a file say of their rows and messages: not to be learned, private, of no worth, or no text.

Every row and every message of every form passes here, whatever program wrote it.
"""

from __future__ import annotations

import re
from typing import Any

from store.importing.names import fold, folded, words
from store.importing.rows import RowRejected

# -- flags -----------------------------------------------------------------------------------------
_FALSE = frozenset({"false", "0", "0.0", "no", "n", "f", "off"})
_TRUE = frozenset({"true", "1", "1.0", "yes", "y", "t", "on"})

# False or 0: not to be learned.
_TEACHES = ("weight", "loss_weight", "loss", "train", "training", "trainable", "train_on_turn", "learn")
_WORTH = ("label", "kto_tag", "desirable")
# A judgement: negative numbers, false, and these words.
_JUDGED = (
    "label", "kto_tag", "rating", "score", "feedback", "thumb", "thumbs", "vote", "votes", "reaction", "annotation",
    "satisfaction", "satisfaction_rating", "user_feedback", "feedback_score", "quality",
)  # fmt: skip
_INSIDE = ("rating", "score", "value", "label", "feedback", "thumbs", "thumb")  # of a judgement that is an object
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
_PRIVATE_KINDS = words(
    "private internal note internal_note private_note agent_note admin_note staff_note whisper internal_comment "
    "private_comment internalnote privatenote"
)


def unlearned(thing: dict[str, Any]) -> str | None:
    """Why *thing* (a row or a message, folded) is not to be learned, in the file's own words; None if it may be."""
    for name in _TEACHES:
        if name in thing and _is(thing[name], _FALSE):
            return f"it is marked as not to be learned ({_said(name, thing[name])})"
    for name in _WORTH:
        value = thing.get(name)
        if _is(value, frozenset({"false", "0", "0.0"})):
            return f"it is marked as a bad answer ({_said(name, value)})"
    for name in _JUDGED:
        value = thing.get(name)
        inside = [inner for key, inner in folded(value).items() if key in _INSIDE] if isinstance(value, dict) else []
        if any(_is_bad(name, judged) for judged in (value, *inside)):
            return f"it is marked as a bad answer ({_said(name, next((i for i in inside if _is_bad(name, i)), value))})"
    return None


def private(thing: dict[str, Any], message: bool) -> bool:
    """Whether *thing* (a message or a row, folded) is for the team alone."""
    return (
        any(_is(thing.get(name), _TRUE) for name in _PRIVATE)
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
        return value < 0 or (value == 0 and name == "feedback")
    if not isinstance(value, str):
        return False
    word = value.strip()
    if name == "feedback" and len(word.split()) > 3:
        return False  # what somebody wrote
    try:
        return float(word) < 0
    except ValueError:
        return word.startswith("👎") or fold(word) in _BAD or word.casefold() == "false"


def _said(name: str, value: Any) -> str:
    return f"{name} is {value if isinstance(value, str) else str(value).casefold()}"[:80]


def prefers(row: dict[str, Any]) -> bool:
    """Whether *row* (folded) holds answers that were preferred to others."""
    return any(name.startswith("rejected") for name in row) and any(name.startswith("chosen") for name in row)


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
    }
)


def is_placeholder(text: str) -> bool:
    """Whether *text* is no text but a program's word for none."""
    return len(text) < 40 and text.strip().casefold() in _PLACEHOLDERS


# -- pictures, sounds, videos ----------------------------------------------------------------------
_MEDIA_WORDS = {
    "an image": "image images img imgs picture pictures photo photos pixel_values screenshot screenshots input_image",
    "a sound": "audio audios sound sounds speech input_audio",
    "a video": "video videos frames input_video",
}
_MEDIA = {word: what for what, listed in _MEDIA_WORDS.items() for word in words(listed)}
_MEDIA_ENDS = ("_url", "_urls", "_path", "_paths", "_file", "_files", "_id", "_ids", "_bytes", "_base64")
_MARK = re.compile(
    r"<\|?/?(image|img|picture|photo|audio|sound|speech|video)(?:[_ -]?(?:\d+|pad|token|placeholder|start|end))?\|?>"
    r"|<\|vision_(?:start|end|pad)\|>|\[(?:image|img|audio|video)\]",
    re.IGNORECASE,
)


def media_in(thing: dict[str, Any]) -> str | None:
    """What *thing* (a row or a message, folded) needs beside its text: "an image", "a sound", "a video"."""
    for name, value in thing.items():
        if value and not (isinstance(value, str) and (not value.strip() or is_placeholder(value))):
            what = media_named(name)
            if what is not None and not isinstance(value, bool | int | float):
                return what
    return None


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


FLAGS = frozenset({*_TEACHES, *_WORTH, *_JUDGED, *_PRIVATE, *_PUBLIC, *_KIND})  # every name that is looked at here
