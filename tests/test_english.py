"""English as operators speak it: a list of outworn words and borrowed word orders that no sentence may use."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("store", "bot", "finetune", "tui")

OUTWORN = re.compile(
    r"\b(?:"
    r"shall|anew|afresh|upon|hence|henceforth|thereof|therein|wherein|whereof|whence|thither|hitherto|lest|amongst|whilst"
    r"|for ever|betimes|nought|aught|naught|albeit|begot|bade|astray"
    r"|suffic(?:e|es|ed)|mend(?:s|ed|ing)?"
    r"|in the place of|is told of|are told of|is none of|are none|all the while|all the same|of late|by and by"
    r"|came of|comes of|stands no more|no sound one|keep your word|as it stood|good as it stands|goes astray"
    r"|once more|be given up|is given up|was given up|came to be|from the next on|behind the first picture"
    r"|need not|dare not|may it|be it"
    r")\b",
    re.IGNORECASE,
)
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *(page for page in sorted((ROOT / "docs").glob("*.md")) if page.name != "licences.md"),
]


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module that somebody may read on a screen: its strings, but docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            yield node.lineno, node.value


MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def test_no_sentence_of_the_code_is_outworn() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {words[0]!r} in {text!r}"
        for path in MODULES
        for line, text in sentences(path)
        if (words := OUTWORN.search(text)) and " " in text.strip()
    ]
    assert found == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_is_outworn(page: Path) -> None:
    found = [
        f"{number}: {words[0]!r}"
        for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1)
        if (words := OUTWORN.search(line))
    ]
    assert found == []


def test_the_list_finds_what_it_is_for() -> None:
    assert OUTWORN.search("Keep your word that the marked reply was good as it stood")
    assert OUTWORN.search("The memory did not suffice.")
    assert not OUTWORN.search("Approve the marked reply as it is")
