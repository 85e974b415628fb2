"""Work that gives way in the middle of a forward pass. Reading two dozen prompts takes seconds on a laptop, and that is
one pass: whoever waits for a reply meanwhile would wait for all of it. So each layer looks first whether it is still
wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from bot.engines.torch.ending import Stopping


class PausedError(Exception):
    """A pass that ended before its end. What it computed is lost, and is computed again when its turn comes."""

    quotes_nobody = True


class Pausing:
    """Lets passes of *base* end between two layers, inside :meth:`until`."""

    def __init__(self, base: Any) -> None:
        self._stop: Stopping | None = None
        for module in base.modules():
            if isinstance(module, torch.nn.ModuleList) and len(module) == base.config.num_hidden_layers:
                for layer in module:
                    layer.register_forward_pre_hook(self._look)
                return

    def _look(self, layer: torch.nn.Module, given: Any) -> None:
        if self._stop is not None and self._stop.is_set():
            raise PausedError

    @contextmanager
    def until(self, stop: Stopping) -> Iterator[None]:
        """Leave the block within a layer's time once *stop* is set."""
        self._stop = stop
        try:
            yield
        except PausedError:
            pass
        finally:
            self._stop = None
