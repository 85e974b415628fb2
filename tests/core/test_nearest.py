"""The pairs nearest to a question, of those a version was trained on."""

from __future__ import annotations

from store.desk import Desk
from store.pairs import NewPair
from store.words import BASE, Version
from tests.core.conftest import make_version
from tui.core.history import history
from tui.core.nearest import nearest


def test_the_nearest_of_the_snapshot_come_first_and_others_not_at_all(desk: Desk) -> None:
    questions = ["Which pots stand frost?", "Do you deliver on Sundays?", "我的订单在哪里?", "Which pots stand heat?"]
    news = [NewPair(question, "So.", split="train") for question in questions]
    desk.pairs.add_many(news, "import", "maria")
    run = desk.runs.create({}, BASE, "maria")
    desk.runs.set_snapshot(run.id, [(1, 1), (2, 1), (3, 1)], [4], "hash")
    make_version(desk, run_id=run.id)
    found = nearest(desk, Version("v1"), "which POTS stand frost", limit=2)
    assert found[0].pair.id == 1
    assert found[0].likeness > 90 > found[1].likeness
    assert nearest(desk, Version("v1"), "订单在哪", limit=1)[0].pair.id == 3
    assert nearest(desk, BASE, "anything") == nearest(desk, Version("imported"), "anything") == []


def test_the_history_has_every_version_with_the_numbers_there_are(desk: Desk) -> None:
    make_version(desk, "promote")
    make_version(desk)
    desk.promotions.promote(Version("v1"), "gate", "maria")
    base, first, second = history(desk)
    assert (base.bleu, base.pairs, base.rate.share, base.active) == (None, None, None, False)
    assert (first.bleu, first.pairs, first.active) == (2.0, 0, True)
    assert (second.version, second.bleu, second.pairs) == ("v2", None, None)
