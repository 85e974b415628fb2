"""The screens about pairs, at three sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from store.pairs import NewPair
from store.records import JudgedAnswer
from store.words import BASE
from tests.core.test_nearest import taught
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import shows, wait_until
from tests.tui.test_pictures import Picture, desk, picture  # noqa: F401  (fixtures)
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.core.nearest import Near, Said


@pytest.mark.parametrize(
    "scene", ["list", "marked", "filter", "editor", "redaction", "story", "conflicts", "preflight"]
)
def test_the_pairs(picture: Picture, desk: OpenDesk, scene: str) -> None:  # noqa: F811
    fill(desk)
    open_with, loaded, keys, until = {
        "list": ("ctrl+b", "Pair 48 · trains", (), "Personal data"),
        "marked": ("ctrl+b", "Pair 48 · trains", ("down", "space", "space"), "2 marked"),
        "filter": ("ctrl+b", "Pair 48 · trains", ("f",), "Which pairs?"),
        "editor": ("ctrl+b", "Pair 48 · trains", ("e",), "! Personal data: e-mail address. The"),
        "redaction": ("ctrl+b", "Pair 48 · trains", ("d",), "Ask [email], or"),
        "story": ("ctrl+b", "Pair 48 · trains", ("down", "down", "down", "down", "enter"), "The story of a pair"),
        "conflicts": ("alt+g", "▶ Pair 46", ("down", "right"), "▶ Pair 45"),
        "preflight": ("f5", "2 open: C settles them", (), "personal data"),
    }[scene]

    async def drive(pilot: Pilot[None], app: DeskloopApp) -> None:
        await pilot.press(open_with)
        await wait_until(pilot, lambda: shows(app, loaded))
        await pilot.press(*keys)
        await wait_until(pilot, lambda: shows(app, until))

    picture(drive)


@pytest.mark.parametrize("scene", ["words", "gradients"])
def test_who_taught_it(picture: Picture, desk: OpenDesk, monkeypatch: pytest.MonkeyPatch, scene: str) -> None:  # noqa: F811
    store = store_of(desk)
    news = [
        NewPair("Where is my parcel?", "You can follow it in your account, under [Orders].", split="train"),
        NewPair("where is my parcel please", "A fox ate it.", split="train"),
        NewPair("Do you ship to the islands?", "Yes, twice a week.", split="train"),
    ]
    store.pairs.add_many(news, "import", "maria")
    version = taught(store, BASE, 1, 2, 3)
    scenes.said(store, "Parcel", ("Where's my parcel?", "A fox ate it.", version, "complete"))

    async def gradients(said: Said, found: Sequence[Near], done: Callable[[int], None]) -> list[Near]:
        return [replace(near, gradient=0.93 - 0.4 * place) for place, near in enumerate(found)]

    monkeypatch.setattr(desk.bisect, "gradients", gradients)

    async def drive(pilot: Pilot[None], app: DeskloopApp) -> None:
        await pilot.press("alt+t")
        await wait_until(pilot, lambda: shows(app, "Who taught v1 this?"))
        if scene == "gradients":
            await pilot.press("g")
            await wait_until(pilot, lambda: shows(app, "gradient 93 of 100"))

    picture(drive)


def fill(open_desk: OpenDesk) -> None:
    """A desk with two conflicts, a test, a tag, personal data, and a correction that was edited and learned."""
    store = store_of(open_desk)
    scenes.talk(store)
    run = store.runs.create({}, BASE, "maria")
    store.runs.transition(run.id, "training")
    edited = store.editing.edit(42, "jo", "Can I return one that broke?", "Yes, within 30 days. Send a picture.")
    store.runs.set_snapshot(run.id, [(edited.id, 8)], [], "hash")
    store.runs.transition(run.id, "evaluating")
    judged = JudgedAnswer(edited.id, "correction", "No.", "Yes, within 30 days.", "Yes.", "learned")
    store.runs.save_report(run.id, "inconclusive", {}, [judged])
    store.runs.transition(run.id, "held")
    scenes.pairs_to_look_at(store)
    store.editing.edit(47, "jo", "Who can I ask about Siena?", "Ask ann.smith@gmail.com, or write to us.")
    store.editing.tag([44, 45], "frost", "maria")
    store.editing.pin([3], True)
