"""A desk that is damaged, full, locked, or may only be read: said in a sentence, and read where it can be."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from store.database import Database, DeskBusy, DeskFull, DeskReadOnly, DeskUnreadable
from store.desk import Desk
from store.pairs import NewPair
from store.words import BASE
from tests.store.test_desk import said


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A small desk, closed."""
    with Desk.open(tmp_path / "home") as desk:
        said(desk)
        desk.pairs.add_many((NewPair(f"Question {n}?", "Answer. " * 20) for n in range(60)), "import", "ann")
    return tmp_path / "home"


@pytest.fixture
def read_only(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system says of everything that it can't be written: as root nothing else would."""
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: not mode & os.W_OK and access(path, mode, **more))


def reads(desk: Desk) -> None:
    assert desk.pairs.count() == 60
    assert len(list(desk.pairs.live())) == 60
    assert desk.pairs.list(query="Question 7")
    assert [turn.text for turn in desk.conversations.turns(1)] == ["Where is my order?", "No idea."]


# -- only to be read -------------------------------------------------------------------------------
@pytest.mark.usefixtures("read_only")
def test_a_desk_that_may_only_be_read_is_read(home: Path) -> None:
    before = (home / "desk.db").read_bytes()
    with Desk.open(home) as desk:
        assert desk.db.read_only == f"the folder {home} can't be written"
        reads(desk)
        for write in (
            lambda: desk.conversations.create("ann"),
            lambda: desk.settings.set("min_pairs", 9, "ann"),
            lambda: desk.runs.create({}, BASE, "ann"),
        ):
            with pytest.raises(DeskReadOnly, match="Nothing of this action was kept and nothing is lost"):
                write()
        assert desk.runs.mark_interrupted() == []
    assert (home / "desk.db").read_bytes() == before


