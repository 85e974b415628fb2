"""The short form of the attacks; ``python -m tests.true.attacks`` does as many as you like."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.true.attacks import ATTACKS, attack
from tests.true.starving import can_mount

pytestmark = [pytest.mark.true, pytest.mark.timeout(600)]

# Engine, run and app have tests of their own (test_kills.py).
SHORT = [(kind, seed) for kind in ATTACKS if kind not in ("engine", "run", "app") for seed in range(2)]


@pytest.mark.parametrize(("kind", "seed"), SHORT, ids=[f"{kind}-{seed}" for kind, seed in SHORT])
def test_an_attack_leaves_a_sound_desk(kind: str, seed: int, tiny: Path, tmp_path: Path) -> None:
    if kind == "full" and not can_mount():
        pytest.skip("a small disk can be made on Linux, by root")
    attack(kind, str(seed), tiny, tmp_path / "site")
