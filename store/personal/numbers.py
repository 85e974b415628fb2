"""Cards, accounts, passports and national ids: numbers with check digits, or with a word before them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from store.personal.finding import Finding, Kind
from store.personal.labels import label_before

_CARD = re.compile(r"(?<![\w.,+\-])\d(?:[ \-]?\d){12,18}(?![\w\-]|[.,]\d)", re.ASCII)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ \-]?[A-Za-z0-9]){11,30}")
# Who issues what, by the first digits and the length; rows of digits that only pass the check digit are many.
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|"
    r"35\d{14}|6(?:011|5\d\d|4[4-9]\d)\d{12}|62\d{14,17}"
)
# Shapes of national ids, and what in python-stdnum knows their check digits. Those marked True are plain rows of digits
# that order numbers look like too: they need a word before them.
_IDS = tuple((re.compile(shape, re.ASCII), name, needs_word) for shape, name, needs_word in (
    (r"(?<![\w\-])\d{3}-\d{2}-\d{4}(?![\w\-])", "us.ssn", False),
    (r"(?<![\w\-])9\d{2}-\d{2}-\d{4}(?![\w\-])", "us.itin", False),
    (r"(?<!\w)\d{17}[\dXx](?!\w)", "cn.ric", False),
    (r"(?<!\w)[A-Za-z]{6}\d{2}[A-Za-z]\d{2}[A-Za-z]\d{3}[A-Za-z](?!\w)", "it.codicefiscale", False),
    (r"(?<!\w)[12] ?\d{2} ?\d{2} ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}(?!\w)", "fr.nir", False),
    (r"(?<!\w)\d{3}\.\d{3}\.\d{3}-\d{2}(?!\w)", "br.cpf", False),
    (r"(?<!\w)\d{2}\.?\d{3}\.?\d{3}-?[A-HJ-NP-TV-Z](?!\w)", "es.dni", False),
    (r"(?<!\w)[XYZ]-?\d{7}-?[A-HJ-NP-TV-Z](?!\w)", "es.nie", False),
    (r"(?i)(?<!\w)\d{2}\.?\d{3}\.?\d{3} ?-?[A-HJ-NP-TV-Z](?!\w)", "es.dni", True),
    (r"(?i)(?<!\w)[XYZ]-?\d{7} ?-?[A-HJ-NP-TV-Z](?!\w)", "es.nie", True),
    (r"(?<!\w)756\.\d{4}\.\d{4}\.\d{2}(?!\w)", "ch.ssn", False),
    (r"(?<!\w)[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z0-9]\d(?!\w)", "mx.curp", False),
    (r"(?<!\w)\d{6}-[1-8]\d{6}(?!\w)", "kr.rrn", False),
    (r"(?<!\w)\d{6}[-+A]\d{3}[0-9A-FHJ-NPR-Y](?!\w)", "fi.hetu", True),
    (r"(?<!\w)\d{8} ?\d ?[A-Z]{2}\d(?!\w)", "pt.cc", False),
    (r"(?<!\w)\d{4} ?\d{4} ?\d{4}(?! ?\d)(?!\w)", "in_.aadhaar", True),
    (r"(?<!\w)[A-Z]{5}\d{4}[A-Z](?!\w)", "in_.pan", True),
    (r"(?<!\w)\d{2} ?\d{3} ?\d{3} ?\d{3}(?!\w)", "de.idnr", True),
    (r"(?<!\w)\d{4}[.\- ]?\d{2}[.\- ]?\d{3}(?!\w)", "nl.bsn", True),
    (r"(?<!\w)\d{3}[. ]?\d{3}[. ]?\d{3}(?!\w)", "nl.bsn", True),
    (r"(?<!\w)\d{11}(?!\w)", "pl.pesel", True),
    (r"(?<!\w)\d{11}(?!\w)", "br.cpf", True),
    (r"(?<!\w)\d{3} ?\d{3} ?\d{3}(?!\w)", "pt.nif", True),
    (r"(?<!\w)\d{3} ?\d{3} ?\d{3}(?!\w)", "ca.sin", True),
    (r"(?<!\w)\d{3}[ \-]?\d{3}[ \-]?\d{4}(?!\w)", "gb.nhs", True),
    (r"(?<!\w)\d{2}\.?\d{2}\.?\d{2}[ \-]?\d{3}[.\- ]?\d{2}(?!\w)", "be.nn", True),
    (r"(?<!\w)\d{4} ?\d{6}(?!\w)", "at.vnr", True),
    (r"(?<!\w)\d{6}-?\d{4}(?!\w)", "dk.cpr", True),
    (r"(?<!\w)(?:\d\d)?\d{6}-?\d{4}(?!\w)", "se.personnummer", True),
    (r"(?<!\w)\d{1,2}\.?\d{3}\.?\d{3}-?[\dkK](?!\w)", "cl.rut", True),
    (r"(?<!\w)\d{4} ?\d{4} ?\d{4}(?!\w)", "jp.in_", True),
))  # fmt: skip
# Ids whose check digit nobody publishes, or that have none.
_PLAIN_IDS = tuple((re.compile(shape, re.ASCII), word) for shape, word in (
    (r"(?<!\w)(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)", ""),
    (r"(?<!\w)\d{2} ?\d{6} ?[A-Z] ?\d{3}(?!\w)", r"versicherung"),
    (r"(?<!\w)(?=[A-Z0-9]*\d)[CFGHJKLMNPRTVWXYZ0-9]{9}\d?(?!\w)", r"ausweis|f[üu]hrerschein"),
    (r"(?<!\w)[A-Z]{2} ?\d{5} ?[A-Z]{2}(?!\w)", r"carta d.identit"),
    (r"(?<!\w)[A-Z]{2,3} ?\d{6,7}(?!\w)", r"identit|dow[óo]d"),
    (r"(?<!\w)\d{12}(?!\w)", r"carte (?:nationale )?d.identit"),
    (r"(?<!\w)(?=[A-Z0-9\-]*\d{4})[A-Z0-9][A-Z0-9\-]{5,15}(?!\w)", r"licen[cs]e|id[- ]?card|identity card"),
))  # fmt: skip
COUNTRIES = frozenset(name.partition(".")[0].strip("_") for _, name, _ in _IDS)
# Letters and digits with a gap of one sign between them at most: dozens of patterns need not look at the rest.
_RUN = re.compile(r"(?<![A-Za-z0-9])(?:[A-Za-z]{1,8}[ .\-]?)?\d(?:[A-Za-z0-9]|[ .+\-](?=[A-Za-z0-9]))*", re.ASCII)
_PASSPORT = re.compile(
    r"(?<![\w\-])(?=(?:[A-Z]*\d){4})(?:[A-Z0-9]{7,9}|[A-Z]{1,2} \d{6,7})(?![\w\-])", re.ASCII | re.IGNORECASE
)
# A noun between the word and the number: "Passport Leisure offer, number ..." is no passport. Nouns for "number" are none.
_OTHER_NOUN = re.compile(r"\b(?!N(?:o|r|um\w*)\b)[A-ZÀ-ÖØ-Þ][^\W\d_]{2,}")
_ACCOUNT = re.compile(r"(?<![\w\-+.,])\d(?:[ \-/]?\d){5,25}(?![\w\-]|[.,]\d)", re.ASCII)
# The word is that of any account, also of one to log in with: banks have long numbers.
_CHINESE_ACCOUNT = re.compile(r"(?:账|帐)[号户][:：是为]* ?(\d(?: ?\d){11,18})(?!\d)", re.ASCII)
_SPANISH = re.compile(r"(?<!\w)\d{4}[ \-]\d{4}[ \-]\d{2}[ \-]\d{10}(?!\w)", re.ASCII)
_POLISH = re.compile(r"(?<!\w)\d{2}(?: \d{4}){6}(?!\w)|(?<!\w)\d{26}(?!\w)", re.ASCII)


def ibans(text: str) -> Iterator[Finding]:
    """Accounts by their international number, of every country."""
    for match in _IBAN.finditer(text):
        whole = match[0]
        # What follows may be words: the longest beginning that is an account counts.
        for end in range(len(whole), 14, -1):
            if whole[end - 1] not in " -" and not whole[end : end + 1].isalnum() and _is_iban(whole[:end]):
                yield Finding(match.start(), match.start() + end, "iban")
                break


def _is_iban(text: str) -> bool:
    compact = re.sub("[ -]", "", text).upper()
    if not 15 <= len(compact) <= 34 or int(_base36(compact[4:] + compact[:4])) % 97 != 1:
        return False
    from stdnum import iban

    return bool(iban.is_valid(compact, check_country=False))  # it knows each country's length and structure


def _base36(text: str) -> str:
    return "".join(str(int(character, 36)) for character in text)


def cards(text: str) -> Iterator[Finding]:
    """Cards, by who issues them and the check digit."""
    for match in _CARD.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        if _ISSUED.fullmatch(digits) and len(set(digits)) > 1 and _luhn(digits):
            if label_before(text, match.start())[0] == "other":
                continue  # one parcel's number in ten passes the check digit
            yield Finding(match.start(), match.end(), "card")


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def ids(text: str) -> Iterator[Finding]:
    """National ids, by check digit or by a word before them."""
    runs = [run.span() for run in _RUN.finditer(text) if sum(map(str.isdigit, run[0])) >= 4]
    for pattern, name, needs_word in _IDS:
        for match in _within(pattern, text, runs):
            label = label_before(text, match.start())[0]
            if (label == "id" if needs_word else label != "other") and _stdnum(name)(match[0]):
                yield Finding(match.start(), match.end(), "id")
    for pattern, word in _PLAIN_IDS:
        for match in _within(pattern, text, runs):
            label, said = label_before(text, match.start())
            if (label == "id" and re.search(word, said, re.IGNORECASE)) if word else label != "other":
                yield Finding(match.start(), match.end(), "id")


def _within(pattern: re.Pattern[str], text: str, runs: list[tuple[int, int]]) -> Iterator[re.Match[str]]:
    return (match for start, end in runs for match in pattern.finditer(text, start, end))


def _stdnum(name: str) -> Callable[[str], bool]:
    from importlib import import_module

    if name == "cn.ric":
        return _is_chinese
    check: Callable[[str], bool] = import_module(f"stdnum.{name}").is_valid
    # Some countries' checks know no dots.
    return lambda number: check(number.replace(".", ""))


def _is_chinese(number: str) -> bool:
    """Whether *number* has a day of birth and the right check digit: its district may be gone since."""
    from stdnum.cn import ric
    from stdnum.exceptions import ValidationError

    try:
        ric.get_birth_date(number)
        return bool(ric.calc_check_digit(number.upper()) == number[-1].upper())
    except ValidationError:
        return False


def passports(text: str) -> Iterator[Finding]:
    """Passport numbers: what follows the word."""
    return _labelled(text, _PASSPORT, "passport")


def accounts(text: str) -> Iterator[Finding]:
    """Accounts by a national number: what follows the word; Spain's and Poland's have check digits."""
    for pattern, prefix in ((_SPANISH, ""), (_POLISH, "PL")):
        for match in pattern.finditer(text):
            compact = re.sub(r"\D", "", match[0])
            if _is_iban(prefix + compact) if prefix else _stdnum("es.ccc")(compact):
                yield Finding(match.start(), match.end(), "account")
    for match in _CHINESE_ACCOUNT.finditer(text):
        yield Finding(match.start(1), match.end(1), "account")
    yield from _labelled(text, _ACCOUNT, "account")


def _labelled(text: str, shape: re.Pattern[str], kind: Kind) -> Iterator[Finding]:
    for match in shape.finditer(text):
        label, said = label_before(text, match.start())
        if label == kind and not _OTHER_NOUN.search(
            text, text.rindex(said, 0, match.start()) + len(said), match.start()
        ):
            yield Finding(match.start(), match.end(), kind)
