"""Erasing a person: every byte of the home is searched afterwards, and what others said is as it was."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path

import pytest

from finetune.recipe import Recipe
from store.conversations.drafts import Draft
from store.desk import Desk
from store.erasing import NotErased, Subject
from store.erasing.columns import KEPT, KEPT_INSIDE, columns
from store.erasing.words import Words
from store.importing import import_file
from store.pairs import NewPair
from store.records import JudgedAnswer
from store.versions import NewVersion
from store.versions.comparisons import Ballot
from store.words import BASE, ERASED, Version
from tests.leftovers import leftovers

NAME = "Annegret Höllerwürmchen"
NUMBER = "DK-5079-XQWZ"
TOKENS = (NAME, "Höllerwürmchen", "wurmchen", NUMBER, "XQWZ")


def say(desk: Desk, number: int, message: str, answer: str) -> int:
    """One exchange; returns the reply."""
    turn = desk.conversations.add_customer(number, message, "maria")
    reply = desk.conversations.begin_reply(turn.id, BASE, {})
    desk.conversations.finish_reply(reply.id, answer, "complete")
    return reply.id


def full(desk: Desk) -> dict[str, int]:
    """A desk that holds the person in every place there is; returns the rows' numbers."""
    desk.db.conn.execute("PRAGMA secure_delete = OFF")  # as on a desk of before
    hers = desk.conversations.create("maria", customer=NAME).id
    first = say(desk, hers, f"I am {NAME}, where is {NUMBER}?", f"Dear {NAME}, it is on its way.")
    desk.judgements.correct(first, f"{NUMBER} arrives today, {NAME}.", "maria")
    second = say(desk, hers, "And when exactly will it be here?", f"At noon, {NAME}.")
    desk.judgements.approve(second, "maria")
    other = desk.conversations.create("maria").id
    third = say(desk, other, "Do you sell garden gnomes?", "We do, from ten euros.")
    desk.judgements.approve(third, "maria")
    old = desk.pairs.add(NewPair("Who asked?", f"{NAME} did.", split="train"), "import", "maria", f"{NUMBER}.csv")
    assert old is not None
    new = desk.editing.edit(old.id, "maria", "Who asked?", "Somebody did.")
    desk.tags.add(new.id, "about xqwz", "maria")
    flagged = desk.pairs.add(NewPair("Is it wet?", "Very.", split="train"), "import", "maria")
    assert flagged is not None
    desk.pairs.exclude(flagged.id, "maria", f"{NAME} said so")
    run = desk.runs.create({"prompt_init": f"As {NAME} likes it"}, BASE, "maria").id
    learned = [pair.id for pair in desk.pairs.list(state="all")]
    desk.runs.set_snapshot(run, [(number, 1) for number in learned], [], "0" * 64)
    desk.runs.add_event(run, "note", {"sentence": f"{NAME} and {NUMBER}"})
    desk.runs.transition(run, "training")
    desk.runs.transition(run, "evaluating", candidate=Version("v1"))
    rows = [JudgedAnswer(learned[0], "correction", f"{NAME}?", f"{NUMBER}!", NAME, "learned")]
    desk.runs.save_report(run, "promote", {"sentence": f"Learned {NAME}", "bleu": {"active": 1, "candidate": 2}}, rows)
    desk.runs.transition(run, "promoted", failure={"sentence": NAME})
    desk.versions.add(NewVersion(1, "1" * 64, "f" * 64, "qlora", {}, run))
    desk.promotions.promote(Version("v1"), "forced", "maria", f"{NAME} wanted it", run)
    going_on = desk.runs.create({}, Version("v1"), "maria").id
    desk.runs.transition(going_on, "cancelled")
    desk.versions.add(NewVersion(2, "2" * 64, "f" * 64, "qlora", {}, going_on))
    desk.shadows.turn_on(Version("v2"), "maria")
    say(desk, hers, "Who brings it?", "The post.")
    asked = desk.shadows.next()
    assert asked is not None
    desk.shadows.keep(asked, Version("v2"), f"The post brings {NUMBER} to {NAME}.")
    ballot = Ballot(f"Where is {NUMBER}?", [(NAME, "yes")], (BASE, Version("v1")), (NAME, "no"), "left", True)
    desk.comparisons.add(ballot, "maria")
    desk.answers.put_many({"a" * 64: f"{NAME}, yes", "b" * 64: "no"})
    desk.drafts.keep([Draft(f"Dear {NAME}, we", hers), Draft(f"No, {NUMBER}", None, third)], "maria")
    desk.settings.set("system_message", f"Be kind to {NAME}.", "maria")
    (desk.home.logs / "engine.log").write_text(f"bad prompt {NAME!a} {json.dumps(NUMBER)}\nfine\n")
    folder = desk.home.runs / str(run)
    folder.mkdir()
    (folder / "run.log").write_text(f"about {NAME.upper()}\nfine\n", encoding="utf-8")
    rejects = desk.home.exports / "list-rejected-20260101-120000.jsonl"
    lines = [
        {"line": 1, "reason": f"{NAME} is no answer", "row": {"q": NAME}},
        {"line": 2, "reason": "empty", "row": {}},
    ]
    rejects.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return {"conversation": hers, "other": other, "pair": learned[0], "run": run, "edited": new.id}


