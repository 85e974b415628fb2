"""Before there is a desk: nothing is made until somebody chose."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.home import FolderRefused
from tests.opened import store_of
from tests.tui.helpers import shows, wait_until
from tui.app import DeskloopApp, run_app
from tui.beginning import BeginningApp
from tui.core import OpenDesk


async def test_the_first_screen_names_the_folder_and_makes_nothing(tmp_path: Path) -> None:
    app = BeginningApp(tmp_path / "garden")
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: shows(app, "Welcome to deskloop"))
        assert shows(app, "A new desk is created in")
        await pilot.press("escape")
    assert app.return_value is None
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240


async def test_a_choice_is_handed_on(tmp_path: Path) -> None:
    app = BeginningApp(tmp_path / "garden")
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: shows(app, "Welcome to deskloop"))
        await pilot.click("#empty")
    assert app.return_value == "empty"
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240


@pytest.mark.parametrize("choice", [None, "empty"])
def test_the_desk_is_made_after_the_choice(tmp_path: Path, choice: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    home, opened = tmp_path / "garden", []
    monkeypatch.setattr(BeginningApp, "run", lambda app: choice)
    monkeypatch.setattr(DeskloopApp, "run", lambda app: opened.append(app.first_choice))
    assert run_app(home) == 0
    assert opened == ([choice] if choice else [])
    assert (home / "desk.db").exists() == (choice is not None)


def test_a_folder_of_other_things_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    with pytest.raises(FolderRefused):
        run_app(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letters"]


async def test_what_was_chosen_before_is_not_asked_again(bare: OpenDesk) -> None:
    app = DeskloopApp(bare, "sample")
    async with app.run_test(size=(80, 24)) as pilot:
        await wait_until(pilot, lambda: store_of(bare).pairs.count() > 200)
        assert not shows(app, "Welcome to deskloop")
