"""Child processes are ours, wherever deskloop is called."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bot.child import module_command


def test_a_folder_of_the_same_name_where_one_works_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "__init__.py").write_text("raise SystemExit(99)")
    done = subprocess.run(module_command("bot.prepare"), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.partition(" ")[0]) == (2, "Usage:")
