"""The pairs nearest to a question, of those a version was trained on."""

from __future__ import annotations

from store.desk import Desk
from store.pairs import NewPair
from store.words import BASE, Version
from tests.core.conftest import make_version
from tui.core.history import history
from tui.core.nearest import Said, nearest, why


def taught(desk: Desk, parent: Version, *pairs: int) -> Version:
    """A version that goes on from *parent* and was trained on *pairs*."""
    run = desk.runs.create({}, parent, "maria")
    desk.runs.set_snapshot(run.id, [(pair, 1) for pair in pairs], [], "hash")
    desk.runs.transition(run.id, "cancelled")  # how it ended is no matter here
    return make_version(desk, run_id=run.id)


def test_the_nearest_of_the_snapshot_come_first_and_others_not_at_all(desk: Desk) -> None:
    questions = ["Which pots stand frost?", "Do you deliver on Sundays?", "我的订单在哪里?", "Which pots stand heat?"]
    news = [NewPair(question, "So.", split="train") for question in questions]
    desk.pairs.add_many(news, "import", "maria")
    version = taught(desk, BASE, 1, 2, 3)
    found = nearest(desk, Said(version, "which POTS stand frost", "So."), limit=2)
    assert found[0].row.pair.id == 1
    assert found[0].likeness.question > 90 > found[1].likeness.question
    assert nearest(desk, Said(version, "订单在哪", "So."), limit=1)[0].row.pair.id == 3
    for unknown in (BASE, Version("imported")):
        assert nearest(desk, Said(unknown, "anything", "at all")) == []


def test_what_an_earlier_version_learned_is_still_suspect(desk: Desk) -> None:
    """Going on from a version inherits what it was taught, also when that was put aside since."""
    news = [NewPair("Where is it?", "In the sea.", split="train"), NewPair("Why?", "So.", split="train")]
    desk.pairs.add_many(news, "import", "maria")
    first = taught(desk, BASE, 1, 2)
    second = taught(desk, first, 2)
    desk.pairs.exclude(1, "maria", "wrong")
    near, other = nearest(desk, Said(second, "where is it", "In the sea."))
    assert (near.row.pair.id, near.taught, near.row.pair.live) == (1, first, False)
    assert (other.row.pair.id, other.taught) == (2, second)
    assert "v1 learned it last, and v2 goes on from there" in why(near, second)
    assert "goes on" not in why(other, second)


def test_the_history_has_every_version_with_the_numbers_there_are(desk: Desk) -> None:
    make_version(desk, "promote")
    make_version(desk)
    desk.promotions.promote(Version("v1"), "gate", "maria")
    base, first, second = history(desk)
    assert (base.bleu, base.pairs, base.rate.share, base.active) == (None, None, None, False)
    assert (first.bleu, first.pairs, first.active) == (2.0, 0, True)
    assert (second.version, second.bleu, second.pairs) == ("v2", None, None)
