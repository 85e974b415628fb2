"""The desk's settings: validated fields in the database, so that all apps on a desk agree."""

from __future__ import annotations

import getpass
import json
import secrets
from dataclasses import dataclass, field, fields, replace
from typing import Any

from store.database import Database
from store.records import now
from store.text import clean

_SECRET = "split_secret"  # the key of the hash that decides sides; made once per desk
QUANTIZATIONS = ("nf4", "bf16", "fp32")
DECODING_FIELDS: dict[str, tuple[type, float, float]] = {
    "do_sample": (bool, 0, 1),
    "temperature": (float, 0.01, 5.0),
    "top_p": (float, 0.01, 1.0),
    "repetition_penalty": (float, 0.5, 3.0),
    "max_new_tokens": (int, 1, 4096),
    "seed": (int, 0, 2**31 - 1),
}


class SettingError(ValueError):
    """A value a setting can't take; the message is a sentence for the operator."""


def system_user() -> str:
    """The name beside an operator's actions where the desk's settings name nobody."""
    try:
        return clean(getpass.getuser()) or "operator"
    except (KeyError, OSError):
        return "operator"


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default. ``metadata["help"]`` says what it does."""

    base: str = field(
        default="starter",
        metadata={"help": "The base model: the word starter, a local folder, or a hub id that was set up."},
    )
    quantization: str = field(
        default="nf4",
        metadata={"help": "How the base is held in memory, in training and serving alike: nf4, bf16 or fp32."},
    )
    system_message: str = field(
        default="You are a customer support agent.",
        metadata={
            "help": "The desk's persona and policy, put before every conversation. Every word costs time in training."
        },
    )
    decoding: str = field(
        default="faithful",
        metadata={"help": "How replies are generated in the chat: faithful (greedy) or natural (sampled)."},
    )
    faithful: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "Changes to the fields of the preset faithful, as JSON."}
    )
    natural: dict[str, Any] = field(
        default_factory=dict, metadata={"help": "Changes to the fields of the preset natural, as JSON."}
    )
    operator: str = field(default="", metadata={"help": "The name beside every action; empty: the system's user."})
    heldout_share: float = field(
        default=0.2,
        metadata={
            "help": "The share of imported and approved questions that is kept out of training, to judge by (0 to 0.9)."
        },
    )
    gate_margin_bleu: float = field(
        default=2.0,
        metadata={"help": "How many BLEU points a new version may fall short of the active one (0 to 50)."},
    )
    min_pairs: int = field(default=8, metadata={"help": "A retraining needs at least so many training pairs."})
    theme: str = field(default="textual-dark", metadata={"help": "The colours of the app."})

    def __post_init__(self) -> None:
        _require(bool(self.base.strip()), "base", "must name a base")
        _require(self.quantization in QUANTIZATIONS, "quantization", f"must be one of {', '.join(QUANTIZATIONS)}")
        _require(len(self.system_message) <= 8000, "system_message", "is longer than 8000 characters")
        _require(self.decoding in ("faithful", "natural"), "decoding", "must be faithful or natural")
        for name in ("faithful", "natural"):
            _check_decoding(name, getattr(self, name))
        _require(0 <= self.heldout_share <= 0.9, "heldout_share", "must be between 0 and 0.9")
        _require(0 <= self.gate_margin_bleu <= 50, "gate_margin_bleu", "must be between 0 and 50")
        _require(1 <= self.min_pairs <= 1_000_000, "min_pairs", "must be 1 or more")


def _require(holds: bool, key: str, what: str) -> None:
    if not holds:
        raise SettingError(f"The setting {key} {what}. It was left as it is.")


def _check_decoding(preset: str, changes: object) -> None:
    _require(isinstance(changes, dict), preset, 'must be a JSON object, such as {"max_new_tokens": 128}')
    assert isinstance(changes, dict)
    for name, value in changes.items():
        _require(name in DECODING_FIELDS, preset, f"has no field {name!r}; it has {', '.join(DECODING_FIELDS)}")
        kind, low, high = DECODING_FIELDS[name]
        fits = isinstance(value, kind) or (kind is float and isinstance(value, int))
        if kind is not bool and isinstance(value, bool):
            fits = False
        _require(fits and low <= value <= high, preset, f"needs {name} between {low} and {high}")


class SettingsTable:
    """The repository of ``desk.settings``."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def load(self) -> Settings:
        """The settings as they are; a stored value that no longer fits falls back to its default."""
        settings = Settings()
        known = {item.name for item in fields(Settings)}
        for row in self._db.all("SELECT key, value FROM settings"):
            if row["key"] in known:
                try:
                    settings = replace(settings, **{row["key"]: json.loads(row["value"])})
                except (ValueError, TypeError):
                    continue
        return settings

    def set(self, key: str, value: Any, who: str) -> Settings:
        """Change one setting; a string is read as the field's own type. Raises :class:`SettingError`."""
        kinds = {item.name: type(getattr(Settings(), item.name)) for item in fields(Settings)}
        if key not in kinds:
            raise SettingError(f"There is no setting {clean(str(key))!r}. There are: {', '.join(kinds)}.")
        value = _as(kinds[key], key, value)
        with self._db.atomic():
            try:
                settings = replace(self.load(), **{key: value})
            except TypeError as error:
                raise SettingError(f"The setting {key} does not take that value. It was left as it is.") from error
            self._write(key, value, who)
        return settings

    def secret(self) -> str:
        """The desk's key for the hash that decides sides; made at first use."""
        stored = self._db.value("SELECT value FROM settings WHERE key = ?", _SECRET)
        if stored is None:
            with self._db.atomic():
                stored = self._db.value("SELECT value FROM settings WHERE key = ?", _SECRET)
                if stored is None:
                    stored = json.dumps(secrets.token_hex(16))
                    self._write(_SECRET, json.loads(stored), "deskloop")
        return str(json.loads(stored))

    def _write(self, key: str, value: Any, who: str) -> None:
        self._db.run(
            "INSERT OR REPLACE INTO settings (key, value, updated_at, updated_by) VALUES (?, ?, ?, ?)",
            key,
            json.dumps(value, ensure_ascii=False),
            now(),
            who,
        )


def _as(kind: type, key: str, value: Any) -> Any:
    """*value* in the type of the field, or a :class:`SettingError`."""
    try:
        if kind is dict:
            return json.loads(value) if isinstance(value, str) else dict(value)
        if kind is str:
            return clean(str(value)).strip()
        if isinstance(value, bool):
            raise ValueError
        if kind is int and float(value) != int(float(value)):
            raise ValueError
        return kind(float(value)) if kind is int else kind(value)
    except (TypeError, ValueError, OverflowError) as error:
        wanted = {int: "a whole number", float: "a number", dict: "a JSON object"}.get(kind, "text")
        raise SettingError(f"The setting {key} must be {wanted}. It was left as it is.") from error
