"""Twenty kills at random moments; ``python -m tests.true.kills`` does as many as you like."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.true.kills import Bench

pytestmark = [pytest.mark.true, pytest.mark.timeout(600)]

# 8 engines, 8 runs, 4 apps: kills of a run fall into loading, training, publishing, judging and promoting.
KILLS = [("engine", n) for n in range(8)] + [("run", n) for n in range(8)] + [("app", n) for n in range(4)]


@pytest.mark.parametrize(("what", "seed"), KILLS, ids=[f"{what}-{seed}" for what, seed in KILLS])
def test_a_kill_loses_nothing_and_leaves_nothing_half_done(what: str, seed: int, tiny: Path, tmp_path: Path) -> None:
    bench = Bench(tmp_path / "home", random.Random(f"{what}/{seed}"))
    bench.prepare(tiny)
    bench.kill(what)
