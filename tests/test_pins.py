"""What is installed is what was looked at: pins, their hashes, their licences."""

from __future__ import annotations

import importlib.util
import json
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from bot.bases.prepare import STARTER_HASH, STARTER_REQUIREMENT

ROOT = Path(__file__).parents[1]
EXACT = re.compile(r"([A-Za-z0-9._-]+)==([\w.+!-]+)")


def script(name: str) -> ModuleType:
    """A script of ``.ci``."""
    spec = importlib.util.spec_from_file_location(f"ci_{name}", ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plain(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lines(name: str) -> list[str]:
    """The lines of a file of the repository, without comments."""
    return [line for line in (ROOT / name).read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]


PINS = {plain(found[1]): found[2] for line in lines("constraints.txt") if (found := EXACT.fullmatch(line))}


def test_every_pin_is_exact_and_named_once() -> None:
    assert len(PINS) == len(lines("constraints.txt"))


def test_everything_that_is_needed_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in project["project"]["optional-dependencies"].values():
        wanted += extra
    names = {plain(re.split(r"[\[<>=!~; ]", line)[0]) for line in wanted} - {"deskloop"}
    assert names <= set(PINS)


def test_every_pin_but_pytorchs_has_its_hashes() -> None:
    name, locked, hashes = "", dict[str, str](), dict[str, int]()
    for line in lines("requirements.lock"):
        if found := re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line):
            hashes[name] += 1
        else:
            found = re.fullmatch(r"([\w.-]+)==([\w.+!-]+) \\", line)
            assert found is not None, line
            name = plain(found[1])
            locked[name], hashes[name] = found[2], 0
    assert locked == {name: version for name, version in PINS.items() if name != "torch"}, "run make lock"
    assert min(hashes.values()) > 0


def test_no_index_is_named() -> None:
    for name in ("constraints.txt", "requirements.lock", "Makefile", "pyproject.toml", ".ci/lock.py", ".ci/audit.py"):
        assert not re.search(r"https?://|index-url|find-links", (ROOT / name).read_text(encoding="utf-8")), name


def test_the_starters_package_has_its_hash() -> None:
    assert EXACT.fullmatch(STARTER_REQUIREMENT)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", STARTER_HASH)


def test_the_page_on_licences_lists_every_pin_with_a_licence() -> None:
    page = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)[1:]
    assert {plain(name): version for name, version, _ in rows if name != "---"} == PINS, "run make licences"
    assert all(licence.strip() for _, _, licence in rows)


@pytest.mark.parametrize(
    ("printed", "code", "words"),
    [("", 2, "could be reached"), ("{", 2, "could be reached"), ('{"dependencies": []}', 2, "could be reached"),
     (json.dumps({"dependencies": [{"name": "a", "skip_reason": "not found"}]}), 2, "could be reached"),
     (json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": []}]}), 0, "1 packages were looked up"),
     (json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "x"}]}),
      2, "Nothing is known of 1: b."),
     (json.dumps({"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2"]}]}]}),
      1, "a 1: X-1, mended in 2")],
)  # fmt: skip
def test_an_audit_that_looked_nothing_up_does_not_call_it_sound(printed: str, code: int, words: str) -> None:
    told, found = script("audit").report(printed)
    assert found == code
    assert words in "\n".join(told)
