"""Child processes are ours, wherever deskloop is called."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bot.child import TROUBLE, child_options, module_command


def test_a_folder_of_the_same_name_where_one_works_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__init__.py").write_text("raise SystemExit(99)")
    done = subprocess.run(
        module_command("bot.bases.prepare"), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.partition(" ")[0]) == (2, "Usage:")


def test_a_child_says_what_it_says_in_utf_8_in_any_locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LC_ALL", "C"), ("PYTHONUTF8", "0"), ("PYTHONCOERCECLOCALE", "0")):
        monkeypatch.setenv(name, value)
    command = [*module_command("bot.bases.check"), str(tmp_path / "\u4f60\u597d")]
    done = subprocess.run(command, capture_output=True, check=False, **child_options())
    assert done.returncode == 1
    assert done.stdout.decode().startswith(TROUBLE)
    assert b"Traceback" not in done.stderr
