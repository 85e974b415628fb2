"""The shape of the code, measured: short functions, few parameters, a reading guide that names what exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("store", "bot", "finetune", "tui", "benchmarks")
MOST_LINES, MOST_PARAMETERS = 60, 5
GUIDE = ROOT / "docs" / "architecture.md"

# What is longer or takes more, and why that is right.
LONG: dict[str, str] = {
    "store/database/migrations.py:m008_judgement_that_stands": "a step that has shipped is never edited",
}
WIDE: dict[str, str] = {
    "finetune/train/lora_kernel.py:_LoraLinear.forward": "torch.autograd wants every tensor as a parameter of its own",
    "bot/contention.py:Contention.__init__": "two listeners; tests replace the other four, what it measures with",
    "tui/core/keeper.py:EngineKeeper.__init__": "two of them are the clock, which tests replace",
    "bot/bases/limits.py:training_parts": "the numbers of one formula, most with a default",
    "tui/widgets/loss_plot.py:plot": "two curves, two scales and the size of a picture",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[tuple[str, Function]]:
    """Every function of a module, with its name below its classes and functions."""

    def below(node: ast.AST, prefix: str) -> Iterator[tuple[str, Function]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, Function):
                yield f"{prefix}{child.name}", child
            named = f"{prefix}{child.name}." if isinstance(child, Function | ast.ClassDef) else prefix
            yield from below(child, named)

    yield from below(ast.parse(path.read_text(encoding="utf-8")), "")


def everything() -> Iterator[tuple[str, Function]]:
    """Every function of every package, as ``path:name``."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for name, node in functions(path):
                yield f"{path.relative_to(ROOT).as_posix()}:{name}", node


def parameters(node: Function) -> int:
    """How many parameters a call may give; ``self`` and ``cls`` are none."""
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    return len(names[1:] if names[:1] in (["self"], ["cls"]) else names) + len(node.args.kwonlyargs)


def test_no_function_is_long() -> None:
    long = {name for name, node in everything() if (node.end_lineno or 0) - node.lineno >= MOST_LINES}
    assert long == set(LONG)


def test_no_function_takes_many_parameters() -> None:
    wide = {name for name, node in everything() if parameters(node) > MOST_PARAMETERS}
    assert wide == set(WIDE)


def named_in_the_guide() -> list[str]:
    """What the guide names as ``path:function``."""
    return re.findall(r"`([a-z_/]+\.py:[A-Za-z_.]+)`", GUIDE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(set(named_in_the_guide())))
def test_the_guide_names_what_exists(name: str) -> None:
    path, _, wanted = name.partition(":")
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    classes = {node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    assert wanted in classes | {found for found, _ in functions(ROOT / path)}


def test_the_guide_leads_along_both_ways() -> None:
    assert len(named_in_the_guide()) >= 25


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))], ids=lambda page: page.name
)
def test_pages_link_to_what_exists(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
