"""The pictures of the docs can be taken: by the keys they are taken with, on a model that knows nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.pictures import LOOP, main
from store.home import MODELS_VARIABLE
from tests.test_docs_pictures import FOLDER, lines

pytestmark = [pytest.mark.true, pytest.mark.timeout(600)]


def test_every_picture_of_the_docs_is_taken(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path / "models"))
    main(["--base", str(tiny), "--out", str(tmp_path / "pictures")])
    taken = {path.stem: path.read_text(encoding="utf-8") for path in (tmp_path / "pictures").iterdir()}
    assert {path.stem for path in FOLDER.iterdir()} <= set(taken)
    assert str(tmp_path) not in "".join(taken.values())
    assert "green paper" in " ".join(lines(taken["correction"]))
    assert "loss" in " ".join(lines(taken["training"]))
    assert taken["loop"].count('class="frame') == len(LOOP)
