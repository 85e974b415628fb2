"""Where typed paths may lead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tui
from store.home import Home
from tui.core import DeskError, OpenDesk
from tui.core.reach import Anywhere, InDesk

OUTSIDE = ["/etc/passwd", "~/.profile", "~root/.bashrc", "../desk.db", "exports/../desk.db", "exports/../../x",
           "imports/../deskloop.toml", "..", "exports/..", "/", "exports/link/x", "exports/loop", "imports/dangling",
           "//etc/passwd", "a\x00b", "../garden-of-another/exports/x", "../exports-beside/x"]  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.open(tmp_path / "garden")
    (home.exports / "link").symlink_to(tmp_path)
    (home.exports / "loop").symlink_to(home.exports / "loop")
    (home.imports / "dangling").symlink_to(tmp_path / "not-there-yet")
    (home.root / "exports-beside").mkdir()
    return home


@pytest.mark.parametrize("given", OUTSIDE)
def test_a_browser_reaches_nothing_beside_the_two_folders(home: Home, given: str) -> None:
    reach = InDesk(home)
    for resolve in (reach.to_read, reach.to_write):
        with pytest.raises(DeskError, match="imports and exports only"):
            resolve(given)


def test_a_browser_may_look_at_the_folders_themselves(home: Home) -> None:
    assert InDesk(home).to_read("") == InDesk(home).to_read(".") == home.imports
    assert InDesk(home).to_read("exports/") == home.exports


def test_a_browser_reads_from_imports_and_writes_into_exports(home: Home) -> None:
    reach = InDesk(home)
    assert reach.to_read(" pairs.csv ") == home.imports / "pairs.csv"
    assert reach.to_read("exports/pairs.csv") == home.exports / "pairs.csv"
    assert reach.to_read(str(home.exports / "a b.csv")) == home.exports / "a b.csv"
    assert reach.to_write("talk.md") == home.exports / "talk.md"
    assert reach.to_write("imports/x/talk.md") == home.imports / "x" / "talk.md"
    assert reach.proposed("talk.md") == reach.to_write("talk.md")


def test_folders_that_lie_elsewhere_by_the_owners_wish_are_the_desks(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "garden")
    home.imports.rmdir()
    (tmp_path / "inbox").mkdir()
    home.imports.symlink_to(tmp_path / "inbox")
    assert InDesk(home).to_read("pairs.csv") == tmp_path / "inbox" / "pairs.csv"


def test_a_terminal_reaches_what_its_user_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    reach = Anywhere()
    assert reach.to_read(" ~/x.csv ") == Path("/home/ann/x.csv")
    assert reach.to_write("~nobody-of-that-name/x") == Path("~nobody-of-that-name/x")
    assert reach.proposed("x") == Path("/home/ann/x")
    assert reach.base("/models/mine") == "/models/mine"


@pytest.mark.parametrize("given", ["/etc", "./x", "../x", "~/x", "a/b/c", "-x", ".hidden/x", "a\\b", "C:/x", "x y", ""])
async def test_a_browser_names_no_folder_as_a_base(tmp_path: Path, given: str) -> None:
    async with in_browser(tmp_path) as desk:
        with pytest.raises(DeskError, match="not a folder"):
            desk.settings.change("base", given)


async def test_a_browser_names_the_starter_or_a_hub_id(tmp_path: Path) -> None:
    async with in_browser(tmp_path) as desk:
        assert desk.settings.change("base", "Qwen/Qwen2.5-0.5B-Instruct").base == "Qwen/Qwen2.5-0.5B-Instruct"
        assert desk.settings.change("base", "starter").base == "starter"


def test_the_screens_make_no_paths_of_their_own() -> None:
    root = Path(tui.__file__).parent
    made = re.compile(r"\bPath\(|expanduser|Path\.home|(?<!def )(?<![.\w])open\(|os\.environ|subprocess|webbrowser")
    places = [place for name in ("screens", "flows", "widgets") for place in (root / name).glob("*.py")]
    assert places
    assert [place.name for place in places if made.search(place.read_text(encoding="utf-8"))] == []


def in_browser(folder: Path) -> OpenDesk:
    """A desk as a browser has it."""
    home = Home.open(folder / "garden")
    return OpenDesk(home, reach=InDesk(home))
