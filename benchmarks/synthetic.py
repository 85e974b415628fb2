"""Messages to a shop with and without personal data, in nine languages: templates of benchmarks/messages, in them
people, streets and numbers that faker made up, written in the ways in which people write them. The set ``development``
is for mending the rules; nobody looks at ``held-out`` but to measure."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import phonenumbers
from faker import Faker

from store.personal import Kind

SETS = ("development", "held-out")
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "pl", "zh")
LOCALES = {
    "en": ("en_US", "en_GB"), "de": ("de_DE", "de_AT"), "fr": ("fr_FR",), "es": ("es_ES", "es_MX"), "it": ("it_IT",),
    "nl": ("nl_NL",), "pt": ("pt_PT", "pt_BR"), "pl": ("pl_PL",), "zh": ("zh_CN",),
}  # fmt: skip
FOLDER = Path(__file__).with_name("messages")
# What a template's {word} is; the words that are not here stand for things.
_PERSONAL: dict[str, Kind] = {
    "name": "name", "first": "name", "last": "name", "phone": "phone", "email": "email", "iban": "iban", "card": "card",
    "id": "id", "passport": "passport", "account": "account", "address": "address", "address2": "address",
    "birth": "birthdate", "ip": "ip",
}  # fmt: skip
_WORD = re.compile(r"\{(\w+)(:lower)?\}")
_TRIES = 5000  # of a number whose check digits must be right
_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "pt": "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "pl": "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A text, and where which personal data stands in it: between two places."""

    text: str
    data: tuple[tuple[int, int, Kind], ...]


def templates(name: str, lang: str) -> tuple[list[str], list[str]]:
    """The templates of a set: those with somebody in them, and those without."""
    texts = [text.strip("\n") for text in re.split(r"(?m)^%$", (FOLDER / name / f"{lang}.txt").read_text("utf-8"))]
    with_people = [text for text in texts if any(match[1] in _PERSONAL for match in _WORD.finditer(text))]
    return with_people, [text for text in texts if text not in with_people]