@pytest.fixture
def person(desk: Desk) -> dict[str, int]:
    return full(desk)


def test_the_search_finds_what_is_there(desk: Desk, person: dict[str, int]) -> None:
    places = {file for file, _ in leftovers(desk.home.root, *TOKENS)}
    assert {"desk.db-wal", "logs/engine.log", f"runs/{person['run']}/run.log"} <= places


def test_a_text_is_nowhere_in_the_home_afterwards(desk: Desk, person: dict[str, int]) -> None:
    for text in (NAME.upper(), f" {NUMBER.lower()} ", "xqwz"):
        plan = desk.erasing.plan(Subject.of_text(text))
        done = desk.erasing.erase(Subject.of_text(text), "maria")
        assert plan.counts == done.counts
    assert leftovers(desk.home.root, *TOKENS) == []
    turns = desk.conversations.turns(person["conversation"])
    assert turns[0].text == f"I am {ERASED}, where is {ERASED}?"
    assert [turn.text for turn in desk.conversations.turns(person["other"])] == [
        "Do you sell garden gnomes?", "We do, from ten euros."]  # fmt: skip
    assert desk.search.turns("gnomes")
    assert [pair.output for pair in desk.pairs.list(query="somebody")] == ["Somebody did."]  # the edit holds nothing
    assert (desk.home.logs / "engine.log").read_text().endswith("\nfine\n")
    rows = [json.loads(line) for line in (desk.home.exports / "list-rejected-20260101-120000.jsonl").open()]
    assert rows == [{"line": 1, "reason": ERASED}, {"line": 2, "reason": "empty", "row": {}}]
    assert desk.db.value("SELECT count(*) FROM erasures WHERE swept_at IS NOT NULL") == 3


@pytest.mark.parametrize("kind", ["customer", "conversation"])
def test_a_customer_is_erased_with_all_that_came_of_them(desk: Desk, person: dict[str, int], kind: str) -> None:
    desk.erasing.erase(
        Subject.of_customer(f"  {NAME.lower()}")
        if kind == "customer"
        else Subject(kind, number=person["conversation"]),  # type: ignore[arg-type]
        "maria",
    )
    conversation = desk.conversations.get(person["conversation"])
    assert (conversation.title, conversation.customer) == (ERASED, None)
    assert {turn.text for turn in desk.conversations.turns(conversation.id)} == {ERASED}
    assert desk.db.value("SELECT count(*) FROM corrections WHERE text != ?", ERASED) == 0
    assert [draft.text for draft in desk.drafts.take("maria")] == [f"No, {NUMBER}"]
    mine = [pair for pair in desk.pairs.list(state="all") if pair.reply_id is not None and pair.id != 3]
    assert {pair.output for pair in mine if pair.source == "correction"} == {ERASED}
    assert desk.conversations.turns(person["other"])[0].text == "Do you sell garden gnomes?"
    assert leftovers(desk.home.root, f"where is {NUMBER}?", "arrives today", "when exactly will", "post brings") == []
    assert desk.shadows.answers(Version("v2")) == []
    assert (desk.shadows.current(), desk.shadows.ended_because()) == (
        None,
        "v2 learned something that has been erased.",
    )


