"""The process of the torch back end: ``python -m bot.engines.torch.process``. Requests come in and events go out as
JSON lines (:mod:`bot.wire`).

Standard output and error are pointed at the log before anything heavy is imported, at the level of the file
descriptors, so that no library can draw on the operator's screen. The process ends when its input does: that is how
it notices that the app is gone.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from typing import IO, TYPE_CHECKING

from bot import wire
from bot.contention import Contention, started
from bot.engines.torch.jobs import Job, Jobs, StopOrGiveWay
from bot.traces import print_trace, private_errors
from bot.types import Answer, BaseFacts, BaseSpec, EngineError, EngineStatus, ErrorKind, Priority, RequestId

if TYPE_CHECKING:
    from bot.engines.torch.generate import Generator
    from bot.engines.torch.serving import ServingModel


class EngineProcessMain:
    """Reads requests in one thread, so that a cancel acts at once, and works on them in another."""

    def __init__(self, requests: IO[bytes], events: IO[bytes]) -> None:
        self._requests, self._events = requests, events
        self._queue = Jobs()
        self._jobs: dict[RequestId, Job] = {}  # those that are not answered
        self._starting = threading.Lock()  # whether a job has begun
        self._writing = threading.Lock()
        self._model: ServingModel | None = None
        self._generator: Generator | None = None
        self._facts: BaseFacts | None = None
        self._contention: Contention | None = None

    # -- threads -----------------------------------------------------------------------------------
    def run(self) -> None:
        """Work until the input ends."""
        threading.Thread(target=self.read, daemon=True).start()
        while True:
            self._work(self._queue.get())

    def work_off(self) -> None:
        """Answer what was read so far."""
        while not self._queue.empty():
            self._work(self._queue.get())

    def read(self) -> None:
        """Take in requests until the input ends, and this process with it."""
        number = 0
        while line := self._requests.readline(wire.LINE_LIMIT):
            try:
                request = wire.decode_request(line)
            except ValueError:
                continue
            match request:
                case wire.Beat(id=beat):
                    self._send(wire.Pulse(id=beat, processor=time.process_time()))
                case wire.Cancel(id=cancelled):
                    self._cancel(cancelled)
                case _:
                    number += 1
                    job = self._jobs[request.id] = Job(_priority(request), number, request)
                    self._queue.put(job)
        os._exit(0)  # the app is gone; whatever was being generated is for nobody

    def _cancel(self, request: RequestId) -> None:
        """Stop the job of *request*; one that still waits is answered at once, since what it waits for may take
        long."""
        with self._starting:
            job = self._jobs.get(request)
            if job is None:
                return
            job.stop.set()
            if job.begun:
                return
            del self._jobs[request]
        match job.request:
            case wire.Stream():
                self._send(wire.done(request, Answer("", 0, 0.0, None, "stopped")))
            case wire.Batch():
                self._send(wire.done(request))
            case _:
                self._send(wire.Failed(id=request, kind="failed", sentence="It was stopped before it began."))

    def _work(self, job: Job) -> None:
        request = job.request.id
        with self._starting:
            if request not in self._jobs:
                return  # cancelled, and answered
            job.begun = True
        before = len(job.answered)
        try:
            last: wire.Event = wire.done(request, self._handle(job))
        except EngineError as error:
            last = wire.Failed(id=request, kind=error.kind, sentence=error.sentence)
        except BaseException as error:
            print_trace(error)
            kind, sentence = explain(error)
            last = wire.Failed(id=request, kind=kind, sentence=sentence)
        if isinstance(last, wire.Failed) or not self._gave_way(job, before):
            self._jobs.pop(request, None)
            self._send(last)

    def _gave_way(self, job: Job, before: int) -> bool:
        """Whether *job*, of which *before* answers were there, ended before it was answered, for something more urgent;
        it then waits to go on."""
        with self._starting:
            if not job.left or job.stop.is_set():
                return False
            job.begun = False
            job.pauses(len(job.answered) - before)
            self._queue.put(job)
            return True

    def _send(self, event: wire.Event) -> None:
        with self._writing:
            self._events.write(wire.encode(event))
            self._events.flush()

    # -- requests ----------------------------------------------------------------------------------
    def _handle(self, job: Job) -> object:
        """What the request of *job* is answered by."""
        match job.request:
            case wire.Load(base=spec):
                return self._load(spec)
            case wire.Status():
                versions = () if self._model is None else self._model.versions
                return EngineStatus(versions, _memory(), self._facts)
        if self._model is None or self._generator is None:
            raise EngineError("bad-request", "The engine has no base loaded yet.")
        return self._serve(job, self._model, self._generator)

    def _serve(self, job: Job, model: ServingModel, generator: Generator) -> object:
        """What a request that needs a base is answered by."""
        match job.request:
            case wire.MakeReady(adapter=adapter):
                generator.forget(adapter.version)  # its name may be that of other files now
                return model.ready(adapter)
            case wire.Forget(version=version):
                generator.forget(version)
                model.forget(version)
            case wire.Probe(folder=folder):
                return model.probe(folder)
            case wire.Lengths(texts=texts):
                return generator.lengths(texts)
            case wire.Stream() as asked:
                model.serve(asked.version)
                key = None if asked.conversation is None else (asked.version, asked.conversation)

                def emit(text: str) -> None:
                    self._send(wire.Text(id=asked.id, text=text))

                return generator.stream(asked.prompt, asked.decoding, emit, key, job.stop)
            case wire.Batch() as asked_all:
                model.serve(asked_all.version)
                self._batch(job, asked_all, generator)
            case wire.Likelihoods(version=version, texts=pairs):
                model.serve(version)
                return generator.likelihoods(pairs)
        return None

    def _batch(self, job: Job, asked: wire.Batch, generator: Generator) -> None:
        """Answer a portion of a batch, until it is stopped or has to give way."""
        left = job.portion

        def answered(index: int, answer: Answer) -> None:
            job.answered.add(left[index])
            self._send(wire.Answered(id=asked.id, index=left[index], answer=answer))

        prompts = [asked.prompts[place] for place in left]
        expected = asked.expected.only(left)
        generator.batch(prompts, asked.decoding, answered, expected, StopOrGiveWay(job, self._queue))

    def _load(self, spec: BaseSpec) -> BaseFacts:
        start = time.perf_counter()
        from bot.engines.torch.generate import Generator
        from bot.engines.torch.serving import ServingModel

        self._model = self._generator = self._facts = None
        model = ServingModel(spec)
        generator = Generator(model)
        import torch

        self._contention = self._contention or started()
        self._facts = BaseFacts(
            fingerprint=model.fingerprint,
            quantization=spec.quantization,
            parameters=model.base.num_parameters(),
            model_type=str(model.base.config.model_type),
            vocabulary=int(model.base.config.vocab_size),
            context=generator.context,
            load_seconds=time.perf_counter() - start,
            memory_bytes=_memory(),
            threads=torch.get_num_threads(),
            device=str(model.base.device),
        )
        self._model, self._generator = model, generator
        return self._facts


def _priority(request: wire.Request) -> Priority:
    """Where *request* stands in the queue: whoever loads or asks for the state is waited for by an operator, too."""
    match request:
        case wire.Stream(priority=priority) | wire.Batch(priority=priority) | wire.Likelihoods(priority=priority):
            return priority
        case wire.Forget():
            return Priority.IDLE  # after those who still name that version
    return Priority.CHAT


def explain(error: BaseException) -> tuple[ErrorKind, str]:
    """The kind and the operator's sentence of something that was not foreseen."""
    text = str(error).lower()
    if isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text:
        return "out-of-memory", "There is not enough memory for this. Close other programs, or choose a smaller model."
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "failed", "The disk is full. Free some space and try again."
    return "failed", f"The model could not do this ({type(error).__name__})."


def _memory() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


def private_streams() -> tuple[IO[bytes], IO[bytes]]:
    """The pipes to the app, taken from descriptors 0 and 1; what libraries print goes to standard error, which the
    client has opened on the log."""
    requests, events = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    return requests, events


def main() -> None:
    """Entry point of the process."""
    requests, events = private_streams()
    private_errors()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a running chat never asks the network for anything
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")
    EngineProcessMain(requests, events).run()


if __name__ == "__main__":
    main()
