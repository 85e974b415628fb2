"""A desk that was made before the renderer had a number keeps its versions, where their base is rendered as it was."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from bot.adapters import sha256_of, verify
from bot.bases.base import DECIDING, fingerprint
from bot.engines.scripted import FACTS
from bot.engines.torch.serving import ServingModel
from bot.types import FAITHFUL, AdapterRef, BaseSpec, Prompt
from finetune.gate import answers
from finetune.parent import warm_parent
from finetune.recipe_values import recorded_recipe
from finetune.train.setup import load_for_training
from store.desk import Desk
from store.words import Version
from tests import old_desk
from tests import tiny as makers
from tui.core.adapters import overview, verify_all
from tui.core.base import base_mark
from tui.core.doctor import examine


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DESKLOOP_MODELS", raising=False)
    return old_desk.unpack(tmp_path)


def test_its_versions_are_of_this_base_and_answer(home: Path) -> None:
    with Desk.open(home) as desk:
        assert base_mark(desk) == old_desk.MARK == desk.runs.get(1).base_fingerprint
        assert [(row.version, row.other_base, row.active) for row in overview(desk)] == [
            ("base", False, False),
            ("v1", False, True),
        ]
        assert all(finding.sentence is None for finding in verify_all(desk))
        assert next(check for check in examine(desk) if check.name == "adapters").ok
    serving = ServingModel(BaseSpec(str(home / "models" / "tiny"), "fp32"))
    makers.serve(serving, AdapterRef(Version("v1"), str(home / "adapters" / "v1")))
    assert serving.versions == ("v1",)


def test_a_run_goes_on_from_them(home: Path) -> None:
    with Desk.open(home) as desk:
        recipe = recorded_recipe(desk.versions.get(Version("v1")).recipe)
        assert warm_parent(desk, recipe) == "v1"
    spec = BaseSpec(str(home / "models" / "tiny"), "fp32")
    verify(home / "adapters" / "v1", fingerprint(spec))  # as the run's process does
    tuned, _ = load_for_training(spec, recipe, "", longest=64, unpack=False)
    tuned.warm_start(home / "adapters" / "v1")


def as_it_was(folder: Path, quantization: str = "fp32") -> str:
    """The mark that 7e23663 gave a base."""
    digest = hashlib.sha256(f"{quantization}\x00e42e66a7df21af99".encode())
    for path in sorted({path for pattern in DECIDING for path in folder.glob(pattern)}):
        digest.update(f"\x00{path.name}\x00{sha256_of(path)}".encode())
    return digest.hexdigest()


@pytest.mark.parametrize(
    ("options", "same"),
    [
        ({}, True),
        ({"template": False}, False),
        ({"template": makers.THINKING}, False),
        ({"template": makers.DATED}, False),
        ({"marked": False}, False),
    ],
)
def test_marks_change_for_bases_that_are_rendered_otherwise_and_for_no_others(
    options: dict[str, Any], same: bool, tmp_path: Path
) -> None:
    folder = makers.make(tmp_path / "base", tokenizer=makers.make_tokenizer(**options))
    assert (fingerprint(BaseSpec(str(folder), "fp32")) == as_it_was(folder)) is same


def test_the_starters_mark_stays(starter: Path) -> None:
    assert fingerprint(BaseSpec(str(starter), "nf4")) == as_it_was(starter, "nf4")


def test_answers_that_were_kept_are_found_under_the_same_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_libraries", lambda: {"torch": "0"})
    key = "e60c2aa6e291387aef3e932372e5b32eb71dbab7fd7e2984e518a5337af15825"  # as 7e23663 wrote it
    assert answers.answer_key(FACTS, "base", FAITHFUL, Prompt("s", (("a", "b"),), "Hello")) == key
