"""LoRA adapters, put on by peft."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from bot.bases.base import without_repacking
from bot.engines.torch import fast_lora
from bot.kinds.kind import Layers, checked_config, damaged


class LoraKind:
    """One peft model around the base, which holds all LoRA versions; see :class:`bot.kinds.kind.Kind`."""

    before: Layers | None = None

    def __init__(self, base: Any, dtype: torch.dtype) -> None:
        self._base, self._dtype = base, dtype
        self._peft: Any = None
        self._plain: dict[str, bool] = {}

    def load(self, version: str, folder: Path) -> None:
        """Let peft put it on, and refuse what doesn't fit: peft itself only returns what is missing."""
        from peft import PeftConfig

        checked_config(folder)
        config = PeftConfig.from_pretrained(str(folder))
        config.inference_mode = True
        with without_repacking():
            result = self._put_on(version, folder, config)
        missing = [key for key in result.missing_keys if version in key.split(".")]
        if missing or result.unexpected_keys:
            self.forget(version)
            raise damaged(folder, (missing or list(result.unexpected_keys))[0])
        for parameter in self.tensors(version):
            parameter.requires_grad_(False)
            parameter.data = parameter.data.to(self._dtype)
        self._peft.eval()
        self._plain[version] = fast_lora.is_plain_lora(self._peft, version)

    def _put_on(self, version: str, folder: Path, config: Any) -> Any:
        from peft import PeftModel

        if self._peft is None:
            self._peft = PeftModel(self._base, config, adapter_name=version, autocast_adapter_dtype=False)
        elif version not in self._peft.peft_config:
            self._peft.add_adapter(version, config)
        try:
            return self._peft.load_adapter(str(folder), adapter_name=version, autocast_adapter_dtype=False)
        except (RuntimeError, ValueError) as error:  # weights of other sizes
            self.forget(version)
            raise damaged(folder, str(error).strip().splitlines()[-1].strip()) from error

    def forget(self, version: str) -> None:
        """Take it off; with the last one the base is as it was before the first."""
        self._plain.pop(version, None)
        if self._peft is None:
            return
        fast_lora.forget(self._peft, version)
        if not self._plain:
            self._peft.unload()
            self._peft = None
        elif version in self._peft.peft_config:
            self._peft.delete_adapter(version)

    def serve(self, version: str | None) -> None:
        """Switch the layers; plain LoRA gets the short forward."""
        if self._peft is None:
            return
        if version is None:
            self._peft.base_model.disable_adapter_layers()
            fast_lora.serve(self._peft, None, self._dtype)
            return
        self._peft.base_model.enable_adapter_layers()
        self._peft.set_adapter(version)
        self._peft.requires_grad_(False)
        if self._plain[version]:
            fast_lora.install(self._peft)
            fast_lora.serve(self._peft, version, self._dtype)
        else:
            fast_lora.uninstall(self._peft)

    def tensors(self, version: str) -> Iterator[torch.Tensor]:
        """The two matrices of every layer."""
        for name, parameter in self._peft.named_parameters():
            if version in name.split("."):
                yield parameter
