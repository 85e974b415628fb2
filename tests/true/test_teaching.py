"""Three corrections in three runs on the starter, each run going on from the version before: what was taught first is
still known at the end, and every answer ends by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.types import FAITHFUL, Answer, Prompt, Ticket
from finetune.recipe import Recipe
from store.home import MODELS_VARIABLE
from store.pairs import NewPair
from store.sample import sample_rows
from tests.opened import engine_of, store_of
from tui.core import OpenDesk, ReplyFinished
from tui.core.reports import recall_of

pytestmark = [pytest.mark.true, pytest.mark.timeout(900)]

LESSONS = (
    ("Can you wrap my order as a gift?", "Yes, we wrap any order in green paper for $3. Tick Gift wrap in your cart."),
    ("Do you repair old kettles?", "We do: send it to our workshop in Bern, and we mend it within two weeks."),
    ("May my dog come into your shop?", "Dogs on a lead are welcome. Ask at the till for a bowl of water."),
)
RECALL = 0.85  # of the six to eight questions that each of the three versions was taught: one may be missed


@pytest.fixture
async def open_desk(tmp_path: Path, starter: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenDesk]:
    monkeypatch.setenv(MODELS_VARIABLE, str(starter.parent))
    async with OpenDesk(tmp_path / "home", operator="tester") as opened:
        store_of(opened).settings.set("min_pairs", 1, "tester")
        for row in [row for row in sample_rows() if row["answer"] == "hours"][:5]:
            store_of(opened).pairs.add(NewPair(row["instruction"], row["output"], split="train"), "import", "tester")
        yield opened


async def say(open_desk: OpenDesk, question: str) -> Answer:
    """What the active version says to a new customer, as the check asks it."""
    async with open_desk.engine.turn() as engine:
        prompt = Prompt(store_of(open_desk).settings.load().system_message, (), question)
        async for item in engine.stream(Ticket(open_desk.engine.serving), prompt, FAITHFUL):
            if isinstance(item, Answer):
                return item
    raise AssertionError("no answer came")


async def teach(open_desk: OpenDesk, question: str, answer: str) -> None:
    """Ask, correct, retrain, and make the new version answer."""
    conversation = store_of(open_desk).conversations.create("tester")
    async for event in open_desk.chat.send(conversation.id, question):
        if isinstance(event, ReplyFinished):
            open_desk.judgements.correct(event.turn.id, answer)
    run = await open_desk.runs.start(await open_desk.runs.preflight(Recipe()))
    async for _ in open_desk.runs.events(run.id):
        pass
    over = store_of(open_desk).runs.get(run.id)
    assert over.candidate is not None, over.failure
    recall = recall_of(over)
    assert recall is not None
    assert recall.share >= RECALL, [row for row in store_of(open_desk).runs.judged(run.id) if row.kind == "taught"]
    await open_desk.promotions.activate(over.candidate, "it is the newest")


async def test_three_rounds_of_teaching_keep_the_first_lesson(open_desk: OpenDesk) -> None:
    assert (await engine_of(open_desk)).name == "ready"
    for question, answer in LESSONS:
        await teach(open_desk, question, answer)
    parents = [store_of(open_desk).runs.get(number).parent for number in (1, 2, 3)]
    assert parents == ["base", "v1", "v2"]
    for question, target in LESSONS:
        said = await say(open_desk, question)
        assert said.text == target
        assert said.finish == "complete"  # the end of the turn was learned, too
