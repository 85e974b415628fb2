"""A recipe: everything that decides a training result. Needs no torch."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, get_args

from store.errors import OperatorError
from store.words import Method

METHODS: tuple[Method, ...] = get_args(Method)
ON_NF4 = ("qlora",)  # methods that need the 4-bit base
ON_DENSE = ("lora", "full")  # methods that need a dense one; the others train on either
ACTIVATIONS = ("gelu", "relu", "silu", "tanh")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")
OPTIMIZERS = ("adamw", "adamw_8bit", "paged_adamw_8bit")
SCHEDULES = ("cosine", "linear", "constant_with_warmup")
ALL_LINEAR = "all-linear"
LAYER_SETS = ("qv", "qkvo")  # layers by what they do, whatever a base calls them
WITH_LAYERS = ("qlora", "lora", "adapter")  # methods that put an adapter on chosen layers
VIRTUAL = ("prefix", "prompt", "ptuning-v2")  # methods that put virtual tokens before the text
MEASURES = ("loss", "bleu")
OBJECTIVES = ("sft", "edits", "orpo", "dpop", "kto")
FROM_REJECTIONS = ("kto",)  # objectives that can learn from a reply of which only is known that it was wrong
BIASES = ("none", "lora")


class RecipeError(OperatorError, ValueError):
    """A recipe that can't be used; the sentence names the field."""


def _field(default: Any, what: str, *, between: tuple[float, float] | None = None, one_of: tuple[str, ...] = ()) -> Any:
    return field(default=default, metadata={"help": what, "between": between, "one_of": one_of})


