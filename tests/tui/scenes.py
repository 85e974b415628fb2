"""Desks as they are after a while, for the pictures."""

from __future__ import annotations

from typing import Any

from finetune.gate.words import Decision
from finetune.recipe import Recipe
from store.conversations import Measured
from store.desk import Desk
from store.pairs import NewPair
from store.records import JudgedAnswer
from store.words import BASE, OutcomeName, RunState, Verdict, Version
from tests.core.conftest import make_version
from tests.tui import scene_reports

STEP = {
    "step": 0, "steps": 40, "epoch": 0.0, "loss": 0.0, "learning_rate": 5e-4, "tokens_per_second": 231.0,
    "seconds_left": 95.0, "peak_memory_bytes": int(1.4 * 2**30),
}  # fmt: skip


# A file of the conversation form: two conversations, one of them of a robot, and a line that is none.
CHATS = """\
{"conversation": "7", "turns": [{"role": "customer", "text": "Which pots stand frost?"}, \
{"role": "agent", "text": "Terracotta from Siena."}, {"role": "customer", "text": "And [b]blue[/b] ones?"}, \
{"role": "agent", "text": "Those too."}, {"role": "customer", "text": "Thanks!"}]}
{"conversation": "8", "turns": [{"role": "robot", "text": "Beep."}]}
{"conversation": "9", "turns": [{"role": "customer", "text": "我的订单在哪里?"}, \
{"role": "agent", "text": "请告诉我订单号。"}]}
{"conversation": "10", "turns"
"""


def said(desk: Desk, title: str, *exchanges: tuple[str, str, str, str]) -> list[int]:
    """A conversation of (customer, bot, version, state); returns the replies' ids."""
    conversation = desk.conversations.create("maria", title).id
    ids = []
    for customer, bot, version, state in exchanges:
        message = desk.conversations.add_customer(conversation, customer, "maria")
        reply = desk.conversations.begin_reply(message.id, Version(version), {})
        certainty = -0.04 * len(bot)
        desk.conversations.finish_reply(reply.id, bot, state, Measured(12, 0.8, 0.1, certainty))  # type: ignore[arg-type]
        ids.append(reply.id)
    return ids


def talk(desk: Desk) -> None:
    """Three conversations; in the last one every state of a reply."""
    pairs = [NewPair(f"Question {number}?", f"Answer {number}.", split="train") for number in range(40)]
    desk.pairs.add_many(pairs, "import", "maria")
    said(desk, "我的订单在哪里?", ("我的订单在哪里?", "请告诉我订单号。", "base", "complete"))
    said(desk, "Do you deliver on Saturdays to the islands?", ("Do you?", "Yes.", "base", "complete"))
    first, second, *_ = said(
        desk,
        "Frost and returns",
        ("Which pots stand frost?", "The *terracotta* ones:\n\n- Siena\n- Lucca", "base", "complete"),
        ("Can I return one that broke, [ORDER-1234]?", "No.", "v1", "complete"),
        ("Why not?", "Because the", "v1", "stopped"),
        ("Hello?", "", "v1", "failed"),
    )
    desk.judgements.approve(first, "maria")
    desk.judgements.correct(second, "Yes. Within 30 days, with a picture of the damage.", "maria")


def train(desk: Desk) -> int:
    """A run in mid-training; returns its number. The caller holds the run lock."""
    run = desk.runs.create({}, BASE, "maria")
    desk.runs.transition(run.id, "training", phase="training")
    desk.runs.add_event(run.id, "phase", {"phase": "loading", "sentence": "Loading the base."})
    desk.runs.add_event(run.id, "phase", {"phase": "training", "sentence": "Training on 41 examples, 40 steps."})
    for step in range(1, 26):
        body = STEP | {"step": step, "loss": 3.2 / step**0.6, "epoch": step / 10}
        desk.runs.add_event(run.id, "step", body)
        if step in (10, 20):
            loss = 2.9 / step**0.4
            sentence = f"Loss {loss:.3f} on 11 held-out examples after epoch {step // 10}."
            body = {"step": step, "steps": 40, "epoch": step / 10, "loss": loss, "examples": 11, "sentence": sentence}
            desk.runs.add_event(run.id, "evaluated", body)
    return run.id


# The questions whose answers a gate compared: what was corrected, with what became of it, and what was held out.
CORRECTED: list[tuple[str, str, str, OutcomeName]] = [
    ("No.", "Yes, within 30 days.", "Yes. Within 30 days.", "learned"),
    ("At ten.", "At ten.", "At nine, on Sundays too.", "not learned"),
    ("For free.", "It costs 4 [EUR].", "For free.", "regressed"),
]
NOT_TAUGHT: list[tuple[str, str, str, OutcomeName]] = [  # of the recall of scene_reports
    ("", "Wrap it in [fleece].", "Bring it inside, or wrap it.", "not learned"),
    *CORRECTED[1:],
]
HELD_OUT = [
    ("We open at ten.", "We open at nine.", "We open at nine."),
    ("Yes, for 14 days.", "Yes, for 30 years.", "Yes, for 14 days."),
    ("请告诉我订单号。", "请告诉我们地址。", "请告诉我订单号。"),
    ("No.", "No.", "Not yet."),
]
DECISIONS: dict[Verdict, Decision] = {"reject": "worse", "inconclusive": "too few", "promote": "pass"}