def test_a_pair_is_erased_with_its_exchange_and_its_earlier_texts(desk: Desk, person: dict[str, int]) -> None:
    desk.erasing.erase(Subject("pair", number=person["pair"]), "maria")
    turns = desk.conversations.turns(person["conversation"])
    assert [turn.text for turn in turns[:2]] == [ERASED, ERASED]
    assert turns[2].text == "And when exactly will it be here?"
    assert desk.conversations.get(person["conversation"]).title == ERASED
    assert leftovers(desk.home.root, f"where is {NUMBER}?", "arrives today") == []
    desk.erasing.erase(Subject("pair", number=person["edited"]), "maria")
    assert leftovers(desk.home.root, "Who asked?", "Somebody did") == []


def test_a_pair_of_a_file_goes_with_the_conversation_it_came_with(desk: Desk, tmp_path: Path) -> None:
    turns = [("customer", "My drill is broken, says Quillfeather"), ("agent", "We send another drill."),
             ("customer", "Thank you ever so much"), ("agent", "You are welcome, Quillfeather.")]  # fmt: skip
    row = {"conversation": "c-17", "turns": [{"role": role, "text": text} for role, text in turns]}
    file = tmp_path / "talk.jsonl"
    file.write_text(json.dumps(row) + "\n")
    import_file(desk, file, who="maria")
    desk.pairs.add(NewPair("Thank you ever so much", "You are welcome, Quillfeather."), "import", "maria", "other.csv")
    number = desk.conversations.list()[0].id
    desk.erasing.erase(Subject.of_customer("C-17"), "maria")
    assert [pair.output for pair in desk.pairs.list()] == ["You are welcome, Quillfeather."]  # nobody's but that file's
    assert leftovers(desk.home.root, "My drill is broken", "another drill") == []
    assert desk.conversations.get(number).source == f"import:{ERASED}"


def test_rows_stay_append_only_and_whole(desk: Desk, person: dict[str, int]) -> None:
    before = {row[0] for row in desk.db.all("SELECT sql FROM sqlite_master WHERE type = 'trigger'")}
    desk.erasing.erase(Subject.of_text(NAME), "maria")
    assert {row[0] for row in desk.db.all("SELECT sql FROM sqlite_master WHERE type = 'trigger'")} == before
    with pytest.raises(Exception, match="append-only"):
        desk.db.run("UPDATE corrections SET text = 'x'")
    assert [row[0] for row in desk.db.all("PRAGMA integrity_check")] == ["ok"]
    assert desk.db.all("PRAGMA foreign_key_check") == []
    for table in ("turns_text", "pairs_text"):
        desk.db.run(f"INSERT INTO {table}({table}, rank) VALUES ('integrity-check', 0)")


