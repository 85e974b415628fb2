"""What somebody means who names a base, and what is said to whoever names something else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests import tiny as makers
from tui.core.errors import DeskError
from tui.core.naming import meant


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def refused(models: Path, wanted: Path | str) -> str:
    with pytest.raises(DeskError) as caught:
        meant(models, str(wanted))
    return caught.value.sentence


def test_two_files_of_one_name_are_two_bases(models: Path, tmp_path: Path) -> None:
    files = [tmp_path / folder / "Model Q4.gguf" for folder in ("one", "two")]
    for file in files:
        file.parent.mkdir()
        file.write_bytes(f"GGUF of {file.parent.name}".encode())
    first, second = (meant(models, str(file)) for file in files)
    assert first.folder != second.folder
    assert {folder.parent for folder in (first.folder, second.folder)} == {models}
    assert first.folder.name.startswith("model-q4-")
    shutil.copy(files[0], files[1])  # the very same model
    assert meant(models, str(files[1])).folder == first.folder


def test_an_exchanged_file_of_the_same_name_is_another_base(models: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF one")
    before = meant(models, str(file)).folder
    file.write_bytes(b"GGUF two")
    assert meant(models, str(file)).folder != before


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("https://huggingface.co/acme/helper", "deskloop setup --base acme/helper"),
        ("https://huggingface.co/acme/helper/tree/main?x=1", "deskloop setup --base acme/helper"),
        ("https://example.org/helper.gguf", "is an address"),
        ("hf://acme", "is an address"),
        ("file:///etc/passwd", "is an address"),
        ("acme/../../etc", "no folder"),
        ("../../etc/nothing", "no folder"),
        ("~nobody-of-this-name/model", "can't be read"),
        ("/nowhere/at/all", "There is no folder /nowhere/at either."),
        ("/nowhere/at/all.gguf", "There is no file /nowhere/at/all.gguf. There is no folder /nowhere/at either."),
        ("/etc/passwd", "is a file"),
        ("a\0b", "There is no folder"),
        ("huggingface.co/acme/helper", "deskloop setup --base acme/helper"),
        ("https://huggingface.co/acme/helper\n", "is an address"),
        ("", "not a complete model"),
    ],
)
def test_what_is_no_base_is_told_by_its_kind(
    models: Path, tmp_path: Path, wanted: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert words in refused(models, wanted)


def test_a_folder_that_is_no_base_is_told_by_what_is_in_it(models: Path, tmp_path: Path, tiny: Path) -> None:
    def folder(name: str, *files: str) -> Path:
        for file in files:
            (tmp_path / name / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file).write_text("{}")
        return tmp_path / name

    gguf = folder("gguf", "model.gguf")
    assert f"Use the file: {gguf / 'model.gguf'}" in refused(models, gguf)
    assert "one of its 2 files" in refused(models, folder("ggufs", "a.gguf", "b.gguf"))
    assert "pickled .bin weights" in refused(models, folder("pickled", "config.json", "pytorch_model.bin"))
    outer = tmp_path / "outer"
    shutil.copytree(tiny, outer / "inner", ignore=shutil.ignore_patterns(".*"))
    assert f"use {outer / 'inner'}" in refused(models, outer)
    assert f"Did you mean {outer}?" in refused(models, tmp_path / "outre")
    assert "it needs config.json" in refused(models, tmp_path)


def test_of_the_hubs_cache_the_model_in_it_is_named(models: Path, tmp_path: Path, tiny: Path) -> None:
    repository = tmp_path / "hub" / "models--acme--helper"
    snapshot = repository / "snapshots" / ("a" * 40)
    shutil.copytree(tiny, snapshot, ignore=shutil.ignore_patterns(".*"))
    for folder in (repository, tmp_path / "hub"):
        assert refused(models, folder).endswith(f"Use the model in it: {snapshot}")
    assert meant(models, str(snapshot)).folder == snapshot
    (snapshot / "config.json").unlink()
    assert "contains no complete model" in refused(models, repository)


def test_an_adapters_folder_is_told_with_its_base(models: Path, tmp_path: Path, tiny: Path) -> None:
    adapter = makers.make_adapter(tiny, tmp_path / "adapter")
    sentence = refused(models, adapter)
    assert f"is an adapter, trained on {tiny}, not a base" in sentence
    (adapter / "adapter_config.json").write_text(json.dumps({"init_lora_weights": "pissa"}))
    assert "is an adapter, not a base" in refused(models, adapter)


def test_the_current_folder_decides_nothing(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here" / "acme" / "helper").mkdir(parents=True)
    (tmp_path / "here" / "gpt2").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert meant(models, "acme/helper").folder == models / "acme--helper"
    assert "Write the folder as ./gpt2" in refused(models, "gpt2")
    monkeypatch.chdir(tmp_path)
    assert meant(models, "gpt2").folder == models / "gpt2"


def test_a_link_to_a_base_and_odd_names_are_bases(models: Path, tmp_path: Path, tiny: Path) -> None:
    for name in ("-dash", "my model's “best” – ünïcode [v1]", "two\nlines"):
        folder = shutil.copytree(tiny, tmp_path / name, ignore=shutil.ignore_patterns(".*"))
        assert meant(models, str(folder)).folder == folder
    (tmp_path / "link").symlink_to(tmp_path / "-dash")
    assert meant(models, str(tmp_path / "link")).folder == tmp_path / "link"
