"""Only what loads is called ready: whole files, of a kind that is known, whose tokenizer and model are of one piece."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.base import content_digest, fingerprint
from bot.soundness import INDEX, check_files
from bot.types import BaseSpec, EngineError

WEIGHTS = "model.safetensors"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 269060552\n"


@pytest.fixture
def base(tiny: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny, tmp_path / "base", ignore=shutil.ignore_patterns(".*"))


def cut(base: Path) -> None:
    raw = (base / WEIGHTS).read_bytes()
    (base / WEIGHTS).write_bytes(raw[: len(raw) // 2])


def longer(base: Path) -> None:
    with (base / WEIGHTS).open("ab") as file:
        file.write(b"more")


def shard(name: str) -> Callable[[Path], None]:
    def change(base: Path) -> None:
        (base / WEIGHTS).rename(base / "model-00001-of-00002.safetensors")
        (base / INDEX).write_text(json.dumps({"weight_map": {"model.norm.weight": name}}))

    return change


def config(**changes: object) -> Callable[[Path], None]:
    def change(base: Path) -> None:
        body = json.loads((base / "config.json").read_text()) | changes
        (base / "config.json").write_text(json.dumps(body))

    return change


def write(name: str, text: str) -> Callable[[Path], None]:
    return lambda base: (base / name).write_text(text) and None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (cut, "is cut off"),
        (longer, "belong to no tensor"),
        (write(WEIGHTS, LFS), "Git LFS"),
        (write("tokenizer.json", LFS), "Git LFS"),
        (write(WEIGHTS, ""), "no safetensors file"),
        (write("config.json", "[" * 100_000), "no JSON"),
        (write("config.json", "[]"), "no table"),
        (shard("model-00002-of-00002.safetensors"), "is missing"),
        (shard("../model.safetensors"), "no file of weights beside it"),
        (config(quantization_config={"quant_method": "gptq", "bits": 4}), "quantized already, by gptq"),
        (config(quantization_config={"quant_method": "awq"}), "quantized already, by awq"),
        (config(num_hidden_layers=10**12), "no base has"),
        (config(vocab_size=10**12), "no base has"),
        (config(vocab_size=20), "the model knows only 20"),
    ],
)
def test_what_would_not_load_is_said_to_be_unfit(base: Path, change: Callable[[Path], None], word: str) -> None:
    check_files(base)
    change(base)
    with pytest.raises(EngineError) as caught:
        check_files(base)
    assert caught.value.kind == "base-missing"
    assert word in caught.value.sentence


def test_a_base_that_is_not_the_one_that_was_set_up_is_refused(base: Path) -> None:
    digest = content_digest(base)
    fingerprint(BaseSpec(str(base), "fp32", digest))
    config(rope_theta=5.0)(base)
    with pytest.raises(EngineError, match="not those that were set up"):
        fingerprint(BaseSpec(str(base), "fp32", digest))


@pytest.mark.parametrize("code", ["while True: pass", "'x' * 2**33", "[0] * 2**31"])
def test_what_never_ends_or_eats_memory_is_ended(code: str) -> None:
    """In a process of its own: the test's own clock is the signal that the guard would use."""
    script = (
        "from bot.template_limits import guarded\nfrom bot.types import EngineError\n"
        f"try:\n    with guarded(0.5, 2**28):\n        {code}\n"
        "except EngineError as error: print(error.kind)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "base-missing\n"
