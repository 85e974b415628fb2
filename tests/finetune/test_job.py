"""A job: what is written is read again, whole or not at all, and nobody else may look into it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from finetune.failures import RunFailure
from finetune.files import MARK, JobFiles, RunFiles
from finetune.job import Job, JobBase, JobPair, change_recipe, read_job, read_pairs, spread, write_job
from finetune.recipe import Recipe
from store.home import Home
from store.owned import NotOwn
from store.words import BASE, Version

JOB = Job(
    Recipe(r=4), JobBase("starter", "nf4", "d" * 64, "f" * 64), "Be kind. 亲切。", BASE, "held-out", {"torch": "2"}
)
PAIRS = [JobPair("Wo?\n", (("a", "b"), ("c\u2028", "d")), "Hier.", "de", 8), JobPair("q", (), "a", "en")]


def files_in(folder: Path) -> JobFiles:
    return JobFiles(folder / "job")


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    write_job(files, JOB, PAIRS, PAIRS[1:], None)
    assert read_job(files) == JOB
    assert not JOB.warm
    assert list(read_pairs(files.learned)) == PAIRS
    assert list(read_pairs(files.watched)) == PAIRS[1:]
    assert not files.parent.exists()


def test_it_is_for_its_owner_alone(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    write_job(files, JOB, PAIRS, [], None)
    assert files.root.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in files.root.iterdir()} == {0o600}


def test_the_version_it_goes_on_from_comes_along(tmp_path: Path) -> None:
    version = tmp_path / "v1"
    version.mkdir()
    (version / "adapter_model.safetensors").write_bytes(b"weights")
    files = files_in(tmp_path)
    write_job(files, replace(JOB, parent=Version("v1")), PAIRS, [], version)
    assert read_job(files).warm
    assert (files.parent / "adapter_model.safetensors").read_bytes() == b"weights"


def test_a_whole_job_stays_and_half_a_one_is_replaced(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    write_job(files, JOB, PAIRS, [], None)
    write_job(files, replace(JOB, system="Another."), [], [], None)
    assert read_job(files) == JOB
    (files.root / MARK).unlink()
    with pytest.raises(RunFailure):
        read_job(files)
    write_job(files, replace(JOB, system="Another."), [], [], None)
    assert read_job(files).system == "Another."
    assert list(read_pairs(files.learned)) == []


def test_somebody_elses_folder_is_left(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    files.root.mkdir()
    (files.root / "mine").touch()
    with pytest.raises(NotOwn):
        write_job(files, JOB, PAIRS, [], None)
    assert (files.root / "mine").exists()


def test_the_recipe_alone_can_be_changed(tmp_path: Path) -> None:
    files = files_in(tmp_path)
    write_job(files, JOB, PAIRS, [], None)
    smaller = JOB.recipe.smaller()
    assert smaller is not None
    change_recipe(files, smaller)
    assert read_job(files) == replace(JOB, recipe=smaller)
    assert files.description.stat().st_mode & 0o777 == 0o600
    assert list(read_pairs(files.learned)) == PAIRS


@pytest.mark.parametrize("content", [b"", b"{}", b"[1", b'{"recipe": {"r": "x"}}', b"\xff"])
def test_what_can_not_be_read_is_a_failure_that_quotes_nobody(tmp_path: Path, content: bytes) -> None:
    files = files_in(tmp_path)
    write_job(files, JOB, PAIRS, [], None)
    files.description.write_bytes(content)
    files.learned.write_bytes(content or b"{")
    for read in (lambda: read_job(files), lambda: list(read_pairs(files.learned))):
        with pytest.raises(RunFailure) as failure:
            read()
        assert "Wo?" not in str(failure.value)


def test_what_an_earlier_deskloop_trained_is_gone_on_with(tmp_path: Path) -> None:
    """Its run lay in one folder with its log. What it had trained is judged; from its checkpoints nothing can go on."""
    home = Home(tmp_path)
    root = RunFiles.of(home, 1).root
    for name in ("adapter", "checkpoints/checkpoint-4"):
        (root / name).mkdir(parents=True)
        (root / name / MARK).touch()
    (root / "training.json").write_text("{}")
    assert RunFiles(root).has_work
    files = RunFiles.of(home, 1)
    assert files.job.trained
    assert files.job.facts.read_text() == "{}"
    assert files.job.last_checkpoint() is None
    files.drop_work()
    assert not files.has_work
    assert {path.name for path in root.iterdir()} == {".deskloop-own"}


def test_examples_are_spread_evenly_and_the_same_each_time() -> None:
    assert spread([1, 2]) == [1, 2]
    assert spread(list(range(1000)), 4) == [0, 250, 500, 750]
