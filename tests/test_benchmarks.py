"""The benchmarks start, say what they take, and leave quietly where the reference workload is absent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("name", ["canned", "startup", "serving", "gate_power", "scale", "methods"])
def test_every_benchmark_says_what_it_takes(name: str) -> None:
    result = run(name, "--help")
    assert result.returncode == 0, result.stderr
    assert "python -m benchmarks" in result.stdout


def test_canned_is_skipped_with_a_sentence_where_the_workload_is_absent(tmp_path: Path) -> None:
    result = run("canned", "--base", str(tmp_path), DESKLOOP_BENCH=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert "Skipped: The reference workload is not at" in result.stderr


def test_an_unknown_system_is_refused(tmp_path: Path) -> None:
    result = run("canned", "--order", "deskloop,nonsense")
    assert result.returncode == 2
    assert "nonsense" in result.stderr
