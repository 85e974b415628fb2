"""Those who call the host of a shared engine: each over a line of its own, with requests of its own."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import os
import socket
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from bot import wire
from bot.engines.engine import Engine
from bot.engines.shared.desk import SharedDesk
from bot.engines.shared.finding import ANSWER_SECONDS, Place, peer
from bot.engines.shared.words import Hello, Refused, Welcome, read_hello
from bot.traces import print_trace
from bot.types import Answer, EngineError, Priority, RequestId, Ticket
from store.words import BASE

PORTION = 2  # texts whose likelihood is asked at once, where nobody waits for it: whoever does comes in between
FAREWELL_SECONDS = 2.0  # for what still is to be said to clients when the back end is gone


@dataclass(eq=False, slots=True)
class Going:
    """A request that is not answered yet: as the client calls it, and as the back end does, where ids of all clients
    meet. ``stopped``: the client wants it no more."""

    ticket: Ticket
    stopped: bool = False
    task: asyncio.Task[None] | None = None


@dataclass(eq=False, slots=True)
class Guest:
    """One client."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    going: dict[RequestId, Going] = field(default_factory=dict)

    async def say(self, message: object) -> None:
        """Say *message*, unless the client is gone."""
        with contextlib.suppress(OSError, RuntimeError):
            self.writer.write(wire.encode(message))
            await self.writer.drain()


