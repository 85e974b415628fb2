"""Screenshots as the docs keep them: one that stands still, and several that follow each other in one picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

SECONDS = 4.0  # that each frame is shown
CAPTION = 56  # height of the line of captions below the frames, in units of the pictures


@dataclass(frozen=True, slots=True)
class Frame:
    """A picture, and the words below it while it is shown."""

    caption: str
    picture: str


def still(picture: str, name: str) -> str:
    """A screenshot without what would be fetched from elsewhere (fonts), whose ids are the same every time and none of
    another *name*'s."""
    picture = re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    picture = re.sub(r"\s*<!--.*?-->", "", picture, flags=re.DOTALL)
    return re.sub(r"terminal-\d+", name, picture)


def moving(frames: Sequence[Frame]) -> str:
    """*frames*, all of one size, one after the other for ever. Whoever asked their system for less motion sees the
    last one."""
    found = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', frames[0].picture)
    assert found is not None, "no screenshot"
    width, height = float(found.group(1)), float(found.group(2))
    step, whole = width / len(frames), SECONDS * len(frames)
    shown = 100 / len(frames)
    style = [
        f".frame {{ visibility: hidden; animation: turn {whole:g}s step-end infinite; }}",
        f"@keyframes turn {{ 0% {{ visibility: visible }} {shown:g}% {{ visibility: hidden }} }}",
        ".caption { font: 18px sans-serif; fill: #8b949e; text-anchor: middle; }",
        ".frame .caption { fill: #0178d4; stroke: #0178d4; stroke-width: 0.7px; }",
        *(f".f{number} {{ animation-delay: {SECONDS * number:g}s; }}" for number in range(len(frames))),
        "@media (prefers-reduced-motion: reduce) { .frame { animation: none }"
        f" .f{len(frames) - 1} {{ visibility: visible }} }}",
    ]
    captions = [
        f'<text class="caption" x="{step * (number + 0.5):.0f}" y="{height + 36:.0f}">{escape(frame.caption)}</text>'
        for number, frame in enumerate(frames)
    ]
    sized = f'<svg width="{width:g}" height="{height:g}" '
    parts = [
        f'<g class="frame f{number}">{frame.picture.strip().replace("<svg ", sized, 1)}{caption}</g>'
        for number, (frame, caption) in enumerate(zip(frames, captions, strict=True))
    ]
    size = f'viewBox="0 0 {width:g} {height + CAPTION:g}"'
    body = "\n".join([f'<svg {size} xmlns="http://www.w3.org/2000/svg">', "<style>", *style, "</style>"])
    return "\n".join([body, *captions, *parts, "</svg>"]) + "\n"
