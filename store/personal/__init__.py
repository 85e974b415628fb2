"""Personal data in what customers and operators wrote: where it stands, and the same text without it.

What counts is what identifies one person: addresses, telephone numbers, cards, accounts, ids, dates of birth, names
where people say them. The shop's own (role addresses such as ``support@``, toll-free and shared-cost numbers, the
street of a shop) does not, nor do order numbers, prices and dates. A bare row of digits is a number of somebody's only
where a word before it says so, or where a check digit makes chance unlikely. ``python -m benchmarks personal``
measures it; docs/personal-data.md has the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from store.personal.finding import KINDS, MANY, NAMES, Finding, Kind
from store.personal.mail import emails
from store.personal.numbers import accounts, cards, ibans, ids, passports
from store.personal.people import birthdates, names
from store.personal.phones import phones
from store.personal.places import addresses, ips

__all__ = ["KINDS", "MANY", "NAMES", "Finding", "Kind", "find", "kinds", "redact"]

_FULL_WIDTH = str.maketrans("０１２３４５６７８９＠＋－（）．　", "0123456789@+-(). ")
# ASCII throughout: a letter of another script is no part of a number or an address that stands beside it.
# Enough digits for a number of somebody's, letters between them or not; or the colon of an address of a machine.
_NUMBERS = re.compile(r"\d(?:[^\d\n]{0,3}\d){4}|\d[\dA-Za-z]*:", re.ASCII)
_DIGIT = re.compile(r"\d", re.ASCII)


def find(text: str, lang: str = "en") -> list[Finding]:
    """Every piece of personal data in *text*, in order and without overlaps. *lang* says where telephone numbers
    without a country's code are from, beside what the text's own words say."""
    if not text.isascii():
        text = text.translate(_FULL_WIDTH)
    found: list[Finding] = []

    def keep(findings: Iterable[Finding]) -> None:
        for finding in findings:
            if all(finding.end <= other.start or finding.start >= other.end for other in found):
                found.append(finding)

    if "@" in text:
        keep(emails(text))
    if _DIGIT.search(text) is not None:
        keep(birthdates(text))
        if _NUMBERS.search(text) is not None:
            for look in (ibans, cards, ids, passports, accounts, ips):
                keep(look(text))
            keep(phones(text, lang))
        keep(addresses(text))
    keep(names(text))
    return sorted(found)


def kinds(texts: Iterable[str], lang: str = "en") -> tuple[Kind, ...]:
    """Which kinds of personal data *texts* hold, each once, in the order of :data:`KINDS`."""
    seen = {finding.kind for text in texts for finding in find(text, lang)}
    return tuple(kind for kind in KINDS if kind in seen)


def redact(text: str, lang: str = "en") -> str:
    """*text* with a placeholder such as ``[email]`` for each finding, until there is none."""
    while found := find(text, lang):  # each round takes digits, capitals, an @ or a name away, so there is a last one
        for finding in reversed(found):
            text = f"{text[: finding.start]}[{finding.kind}]{text[finding.end :]}"
    return text