class Door:
    """Lets callers in and serves them. ``over``: set when the host is to end."""

    line_limit = wire.LINE_LIMIT

    def __init__(self, place: Place, token: str, desk: SharedDesk, linger: float) -> None:
        self._place, self._token, self._desk, self._linger = place, token, desk, linger
        self._mark = place.mark()
        self._guests: set[Guest] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.over = asyncio.Event()
        self._ending: asyncio.TimerHandle | None = None
        self._watching = asyncio.create_task(self._watch(), name="back-end")
        self._wait_for_guests()

    # -- life --------------------------------------------------------------------------------------
    async def _watch(self) -> None:
        await self._desk.gone.wait()
        self.over.set()

    def _wait_for_guests(self) -> None:
        """End, unless somebody comes."""
        self._no_more_waiting()
        self._ending = asyncio.get_running_loop().call_later(self._linger, self.over.set)

    def _no_more_waiting(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    async def close(self) -> None:
        """Say what still is to be said, and hang up."""
        self._watching.cancel()
        self._no_more_waiting()
        answering = [going.task for guest in self._guests for going in guest.going.values() if going.task is not None]
        if answering:
            await asyncio.wait(answering, timeout=FAREWELL_SECONDS)
        for guest in list(self._guests):
            guest.writer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- callers -----------------------------------------------------------------------------------
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one caller, to the end of the line."""
        guest = Guest(reader, writer)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                hello = read_hello(await reader.readline())
            if (why := self._refusal(hello, writer.get_extra_info("socket"))) is not None:
                await guest.say(Refused(why=why))
            elif not self.over.is_set():
                await self._welcome(guest, hello)
        except (TimeoutError, OSError, ValueError):
            pass  # nobody who knows how to talk to a host
        finally:
            writer.close()

    def _refusal(self, hello: Hello, line: socket.socket) -> str | None:
        if (user := peer(line)[1]) is not None and user not in (os.geteuid(), 0):
            return "This is another account's engine."
        if not hmac.compare_digest(hello.token, self._token):
            return "The token is not this host's."
        if hello.name != self._place.name or hello.desk != self._mark:
            return "This is another desk's engine."
        return None

    async def _welcome(self, guest: Guest, hello: Hello) -> None:
        desk = self._desk
        welcome = Welcome(pid=os.getpid(), clients=len(self._guests), facts=desk.facts, ready=desk.versions)
        if hello.purpose == "ask":
            self._guests.add(guest)
            self._no_more_waiting()
            try:
                await guest.say(welcome)
                await self._listen(guest)
            finally:
                self._leave(guest)
            return
        await guest.say(welcome)
        if hello.purpose == "end" and not self._guests:
            self.over.set()
            await guest.reader.read()  # the line ends with this process: so its memory is known to be free

    def _leave(self, guest: Guest) -> None:
        """*guest* is gone: what it asked is stopped, and what only it used is dropped if nobody comes for it."""
        self._guests.discard(guest)
        for going in guest.going.values():
            going.stopped = True
            if going.task is not None:
                going.task.cancel()
            self._begin(self._cancel(going.ticket.id))
        self._desk.left(guest)
        asyncio.get_running_loop().call_later(self._linger, self._begin_tidying)
        if not self._guests:
            self._wait_for_guests()

    def _begin_tidying(self) -> None:
        if not self.over.is_set():
            self._begin(self._tidy())

    async def _tidy(self) -> None:
        with contextlib.suppress(EngineError):
            await self._desk.tidy()

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- requests ----------------------------------------------------------------------------------
    async def _listen(self, guest: Guest) -> None:
        while line := await guest.reader.readline():
            try:
                request = wire.decode_request(line)
            except ValueError:
                continue
            match request:
                case wire.Beat(id=beat):
                    pulse = wire.Pulse(id=beat, processor=time.process_time(), clients=len(self._guests))
                    guest.writer.write(wire.encode(pulse))
                case wire.Cancel(id=cancelled):
                    if (going := guest.going.get(cancelled)) is not None:
                        going.stopped = True
                        self._begin(self._cancel(going.ticket.id))  # behind the request, which may not have begun
                case _:
                    going = guest.going[request.id] = Going(_ticket(request))
                    going.task = self._begin(self._answer(guest, request, going))

    async def _cancel(self, request: RequestId) -> None:
        with contextlib.suppress(EngineError):
            await self._desk.engine.cancel(request)

    async def _answer(self, guest: Guest, request: wire.Request, going: Going) -> None:
        try:
            last: wire.Event = wire.done(request.id, await self._result(guest, request, going))
        except EngineError as error:
            last = wire.Failed(id=request.id, kind=error.kind, sentence=error.sentence)
        except Exception as error:
            print_trace(error)
            sentence = f"The engine could not do this ({type(error).__name__})."
            last = wire.Failed(id=request.id, kind="failed", sentence=sentence)
        finally:
            guest.going.pop(request.id, None)
        await guest.say(last)

    async def _result(self, guest: Guest, request: wire.Request, going: Going) -> object:
        """What *request* is answered by."""
        desk = self._desk
        match request:
            case wire.Load(base=spec):
                return await desk.load(guest, spec)
            case wire.Status():
                return await desk.status(len(self._guests))
            case wire.MakeReady(adapter=adapter):
                return await desk.ready(guest, adapter)
            case wire.Forget(version=version):
                await desk.forget(guest, version)
                return None
            case wire.Lengths(texts=texts):
                return await desk.engine.lengths(texts)
            case wire.Probe(folder=folder):
                return await desk.engine.probe(folder)
        if going.ticket.version != BASE:
            desk.uses(guest, going.ticket.version)
        match request:
            case wire.Stream():
                return await self._stream(guest, request, going)
            case wire.Batch():
                await self._batch(guest, request, going)
            case wire.Likelihoods():
                return await _likelihoods(desk.engine, request, going)
        return None

    async def _stream(self, guest: Guest, request: wire.Stream, going: Going) -> object:
        answer: Answer | None = None
        stream = self._desk.engine.stream(going.ticket, request.prompt, request.decoding, request.conversation)
        async with contextlib.aclosing(stream) as items:
            async for item in items:
                if isinstance(item, Answer):
                    answer = item
                else:
                    await guest.say(wire.Text(id=request.id, text=item))
        return answer

    async def _batch(self, guest: Guest, request: wire.Batch, going: Going) -> None:
        def tell(done: int, wanted: int) -> None:
            with contextlib.suppress(OSError, RuntimeError):
                guest.writer.write(wire.encode(wire.Progress(id=request.id, done=done, wanted=wanted)))

        answers = await self._desk.engine.batch(going.ticket, request.prompts, request.decoding, request.expected, tell)
        for index, answer in enumerate(answers):
            await guest.say(wire.Answered(id=request.id, index=index, answer=answer))


def _ticket(request: wire.Request) -> Ticket:
    """How the back end knows *request*."""
    match request:
        case (
            wire.Stream(version=version, priority=priority)
            | wire.Batch(version=version, priority=priority)
            | wire.Likelihoods(version=version, priority=priority)
        ):
            return Ticket(version, priority)
    return Ticket(BASE)


async def _likelihoods(engine: Engine, request: wire.Likelihoods, going: Going) -> list[float]:
    """In portions where somebody more urgent may come, since no back end has to give way in the middle of these; the
    texts of one are of similar length."""
    if request.priority < Priority.GATE:
        return await engine.likelihoods(going.ticket, request.texts)
    order = sorted(
        range(len(request.texts)), key=lambda place: len(request.texts[place][0].message + request.texts[place][1])
    )
    found: dict[int, float] = {}
    for begin in range(0, len(order), PORTION):
        if going.stopped:
            raise EngineError("failed", "It was stopped before it was complete.")
        places = order[begin : begin + PORTION]
        going.ticket = Ticket(request.version, request.priority)  # each portion is a request with an id of its own
        values = await engine.likelihoods(going.ticket, [request.texts[place] for place in places])
        found |= dict(zip(places, values, strict=True))
    return [found[place] for place in range(len(order))]
