"""A recipe: everything that decides a training result. Needs no torch."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

METHODS = ("qlora", "lora")
SCHEDULES = ("cosine", "linear", "constant_with_warmup")
ALL_LINEAR = "all-linear"


class RecipeError(ValueError):
    """A recipe that can't be used; the message is a sentence that names the field."""


def _field(default: Any, what: str) -> Any:
    return field(default=default, metadata={"help": what})


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every value of a retraining. Raises :class:`RecipeError` for values that make no sense.

    Sources of the defaults: rank, alpha, dropout and targets are the usual QLoRA setting. Learning rate, epochs and
    batch size were chosen by measurement on the canned workload (``benchmarks/``): batches of 4 at 1e-3 over 3 epochs
    reach more with fewer tokens than batches of 8 over 4.
    """

    method: str = _field("qlora", "qlora trains on the 4-bit base (setting quantization nf4), lora on a dense one.")
    r: int = _field(16, "LoRA's rank: how much an adapter can hold.")
    alpha: int = _field(32, "LoRA's scale is alpha / r.")
    dropout: float = _field(0.05, "The share of an adapter's inputs that is left out at random while it trains.")
    target_modules: str = _field(ALL_LINEAR, "Which layers get an adapter: all-linear, or names such as q_proj,v_proj.")
    learning_rate: float = _field(1e-3, "How far each step goes. What matters most, with epochs.")
    epochs: float = _field(3.0, "How often every pair is seen when training starts afresh.")
    batch_size: int = _field(4, "How many pairs make one step.")
    schedule: str = _field("cosine", "How the learning rate falls: cosine, linear or constant_with_warmup.")
    warmup: float = _field(0.03, "The share of all steps in which the learning rate rises to its full value.")
    weight_decay: float = _field(0.0, "How strongly weights are pulled towards zero.")
    max_grad_norm: float = _field(1.0, "Gradients longer than this are shortened to it.")
    max_length: int = _field(1024, "Pairs longer than this many tokens lose their oldest history, then their end.")
    seed: int = _field(0, "Runs with the same seed, data and machine give the same adapter.")
    warm_start: bool = _field(True, "Go on from the active version where method, layers and base allow.")
    warm_epochs: float = _field(1.0, "How often every pair is seen when training goes on from the active version.")
    warm_learning_rate: float = _field(5e-4, "The learning rate of such a run.")
    new_weight: int = _field(
        8, "How many times in an epoch a correction is seen that the active version does not know."
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            value, kind = getattr(self, item.name), type(item.default)
            if kind is float and isinstance(value, int) and not isinstance(value, bool):
                object.__setattr__(self, item.name, float(value))
            elif type(value) is not kind:
                raise RecipeError(f"{item.name} must be {_KINDS[kind]}, not {value!r}.")
        _require(self.method in METHODS, "method", f"must be one of {', '.join(METHODS)}", self.method)
        _require(self.schedule in SCHEDULES, "schedule", f"must be one of {', '.join(SCHEDULES)}", self.schedule)
        _require(bool(self.targets), "target_modules", "must name at least one layer", self.target_modules)
        for name, low, high in _RANGES:
            value = getattr(self, name)
            _require(low <= value <= high, name, f"must be between {low:g} and {high:g}", value)

    @property
    def targets(self) -> str | list[str]:
        """The target modules as peft takes them."""
        if self.target_modules == ALL_LINEAR:
            return ALL_LINEAR
        return [name.strip() for name in self.target_modules.split(",") if name.strip()]

    def can_go_on_from(self, other: dict[str, Any]) -> bool:
        """Whether an adapter trained with recipe *other* has the shape this recipe asks for."""
        return all(other.get(name) == getattr(self, name) for name in ("method", "r", "alpha", "target_modules"))

    def to_dict(self) -> dict[str, Any]:
        """The recipe as JSON-able values, one a field."""
        return asdict(self)


_KINDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}
_RANGES = (
    ("r", 1, 1024),
    ("alpha", 1, 4096),
    ("dropout", 0, 0.9),
    ("learning_rate", 1e-8, 1),
    ("epochs", 0.01, 1000),
    ("batch_size", 1, 4096),
    ("warmup", 0, 1),
    ("weight_decay", 0, 1),
    ("max_grad_norm", 1e-6, 1e6),
    ("max_length", 16, 1_000_000),
    ("seed", 0, 2**31 - 1),
    ("warm_epochs", 0.01, 1000),
    ("warm_learning_rate", 1e-8, 1),
    ("new_weight", 1, 1000),
)


def _require(holds: bool, name: str, what: str, value: object) -> None:
    if not holds:
        raise RecipeError(f"{name} {what}, not {value!r}.")


def recipe_of(values: dict[str, Any]) -> Recipe:
    """The recipe with *values* in place of the defaults. Raises :class:`RecipeError` for unknown names."""
    known = {item.name for item in fields(Recipe)}
    if unknown := sorted(set(values) - known):
        raise RecipeError(f"A recipe has no {unknown[0]!r}. It has: {', '.join(sorted(known))}.")
    return Recipe(**values)


def read_recipe(path: Path) -> dict[str, Any]:
    """The values in a TOML or JSON file. Raises :class:`RecipeError` with the place of what can't be read."""
    try:
        text = path.read_text(encoding="utf-8")
        values: Any = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} can't be read: {error}.") from error
    except ValueError as error:  # both parsers name the line
        raise RecipeError(f"{path} is no recipe: {error}.") from error
    if not isinstance(values, dict):
        raise RecipeError(f"{path} is no recipe: it must hold names with values.")
    return values


def parse_changes(changes: Iterable[str]) -> dict[str, Any]:
    """Values out of ``KEY=VALUE`` words, in the types of their fields. Raises :class:`RecipeError`."""
    kinds = {item.name: type(item.default) for item in fields(Recipe)}
    values: dict[str, Any] = {}
    for change in changes:
        name, equals, text = change.partition("=")
        name, text = name.strip(), text.strip()
        if not equals or name not in kinds:
            raise RecipeError(
                f"{change!r} does not set a value of the recipe. Write KEY=VALUE; keys: {', '.join(kinds)}."
            )
        try:
            values[name] = _parse(kinds[name], text)
        except ValueError:
            raise RecipeError(f"{name} must be {_KINDS[kinds[name]]}, not {text!r}.") from None
    return values


def _parse(kind: type, text: str) -> Any:
    if kind is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if text.lower() not in words:
            raise ValueError(text)
        return words[text.lower()]
    return kind(text)
