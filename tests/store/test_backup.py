"""Backups: whole, never overwriting, and checked byte by byte on the way back, whoever wrote them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store.backup import LIST, BackupRefused, unpacked, write_backup
from store.desk import Desk

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
    with pytest.raises(BackupRefused, match="exists already"):
        write_backup(desk, made, [])
    assert made.read_bytes() == raw
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
    assert "is no file of a desk" in refused(made, tmp_path / "again")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE])
def test_nothing_but_plain_files_is_written(made: Path, tmp_path: Path, kind: bytes) -> None:
    members = entries(made)
    name = "adapters/v1/odd"
    rewrite(made, [*members, special(name, kind)], lambda head: head["files"].append(listed(name, b"")))
    assert "is not the plain file of its list" in refused(made, tmp_path / "again")


def test_a_sparse_file_is_refused(made: Path, tmp_path: Path) -> None:
    members = entries(made)
    info, content = plain("adapters/v1/holes")
    info.pax_headers = {"GNU.sparse.major": "0", "GNU.sparse.minor": "1", "GNU.sparse.map": "0,1",
                        "GNU.sparse.size": str(2**40)}  # fmt: skip
    rewrite(made, [*members, (info, content)], lambda head: head["files"].append(listed(info.name, size=1)))
    assert "is not the plain file" in refused(made, tmp_path / "again")


def test_what_is_not_as_the_list_says_is_refused(made: Path, tmp_path: Path) -> None:
    home, honest = tmp_path / "again", made.read_bytes()

    def after(members: list[Entry], head: Callable[[dict[str, Any]], None] = lambda head: None) -> str:
        rewrite(made, members, head)
        word = refused(made, home)
        made.write_bytes(honest)
        return word

    members = entries(made)
    assert "not in its list" in after([*members, plain("adapters/v1/extra")])
    assert "there twice" in after([*members, members[-1]])
    assert "is missing" in after(members[:-1])
    assert "adapters/v1/weights.safetensors is damaged" in after(
        [*members[:-1], plain(members[-1][0].name, b"v" * 100)]
    )
    assert "not the plain file" in after([*members[:-1], plain(members[-1][0].name, b"w" * 99)])
    assert "more than the disk" in after(members, lambda head: head["files"][-1].update(size=2**60))
    assert "newer deskloop" in after(members, lambda head: head.update(schema=10**6))
    assert "not that of a desk" in after(members, lambda head: head["files"].append(head["files"][0]))
    assert "can't be read" in after(members, lambda head: head.update(files=[1]))
    assert "is no backup" in after([plain("other", b"{}"), *members[1:]])


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.97])
def test_a_backup_that_was_cut_off_is_refused(made: Path, tmp_path: Path, share: float) -> None:
    raw = made.read_bytes()
    end = len(raw.rstrip(b"\0"))  # what follows is padding
    made.write_bytes(raw[: int(end * share)])
    refused(made, tmp_path / "again")


def test_another_kind_of_file_is_refused(made: Path, tmp_path: Path) -> None:
    made.write_bytes(gzip.compress(made.read_bytes()))
    assert "is no backup" in refused(made, tmp_path / "again")
    made.write_bytes(b"MZ" + bytes(5000))
    assert "is no backup" in refused(made, tmp_path / "again")


def test_a_damaged_database_is_refused(made: Path, tmp_path: Path) -> None:
    members = entries(made)
    place = next(number for number, (info, _) in enumerate(members) if info.name == "desk.db")
    for raw in (b"no database at all" * 400, members[place][1][:4096] + b"\xff" * (len(members[place][1]) - 4096)):
        members[place] = plain("desk.db", raw)
        rewrite(made, members, lambda head, raw=raw: head["files"].__setitem__(0, listed("desk.db", raw)))  # type: ignore[misc]
        assert "database in the backup is damaged" in refused(made, tmp_path / "again")


def test_the_list_comes_first(made: Path) -> None:
    assert entries(made)[0][0].name == LIST
