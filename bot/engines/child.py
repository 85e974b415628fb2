"""The engine as a child process, from the app's side. Imports no torch."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from bot.child import child_options, module_command
from bot.engines.engine import Progress
from bot.pulse import BEAT, Pulse
from bot.types import (
    Activation,
    AdapterRef,
    Answer,
    BaseFacts,
    BaseSpec,
    Decoding,
    EngineError,
    EngineStatus,
    ProbeResult,
    Prompt,
)
from bot.wire import LINE_LIMIT, decode, encode, plain, read

LOG_LIMIT = 5 * 2**20  # bytes; a longer log is moved aside at the next start
LOADING = ("load", "activate", "probe")  # operations that read weights
GRACE = 2.0  # seconds a process gets to end by itself before it is killed
DIED = "The engine stopped unexpectedly."


class EngineProcess:
    """An :class:`bot.engines.engine.Engine` in a process of its own.

    ``log``: where everything the process prints goes. ``on_death``: called in the event loop if the process ends
    without being asked to; calls in flight raise :class:`EngineError` (``engine-died``)."""

    def __init__(self, *, log: Path | str, on_death: Callable[[], None] | None = None) -> None:
        self.log = Path(log)
        self._on_death = on_death
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._inboxes: dict[int, asyncio.Queue[dict[str, Any]]] = {}
        self._loading: set[int] = set()  # requests in flight that read weights
        self._stopping: set[int] = set()  # requests in flight that were told to stop
        self._pulse = Pulse()
        self._number = 0
        self._closing = False
        self._dead = False

    @property
    def pid(self) -> int | None:
        """The child's process id."""
        return None if self._process is None else self._process.pid

    # -- life --------------------------------------------------------------------------------------
    async def _start(self) -> None:
        if self._process is not None:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with _open_log(self.log) as log:
            self._process = await asyncio.create_subprocess_exec(
                *module_command("bot.engines.torch.process"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=LINE_LIMIT,
                **child_options(),
            )
        self._reader = asyncio.create_task(self._read(self._process), name="engine-events")
        self._watch = asyncio.create_task(self._feel_pulse(self._process), name="engine-pulse")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        with contextlib.suppress(OSError, ValueError):
            while line := await process.stdout.readline():
                with contextlib.suppress(ValueError):
                    event = decode(line)
                    self._pulse.heard(event["processor"] if event["event"] == "pulse" else None)
                    if (inbox := self._inboxes.get(int(event.get("id") or 0))) is not None:
                        inbox.put_nowait(event)
        self._dead = True
        if self._watch is not None:
            self._watch.cancel()
        await process.wait()
        for inbox in self._inboxes.values():
            inbox.put_nowait({"event": "error", "kind": "engine-died", "sentence": DIED})
        if not self._closing and self._on_death is not None:
            self._on_death()

    async def _feel_pulse(self, process: asyncio.subprocess.Process) -> None:
        """Replace a process that hangs: killed, it is one that died, for whoever waits for it and for its owner."""
        while True:
            await asyncio.sleep(BEAT)
            busy, loading, stopping = bool(self._inboxes), bool(self._loading), bool(self._stopping)
            finding = self._pulse.look(busy=busy, loading=loading, stopping=stopping)
            if finding == "hung":
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                return
            with contextlib.suppress(EngineError):
                if finding == "stuck" and not stopping:
                    await self.cancel()
                if self._pulse.answered:
                    self._pulse.answered = False
                    await self._send({"op": "pulse"})

    async def close(self) -> None:
        """End the process: by closing its input, and if that does not help by force."""
        self._closing = True
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), GRACE)
        except (TimeoutError, asyncio.CancelledError):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)

    # -- requests ----------------------------------------------------------------------------------
    async def _send(self, message: dict[str, Any]) -> None:
        if self._process is None or self._dead:
            raise EngineError("engine-died", DIED)
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(encode(message))
            await self._process.stdin.drain()
        except (ConnectionError, OSError, RuntimeError) as error:
            raise EngineError("engine-died", DIED) from error

    async def _events(self, operation: str, **body: Any) -> AsyncIterator[dict[str, Any]]:
        """Every event of one request, the last being its ``done``. Raises :class:`EngineError`."""
        self._number += 1
        number = self._number
        inbox = self._inboxes[number] = asyncio.Queue()
        if operation in LOADING:
            self._loading.add(number)
        try:
            await self._send({"id": number, "op": operation, **body})
            while True:
                event = await inbox.get()
                if event["event"] == "error":
                    raise EngineError(event["kind"], event["sentence"])
                yield event
                if event["event"] == "done":
                    return
        finally:
            del self._inboxes[number]
            self._loading.discard(number)
            self._stopping.discard(number)

    async def _call(self, operation: str, **body: Any) -> dict[str, Any]:
        last: dict[str, Any] = {}
        async for event in self._events(operation, **body):
            last = event
        return last

    async def load(self, base: BaseSpec) -> BaseFacts:
        """See :class:`bot.engines.engine.Engine`; starts the process first if need be."""
        await self._start()
        return read(BaseFacts, await self._call("load", base=asdict(base)))

    async def stream(
        self, prompt: Prompt, decoding: Decoding, conversation: str | None = None
    ) -> AsyncIterator[str | Answer]:
        """See :class:`bot.engines.engine.Engine`."""
        finished = False
        events = self._events("stream", prompt=plain(prompt), decoding=plain(decoding), conversation=conversation)
        try:
            async for event in events:
                finished = event["event"] == "done"
                yield read(Answer, event) if finished else event["text"]
        except EngineError:
            finished = True
            raise
        finally:
            if not finished:
                with contextlib.suppress(EngineError):
                    await self.cancel()

    async def batch(
        self,
        prompts: Sequence[Prompt],
        decoding: Decoding,
        on_progress: Progress | None = None,
        limits: Sequence[int] | None = None,
    ) -> list[Answer]:
        """See :class:`bot.engines.engine.Engine`. Cancelling the call stops the generation."""
        answers: dict[int, Answer] = {}
        body = {"prompts": [plain(prompt) for prompt in prompts], "decoding": plain(decoding), "limits": limits}
        try:
            async for event in self._events("batch", **body):
                if event["event"] == "answer":
                    answers[event["index"]] = read(Answer, event["answer"])
                    if on_progress is not None:
                        on_progress(len(answers), len(prompts))
        except asyncio.CancelledError:
            with contextlib.suppress(EngineError):
                await self.cancel()
            raise
        if len(answers) != len(prompts):
            raise EngineError("failed", "The answers were stopped before they were complete.")
        return [answers[index] for index in range(len(prompts))]

    async def cancel(self) -> None:
        """See :class:`bot.engines.engine.Engine`. A process that does not come to it is killed after a while."""
        self._stopping.update(self._inboxes)
        await self._send({"op": "cancel"})

    async def likelihoods(self, texts: Sequence[tuple[Prompt, str]]) -> list[float]:
        """See :meth:`bot.engines.engine.Engine.likelihoods`."""
        done = await self._call("likelihoods", texts=[(plain(prompt), answer) for prompt, answer in texts])
        return [float(value) for value in done["values"]]

    async def lengths(self, texts: Sequence[str]) -> list[int]:
        """See :meth:`bot.engines.engine.Engine.lengths`."""
        return [int(count) for count in (await self._call("lengths", texts=list(texts)))["values"]]

    async def activate(self, adapter: AdapterRef | None) -> Activation:
        """See :class:`bot.engines.engine.Engine`."""
        done = await self._call("activate", adapter=None if adapter is None else asdict(adapter))
        probe = None if done["probe"] is None else read(ProbeResult, done["probe"])
        return Activation(done["version"], done["seconds"], probe)

    async def probe(self, folder: str) -> ProbeResult:
        """See :class:`bot.engines.engine.Engine`."""
        return read(ProbeResult, await self._call("probe", folder=folder))

    async def status(self) -> EngineStatus:
        """See :class:`bot.engines.engine.Engine`."""
        return read(EngineStatus, await self._call("status"))


def _open_log(path: Path) -> IO[bytes]:
    """The log at *path*; where the disk takes none, the engine works without."""
    try:
        if path.exists() and path.stat().st_size > LOG_LIMIT:
            path.replace(path.with_suffix(".old.log"))
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")
    except OSError:
        return Path(os.devnull).open("ab")
