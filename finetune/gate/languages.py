"""The language an answer is scored in, and the tokenizer that BLEU needs for it.

sacrebleu's usual tokenizer, 13a, parts words at spaces and knows the punctuation of ASCII alone. So:

- Chinese: ``zh``.
- Japanese and Korean: MeCab's words where it is installed, else ``char``. Offline that is right for both: Japanese has
  no spaces, and a Korean word carries its particles, so that with ``intl`` one other particle loses the whole word.
- Thai, Lao, Khmer, Burmese, Tibetan: ``char``. They have no spaces between words; by 13a a sentence that is off by one
  word has a BLEU of 0.
- Every other script but Latin: ``intl``, which knows the punctuation of all of Unicode (a danda, an Arabic comma, an
  Armenian full stop), so that it does not stick to the word before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from store.text import detect_language

_CJK = {"zh": "zh", "ja": "ja-mecab", "ko": "ko-mecab"}
_ALIASES = {"zho": "zh", "chi": "zh", "cmn": "zh", "yue": "zh", "chinese": "zh"}
_ALIASES |= {"jpn": "ja", "jp": "ja", "japanese": "ja", "kor": "ko", "kr": "ko", "korean": "ko"}
_ALIASES |= {"eng": "en", "english": "en", "": "en", "und": "en"}
_ALIASES |= {"tha": "th", "thai": "th", "lao": "lo", "khm": "km", "khmer": "km", "mya": "my", "bur": "my"}
_ALIASES |= {"burmese": "my", "myanmar": "my", "ara": "ar", "arabic": "ar", "hin": "hi", "hindi": "hi"}
_ALIASES |= {"hye": "hy", "arm": "hy", "armenian": "hy", "amh": "am", "amharic": "am", "ell": "el", "gre": "el"}
_ALIASES |= {"greek": "el", "rus": "ru", "russian": "ru", "fas": "fa", "per": "fa", "persian": "fa", "heb": "he"}
SHARE = 5  # a script decides if it has a fifth of the letters: one foreign name changes nothing


@dataclass(frozen=True, slots=True)
class Script:
    """A script: its ``letters``, the ``languages`` written in it (the first stands for all), and its tokenizer."""

    letters: re.Pattern[str]
    languages: tuple[str, ...]
    tokenizer: str


def _script(tokenizer: str, blocks: str, languages: str) -> Script:
    return Script(re.compile(f"[{blocks}]"), tuple(languages.split()), tokenizer)


SCRIPTS = (
    _script("char", "\u0e00-\u0e7f", "th"),
    _script("char", "\u0e80-\u0eff", "lo"),
    _script("char", "\u1780-\u17ff\u19e0-\u19ff", "km"),
    _script("char", "\u1000-\u109f\ua9e0-\ua9ff\uaa60-\uaa7f", "my shn"),
    _script("char", "\u0f00-\u0fff", "bo dz"),
    _script("intl", "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc", "ar fa ur ps sd ckb ku ug ks"),
    _script("intl", "\u0590-\u05ff\ufb1d-\ufb4f", "he yi iw"),
    _script("intl", "\u0900-\u097f\ua8e0-\ua8ff", "hi mr ne sa mai kok bho doi brx"),
    _script("intl", "\u0980-\u09ff", "bn as mni"),
    _script("intl", "\u0a00-\u0a7f", "pa"),
    _script("intl", "\u0a80-\u0aff", "gu"),
    _script("intl", "\u0b00-\u0b7f", "or"),
    _script("intl", "\u0b80-\u0bff", "ta"),
    _script("intl", "\u0c00-\u0c7f", "te"),
    _script("intl", "\u0c80-\u0cff", "kn"),
    _script("intl", "\u0d00-\u0d7f", "ml"),
    _script("intl", "\u0d80-\u0dff", "si"),
    _script("intl", "\u1200-\u139f\u2d80-\u2ddf\uab00-\uab2f", "am ti"),
    _script("intl", "\u0530-\u058f\ufb13-\ufb17", "hy"),
    _script("intl", "\u0370-\u03ff\u1f00-\u1fff", "el"),
    _script("intl", "\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f", "ru uk be bg mk sr kk ky tg tt ba mn"),
    _script("intl", "\u10a0-\u10ff\u1c90-\u1cbf\u2d00-\u2d2f", "ka"),
    _script("intl", "\u0780-\u07bf", "dv"),
    _script("intl", "\u1800-\u18af", "mvf"),
)
_OF = {language: script.tokenizer for script in SCRIPTS for language in script.languages} | _CJK


def tokenizer_name(lang: str) -> str:
    """The name of sacrebleu's tokenizer for the language *lang*."""
    return _OF.get(lang, "13a")


def language_of(lang: str | None, target: str) -> str:
    """The language an answer is judged in: a two-letter code where there is one.

    The script of *target* overrules a label that can't be right, or is missing: Chinese or Thai scored as English has a
    BLEU of 0 whatever it says. Regions fold into their language ("zh-CN" is "zh").
    """
    code = (lang or "").strip().casefold().replace("_", "-").split("-")[0]
    code = _ALIASES.get(code, code)
    if (cjk := detect_language(target)) != "en":
        return code if code in _CJK else cjk
    script = _script_of(target)
    if script is not None and code not in script.languages:
        return script.languages[0]
    return code


def _script_of(text: str) -> Script | None:
    """The script that most of *text* is written in, of those that need a tokenizer of their own."""
    if text.isascii():
        return None
    counts = [len(script.letters.findall(text)) for script in SCRIPTS]
    most = max(counts)
    letters = sum(character.isalpha() for character in text)
    return SCRIPTS[counts.index(most)] if most and most * SHARE >= letters else None
