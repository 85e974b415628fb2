"""A base with any number of adapter versions on it, of which one answers."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bot import fast_lora
from bot.adapters import Manifest, verify
from bot.base import fingerprint, load_base, without_repacking
from bot.render import render
from bot.types import Activation, AdapterRef, BaseSpec, EngineError, ProbeResult, Prompt

PROBE_PROMPT = Prompt("", (), "Hello, can you help me with my order?")
PROBE_VALUES = 32  # logits kept, at even distances over the vocabulary
# How far a logit may lie from the recorded one, as a share of what the adapter changes: other CPUs round otherwise,
# a wrong or missing adapter is off by the whole of it.
PROBE_TOLERANCE = 0.25
PROBE_SLACK = 0.3  # logits of a 150k vocabulary in bf16 differ by this much between kernels even where all is right


@dataclass(frozen=True, slots=True)
class Loaded:
    """An adapter that is on the base: peft's name for it, and the manifest it was verified by."""

    name: str
    manifest_sha: str
    plain: bool


class ServingModel:
    """The model of one engine process. Not for several threads at once."""

    def __init__(self, spec: BaseSpec) -> None:
        self.spec = spec
        self.fingerprint = fingerprint(spec)
        self.base, self.tokenizer = load_base(spec)
        self.dtype: torch.dtype = next(
            (p.dtype for p in self.base.parameters() if p.dtype.is_floating_point), torch.float32
        )
        self.active = "base"
        self._peft: Any = None
        self._loaded: dict[str, Loaded] = {}
        self._base_logits: torch.Tensor | None = None

    @property
    def model(self) -> Any:
        """What answers: the base, or the base wrapped by peft."""
        return self._peft if self._peft is not None else self.base

    @property
    def loaded(self) -> tuple[str, ...]:
        """The versions that are in memory."""
        return tuple(self._loaded)

    # -- activation --------------------------------------------------------------------------------
    def activate(self, adapter: AdapterRef | None) -> Activation:
        """Switch; see :meth:`bot.interface.Engine.activate`. Raises :class:`EngineError`, with what answered
        before still answering."""
        start = time.perf_counter()
        if adapter is None:
            self._serve(None)
            self.active = "base"
            return Activation("base", time.perf_counter() - start)
        manifest = verify(adapter.folder, self.fingerprint)
        before = self.active
        try:
            self._load(adapter.version, adapter.folder, manifest)
            self._serve(adapter.version)
            result = self._measure()
            _compare(adapter.version, result, manifest.probe)
        except BaseException:
            if adapter.version != before:
                self._forget(adapter.version)
            if before not in self._loaded:
                self.active = "base"  # its own files were replaced by unfit ones; the base always answers
            self._serve(None if self.active == "base" else before)
            raise
        self.active = adapter.version
        return Activation(adapter.version, time.perf_counter() - start, result)

    def probe(self, folder: str) -> ProbeResult:
        """Measure an adapter that has no manifest yet, and forget it again."""
        before = self.active
        try:
            self._load("candidate", folder, None)
            self._serve("candidate")
            result = self._measure()
        finally:
            self._serve(None if before == "base" else before)
            self._forget("candidate")
        _refuse_without_effect("The candidate", result)
        return result

    def _load(self, version: str, folder: str, manifest: Manifest | None) -> None:
        sha = "" if manifest is None else str(sorted(manifest.files.items()))
        known = self._loaded.get(version)
        if known is not None and known.manifest_sha == sha:
            return
        from peft import PeftConfig

        if "." in version:
            raise EngineError("bad-request", f"{version!r} is not a version's name.")
        if known is not None:
            # Other files under the same name: nothing of the former ones may stay.
            self._forget(version)
        config = PeftConfig.from_pretrained(folder)
        config.inference_mode = True
        with without_repacking():
            result = self._put_on(version, folder, config)
        missing = [key for key in result.missing_keys if version in key.split(".")]
        if missing or result.unexpected_keys:
            self._forget(version)
            wrong = (missing or list(result.unexpected_keys))[0]
            raise EngineError("adapter-damaged", f"The weights of {version} do not fit this base ({wrong}).")
        for name, parameter in self._peft.named_parameters():
            if version in name.split("."):
                parameter.requires_grad_(False)
                parameter.data = parameter.data.to(self.dtype)
        self._peft.eval()
        self._loaded[version] = Loaded(version, sha, fast_lora.is_plain_lora(self._peft, version))

    def _put_on(self, version: str, folder: str, config: Any) -> Any:
        """Let peft load the adapter; returns what it says about missing and unexpected keys."""
        from peft import PeftModel

        if self._peft is None:
            self._peft = PeftModel(self.base, config, adapter_name=version, autocast_adapter_dtype=False)
        elif version not in self._peft.peft_config:
            self._peft.add_adapter(version, config)
        try:
            return self._peft.load_adapter(folder, adapter_name=version, autocast_adapter_dtype=False)
        except (RuntimeError, ValueError) as error:  # weights of other sizes
            self._forget(version)
            first = str(error).strip().splitlines()[-1].strip()
            raise EngineError("adapter-damaged", f"The weights of {version} do not fit this base ({first}).") from error

    def _forget(self, version: str) -> None:
        self._loaded.pop(version, None)
        if self._peft is not None:
            fast_lora.forget(self._peft, version)
        if self._peft is not None and version in self._peft.peft_config and len(self._peft.peft_config) > 1:
            self._peft.delete_adapter(version)
        if self._peft is not None and not self._loaded:
            self.base = self._peft.unload()
            self._peft = None

    def _serve(self, version: str | None) -> None:
        if self._peft is None:
            return
        if version is None:
            self._peft.disable_adapter_layers()
            fast_lora.serve(self._peft, None, self.dtype)
            return
        self._peft.enable_adapter_layers()
        self._peft.set_adapter(version)
        self._peft.requires_grad_(False)
        if self._loaded[version].plain:
            fast_lora.install(self._peft)
            fast_lora.serve(self._peft, version, self.dtype)
        else:
            fast_lora.uninstall(self._peft)

    # -- the probe ---------------------------------------------------------------------------------
    def _measure(self) -> ProbeResult:
        logits = self._probe_logits()
        if self._base_logits is None:
            serving = self._peft.active_adapter
            self._serve(None)
            self._base_logits = self._probe_logits()
            self._serve(serving)
        weights_finite = all(
            bool(torch.isfinite(parameter).all())
            for name, parameter in self._peft.named_parameters()
            if self._peft.active_adapter in name.split(".")
        )
        finite = weights_finite and bool(torch.isfinite(logits).all())
        difference = float((logits - self._base_logits).abs().max()) if finite else math.nan
        step = max(1, logits.numel() // PROBE_VALUES)
        return ProbeResult(finite, difference, tuple(round(float(v), 4) for v in logits[::step][:PROBE_VALUES]))

    @torch.inference_mode()
    def _probe_logits(self) -> torch.Tensor:
        ids = torch.tensor([render(self.tokenizer, PROBE_PROMPT)], device=self.base.device)
        logits: torch.Tensor = self.model(input_ids=ids, use_cache=False, logits_to_keep=1).logits[0, -1]
        return logits.float().cpu()


def adapter_config_sane(folder: Path) -> bool:
    """Whether *folder* names a peft type at all; used before anything heavy is loaded."""
    return (folder / "adapter_config.json").is_file()


def _refuse_without_effect(version: str, result: ProbeResult) -> None:
    if not result.finite:
        raise EngineError("probe-failed", f"{version} holds numbers that are none (NaN or infinite) and can't answer.")
    if result.difference < 1e-3:
        raise EngineError("probe-failed", f"{version} changes nothing in what the base says, so it did not load right.")


def _compare(version: str, result: ProbeResult, recorded: ProbeResult | None) -> None:
    _refuse_without_effect(version, result)
    if recorded is None:
        return
    allowed = max(PROBE_SLACK, PROBE_TOLERANCE * recorded.difference)
    off = max((abs(a - b) for a, b in zip(result.values, recorded.values, strict=False)), default=0.0)
    if len(result.values) != len(recorded.values) or off > allowed:
        raise EngineError(
            "probe-failed",
            f"{version} does not answer as it did when it was published (off by {off:.2f}). It is not used.",
        )
