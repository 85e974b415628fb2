"""Writing a text in the operator's own editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from store.home import private_file
from store.pairs.new import LONGEST
from store.text import clean
from tui.core.errors import DeskError


def editor_command() -> list[str]:
    """The editor that $VISUAL or $EDITOR names, with its options. Raises :class:`DeskError` if none is named."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        command = shlex.split(named)
    except ValueError as error:
        raise DeskError(
            f"$VISUAL or $EDITOR can't be read ({error}). Your text is still here; continue writing."
        ) from error
    if not command:
        raise DeskError("No editor is set. Set $VISUAL or $EDITOR and start again; your text is still here.")
    return command


def edit(text: str, command: list[str], folder: Path) -> str:
    """Let *command* edit *text* in a file of its own that only this user can read and that is gone afterwards, with
    whatever the editor left beside it; returns the new text. *folder*: where customers' data may lie. Raises
    :class:`DeskError`; the text is as it was then."""
    with tempfile.TemporaryDirectory(prefix="draft-", dir=folder) as place:
        path = private_file(Path(place) / "message.md")
        path.write_text(text, encoding="utf-8")
        try:
            ended = subprocess.run([*command, str(path)], check=False).returncode
            written = path.read_bytes()[: 4 * LONGEST].decode("utf-8", errors="replace")
        except OSError as error:
            raise DeskError(
                f"{command[0]} can't be used: {error.strerror or error}. Your text is unchanged; set $VISUAL or "
                "$EDITOR to an editor on this machine."
            ) from error
    if ended != 0:
        raise DeskError(f"{command[0]} ended with an error ({ended}). Your text is unchanged.")
    return clean(written)[:LONGEST].rstrip("\n")
