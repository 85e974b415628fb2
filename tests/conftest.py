"""Fixtures that every part of the suite shares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.desk import Desk
from store.home import HOME_VARIABLE, MODELS_VARIABLE

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
STARTER = "smollm2-135m-instruct"

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


@pytest.fixture(autouse=True)
def no_real_desk(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test ever opens the desk of whoever runs it."""
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path_factory.mktemp("default-home")))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty desk."""
    with Desk.open(tmp_path / "home") as opened:
        yield opened


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny Llama with a chat template. Not to be written to."""
    from tests import tiny as makers

    return makers.make(tmp_path_factory.mktemp("models") / "tiny-llama", "llama")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny model of each family."""
    from tests import tiny as makers

    root = tmp_path_factory.mktemp("families")
    return {family: makers.make(root / family, family) for family in makers.FAMILIES}


@pytest.fixture(scope="session")
def starter() -> Path:
    """The folder of the prepared starter model."""
    folder = Path(os.environ.get(MODELS_VARIABLE, ROOT / ".cache" / "models")) / STARTER
    if not (folder / "config.json").is_file():
        pytest.skip("the starter model is not prepared: run `make starter`")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real customer-service data beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("../shared with the real data is not beside this checkout")
    return SHARED / "data"
