"""The guide's pictures: ``python -m tests.tui.guide`` takes them from the snapshots of the app's own screens.

``pytest tests/tui --snapshot-update`` draws the snapshots anew; a test says when the guide's are not the same."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SNAPSHOTS = ROOT / "tests" / "tui" / "__snapshots__"
FOLDER = ROOT / "docs" / "pictures"
# the picture's name in the guide -> the snapshot it is
PICTURES = {
    "start": "test_pictures/test_the_first_start[100x30].svg",
    "chat": "test_pictures/test_a_run_in_the_chat[160x45].svg",
    "correction": "test_pictures/test_a_desk_in_use[100x30-correction].svg",
    "review": "test_pictures/test_a_desk_in_use[100x30-review].svg",
    "preflight": "test_pictures/test_a_desk_in_use[100x30-preflight].svg",
    "training": "test_pictures/test_a_run_in_its_own_screen[100x30].svg",
    "report": "test_version_pictures/test_a_report[100x30-numbers].svg",
    "versions": "test_pictures/test_the_versions[100x30].svg",
    "compare": "test_version_pictures/test_a_comparison[100x30-blind].svg",
}


def picture(name: str) -> str:
    """The picture as it stands in the guide: without the snapshot's fonts, which would be fetched from elsewhere."""
    drawn = (SNAPSHOTS / PICTURES[name]).read_text(encoding="utf-8")
    return re.sub(r"\s*@font-face \{.*?\}", "", drawn, flags=re.DOTALL)


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(exist_ok=True)
    for name in PICTURES:
        (FOLDER / f"{name}.svg").write_text(picture(name), encoding="utf-8")
    sys.stdout.write(f"{len(PICTURES)} pictures in {FOLDER}\n")


if __name__ == "__main__":
    main()
