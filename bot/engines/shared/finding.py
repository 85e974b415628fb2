"""Where the host of a desk's engine is found, and how it is called: a socket in the desk's folder, for its owner alone,
or a port of this machine with a token where there are no such sockets."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import socket
import stat
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot import wire
from bot.engines.shared.words import DeskMark, Hello, Purpose, Welcome, read_answer

LOOPBACK = not hasattr(socket, "AF_UNIX")
LONGEST = 100  # bytes of a socket's path: systems take 104 to 108 with the end
ANSWER_SECONDS = 10.0  # to a caller's first line: a host that computes nothing itself answers at once
LOCK = "lock"
PORT = ".port"


class NobodyThereError(Exception):
    """There is no host, or it is just ending."""


class SilentError(Exception):
    """A host took the call and says nothing. ``pid``: of its process, None where the system does not tell."""

    def __init__(self, pid: int | None) -> None:
        super().__init__()
        self.pid = pid


class StrangerError(Exception):
    """What answers is not the host that is meant: another desk's, or another account's."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the host called *name* is found: in ``folder``, which is the desk's. ``loopback``: it listens on a port."""

    folder: Path
    name: str
    loopback: bool = False

    @classmethod
    def of(cls, folder: Path, name: str, *, loopback: bool = LOOPBACK) -> Place:
        """Where it has to be here: on a port where folders can't hold sockets, or can't be named from outside."""
        deep = sys.platform != "linux" and len(os.fsencode(folder / name)) > LONGEST
        return cls(folder, name, loopback or deep)

    @property
    def socket(self) -> Path:
        """The socket it listens on."""
        return self.folder / self.name

    @property
    def port(self) -> Path:
        """The file with port and token, where there is no socket."""
        return self.folder / f"{self.name}{PORT}"

    def mark(self) -> DeskMark:
        """What tells this folder from a copy of it. Raises :class:`OSError`."""
        facts = self.folder.stat()
        return facts.st_dev, facts.st_ino


@dataclass(frozen=True, slots=True)
class Talk:
    """A line to a host that has said welcome. ``pid``: of its process, as the system tells it, or as it does itself."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    welcome: Welcome
    pid: int


def private(folder: Path) -> bool:
    """Whether *folder*, which is made if it is missing, is a folder of this account that nobody else can enter."""
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        facts = folder.lstat()
        if stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid() and facts.st_mode & 0o077:
            folder.chmod(0o700)
            facts = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid() and not facts.st_mode & 0o077


def places(folder: Path) -> list[Place]:
    """Where hosts of this desk are, or were."""
    try:
        names = sorted(path.name for path in folder.iterdir() if path.name != LOCK)
    except OSError:
        return []
    return [Place(folder, name.removesuffix(PORT), name.endswith(PORT)) for name in names]


# -- the host's side -------------------------------------------------------------------------------
class Lock:
    """Which hosts of a desk live: each holds one byte of one file, and the system lets go of it when the process
    ends, however it does. So no file has to be removed, which two processes could do at once."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)

    def take(self, name: str) -> bool:
        """Be the host *name*; False if another process is."""
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, int(name, 16))
        except BlockingIOError:
            return False
        except PermissionError:  # as some systems call it
            return False
        return True

    def leave(self, name: str) -> None:
        """Be it no more."""
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, int(name, 16))


def listen(place: Place) -> tuple[socket.socket, str]:
    """Listen at *place*, whose lock is held; returns the socket, and the token that callers have to know (empty where
    the folder's rights are enough). Raises :class:`OSError`."""
    remove(place)
    if not place.loopback:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _nameable(place.socket) as address:
            listening.bind(address)
        place.socket.chmod(0o600)
        listening.listen()
        return listening, ""
    listening = socket.create_server(("127.0.0.1", 0))
    token = secrets.token_hex(32)
    written = place.folder / f"{place.name}{PORT}.{os.getpid()}"
    with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"port": listening.getsockname()[1], "token": token}, file)
    written.replace(place.port)
    return listening, token


def remove(place: Place) -> None:
    """Take away what a host has left at *place*, whose lock is held: a socket, or a file with a port. Anything else
    that has its name stays. Raises :class:`OSError`."""
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISSOCK(place.socket.lstat().st_mode):
            place.socket.unlink()
    with contextlib.suppress(FileNotFoundError):
        if stat.S_ISREG(place.port.lstat().st_mode):
            place.port.unlink()


