"""The run process: ``python -m finetune.run.worker --home H --run N --lock-fd F``. Needs no torch itself.

It drives one run through its states and has two children, one after the other: the training process, then a serving
engine that measures the new version and judges it. What matters is in the store; a look there tells how far it is.

Standard input is the leash: its end means that the app is gone, and the run becomes ``interrupted``, to be resumed or
discarded, unless the app said ``detach`` first: then the run goes on alone. What operators want of the run, in
whichever app, is read from the store (:meth:`store.runs.Runs.wished`). Everything works in every phase, since a run
publishes in one rename and promotes in one transaction.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from bot.adapters import read_manifest, verify
from bot.bases.base import fingerprint
from bot.child import child_options, module_command
from bot.engines.child import EngineProcess
from bot.traces import print_trace, private_errors, private_loop
from bot.types import AdapterRef, BaseSpec, EngineError
from bot.wire import LINE_LIMIT, decode, encode
from finetune.desk_base import base_facts, desk_base
from finetune.failures import SENTENCES, RunFailure, kind_of
from finetune.files import RunFiles
from finetune.gate import GateReport, Trouble
from finetune.gate.general import Drift
from finetune.preflight import warm_parent
from finetune.recipe import Recipe, recipe_of
from finetune.run.client import DETACH
from finetune.run.judge import drift_of, evaluate_versions
from finetune.run.publish import clean_up, publish
from finetune.run.stillness import tell_of_stillness
from finetune.run.troubles import diverged, troubles_of
from finetune.train.trainer import INTERRUPTED
from store.desk import Desk
from store.errors import DeskError
from store.home import Home
from store.records import Pair, Run, RunWish, Snapshot
from store.runs import LIVE, RunLock
from store.versions import BASE

NICENESS = 10  # the chat goes first
FITTED = ("batch_size", "gradient_accumulation", "checkpointing")  # what changes where the memory does not suffice
STOPPED = {"cancelled": "cancelled", "interrupted": "stopped"}
SAVE_SECONDS = 20.0  # how long an interrupted trainer may take to write its last checkpoint
LOOK_EVERY = 0.5  # seconds between two looks for what operators want of the run
JUDGED_EVERY = 0.5  # seconds between two events that say how many answers are judged


class Leash:
    """What is wanted of the run, by the app that started it or by an operator in any app; None: to go on."""

    def __init__(self) -> None:
        self.wish: RunWish | None = None
        self.who: str | None = None  # who said so; None: nobody, the app is gone
        self.pulled = asyncio.Event()

    async def watch(self) -> None:
        """Read standard input to its end."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            if line.strip() == DETACH:
                return
        self._pull("interrupt")

    async def look(self, desk: Desk, run_id: int) -> None:
        """Look into the store for what operators want, for as long as nobody wants anything."""
        while not self.pulled.is_set():
            with contextlib.suppress(DeskError):  # who writes next says what is wrong with the desk
                if (wish := desk.runs.wished(run_id)) is not None:
                    self._pull(wish.wish, wish.who)
            await asyncio.sleep(LOOK_EVERY)

    def _pull(self, wish: RunWish, who: str | None = None) -> None:
        if self.wish is None:
            self.wish, self.who = wish, who
            self.pulled.set()


