"""Personal data in what customers and operators wrote: where it stands, and the same text without it.

What counts is what identifies one person: addresses, telephone numbers, cards, accounts, national ids. The shop's own
(role addresses such as ``support@``, toll-free and shared-cost numbers) does not, nor do order numbers, prices and
dates. A bare row of digits is a telephone number or a national id only where a word before it says so, or where a check
digit makes chance unlikely. Measured on six openly licensed sets without a customer's data (25,995 pairs of question
and answer, English and Chinese): no pair is flagged (``tests/store/test_personal.py`` allows one in a thousand).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["email", "phone", "card", "iban", "id"]
KINDS: tuple[Kind, ...] = get_args(Kind)
NAMES: dict[Kind, str] = {
    "email": "e-mail address",
    "phone": "phone number",
    "card": "card number",
    "iban": "IBAN",
    "id": "national id",
}
MANY = {kind: f"{name}es" if name.endswith("s") else f"{name}s" for kind, name in NAMES.items()}

# Without one of these there is nothing to find: most texts are done here.
_FULL_WIDTH = str.maketrans("０１２３４５６７８９＠＋－（）．　", "0123456789@+-(). ")
# ASCII throughout: a letter of another script is no part of a number or an address that stands beside it.
_WORTH_A_LOOK = re.compile(r"@|\d(?:[ ().\-/]{0,3}\d){5}|[A-Za-z]{6}\d\d[A-Za-z]")

_EMAIL = re.compile(r"(?<![\w.+\-%])[\w.+\-%]{1,64}@(?:[\w\-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w@])", re.ASCII)
# Who is written to at a role address is the shop, or nobody.
_ROLES = re.compile(
    r"(?:(?:customer|client|user|tech|online|web|shop|store|guest)[._-]?)?(?:support|service|services|care|help|"
    r"helpdesk|info|contact|hello|hi|sales|shop|store|orders?|returns?|refunds?|billing|accounts?|payments?|invoices?|"
    r"no-?reply|do-?not-?reply|admin|administrator|office|team|press|media|privacy|legal|security|abuse|jobs|careers|"
    r"webmaster|postmaster|feedback|enquiries|inquiries|reservations?|bookings?|marketing|newsletter|news|mail|"
    r"reception|complaints?|example|user|username|name|you|your|youremail|your\.?name|email)\d{0,2}",
    re.IGNORECASE,
)
_CARD = re.compile(r"(?<![\w.,+\-])\d(?:[ \-]?\d){12,18}(?![\w\-]|[.,]\d)", re.ASCII)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ ]?[A-Za-z0-9]){11,30}")
# Who issues what, by the first digits and the length; rows of digits that only pass the check digit are many.
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01])\d{13}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|"
    r"35\d{14}|6(?:011|5\d\d|4[4-9]\d)\d{12}|62\d{14,17}"
)
_DIGITS = re.compile(r"(?<![\w.,#/\-])[+(]?\d[\d ().\-/]{5,22}\d(?![\w\-/]|[.,]\d)", re.ASCII)
_NOT_PHONE = re.compile(  # dates, addresses of machines, and numbers that stand for any number
    r"\d{1,3}(?:\.\d{1,3}){3}$|"
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?!\d)|"
    r"^\D*123\D*456\D*789"
)
_PHONE_WORD = re.compile(
    r"phone|\btel\b|\bcall(?:ed|ing)?\b|\bcell\b|\bmobile\b|\bsms\b|\btext(?:ed)? me\b|whats ?app|\bring me\b|"
    r"\breach me\b|"
    r"telefon|handy|t[ée]l[ée]phone|portable|tel[ée]fono|m[óo]vil|cellulare|"
    r"电话|手机|致电|联系方式|電話|携帯|전화|휴대",
    re.IGNORECASE,
)
_ID_WORD = re.compile(
    r"\bssn\b|social security|national (?:id|insurance)|\bbsn\b|steuer-?id|identifikationsnummer|personnummer|pesel|"
    r"\bcpf\b|aadhaar|passport|\bid (?:card|number)|身份证|マイナンバー|주민등록",
    re.IGNORECASE,
)
NEAR = 40  # characters before a row of digits in which a word says what it is

# Shapes of national ids, and what in python-stdnum knows their check digits. Those marked True are plain rows of digits
# that order numbers look like too: they need a word before them.
_IDS = tuple((re.compile(shape, re.ASCII), name, needs_word) for shape, name, needs_word in (
    (r"(?<![\w\-])\d{3}-\d{2}-\d{4}(?![\w\-])", "us.ssn", False),
    (r"(?<!\w)\d{17}[\dXx](?!\w)", "cn.ric", False),
    (r"(?<!\w)[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z](?!\w)", "it.codicefiscale", False),
    (r"(?<!\w)[12] ?\d{2} ?\d{2} ?\d{2} ?\d{3} ?\d{3} ?\d{2}(?!\w)", "fr.nir", False),
    (r"(?<!\w)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)", "br.cpf", False),
    (r"(?<!\w)\d{8}-?[A-HJ-NP-TV-Z](?!\w)", "es.dni", False),
    (r"(?<!\w)[XYZ]\d{7}-?[A-HJ-NP-TV-Z](?!\w)", "es.nie", False),
    (r"(?<!\w)\d{4} \d{4} \d{4}(?! ?\d)(?!\w)", "in_.aadhaar", True),
    (r"(?<!\w)\d{2} ?\d{3} ?\d{3} ?\d{3}(?!\w)", "de.idnr", True),
    (r"(?<!\w)\d{9}(?!\w)", "nl.bsn", True),
    (r"(?<!\w)\d{11}(?!\w)", "pl.pesel", True),
    (r"(?<!\w)\d{6}-?\d{4}(?!\w)", "se.personnummer", True),
))  # fmt: skip
_NINO = re.compile(
    r"(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)",
    re.ASCII,
)
# Where a number without a country's code could be from; a language is spoken in more countries than one.
_REGIONS = {
    "en": ("US", "GB"), "zh": ("CN",), "de": ("DE",), "fr": ("FR",), "es": ("ES",), "it": ("IT",), "nl": ("NL",),
    "pt": ("PT", "BR"), "ja": ("JP",), "ko": ("KR",), "pl": ("PL",), "sv": ("SE",),
}  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Personal data between two places of a text."""

    start: int
    end: int
    kind: Kind