def tidy(folder: Path, lock: Lock, but: str) -> None:
    """Take away what hosts have left that were killed; not what belongs to the one called *but*."""
    for place in places(folder):
        with contextlib.suppress(OSError, ValueError):  # a name that is no host's
            if f"{int(place.name, 16):012x}" == place.name != but and lock.take(place.name):
                try:
                    remove(place)
                finally:
                    lock.leave(place.name)


@contextlib.contextmanager
def _nameable(path: Path) -> Iterator[str]:
    """A name of *path* that is short enough for a socket's address."""
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


# -- the caller's side -----------------------------------------------------------------------------
async def call(place: Place, purpose: Purpose = "ask") -> Talk:
    """Call the host at *place*. Raises :class:`NobodyThereError`, :class:`SilentError` and :class:`StrangerError`."""
    calling, token, pid = await _connected(place)
    try:
        opened = asyncio.open_connection if token else asyncio.open_unix_connection
        reader, writer = await opened(sock=calling, limit=wire.LINE_LIMIT)
    except BaseException:
        calling.close()
        raise
    try:
        writer.write(wire.encode(Hello(name=place.name, desk=place.mark(), token=token, purpose=purpose)))
        async with asyncio.timeout(ANSWER_SECONDS):
            line = await reader.readline()
        answer = read_answer(line)
    except BaseException as error:
        writer.transport.abort()
        if isinstance(error, TimeoutError):
            raise SilentError(pid) from None
        if isinstance(error, OSError | ValueError):
            raise NobodyThereError from error  # it ended meanwhile
        raise
    if not isinstance(answer, Welcome):
        writer.transport.abort()
        raise StrangerError(answer.why)
    return Talk(reader, writer, answer, pid or answer.pid)


async def _connected(place: Place) -> tuple[socket.socket, str, int | None]:
    """A socket that is connected, the token to show, and who listens as far as the system tells."""
    loop, token, pid = asyncio.get_running_loop(), "", None
    try:
        if place.loopback:
            known = json.loads(place.port.read_bytes())
            address: tuple[str, int] | str = ("127.0.0.1", int(known["port"]))
            token = str(known["token"])
            calling = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        else:
            calling = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NobodyThereError from error
    try:
        calling.setblocking(False)
        async with asyncio.timeout(ANSWER_SECONDS):
            if place.loopback:
                await loop.sock_connect(calling, address)
            else:
                with _nameable(place.socket) as name:
                    await loop.sock_connect(calling, name)
                pid, user = peer(calling)
                if user not in (os.geteuid(), None):
                    raise StrangerError("It is another account's.")
    except BaseException as error:
        calling.close()
        if isinstance(error, TimeoutError):
            raise SilentError(None) from None
        if isinstance(error, OSError):
            raise NobodyThereError from error
        raise
    return calling, token, pid


def peer(line: socket.socket) -> tuple[int | None, int | None]:
    """The process and the account at the other end of *line*, as far as the system tells."""
    if line.family == socket.AF_INET or not hasattr(socket, "SO_PEERCRED"):
        return None, None
    pid, user, _ = struct.unpack("3i", line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return pid or None, user  # no process where it runs in another container


async def let_end(folder: Path, but: str = "") -> None:
    """Let every host of this desk end that has no client, all but the one called *but*, and wait until their memory is
    free."""
    for place in places(folder):
        if place.name == but:
            continue
        with contextlib.suppress(NobodyThereError, SilentError, StrangerError):
            talk = await call(place, "end")
            try:
                if not talk.welcome.clients:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await talk.reader.read()  # it ends with the process
            except (TimeoutError, OSError):
                pass
            finally:
                talk.writer.transport.abort()


async def look(folder: Path) -> list[Welcome]:
    """The hosts of this desk that live, as they are now. None is started by that."""
    found = []
    for place in places(folder):
        with contextlib.suppress(NobodyThereError, SilentError, StrangerError):
            talk = await call(place, "look")
            talk.writer.transport.abort()
            found.append(talk.welcome)
    return found
