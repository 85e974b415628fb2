"""Reports of what nobody foresaw."""

from __future__ import annotations

from pathlib import Path

from store.desk import Desk
from store.home import Home
from tui.core.crashes import KEPT, explain, reports, write_report


def fault(said: str = "Anna Berg, Main Street 4") -> Exception:
    try:
        raise RuntimeError(said)
    except RuntimeError as error:
        return error


def test_it_says_version_place_and_nobodys_words(desk: Desk) -> None:
    sentence = explain(desk.home, fault(), "app", "retrain")
    (report,) = reports(desk.home)
    assert sentence.endswith(f"The details are in the report {report}")
    told = report.read_text(encoding="utf-8")
    assert told.startswith("deskloop ")
    assert "app: retrain" in told
    assert "in fault" in told
    assert "Anna" not in told
    assert report.stat().st_mode & 0o077 == 0


def test_the_last_few_stay_and_nothing_else_goes(desk: Desk) -> None:
    theirs = [
        desk.home.logs / "unexpected-app-of-mine.log",
        desk.home.logs / "unexpected-app-20260101-000000-000000.txt",
    ]
    for path in theirs:
        path.write_text("mine")
    outside = desk.home.root.parent / "outside.log"
    outside.write_text("theirs")
    (desk.home.logs / "unexpected-app-20200101-000000-000000.log").symlink_to(outside)
    written = [write_report(desk.home, fault(), "web", str(number)) for number in range(KEPT + 3)]
    assert reports(desk.home) == written[3:]
    assert all(path.read_text() == "mine" for path in theirs)
    assert outside.read_text() == "theirs"


def test_without_a_desk_there_is_a_sentence_only(tmp_path: Path) -> None:
    sentence = explain(Home(tmp_path / "none"), fault("boom"), "command", "ask")
    assert sentence == "This did not work: boom. Everything saved before is still there."
    assert not (tmp_path / "none").exists()