class Worker:
    """One run, from wherever it stands to its end."""

    def __init__(self, desk: Desk, run: Run, leash: Leash) -> None:
        self._desk, self._run, self._leash = desk, run, leash
        self._recipe = recipe_of(run.recipe)
        self._files = RunFiles.of(desk.home, run.id)
        settings = desk.settings.load()
        self._system = settings.system_message
        self._spec: BaseSpec
        self._judged_at = 0.0

    # -- life --------------------------------------------------------------------------------------
    async def work(self) -> Run:
        """Do it all; every way it can end is written to the store. Returns the run as it ended."""
        task = asyncio.create_task(self._through(), name="run")
        pull = asyncio.create_task(self._leash.pulled.wait(), name="leash")
        await asyncio.wait({task, pull}, return_when=asyncio.FIRST_COMPLETED)
        pull.cancel()
        if not task.done():
            task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            self._told_its_end(self._given_up)
        except BaseException as error:
            with contextlib.suppress(OSError):  # the log's disk may be what is full
                print_trace(error)
            self._told_its_end(partial(self._failed, error))
        return self._desk.runs.get(self._run.id)

    def _told_its_end(self, tell: Callable[[], None]) -> None:
        """Write how the run ended. A desk that does not take even that is told of in the log; whoever follows the run
        finds that its process is gone, and says so."""
        try:
            tell()
        except DeskError as error:
            with contextlib.suppress(OSError):
                print(error.sentence, file=sys.stderr, flush=True)  # noqa: T201

    def _given_up(self) -> None:
        state = "cancelled" if self._leash.wish == "cancel" else "interrupted"
        if self._desk.runs.get(self._run.id).state not in LIVE:
            return  # it had just ended by itself
        if self._leash.who is not None:
            self._tell("note", sentence=f"{self._leash.who} {STOPPED[state]} the retraining.")
        self._desk.runs.transition(self._run.id, state)
        if state == "cancelled":
            self._files.drop_work()
        self._done(state)

    def _failed(self, error: BaseException) -> None:
        kind = error.kind if isinstance(error, EngineError) else kind_of(error)
        sentence = error.sentence if isinstance(error, EngineError) else SENTENCES.get(kind, SENTENCES["failed"])
        failure = {"kind": kind, "sentence": sentence, "log": str(self._files.log)}
        if self._desk.runs.get(self._run.id).state in LIVE:
            self._desk.runs.transition(self._run.id, "failed", failure=failure)
        if kind == "diverged":
            self._tell_trouble(diverged(self._recipe, self._steps()))
        self._tell("failed", **failure)
        self._done("failed")

    async def _through(self) -> None:
        if not self._run.recipe:
            raise RunFailure("recipe-unreadable")  # the store's word for a damaged one
        self._spec = desk_base(self._desk)
        mark = await asyncio.to_thread(fingerprint, self._spec)
        run = self._desk.runs.get(self._run.id)
        if run.base_fingerprint is not None and run.base_fingerprint != mark:
            raise RunFailure("base-changed")
        for strange in clean_up(self._desk):
            where = self._desk.home.aside
            self._tell(
                "note", sentence=f"{strange} among the adapters is no version of this desk; it is in {where} now."
            )
        data = self._snapshot(run, mark)
        parent = self._parent(run, mark)
        self._desk.runs.transition(self._run.id, "training", phase="training", base_fingerprint=mark, pid=os.getpid())
        facts = await self._train(parent, len(data.train))
        self._desk.runs.transition(self._run.id, "evaluating", phase="publishing")
        await self._judge_and_promote(parent, mark, facts, data)

    # -- data --------------------------------------------------------------------------------------
    def _snapshot(self, run: Run, mark: str) -> Snapshot:
        """Fix the data, once; a resumed run finds it fixed."""
        if run.data_hash is None:
            self._phase("snapshot", "Taking a snapshot of the pairs.")
            chosen = self._desk.pairs.training_set()
            if len(chosen) < self._desk.settings.load().min_pairs:
                raise RunFailure("too-few-pairs")
            validation = self._set_aside([pair for pair, new in chosen if not new])
            aside = {pair.id for pair in validation}
            weights = [(pair, self._recipe.new_weight if new else 1) for pair, new in chosen if pair.id not in aside]
            heldout = self._desk.pairs.heldout_set()
            digest = hashlib.sha256(mark.encode())
            for pair, weight in weights:
                digest.update(json.dumps([pair.instruction, pair.history, pair.output, weight]).encode())
            self._desk.runs.set_snapshot(
                run.id,
                [(pair.id, weight) for pair, weight in weights],
                [pair.id for pair in heldout],
                digest.hexdigest(),
                sorted(aside),
            )
        return self._desk.runs.snapshot(run.id)

    def _set_aside(self, known: list[Pair]) -> list[Pair]:
        """The share of pairs that the recipe wants set aside, drawn from those that are no new corrections."""
        count = min(round(self._recipe.validation * len(known)), len(known) - 1)
        return random.Random(f"{self._recipe.seed}/validation").sample(known, count) if count > 0 else []

    def _parent(self, run: Run, mark: str) -> str:
        """The version to go on from: decided when the run starts, kept when it is resumed."""
        if self._files.last_checkpoint() is not None or self._files.trained:
            return run.parent
        parent = warm_parent(self._desk, self._recipe)
        if parent != BASE:
            try:
                verify(self._folder(parent), mark)
            except EngineError as error:
                self._tell("note", sentence=f"Training starts afresh, not from {parent}: {error.sentence}")
                parent = BASE
        self._desk.runs.update(run.id, parent=parent)
        return parent

    def _folder(self, version: str) -> Path:
        return self._desk.home.adapters / self._desk.versions.get(version).folder

    # -- training ----------------------------------------------------------------------------------
    async def _train(self, parent: str, pairs: int) -> dict[str, Any]:
        facts_file = self._files.root / "training.json"
        if self._files.trained and facts_file.is_file():
            self._tell("note", sentence="Training was complete already; going on with the check.")
            facts: dict[str, Any] = json.loads(facts_file.read_text())
            return facts
        again = self._files.last_checkpoint() is not None
        start = "Going on from the last checkpoint" if again else f"Learning from {pairs} pairs, from {parent}"
        self._phase("loading", f"{start}: loading the model.")
        job = {
            "home": str(self._desk.home.root),
            "run": self._run.id,
            "base": asdict(self._spec),
            "system": self._system,
            "parent": None if parent == BASE else str(self._folder(parent)),
        }
        facts = await self._train_as_it_fits(job)
        facts_file.write_text(json.dumps(facts))
        return facts

    async def _train_as_it_fits(self, job: dict[str, Any]) -> dict[str, Any]:
        """Train; out of memory, go on from the last checkpoint with the same steps in smaller parts."""
        recipe = self._recipe
        if (fitted := self._desk.runs.last_event(self._run.id, "fitted")) is not None:
            recipe = replace(recipe, **{name: fitted.body[name] for name in FITTED if name in fitted.body})
        while True:
            try:
                return await self._trainer(job | {"recipe": recipe.to_dict()})
            except RunFailure as failure:
                smaller = recipe.smaller() if failure.kind == "out-of-memory" else None
                if smaller is None:
                    raise
                print_trace(failure)
            self._fitted(recipe, smaller)
            recipe = smaller

    def _fitted(self, before: Recipe, now: Recipe) -> None:
        change = (
            "computing activations again instead of keeping them"
            if now.checkpointing and not before.checkpointing
            else f"in batches of {now.batch_size}, {now.gradient_accumulation} to a step"
        )
        again = "from the last checkpoint" if self._files.last_checkpoint() is not None else "from the beginning"
        sentence = f"The memory did not suffice. Training goes on {again}, {change}: the same steps in less memory."
        self._tell("fitted", sentence=sentence, **{name: getattr(now, name) for name in FITTED})

    async def _trainer(self, job: dict[str, Any]) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            *module_command("finetune.train.trainer"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
            **child_options(),
        )
        assert process.stdin is not None
        assert process.stdout is not None
        watching = asyncio.create_task(
            tell_of_stillness(process.pid, lambda sentence: self._tell("note", sentence=sentence)), name="stillness"
        )
        try:
            process.stdin.write(encode(job))
            await process.stdin.drain()
            facts: dict[str, Any] | None = None
            failure: dict[str, Any] | None = None
            while line := await process.stdout.readline():
                event = decode(line)
                if event["kind"] == "trained":
                    facts = event["body"]
                elif event["kind"] == "failed":
                    failure = event["body"]
                else:
                    self._told(event["kind"], event["body"])
            code = await process.wait()
        except BaseException:
            await self._stop_trainer(process)
            raise
        finally:
            watching.cancel()
        if failure is not None:
            raise RunFailure(failure["kind"], failure["detail"])
        if facts is None:
            # Killed from outside; for a process that only computes that is nearly always the system, out of memory.
            raise RunFailure("out-of-memory" if code == -9 else "trainer-died", f"the trainer ended with {code}")
        return facts

    async def _stop_trainer(self, process: asyncio.subprocess.Process) -> None:
        """Cancelled: kill it. Interrupted, or the desk can't be written: let it write a checkpoint first."""
        assert process.stdin is not None
        if self._leash.wish != "cancel":
            process.stdin.close()
            with contextlib.suppress(TimeoutError):
                if await asyncio.wait_for(process.wait(), SAVE_SECONDS) == INTERRUPTED:
                    return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    # -- judging -----------------------------------------------------------------------------------
    async def _judge_and_promote(self, parent: str, mark: str, facts: dict[str, Any], data: Snapshot) -> None:
        engine = EngineProcess(log=self._files.log)
        try:
            self._phase("publishing", "Loading the base as it will serve the new version.")
            base = await engine.load(self._spec)
            candidate = self._desk.runs.get(self._run.id).candidate
            if candidate is None:
                candidate = await self._publish(engine, parent, mark, facts, data.train)
            reference = AdapterRef(candidate, str(self._folder(candidate)))
            await engine.activate(reference)  # the probe: what was published loads and answers as measured
            active = self._desk.promotions.active()
            self._phase("judging", f"Comparing {candidate} with {active} on {len(data.heldout)} held-out pairs.")
            waiting = {pair.id for pair in self._desk.judgements.corrections_since_promotion()}
            corrections = [pair for pair, _ in data.train if pair.id in waiting]
            report = await evaluate_versions(
                engine, self._desk, base, active, candidate, data.heldout, corrections, self._system, self._judged
            )
            self._phase("judging", "Looking how far the new version is from the base.")
            drift = await drift_of(engine, self._desk, base, candidate, self._system)
            troubles = self._troubles(active, candidate, facts, report)
            self._conclude(active, candidate, report, drift, troubles)
        finally:
            await engine.close()

    async def _publish(
        self, engine: EngineProcess, parent: str, mark: str, facts: dict[str, Any], train: list[tuple[Pair, int]]
    ) -> str:
        self._phase("publishing", "Measuring and publishing the new version.")
        probe = await engine.probe(str(self._files.adapter))
        run = self._desk.runs.get(self._run.id)
        card = {
            "parent": parent,
            "recipe": self._recipe.to_dict(),
            "base": base_facts(self._desk, self._spec),
            "base_fingerprint": mark,
            "system_message": self._system,
            "pairs": [[pair.id, weight] for pair, weight in train],
            "data_hash": run.data_hash,
            "training": facts,
        }
        row = publish(
            self._desk,
            self._run.id,
            self._files.adapter,
            base_fingerprint=mark,
            method=self._recipe.method,
            recipe=self._recipe.to_dict(),
            card=card,
            probe=probe,
        )
        return row.name

    def _troubles(self, active: str, candidate: str, facts: dict[str, Any], report: GateReport) -> list[Trouble]:
        probe = read_manifest(self._folder(candidate)).probe
        return troubles_of(
            self._recipe,
            self._steps(),
            facts,
            fitted=self._desk.runs.last_event(self._run.id, "fitted") is not None,
            difference=None if probe is None else probe.difference,
            answers=report.answers,
            before=active,
        )

    def _steps(self) -> list[dict[str, Any]]:
        return [event.body for event in self._desk.runs.events(self._run.id) if event.kind == "step"]

    def _tell_trouble(self, trouble: Trouble) -> None:
        self._tell("trouble", trouble=trouble.to_dict(), sentence=trouble.sentence)

    def _conclude(
        self, active: str, candidate: str, report: GateReport, drift: Drift, troubles: Sequence[Trouble]
    ) -> None:
        """The verdict, its report and, if it is good, the promotion: all in one transaction."""
        body = report.to_dict() | {"drift": {**asdict(drift), "sentence": drift.sentence}}
        body["troubles"] = [trouble.to_dict() for trouble in troubles]
        for trouble in troubles:
            self._tell_trouble(trouble)
        runs = self._desk.runs
        with self._desk.atomic():
            answering = self._desk.promotions.active()
            if report.verdict == "promote" and answering != active:
                body["sentence"] += (
                    f" But {answering} was activated meanwhile, and nobody compared {candidate} with it: "
                    f"{candidate} waits until you decide."
                )
            if drift.far:
                body["sentence"] += f" {drift.sentence}"
            runs.save_report(self._run.id, report.verdict, body, report.answers)
            self._tell("verdict", version=candidate, **body)
            if report.verdict == "promote" and answering == active:
                self._desk.promotions.promote(candidate, "gate", self._run.created_by, run_id=self._run.id)
                state = "promoted"
            else:
                state = "rejected" if report.verdict == "reject" else "held"
            runs.transition(self._run.id, state, phase="")
            if state == "promoted":
                self._tell("promoted", version=candidate)
        self._files.drop_work()
        self._done(state)

    # -- telling -----------------------------------------------------------------------------------
    def _tell(self, kind: str, /, **body: Any) -> None:  # a failure has a kind of its own
        self._desk.runs.add_event(self._run.id, kind, body)

    def _told(self, kind: str, body: dict[str, Any]) -> None:
        if kind == "phase":
            self._desk.runs.update(self._run.id, phase=str(body["phase"]))
        self._tell(kind, **body)

    def _phase(self, phase: str, sentence: str) -> None:
        self._told("phase", {"phase": phase, "sentence": sentence})

    def _judged(self, done: int, total: int, version: str) -> None:
        now = time.monotonic()
        if now - self._judged_at >= JUDGED_EVERY or done == total:
            self._judged_at = now
            self._tell("judged", done=done, total=total, version=version)

    def _done(self, state: str) -> None:
        run = self._desk.runs.get(self._run.id)
        bleu = (run.report or {}).get("bleu") or {"active": None, "candidate": None}
        self._tell("done", run=run.id, verdict=run.verdict, version=run.candidate, bleu=bleu, state=state)


async def main_async(home: Home, run_id: int) -> int:
    """Work on one run under its leash; 0 unless it failed."""
    private_loop(asyncio.get_running_loop())
    with Desk.open(home) as desk:
        leash = Leash()
        watching = [
            asyncio.create_task(leash.watch(), name="watch-parent"),
            asyncio.create_task(leash.look(desk, run_id), name="watch-wishes"),
        ]
        run = await Worker(desk, desk.runs.get(run_id), leash).work()
        for task in watching:
            task.cancel()
        return 1 if run.state == "failed" or run.state in LIVE else 0


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", required=True)
    parser.add_argument("--run", type=int, required=True)
    parser.add_argument("--lock-fd", type=int, required=True)
    args = parser.parse_args()
    private_errors()
    home = Home.open(args.home, create=False)
    lock = RunLock.adopt(home, args.lock_fd)  # held until this process ends, however it ends
    os.nice(NICENESS)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a terminal that closes ends its app; that is what the leash is for
    code = asyncio.run(main_async(home, args.run))
    lock.release()
    return code


if __name__ == "__main__":
    sys.exit(main())
