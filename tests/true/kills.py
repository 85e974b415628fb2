"""kill -9 of engine, run and app at random moments, and what must hold afterwards.

    python -m tests.true.kills --count 200 [--seed N]

Runs on a tiny random model, so that a kill takes seconds; the processes, files and database are the real ones.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bot.adapters import verify
from bot.types import EngineError
from finetune.recipe import Recipe
from finetune.run import client
from store.desk import Desk
from store.pairs import NewPair
from store.runs import LIVE, OVER
from tests.opened import engine_of, store_of
from tui.core import OpenDesk, ReplyFinished

RECIPE = Recipe(r=4, alpha=8, epochs=6.0, batch_size=2, replay=0.0)
RUN_SECONDS = 14.0  # about how long such a run takes: kills fall anywhere in it
GONE_SECONDS = 60.0  # how long a child may take at most to notice that its parent is gone: seconds, on a calm machine

APP = """
import asyncio, sys
from finetune.recipe import Recipe
from tests.true.kills import RECIPE
from tui.core import OpenDesk

async def main():
    open_desk = OpenDesk(sys.argv[1], operator="app")
    await open_desk.engine.start()
    conversation = open_desk.conversations.begin()
    run = await open_desk.runs.start(await open_desk.runs.preflight(RECIPE))
    print(open_desk.engine._engine.pid, run.id, flush=True)
    for number in range(1000):
        async for event in open_desk.chat.send(conversation.id, f"message {number}"):
            pass
        print("said", number, flush=True)

