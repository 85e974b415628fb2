"""The desk's settings: validated fields in the database, so that all apps on a desk agree.

Two hands write them. Operators change single settings, in the app or by ``deskloop settings set``. Whoever runs the
desk may put a file ``deskloop.toml`` into its folder (:mod:`store.settings.file`): what it names is so, and operators
can't change it. The file is taken as a whole or not at all, and what was taken is kept here, so that a file that went
wrong leaves the last good one in force.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from store.database import SALVAGE, Database, DeskUnreadable
from store.database.cells import OBJECT, VALUE, cell
from store.errors import Refused
from store.settings.file import FILE_NAME, FileTrouble, line_of, parse, read
from store.text import clean
from store.times import now

_SECRET = "split_secret"  # the key of the hash that decides sides; made once per desk
OPERATOR_VARIABLE = "DESKLOOP_OPERATOR"  # several operators at one desk, each with a name of their own
QUANTIZATIONS = ("nf4", "bf16", "fp32")
PRESET_NAMES = ("faithful", "natural")
PERSONAL_DATA = ("off", "warn", "block")
MODEL, ANSWERS, TRAINING, APP = "Model", "Answers", "Training and check", "Operator and app"
DECODING_FIELDS: dict[str, tuple[type, float, float]] = {
    "do_sample": (bool, 0, 1),
    "temperature": (float, 0.01, 5.0),
    "top_p": (float, 0.01, 1.0),
    "repetition_penalty": (float, 0.5, 3.0),
    "max_new_tokens": (int, 1, 4096),
    "seed": (int, 0, 2**31 - 1),
}


class SettingError(Refused):
    """A value a setting can't take.

    ``reason``: the finding alone. ``path``: which value it is about, such as ``("natural", "top_p")``."""

    def __init__(self, sentence: str, reason: str = "", path: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.reason, self.path = reason or sentence, path


def refuse(what: str, *path: str) -> SettingError:
    """The error for a wrong value at *path*; *what* goes on from its name: "must be 1 or more"."""
    reason = f"{'.'.join(path)} {what}"
    return SettingError(f"The setting {reason}. It was left as it is.", reason, path)


def operator_name(text: str) -> str:
    """*text* as the name beside an operator's actions: one line of at most 60 characters."""
    return " ".join(clean(text).split())[:60].strip()


def system_user() -> str:
    """The name beside an operator's actions where nothing else names one: ``DESKLOOP_OPERATOR``, else the system's
    user."""
    try:
        return operator_name(os.environ.get(OPERATOR_VARIABLE, "")) or operator_name(getpass.getuser()) or "operator"
    except (KeyError, OSError):
        return "operator"


