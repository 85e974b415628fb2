"""An adapter on disk: what was published is what is used, or nothing is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.adapter_config import CONFIG_NAME
from bot.adapters import MANIFEST_NAME, WEIGHTS_NAME, Manifest, read_manifest, sha256_of, verify, write_manifest
from bot.types import EngineError, ProbeResult

BASE = "b" * 64
PROBE = ProbeResult(True, 2.5, (0.5, -1.0))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A published adapter; verify reads no weights, so any bytes do."""
    made = tmp_path / "v3"
    made.mkdir()
    (made / WEIGHTS_NAME).write_bytes(b"weights")
    (made / "adapter_config.json").write_text('{"peft_type": "FULL"}')
    publish(made)
    return made


def publish(folder: Path, probe: ProbeResult | None = PROBE) -> str:
    files = {path.name: sha256_of(path) for path in folder.iterdir() if path.name != MANIFEST_NAME}
    return write_manifest(folder, Manifest("v3", BASE, "qlora", "2026-01-01T00:00:00.000Z", files, probe))


def refusal(folder: Path) -> str:
    with pytest.raises(EngineError) as caught:
        verify(folder)
    assert caught.value.kind == "adapter-damaged"
    assert str(folder) in caught.value.sentence
    return caught.value.sentence


def test_a_manifest_reads_as_it_was_written(folder: Path) -> None:
    manifest = verify(folder, BASE)
    assert manifest == read_manifest(folder)
    assert (manifest.version, manifest.method, manifest.probe) == ("v3", "qlora", PROBE)
    assert set(manifest.files) == {WEIGHTS_NAME, "adapter_config.json"}


def test_writing_a_manifest_names_its_own_digest(folder: Path) -> None:
    assert publish(folder) == sha256_of(folder / MANIFEST_NAME)


def test_a_missing_file(folder: Path) -> None:
    (folder / "adapter_config.json").unlink()
    assert "adapter_config.json is missing" in refusal(folder)


@pytest.mark.parametrize("name", ["extra.txt", "adapter_model.bin", "deeper/thing.json"])
def test_an_added_file(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"x")
    assert f"{name} does not belong there" in refusal(folder)


def test_a_changed_file(folder: Path) -> None:
    (folder / WEIGHTS_NAME).write_bytes(b"weightz")
    assert "not the file that was published" in refusal(folder)


def test_a_file_that_became_a_link_to_the_same_content(folder: Path, tmp_path: Path) -> None:
    (folder / WEIGHTS_NAME).rename(tmp_path / "elsewhere")
    (folder / WEIGHTS_NAME).symlink_to(tmp_path / "elsewhere")
    assert "not the file that was published" in refusal(folder)


@pytest.mark.parametrize("name", ["adapter_model.bin", "optimizer.pt", "x.pkl"])
def test_a_pickle_is_refused_even_if_it_was_published(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"x")
    publish(folder)
    assert "safetensors" in refusal(folder)


def test_an_adapter_without_safetensors_is_refused(folder: Path) -> None:
    (folder / WEIGHTS_NAME).unlink()
    publish(folder)
    assert "safetensors" in refusal(folder)


def test_a_manifest_can_not_reach_outside_its_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    body = json.loads((folder / MANIFEST_NAME).read_text())
    body["files"]["../secret"] = sha256_of(tmp_path / "secret")
    (folder / MANIFEST_NAME).write_text(json.dumps(body))
    assert "../secret is missing" in refusal(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '{"format": 99}', '{"format": 1, "odd": 1}'])
def test_an_unreadable_manifest(folder: Path, text: str) -> None:
    (folder / MANIFEST_NAME).write_text(text)
    assert "manifest can't be read" in refusal(folder)


def test_a_manifest_whose_probe_is_nonsense(folder: Path) -> None:
    body = json.loads((folder / MANIFEST_NAME).read_text())
    body["probe"] = {"finite": True}
    (folder / MANIFEST_NAME).write_text(json.dumps(body))
    assert "manifest can't be read" in refusal(folder)


def test_no_folder_at_all(tmp_path: Path) -> None:
    assert "manifest can't be read" in refusal(tmp_path / "v9")


def test_another_base_is_no_damage(folder: Path) -> None:
    with pytest.raises(EngineError) as caught:
        verify(folder, "c" * 64)
    assert caught.value.kind == "base-changed"
    assert "Nothing was lost" in caught.value.sentence


