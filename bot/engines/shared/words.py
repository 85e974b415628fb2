"""What a client and the host of a shared engine say before requests go over the line, and how a host is called."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import msgspec

from bot.bases.base import content_digest
from bot.types import BaseFacts, BaseSpec
from store.words import Version

Purpose = Literal["ask", "look", "end"]
"""What somebody calls for: to ask (one of its clients), to look at it, or to let it end if it has no client."""
DeskMark = tuple[int, int]  # device and inode of the folder in which a host is found: a copy of it is another desk

LIBRARIES = ("torch", "transformers", "tokenizers", "peft", "bitsandbytes", "msgspec")
NAME_LENGTH = 12  # hexadecimal digits: a desk has a handful of hosts at most, and a socket's path has to be short


class Hello(msgspec.Struct, tag="hello", tag_field="say", frozen=True, kw_only=True):
    """A caller's first line. ``name``: of the host it means; ``desk``: where it found it; ``token``: on loopback."""

    name: str
    desk: DeskMark
    token: str = ""
    purpose: Purpose = "ask"


class Welcome(msgspec.Struct, tag="welcome", tag_field="say", frozen=True, kw_only=True):
    """The host's answer. ``clients``: those that ask, without this caller; ``facts``: of the base, None before it is
    loaded."""

    pid: int
    clients: int
    facts: BaseFacts | None = None
    ready: tuple[Version, ...] = ()


class Refused(msgspec.Struct, tag="refused", tag_field="say", frozen=True, kw_only=True):
    """The host's answer to somebody who means another."""

    why: str


_hellos: msgspec.json.Decoder[Hello] = msgspec.json.Decoder(Hello)
_answers: msgspec.json.Decoder[Welcome | Refused] = msgspec.json.Decoder(Welcome | Refused)


def read_hello(line: bytes) -> Hello:
    """The first line of a caller. Raises :class:`ValueError` if it is none."""
    return _hellos.decode(line)


def read_answer(line: bytes) -> Welcome | Refused:
    """The first line of a host. Raises :class:`ValueError` if it is none."""
    return _answers.decode(line)


def known(spec: BaseSpec) -> BaseSpec:
    """*spec* as everybody on a desk has it, whichever way leads them there: by its folder's real name, and with the
    digest of its files, also where nobody has written that down yet. What can't be read stays unknown: loading says
    why."""
    spec = replace(spec, folder=os.path.realpath(spec.folder))
    if spec.digest is not None:
        return spec
    try:
        return replace(spec, digest=content_digest(Path(spec.folder)))
    except OSError:
        return spec


def name_of(spec: BaseSpec, back_end: str) -> str:
    """How the host of this base is called. Another base, another grid, another back end, other code or other libraries
    are another host: so whoever finds one by its name may use it, and nobody has to come to terms with a host that
    began before an upgrade or before the settings changed."""
    parts = [spec.folder, spec.quantization, spec.digest, back_end, code()]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:NAME_LENGTH]


@lru_cache
def code() -> str:
    """What stands for the code of this package and the libraries that compute, as they were when this process first
    asked."""
    digest = hashlib.sha256(f"{sys.version}\x00{sys.prefix}".encode())
    root = Path(__file__).parents[2]
    for path in sorted(root.rglob("*.py")):
        facts = path.stat()
        digest.update(f"\x00{path.relative_to(root)}:{facts.st_size}:{facts.st_mtime_ns}".encode())
    for name in LIBRARIES:
        try:
            digest.update(f"\x00{name} {version(name)}".encode())
        except PackageNotFoundError:
            continue
    return digest.hexdigest()