def find(text: str, lang: str = "en") -> list[Finding]:
    """Every piece of personal data in *text*, in order and without overlaps. *lang* says where telephone numbers
    without a country's code are from."""
    text = text.translate(_FULL_WIDTH)
    if _WORTH_A_LOOK.search(text) is None:
        return []
    found: list[Finding] = []
    for look in (_emails, _ibans, _cards, _ids, lambda text: _phones(text, lang)):
        for finding in look(text):
            if all(finding.end <= other.start or finding.start >= other.end for other in found):
                found.append(finding)
    return sorted(found)


def kinds(texts: Iterable[str], lang: str = "en") -> tuple[Kind, ...]:
    """Which kinds of personal data *texts* hold, each once, in the order of :data:`KINDS`."""
    seen = {finding.kind for text in texts for finding in find(text, lang)}
    return tuple(kind for kind in KINDS if kind in seen)


def redact(text: str, lang: str = "en") -> str:
    """*text* with a placeholder such as ``[email]`` for each finding, until there is none."""
    while found := find(text, lang):  # each round takes digits or an @ away, so there is a last one
        for finding in reversed(found):
            text = f"{text[: finding.start]}[{finding.kind}]{text[finding.end :]}"
    return text


def _emails(text: str) -> Iterator[Finding]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            if _ROLES.fullmatch(match[0].partition("@")[0]) is None:
                yield Finding(match.start(), match.end(), "email")


def _ibans(text: str) -> Iterator[Finding]:
    for match in _IBAN.finditer(text):
        whole = match[0]
        # What follows may be words: the longest beginning that is an account counts.
        for end in range(len(whole), 14, -1):
            if whole[end - 1] != " " and not whole[end : end + 1].isalnum() and _is_iban(whole[:end]):
                yield Finding(match.start(), match.start() + end, "iban")
                break


def _is_iban(text: str) -> bool:
    compact = text.replace(" ", "").upper()
    if not 15 <= len(compact) <= 34 or int(_base36(compact[4:] + compact[:4])) % 97 != 1:
        return False
    from stdnum import iban

    return bool(iban.is_valid(compact, check_country=False))  # it knows each country's length and structure


def _base36(text: str) -> str:
    return "".join(str(int(character, 36)) for character in text)


def _cards(text: str) -> Iterator[Finding]:
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if _ISSUED.fullmatch(digits) and len(set(digits)) > 1 and _luhn(digits):
            yield Finding(match.start(), match.end(), "card")


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _ids(text: str) -> Iterator[Finding]:
    for pattern, name, needs_word in _IDS:
        for match in pattern.finditer(text):
            if (not needs_word or _said_before(text, match.start(), _ID_WORD)) and _stdnum(name)(match[0]):
                yield Finding(match.start(), match.end(), "id")
    for match in _NINO.finditer(text):
        yield Finding(match.start(), match.end(), "id")


def _stdnum(name: str) -> Callable[[str], bool]:
    from importlib import import_module

    check: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid
    return check


def _phones(text: str, lang: str) -> Iterator[Finding]:
    for match in _DIGITS.finditer(text):
        number = match[0].rstrip(" ().-/")
        digits = re.sub(r"\D", "", number)
        if not 7 <= len(digits) <= 15 or _NOT_PHONE.search(number):
            continue
        if number.startswith("+"):
            regions: tuple[str | None, ...] = (None,)
        elif (
            _said_before(text, match.start(), _PHONE_WORD)
            or _grouped(number)
            or (lang == "zh" and len(digits) == 11 and digits[0] == "1")
        ):
            regions = _REGIONS.get(lang, ("US", "GB"))
        else:
            continue
        if any(_is_phone(number, region) for region in regions):
            yield Finding(match.start(), match.start() + len(number), "phone")


def _grouped(number: str) -> bool:
    """Whether *number* is written in groups, as people write telephone numbers: two signs between digits at least."""
    return len(re.findall(r"[^\d]+", number.strip("()+"))) >= 2


def _is_phone(number: str, region: str | None) -> bool:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return False
    if not phonenumbers.is_valid_number(parsed):
        return False
    kind = phonenumbers.PhoneNumberType
    shops = (kind.TOLL_FREE, kind.SHARED_COST, kind.PREMIUM_RATE, kind.UAN)
    return phonenumbers.number_type(parsed) not in shops


def _said_before(text: str, place: int, word: re.Pattern[str]) -> bool:
    return word.search(text, max(0, place - NEAR), place) is not None