def test_what_fails_half_way_leaves_the_desk_as_it_was(
    desk: Desk, person: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("as if the disk were full")

    monkeypatch.setattr("store.erasing.erasing.index_again", fail)
    dump = list(desk.db.conn.iterdump())
    with pytest.raises(RuntimeError):
        desk.erasing.erase(Subject.of_text(NAME), "maria")
    assert list(desk.db.conn.iterdump()) == dump


def test_an_erasure_that_was_cut_off_is_finished(
    desk: Desk, person: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("store.erasing.erasing.sweep", lambda db: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            desk.erasing.erase(Subject.of_text(NAME), "maria")
    assert desk.erasing.unfinished()
    desk.erasing.finish()
    assert not desk.erasing.unfinished()
    assert leftovers(desk.home.root, NAME, "Höllerwürmchen") == []


def test_another_app_that_reads_all_the_while_is_said_and_finished_later(
    desk: Desk, person: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.erasing.sweep.BUSY_SECONDS", 0.1)
    desk.db.wait_at_most(0.05)
    with Desk.open(desk.home) as other:
        other.db.run("BEGIN")
        assert other.db.value("SELECT count(*) FROM turns") == 8
        with pytest.raises(NotErased, match=r"other apps keep reading.*deskloop forget --finish"):
            desk.erasing.erase(Subject.of_text(NAME), "maria")
        other.db.run("ROLLBACK")
        assert ERASED in other.conversations.turns(person["conversation"])[0].text
    assert desk.erasing.unfinished()
    desk.erasing.finish()
    assert leftovers(desk.home.root, NAME, "Höllerwürmchen") == []


def test_erased_pairs_never_train_until_somebody_edits_them(desk: Desk) -> None:
    pair = desk.pairs.add(NewPair("Who?", f"{NAME} did.", split="train"), "import", "maria")
    assert pair is not None
    desk.erasing.erase(Subject.of_text(NAME), "maria")
    assert desk.pairs.training_set() == []
    assert desk.editing.restore([pair.id], "maria").refused[0].startswith(f"Part of pair {pair.id}")
    with pytest.raises(ValueError, match="Write your own words"):
        desk.editing.edit(pair.id, "maria", "Who then?", f"{ERASED} did.")
    desk.editing.edit(pair.id, "maria", "Who?", "A customer did.")
    assert [pair.output for pair, _ in desk.pairs.training_set()] == ["A customer did."]


def test_versions_that_learned_it_are_known_with_those_that_went_on_from_them(
    desk: Desk, person: dict[str, int]
) -> None:
    assert desk.erasing.tainted() == []
    assert desk.erasing.plan(Subject.of_text(NAME)).versions == ["v1", "v2"]
    assert desk.erasing.plan(Subject.of_text("gnomes")).versions == ["v1", "v2"]
    desk.erasing.erase(Subject.of_text(NAME), "maria")
    assert desk.erasing.tainted() == ["v1", "v2"]
    assert desk.erasing.erased_from(person["run"])


def test_a_removed_version_is_no_place_to_go_back_to(desk: Desk, person: dict[str, int]) -> None:
    desk.promotions.promote(Version("v2"), "manual", "maria")
    assert desk.promotions.rollback_target() == "v1"
    desk.versions.remove(Version("v1"), "maria", "learned something that was erased")
    assert desk.promotions.rollback_target() == "base"
    with pytest.raises(ValueError, match="v2 is in use"):
        desk.versions.remove(Version("v2"), "maria", "why not")


def test_a_reply_that_is_being_written_ends_there(desk: Desk) -> None:
    number = desk.conversations.create("maria").id
    turn = desk.conversations.add_customer(number, f"I am {NAME}", "maria")
    reply = desk.conversations.begin_reply(turn.id, BASE, {})
    desk.conversations.extend_reply(reply.id, f"Hello {NAME}")
    desk.erasing.erase(Subject.of_text(NAME), "maria")
    desk.conversations.extend_reply(reply.id, f"Hello {NAME}, how are you?")
    assert leftovers(desk.home.root, NAME) == []


def test_a_title_that_was_cut_inside_the_text_holds_no_part_of_it(desk: Desk) -> None:
    number = desk.conversations.create("maria").id
    desk.conversations.add_customer(number, f"Good morning, this is a letter from your customer {NAME}", "maria")
    assert desk.conversations.get(number).title.endswith("…")
    desk.erasing.erase(Subject.of_text(NAME), "maria")
    assert leftovers(desk.home.root, "Annegret") == []


def test_a_title_that_only_ends_as_the_text_begins_is_left(desk: Desk) -> None:
    said = "Good morning, I am looking for my parcels with their number"
    for digits in ("4711", "0815"):
        number = desk.conversations.create("maria").id
        desk.conversations.add_customer(number, f"{said} {digits}", "maria")
        assert desk.conversations.get(number).title == f"{said}…"
    assert desk.erasing.erase(Subject.of_text("number 4711 of yesterday"), "maria").counts == {}
    done = desk.erasing.erase(Subject.of_text("their number 4711"), "maria")
    assert done.counts == {"messages and replies": 1, "titles of conversations": 1}
    assert [row.title for row in desk.conversations.list()] == [f"{said}…", f"{said[:-12]}{ERASED}"]


def test_files_that_are_not_deskloops_are_named_and_left(desk: Desk, person: dict[str, int]) -> None:
    mine = desk.home.exports / "mine.csv"
    mine.write_text(f"question,answer\nwho,{NAME}\n", encoding="utf-8")
    done = desk.erasing.erase(Subject.of_text(NAME), "maria")
    assert done.unreached == [mine]
    assert NAME in mine.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["", "ab", " \u200b a b ", "\n"])
def test_what_would_be_everywhere_is_no_text_to_erase(text: str) -> None:
    with pytest.raises(NotErased, match="needs at least 3 letters"):
        Subject.of_text(text)


def test_what_is_not_there_changes_nothing(desk: Desk, person: dict[str, int]) -> None:
    assert not desk.erasing.plan(Subject.of_text("nobody ever said this")).found
    assert not desk.erasing.plan(Subject.of_customer("Nobody")).found
    for kind in ("pair", "conversation"):
        with pytest.raises(NotErased, match=f"There is no {kind} 99"):
            desk.erasing.plan(Subject(kind, number=99))


@pytest.mark.parametrize(
    ("wanted", "text", "left"),
    [
        ("Straße 5", "in der STRASSE  5, dort", f"in der {ERASED}, dort"),
        ("ﬁne art", "a fine\nart shop", f"a {ERASED} shop"),
        ("café", "the cafe\u0301s", f"the {ERASED}s"),
        ("secret", "se\u200bcr\u00adet!", f"{ERASED}!"),
        ("一二三", "说一二三四", f"说{ERASED}四"),
        ("aXa", "axaxa", ERASED),
        ("erased", "It was erased, all of it", f"It was {ERASED}, all of it"),
        ("한글이", "\u1112\u1161\u11ab\u1100\u1173\u11af\u110b\u1175", ERASED),
    ],
)
def test_a_text_is_found_however_it_is_spelled(wanted: str, text: str, left: str) -> None:
    assert Words([wanted]).without(text) == left


def test_a_text_is_found_in_escapes() -> None:
    words = Words(["Zoë 😀 said\n'no'"])
    for text in (
        r"x 'Zo\xeb \U0001f600 said\n\'no\'' y",
        r'x "Zo\u00eb \ud83d\ude00 said\n' + r"'no'" + '" y',
        r"Zo\xc3\xab 😀 said 'no'",
    ):
        assert words.file_holds(text)
        assert not words.file_holds(words.file_without(text))
        assert "said" not in words.file_without(text)


def test_what_deskloop_itself_calls_things_stays(desk: Desk) -> None:
    """A text may be a word that stands in every report and recipe: as a name there, or as a value of ours."""
    said = "my active epochs of qlora, the verdict is unclear, worse loss"
    number = desk.conversations.create("maria").id
    say(desk, number, said, "ok")
    recipe = {"epochs": 3.0, "method": "qlora", "best_by": "loss", "prompt_init": "an active start"}
    report = {
        "verdict": "reject",
        "drift": {"metric": "loss", "active": 1.0, "note": "It is unclear."},
        "sentence": "It is worse than the active one.",
    }
    run = desk.runs.create(recipe, BASE, "maria").id
    desk.runs.transition(run, "training")
    desk.runs.transition(run, "evaluating", candidate=Version("v1"))
    desk.runs.save_report(run, "reject", report)
    for word in ("active", "epochs", "qlora", "verdict", "unclear", "loss"):
        desk.erasing.erase(Subject.of_text(word), "maria")
    assert desk.conversations.turns(number)[0].text == (
        f"my {ERASED} {ERASED} of {ERASED}, the {ERASED} is {ERASED}, worse {ERASED}"
    )
    kept = desk.runs.get(run)
    assert kept.recipe == recipe | {"prompt_init": f"an {ERASED} start"}
    assert json.loads(desk.db.value("SELECT report FROM runs WHERE id = ?", run)) == {
        "verdict": "reject",
        "drift": {"metric": "loss", "active": 1.0, "note": f"It is {ERASED}."},
        "sentence": f"It is worse than the {ERASED} one.",
    }


def test_of_a_recipe_only_the_words_a_prompt_begins_as_are_somebodys() -> None:
    texts = {item.name for item in fields(Recipe) if isinstance(item.default, str)}
    assert texts - KEPT_INSIDE == {"prompt_init"}


def test_every_column_with_words_is_searched(desk: Desk) -> None:
    """Whoever adds a column with text decides here: words of anybody's, or one of the kinds in KEPT."""
    assert [f"{one.table}.{one.column}" for one in columns(desk.db)] == [
        "adapter_versions.recipe", "comparisons.instruction", "comparisons.history",
        "comparisons.answer_left", "comparisons.answer_right", "conversations.title", "conversations.source",
        "conversations.customer", "corrections.text", "drafts.text", "judged_answers.before", "judged_answers.after",
        "judged_answers.target", "pairs.instruction", "pairs.history", "pairs.output", "pairs.category",
        "pairs.source_ref", "pairs.excluded_why", "promotions.reason", "recipes.name", "recipes.recipe", "removals.why",
        "replies.draft", "run_events.body", "runs.recipe", "runs.report", "runs.failure", "settings.value",
        "shadow_answers.text", "shadows.why", "turns.text",
    ]  # fmt: skip
    assert "text" not in KEPT
