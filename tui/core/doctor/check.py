"""One finding of the doctor."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One finding. ``todo`` is what to do about it, None if nothing is wrong."""

    name: str
    ok: bool
    finding: str
    todo: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``deskloop doctor``."""
        return asdict(self)


def gib(count: float) -> str:
    """A number of bytes, for people."""
    return f"{count / 2**30:.1f} GiB"
