"""The pictures of the docs: of a real desk, after a real retraining, so that what they show can be had.

python -m benchmarks pictures [--base FOLDER] [--out FOLDER]

A temporary desk loads the sample, a customer asks, an operator corrects, the bot is retrained by the default recipe and
asked again. All of it goes by keys in the app itself; nothing is written into the desk by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Button, Checkbox, Input, TextArea

from benchmarks.common import ROOT
from benchmarks.moving import Frame, moving, still
from store.desk import Desk
from store.home import MODELS_VARIABLE, Home
from tests.tui.helpers import screen_text, shows
from tui.app import DeskloopApp
from tui.core.open_desk import OpenDesk
from tui.widgets.turns import BotTurn

FOLDER = ROOT / "docs" / "pictures"
WHO = "maria"
# No answer of the sample says this, and a shop's bot that was trained elsewhere can't know it.
QUESTION = "Can you wrap my order as a gift?"
ANSWER = "Yes, we wrap any order in green paper for $3. Tick Gift wrap in your cart."
OTHERS = ("How long does delivery take?", "Do you have a shop I can visit?")
LONGEST = 80  # tokens of a reply: the untrained base rambles on
USUAL, BROAD = (100, 30), (132, 34)
MINUTE = 60.0
CAPTIONS = ("1  A customer asks", "2  You correct the answer", "3  One key retrains", "4  The bot answers as corrected")


class Operator:
    """Presses keys, waits for what is to be seen, and takes pictures of it."""

    def __init__(self, app: DeskloopApp, pilot: Pilot[None]) -> None:
        self.app, self.pilot = app, pilot
        self.taken: dict[str, str] = {}

    async def until(self, holds: Callable[[], object], what: str, seconds: float = MINUTE) -> None:
        """Wait until *holds*. Raises :class:`TimeoutError` with *what* and the screen in words."""
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                raise TimeoutError(f"{what} did not come:\n{screen_text(self.app)}")
            await asyncio.sleep(0.05)
            await self.pilot.pause()

    async def see(self, text: str, seconds: float = MINUTE) -> None:
        """Wait until *text* is on the screen."""
        await self.until(lambda: shows(self.app, text), text, seconds)

    async def press(self, *keys: str, then: str = "") -> None:
        """Press *keys* and wait until *then* is on the screen."""
        await self.pilot.press(*keys)
        await self.see(then)

    async def type(self, text: str) -> None:
        """Write *text* where the focus is."""
        await self.pilot.press(*("space" if character == " " else character for character in text))

    async def ask(self, question: str) -> None:
        """Ask as a customer, and wait for the whole reply."""
        before = len(self.app.screen.query(BotTurn))
        await self.type(question)
        await self.pilot.press("enter")
        await self.until(
            lambda: len(turns := self.app.screen.query(BotTurn)) > before and _over(turns.last()), question
        )
        await self.see("· ready")

    async def take(self, name: str, size: tuple[int, int] = USUAL) -> None:
        """A picture of the screen in this size, in columns and lines."""
        await self.pilot.resize_terminal(*size)
        for screen in self.app.screen_stack:
            for field in [*screen.query(Input), *screen.query(TextArea)]:
                field.cursor_blink = False
        seen: list[str] = []

        def is_still() -> bool:
            seen.append(screen_text(self.app))
            return len(seen) > 4 and len(set(seen[-4:])) == 1

        # What is trained meanwhile goes on; a screen that never stands still is taken as it is.
        for _ in range(40):
            await self.pilot.pause()
            if is_still():
                break
            await asyncio.sleep(0.05)
        self.taken[name] = still(self.app.export_screenshot(), name)
        say(f"{name}: {size[0]}x{size[1]}")
        await self.pilot.resize_terminal(*USUAL)
        await self.pilot.pause()


def _over(turn: BotTurn) -> bool:
    return not turn.streaming and turn.turn.reply is not None and turn.turn.reply.finished_at is not None


async def ask_and_correct(operator: Operator) -> None:
    """From the first start to a correction that waits."""
    await operator.see("Welcome to deskloop")
    await operator.see("· ready", 3 * MINUTE)
    await operator.take("start")
    await operator.press("enter", then="Nothing has been said yet")
    for question in OTHERS:
        await operator.ask(question)
    await operator.press("ctrl+n", then="Nothing has been said yet")
    await operator.ask(QUESTION)
    await operator.take("asked")
    await operator.press("f2", then="It should have said")
    await operator.type(ANSWER)
    await operator.take("correction")
    await operator.press("ctrl+s", then="✎ corrected")
    await operator.press("f10", then="judged today")
    await operator.take("review")
    await operator.press("escape", then="1 correction waiting")


async def retrain(operator: Operator) -> None:
    """From F5 to a version that answers."""
    app = operator.app
    await operator.press("f5", then="Pairs to learn from")
    await operator.take("preflight")
    await operator.press("enter", then="Retraining")
    await operator.until(lambda: "step" in screen_text(app), "the first step", 5 * MINUTE)
    await operator.take("chat", BROAD)
    await operator.press("f6")
    await operator.until(lambda: _percent(app) >= 60 or _ended(app), "more than half of the steps", 12 * MINUTE)
    await operator.take("training", BROAD)
    await operator.until(lambda: _ended(app), "the end of the run", 12 * MINUTE)
    await operator.press("v")
    await operator.until(lambda: re.search(r"Answers \d", screen_text(app)), "the answers")
    await operator.take("report", BROAD)
    if shows(app, "Use it anyway"):
        say("The check did not promote the version; the operator uses it anyway, and the pictures show it.")
        await operator.press("u", then="Your reason is saved")
        await operator.type("pictures")
        await operator.press("enter")
    else:
        await operator.press("escape")
    await operator.until(lambda: app.screen is app.chat or shows(app, "V Report"), "the way back")
    if app.screen is not app.chat:
        await operator.press("escape")
    await operator.see("v1 · ready")


async def ask_again(operator: Operator) -> None:
    """What the new version says, and every version."""
    await operator.press("ctrl+n", then="Nothing has been said yet")
    await operator.ask(QUESTION)
    await operator.take("answered")
    await operator.press("f7", then="Versions")
    await operator.take("versions", BROAD)
    await operator.press("escape", then="v1 · ready")
    await operator.press("ctrl+t", then="Compare two versions")
    operator.app.screen.query_one(Checkbox).value = True
    operator.app.screen.query_one("#start-compare", Button).press()
    await operator.see("Votes:")
    await operator.until(lambda: not shows(operator.app, "Asking"), "both answers", 3 * MINUTE)
    await operator.take("compare")


def _percent(app: DeskloopApp) -> int:
    """How far the bar of the training is."""
    found = re.search(r"(\d+)%", screen_text(app))
    return int(found.group(1)) if found else 0


def _ended(app: DeskloopApp) -> bool:
    return any(shows(app, word) for word in ("answers now", "is held", "was rejected", "failed; nothing changed"))


async def pictures(base: str | None) -> dict[str, str]:
    """Every picture by its name, as SVG. *base*: another one than the starter."""
    with tempfile.TemporaryDirectory(prefix="deskloop-pictures-") as place:
        home = Home.open(Path(place) / "garden")
        with Desk.open(home) as desk:
            desk.settings.set("faithful", {"max_new_tokens": LONGEST}, WHO)
            if base is not None:
                desk.settings.set("base", base, WHO)
        app = DeskloopApp(OpenDesk(home, operator=WHO))
        async with app.run_test(size=USUAL) as pilot:
            operator = Operator(app, pilot)
            for part in (ask_and_correct, retrain, ask_again):
                await part(operator)
        taken = operator.taken
    frames = [Frame(caption, taken[name]) for caption, name in zip(CAPTIONS, LOOP, strict=True)]
    return {name: picture for name, picture in taken.items() if name not in LOOP_ONLY} | {"loop": moving(frames)}


LOOP = ("asked", "correction", "training", "answered")  # what the moving picture is made of
LOOP_ONLY = ("asked",)


def say(sentence: str) -> None:
    """Tell whoever waits how far it is."""
    sys.stderr.write(f"{sentence}\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Take every picture and write it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks pictures", description=__doc__.split("\n")[0])
    parser.add_argument("--base", help="the folder of another base than the starter")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where the pictures go")
    given = parser.parse_args(arguments)
    os.environ.setdefault(MODELS_VARIABLE, str(ROOT / ".cache" / "models"))
    taken = asyncio.run(pictures(given.base))
    given.out.mkdir(parents=True, exist_ok=True)
    for name, picture in taken.items():
        (given.out / f"{name}.svg").write_text(picture, encoding="utf-8")
    say(f"{len(taken)} pictures in {given.out}")


if __name__ == "__main__":
    main()
