"""A desk as it is after years: conversations by the ten thousand, made by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from store.desk import Desk
from store.search import index_turn
from store.times import now

WHO = ("maria", "jo", "li")
SUBJECTS = ("order", "parcel", "invoice", "pot", "voucher", "delivery", "return", "account", "card", "seed", "lamp")
VERBS = ("arrive", "break", "change", "cancel", "exchange", "cost", "fit", "work", "stand frost", "come back")
PLACES = ("Siena", "Lucca", "Graz", "Uppsala", "Porto", "Leiden", "Gdansk", "Ghent", "Bergen", "Cork")
CHINESE = ("我的订单在哪里?", "可以退货吗?", "什么时候发货?", "怎么修改地址?", "优惠券不能用。", "请告诉我订单号。")
LONGEST_TITLE = "The longest of all"
EVERY_CORRECTED, EVERY_APPROVED, EVERY_FAILED, EVERY_ARCHIVED, EVERY_CHINESE = 50, 25, 100, 20, 10


def fill(desk: Desk, conversations: int, turns: int, longest: int) -> int:
    """Fill *desk* with so many conversations of *turns* turns each, and one of *longest*; returns that one's id.

    Turns go in by bulk SQL, as the store's own functions would need minutes; the index and the judgements are the
    store's own, so that what is measured is what an operator has."""
    chance = random.Random(7)
    judged: list[int] = []
    with desk.atomic():
        for number in range(conversations):
            made = _conversation(desk, chance, turns, judged)
            if number % EVERY_ARCHIVED == 1:
                desk.conversations.archive(made, WHO[0])
        long = _conversation(desk, chance, longest, [], LONGEST_TITLE)
    with desk.atomic():
        for place, reply in enumerate(judged):
            if place % EVERY_CORRECTED == 0:
                desk.judgements.correct(reply, f"{_sentence(chance)} That is what it should have said.", WHO[0])
            elif place % EVERY_APPROVED == 0:
                desk.judgements.approve(reply, WHO[1])
    desk.db.run("ANALYZE")
    return long


def _conversation(desk: Desk, chance: random.Random, turns: int, judged: list[int], title: str = "") -> int:
    who, at = chance.choice(WHO), now()
    texts = list(_talk(chance, turns))
    conversation = desk.db.insert(
        "INSERT INTO conversations (title, source, created_at, created_by) VALUES (?, 'chat', ?, ?)",
        title or texts[0][:60],
        at,
        who,
    )
    message = 0
    for place, text in enumerate(texts):
        bot = place % 2 == 1
        turn = desk.db.insert(
            "INSERT INTO turns (conversation_id, role, text, in_reply_to, created_at, created_by) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            conversation,
            "bot" if bot else "customer",
            text,
            message if bot else None,
            at,
            "bot" if bot else who,
        )
        index_turn(desk.db, turn, text)
        if bot:
            state = "failed" if turn % EVERY_FAILED == 0 else "complete"
            desk.db.run(
                "INSERT INTO replies (turn_id, version, decoding, state, finished_at, certainty) "
                "VALUES (?, 'v3', '{}', ?, ?, ?)",
                turn,
                state,
                at,
                -chance.random() * 2,
            )
            if state == "complete":
                judged.append(turn)
        else:
            message = turn
    return conversation


def _talk(chance: random.Random, turns: int) -> Iterator[str]:
    chinese = chance.randrange(EVERY_CHINESE) == 0
    for _ in range(turns):
        yield chance.choice(CHINESE) if chinese else _sentence(chance)


def _sentence(chance: random.Random) -> str:
    number = chance.randrange(100_000, 1_000_000)
    return (
        f"When does the {chance.choice(SUBJECTS)} from {chance.choice(PLACES)} {chance.choice(VERBS)}? "
        f"It is about order {number}, and I would like an answer before {chance.choice(PLACES)} closes."
    )


def made(home: Path, conversations: int, turns: int, longest: int) -> int:
    """The desk at *home*, filled; returns the id of the longest conversation."""
    with Desk.open(home) as desk:
        return fill(desk, conversations, turns, longest)
