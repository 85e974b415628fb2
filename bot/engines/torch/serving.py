"""A base with any number of adapter versions on it; whichever a request names answers it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from transformers import DynamicCache

from bot.adapters import Manifest, verify
from bot.bases.base import fingerprint, load_base
from bot.kinds import KINDS, Kind, cache_of, kind_of
from bot.render import render
from bot.types import AdapterRef, BaseSpec, EngineError, ProbeResult, Prompt, Readiness
from store.words import BASE, Version

PROBE_PROMPT = Prompt("", (), "Hello, can you help me with my order?")
CANDIDATE = Version("candidate")  # the name of an adapter that is measured and has none yet
PROBE_VALUES = 32  # logits kept, at even distances over the vocabulary
# How far a logit may lie from the recorded one, as a share of what the adapter changes: other CPUs round otherwise,
# a wrong or missing adapter is off by the whole of it.
PROBE_TOLERANCE = 0.25
PROBE_SLACK = 0.3  # logits of a 150k vocabulary in bf16 differ by this much between kernels even where all is right


@dataclass(frozen=True, slots=True)
class Loaded:
    """An adapter that is in memory: its kind, and the manifest it was verified by."""

    kind: str
    manifest_sha: str


class ServingModel:
    """The model of one engine process. Not for several threads at once."""

    def __init__(self, spec: BaseSpec) -> None:
        self.spec = spec
        self.fingerprint = fingerprint(spec)
        self.base, self.tokenizer = load_base(spec)
        self.dtype: torch.dtype = next(
            (p.dtype for p in self.base.parameters() if p.dtype.is_floating_point), torch.float32
        )
        self._kinds: dict[str, Kind] = {}
        self._loaded: dict[Version, Loaded] = {}
        self._base_logits: torch.Tensor | None = None
        self._serving = BASE

    @property
    def versions(self) -> tuple[Version, ...]:
        """The versions that are ready, beside the bare base."""
        return tuple(self._loaded)

    @property
    def serving(self) -> Version:
        """The version that answers at the moment."""
        return self._serving

    def new_cache(self, batch: int = 1) -> tuple[DynamicCache, int]:
        """A cache for *batch* fresh texts, and how many places it holds already: what serves may begin with some."""
        layers = None if self._serving == BASE else self._kinds[self._loaded[self._serving].kind].before
        return cache_of(layers, batch), 0 if layers is None else int(layers[0][0].shape[2])

    # -- versions ----------------------------------------------------------------------------------
    def serve(self, version: Version) -> None:
        """Answer with *version* from now on. Raises :class:`EngineError` (``not-ready``)."""
        if version == self._serving:
            return
        if version != BASE and version not in self._loaded:
            raise EngineError("not-ready", f"{version} is not loaded, so it can't answer.")
        wanted = None if version == BASE else self._loaded[version].kind
        for name, kind in self._kinds.items():
            if name != wanted:
                kind.serve(None)
        self._serving = BASE  # as it is now, should the next line fail
        if wanted is not None:
            self._kinds[wanted].serve(version)
        self._serving = version

    def ready(self, adapter: AdapterRef) -> Readiness:
        """Verify, load and probe; see :meth:`bot.engines.engine.Engine.ready`. Raises :class:`EngineError`; the version
        is then not ready, unless the same name was with files that are still whole in memory."""
        start = time.perf_counter()
        manifest = verify(adapter.folder, self.fingerprint)
        try:
            self._load(adapter.version, adapter.folder, manifest)
            result = self._measure(adapter.version)
            _compare(adapter.version, result, manifest.probe)
        except BaseException as error:
            self.forget(adapter.version)
            if _is_its_fault(error):
                raise EngineError(
                    "adapter-damaged", f"{adapter.version} can't be put on this base ({error})."
                ) from error
            raise
        return Readiness(adapter.version, time.perf_counter() - start, result)

    def probe(self, folder: str) -> ProbeResult:
        """Measure an adapter that has no manifest yet, and forget it again."""
        try:
            self._load(CANDIDATE, folder, None)
            result = self._measure(CANDIDATE)
        finally:
            self.forget(CANDIDATE)
        _refuse_without_effect("The candidate", result)
        return result

    def forget(self, version: Version) -> None:
        """Drop *version* from memory, if it is there."""
        if self._serving == version:
            self.serve(BASE)
        if (known := self._loaded.pop(version, None)) is not None:
            self._kinds[known.kind].forget(version)

    def _load(self, version: Version, folder: str, manifest: Manifest | None) -> None:
        sha = "" if manifest is None else str(sorted(manifest.files.items()))
        known = self._loaded.get(version)
        if known is not None and known.manifest_sha == sha:
            return
        if "." in version:
            raise EngineError("bad-request", f"{version!r} is not a version's name.")
        self.serve(BASE)  # nothing of what answers may flow into what is made of the new one
        if known is not None:
            # Other files under the same name: nothing of the former ones may stay.
            self.forget(version)
        kind = kind_of(Path(folder))
        if kind not in self._kinds:
            self._kinds[kind] = KINDS[kind](self.base, self.dtype)
        self._kinds[kind].load(version, Path(folder))
        self._kinds[kind].serve(None)  # peft lets the first adapter of a model answer at once
        self._loaded[version] = Loaded(kind, sha)

    # -- the probe ---------------------------------------------------------------------------------
    def _measure(self, version: Version) -> ProbeResult:
        if self._base_logits is None:
            self.serve(BASE)
            self._base_logits = self._probe_logits()
        self.serve(version)
        logits = self._probe_logits()
        tensors = self._kinds[self._loaded[version].kind].tensors(version)
        weights_finite = all(bool(torch.isfinite(tensor).all()) for tensor in tensors)
        finite = weights_finite and bool(torch.isfinite(logits).all())
        difference = float((logits - self._base_logits).abs().max()) if finite else math.nan
        step = max(1, logits.numel() // PROBE_VALUES)
        return ProbeResult(finite, difference, tuple(round(float(v), 4) for v in logits[::step][:PROBE_VALUES]))

    @torch.inference_mode()
    def _probe_logits(self) -> torch.Tensor:
        ids = torch.tensor([render(self.tokenizer, PROBE_PROMPT)], device=self.base.device)
        cache, _ = self.new_cache()
        logits: torch.Tensor = self.base(input_ids=ids, past_key_values=cache, logits_to_keep=1).logits[0, -1]
        return logits.float().cpu()


def _is_its_fault(error: BaseException) -> bool:
    """Whether *error*, met while an adapter was put on, says something of the adapter and not of the machine."""
    if isinstance(error, EngineError | MemoryError | OSError) or not isinstance(error, Exception):
        return False
    return "out of memory" not in str(error).lower() and "allocate memory" not in str(error).lower()


def _refuse_without_effect(version: str, result: ProbeResult) -> None:
    if not result.finite:
        raise EngineError(
            "probe-failed", f"{version} contains values that are not numbers (NaN or infinite) and can't answer."
        )
    if result.difference < 1e-3:
        raise EngineError(
            "probe-failed", f"{version} does not change the base's answers, so it did not load correctly."
        )


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