asyncio.run(main())
"""


@dataclass
class Bench:
    """A desk with a tiny base and a dozen pairs. ``check`` is what must hold after every kill."""

    home: Path
    chance: random.Random

    def prepare(self, base: Path) -> None:
        """Fill a new desk."""
        with Desk.open(self.home) as desk:
            desk.settings.set("base", str(base), "tester")
            desk.settings.set("faithful", {"max_new_tokens": 60}, "tester")
            for number in range(12):
                desk.pairs.add(NewPair(f"Question {number}?", f"Answer {number}.", split="train"), "import", "tester")
            desk.pairs.add(NewPair("Held out?", "Yes.", split="heldout"), "import", "tester")

    def check(self) -> None:
        """The store is sound, and what answers, and could answer, is whole."""
        with Desk.open(self.home) as desk:
            assert desk.db.value("PRAGMA integrity_check") == "ok"
            assert desk.db.all("PRAGMA foreign_key_check") == []
            desk.runs.mark_interrupted()
            assert desk.runs.live() is None
            for version in desk.versions.list():
                verify(desk.home.adapters / version.folder, version.base_fingerprint)
            assert desk.promotions.active() in {"base", *(version.name for version in desk.versions.list())}
            for run in desk.runs.list():
                assert run.state in OVER or run.state == "interrupted", run.state
                if run.state == "promoted":
                    assert run.candidate is not None

    async def kill_engine(self) -> None:
        """In the middle of a reply: the message stays, the reply is failed or whole, and the next one comes."""
        async with OpenDesk(self.home, operator="tester") as open_desk:
            assert (await engine_of(open_desk)).name == "ready"
            conversation = store_of(open_desk).conversations.create("tester").id
            engine = open_desk.engine._engine
            assert engine is not None
            victim: int = engine.pid  # type: ignore[attr-defined]
            delay = self.chance.uniform(0.0, 0.4)
            asyncio.get_running_loop().call_later(delay, os.kill, victim, signal.SIGKILL)
            shown = ""
            async for event in open_desk.chat.send(conversation, "Where is my order?"):
                if isinstance(event, ReplyFinished):
                    assert event.turn.reply is not None
                    assert event.turn.reply.state in ("failed", "complete")
                    assert event.turn.text.startswith(shown.strip()[:10])
                else:
                    shown += getattr(event, "text", "")
            assert store_of(open_desk).conversations.turns(conversation)[0].text == "Where is my order?"
            active = open_desk.promotions.active
            # The kill may still be on its way; then a message sent now would be the one it hits.
            changed = asyncio.Event()
            unlisten = open_desk.changes.listen(lambda _: changed.set())
            async with asyncio.timeout(GONE_SECONDS):
                while open_desk.engine.state.name != "ready" or open_desk.engine._engine is engine:
                    changed.clear()
                    await changed.wait()
            unlisten()
            async for event in open_desk.chat.send(conversation, "Are you there?"):
                if isinstance(event, ReplyFinished):
                    assert event.turn.reply is not None
                    assert (event.turn.reply.state, event.turn.reply.version) == ("complete", active), event.sentence

    async def kill_run(self) -> None:
        """Anywhere in a run: it is offered again, and can be resumed to its verdict or discarded."""
        with Desk.open(self.home) as desk:
            process = await client.start_run(desk, RECIPE, "tester")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), self.chance.uniform(0.0, RUN_SECONDS))
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            run = await process.wait()
            assert run.state in OVER or run.state == "interrupted", run.state
            if run.state == "interrupted":
                if self.chance.random() < 0.5:
                    over = await (await client.resume_run(desk, run.id, "tester")).wait()
                    assert over.state in ("promoted", "held", "rejected"), (over.state, over.failure)
                    assert over.candidate is not None
                else:
                    assert client.discard_run(desk, run.id, "tester").state == "cancelled"
            else:
                assert run.state in ("promoted", "held", "rejected"), (run.state, run.failure)

    async def kill_app(self) -> None:
        """While it chats and trains: its children notice and stop, and every message it reported is there."""
        app = subprocess.Popen(  # noqa: ASYNC220  (starting it takes no time; what it says is what is waited for)
            [sys.executable, "-c", APP, str(self.home)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert app.stdout is not None
        first = app.stdout.readline().split()
        if len(first) != 2:
            raise AssertionError(app.communicate()[1])
        children = psutil.Process(app.pid).children(recursive=True)
        deadline = time.monotonic() + self.chance.uniform(0.0, RUN_SECONDS)
        said = 0
        while time.monotonic() < deadline and (line := app.stdout.readline()):
            said = int(line.split()[1]) + 1
            children += [child for child in psutil.Process(app.pid).children(recursive=True) if child not in children]
        app.kill()
        app.communicate()
        _, alive = await asyncio.to_thread(psutil.wait_procs, children, GONE_SECONDS)
        assert alive == [], alive
        with Desk.open(self.home) as desk:
            turns = desk.conversations.turns(desk.conversations.list(limit=1)[0].id)
            assert [turn.text for turn in turns if turn.role == "customer"][:said] == [
                f"message {n}" for n in range(said)
            ]
            for run in desk.runs.mark_interrupted():
                client.discard_run(desk, run.id, "tester")
            for run in desk.runs.list():
                if run.state == "interrupted":
                    client.discard_run(desk, run.id, "tester")
            assert all(run.state not in LIVE for run in desk.runs.list())

    def kill(self, what: str) -> None:
        """Kill *what* ("engine", "run" or "app") and check."""
        asyncio.run({"engine": self.kill_engine, "run": self.kill_run, "app": self.kill_app}[what]())
        self.check()


def main() -> None:
    """As many kills as asked for."""
    from tests import tiny

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        base = tiny.make(Path(folder) / "base")
        bench = Bench(Path(folder) / "home", chance)
        bench.prepare(base)
        for number in range(1, args.count + 1):
            what = chance.choice(["engine", "run", "run", "app"])
            sys.stdout.write(f"{number} of {args.count}: {what}\n")
            sys.stdout.flush()
            try:
                bench.kill(what)
            except EngineError as error:
                raise AssertionError(error.sentence) from error
    sys.stdout.write(f"{args.count} kills, nothing lost\n")


if __name__ == "__main__":
    main()
