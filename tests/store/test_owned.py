"""Nothing is removed that deskloop did not mark as its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from store.owned import MARK, NotOwn, is_own, make_own, place, read_mark, remove_own, sweep, workshop


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder of somebody else."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "letter.txt").write_text("mine")
    return folder


def test_what_was_made_here_goes_with_all_that_is_in_it(tmp_path: Path, theirs: Path) -> None:
    own = make_own(tmp_path / "own", what="test")
    (own / "deep" / "er").mkdir(parents=True)
    (own / "link").symlink_to(theirs)
    assert read_mark(own) == {"made_by": "deskloop", "what": "test"}
    remove_own(own)
    remove_own(own)
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]
    assert (theirs / "letter.txt").read_text() == "mine"


def test_everything_else_is_refused(tmp_path: Path, theirs: Path) -> None:
    link = tmp_path / "link"
    own = make_own(tmp_path / "own")
    link.symlink_to(own)
    (tmp_path / "letter.txt").write_text("mine")
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / MARK).symlink_to(own / MARK)
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / MARK).write_text("[" * 60_000)
    for path in (theirs, link, tmp_path / "letter.txt", linked, strange, tmp_path):
        with pytest.raises(NotOwn, match="left unchanged"):
            remove_own(path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "letter.txt",
        "link",
        "linked",
        "own",
        "strange",
        "theirs",
    ]


def test_another_users_folder_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = make_own(tmp_path / "own")
    monkeypatch.setattr("store.owned.os.geteuid", lambda: own.stat().st_uid + 1)
    assert not is_own(own)
    with pytest.raises(NotOwn):
        remove_own(own)


@pytest.mark.parametrize("way", ["", ".", "..", "../theirs", "out/letter.txt", "deep/../../theirs"])
def test_within_a_folder_of_ours_only_what_lies_in_it_goes(tmp_path: Path, theirs: Path, way: str) -> None:
    own = make_own(tmp_path / "own")
    (own / "out").symlink_to(theirs)
    (own / "deep").mkdir()
    with pytest.raises(NotOwn):
        remove_own(own / way, within=own)
    remove_own(own / "out", within=own)
    remove_own(own / "deep", within=own)
    assert [path.name for path in own.iterdir()] == [MARK]
    assert (theirs / "letter.txt").read_text() == "mine"


def test_a_link_in_the_way_is_not_made_a_folder(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        make_own(tmp_path / "link")


def test_what_is_built_appears_whole_and_over_nothing(tmp_path: Path, theirs: Path) -> None:
    with workshop(tmp_path) as shop:
        built = shop / "new"
        built.mkdir()
        (built / "letter.txt").write_text("new")
        for taken in (theirs, theirs / "letter.txt"):
            with pytest.raises(FileExistsError):
                place(built, taken)
        dangling = tmp_path / "dangling"
        dangling.symlink_to(tmp_path / "nowhere")
        with pytest.raises(FileExistsError):
            place(built, dangling)
        place(built, tmp_path / "new")
    assert (theirs / "letter.txt").read_text() == "mine"
    assert (tmp_path / "new" / "letter.txt").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dangling", "new", "theirs"]


def test_what_a_killed_process_left_is_swept_and_what_lives_is_not(tmp_path: Path, theirs: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from store.owned import workshop\n"
        "with workshop(Path(sys.argv[1])) as shop: (shop / 'half').write_text('x'); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == 9
    (tmp_path / ".deskloop-notes").mkdir()
    with workshop(tmp_path) as shop:
        left = [path for path in tmp_path.glob(".deskloop-*") if path != shop]
        assert len(left) == 2
        sweep(tmp_path)
        assert shop.is_dir()
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([".deskloop-notes", "theirs", shop.name])
