"""Text that is given to a command: on its line, or for ``-`` on standard input.

What stands on a command's line every account of the machine can read in its list of processes, so what customers said
is better given on standard input."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

from store.words import Version, version_named
from tui.core.pairs import LONGEST

LARGEST = 4 * LONGEST  # bytes of standard input: every character of the longest text that is kept, in UTF-8


class Typed(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """A text; ``-`` reads standard input to its end, and takes one line end away there."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text. What is no UTF-8, or too long, is wrong usage."""
        if value != "-":
            return str(value)
        raw = _standard_input().read(LARGEST + 1)
        if len(raw) > LARGEST:
            self.fail(f"Standard input holds more than {LARGEST:,} bytes. Nothing was done.", param, ctx)
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            self.fail(f"Standard input is not UTF-8 (byte {error.start + 1}). Nothing was done.", param, ctx)
        return text.removesuffix("\n").removesuffix("\r")


class VersionName(click.ParamType):  # type: ignore[type-arg]  # see above
    """The name of a version, as :func:`store.words.version_named` reads it."""

    name = "version"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Version:
        """The version. Whether the desk has it is found out by the command."""
        return version_named(str(value))


TYPED = Typed()
VERSION = VersionName()


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise click.UsageError("Standard input is closed, so there is nothing to read. Nothing was done.")
    return sys.stdin.buffer


@contextmanager
def typed_file(file: Path, folder: Path) -> Iterator[Path]:
    """*file*, or for ``-`` a file in *folder* with what standard input holds, its owner's alone and gone afterwards."""
    if str(file) != "-":
        yield file
        return
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".standard-input.") as copy:
        shutil.copyfileobj(_standard_input(), copy)
        copy.flush()
        yield Path(copy.name)