def judge(desk: Desk, verdict: Verdict, decision: Decision | None = None) -> int:
    """A run that was judged, its version beside two older ones; returns its number. What passed is held all the same.
    *decision*: about the held-out pairs in English, by default one that leads to *verdict*."""
    decision = decision or DECISIONS[verdict]
    before = scene_reports.before_it(decision)
    for version, bleu, who in (("v1", (8.3, 21.4), "maria"), ("v2", (before.active, before.candidate), "jo")):
        make_version(desk, "promote", bleu=bleu)
        desk.promotions.promote(Version(version), "gate", who, run_id=int(version[1:]))
    pairs = list(desk.pairs.list(limit=7))
    overtaken = verdict == "promote"
    parent = "v1" if overtaken else "v2"
    run = desk.runs.create({}, Version(parent), "maria")
    desk.runs.transition(run.id, "training")
    desk.runs.set_snapshot(run.id, [(pair.id, 1) for pair in pairs[:3]], [], "0" * 64)
    name = make_version(desk, run_id=run.id)
    desk.runs.transition(run.id, "evaluating", candidate=Version(name))
    # a version that passed is held if it learned none of its corrections
    corrected = CORRECTED[1:] if (verdict, decision) == ("inconclusive", "pass") else CORRECTED
    languages = [scene_reports.english(decision), scene_reports.chinese()]
    report = scene_reports.report(parent, name, languages, [fate for *_, fate in corrected])
    assert report.verdict == verdict
    body = report.to_dict()
    if overtaken:
        body["sentence"] += " But v2 was activated meanwhile."
    rows = [
        JudgedAnswer(pair.id, "correction", was, said, wanted, fate)
        for pair, (was, said, wanted, fate) in zip(pairs, corrected, strict=False)
    ]
    rows += [
        JudgedAnswer(pair.id, "heldout", was, said, wanted, None)
        for pair, (was, said, wanted) in zip(pairs[3:], HELD_OUT, strict=True)
    ]
    rows += [
        JudgedAnswer(pair.id, "taught", was, said, wanted, fate)
        for pair, (was, said, wanted, fate) in zip(pairs, NOT_TAUGHT, strict=False)
    ]
    desk.runs.save_report(run.id, verdict, body, rows)
    desk.runs.transition(run.id, "rejected" if verdict == "reject" else "held")
    return run.id


def pairs_to_look_at(desk: Desk) -> None:
    """Two conflicts, and personal data in the pair that was added last."""
    news = [
        NewPair("Which of your pots stand a night of frost?", "The terracotta ones, [Siena].", split="train"),
        NewPair("which of your pots stand a nigth of frost?", "所有的花盆都可以。", split="train"),
        NewPair("who can i ask about siena?", "Nobody.", split="train"),
        NewPair("Who can I ask about Siena?", "Ask ann.smith@gmail.com or 415-555-2671.", split="train"),
    ]
    desk.pairs.add_many(news, "import", "maria")


def decline(desk: Desk) -> None:
    """Two versions, of which the second, that answers, is corrected far more."""
    for version, corrected in (("v1", 2), ("v2", 10)):
        make_version(desk, "promote")
        desk.promotions.promote(Version(version), "gate", "maria")
        for place, reply in enumerate(said(desk, "Many", *((f"{n}?", "Yes.", version, "complete") for n in range(20)))):
            if place < corrected:
                desk.judgements.correct(reply, "No.", "maria")
            else:
                desk.judgements.approve(reply, "maria")


def history(desk: Desk) -> None:
    """Three runs: one promoted, one rejected, one that failed."""
    ids = [pair.id for pair in desk.pairs.list(limit=12)]
    history: tuple[tuple[str, dict[str, Any], RunState, tuple[float, float] | None], ...] = (
        ("jo", {}, "promoted", (21.4, 63.9)),
        ("maria", {"epochs": 5.0}, "rejected", (63.9, 40.2)),
        ("maria", {"r": 32, "learning_rate": 5e-4}, "failed", None),
    )
    for who, changes, state, bleu in history:
        run = desk.runs.create(Recipe(**changes).to_dict(), BASE, who)
        desk.runs.transition(run.id, "training")
        desk.runs.set_snapshot(run.id, [(pair, 1) for pair in ids], [], "0" * 64)
        if bleu is None:
            desk.runs.transition(run.id, "failed")
            continue
        desk.runs.transition(run.id, "evaluating", candidate=Version(f"v{run.id}"))
        report = scene_reports.judged_alike(bleu)
        desk.runs.save_report(run.id, report.verdict, report.to_dict())
        desk.runs.transition(run.id, state)
