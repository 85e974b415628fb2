"""Pairs under operators' hands: edits, bulk actions, lists, stories, conflicts."""

from __future__ import annotations

import contextlib
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.desk import Desk
from store.pairs import NewPair
from store.pairs.listing import PairFilter
from store.records import JudgedAnswer, Pair
from store.versions import NewVersion
from store.words import BASE


def add(desk: Desk, question: str, answer: str, split: str | None = "train") -> Pair:
    """One imported pair."""
    pair = desk.pairs.add(NewPair(question, answer, split=split), "import", "ann")  # type: ignore[arg-type]
    assert pair is not None
    return pair


def corrected(desk: Desk, question: str = "Where?", answer: str = "There.") -> Pair:
    """A pair that came of a correction."""
    message = desk.conversations.add_customer(desk.conversations.create("ann", "A talk").id, question, "ann")
    reply = desk.conversations.begin_reply(message.id, BASE, {})
    desk.conversations.finish_reply(reply.id, "No idea.", "complete")
    return desk.judgements.correct(reply.id, answer, "ann")


def test_an_edit_supersedes_and_a_correction_stays_one(desk: Desk) -> None:
    old = corrected(desk)
    desk.tags.add(old.id, "Urgent  things", "ann")
    new = desk.editing.edit(old.id, "bob", "Where?", "Over there.")
    assert (new.source, new.source_ref, new.reply_id, new.created_by) == (
        "correction",
        old.source_ref,
        old.reply_id,
        "bob",
    )
    assert desk.pairs.get(old.id).superseded_by == new.id
    assert desk.pairs.get(old.id).output == "There."
    assert desk.tags.of(new.id) == ["urgent things"]
    assert [pair.id for pair in desk.judgements.waiting_pairs()] == [new.id]
    with pytest.raises(ValueError, match=r"replaced by pair 2. Edit that one"):
        desk.editing.edit(old.id, "bob", "Where?", "Nowhere.")
    with pytest.raises(ValueError, match="The text of pair 2 was not changed"):
        desk.editing.edit(new.id, "bob", "Where?", "Over there.")
    assert new.reply_id is not None
    desk.judgements.withdraw(new.reply_id, "ann")  # the edited pair goes with the judgement it came of
    assert desk.pairs.list() == []


def test_an_edit_to_what_is_there_already_changes_nothing(desk: Desk) -> None:
    one, two = add(desk, "A?", "1."), add(desk, "B?", "2.")
    with pytest.raises(ValueError, match="exactly this text"):
        desk.editing.edit(two.id, "ann", "A?", "1.")
    assert [pair.id for pair in desk.pairs.list()] == [one.id, two.id]


def test_an_edited_test_stays_a_test(desk: Desk) -> None:
    pair = add(desk, "A?", "1.")
    desk.pairs.pin(pair.id)
    edited = desk.editing.edit(pair.id, "ann", "Quite another question?", "1.")
    assert (edited.split, edited.pinned) == ("heldout", True)