def test_what_another_app_has_not_yet_put_into_the_file_is_read_too(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that nobody tidied up, because the machine went off: on a read-only disk, a copy of it is read."""
    script = (
        "import os, sys\nfrom store.desk import Desk\n"
        "d = Desk.open(sys.argv[1]); d.conversations.create('x'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(home)], check=True)
    assert (home / "desk.db-wal").stat().st_size > 0
    (home / "desk.db-shm").unlink()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: not mode & os.W_OK and access(path, mode, **more))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    connect = sqlite3.connect

    def refusing(address: str, **more: object) -> sqlite3.Connection:
        if address.startswith(home.as_uri()):  # as SQLite does where it can make no index of the log
            raise _cannot_open()
        return connect(address, **more)  # type: ignore[call-overload, no-any-return]

    monkeypatch.setattr(sqlite3, "connect", refusing)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with Desk.open(home) as desk:
        assert len(desk.conversations.list()) == 2
        assert list(tmp_path.glob("deskloop-reading-*"))
    assert not list(tmp_path.glob("deskloop-reading-*"))


def leave_a_log(home: Path, act: str) -> None:
    """Do something at the desk, and end as a machine does that goes off."""
    script = f"import os, sys; from store.desk import Desk\nd = Desk.open(sys.argv[1]); {act}; os._exit(0)"
    subprocess.run([sys.executable, "-c", script, str(home)], check=True)


def _cannot_open() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("unable to open database file")
    error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
    return error


@pytest.mark.usefixtures("read_only")
def test_no_desk_is_made_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(DeskUnreadable):
        Database(tmp_path / "desk.db")
    assert not (tmp_path / "desk.db").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk")
@pytest.mark.parametrize("state", ["read-only", "full", "left by a crash"])
def test_on_a_real_disk_that_takes_nothing(home: Path, tmp_path: Path, state: str) -> None:
    """Where the system lets us: a small disk of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("this system lets nobody mount")
    try:
        subprocess.run(["cp", "-a", home, disk / "home"], check=True)
        if state == "left by a crash":
            leave_a_log(disk / "home", "d.conversations.rename(1, 'New')")
        if state == "full":
            fill(disk / "filler")
        else:
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with Desk.open(disk / "home") as desk:
            reads(desk)
            assert desk.conversations.get(1).title == ("New" if state == "left by a crash" else "Where is my order?")
            with pytest.raises((DeskFull, DeskReadOnly), match="Nothing of this action was kept"):
                write_much(desk)
            reads(desk)
    finally:
        subprocess.run(["umount", disk], check=True)


def write_much(desk: Desk) -> None:
    for _ in range(200):
        desk.conversations.create("ann", "x" * 5000)


def fill(file: Path) -> None:
    """Leave no room on a disk."""
    with file.open("wb", buffering=0) as filler, contextlib.suppress(OSError):
        while True:
            filler.write(bytes(4096))


def test_a_full_disk_is_said_so(home: Path) -> None:
    with Desk.open(home) as desk:
        desk.db.run(f"PRAGMA max_page_count = {desk.db.value('PRAGMA page_count')}")
        with pytest.raises(DeskFull, match="nothing was lost"):
            desk.pairs.add(NewPair("x" * 9000, "y" * 9000), "import", "ann")
        reads(desk)


def test_a_lock_is_said_so(home: Path) -> None:
    with Desk.open(home) as desk, closing(sqlite3.connect(home / "desk.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        desk.db.wait_at_most(0.01)
        with pytest.raises(DeskBusy):
            desk.conversations.create("ann")
        reads(desk)


# -- damaged ---------------------------------------------------------------------------------------
def cut(raw: bytes, chance: random.Random) -> bytes:
    return raw[: chance.randrange(1, len(raw))]


def flipped(raw: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(raw))
    return raw[:place] + bytes([raw[place] ^ 0xFF]) + raw[place + 1 :]


def page_of_noise(raw: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(raw) // 4096) * 4096
    return raw[:place] + chance.randbytes(4096) + raw[place + 4096 :]


@pytest.mark.parametrize("damage", [cut, flipped, page_of_noise])
@pytest.mark.parametrize("seed", range(8))
def test_damage_is_told_with_the_file_and_never_as_anything_else(
    home: Path, damage: Callable[[bytes, random.Random], bytes], seed: int
) -> None:
    file = home / "desk.db"
    file.write_bytes(damage(file.read_bytes(), random.Random(seed)))
    looks: list[Callable[[Desk], object]] = [
        lambda desk: list(desk.pairs.live()),
        lambda desk: desk.pairs.training_set(),
        lambda desk: desk.conversations.turns(1),
        lambda desk: desk.runs.list(),
        lambda desk: desk.settings.load(),
        lambda desk: desk.versions.list(),
        lambda desk: desk.pairs.list(query="Answer"),
    ]
    for look in looks:
        told = f"{file}: left unchanged"
        try:
            with Desk.open(home) as desk:
                look(desk)
        except DeskUnreadable as error:
            told = error.sentence
        except sqlite3.DatabaseError as error:  # a damaged schema, which SQLite takes for a wrong question
            assert "no such" in str(error) or "malformed" in str(error)  # noqa: PT017
        assert str(file) in told
        assert "left unchanged" in told


def test_of_damaged_pairs_those_that_can_be_read_are_read(home: Path) -> None:
    file = home / "desk.db"
    with Desk.open(home) as desk:
        desk.db.run("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = [row[0] for row in desk.db.all("SELECT pageno FROM dbstat WHERE name = 'pairs' AND pagetype = 'leaf'")]
    raw = bytearray(file.read_bytes())
    raw[(pages[1] - 1) * 4096 : pages[1] * 4096] = b"\xff" * 4096
    file.write_bytes(bytes(raw))
    lost: list[int] = []
    with Desk.open(home) as desk:
        found = [pair.id for pair in desk.pairs.live(lost)]
        with pytest.raises(DeskUnreadable, match="is damaged"):
            list(desk.pairs.live())
    assert sorted(found + lost) == list(range(1, 61))
    assert 0 < len(lost) < 30


def test_a_text_that_is_no_text_stops_nothing(home: Path) -> None:
    with Desk.open(home) as desk:
        desk.db.run("UPDATE conversations SET title = CAST(x'ff41' AS TEXT)")
        assert [row.title for row in desk.conversations.list()] == ["\ufffdA"]
        assert desk.conversations.get(1).title == "\ufffdA"


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "desk.db")) as other:
        other.execute("CREATE TABLE theirs (x)")
    before = (tmp_path / "desk.db").read_bytes()
    with pytest.raises(DeskUnreadable, match="another program's database"):
        Desk.open(tmp_path)
    with closing(sqlite3.connect(tmp_path / "desk.db")) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    assert before[100:] == (tmp_path / "desk.db").read_bytes()[100:]


def test_no_connection_trusts_what_the_file_brings(home: Path) -> None:
    with Desk.open(home) as desk:
        assert desk.db.value("PRAGMA trusted_schema") == 0