def _setting(group: str, help_text: str, choices: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"group": group, "help": help_text, "choices": choices}


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default. ``metadata``: its ``group``, the ``help`` that says what it does, and its
    ``choices`` if it is one of a few words."""

    base: str = field(
        default="starter",
        metadata=_setting(MODEL, "The base model: the word starter, a local folder, or a hub id that was set up."),
    )
    quantization: str = field(
        default="nf4",
        metadata=_setting(
            MODEL, "How the base is held in memory, in training and serving alike: nf4, bf16 or fp32.", QUANTIZATIONS
        ),
    )
    system_message: str = field(
        default="You are a customer support agent.",
        metadata=_setting(
            ANSWERS,
            "The desk's persona and policy, put before every conversation. Every word costs time in training.",
        ),
    )
    decoding: str = field(
        default="faithful",
        metadata=_setting(
            ANSWERS, "How replies are generated in the chat: faithful (greedy) or natural (sampled).", PRESET_NAMES
        ),
    )
    faithful: dict[str, Any] = field(
        default_factory=dict,
        metadata=_setting(ANSWERS, "Changes to the preset faithful, one a line, such as max_new_tokens = 128."),
    )
    natural: dict[str, Any] = field(
        default_factory=dict,
        metadata=_setting(ANSWERS, "Changes to the preset natural, one a line, such as temperature = 0.5."),
    )
    reply_limit: str = field(
        default="auto",
        metadata=_setting(
            ANSWERS,
            "How long a reply may get where a preset does not say it: auto (as long as the longest answer that was "
            "taught needs, 256 tokens at least) or fixed (256 tokens).",
            ("auto", "fixed"),
        ),
    )
    heldout_share: float = field(
        default=0.2,
        metadata=_setting(
            TRAINING,
            "The share of imported and approved questions that is kept out of training, to judge by (0 to 0.9).",
        ),
    )
    gate_margin_bleu: float = field(
        default=2.0,
        metadata=_setting(TRAINING, "How many BLEU points a new version may fall short of the active one (0 to 50)."),
    )
    gate_large_drop: float = field(
        default=15.0,
        metadata=_setting(
            TRAINING, "A fall of so many BLEU or chrF points rejects a version, however few pairs show it (0 to 100)."
        ),
    )
    gate_alpha: float = field(
        default=0.05,
        metadata=_setting(
            TRAINING, "A fall that chance explains with a probability below this rejects a version (0.001 to 0.4)."
        ),
    )
    gate_min_pairs: int = field(
        default=20,
        metadata=_setting(TRAINING, "With fewer held-out pairs of a language no version is promoted by itself."),
    )
    min_pairs: int = field(
        default=8, metadata=_setting(TRAINING, "A retraining needs at least so many training pairs.")
    )
    recipe: str = field(
        default="",
        metadata=_setting(TRAINING, "The saved recipe that retrainings use; empty: the defaults."),
    )
    personal_data: str = field(
        default="warn",
        metadata=_setting(
            TRAINING,
            "Pairs with personal data that nobody looked at: off trains on them, warn says so, block keeps them out.",
            PERSONAL_DATA,
        ),
    )
    operator: str = field(
        default="",
        metadata=_setting(
            APP, "The name beside every action, from the next start on; empty: DESKLOOP_OPERATOR, or the system's user."
        ),
    )
    theme: str = field(default="textual-dark", metadata=_setting(APP, "The colours of the app."))
    keys: dict[str, Any] = field(
        default_factory=dict,
        metadata=_setting(
            APP, 'Other keys than the usual, one a line: "desk.correct" = "f12". docs/keys.md lists the names.'
        ),
    )

    def __post_init__(self) -> None:
        _require(bool(self.base.strip()), "must name a base", "base")
        for item in fields(self):
            if item.metadata["choices"]:
                _one_of(getattr(self, item.name), item.metadata["choices"], item.name)
        _require(len(self.system_message) <= 8000, "is longer than 8000 characters", "system_message")
        for name in PRESET_NAMES:
            _check_decoding(name, getattr(self, name))
        _require(0 <= self.heldout_share <= 0.9, "must be between 0 and 0.9", "heldout_share")
        _require(0 <= self.gate_margin_bleu <= 50, "must be between 0 and 50", "gate_margin_bleu")
        _require(0 <= self.gate_large_drop <= 100, "must be between 0 and 100", "gate_large_drop")
        _require(0.001 <= self.gate_alpha <= 0.4, "must be between 0.001 and 0.4", "gate_alpha")
        _require(1 <= self.gate_min_pairs <= 1_000_000, "must be 1 or more", "gate_min_pairs")
        _require(1 <= self.min_pairs <= 1_000_000, "must be 1 or more", "min_pairs")
        _require(isinstance(self.keys, dict), "must be lines of names and keys", "keys")
        for name, keys in self.keys.items():
            _require(isinstance(keys, str) and bool(keys.strip()), 'needs a key in quotes, such as "f12"', "keys", name)


def _require(holds: bool, what: str, *path: str) -> None:
    if not holds:
        raise refuse(what, *path)


def _one_of(value: str, choices: tuple[str, ...], name: str) -> None:
    _require(value in choices, f"must be {', '.join(choices[:-1])} or {choices[-1]}", name)


def _check_decoding(preset: str, changes: object) -> None:
    _require(isinstance(changes, dict), "must be lines such as max_new_tokens = 128", preset)
    assert isinstance(changes, dict)
    for name, value in changes.items():
        _require(
            name in DECODING_FIELDS, f"is no field of a preset; there are {', '.join(DECODING_FIELDS)}", preset, name
        )
        kind, low, high = DECODING_FIELDS[name]
        if kind is bool:
            _require(isinstance(value, bool), "must be true or false", preset, name)
            continue
        fits = (isinstance(value, kind) or (kind is float and isinstance(value, int))) and not isinstance(value, bool)
        _require(fits and low <= value <= high, f"must be between {low} and {high}", preset, name)


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What became of ``deskloop.toml``. ``values`` are those of the last good one, which are in force; ``problem`` says
    what is wrong with the one that lies there now."""

    values: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None