@dataclass(frozen=True, slots=True)
class Recipe:
    """Every value of a retraining. Raises :class:`RecipeError` for values that make no sense.

    Sources of the defaults: rank, alpha and targets are the usual QLoRA setting. The others that decide what is learned
    were chosen by trial runs on the sample desk, one seed each (``python -m benchmarks teaching``).
    """

    method: Method = _field(  # noqa: RUF009  (a dataclass field, as the others)
        "qlora",
        "What is trained: qlora (LoRA on the 4-bit base), lora (on a dense one), adapter, prefix, prompt, ptuning-v2, "
        "or full (every weight of a small dense base).",
        one_of=METHODS,
    )
    objective: str = _field(
        "sft",
        "What a run learns from: sft (right answers), or wrong replies as well: edits (what corrections took out), "
        "orpo and dpop (corrections are preferred to the replies), kto (good and bad replies, without pairs).",
        one_of=OBJECTIVES,
    )
    mistake_weight: float = _field(
        1.0,
        "edits, orpo, dpop, kto: how much wrong replies count beside right answers, in shares of what is usual.",
        between=(0, 100),
    )
    r: int = _field(16, "LoRA's rank: how much an adapter can hold.", between=(1, 1024))
    alpha: int = _field(32, "LoRA's scale is alpha / r.", between=(1, 4096))
    dropout: float = _field(
        0.0, "The share of an adapter's inputs that is dropped at random during training.", between=(0, 0.9)
    )
    target_modules: str = _field(
        ALL_LINEAR,
        "Which layers get an adapter: all-linear, qv, qkvo (of attention only), or names such as q_proj,v_proj.",
    )
    ranks: str = _field("", "Ranks and scales of single layers: q_proj=16:32,v_proj=8:16; the others use r and alpha.")
    bias: str = _field("none", "none, or lora: a trained bias beside LoRA's second matrix.", one_of=BIASES)
    rslora: bool = _field(False, "Scale LoRA by alpha / sqrt(r) instead of alpha / r; pays from r = 32 on.")
    dora: bool = _field(
        False, "Train the direction and the length of weights separately (DoRA). Slower, also when answering."
    )
    lora_plus: float = _field(
        6.0, "LoRA+: how many times faster LoRA's second matrix learns than its first.", between=(0.1, 100)
    )
    frozen: float = _field(
        0.5,
        "qlora, lora, adapter: the share of the base's lowest layers that get no adapter. What they compute is kept.",
        between=(0, 0.9),
    )
    opening: int = _field(
        8,
        "In each epoch a quarter of an answer's phrasings teach it whole, the others so many tokens past where it "
        "differs from all other answers; 0: all teach it whole.",
        between=(0, 100_000),
    )
    phrasings: int = _field(
        4,
        "How many other phrasings of each question are made by rules and learned in turns with it; 0: none.",
        between=(0, 100),
    )
    replay: float = _field(
        0.2,
        "The share of general questions, with the base's own answers, that is learned beside the pairs: it keeps the "
        "bot from forgetting everything else.",
        between=(0, 10),
    )
    adapter_size: int = _field(64, "adapter: the width of the bottlenecks.", between=(1, 8192))
    adapter_reduction: int = _field(
        0, "adapter: the base's width divided by the bottleneck's; 0: use adapter_size.", between=(0, 1024)
    )
    adapter_activation: str = _field(
        "gelu", f"adapter: the function in the middle: {', '.join(ACTIVATIONS)}.", one_of=ACTIVATIONS
    )
    virtual_tokens: int = _field(
        20, "prefix, prompt, ptuning-v2: how many virtual tokens are put before the text.", between=(1, 512)
    )
    prefix_rate: float = _field(0.2, "prefix: its learning rate as a share of learning_rate.", between=(1e-3, 100))
    prompt_init: str = _field("", "prompt: the words it starts from; empty: the desk's system message.")
    learning_rate: float = _field(1e-3, "The learning rate. With epochs, what matters most.", between=(1e-8, 1))
    epochs: float = _field(
        0.0,
        "How often every pair is seen when training starts from the base; 0: until the bot is taught.",
        between=(0, 1000),
    )
    taught: float = _field(
        0.98,
        "Where training goes on until the bot is taught: the share of taught questions it must know.",
        between=(0.01, 1),
    )
    most_epochs: float = _field(
        30.0, "Where training goes on until the bot is taught: how often every pair is seen at most.", between=(1, 1000)
    )
    steps: int = _field(
        0, "How many steps a run takes, overriding epochs; 0: as many as the epochs need.", between=(0, 10_000_000)
    )
    batch_size: int = _field(4, "How many pairs make one step.", between=(1, 4096))
    gradient_accumulation: int = _field(
        1,
        "How many batches make one step: the effect of a larger batch, with the memory of a small one.",
        between=(1, 1_000_000),
    )
    precision: str = _field(
        "auto",
        "The precision of the arithmetic: auto (that of the base), fp32, bf16 or fp16 (GPU).",
        one_of=PRECISIONS,
    )
    checkpointing: bool = _field(
        False,
        "Recompute activations instead of keeping them: a third slower, far less memory. Not for virtual tokens.",
    )
    optimizer: str = _field(
        "adamw",
        "adamw; adamw_8bit and paged_adamw_8bit (GPU) keep its state in a quarter of the memory.",
        one_of=OPTIMIZERS,
    )
    bucketing: bool = _field(True, "Batches of pairs of similar length: less padding, faster.")
    packing: bool = _field(
        False, "Pack the pairs of a batch into one row, separated by masks: no padding. Not for virtual tokens."
    )
    grow: int = _field(
        0,
        "In this many first epochs only part of the pairs is used, growing: a quarter, then half, then all.",
        between=(0, 10),
    )
    validation: float = _field(
        0.0,
        "The share of pairs set aside to evaluate a run, never new corrections. 0: evaluate on held-out pairs, for "
        "display only.",
        between=(0, 0.5),
    )
    evaluate_every: int = _field(
        0, "Steps between two evaluations; 0: up to four, at the ends of epochs.", between=(0, 1_000_000)
    )
    bleu_questions: int = _field(
        0, "How many questions are answered in each evaluation, for BLEU; 0: only the loss.", between=(0, 1000)
    )
    best_by: str = _field("loss", "What makes one evaluation better than another: loss or bleu.", one_of=MEASURES)
    early_stopping: int = _field(
        0, "Stop after this many evaluations without improvement; 0: never. Needs validation.", between=(0, 1000)
    )
    keep_best: bool = _field(
        False, "Publish the weights of the best evaluation instead of the last ones. Needs validation."
    )
    save_every: int = _field(0, "Steps between two checkpoints; 0: one every half minute.", between=(0, 1_000_000))
    schedule: str = _field(
        "cosine", "How the learning rate falls: cosine, linear or constant_with_warmup.", one_of=SCHEDULES
    )
    warmup: float = _field(
        0.03, "The share of all steps during which the learning rate rises to its full value.", between=(0, 1)
    )
    weight_decay: float = _field(0.0, "How strongly weights are pulled towards zero.", between=(0, 1))
    max_grad_norm: float = _field(1.0, "Gradients longer than this are clipped.", between=(1e-6, 1e6))
    max_length: int = _field(
        1024,
        "Pairs longer than this many tokens lose their oldest history, then the end of their answer.",
        between=(16, 1_000_000),
    )
    seed: int = _field(0, "Runs with the same seed, data and machine give the same adapter.", between=(0, 2**31 - 1))
    warm_start: bool = _field(True, "Continue from the active version if method, layers and base allow it.")
    warm_epochs: float = _field(
        0.0,
        "How often every pair is seen when training continues from the active version; 0: until the bot is taught.",
        between=(0, 1000),
    )
    rehearsal: float = _field(
        0.25,
        "When training continues from the active version: the share of the pairs it already knows in each epoch.",
        between=(0.01, 1),
    )
    warm_learning_rate: float = _field(
        5e-4, "The learning rate when training continues from the active version.", between=(1e-8, 1)
    )
    new_weight: int = _field(
        4, "How often per epoch a correction is seen that the active version does not know.", between=(1, 1000)
    )
    canaries: int = _field(
        0,
        "How many made-up secrets to plant, to measure how well the version remembers what one pair says. They stay in "
        "its weights.",
        between=(0, 20),
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            value, kind = getattr(self, item.name), type(item.default)
            if kind is float and isinstance(value, int) and not isinstance(value, bool):
                object.__setattr__(self, item.name, float(value))
            elif type(value) is not kind:
                raise RecipeError(f"{item.name} must be {KINDS[kind]}, not {value!r}.")
        for item in fields(self):
            value, words, between = getattr(self, item.name), item.metadata["one_of"], item.metadata["between"]
            if words:
                listed = " or ".join(words) if len(words) == 2 else f"one of {', '.join(words)}"
                _require(value in words, item.name, f"must be {listed}", value)
            if between is not None:
                low, high = between
                _require(low <= value <= high, item.name, f"must be between {low:g} and {high:g}", value)
        for name in ("checkpointing", "packing"):
            fits = self.method not in VIRTUAL or not getattr(self, name)
            _require(fits, name, f"does not go with the method {self.method}", getattr(self, name))
        apart = self.objective == "sft" or not self.packing
        _require(apart, "packing", f"does not go with the objective {self.objective}", self.packing)
        for name in ("early_stopping", "keep_best"):  # what held-out pairs decide they could not judge afterwards
            value = getattr(self, name)
            _require(not value or self.validation > 0, name, "needs validation, a share of pairs set aside", value)
        _require(self.best_by == "loss" or self.bleu_questions > 0, "best_by", "needs bleu_questions", self.best_by)
        _ = self.patterns
        _require(bool(self.targets), "target_modules", "must name at least one layer", self.target_modules)

    @property
    def targets(self) -> str | list[str]:
        """The target modules as peft takes them: names, or all-linear; a name out of :data:`LAYER_SETS` as it is."""
        if self.target_modules in (ALL_LINEAR, *LAYER_SETS):
            return self.target_modules
        return [name.strip() for name in self.target_modules.split(",") if name.strip()]

    @property
    def patterns(self) -> tuple[dict[str, int], dict[str, int]]:
        """(ranks, alphas) of single layers, as peft takes them. Raises :class:`RecipeError`."""
        ranks, alphas = dict[str, int](), dict[str, int]()
        for part in filter(None, (part.strip() for part in self.ranks.split(","))):
            match = _RANK.fullmatch(part)
            _require(match is not None, "ranks", "must read like q_proj=16:32,v_proj=8:16", self.ranks)
            assert match is not None
            ranks[match["name"]] = int(match["r"])
            alphas[match["name"]] = int(match["alpha"] or self.alpha)
        return ranks, alphas

    @property
    def learns_from_mistakes(self) -> bool:
        """Whether its objective learns from replies that were wrong."""
        return self.objective != "sft"

    @property
    def rate(self) -> float:
        """The learning rate of this method's weights."""
        return self.learning_rate * (self.prefix_rate if self.method == "prefix" else 1.0)

    def can_go_on_from(self, other: dict[str, Any]) -> bool:
        """Whether an adapter trained with recipe *other* has the shape this recipe asks for, and its method can go on
        from published weights: of a prefix the network that made them is gone."""
        before = {item.name: item.default for item in fields(Recipe)} | BEFORE | other
        return self.method != "prefix" and all(
            before[name] == getattr(self, name) for name in ("method", *_SHAPE[self.method])
        )

    def smaller(self) -> Recipe | None:
        """The recipe that takes the very same steps in less memory: a smaller batch, accumulated more often (half, for
        even sizes), then activations computed again; None: there is no smaller one."""
        if self.batch_size > 1:
            part = next(factor for factor in range(2, self.batch_size + 1) if self.batch_size % factor == 0)
            return replace(
                self, batch_size=self.batch_size // part, gradient_accumulation=self.gradient_accumulation * part
            )
        if not self.checkpointing and self.method not in VIRTUAL:
            return replace(self, checkpointing=True)
        return None

    def to_dict(self) -> dict[str, Any]:
        """The recipe as JSON-able values, one a field."""
        return asdict(self)


# What recipes did that were written down before a field was there. (A recipe is written down whole.)
BEFORE: dict[str, Any] = {"frozen": 0.0, "opening": 0, "rehearsal": 1.0, "replay": 0.0, "phrasings": 0}
_RANK = re.compile(r"(?P<name>[A-Za-z_][\w.]*)=(?P<r>[1-9]\d{0,3})(:(?P<alpha>[1-9]\d{0,3}))?")
_LORA = ("r", "alpha", "target_modules", "ranks", "bias", "rslora", "dora", "frozen")
# the fields that decide what an adapter's weights are, by method
_SHAPE: dict[str, tuple[str, ...]] = {
    "qlora": _LORA,
    "lora": _LORA,
    "adapter": ("adapter_size", "adapter_reduction", "adapter_activation", "frozen"),
    "prefix": ("virtual_tokens",),
    "prompt": ("virtual_tokens",),
    "ptuning-v2": ("virtual_tokens",),
    "full": (),
}
KINDS = {int: "a whole number", float: "a number", str: "text", bool: "true or false"}


def _require(holds: bool, name: str, what: str, value: object) -> None:
    if not holds:
        raise RecipeError(f"{name} {what}, not {value!r}.")
