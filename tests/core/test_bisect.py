"""Who taught a reply, as the faces of a desk ask for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.adapters import CARD_NAME
from finetune.bisect.wire import Asked
from store.pairs import NewPair
from store.words import BASE, Version
from tests.core.test_nearest import taught
from tests.opened import store_of
from tui.core import DeskError, OpenDesk
from tui.core.nearest import Said

WRONG = Said(Version("v1"), "Where is it?", "In the sea.")


@pytest.fixture
def asked(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> list[Asked]:
    """What the process is asked; it answers that the last pair pulls most."""
    found: list[Asked] = []

    async def compare(asked: Asked, log: Path, done: Callable[[int], None]) -> list[float | None]:
        found.append(asked)
        done(len(asked.pairs))
        return [None, *(place / 10 for place in range(1, len(asked.pairs)))]

    monkeypatch.setattr("tui.core.bisect.compare_gradients", compare)
    news = [NewPair("Where is it?", "In the sea.", split="train"), NewPair("Where was it?", "Gone.", split="train")]
    news.append(NewPair("Why?", "So.", (("Hello", "Good day."),), split="train"))
    desk = store_of(open_desk)
    desk.pairs.add_many(news, "import", "maria")
    taught(desk, BASE, 1, 2, 3)
    return found


def publish_card(open_desk: OpenDesk) -> None:
    """A card that says what the version was trained with, as if it had been published so."""
    folder = open_desk.home.adapters / "v1"
    (folder / CARD_NAME).write_text(json.dumps({"system_message": "Be kind."}))
    manifest = json.loads((folder / "manifest.json").read_text())
    from bot.adapters import sha256_of

    manifest["files"][CARD_NAME] = sha256_of(folder / CARD_NAME)
    (folder / "manifest.json").write_text(json.dumps(manifest))


async def test_gradients_decide_the_order_and_what_has_none_comes_last(open_desk: OpenDesk, asked: list[Asked]) -> None:
    publish_card(open_desk)
    words = await open_desk.bisect.shortlist(WRONG)
    assert [near.row.pair.id for near in words] == [1, 2, 3]
    seen: list[int] = []
    found = await open_desk.bisect.gradients(WRONG, words, seen.append)
    assert [(near.row.pair.id, near.gradient) for near in found] == [(3, 0.2), (2, 0.1), (1, None)]
    assert seen == [3]
    (request,) = asked
    assert (request.system, request.wrong.output) == ("Be kind.", "In the sea.")
    assert [pair.history for pair in request.pairs] == [(), (), (("Hello", "Good day."),)]


async def test_a_version_whose_files_are_damaged_is_not_loaded(open_desk: OpenDesk, asked: list[Asked]) -> None:
    words = await open_desk.bisect.shortlist(WRONG)
    next((open_desk.home.adapters / "v1").glob("*.safetensors")).write_bytes(b"x")
    with pytest.raises(DeskError, match="v1"):
        await open_desk.bisect.gradients(WRONG, words, lambda done: None)
    assert asked == []


async def test_nobody_taught_the_base(open_desk: OpenDesk) -> None:
    with pytest.raises(DeskError, match="bare base model was not trained on this desk"):
        await open_desk.bisect.shortlist(Said(BASE, "Why?", "So."))


async def test_a_reply_is_read_with_its_history(open_desk: OpenDesk) -> None:
    desk = store_of(open_desk)
    conversation = desk.conversations.create("maria").id
    for customer, bot in (("Hello", "Good day."), ("Where is it?", "In the sea.")):
        message = desk.conversations.add_customer(conversation, customer, "maria")
        reply = desk.conversations.begin_reply(message.id, Version("v1"), {})
        desk.conversations.finish_reply(reply.id, bot, "complete")
    said = open_desk.bisect.said(reply.id)
    assert said == Said(Version("v1"), "Where is it?", "In the sea.", (("Hello", "Good day."),))
    for number in (message.id, 999):
        with pytest.raises(DeskError, match="is not a reply"):
            open_desk.bisect.said(number)


async def test_the_words_of_a_correction_lead_to_their_pair(open_desk: OpenDesk) -> None:
    desk = store_of(open_desk)
    desk.pairs.add(NewPair("Where is it?", "Here.", split="train"), "import", "maria")
    conversation = desk.conversations.create("maria").id
    message = desk.conversations.add_customer(conversation, "Where is it?", "maria")
    reply = desk.conversations.known_reply(message.id, Version("v1"), "Here.", 1)
    with pytest.raises(DeskError, match="the words of a correction, pair 1"):
        open_desk.bisect.said(reply.id)