LORA = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "v_proj"],
        "init_lora_weights": True, "bias": "none", "megatron_core": "megatron.core", "layer_replication": None,
        "loftq_config": {}, "rank_pattern": {"layers.0.q_proj": 2}, "alpha_pattern": {}, "peft_version": "0.21.2",
        "base_model_name_or_path": "/models/x"}  # fmt: skip
UNFIT_CONFIGS: list[tuple[str, object]] = [
    *[("init_lora_weights", value) for value in ("pissa", "olora", "eva", "corda", "loftq", "gaussian", "pissa_niter_4",
                                                 "orthogonal", False, 1, None)],
    ("auto_mapping", {"base_model_class": "X", "parent_library": "os"}),
    ("layer_replication", [[0, 4], [2, 5]]),
    ("megatron_config", {"a": 1}),
    ("megatron_core", "os.path"),
    ("modules_to_save", ["lm_head"]),
    ("bias", "all"),
    ("r", 0), ("r", -1), ("r", 10**9), ("r", True), ("r", "4"), ("r", 2.5),
    ("lora_alpha", 1e300), ("lora_alpha", float("nan")), ("lora_alpha", float("inf")), ("lora_alpha", -1),
    ("lora_dropout", 1.5),
    ("target_modules", "(a+)+$"), ("target_modules", ["(.*)*x"]), ("target_modules", []), ("target_modules", None),
    ("target_modules", {"q_proj": 1}), ("target_modules", "../x"),
    ("rank_pattern", {"(a|a)*b": 4}), ("rank_pattern", {"q_proj": 10**6}), ("rank_pattern", {"q_proj": "x"}),
    ("alpha_pattern", {"q_proj": float("inf")}), ("alpha_pattern", {".*": 1}),
    ("exclude_modules", "(.*)*y"), ("layers_to_transform", [0]), ("layers_pattern", "(a+)+"),
    ("trainable_token_indices", [1, 2]), ("target_parameters", ["x"]), ("use_qalora", True), ("use_bdlora", {"a": 1}),
    ("alora_invocation_tokens", [1]), ("eva_config", {"rho": 2}), ("corda_config", {"a": 1}),
    ("loftq_config", {"a": 1}),
    ("arrow_config", {"a": 1}), ("runtime_config", {"ephemeral_gpu_offload": True}), ("revision", "main"),
    ("something_new", 1), ("something_new", "x"), ("task_type", "SEQ_CLS"), ("peft_version", 3),
    ("peft_type", "LOHA"), ("peft_type", "XLORA"), ("peft_type", "lora"), ("peft_type", None), ("peft_type", ["LORA"]),
    ("inference_mode", "yes"), ("use_dora", 2), ("base_model_name_or_path", {"a": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), UNFIT_CONFIGS, ids=lambda value: str(value)[:30])
def test_a_description_that_asks_for_what_deskloop_never_does(folder: Path, key: str, value: object) -> None:
    (folder / CONFIG_NAME).write_text(json.dumps(LORA))
    publish(folder)
    verify(folder)
    (folder / CONFIG_NAME).write_text(json.dumps(LORA | {key: value}))
    publish(folder)
    refusal(folder)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", "{", '{"peft_type": "LORA"}', "[" * 100_000, " " * 2**21,
     '{"peft_type": "FULL", "peft_type": "LORA"}', "\udcff"],
    ids=lambda text: text[:20] or "empty",
)  # fmt: skip
def test_a_description_that_is_none(folder: Path, text: str) -> None:
    (folder / CONFIG_NAME).write_bytes(text.encode("utf-8", "surrogateescape"))
    publish(folder)
    refusal(folder)


@pytest.mark.parametrize(
    "config",
    [
        LORA | {"target_modules": "all-linear", "use_rslora": True, "lora_bias": True, "use_dora": True},
        {"peft_type": "FULL", "base_model_name_or_path": "x"},
        {"peft_type": "BOTTLENECK", "size": 8, "activation": "gelu", "places": {"model.layers.0.mlp.down_proj": 64}},
        {"peft_type": "PREFIX_TUNING", "num_virtual_tokens": 8, "num_layers": 2, "prefix_projection": True},
        {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 8, "prompt_tuning_init": "TEXT", "tokenizer_kwargs": None},
    ],
    ids=lambda config: config["peft_type"],
)
def test_what_deskloops_own_methods_write_is_taken(folder: Path, config: dict[str, object]) -> None:
    (folder / CONFIG_NAME).write_text(json.dumps(config))
    publish(folder)
    verify(folder)
