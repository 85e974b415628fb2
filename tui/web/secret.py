"""What opens the door, and who has shown it."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from store.errors import OperatorError

MOST_LOGINS = 64  # browsers that are known at a time; the one that was away longest is forgotten
SHORTEST = {"token": 16, "password": 8}  # characters
_URL_SAFE = re.compile(r"[A-Za-z0-9._~-]+")


class SecretError(OperatorError, ValueError):
    """A secret that can't be used."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A token, which comes in a link, or a password, which a browser asks for. Only its digest is kept."""

    kind: Literal["token", "password"]
    digest: bytes

    @classmethod
    def of(cls, kind: Literal["token", "password"], text: str) -> Secret:
        """The secret *text*. Raises :class:`SecretError`."""
        if len(text) < SHORTEST[kind]:
            raise SecretError(f"The {kind} is shorter than {SHORTEST[kind]} characters.")
        if kind == "token" and not _URL_SAFE.fullmatch(text):
            raise SecretError("The token contains characters that can't be in a link: use letters, digits, - and _.")
        return cls(kind, _digest(text))

    def opens(self, given: str) -> bool:
        """Whether *given* is the secret; takes the same time for any wrong one."""
        return hmac.compare_digest(_digest(given), self.digest)


def new_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_urlsafe(32)


class Logins:
    """The browsers that have shown the secret, each by a cookie of its own. They are forgotten with the server."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, None] = OrderedDict()

    def new(self) -> str:
        """The value of a new browser's cookie."""
        value = secrets.token_urlsafe(32)
        self._known[_name(value)] = None
        while len(self._known) > MOST_LOGINS:
            self._known.popitem(last=False)
        return value

    def who(self, value: str | None) -> str | None:
        """The name of the browser with this cookie; None for one that is not known."""
        name = _name(value or "")
        if name not in self._known:
            return None
        self._known.move_to_end(name)
        return name


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _name(value: str) -> str:
    return _digest(value).hex()
