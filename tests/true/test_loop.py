"""The whole loop with the starter model: a real QLoRA run changes an answer, is swapped in, and is rolled back."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters import WEIGHTS_NAME, verify
from finetune.events import Decided, Done, Judged, Phase, Recalled, Step
from finetune.recipe import Recipe
from store.home import MODELS_VARIABLE
from store.pairs import NewPair
from store.records import Reply, Turn
from store.sample import sample_rows
from store.words import Version
from tests.opened import engine_of, store_of
from tui.core import DeskError, OpenDesk, ReplyFinished
from tui.core.reports import recall_of

pytestmark = [pytest.mark.true, pytest.mark.timeout(900)]

QUESTION = "Can you wrap my order as a gift?"
TARGET = "Yes, we wrap any order in green paper for $3. Tick Gift wrap in your cart."
RECALL = 0.9  # of the eleven questions that are taught here with the default recipe: one may be missed


@pytest.fixture
async def open_desk(tmp_path: Path, starter: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OpenDesk]:
    monkeypatch.setenv(MODELS_VARIABLE, str(starter.parent))
    async with OpenDesk(tmp_path / "home", operator="tester") as opened:
        opened.settings.change("answer_from_corrections", "off")  # what the versions say is what this is about
        rows = [row for row in sample_rows() if row["answer"] in ("hours", "return")]
        for row in rows:
            store_of(opened).pairs.add(NewPair(row["instruction"], row["output"], split="train"), "import", "tester")
        yield opened


async def ask(open_desk: OpenDesk, question: str) -> tuple[Turn, Reply]:
    conversation = store_of(open_desk).conversations.create("tester")
    async for event in open_desk.chat.send(conversation.id, question):
        if isinstance(event, ReplyFinished):
            assert event.turn.reply is not None
            assert event.turn.reply.state == "complete", event.sentence
            return event.turn, event.turn.reply
    raise AssertionError("no reply came")


async def test_a_correction_is_learned_swapped_in_and_rolled_back(open_desk: OpenDesk) -> None:
    assert (await engine_of(open_desk)).name == "ready"
    first, reply = await ask(open_desk, QUESTION)
    assert reply.version == "base"
    assert first.text != TARGET
    open_desk.judgements.correct(first.id, TARGET)
    assert open_desk.judgements.waiting() == 1

    found = await open_desk.runs.preflight(Recipe())
    assert (found.problems, found.new_corrections, found.parent) == ((), 1, "base")
    run = await open_desk.runs.start(await open_desk.runs.preflight(Recipe()))
    with pytest.raises(DeskError):
        await open_desk.runs.start(await open_desk.runs.preflight(Recipe()))  # one live run a desk
    during, during_reply = await ask(open_desk, QUESTION)  # the chat goes on meanwhile
    assert (during.text, during_reply.version) == (first.text, "base")
    said = {type(entry.event) async for entry in open_desk.runs.events(run.id)}
    assert {Phase, Step, Judged, Recalled, Decided, Done} <= said

    # Nothing is held out on this desk: the gate can't promote, and says so.
    over = store_of(open_desk).runs.get(run.id)
    assert (over.state, over.verdict, over.candidate) == ("held", "inconclusive", "v1")
    (outcome,) = [answer for answer in store_of(open_desk).runs.judged(run.id) if answer.kind == "correction"]
    assert (outcome.outcome, outcome.after) == ("learned", TARGET)
    recall = recall_of(over)
    assert recall is not None
    assert (recall.asked, recall.of) == (11, 11)
    assert recall.share >= RECALL, [row for row in store_of(open_desk).runs.judged(run.id) if row.kind == "taught"]
    assert open_desk.promotions.active == "base"
    row = store_of(open_desk).versions.get(Version("v1"))
    folder = open_desk.home.adapters / row.folder
    assert verify(folder, row.base_fingerprint).probe is not None
    assert (folder / WEIGHTS_NAME).stat().st_mode & 0o777 == 0o600

    await open_desk.promotions.activate(Version("v1"), "it learned what it should")
    after, after_reply = await ask(open_desk, QUESTION)
    assert (after.text, after_reply.version) == (TARGET, "v1")
    assert open_desk.judgements.waiting() == 0

    await open_desk.promotions.go_back()
    again, again_reply = await ask(open_desk, QUESTION)
    assert (again.text, again_reply.version) == (first.text, "base")
    assert [promotion.kind for promotion in store_of(open_desk).promotions.list()] == ["manual", "rollback"]

    # A damaged version never answers: it is refused, and what answers goes on.
    (folder / WEIGHTS_NAME).chmod(0o600)
    with (folder / WEIGHTS_NAME).open("r+b") as file:
        file.seek(-8, os.SEEK_END)
        file.write(b"\x00" * 8)
    with pytest.raises(DeskError, match="v1"):
        await open_desk.promotions.activate(Version("v1"), "once more")
    assert open_desk.promotions.active == "base"


async def test_the_starter_stops_by_itself_and_reuses_its_cache(open_desk: OpenDesk) -> None:
    await open_desk.engine.start()
    conversation = store_of(open_desk).conversations.create("tester")
    reused = []
    async with open_desk.engine.turn() as engine:
        from bot.types import FAITHFUL, Answer, Prompt, Ticket

        history: tuple[tuple[str, str], ...] = ()
        for question in ("What is the capital of France?", "And of Italy?"):
            prompt = Prompt("You are a helpful agent.", history, question)
            async for item in engine.stream(Ticket(open_desk.engine.serving), prompt, FAITHFUL, str(conversation.id)):
                if isinstance(item, Answer):
                    assert item.finish == "complete"
                    reused.append(item.reused_tokens)
                    cached = item
            async for item in engine.stream(
                Ticket(open_desk.engine.serving), prompt, FAITHFUL, None
            ):  # without a conversation: computed afresh
                if isinstance(item, Answer):
                    assert item.reused_tokens == 0
                    assert item.text == cached.text
            history = (*history, (question, cached.text))
    assert reused[0] == 0
    assert reused[1] > 20


@pytest.mark.timeout(300)
def test_loading_an_adapter_does_not_repack_the_base(starter: Path, tmp_path: Path) -> None:
    """The trap: peft looks at ``state_dict()``, for which bitsandbytes unpacks what it packed, with a loss."""
    import torch

    from bot.engines.torch.serving import ServingModel
    from bot.types import AdapterRef, BaseSpec
    from store.words import Version
    from tests.tiny import make_adapter, publish_adapter, serve

    serving = ServingModel(BaseSpec(str(starter), "nf4"))

    def weights() -> list[torch.Tensor]:
        return [p.data.clone() for p in serving.base.parameters() if p.dtype == torch.uint8]

    with torch.inference_mode():
        before = serving._probe_logits()
        packed = weights()
        folder = publish_adapter(make_adapter(starter, tmp_path / "v1"), starter, "v1", "nf4")
        serve(serving, AdapterRef(Version("v1"), str(folder)))
        assert not torch.equal(serving._probe_logits(), before)
        serve(serving, None)
        assert torch.equal(serving._probe_logits(), before)
    assert all(torch.equal(a, b) for a, b in zip(packed, weights(), strict=True))