@given(st.lists(st.tuples(st.sampled_from(["edit", "exclude", "restore", "redact", "pin"]), st.integers(0, 9))))
@settings(max_examples=15, deadline=None)
def test_a_chain_of_edits_has_exactly_one_end(steps: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as folder, Desk.open(Path(folder) / "desk") as desk:
        add(desk, "A?", "Ask ann@x.org.")
        for place, (action, which) in enumerate(steps):
            count = desk.pairs.count(state="all")
            number = which % count + 1
            with contextlib.suppress(ValueError):
                match action:
                    case "edit":
                        desk.editing.edit(number, "ann", "A?", f"{place}. Ask ann@x.org.")
                    case "exclude":
                        desk.editing.exclude([number], "ann", None)
                    case "restore":
                        desk.editing.restore([number], "ann")
                    case "redact":
                        desk.editing.redact(number, "ann")
                    case "pin":
                        desk.editing.pin([number], True)
            everything = desk.pairs.list(state="all")
            ends = [pair for pair in everything if pair.superseded_by is None]
            assert len(ends) == 1
            assert len(desk.pair_stories.story(ends[0].id).earlier) == len(everything) - 1


def test_bulk_actions_say_what_they_did_and_what_they_left(desk: Desk) -> None:
    ids = [add(desk, f"{number}?", "Yes.").id for number in range(4)]
    run = desk.runs.create({}, BASE, "ann")
    desk.runs.set_snapshot(run.id, [(ids[0], 1)], [], "hash")
    pinned = desk.editing.pin(ids, True)
    assert pinned.changed == ids[1:]
    assert pinned.refused == [f"Pair {ids[0]} was trained on by run {run.id}: it can't be a test now."]
    assert desk.editing.pin(ids, False).changed == ids[1:]
    assert {pair.split for pair in desk.pairs.list()} == {"train"}
    assert desk.editing.exclude(ids[:2], "ann", "old").changed == ids[:2]
    again = desk.editing.exclude(ids, "bob", "older")
    assert (again.changed, again.same) == (ids[2:], 2)
    assert desk.editing.restore(ids, "ann").changed == ids
    assert desk.editing.tag(ids, "x", "ann").changed == ids
    assert desk.editing.untag(ids[:1], "X").changed == ids[:1]
    with pytest.raises(ValueError, match="can't be empty"):
        desk.editing.tag(ids, " ", "ann")


def test_the_list_narrows_by_everything(desk: Desk) -> None:
    first, second, third = add(desk, "Where is 我的订单?", "Here."), add(desk, "B?", "b@x.org"), add(desk, "B?", "2.")
    fourth = add(desk, "D?", "4.", "heldout")
    fifth = corrected(desk, "E?")
    desk.tags.add(first.id, "frost", "ann")
    run = desk.runs.create({}, BASE, "ann")
    desk.runs.set_snapshot(run.id, [(second.id, 1)], [fourth.id], "hash")
    desk.editing.exclude([first.id], "ann", "old")
    for wanted, ids in (
        (PairFilter(), [fifth, fourth, third, second]),
        (PairFilter("all"), [fifth, fourth, third, second, first]),
        (PairFilter("excluded", query="订单"), [first]),
        (PairFilter("all", tag="frost"), [first]),
        (PairFilter("in conflict"), [third, second]),
        (PairFilter("personal data"), [second]),
        (PairFilter(split="heldout"), [fourth]),
        (PairFilter(run=run.id), [second]),
        (PairFilter(source="correction", lang="en"), [fifth]),
    ):
        assert desk.pair_listing.ids(wanted) == [pair.id for pair in ids], wanted
    row = desk.pair_listing.rows([second.id, first.id])
    assert [listed.personal for listed in row] == [("email",), ()]
    assert (row[1].why, row[1].tags) == ("old", ("frost",))


def test_the_story_of_a_pair(desk: Desk) -> None:
    old = corrected(desk)
    pair = desk.editing.edit(old.id, "bob", "Where?", "Right there.")
    run = desk.runs.create({}, BASE, "ann")
    desk.runs.set_snapshot(run.id, [(pair.id, 8)], [], "hash")
    desk.versions.add(NewVersion(1, "sha", "base", "qlora", {}, run.id))
    judged = JudgedAnswer(pair.id, "correction", "No idea.", "Right there.", "Right there.", "learned")
    desk.runs.save_report(run.id, "promote", {}, [judged])
    story = desk.pair_stories.story(pair.id)
    assert [row.pair.output for row in story.earlier] == ["There."]
    assert story.conversation == (1, "A talk")
    assert story.judged == ("No idea.", "base")
    assert [(part.version, part.weight, part.outcome, part.after) for part in story.runs] == [
        ("v1", 8, "learned", "Right there.")
    ]
    with pytest.raises(LookupError):
        desk.pair_stories.story(99)


def test_conflicts_between_the_same_and_nearly_the_same(desk: Desk) -> None:
    add(desk, "Where is my order?", "A.")
    add(desk, "where is  my order?", "B.")
    add(desk, "Which of the terracotta pots stand frost in winter?", "Siena.")
    add(desk, "Which of the teracotta pots stand frost in winter ?", "None.")
    add(desk, "Can I return a broken pot within 30 days?", "Yes.")
    add(desk, "Can I return a broken pot within 60 days?", "No.")
    add(desk, "Can I pay for my order with a gift card?", "Yes.")
    add(desk, "Can't I pay for my order with a gift card?", "Of course.")
    add(desk, "你们的花盆在冬天能不能放在室外过夜呢", "能。")
    add(desk, "你们的花盆在冬天能不能放在室外过夜呀", "可以。")
    add(desk, "Do you deliver to the islands on Sundays?", "No.")
    add(desk, "Do you deliver to the islands on Sundays", "No.")
    same, *alike = desk.conflicts.open()
    assert (same.sameness, same.ids) == ("same", (1, 2))
    assert [(conflict.sameness, conflict.ids) for conflict in alike] == [("alike", (3, 4)), ("alike", (9, 10))]
    assert desk.conflicts.keep(same, 2, "ann") == 1
    with pytest.raises(ValueError, match="pair 1 is no longer in use"):  # another operator, who sees it still open
        desk.conflicts.keep(same, 1, "jo")
    assert desk.pairs.get(2).live
    desk.conflicts.settle(alike[0], "ann")
    assert [conflict.ids for conflict in desk.conflicts.open()] == [(9, 10)]
    assert desk.pair_listing.rows([1])[0].why == "conflict"
    edited = desk.editing.edit(10, "ann", "你们的花盆在冬天能不能放在室外过夜呀", "能。")
    assert desk.conflicts.open() == []
    assert edited.id == 13


def test_an_answer_more_opens_a_settled_question_again(desk: Desk) -> None:
    add(desk, "Where?", "Here.")
    add(desk, "Where?", "There.")
    desk.conflicts.settle(desk.conflicts.open()[0], "ann")
    assert desk.conflicts.open() == []
    add(desk, "Where?", "Nowhere.")
    assert [conflict.ids for conflict in desk.conflicts.open()] == [(1, 2, 3)]
