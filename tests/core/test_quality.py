"""Whether a version is worse by more than chance: against known values, and on a desk."""

from __future__ import annotations

import pytest

from store.conversations.quality import Rate
from store.desk import Desk
from store.words import Version
from tests.core.conftest import make_version
from tests.tui.scenes import said
from tui.core.beside import Beside
from tui.core.quality import ENOUGH, QualityDesk, fisher_p, sign_test_p, standing


@pytest.mark.parametrize(
    ("rate", "before", "p"),
    [  # exact fractions of binomial coefficients
        (Rate(4, 3), Rate(4, 1), 0.242857),  # the lady tasting tea
        (Rate(20, 10), Rate(20, 2), 0.006907),
        (Rate(40, 14), Rate(120, 14), 0.00143461),
        (Rate(20, 0), Rate(20, 0), 1.0),
        (Rate(20, 20), Rate(20, 20), 1.0),
        (Rate(20, 0), Rate(20, 20), 1.0),
        (Rate(20, 20), Rate(20, 0), 7.254e-12),
    ],
)
def test_fisher(rate: Rate, before: Rate, p: float) -> None:
    assert fisher_p(rate, before) == pytest.approx(p, rel=1e-3)


@pytest.mark.parametrize(("wins", "losses", "p"), [(0, 0, 1.0), (5, 5, 1.0), (9, 1, 0.021484), (0, 6, 0.03125)])
def test_sign_test(wins: int, losses: int, p: float) -> None:
    assert sign_test_p(wins, losses) == pytest.approx(p, rel=1e-4)


def judged(desk: Desk, version: str, corrected: int, approved: int) -> list[int]:
    ids = said(desk, "Many", *((f"Q {number}?", "Yes.", version, "complete") for number in range(corrected + approved)))
    for place, reply in enumerate(ids):
        if place < corrected:
            desk.judgements.correct(reply, "No.", "maria")
        else:
            desk.judgements.approve(reply, "maria")
    return ids


def test_a_version_that_is_corrected_more_is_told_apart_from_chance(desk: Desk) -> None:
    for _ in range(2):
        make_version(desk)
    desk.promotions.promote(Version("v1"), "manual", "maria")
    judged(desk, "v1", 2, ENOUGH - 2)
    desk.promotions.promote(Version("v2"), "manual", "maria")
    assert (standing(desk).rate, standing(desk).previous) == (Rate(0, 0), "v1")
    judged(desk, "v2", 9, ENOUGH - 10)
    now = standing(desk)
    assert (now.rate, now.p, now.worse) == (Rate(19, 9), None, False)
    judged(desk, "v2", 1, 0)
    now = standing(desk)
    assert (now.rate, now.before, now.worse) == (Rate(20, 10), Rate(20, 2), True)
    desk.promotions.promote(Version("v1"), "rollback", "maria")
    now = standing(desk)
    assert (now.version, now.rate, now.previous) == ("v1", Rate(0, 0), "base")


async def test_it_is_looked_up_again_only_when_something_happened(desk: Desk) -> None:
    reader = Beside(desk.home)
    watch = QualityDesk(desk, reader)
    assert watch.stale
    await watch.refresh()
    assert not watch.stale
    judged(desk, "base", 1, 1)
    assert watch.stale
    await watch.refresh()
    assert (watch.standing.rate, watch.stale) == (Rate(2, 1), False)
    await reader.close()


def test_the_last_judgement_of_a_reply_counts_and_what_is_taken_back_does_not(desk: Desk) -> None:
    make_version(desk)
    first, second, third = said(desk, "Three", *((f"{name}?", "Yes.", "v1", "complete") for name in "abc"))
    for reply in (first, second):
        desk.judgements.correct(reply, "No.", "maria")
    desk.judgements.correct(first, "No, no.", "maria")
    desk.judgements.approve(third, "maria")
    assert desk.quality.rates() == {"v1": Rate(3, 2)}
    for table in ("correction", "approval"):
        desk.db.run(
            f"INSERT INTO withdrawals ({table}_id, created_at, created_by) VALUES "
            f"((SELECT max(id) FROM {table}s), 'now', 'maria')"
        )
    assert desk.quality.rates() == {"v1": Rate(2, 2)}  # the first correction of the first reply stands again
