"""Errors that carry an operator's sentence: one base class, which survives being sent elsewhere."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from bot.bases.prepare import PrepareError
from bot.types import EngineError
from finetune.failures import SENTENCES, RunFailure, kind_of
from finetune.merging import NotMerged
from finetune.recipe import RecipeError
from store.errors import DeskBusy, DeskFull, DeskReadOnly, DeskUnreadable, NotThere, OperatorError, Refused
from store.importing.rows import ColumnsUnknown
from store.owned import NotOwn
from store.runs import RunAlreadyLive, WrongTransition
from store.settings import SettingError
from store.words import version_named
from tui.core.errors import DeskError
from tui.web.secret import SecretError

ALL: list[OperatorError] = [
    ColumnsUnknown("Which column holds what?", ("a", "b"), (("1", "2"),)),
    DeskBusy(),
    DeskError("It did not work.", Path("a.log")),
    DeskFull(),
    DeskReadOnly(Path("desk.db"), "it is write-protected"),
    DeskUnreadable("desk.db is damaged."),
    EngineError("out-of-memory", "The machine ran out of memory."),
    NotMerged("It answers worse."),
    NotOwn(Path("elsewhere")),
    NotThere("There is no pair 7."),
    PrepareError("There is no such file."),
    RecipeError("r must be between 1 and 1024, not 0."),
    Refused("The correction is empty."),
    RunAlreadyLive(),
    RunFailure("diverged", "loss nan"),
    SecretError("The token is too short."),
    SettingError("The setting top_p must be 1 or less.", "top_p must be 1 or less", ("natural", "top_p")),
    WrongTransition("Run 1 is over."),
]


@pytest.mark.parametrize("error", ALL, ids=lambda error: type(error).__name__)
def test_an_error_arrives_elsewhere_as_it_was(error: OperatorError) -> None:
    other = pickle.loads(pickle.dumps(error))
    assert type(other) is type(error)
    assert (str(other), vars(other)) == (str(error), vars(error))
    assert error.sentence.endswith((".", "?"))


def test_the_text_of_an_error_is_its_sentence() -> None:
    """But for a failed run's, whose details are for its log."""
    assert {type(error) for error in ALL if str(error) != error.sentence} == {RunFailure}


def test_what_the_desk_could_not_do_is_the_kind_of_a_runs_failure() -> None:
    assert [kind_of(error) for error in ALL if error.kind in SENTENCES and error.kind != "failed"] == [
        "desk-busy",
        "disk-full",
        "desk-read-only",
        "desk-damaged",
        "out-of-memory",
        "diverged",
    ]


@pytest.mark.parametrize("text", ["base", "v1", "v10", "v123456789"])
def test_a_versions_name_is_read_where_it_comes_in(text: str) -> None:
    assert version_named(text) == text


@pytest.mark.parametrize("text", ["", "v0", "V1", "v01", "v1 ", "v1\n", "../v1", "imported", "v1234567890", "v١"])
def test_what_is_no_versions_name_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Refused, match=r"is not the name of a version"):
        version_named(text)
