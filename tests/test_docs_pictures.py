"""The pictures of the docs: all there, of nobody's machine, and true. ``make pictures`` takes them anew."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.moving import Frame, moving, still

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "pictures"
PICTURES = sorted(FOLDER.glob("*.svg"))
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
LARGEST = 300_000  # bytes: they are fetched by whoever reads the page
COLUMN = 12.2  # units of a picture that a character is wide
TEXT = "{http://www.w3.org/2000/svg}text"


def lines(picture: str) -> list[str]:
    """What is written in a screenshot, line by line."""
    found: dict[float, dict[int, str]] = defaultdict(dict)
    for text in ElementTree.fromstring(picture).iter(TEXT):
        if text.get("clip-path"):
            found[float(text.get("y", 0))][round(float(text.get("x", 0)) / COLUMN)] = "".join(text.itertext())
    rows = []
    for y in sorted(found):
        row = ""
        for column, words in sorted(found[y].items()):
            row = row.ljust(column) + words.replace("\xa0", " ")
        rows.append(row.rstrip())
    return rows


def test_every_picture_is_shown_and_every_one_shown_is_there() -> None:
    shown = set(re.findall(r"\(pictures/(\w+)\.svg\)", GUIDE)) | set(
        re.findall(r"\(docs/pictures/(\w+)\.svg\)", README)
    )
    assert shown == {path.stem for path in PICTURES}


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_picture_names_no_place_of_a_machine_and_fetches_nothing(path: Path) -> None:
    picture = path.read_text(encoding="utf-8")
    assert len(picture) < LARGEST
    assert not re.search(r"/(home|root|tmp|work|Users|mnt|var|opt)/", picture)
    assert not re.findall(r"https?://(?!www\.w3\.org/)|@font-face|@import|<script|<image", picture)


def test_the_report_says_the_same_in_its_sentence_and_in_its_table() -> None:
    # the numbers stand left of a line, the answers right of it
    rows = [line.split("▕")[0] for line in lines((FOLDER / "report.svg").read_text(encoding="utf-8"))]
    sentence = re.sub(r"\s+", " ", " ".join(rows))
    told = {(after, before) for after, before in re.findall(r"BLEU (\d+\.\d) against (\d+\.\d)", sentence)}
    table = {(after, before) for before, after in re.findall(r"BLEU +(\d+\.\d) +(\d+\.\d) +[-+]", "\n".join(rows))}
    assert told
    assert told == table


def test_every_key_the_guide_names_is_bound() -> None:
    keys = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:F\d+|Ctrl\+\w+|Alt\+\w+))`", GUIDE))
    assert named
    for key in named:
        assert f"`{key}`" in keys, key


SCREENSHOT = """<svg class="rich-terminal" viewBox="0 0 200 100" xmlns="http://www.w3.org/2000/svg">
<!-- Generated -->
<style>@font-face { src: url("https://elsewhere/font.woff"); } .terminal-77-r1 { fill: #fff }</style>
<text class="terminal-77-r1" clip-path="url(#terminal-77-line-0)" x="0" y="20">%s</text></svg>"""


def test_a_screenshot_is_kept_without_what_changes_by_itself_or_is_fetched() -> None:
    kept = still(SCREENSHOT % "Hello", "chat")
    assert "elsewhere" not in kept
    assert "terminal-77" not in kept
    assert 'class="chat-r1"' in kept
    assert lines(kept) == ["Hello"]


def test_a_moving_picture_shows_one_frame_at_a_time_and_the_last_to_who_wants_no_motion() -> None:
    frames = [Frame(f"{word} & more", still(SCREENSHOT % word, word)) for word in ("one", "two")]
    picture = moving(frames)
    root = ElementTree.fromstring(picture)
    drawn = [group for group in root.iter("{http://www.w3.org/2000/svg}g") if "frame" in group.get("class", "")]
    assert [[text.text for text in group.iter(TEXT)] for group in drawn] == [
        ["one", "one & more"], ["two", "two & more"],
    ]  # fmt: skip
    assert ".f1 { animation-delay: 4s; }" in picture
    assert "prefers-reduced-motion: reduce) { .frame { animation: none } .f1 { visibility: visible }" in picture
