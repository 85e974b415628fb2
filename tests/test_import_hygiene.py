"""The app's process never loads what only its children need: a fresh interpreter shows it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "peft", "datasets", "bitsandbytes", "accelerate", "sacrebleu")


def modules_after(code: str) -> set[str]:
    """All modules a fresh interpreter has after running *code*."""
    script = f"{code}\nimport sys\nprint('\\n'.join(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(result.stdout.split())


def loaded_after(code: str) -> set[str]:
    """The top-level modules a fresh interpreter has after running *code*."""
    return {name.split(".")[0] for name in modules_after(code)}


@pytest.mark.parametrize(
    "module",
    ["store", "store.desk", "bot.engines.child", "bot.adapters", "finetune.run.client",
     "finetune.recipe", "finetune.preflight", "tui.core", "tui.app", "tui.cli"],
)  # fmt: skip
def test_the_app_process_loads_nothing_heavy(module: str) -> None:
    assert loaded_after(f"import {module}").isdisjoint(HEAVY)


def test_every_command_loads_nothing_heavy() -> None:
    code = (
        "from tui.cli.root import COMMANDS, cli\n"
        "import click\n"
        "for name in COMMANDS: cli.get_command(click.Context(cli), name)"
    )
    assert loaded_after(code).isdisjoint(HEAVY)


@pytest.mark.parametrize("module", ["tui.core", "tui.core.doctor", "tui.core.setup", "tui.cli"])
def test_nothing_beside_the_screen_draws(module: str) -> None:
    assert loaded_after(f"import {module}").isdisjoint({"textual", "rich"})


def test_the_store_stands_alone() -> None:
    assert loaded_after("import store.desk, store.importing").isdisjoint({"bot", "finetune", "tui", "textual"})


def test_whoever_reads_a_report_loads_no_judge() -> None:
    judging = {f"finetune.gate.{name}" for name in ("verdict", "judging", "comparison", "scores", "languages")}
    assert modules_after("import finetune.events, tui.core.open_desk").isdisjoint(judging)
