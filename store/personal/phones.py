"""Telephone numbers: in every country with its code, and without it where words or language say the country."""

from __future__ import annotations

import re
from collections.abc import Iterator

from store.personal.finding import Finding
from store.personal.labels import guess, label_before, phone_languages

_DIGITS = re.compile(r"(?<![\w.,#/\-+])(?:\+|\(\+?)?\d[\d ().\-/]{5,22}\d(?![\w\-/]|[.,]\d)", re.ASCII)
_NOT_PHONE = re.compile(  # dates, addresses of machines, and numbers that stand for any number
    r"^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.|$)){4}$|"
    r"(?<!\d)\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)|(?<!\d)\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d(?!\d)|"
    r"^\d{1,2}([-/.])\d{1,2}\1\d\d(?:\s|$)|"
    r"^\D*123\D*456\D*789"
)
# Where a number without a country's code could be from; a language is spoken in more countries than one.
_REGIONS = {
    "en": ("US", "CA", "GB", "IE"), "zh": ("CN",), "de": ("DE", "AT", "CH"), "fr": ("FR", "BE", "CH"), "es": ("ES", "MX"),
    "it": ("IT",), "nl": ("NL", "BE"), "pt": ("PT", "BR"), "ja": ("JP",), "ko": ("KR",), "pl": ("PL",), "sv": ("SE",),
}  # fmt: skip
# Who writes a number without its country's code begins it with 0 there; without that any row of digits would do.
_TRUNK = frozenset({"GB", "IE", "DE", "AT", "CH", "FR", "BE", "NL", "JP", "KR", "SE"})
_NORTH_AMERICAN = re.compile(r"(?:1[ .\-]?)?(?:\(\d{3}\) ?|\d{3}[.\- ])\d{3}[.\- ]\d{4}")
_SAID_AFTER = re.compile(
    r"\W{0,3}(?:is|ist|est|es|è) (?:my|meine|mon|mi|il mio) (?:phone|cell|mobile|num|telefon|handy|tel)|\W{1,3}(?:anrufen|zurückrufen|melden)\b",
    re.I,
)


def phones(text: str, lang: str) -> Iterator[Finding]:
    """Telephone numbers but the shop's own kind (toll-free, shared cost)."""
    guessed: tuple[str, ...] | None = None
    for match in _DIGITS.finditer(text):
        number = match[0].rstrip(" ().-/")
        digits = re.sub(r"\D", "", number)
        if not 7 <= len(digits) <= 15 or _NOT_PHONE.search(number):
            continue
        label, word = label_before(text, match.start())
        if label not in (None, "phone", "id"):
            continue
        told = label == "phone" or _SAID_AFTER.match(text, match.start() + len(number)) is not None
        end = match.start() + len(number)
        if number.startswith(("+", "(+", "00")):
            abroad = re.sub(r"^\(?(?:\+|00)", "+", number.replace("(0)", ""))
            if (told or number[0] != "0" or _groups(number) >= 2) and _is_phone(abroad, None):
                yield Finding(match.start(), end, "phone")
                continue
        if not (told or _groups(number) >= 1 or digits[0] == "1"):
            continue
        if guessed is None:
            guessed = guess(text)
        said = phone_languages(word)
        langs = [lang, *guessed, *said]
        if told and not (guessed and said):  # "Tel. 0171 ...": the word is that of many languages
            langs += _REGIONS
        regions = dict.fromkeys(region for one in langs for region in _REGIONS.get(one, ()))
        if any(_is_local(number, digits, region, told) for region in regions or ("US", "GB")):
            yield Finding(match.start(), end, "phone")


def _is_local(number: str, digits: str, region: str, told: bool) -> bool:
    """Whether *number* is one in *region* as people there write it; *told*: a word says that it is one."""
    if region in _TRUNK and not number.startswith(("0", "(0")):
        return False
    if not told:
        if region in ("US", "CA"):
            shaped = _NORTH_AMERICAN.fullmatch(number) is not None
        elif region == "CN":
            shaped = (len(digits) == 11 and digits[0] == "1") or (digits[0] == "0" and _groups(number) >= 1)
        elif region in _TRUNK:
            shaped = _groups(number) >= 2 or (_groups(number) == 1 and region in ("DE", "AT") and len(digits) >= 10)
        else:
            shaped = region == "IT" and digits[0] == "0" and _groups(number) >= 1
        if not shaped:
            return False
    return _is_phone(number, region)


def _groups(number: str) -> int:
    """How many gaps stand between the digits of *number*."""
    return len(re.findall(r"[^\d]+", number.strip("()+")))


def _is_phone(number: str, region: str | None) -> bool:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    if not (
        phonenumbers.is_valid_number(parsed)
        if region is None
        else phonenumbers.is_valid_number_for_region(parsed, region)
    ):
        return False
    kind = phonenumbers.PhoneNumberType
    shops = (kind.TOLL_FREE, kind.SHARED_COST, kind.PREMIUM_RATE, kind.UAN)
    return phonenumbers.number_type(parsed) not in shops
