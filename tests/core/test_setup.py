"""Setting a base up: the one that worked stays until the new one has answered."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from bot.bases.base import content_digest
from bot.engines.scripted import Script
from bot.types import EngineError
from finetune.desk_base import base_facts, desk_base
from store.owned import mark_own
from tests.opened import store_of
from tui.core import DeskError, OpenDesk
from tui.core.base import base_spec
from tui.core.doctor import examine
from tui.core.setup import set_up

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def base(tiny: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny, tmp_path / "base", ignore=shutil.ignore_patterns(".*"))


async def setting_up(open_desk: OpenDesk, script: Script, base: str | None) -> list[str]:
    said: list[str] = []
    await set_up(store_of(open_desk), base, "ann", said.append, script)
    return said


@pytest.mark.parametrize("fault", ["failed", "out-of-memory", "base-missing", "engine-died"])
async def test_a_base_that_does_not_answer_leaves_the_one_before(
    open_desk: OpenDesk, script: Script, base: Path, fault: str
) -> None:
    script.loads = [EngineError(fault, "The model could not do this (KeyError).")]  # type: ignore[arg-type]
    with pytest.raises(DeskError, match="The desk's base is unchanged"):
        await setting_up(open_desk, script, str(base))
    assert open_desk.settings.now.base == "starter"
    assert store_of(open_desk).bases.get(str(base)) is None
    assert script.engines[-1].closed
    said = await setting_up(open_desk, script, str(base))
    assert open_desk.settings.now.base == str(base)
    known = store_of(open_desk).bases.get(str(base))
    assert known is not None
    assert known.digest == content_digest(base, anew=True)
    assert "for one answer..." in said[-1]


async def test_a_base_that_is_not_sound_is_not_even_loaded(open_desk: OpenDesk, script: Script, base: Path) -> None:
    raw = (base / "model.safetensors").read_bytes()
    (base / "model.safetensors").write_bytes(raw[: len(raw) // 2])
    with pytest.raises(DeskError, match="is incomplete"):
        await setting_up(open_desk, script, str(base))
    assert script.engines == []
    assert open_desk.settings.now.base == "starter"


async def test_without_a_name_changed_files_are_not_taken(open_desk: OpenDesk, script: Script, base: Path) -> None:
    await setting_up(open_desk, script, str(base))
    facts = (base / "tokenizer.json").stat()
    (base / "tokenizer.json").write_text((base / "tokenizer.json").read_text().replace("Ġ", "ġ", 1))
    os.utime(base / "tokenizer.json", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    with pytest.raises(DeskError, match="are not the ones you set up"):
        await setting_up(open_desk, script, None)
    check = next(check for check in examine(store_of(open_desk)) if check.name == "base")
    assert (check.ok, check.finding) == (False, f"The files in {base} are not the ones you set up.")


async def test_the_base_of_a_desk_that_never_was_set_up_is_noted_when_it_is_first_loaded(
    open_desk: OpenDesk, script: Script, tmp_path: Path
) -> None:
    assert store_of(open_desk).bases.get("starter") is None
    await open_desk.engine.start()
    folder = tmp_path / "models" / "smollm2-135m-instruct"
    known = store_of(open_desk).bases.get("starter")
    assert known is not None
    assert (known.folder, known.digest) == (folder, content_digest(folder, anew=True))
    assert base_spec(store_of(open_desk)).digest == known.digest


async def test_the_card_of_an_adapter_names_the_commit_of_its_base(
    open_desk: OpenDesk, script: Script, tiny: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(tiny, tmp_path / "models" / "acme--helper", ignore=shutil.ignore_patterns(".*"))
    mark_own(folder, what="base", source="acme/helper", revision=COMMIT)
    await setting_up(open_desk, script, "acme/helper")
    facts = base_facts(store_of(open_desk), desk_base(store_of(open_desk)))
    assert facts == {"folder": "acme--helper", "quantization": "nf4", "revision": COMMIT}
    store_of(open_desk).settings.set("base", "starter", "ann")
    assert base_facts(store_of(open_desk), desk_base(store_of(open_desk)))["revision"] is None
