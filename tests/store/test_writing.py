"""Files for people: new ones only, unless it is said, and never through anything but a plain file."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from store.desk import Desk
from store.writing import TargetRefused, check_new_folder, free_name, new_file, output


def write(path: Path, content: bytes = b"new", *, force: bool = False) -> None:
    with new_file(path, force=force) as file:
        file.write(content)


def device(path: Path) -> None:
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))


ODD: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to another file": lambda path: path.symlink_to(path.parent / "other"),
    "a device": lambda path: path.symlink_to("/dev/null") if os.geteuid() else device(path),
}


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    write(tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


def test_a_file_is_replaced_only_if_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"old")
    with pytest.raises(TargetRefused, match="already exists and was left unchanged") as refused:
        write(tmp_path / "x")
    assert refused.value.taken
    assert (tmp_path / "x").read_bytes() == b"old"
    write(tmp_path / "x", force=True)
    assert (tmp_path / "x").read_bytes() == b"new"


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("kind", ODD)
def test_nothing_but_a_plain_file_is_ever_replaced(tmp_path: Path, kind: str, force: bool) -> None:
    (tmp_path / "other").write_bytes(b"old")
    ODD[kind](tmp_path / "x")
    before = (tmp_path / "x").lstat().st_mode
    with pytest.raises(TargetRefused, match="deskloop writes only regular files") as refused:
        write(tmp_path / "x", force=force)
    assert not refused.value.taken
    assert (tmp_path / "x").lstat().st_mode == before
    assert (tmp_path / "other").read_bytes() == b"old"


def test_a_link_that_leads_nowhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to(tmp_path / "planted")
    with pytest.raises(TargetRefused):
        write(tmp_path / "x")
    assert not (tmp_path / "planted").exists()


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_came_meanwhile_stays(tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not links:
        monkeypatch.setattr(os, "link", no_links)

    def slow() -> None:
        with new_file(tmp_path / "x") as file:
            file.write(b"new")
            (tmp_path / "x").write_bytes(b"another's")

    with pytest.raises(TargetRefused):
        slow()
    assert (tmp_path / "x").read_bytes() == b"another's"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def no_links(*names: object) -> None:
    raise OSError(errno.EPERM, "no links here")


def test_a_disk_without_links_takes_files_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", no_links)
    write(tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("force", [False, True])
def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path: Path, force: bool) -> None:
    if force:
        (tmp_path / "x").write_bytes(b"old")

    def broken() -> None:
        with new_file(tmp_path / "x", force=force) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"] * force


def test_standard_output_is_written_to_where_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stdout = io.BytesIO()
    with output(Path("-"), stdout) as file:
        file.write(b"x")
    assert stdout.getvalue() == b"x"
    assert list(tmp_path.iterdir()) == []


def test_a_free_name_is_one_that_nothing_has(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1-2").symlink_to("nowhere")
    assert free_name(tmp_path, "v1").name == "v1-3"
    assert free_name(tmp_path, "v1", ".md").name == "v1.md"


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    "name", ["desk.db", "desk.db-wal", "desk.migrate", "deskloop.toml", "run.lock", "adapters/v1/x", "runs/1/run.log"]
)
def test_what_a_desk_keeps_is_never_written_over(desk: Desk, name: str, force: bool) -> None:
    """Its database is a plain file, too; an export with --force made an empty desk of it."""
    target = desk.home.root / name
    target.parent.mkdir(parents=True, exist_ok=True)
    before = target.read_bytes() if target.exists() else None
    for way in (target, target.parent / ".." / target.parent.name / target.name):
        with pytest.raises(TargetRefused, match="keeps its own files") as refused:
            write(way, force=force)
        assert not refused.value.taken
    assert (target.read_bytes() if target.exists() else None) == before


@pytest.mark.parametrize("name", ["exports/pairs.jsonl", "imports/pairs.jsonl", "pairs.jsonl"])
def test_in_a_desks_folder_other_files_may_lie(desk: Desk, name: str) -> None:
    write(desk.home.root / name)
    assert (desk.home.root / name).read_bytes() == b"new"


def test_no_copy_of_a_version_lies_among_the_versions(desk: Desk) -> None:
    with pytest.raises(TargetRefused, match="keeps its own files"):
        check_new_folder(desk.home.adapters / "v9")
    check_new_folder(desk.home.models / "merged")
