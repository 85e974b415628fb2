"""The list of conversations: what each filter lets through, alone and with words."""

from __future__ import annotations

import pytest

from store.conversations.listing import SHOWS, Show
from store.desk import Desk
from tests.store.test_review import sure


@pytest.fixture
def mixed(desk: Desk) -> Desk:
    """Conversations 1 to 6: to review, corrected, approved, failed, archived, and one of jo's in which nobody spoke."""
    for _ in range(3):
        sure(desk, -0.1)
    sure(desk, None, "failed")
    sure(desk, -0.1)
    desk.judgements.correct(4, "On Monday.", "ann")
    desk.judgements.approve(6, "ann")
    desk.conversations.archive(5, "ann")
    desk.conversations.create("jo", "A pot of basil")
    return desk


@pytest.mark.parametrize(
    ("show", "numbers"),
    [
        ("all", [6, 4, 3, 2, 1]),
        ("needs review", [1]),
        ("corrected", [2]),
        ("approved", [3]),
        ("failed", [4]),
        ("mine", [6]),
        ("today", [4, 3, 2, 1]),
        ("archived", [5]),
    ],
)
def test_each_filter(mixed: Desk, show: Show, numbers: list[int]) -> None:
    assert mixed.listing.ids(show, who="jo") == numbers


def test_filters_and_words_together(mixed: Desk) -> None:
    assert mixed.listing.ids("all", "basil") == [6]
    assert mixed.listing.ids("corrected", "when") == [2]
    assert mixed.listing.ids("archived", "now") == [5]
    assert mixed.listing.ids("failed", "basil") == []
    assert [mixed.listing.ids(show, "%") for show in SHOWS] == [[]] * len(SHOWS)


def test_rows_count_what_became_of_the_replies(mixed: Desk) -> None:
    rows = mixed.listing.rows([4, 1, 99, 2])
    assert [row.conversation.id for row in rows] == [4, 1, 2]
    assert [(row.to_review, row.corrected, row.approved, row.failed) for row in rows] == [
        (0, 0, 0, 1),
        (1, 0, 0, 0),
        (0, 1, 0, 0),
    ]
