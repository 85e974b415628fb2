"""What is looked for, and what a find is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "email", "phone", "card", "iban", "id", "passport", "account", "birthdate", "address", "ip", "name"
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
NAMES: dict[Kind, str] = {
    "email": "e-mail address",
    "phone": "phone number",
    "card": "card number",
    "iban": "IBAN",
    "id": "national id",
    "passport": "passport number",
    "account": "account number",
    "birthdate": "birth date",
    "address": "street address",
    "ip": "IP address",
    "name": "name",
}
MANY = {kind: f"{name}es" if name.endswith("s") else f"{name}s" for kind, name in NAMES.items()}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Personal data between two places of a text."""

    start: int
    end: int
    kind: Kind
