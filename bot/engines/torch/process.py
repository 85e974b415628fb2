"""The engine process: ``python -m bot.engines.torch.process``. Requests come in and events go out as JSON lines.

Standard output and error are pointed at the log before anything heavy is imported, at the level of the file
descriptors, so that no library can draw on the operator's screen. The process ends when its input does: that is how
it notices that the app is gone.
"""

from __future__ import annotations

import errno
import os
import queue
import threading
import time
from typing import IO, Any

from bot.contention import Contention, started
from bot.traces import print_trace, private_errors
from bot.types import AdapterRef, Answer, BaseFacts, BaseSpec, Decoding, EngineError, EngineStatus, Prompt
from bot.wire import LINE_LIMIT, decode, encode, plain, read
from store.words import BASE

CANCEL = "cancel"
PULSE = "pulse"  # answered at once, whatever is being worked on (bot.pulse)


class EngineProcessMain:
    """Reads requests in one thread, so that a cancel acts at once, and works on them in another."""

    def __init__(self, requests: IO[bytes], events: IO[bytes]) -> None:
        self._requests, self._events = requests, events
        self._queue: queue.Queue[dict[str, Any]] = queue.Queue()
        self._lock = threading.Lock()
        self._read_last: Any = None  # id of the newest request that was read
        self._cancelled: Any = None  # id of the newest request when the last cancel came
        self._serving: Any = None
        self._generator: Any = None
        self._facts: BaseFacts | None = None
        self._contention: Contention | None = None

    def run(self) -> None:
        """Work until the input ends."""
        threading.Thread(target=self._read, daemon=True).start()
        while True:
            request = self._queue.get()
            try:
                done = self._handle(request)
            except EngineError as error:
                self._tell(request, "error", kind=error.kind, sentence=error.sentence)
            except BaseException as error:
                print_trace(error)
                kind, sentence = explain(error)
                self._tell(request, "error", kind=kind, sentence=sentence)
            else:
                self._tell(request, "done", **done)

    def _read(self) -> None:
        while line := self._requests.readline(LINE_LIMIT):
            try:
                request = decode(line)
            except ValueError:
                continue
            if request.get("op") == PULSE:
                self._tell({}, PULSE, processor=time.process_time())
            elif request.get("op") == CANCEL:
                self._cancelled = self._read_last
                if self._generator is not None:
                    self._generator.stop.asked.set()
            else:
                self._read_last = request.get("id")
                self._queue.put(request)
        os._exit(0)  # the app is gone; whatever was being generated is for nobody

    def _tell(self, request: dict[str, Any], event: str, **body: Any) -> None:
        with self._lock:
            self._events.write(encode({"id": request.get("id"), "event": event, **body}))
            self._events.flush()

    def _begin(self, request: dict[str, Any]) -> None:
        """Forget the cancel of an earlier generation, but not one that came before this one had begun."""
        stop = self._generator.stop.asked
        stop.clear()
        if self._cancelled is not None and self._cancelled == request.get("id"):
            stop.set()

    def _handle(self, request: dict[str, Any]) -> dict[str, Any]:
        operation = request.get("op")
        if operation == "load":
            return self._load(read(BaseSpec, request["base"]))
        if operation == "status" and self._serving is None:
            return plain(EngineStatus(BASE, (), _memory()))
        if self._serving is None:
            raise EngineError("bad-request", "The engine has no base loaded yet.")
        if operation == "status":
            return plain(EngineStatus(self._serving.active, self._serving.loaded, _memory(), self._facts))
        if operation in ("stream", "batch"):
            self._begin(request)
        if operation == "stream":
            answer = self._generator.stream(
                read(Prompt, request["prompt"]),
                read(Decoding, request["decoding"]),
                request.get("conversation"),
                lambda text: self._tell(request, "text", text=text),
            )
            return plain(answer)
        if operation == "batch":
            return self._batch(request)
        if operation == "likelihoods":
            texts = [(read(Prompt, prompt), str(answer)) for prompt, answer in request["texts"]]
            return {"values": self._generator.likelihoods(texts)}
        if operation == "lengths":
            return {"values": self._generator.lengths([str(text) for text in request["texts"]])}
        if operation == "activate":
            adapter = request.get("adapter")
            activation = self._serving.activate(read(AdapterRef, adapter) if adapter else None)
            self._generator.drop_caches()
            probe = plain(activation.probe) if activation.probe else None
            return {"version": activation.version, "seconds": activation.seconds, "probe": probe}
        if operation == "probe":
            return plain(self._serving.probe(request["folder"]))
        raise EngineError("bad-request", f"The engine knows no request {operation!r}.")

    def _load(self, spec: BaseSpec) -> dict[str, Any]:
        start = time.perf_counter()
        from bot.engines.torch.generate import Generator
        from bot.engines.torch.serving import ServingModel

        self._serving = self._generator = None
        self._serving = ServingModel(spec)
        self._generator = Generator(self._serving)
        import torch

        self._contention = self._contention or started()
        model = self._serving.base
        self._facts = BaseFacts(
            fingerprint=self._serving.fingerprint,
            quantization=spec.quantization,
            parameters=model.num_parameters(),
            model_type=str(model.config.model_type),
            vocabulary=int(model.config.vocab_size),
            context=self._generator._context,
            load_seconds=time.perf_counter() - start,
            memory_bytes=_memory(),
            threads=torch.get_num_threads(),
            device=str(model.device),
        )
        return plain(self._facts)

    def _batch(self, request: dict[str, Any]) -> dict[str, Any]:
        prompts = [read(Prompt, prompt) for prompt in request["prompts"]]

        def progress(index: int, answer: Answer) -> None:
            self._tell(request, "answer", index=index, answer=plain(answer))

        self._generator.batch(prompts, read(Decoding, request["decoding"]), progress, request.get("limits"))
        return {}


def explain(error: BaseException) -> tuple[str, str]:
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