class SettingsTable:
    """The repository of ``desk.settings``. ``check``: what the store can't know, such as the names of keys; raises
    :class:`SettingError` (by :func:`refuse`)."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self.check: Callable[[Settings], None] = lambda settings: None

    def load(self) -> Settings:
        """The settings as they are; a stored value that no longer fits falls back to its default."""
        settings = Settings()
        stored = self._db.all("SELECT key, value FROM settings")
        rows = {row["key"]: cell(row["value"], VALUE, None) for row in stored if row["key"] in KINDS}
        for key, value in [*rows.items(), *self.file().values.items()]:
            if key in KINDS and _is_of(KINDS[key], value):
                with contextlib.suppress(ValueError, TypeError):
                    settings = replace(settings, **{key: value})
        return settings

    def set(self, key: str, value: Any, who: str) -> Settings:
        """Change one setting; a string is read as the field's own type. Raises :class:`SettingError`."""
        with self._db.atomic():
            settings = self.try_out(key, value)
            self._write(key, getattr(settings, key), who)
        return settings

    def try_out(self, key: str, value: Any) -> Settings:
        """The settings as :meth:`set` would make them, without keeping anything. Raises :class:`SettingError`."""
        if key not in KINDS:
            raise SettingError(f"There is no setting {clean(str(key))!r}. There are: {', '.join(KINDS)}.", path=(key,))
        if key in self.file().values:
            raise SettingError(f"The setting {key} is given by {FILE_NAME} in the desk's folder; change it there.")
        try:
            settings = replace(self.load(), **{key: _as(KINDS[key], key, value)})
        except TypeError as error:
            raise refuse("does not take that value", key) from error
        self.check(settings)
        return settings

    # -- deskloop.toml -----------------------------------------------------------------------------
    def file(self) -> SettingsFile:
        """What is known of ``deskloop.toml``."""
        stored = self._db.value("SELECT value FROM settings WHERE key = ?", FILE_NAME)
        kept = cell(stored, {"values": OBJECT, "problem": (str, None)}, {})
        return SettingsFile(kept.get("values", {}), kept.get("problem"))

    def take_file(self, path: Path, who: str) -> SettingsFile:
        """Look at the file at *path*: take it if it is good, else keep the last good one and say what is wrong."""
        before = self.file()
        try:
            found = SettingsFile(self._judge(read(path)))
        except FileTrouble as error:
            found = SettingsFile(before.values, f"{error} {STAYS if before.values else UNREAD}")
        if found != before:
            with self._db.atomic():
                self._write(FILE_NAME, asdict(found), who)
        return found

    def _judge(self, text: str) -> dict[str, Any]:
        """The values of the file whose content is *text*. Raises :class:`FileTrouble`."""
        body = parse(text)
        values: dict[str, Any] = {}
        try:
            settings = Settings()
            for key, value in body.items():
                if key not in KINDS:
                    raise refuse(f"is no setting; there are {', '.join(KINDS)}", key)
                values[key] = _from_file(KINDS[key], key, value)
                settings = replace(settings, **{key: values[key]})
            self.check(settings)
        except SettingError as error:
            raise FileTrouble(error.reason, line_of(text, error.path)) from error
        return values

    def secret(self) -> str:
        """The desk's key for the hash that decides sides; made at first use."""
        stored = self._db.value("SELECT value FROM settings WHERE key = ?", _SECRET)
        if stored is None:
            with self._db.atomic():
                stored = self._db.value("SELECT value FROM settings WHERE key = ?", _SECRET)
                if stored is None:
                    stored = json.dumps(secrets.token_hex(16))
                    self._write(_SECRET, json.loads(stored), "deskloop")
        secret = cell(stored, str, "")
        if not secret:
            raise DeskUnreadable(
                f"The value {_SECRET} in the desk's settings is damaged, so nobody can tell on which side a new pair "
                f"belongs. No pair was added; what is there stays. {SALVAGE}"
            )
        return str(secret)

    def _write(self, key: str, value: Any, who: str) -> None:
        self._db.run(
            "INSERT OR REPLACE INTO settings (key, value, updated_at, updated_by) VALUES (?, ?, ?, ?)",
            key,
            json.dumps(value, ensure_ascii=False),
            now(),
            who,
        )


KINDS: dict[str, type] = {item.name: type(getattr(Settings(), item.name)) for item in fields(Settings)}
STAYS = "The last good settings of the file stay in force."
UNREAD = "The file is not used until it is put right."
_WANTED = {int: "a whole number", float: "a number", dict: "lines of the form name = value"}


def _as(kind: type, key: str, value: Any) -> Any:
    """*value*, as an operator wrote it, in the type of the field, or a :class:`SettingError`."""
    try:
        if kind is dict:
            return _table(key, value) if isinstance(value, str) else dict(value)
        if kind is str:
            return clean(str(value)).strip()
        if isinstance(value, bool):
            raise ValueError
        if kind is int and float(value) != int(float(value)):
            raise ValueError
        return kind(float(value)) if kind is int else kind(value)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, SettingError):
            raise
        raise refuse(f"must be {_WANTED.get(kind, 'text')}", key) from error


def _table(key: str, text: str) -> dict[str, Any]:
    """A field of several values: JSON, as scripts write it, or lines of TOML, as people do."""
    if text.lstrip().startswith("{"):
        return dict(json.loads(text))
    try:
        return parse(text, flat=True)
    except FileTrouble as error:
        raise SettingError(f"The setting {key}, {error.where}: {error.reason}. It was left as it is.") from error


def _is_of(kind: type, value: object) -> bool:
    """Whether *value* is of the type of its field; a whole number is a number, and nothing is guessed."""
    return not isinstance(value, bool) and isinstance(value, (int, float) if kind is float else kind)


def _from_file(kind: type, key: str, value: Any) -> Any:
    """*value* of the file in the type of its field; nothing is guessed."""
    if not _is_of(kind, value):
        raise refuse(f"must be {_WANTED.get(kind, 'text in quotes')}", key)
    return clean(value).strip() if isinstance(value, str) else kind(value)
