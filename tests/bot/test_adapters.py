"""An adapter on disk: what was published is what is used, or nothing is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
    (made / "adapter_config.json").write_text("{}")
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