def messages(name: str, lang: str, seed: int, each: int = 20, count: int = 200) -> list[Message]:
    """At least *count* messages of a set, half of them without anybody, and *each* of every kind that the set has."""
    people, things = templates(name, lang)
    maker = Maker(lang, f"{name} {seed}")
    per_round = Counter(
        _PERSONAL[match[1]] for text in people for match in _WORD.finditer(text) if match[1] in _PERSONAL
    )
    rounds = max(-(-each // min(per_round.values())), -(-count // (2 * len(people))))
    made = [maker.fill(text) for _ in range(rounds) for text in people]
    return made + [maker.fill(things[place % len(things)]) for place in range(len(made))]


class Maker:
    """Fills templates of one language, in the same way for the same seed."""

    def __init__(self, lang: str, seed: str) -> None:
        self.lang, self.random = lang, random.Random(f"{lang} {seed}")
        self._fakers = [Faker(locale) for locale in LOCALES[lang]]
        for faker in self._fakers:
            faker.seed_instance(self.random.random())

    def fill(self, template: str) -> Message:
        """*template* with made-up values for its words."""
        text, data, place = "", [], 0
        for match in _WORD.finditer(template):
            text += template[place : match.start()]
            value = self._value(match[1])
            value = value.lower() if match[2] else value
            if match[1] in _PERSONAL:
                data.append((len(text), len(text) + len(value), _PERSONAL[match[1]]))
            text, place = text + value, match.end()
        return Message(text + template[place:], tuple(data))

    def digits(self, count: int) -> str:
        """Digits, the first of them not 0."""
        return str(self.random.randint(10 ** (count - 1), 10**count - 1))

    @property
    def faker(self) -> Any:
        """One of the language's countries."""
        return self.random.choice(self._fakers)

    def _value(self, word: str) -> str:
        method = getattr(self, f"_{word}", None)
        return str(method()) if method is not None else self._thing(word)

    # -- things --------------------------------------------------------------------------------------------
    def _thing(self, word: str) -> str:
        letters = "".join(self.random.choices(_LETTERS, k=3))
        day = date(2023, 1, 1) + timedelta(self.random.randrange(1000))
        n = self.digits
        return self.random.choice({
            "order": (n(8), n(10), f"{n(3)}-{n(7)}-{n(7)}", f"#{n(6)}", f"{letters}-{n(5)}"),
            "invoice": (f"RE-{day.year}-{n(5)}", f"INV{n(7)}", f"{day.year}/{n(6)}", n(9)),
            "tracking": (f"1Z{letters}{n(3)}{n(10)}", n(12), f"RR{n(9)}DE", n(20), n(14), f"{n(4)} {n(4)} {n(4)}"),
            "article": (*(n(length) for length in range(8, 17)), f"{n(3)}.{n(3)}.{n(2)}"),
            "sku": (f"{letters}-{n(4)}", f"{letters}{n(5)}{letters[0]}", f"{letters[:2]} {n(6)}"),
            "serial": (f"SN{n(10)}", f"{letters}{n(9)}", n(15), f"{letters[0]}{n(2)}{letters[1]}{n(5)}"),
            "ean": (n(13), n(8), f"{n(1)} {n(6)} {n(6)}"),
            "version": (f"{self._to(30)}.{self._to(30)}.{self._to(9)}.{self._to(400)}", f"v{self._to(9)}.{self._to(19)}.{self._to(40)}", f"{self._to(20)}.{self._to(9)}"),
            "price": ("$1,299.00", "89,95 €", "EUR 1.250,00", "¥3580", "£24.50", "1 299,00 zł") if self.lang != "zh" else ("3580元", "¥129.00"),
            "date": (day.isoformat(), f"{day:%d.%m.%Y}", f"{day:%d/%m/%Y}", f"{day:%d-%m-%y}") if self.lang != "zh" else (day.isoformat(), f"{day.year}年{day.month}月{day.day}日"),
        }[word])  # fmt: skip

    def _to(self, most: int) -> int:
        return self.random.randint(0, most)

    # -- people --------------------------------------------------------------------------------------------
    def _name(self) -> str:
        faker = self.faker
        gap = "" if self.lang == "zh" else " "
        parts = (
            (faker.last_name(), faker.first_name()) if self.lang == "zh" else (faker.first_name(), faker.last_name())
        )
        return gap.join(parts)

    def _first(self) -> str:
        return str(self.faker.first_name())

    def _last(self) -> str:
        return str(self.faker.last_name())

    def _email(self) -> str:
        return str(self.faker.ascii_free_email())

    def _phone(self) -> str:
        """A number that may be somebody's: fixed or mobile, valid, in one of the ways people write them."""
        region = self.random.choice(LOCALES[self.lang])[-2:]
        kinds = phonenumbers.PhoneNumberType
        example = phonenumbers.example_number_for_type(region, self.random.choice((kinds.MOBILE, kinds.FIXED_LINE)))
        assert example is not None, region
        national = str(example.national_number)
        for _ in range(_TRIES):
            number = int(national[:2] + self.digits(len(national) - 2))
            made = phonenumbers.PhoneNumber(
                example.country_code, number, italian_leading_zero=example.italian_leading_zero
            )
            if phonenumbers.is_valid_number_for_region(made, region):
                break
        formats = phonenumbers.PhoneNumberFormat
        written = phonenumbers.format_number(made, formats.NATIONAL)
        abroad = phonenumbers.format_number(made, formats.INTERNATIONAL)
        plain = re.sub(r"\D", "", written)
        ways = [written, abroad, plain, abroad.replace("+", "00", 1), phonenumbers.format_number(made, formats.E164)]
        if region in ("DE", "AT", "GB", "NL"):
            ways.append(re.sub(r"^(\+\d+) ", r"\1 (0) ", abroad))
        if region in ("DE", "AT"):
            ways += [f"{plain[:4]}/{plain[4:]}", f"{plain[:4]}-{plain[4:]}"]
        if region == "FR":
            ways.append(".".join(re.findall("..", plain)))
        if region in ("US", "MX", "ES", "IT", "PL"):
            ways.append(re.sub(r"[ ()\-]+", ".", written).strip("."))
        return self.random.choice(ways)

    def _card(self) -> str:
        number = str(self.faker.credit_card_number(self.random.choice(("visa", "mastercard"))))
        return self.random.choice(
            (number, " ".join(re.findall(r"\d{1,4}", number)), "-".join(re.findall(r"\d{1,4}", number)))
        )

    def _iban(self) -> str:
        # Of the language's own country, or where it has none: of Germany.
        from stdnum import iban

        faker = self.random.choice(
            [one for one, at in zip(self._fakers, LOCALES[self.lang], strict=True) if at[-2:] not in ("US", "MX", "BR")]
            or [Faker("de_DE")]
        )
        for _ in range(_TRIES):
            number = str(faker.iban())
            if iban.is_valid(number, check_country=False):
                break
        return self.random.choice((number, " ".join(re.findall(r".{1,4}", number)), number.lower()))

    def _id(self) -> str:
        if self.lang == "en":
            if self.random.random() < 0.5:
                return str(self._fakers[0].ssn())
            gap = self.random.choice(("", " "))  # faker's British numbers are none that anybody can have
            letters = "".join(self.random.choices("ABCEHJKLMPRSTWXY", k=2)).replace("KN", "KM").replace("TN", "TM")
            return gap.join((letters, *(self.digits(2) for _ in range(3)), self.random.choice("ABCD")))
        if self.lang in ("zh", "it"):
            return str(self.faker.ssn())
        if self.lang == "pl":
            return str(self.faker.pesel())
        if self.lang == "fr":
            body = f"{self.random.randint(1, 2)}{self.random.randint(40, 99)}{self.random.randint(1, 12):02}{self.random.randint(1, 95):02}{self.digits(6)}"
            whole = f"{body}{97 - int(body) % 97:02}"
            return self.random.choice((whole, re.sub(r"(.)(..)(..)(..)(...)(...)(..)", r"\1 \2 \3 \4 \5 \6 \7", whole)))
        if self.lang == "es":
            number = self.digits(8)
            whole = number + "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]
            return self.random.choice(
                (whole, f"{number[:2]}.{number[2:5]}.{number[5:]}-{whole[-1]}", f"{number}-{whole[-1]}", whole.lower())
            )
        if self.lang == "pt" and self.random.random() < 0.4:
            return str(self._fakers[1].cpf())
        module, length = {"de": ("de.idnr", 11), "nl": ("nl.bsn", 9), "pt": ("pt.nif", 9)}[self.lang]
        check = import_module(f"stdnum.{module}")
        for _ in range(_TRIES):
            number = self.digits(length)
            if check.is_valid(number):
                break
        grouped = (
            f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"
            if self.lang == "de"
            else " ".join(re.findall("...", number))
        )
        return self.random.choice((number, grouped))

    def _passport(self) -> str:
        letters = "".join(self.random.choices("CFGHJKLMNPRTVWXYZ", k=9))
        return {
            "en": self.digits(9), "de": f"{letters[0]}{self.digits(2)}{letters[1]}{self.digits(2)}{letters[2]}{self.digits(2)}",
            "fr": f"{self.digits(2)}{letters[:2]}{self.digits(5)}", "es": f"{letters[:3]}{self.digits(6)}", "it": f"Y{letters[0]}{self.digits(7)}",
            "nl": f"N{letters[0]}{self.digits(7)}", "pt": f"{letters[0]}{self.digits(6)}", "pl": f"{letters[:2]}{self.random.choice(('', ' '))}{self.digits(7)}",
            "zh": f"E{self.digits(8)}",
        }[self.lang]  # fmt: skip

    def _account(self) -> str:
        return {
            "en": self.digits(8), "de": self.digits(10), "fr": f"{self.digits(5)} {self.digits(5)} {self.digits(11)} {self.digits(2)}",
            "es": f"{self.digits(4)} {self.digits(4)} {self.digits(2)} {self.digits(10)}", "it": self.digits(12), "nl": self.digits(9),
            "pt": f"{self.digits(4)} {self.digits(4)} {self.digits(11)} {self.digits(2)}", "pl": f"{self.digits(2)} " + " ".join(self.digits(4) for _ in range(6)),
            "zh": f"622{self.digits(16)}",
        }[self.lang]  # fmt: skip

    def _birth(self) -> str:
        day = date(1945, 1, 1) + timedelta(self.random.randrange(22_000))
        if self.lang == "zh":
            return self.random.choice((f"{day.year}年{day.month}月{day.day}日", day.isoformat(), f"{day:%Y.%m.%d}"))
        month = _MONTHS[self.lang].split()[day.month - 1]
        words = {
            "en": self.random.choice((f"{month} {day.day}, {day.year}", f"{day.day} {month} {day.year}")),
            "de": f"{day.day}. {month} {day.year}", "es": f"{day.day} de {month} de {day.year}", "pt": f"{day.day} de {month} de {day.year}",
        }.get(self.lang, f"{day.day} {month} {day.year}")  # fmt: skip
        numbers = {"en": f"{day:%m/%d/%Y}", "de": f"{day:%d.%m.%Y}", "nl": f"{day:%d-%m-%Y}", "pl": f"{day:%d.%m.%Y}"}
        number = numbers.get(self.lang, f"{day:%d/%m/%Y}")
        return self.random.choice((words, number, re.sub(r"\b0", "", number), day.isoformat()))

    def _address2(self) -> str:
        if self.lang == "zh":
            # faker's own Chinese streets have a letter in the place of a house's number
            faker = self.faker
            street = f"{faker.last_name()}{self.random.choice('家兴华安平')}{self.random.choice(('路', '街', '大道'))}{self.random.randint(1, 999)}号"
            flat = self.random.choice(
                (
                    "",
                    f"{self.random.randint(1, 30)}号楼{self.random.randint(101, 2505)}室",
                    f"{self.random.randint(1, 30)}栋{self.random.randint(1, 4)}单元{self.random.randint(101, 2505)}",
                )
            )
            return (
                self.random.choice(("", str(faker.province())))
                + f"{faker.city_name()}市{faker.district()}区{street}{flat}"
            )
        for _ in range(_TRIES):
            address = str(self.faker.address())
            if re.search(r"\d", address) and not re.match(
                r"(?:PSC|Unit|US[NS]|USCGC|DPO)|[^$]*\b(?:APO|FPO|DPO)\b", address
            ):
                break
        return address

    def _address(self) -> str:
        return ", ".join(line.strip(" ,") for line in self._address2().split("\n"))

    def _ip(self) -> str:
        return str(self.faker.ipv4_public()) if self.random.random() < 0.7 else "2" + str(self.faker.ipv6())[1:]
