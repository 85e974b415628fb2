"""Tracebacks for logs: where something went wrong, never what was said.

What an error says of itself may quote a prompt, a file's row or a search ("invalid literal: 'my address is ...'"), and
logs outlive what is erased from a desk. So a log gets the types of errors and the places in the code, whose own text
says the rest. The message stays only where it can hold no text of anybody's: in what the system says of a file, what
SQLite calls its error, sentences that were made for operators, numbers that compiled code (torch) complains about, and
errors whose class says so by ``quotes_nobody = True``.
"""

from __future__ import annotations

import asyncio
import dis
import re
import sqlite3
import sys
import threading
import traceback
from collections.abc import Iterator
from types import TracebackType
from typing import Any

LONGEST = 400  # characters of a message that is kept
_RAISE = dis.opmap["RAISE_VARARGS"]
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`")


def trace_of(error: BaseException) -> str:
    """*error* and what led to it, as text that ends with a newline."""
    return "".join(_lines(error, set()))


def print_trace(error: BaseException) -> None:
    """Write :func:`trace_of` to standard error, which is a log in deskloop's child processes."""
    sys.stderr.write(trace_of(error))
    sys.stderr.flush()


def private_errors() -> None:
    """From now on let what this process does not catch be told by :func:`print_trace`, too."""

    def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        print_trace(error)

    def told_in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            print_trace(args.exc_value)

    sys.excepthook = told
    threading.excepthook = told_in_thread


def private_loop(loop: asyncio.AbstractEventLoop) -> None:
    """The same for what the tasks of *loop* leave behind; asyncio's own words quote the error."""

    def told(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if isinstance(error := context.get("exception"), BaseException):
            print_trace(error)

    loop.set_exception_handler(told)


def describe(error: BaseException) -> str:
    """The type of *error*, and its message where that can quote nobody."""
    name = type(error).__name__
    if getattr(error, "quotes_nobody", False):
        message = str(error)
    elif isinstance(error, OSError):
        message = error.strerror or ""
    elif isinstance(error, sqlite3.Error):
        message = getattr(error, "sqlite_errorname", None) or ""
    elif isinstance(sentence := getattr(error, "sentence", None), str):
        message = sentence
    elif isinstance(error, RuntimeError | MemoryError) and _raised_by_compiled_code(error):
        message = _QUOTED.sub("…", str(error).partition("\n")[0])
    else:
        message = ""
    plain = "".join(character if character.isprintable() else " " for character in message[:LONGEST]).strip()
    return f"{name}: {plain}" if plain else name


def _raised_by_compiled_code(error: BaseException) -> bool:
    """Whether no ``raise`` in Python made *error*: its last frame was in the middle of a call."""
    trace = error.__traceback__
    if trace is None:
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_lasti >= 0 and trace.tb_frame.f_code.co_code[trace.tb_lasti] != _RAISE


def _lines(error: BaseException, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _lines(before, seen)
        yield "\nThen:\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{describe(error)}\n"
