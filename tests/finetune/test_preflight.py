"""What a run may not begin with, and why: one sentence each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from finetune.preflight import preflight
from finetune.recipe import METHODS, Recipe
from store.desk import Desk
from store.pairs import NewPair
from store.words import Method
from tests.core.conftest import make_base


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("DESKLOOP_MODELS", str(tmp_path / "models"))
    make_base(tmp_path / "models")
    with Desk.open(tmp_path / "home") as opened:
        news = [NewPair(f"Question {number}?", f"Answer {number}.", split="train") for number in range(8)]
        opened.pairs.add_many(news, "import", "ann")
        yield opened


def test_enough_of_everything_is_no_problem(desk: Desk) -> None:
    found = preflight(desk, Recipe())
    assert (found.problems, found.pairs, found.parent) == ((), 8, "base")
    assert any("held-out" in warning for warning in found.warnings)


def test_too_few_pairs_and_too_little_disk_are_said(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.settings.set("min_pairs", 9, "ann")
    monkeypatch.setattr("finetune.preflight.shutil.disk_usage", lambda _: SimpleNamespace(free=2**20))
    problems = preflight(desk, Recipe()).problems
    assert any("8 pairs" in problem and "at least 9" in problem for problem in problems)
    assert any("of disk are free" in problem for problem in problems)


@pytest.mark.parametrize("quantization", ["nf4", "bf16"])
@pytest.mark.parametrize("method", METHODS)
def test_each_method_goes_with_its_quantization(desk: Desk, method: Method, quantization: str) -> None:
    desk.settings.set("quantization", quantization, "ann")
    refused = any("does not go with" in problem for problem in preflight(desk, Recipe(method=method)).problems)
    assert refused == ((method, quantization) in {("qlora", "bf16"), ("lora", "nf4"), ("full", "nf4")})


def test_full_tuning_is_refused_with_the_memory_it_would_need(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.settings.set("quantization", "bf16", "ann")
    sizes = {"hidden_size": 896, "num_hidden_layers": 24, "intermediate_size": 4864, "num_attention_heads": 14}
    (base,) = desk.home.models.iterdir()
    (base / "config.json").write_text(json.dumps({**sizes, "num_key_value_heads": 2, "vocab_size": 151_936}))
    monkeypatch.setattr("finetune.preflight.psutil.virtual_memory", lambda: SimpleNamespace(available=6 * 2**30))
    assert any(
        "every weight" in problem and "GiB" in problem for problem in preflight(desk, Recipe(method="full")).problems
    )
    assert preflight(desk, Recipe(method="lora")).problems == ()
