"""What a base needs, from its config alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors import safe_open

from bot.bases.limits import RUNTIME_BYTES, full_training_bytes, serving_bytes, shape_of, training_bytes, weight_bytes
from tests import tiny as makers


@pytest.mark.parametrize("family", makers.FAMILIES)
def test_the_weights_counted_are_those_in_the_file(models: dict[str, Path], family: str) -> None:
    counted = 0
    with safe_open(models[family] / "model.safetensors", "pt") as file:
        for name in file.keys():  # noqa: SIM118 - not a dict
            size = 1
            for side in file.get_slice(name).get_shape():
                size *= side
            counted += size
    shape = shape_of(models[family])
    assert shape.linear + shape.other == pytest.approx(counted, rel=0.03)  # but for norms and biases


def test_the_starter_is_counted_right(starter: Path) -> None:
    shape = shape_of(starter)
    assert shape.linear + shape.other == pytest.approx(134_515_008, rel=0.01)
    assert weight_bytes(starter, "bf16") == pytest.approx(2 * 134_515_008, rel=0.01)


def test_less_precision_takes_less(tiny: Path) -> None:
    assert weight_bytes(tiny, "nf4") < weight_bytes(tiny, "bf16") < weight_bytes(tiny, "fp32")
    assert RUNTIME_BYTES < serving_bytes(tiny, "nf4") < serving_bytes(tiny, "fp32")


def test_training_takes_more_with_longer_batches_higher_rank_and_dense_weights(tiny: Path) -> None:
    least = training_bytes(tiny, "nf4", 256, 4)
    assert least < training_bytes(tiny, "nf4", 1024, 4)
    assert least < training_bytes(tiny, "nf4", 256, 64)
    assert least < training_bytes(tiny, "nf4", 256, 4, dense=True)


def test_a_config_that_says_too_little_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"hidden_size": 64}))
    with pytest.raises(ValueError, match="does not name"):
        shape_of(tmp_path)
    with pytest.raises(OSError, match=r"config\.json"):
        shape_of(tmp_path / "none")


def test_training_every_weight_takes_sixteen_bytes_each_and_more(starter: Path) -> None:
    assert full_training_bytes(starter) > 16 * 134_515_008 + RUNTIME_BYTES
    assert full_training_bytes(starter) > training_bytes(starter, "bf16")
