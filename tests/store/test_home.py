"""Where a desk is: made only where it is meant, never in the place of something else, modes left alone."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from store.database import DeskUnreadable
from store.desk import Desk
from store.errors import DeskError
from store.home import DatabaseMissing, FolderRefused, Home, NoDesk


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def whole(root: Path) -> dict[str, bytes | None]:
    """Everything below *root*."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None for path in root.rglob("*")
    }


@pytest.mark.parametrize("before", [0o755, 0o777, 0o1777, 0o500])
def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path, before: int) -> None:
    home = tmp_path / "mine"
    home.mkdir()
    home.chmod(before)
    with Desk.open(home) as desk:
        desk.conversations.create("ann", "Pots")
        inside = {path.name: mode(path) for path in home.iterdir() if path.name != "models"}
    assert mode(home) == before
    assert {name: found for name, found in inside.items() if found not in (0o700, 0o600)} == {}


def test_folders_of_a_desk_keep_their_modes_too(tmp_path: Path) -> None:
    Desk.open(tmp_path / "home").close()
    (tmp_path / "home" / "logs").chmod(0o750)
    Desk.open(tmp_path / "home").close()
    assert mode(tmp_path / "home" / "logs") == 0o750
    assert mode(tmp_path / "home") == 0o700


def test_a_file_that_may_only_be_read_stays_so(tmp_path: Path) -> None:
    Desk.open(tmp_path / "home").close()
    (tmp_path / "home" / "desk.db").chmod(0o444)
    Desk.open(tmp_path / "home").close()
    assert mode(tmp_path / "home" / "desk.db") == 0o400


def test_without_create_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(NoDesk, match="is this the right folder"):
        Home.open(tmp_path / "tpyo" / "deep", create=False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoDesk):
        Home.open(tmp_path / "empty", create=False)
    assert list((tmp_path / "empty").iterdir()) == []
    Desk.open(tmp_path / "new").close()
    Home.open(tmp_path / "new", create=False)


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".profile").write_text("mine")
    (tmp_path / "letters").mkdir()
    tmp_path.chmod(0o755)
    before = whole(tmp_path)
    with pytest.raises(FolderRefused, match=r"is not a desk and contains other files \(\.profile, letters\)"):
        Home.open(tmp_path)
    assert (whole(tmp_path), mode(tmp_path)) == (before, 0o755)
    with pytest.raises(FolderRefused):
        Home.open(tmp_path / ".profile")


def test_settings_and_models_may_lie_there_first(tmp_path: Path) -> None:
    (tmp_path / "deskloop.toml").write_text("min_pairs = 9\n")
    (tmp_path / "models").mkdir()
    (tmp_path / "lost+found").mkdir()
    Desk.open(tmp_path).close()
    assert (tmp_path / "desk.db").stat().st_size > 0


@pytest.mark.parametrize("state", ["missing", "empty"])
@pytest.mark.parametrize("beside", ["adapters/v1", "runs/3"])
def test_a_missing_database_beside_adapters_or_runs_is_an_error(tmp_path: Path, state: str, beside: str) -> None:
    home = tmp_path / "home"
    Desk.open(home).close()
    (home / beside).mkdir()
    (home / beside / "file").write_text("precious")
    (home / "desk.db").unlink()
    if state == "empty":
        (home / "desk.db").touch()
    before = whole(home)
    for create in (True, False):
        with pytest.raises(DatabaseMissing, match=f"desk.db is {state}, beside the {beside.replace('/', ' ')}"):
            Home.open(home, create=create)
    with pytest.raises(DatabaseMissing):
        Desk(Home(home))
    assert whole(home) == before


def test_what_is_no_plain_file_is_not_opened(tmp_path: Path) -> None:
    kinds: tuple[Callable[[Path], None], ...] = (Path.mkdir, os.mkfifo, lambda path: path.symlink_to("elsewhere"))
    for number, make in enumerate(kinds):
        home = tmp_path / str(number)
        home.mkdir()
        make(home / "desk.db")
        with pytest.raises(DeskUnreadable, match="is not a regular file"):
            Desk.open(home)


@pytest.mark.parametrize("kind", ["another program's", "rubbish", "folder"])
def test_beside_what_is_no_database_of_ours_nothing_is_made_and_no_mode_changed(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "theirs"
    root.mkdir(mode=0o755)
    root.chmod(0o755)
    if kind == "folder":
        (root / "desk.db").mkdir()
    elif kind == "rubbish":
        (root / "desk.db").write_bytes(b"rubbish" * 1000)
    else:
        with closing(sqlite3.connect(root / "desk.db")) as conn:
            conn.execute("CREATE TABLE furniture (desks INTEGER)")
    (root / "desk.db").chmod(0o755)
    before = (root / "desk.db").lstat()
    with pytest.raises(DeskError):
        Desk.open(root)
    assert [path.name for path in root.iterdir()] == ["desk.db"]
    after = (root / "desk.db").lstat()
    assert (after.st_mode, after.st_mtime_ns, after.st_size) == (before.st_mode, before.st_mtime_ns, before.st_size)


def test_all_three_files_of_a_database_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Also where the database had been left open to others, and is open in another app."""
    with Desk.open(tmp_path / "desk") as first:
        files = [first.home.database.with_name(f"desk.db{name}") for name in ("", "-wal", "-shm")]
        for file in files:
            file.chmod(0o644)
        with Desk.open(tmp_path / "desk"):
            assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_link_that_leads_nowhere_becomes_no_desk(tmp_path: Path) -> None:
    (tmp_path / "desk").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FolderRefused, match="leads nowhere"):
        Home.open(tmp_path / "desk")
    assert not (tmp_path / "nowhere").exists()
