"""The versions of libraries: those that decide what a training makes and what a model answers."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "datasets", "accelerate", "safetensors")


def library_versions(libraries: Iterable[str] = LIBRARIES) -> dict[str, str]:
    """The versions of those *libraries* that are installed; by default the ones that decide a result."""
    found = {}
    for library in libraries:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
