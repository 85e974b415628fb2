"""Backups: whole, never overwriting, and checked byte by byte on the way back, whoever wrote them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import sqlite3
import stat
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from store.backup import LIST, BackupRefused, unpacked, write_backup
from store.database.soundness import unfit_indexes
from store.desk import Desk
from store.writing import TargetRefused

Entry = tuple[tarfile.TarInfo, bytes]


@pytest.fixture
def made(desk: Desk, tmp_path: Path) -> Path:
    """An honest backup of a small desk with one adapter and a settings file."""
    desk.conversations.create("ann", "Pots")
    folder = desk.home.adapters / "v1"
    folder.mkdir()
    (folder / "weights.safetensors").write_bytes(b"w" * 100)
    desk.home.settings_file.write_text("min_pairs = 9\n")
    write_backup(desk, tmp_path / "desk.tar", [folder])
    return tmp_path / "desk.tar"


def entries(file: Path) -> list[Entry]:
    """The members of a tar."""
    with tarfile.open(file) as tar:
        return [(info, tar.extractfile(info).read()) for info in tar]  # type: ignore[union-attr]


def rewrite(file: Path, members: list[Entry], head: Callable[[dict[str, Any]], None] = lambda head: None) -> None:
    """Write *members* as *file*, after *head* had its way with the list."""
    body = json.loads(members[0][1])
    head(body)
    raw = json.dumps(body).encode()
    members[0][0].size = len(raw)
    with tarfile.open(file, "w") as tar:
        for info, content in [(members[0][0], raw), *members[1:]]:
            tar.addfile(info, io.BytesIO(content) if info.isreg() else None)


def plain(name: str, content: bytes = b"x") -> Entry:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    return info, content


def listed(name: str, content: bytes = b"x", size: int | None = None) -> dict[str, Any]:
    """How the list names a file."""
    digest = hashlib.sha256(content).hexdigest()
    return {"name": name, "size": len(content) if size is None else size, "sha256": digest}


def special(name: str, kind: bytes, target: str = "/etc/passwd") -> Entry:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""


def refused(file: Path, home: Path) -> str:
    """Restore *file*, which must be refused and leave nothing behind; returns why."""
    before = sorted(path.name for path in home.parent.iterdir())
    with pytest.raises(BackupRefused) as error, unpacked(file, home):
        pass
    assert sorted(path.name for path in home.parent.iterdir()) == before
    return error.value.sentence


def test_what_was_backed_up_comes_back(made: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    home = tmp_path / "deep" / "again"
    with unpacked(made, home) as staging:
        assert not home.exists()
        assert stat.S_IMODE(staging.stat().st_mode) == 0o700
    assert (home / "adapters" / "v1" / "weights.safetensors").read_bytes() == b"w" * 100
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in home.rglob("*") if path.is_file())
    assert [path.name for path in home.parent.iterdir()] == ["again"]
    with Desk.open(home) as desk:
        assert [row.title for row in desk.conversations.list()] == ["Pots"]
        assert desk.settings.take_file(desk.home.settings_file, "ann").values == {"min_pairs": 9}


def test_a_backup_is_that_of_one_moment_and_never_overwrites(desk: Desk, made: Path, tmp_path: Path) -> None:
    raw = made.read_bytes()
    with pytest.raises(TargetRefused, match="already exists"):
        write_backup(desk, made, [])
    assert made.read_bytes() == raw
    write_backup(desk, made, [], force=True)
    assert [info.name for info, _ in entries(made)] == [LIST, "desk.db", "deskloop.toml"]
    with Desk.open(desk.home) as other, other.atomic():
        other.conversations.create("jo", "Not yet said")
        write_backup(desk, tmp_path / "second.tar", [])
    with unpacked(tmp_path / "second.tar", tmp_path / "again"):
        pass
    with Desk.open(tmp_path / "again") as again:
        assert [row.title for row in again.conversations.list()] == ["Pots"]
    assert not list(tmp_path.glob(".deskloop*"))


def test_a_home_with_something_in_it_is_left_alone(made: Path, tmp_path: Path) -> None:
    home = tmp_path / "full"
    home.mkdir()
    (home / "note").write_text("mine")
    assert "is not empty" in refused(made, home)
    assert (home / "note").read_text() == "mine"
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert "is not empty" in refused(made, tmp_path / "link")


@pytest.mark.parametrize(
    "name",
    ["../evil", "/tmp/evil", "adapters/../../evil", "adapters/v1/../../../evil", "adapters/.hidden/x", "runs/x/y",
     "adapters/v1/a\x1b[31m", "desk.db/x", "adapters\\v1\\x", "", "."],
)  # fmt: skip
def test_no_name_leads_outside(made: Path, tmp_path: Path, name: str) -> None:
    members = entries(made)
    rewrite(made, [*members, plain(name)], lambda head: head["files"].append(listed(name)))
    assert "is not a file of a desk" in refused(made, tmp_path / "again")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_nothing_but_plain_files_is_written(made: Path, tmp_path: Path, kind: bytes) -> None:
    members = entries(made)
    name = "adapters/v1/odd"
    rewrite(made, [*members, special(name, kind)], lambda head: head["files"].append(listed(name, b"")))
    assert "is not the file on its list" in refused(made, tmp_path / "again")


def test_a_sparse_file_is_refused(made: Path, tmp_path: Path) -> None:
    members = entries(made)
    info, content = plain("adapters/v1/holes")
    info.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,1",
                        "GNU.sparse.size": str(2**40)}  # fmt: skip
    rewrite(made, [*members, (info, content)], lambda head: head["files"].append(listed(info.name, size=1)))
    assert "is not the file" in refused(made, tmp_path / "again")


def test_what_is_not_as_the_list_says_is_refused(made: Path, tmp_path: Path) -> None:
    home, honest = tmp_path / "again", made.read_bytes()

    def after(members: list[Entry], head: Callable[[dict[str, Any]], None] = lambda head: None) -> str:
        rewrite(made, members, head)
        word = refused(made, home)
        made.write_bytes(honest)
        return word

    members = entries(made)
    assert "not on its list" in after([*members, plain("adapters/v1/extra")])
    assert "appears twice" in after([*members, members[-1]])
    assert "is missing" in after(members[:-1])
    assert "adapters/v1/weights.safetensors is damaged" in after(
        [*members[:-1], plain(members[-1][0].name, b"v" * 100)]
    )
    assert "is not the file" in after([*members[:-1], plain(members[-1][0].name, b"w" * 99)])
    assert "more than the disk" in after(members, lambda head: head["files"][-1].update(size=2**60))
    assert "newer deskloop" in after(members, lambda head: head.update(schema=10**6))
    assert "not that of a desk" in after(members, lambda head: head["files"].append(head["files"][0]))
    assert "can't be read" in after(members, lambda head: head.update(files=[1]))
    assert "is not a backup" in after([plain("other", b"{}"), *members[1:]])


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.97])
def test_a_backup_that_was_cut_off_is_refused(made: Path, tmp_path: Path, share: float) -> None:
    raw = made.read_bytes()
    end = len(raw.rstrip(b"\0"))  # what follows is padding
    made.write_bytes(raw[: int(end * share)])
    refused(made, tmp_path / "again")


def test_another_kind_of_file_is_refused(made: Path, tmp_path: Path) -> None:
    made.write_bytes(gzip.compress(made.read_bytes()))
    assert "is not a backup" in refused(made, tmp_path / "again")
    made.write_bytes(b"MZ" + bytes(5000))
    assert "is not a backup" in refused(made, tmp_path / "again")


def test_a_damaged_database_is_refused(made: Path, tmp_path: Path) -> None:
    members = entries(made)
    place = next(number for number, (info, _) in enumerate(members) if info.name == "desk.db")
    for raw in (b"no database at all" * 400, members[place][1][:4096] + b"\xff" * (len(members[place][1]) - 4096)):
        members[place] = plain("desk.db", raw)
        rewrite(made, members, lambda head, raw=raw: head["files"].__setitem__(0, listed("desk.db", raw)))  # type: ignore[misc]
        assert "database in the backup is damaged" in refused(made, tmp_path / "again")


def test_the_list_comes_first(made: Path) -> None:
    assert entries(made)[0][0].name == LIST


# -- a damaged desk --------------------------------------------------------------------------------
@pytest.fixture
def filled(desk: Desk) -> Desk:
    """A desk whose database has some pages, all in the file itself."""
    for number in range(40):
        conversation = desk.conversations.create("ann", f"Number {number}")
        desk.conversations.add_customer(conversation.id, "Where is my order? " * 30, "ann")
    desk.db.run("PRAGMA wal_checkpoint(TRUNCATE)")
    return desk


@pytest.mark.parametrize("seed", range(30))
def test_every_backup_that_is_made_can_be_restored(filled: Desk, tmp_path: Path, seed: int) -> None:
    """Random damages, among them such that SQLite copies without a word."""
    filled.close()
    chance, file = random.Random(seed), filled.home.database
    raw = bytearray(file.read_bytes())
    for _ in range(chance.choice([1, 1, 4, 40])):
        raw[chance.randrange(100, len(raw))] ^= 1 << chance.randrange(8)
    file.write_bytes(bytes(raw))
    why = None
    try:
        with Desk.open(filled.home) as desk:
            write_backup(desk, tmp_path / "b.tar", [])
    except (BackupRefused, sqlite3.DatabaseError) as error:
        why = getattr(error, "sentence", "")
    if why is not None:
        assert not (tmp_path / "b.tar").exists()
        assert not why or ("Adapters and models are safe" in why and str(file) in why)
        return
    with unpacked(tmp_path / "b.tar", tmp_path / "again"):
        pass
    with Desk.open(tmp_path / "again") as again:
        assert len(again.conversations.list()) == 40


def test_a_row_that_points_to_nothing_is_no_backup(filled: Desk, tmp_path: Path) -> None:
    filled.db.run("PRAGMA foreign_keys = OFF")
    filled.db.run("INSERT INTO approvals (reply_id, created_at, created_by) VALUES (99, '', '')")
    with pytest.raises(BackupRefused, match="a row of approvals points to nothing"):
        write_backup(filled, tmp_path / "b.tar", [])
    assert not list(tmp_path.glob("*.tar"))


@pytest.mark.parametrize(
    "harm",
    [
        "UPDATE turns_text_data SET block = x'00' WHERE id > 10",
        "DELETE FROM turns_text WHERE rowid = 3",
        "UPDATE turns_text SET body = 'other words' WHERE rowid = 3",
        "INSERT INTO turns_text (rowid, body) VALUES (777, 'of nothing')",
    ],
)
def test_a_damaged_index_for_search_is_made_anew_in_the_backup(filled: Desk, tmp_path: Path, harm: str) -> None:
    filled.db.run(harm)
    assert unfit_indexes(filled.db.conn) == ["turns_text"]
    assert write_backup(filled, tmp_path / "b.tar", []).rebuilt
    with unpacked(tmp_path / "b.tar", tmp_path / "again"):
        pass
    with Desk.open(tmp_path / "again") as again:
        assert len(again.search.turns("order", 100)) == 40
        assert unfit_indexes(again.db.conn) == []


def test_one_text_that_is_no_text_does_not_stop_a_backup(filled: Desk, tmp_path: Path) -> None:
    filled.db.run("UPDATE turns SET text = CAST(x'ff' || text AS TEXT) WHERE id = 3")
    write_backup(filled, tmp_path / "b.tar", [])
    with unpacked(tmp_path / "b.tar", tmp_path / "again"):
        pass
    with Desk.open(tmp_path / "again") as again:
        assert again.conversations.turn(3).text.startswith("\ufffdWhere is my order?")
        assert len(again.search.turns("order", 100)) == 40


def test_a_sound_desk_needs_no_new_index(filled: Desk, tmp_path: Path) -> None:
    written = write_backup(filled, tmp_path / "b.tar", [])
    assert (written.rebuilt, written.unreadable) == (False, [])


def test_a_file_that_changes_while_it_is_packed_makes_no_backup(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = desk.home.adapters / "v1"
    folder.mkdir()
    (folder / "weights").write_bytes(b"w" * 100)
    monkeypatch.setattr(
        "store.backup.packing.json.dumps", lambda head, **more: (folder / "weights").write_bytes(b"v" * 100) and "{}"
    )
    with pytest.raises(BackupRefused, match="changed in the meantime"):
        write_backup(desk, tmp_path / "b.tar", [folder])
    assert not (tmp_path / "b.tar").exists()


def test_a_backup_goes_to_standard_output_too(filled: Desk, tmp_path: Path) -> None:
    stdout = io.BytesIO()
    write_backup(filled, Path("-"), [], stdout=stdout)
    (tmp_path / "b.tar").write_bytes(stdout.getvalue())
    with unpacked(tmp_path / "b.tar", tmp_path / "again"):
        pass


# -- a backup that means harm ----------------------------------------------------------------------
@contextmanager
def in_its_database(made: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Change the database in a backup, and the list with it."""
    members = entries(made)
    place = next(number for number, (info, _) in enumerate(members) if info.name == "desk.db")
    (tmp_path / "changed.db").write_bytes(members[place][1])
    with closing(sqlite3.connect(tmp_path / "changed.db", isolation_level=None)) as conn:
        yield conn
    raw = (tmp_path / "changed.db").read_bytes()
    (tmp_path / "changed.db").unlink()
    members[place] = plain("desk.db", raw)
    rewrite(made, members, lambda head: head["files"].__setitem__(0, listed("desk.db", raw)))


