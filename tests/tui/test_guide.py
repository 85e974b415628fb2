"""The guide shows the screens as they are, and names keys that exist."""

from __future__ import annotations

import re

import pytest

from tests.tui.guide import FOLDER, PICTURES, ROOT, picture

GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_the_screen_as_it_is_now(name: str) -> None:
    """If this fails after a change of a screen: ``python -m tests.tui.guide``."""
    assert (FOLDER / f"{name}.svg").read_text(encoding="utf-8") == picture(name)


def test_every_picture_is_shown_and_every_one_shown_is_there() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"\(pictures/(\w+)\.svg\)", GUIDE)) | set(
        re.findall(r"\(docs/pictures/(\w+)\.svg\)", readme)
    )
    assert shown == set(PICTURES) == {path.stem for path in FOLDER.iterdir()}


def test_every_key_the_guide_names_is_bound() -> None:
    keys = (ROOT / "docs" / "keys.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:F\d+|Ctrl\+\w+|Alt\+\w+))`", GUIDE))
    assert named
    for key in named:
        assert f"`{key}`" in keys, key
