"""Every setting of a desk: its default, its meaning, and what it may be."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from store.errors import Refused

QUANTIZATIONS = ("nf4", "bf16", "fp32")
PRESET_NAMES = ("faithful", "natural")
PERSONAL_DATA = ("off", "warn", "block")
HAND_OVER = ("off", "customers", "everywhere")
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
    return SettingError(f"The setting {reason}. It was left unchanged.", reason, path)


def _setting(group: str, help_text: str, choices: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"group": group, "help": help_text, "choices": choices}


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its default. ``metadata``: its ``group``, the ``help`` that says what it does, and its
    ``choices`` if it is one of a few words."""

    base: str = field(
        default="starter",
        metadata=_setting(MODEL, "The base model: starter, a local folder, or a hub id you have set up."),
    )
    quantization: str = field(
        default="nf4",
        metadata=_setting(
            MODEL, "How the base is kept in memory, for training and answering: nf4, bf16 or fp32.", QUANTIZATIONS
        ),
    )
    system_message: str = field(
        default="You are a customer support agent.",
        metadata=_setting(
            ANSWERS,
            "The bot's persona and rules, put before every conversation. Every word costs training time.",
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
        metadata=_setting(ANSWERS, "Changes to the preset faithful, one per line, such as max_new_tokens = 128."),
    )
    natural: dict[str, Any] = field(
        default_factory=dict,
        metadata=_setting(ANSWERS, "Changes to the preset natural, one per line, such as temperature = 0.5."),
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
    answer_from_corrections: str = field(
        default="on",
        metadata=_setting(
            ANSWERS,
            "Whether a question nearly the same as a corrected one gets the correction's own words until the bot has "
            "learned them: on or off.",
            ("on", "off"),
        ),
    )
    accepted_wrong: float = field(
        default=0.05,
        metadata=_setting(
            ANSWERS,
            "The share of wrong answers customers may get (0.005 to 0.5). The lower it is, the more conversations are "
            "handed over to people.",
        ),
    )
    hand_over: str = field(
        default="customers",
        metadata=_setting(
            ANSWERS,
            "Who gets the sentence below in place of a reply that is not certain enough: off (nobody), customers (your "
            "own chat shows the reply with a mark) or everywhere (in your own chat and in `ask` as well).",
            HAND_OVER,
        ),
    )
    hand_over_message: dict[str, Any] = field(
        default_factory=dict,
        metadata=_setting(
            ANSWERS,
            'What a customer is told then, by language, one per line, such as en = "A colleague will answer you soon."',
        ),
    )
    heldout_share: float = field(
        default=0.2,
        metadata=_setting(
            TRAINING,
            "The share of imported and approved questions held out to check new versions (0 to 0.9).",
        ),
    )
    gate_margin_bleu: float = field(
        default=2.0,
        metadata=_setting(TRAINING, "How many BLEU points worse than the active version a new one may be (0 to 50)."),
    )
    gate_large_drop: float = field(
        default=15.0,
        metadata=_setting(
            TRAINING,
            "A drop of this many points counts even with few pairs, or in chrF alone (0 to 100).",
        ),
    )
    gate_alpha: float = field(
        default=0.05,
        metadata=_setting(TRAINING, "Up to this p, one-sided, a drop is more than chance (0.001 to 0.4)."),
    )
    gate_min_pairs: int = field(
        default=20,
        metadata=_setting(TRAINING, "With fewer held-out pairs of a language no version is promoted by itself."),
    )
    min_pairs: int = field(
        default=8, metadata=_setting(TRAINING, "A retraining needs at least this many training pairs.")
    )
    recipe: str = field(
        default="",
        metadata=_setting(TRAINING, "The saved recipe for retrainings; empty: the defaults."),
    )
    personal_data: str = field(
        default="warn",
        metadata=_setting(
            TRAINING,
            "Pairs with personal data nobody has cleared: off trains on them, warn tells you, block keeps them out.",
            PERSONAL_DATA,
        ),
    )
    operator: str = field(
        default="",
        metadata=_setting(
            APP,
            "The name saved with every action, from the next start on; empty: DESKLOOP_OPERATOR, or the system user.",
        ),
    )
    theme: str = field(default="textual-dark", metadata=_setting(APP, "The colours of the app."))
    keys: dict[str, Any] = field(
        default_factory=dict,
        metadata=_setting(APP, 'Your own keys, one per line: "desk.correct" = "f12". docs/keys.md lists the names.'),
    )

    def __post_init__(self) -> None:
        _require(bool(self.base.strip()), "must name a base", "base")
        for item in fields(self):
            if item.metadata["choices"]:
                _one_of(getattr(self, item.name), item.metadata["choices"], item.name)
        _require(len(self.system_message) <= 8000, "is longer than 8000 characters", "system_message")
        for name in PRESET_NAMES:
            _check_decoding(name, getattr(self, name))
        _require(0.005 <= self.accepted_wrong <= 0.5, "must be between 0.005 and 0.5", "accepted_wrong")
        told = self.hand_over_message
        _require(isinstance(told, dict), "must be lines of languages and sentences", "hand_over_message")
        for lang, sentence in told.items():
            fits = isinstance(sentence, str) and 0 < len(sentence.strip()) <= 1000
            _require(fits, "needs a sentence in quotes, of up to 1000 characters", "hand_over_message", lang)
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


KINDS: dict[str, type] = {item.name: type(getattr(Settings(), item.name)) for item in fields(Settings)}