@pytest.mark.parametrize(
    ("harm", "word"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON conversations BEGIN DELETE FROM settings; END", "the trigger t is not"),
        ("CREATE VIEW v AS SELECT 1", "the view v is not deskloop's"),
        ("CREATE TABLE more (x)", "the table more is not deskloop's"),
        ("CREATE INDEX i ON turns(lower(text))", "the index i is not deskloop's"),
        ("CREATE TEMP TABLE x (y)", ""),
        ("DROP TRIGGER promotions_no_update", "the trigger promotions_no_update is missing"),
        ("DROP TABLE comparisons", "is missing"),
        ("ALTER TABLE pairs ADD COLUMN x DEFAULT (random())", "the table pairs is not as deskloop makes it"),
        ("CREATE VIRTUAL TABLE f USING fts5(x)", "is not deskloop's"),
        ("DROP TRIGGER skips_stand; CREATE TRIGGER skips_stand AFTER INSERT ON skips BEGIN DELETE FROM settings; END",
         "the trigger skips_stand is not as deskloop makes it"),
        ("INSERT INTO adapter_versions VALUES (1, 'v1', '../../evil', '', '', '', '{}', NULL, '')", "is not a "
            "version's folder"),
        ("INSERT INTO adapter_versions VALUES (-1, 'v-1', 'v-1', '', '', '', '{}', NULL, '')", "is not a version's "
            "folder"),
        ("PRAGMA user_version = 5", "is not deskloop's"),
        ("PRAGMA user_version = 99", "newer deskloop"),
        ("INSERT INTO approvals (reply_id, created_at, created_by) VALUES (99, '', '')", "points to nothing"),
    ],
)  # fmt: skip
def test_only_our_own_schema_is_restored(made: Path, tmp_path: Path, harm: str, word: str) -> None:
    with in_its_database(made, tmp_path) as conn:
        conn.executescript(harm)
    if word:
        assert word in refused(made, tmp_path / "again")
    else:
        with unpacked(made, tmp_path / "again"):
            pass


def test_one_bad_cell_does_not_stop_a_restore(made: Path, tmp_path: Path) -> None:
    with in_its_database(made, tmp_path) as conn:
        conn.execute("INSERT OR REPLACE INTO settings VALUES ('theme', '{', '', '')")
    with unpacked(made, tmp_path / "again"):
        pass
    with Desk.open(tmp_path / "again") as again:
        assert again.settings.load().theme == "textual-dark"


def test_an_empty_folder_that_was_there_stays_the_same_one(made: Path, tmp_path: Path) -> None:
    home = tmp_path / "disk"
    home.mkdir()
    home.chmod(0o750)
    before = home.stat()
    with unpacked(made, home):
        pass
    assert (home.stat().st_ino, home.stat().st_mode) == (before.st_ino, before.st_mode)
    assert sorted(path.name for path in home.iterdir()) == ["adapters", "desk.db", "deskloop.toml"]
    Desk.open(home).close()


def test_nothing_stays_in_a_folder_where_a_restore_failed(made: Path, tmp_path: Path) -> None:
    home = tmp_path / "disk"
    home.mkdir()
    made.write_bytes(made.read_bytes()[:5000])
    with pytest.raises(BackupRefused), unpacked(made, home):
        pass
    assert list(home.iterdir()) == []
