"""What a tuning method makes of a base: something to train, to read a text with, and to publish."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import DynamicCache

from bot.adapters import WEIGHTS_NAME
from finetune.failures import RunFailure


class Lower(Protocol):
    """Where what the lower layers of a base make of texts is put in their place; see :mod:`finetune.train.lower`."""

    def given(self, states: torch.Tensor) -> AbstractContextManager[None]:
        """While it is open, the base goes on from *states*."""
        ...


class Tuned(ABC):
    """A base with trainable weights on it.

    ``base`` is the causal model; ``model`` the module the trainer trains, of which exactly the weights that require a
    gradient are what is learned, and what a checkpoint holds."""

    def __init__(self, base: Any, model: torch.nn.Module) -> None:
        self.base, self.model = base, model
        self.lower: Lower | None = None

    def hidden(
        self,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor | None = None,
        lower: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The last hidden states, (batch, tokens, width), at the places of *input_ids* (batch, tokens), which is padded
        on the right. There is no attention mask: under a causal mask no place that counts looks at a pad. Where
        *position_ids* begin anew, another text begins, which sees nothing of the one before (methods with virtual
        tokens don't take them). *lower*, (batch, tokens, width): what the layers below the first one that learns make
        of these texts, where that is known."""
        with nullcontext() if lower is None or self.lower is None else self.lower.given(lower):
            return self.bare(input_ids, position_ids)

    def bare(self, input_ids: torch.Tensor, position_ids: torch.Tensor | None = None) -> torch.Tensor:
        """The same of the base as it stands, with whatever is trained inside it, but without what a method puts before
        the text. Before the first step, of a training that begins at the base, it is the base alone."""
        states: torch.Tensor = self.base.base_model(
            input_ids=input_ids, position_ids=position_ids, use_cache=False
        ).last_hidden_state
        return states

    def new_cache(self, batch: int = 1) -> tuple[DynamicCache, int]:
        """What ``base`` generates from while it trains: a fresh cache for *batch* texts, and how many places it holds
        before them."""
        return DynamicCache(), 0

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the adapter as it is to be published."""

    @abstractmethod
    def warm_start(self, folder: Path) -> None:
        """Begin with the weights of a published adapter. Raises :class:`RunFailure` if they don't fit."""


@contextmanager
def at_rest(tuned: Tuned) -> Iterator[None]:
    """No dropout and nothing computed twice, for a while."""
    trained = tuned.base.training
    tuned.model.eval()
    tuned.base.eval()
    try:
        yield
    finally:
        tuned.base.train(trained)
        tuned.model.train()


class PeftTuned(Tuned):
    """A method whose weights are put on by peft under the name ``default``."""

    model: Any

    def save(self, folder: Path) -> None:
        """peft's own form, which plain peft loads."""
        self.model.save_pretrained(str(folder), safe_serialization=True)
        (folder / "README.md").unlink(missing_ok=True)  # peft's template says nothing true about this adapter

    def warm_start(self, folder: Path) -> None:
        """peft only returns what is missing: a weight that stays fresh would be a silent fault."""
        try:
            result = self.model.load_adapter(str(folder), adapter_name="default", is_trainable=True)
        except (KeyError, RuntimeError, ValueError) as error:
            raise unfit(folder) from error
        if [key for key in result.missing_keys if "default" in key.split(".")] or result.unexpected_keys:
            raise unfit(folder)


def unfit(folder: Path) -> RunFailure:
    """The failure of a warm start from weights of another shape."""
    return RunFailure("failed", f"{folder / WEIGHTS_NAME} does not fit the adapter to be trained")
