"""Every kind of file that other programs write, in variations: one table of names, one place for marks."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from store.desk import Desk
from store.importing import ColumnsUnknown, ImportRefused, import_file, preview_file
from store.importing.html_text import holds_html, plain_text
from store.importing.names import fold

Q, A = "Is it open?", "Yes, daily."
GOOD = {"instruction": "Do you ship?", "output": "Abroad, too."}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def learned(desk: Desk, path: Path, **options: Any) -> list[tuple[str, str]]:
    """The pairs of a file."""
    import_file(desk, path, who="ann", **options)
    return [(pair.instruction, pair.output) for pair in desk.pairs.list()]


def said(*turns: tuple[str, str], role: str = "role", text: str = "content") -> list[dict[str, str]]:
    return [{role: who, text: words} for who, words in turns]


# -- names -----------------------------------------------------------------------------------------
COLUMNS = [
    ("question", "answer"), ("Q", "A"), ("prompt", "response"), ("subject", "reply"), ("title", "body"),
    ("Title", "Content"), ("input", "output"), ("input", "target"), ("human", "assistant"), ("user", "bot"),
    ("customer", "agent"), ("FAQ Question", "FAQ Answer"), ("customerMessage", "agentReply"), ("prompt", "completion"),
    ("QUESTION ", " ANSWER"), ("Customer Question", "Agent Response"), ("Frage", "Antwort"), ("问题", "回答"),
    ("description", "resolution"), ("context", "response"), ("query", "completion"),
]  # fmt: skip


@pytest.mark.parametrize(("question", "answer"), COLUMNS)
def test_columns_are_known_by_many_names(desk: Desk, tmp_path: Path, question: str, answer: str) -> None:
    assert learned(desk, write(tmp_path / "in.jsonl", {question: Q, answer: A, "id": 7})) == [(Q, A)]
    (tmp_path / "in.csv").write_text(f'id;{question};{answer}\n7;{Q};"{A}"\n', encoding="utf-8")
    assert import_file(desk, tmp_path / "in.csv", who="ann").duplicates == 1


CARRIERS = ("messages", "conversations", "conversation", "dialogue", "turns")
KEYS = list(itertools.product(("role", "from", "speaker"), ("content", "value", "text")))


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize(("role", "text"), KEYS)
def test_dialogues_under_every_name(desk: Desk, tmp_path: Path, carrier: str, role: str, text: str) -> None:
    row = {carrier: said(("User", Q), ("ASSISTANT", A), role=role, text=text)}
    assert learned(desk, write(tmp_path / "in.jsonl", row)) == [(Q, A)]


CUSTOMERS = ("user", "Human", "CUSTOMER", "client", "prompter", "visitor", "guest", "end-user", "requester", "caller",
             "buyer", "End User", "usr", "客户")  # fmt: skip
BOTS = ("assistant", "GPT", "Agent", "bot", "model", "bard", "bing", "chatgpt", "operator", "support", "AI", "staff",
        "representative", "客服")  # fmt: skip


@pytest.mark.parametrize(("customer", "bot"), zip(CUSTOMERS, BOTS, strict=True))
def test_sides_are_known_by_many_words(desk: Desk, tmp_path: Path, customer: str, bot: str) -> None:
    assert learned(desk, write(tmp_path / "in.jsonl", {"messages": said((customer, Q), (bot, A))})) == [(Q, A)]


FORMS: dict[str, Any] = {
    "trl": {"prompt": said(("user", Q)), "completion": said(("assistant", A))},
    "trl text": {"prompt": said(("user", Q)), "completion": A},
    "exchanges": {"conversation": [{"human": Q, "assistant": A}]},
    "lists": {"conversations": [[Q, A]]},
    "chatml": {"text": f"<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\n{Q}<|im_end|>\n"
                       f"<|im_start|>assistant\n{A}<|im_end|>"},
    "guanaco": {"text": f"### Human: {Q}### Assistant: {A}"},
    "alpaca text": {"text": f"Below is an instruction.\n\n### Instruction:\n{Q}\n\n### Response:\n{A}"},
    "llama": {"text": f"<s>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\n{Q} [/INST] {A} </s>"},
    "transcript": {"transcript": f"Customer: {Q}\nAgent: {A}"},
    "langchain": {"messages": [{"type": "human", "data": {"content": Q}}, {"type": "ai", "data": {"content": A}}]},
    "parts": {"messages": [{"role": "user", "content": [{"type": "input_text", "text": Q}]},
                           {"role": "assistant", "content": [{"type": "output_text", "text": A}]}]},
    "list of messages": said(("user", Q), ("assistant", A)),
    "several answers": {"question": Q, "answers": [A]},
    "answers with places": {"question": Q, "answers": {"text": [A], "answer_start": [3]}},
    "one answer in a list": {"question": Q, "answer": [A]},
    "wrapped": {"version": 1, "data": [{"question": Q, "answer": A}]},
    "wrapped twice": {"data": {"rows": [{"question": Q, "answer": A}]}},
    "dataset viewer": {"rows": [{"row_idx": 0, "row": {"question": Q, "answer": A}}]},
    "airtable": {"records": [{"id": "x", "fields": {"Question": Q, "Answer": A}}]},
    "by index": {"0": {"question": Q, "answer": A}},
    "by columns": {"question": [Q], "answer": [A]},
    "by columns and rows": {"question": {"0": Q}, "answer": {"0": A}},
    "split": {"columns": ["question", "answer"], "index": [0], "data": [[Q, A]]},
    "dialogues by columns": {"messages": [said(("user", Q), ("assistant", A))]},
    "history tree": {"history": {"currentId": "b", "messages": {
        "a": {"id": "a", "parentId": None, "role": "user", "content": Q},
        "c": {"id": "c", "parentId": "a", "role": "assistant", "content": "Another answer."},
        "b": {"id": "b", "parentId": "a", "role": "assistant", "content": A}}}},
    "ticket": {"id": 3, "requester_id": 9, "description": Q, "comments": [
        {"author_id": 2, "public": True, "body": A}, {"author_id": 2, "public": False, "body": "VIP"}]},
    "ticket with direction": {"description_text": Q, "conversations": [
        {"incoming": False, "private": False, "body_text": A}]},
    "prompt as a model reads it": {"prompt": f"<|im_start|>user\n{Q}<|im_end|>\n<|im_start|>assistant\n",
                                   "completion": f"{A}<|im_end|>"},
    "prompt with marks": {"prompt": f"\n\nHuman: {Q}\n\nAssistant:", "completion": f" {A}"},
    "messages and their answer": {"input": said(("user", Q)), "output": A},
    "contents of parts": {"contents": [{"role": "user", "parts": [{"text": Q}]},
                                       {"role": "model", "parts": [{"text": A}]}]},
    "input_text": {"input_text": Q, "output_text": A},
    "by name": {"a": {"question": Q, "answer": A}},
    "context is a setting": {"context": "support", "role": "assistant", "instruction": Q, "response": A},
}  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_its_pair(desk: Desk, tmp_path: Path, name: str) -> None:
    assert learned(desk, write(tmp_path / "in.jsonl", FORMS[name])) == [(Q, A)]
    (tmp_path / "in.json").write_text(json.dumps(FORMS[name], indent=2), encoding="utf-8")
    assert import_file(desk, tmp_path / "in.json", who="ann").duplicates == 1


def test_an_array_of_messages_is_one_dialogue(desk: Desk, tmp_path: Path) -> None:
    messages = said(("user", "Hello"), ("assistant", "Hi!"), ("user", Q), ("assistant", A))
    (tmp_path / "in.json").write_text(json.dumps(messages))
    assert learned(desk, tmp_path / "in.json") == [("Hello", "Hi!"), (Q, A)]


def test_an_unknown_row_with_lists_in_it_is_one_row(desk: Desk, tmp_path: Path) -> None:
    result = import_file(desk, write(tmp_path / "in.jsonl", GOOD, {"tags": [{"name": "a"}, {"name": "b"}]}), who="ann")
    assert (result.added, result.reasons) == (1, ((2, "it has tags, which is not a known form"),))


def test_a_bad_row_of_a_wrapper_is_told_by_its_place(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text(json.dumps({"data": [GOOD, {"instruction": Q, "output": "-"}, None]}, indent=1))
    result = import_file(desk, tmp_path / "in.json", who="ann")
    assert (result.added, result.rejected) == (1, 2)
    assert result.reasons[0][1] == "row 2 of those that start there: output says -, which is no answer"


def test_a_prompts_own_answers_are_history(desk: Desk, tmp_path: Path) -> None:
    prompt = said(("user", "Hello"), ("assistant", "Hi!"), ("user", Q))
    row = {"prompt": prompt, "completion": said(("assistant", A))}
    assert learned(desk, write(tmp_path / "in.jsonl", row)) == [(Q, A)]
    assert desk.pairs.list()[0].history == (("Hello", "Hi!"),)


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    rows = [{"strange": 1}, *FORMS.values(), {"messages": said(("tool", "x"))}, {"instruction": 5, "output": "x"}]
    found = []
    for place, order in enumerate((rows, rows[::-1], rows[7:] + rows[:7])):
        with Desk.open(tmp_path / f"home{place}") as desk:
            result = import_file(desk, write(tmp_path / "in.jsonl", *order), who="ann")
            found.append((result.added, result.duplicates, result.rejected, result.conversations))
    assert found[0] == found[1] == found[2]
    assert found[0][2] == 3


@pytest.mark.parametrize(
    ("word", "bot"),
    [("ROLE_USER", "ROLE_ASSISTANT"), ("User 1", "Virtual Assistant"), ("user", "gpt-4"), ("customer", "Support Team"),
     ("Kundin", "Mitarbeiter"), ("utilisateur", "conseiller"), ("usuario", "asistente"), ("고객", "상담원"), ("Q", "A"),
     ("customer", "Customer Care")],
)  # fmt: skip
def test_sides_are_known_by_one_of_their_words(desk: Desk, tmp_path: Path, word: str, bot: str) -> None:
    assert learned(desk, write(tmp_path / "in.jsonl", {"messages": said((word, Q), (bot, A))})) == [(Q, A)]


@pytest.mark.parametrize("word", ["Client Care Lead", "user agent", "Ann Lee"])
def test_words_that_name_both_sides_or_none_are_no_side(desk: Desk, tmp_path: Path, word: str) -> None:
    result = import_file(desk, write(tmp_path / "in.jsonl", {"messages": said(("user", Q), (word, A))}), who="ann")
    assert (result.added, result.rejected) == (0, 1)


# -- marks -----------------------------------------------------------------------------------------
BAD_ROWS = [
    {"label": False}, {"label": 0}, {"label": "false"}, {"kto_tag": False}, {"kto_tag": 0}, {"rating": -1},
    {"rating": "bad"}, {"feedback": "thumbs_down"}, {"feedback": "Thumbs Down"}, {"score": "negative"}, {"score": -0.5},
    {"feedback": {"rating": -1}}, {"satisfaction_rating": {"score": "bad"}}, {"feedback": "👎"}, {"label": "bad"},
    {"weight": 0}, {"train": False}, {"loss_weight": 0.0}, {"private": True}, {"internal": "true"}, {"public": False},
    {"feedback": {"type": "negative"}}, {"feedback": ["negative"]}, {"metadata": {"rating": -1}},
    {"meta": {"label": 0}},
    {"weight": -1}, {"thumbs_down": True}, {"is_bad": 1}, {"score": "−1"}, {"rating": "-1/5"}, {"kto_label": "False"},
    {"feedback": "down"}, {"metadata": {"private": True}}, {"extra": {"train": False}},
    {"visibility": "internal"}, {"Rating": "-1"}, {"annotation": {"rating": -1}}, {"feedback": False},
]  # fmt: skip
HARMLESS = [
    {"label": "cancel_order"}, {"label": True}, {"label": 1}, {"kto_tag": True}, {"rating": 5}, {"rating": "good"},
    {"feedback": "thumbs_up"}, {"score": 0.7}, {"score": None}, {"feedback": "The answer was not bad at all"},
    {"weight": 1}, {"weight": 0.5}, {"private": False}, {"public": True}, {"train": True}, {"label": None},
    {"rating": "nan"}, {"images": []}, {"image": ""}, {"images": None}, {"tools": [{"name": "x"}]}, {"audio": "null"},
    {"type": "faq"}, {"visibility": "public"}, {"internal": 0}, {"rating": 0}, {"score": 0.0}, {"images": [None]},
    {"images": "[]"}, {"metadata": {"label": "billing"}}, {"score": "-0"}, {"thumbs_down": False}, {"loss": 1.25},
]  # fmt: skip
SHAPES: list[dict[str, Any]] = [
    {"instruction": Q, "output": A},
    {"messages": said(("user", Q), ("assistant", A))},
    {"turns": said(("customer", Q), ("agent", A), text="text")},
    {"prompt": said(("user", Q)), "completion": said(("assistant", A))},
    {"text": f"### Human: {Q}### Assistant: {A}"},
]


@pytest.mark.parametrize("mark", BAD_ROWS, ids=str)
def test_a_row_that_is_marked_is_not_learned_in_any_form(desk: Desk, tmp_path: Path, mark: dict[str, Any]) -> None:
    result = import_file(desk, write(tmp_path / "in.jsonl", GOOD, *({**shape, **mark} for shape in SHAPES)), who="ann")
    assert (result.added, result.rejected) == (1, len(SHAPES))
    assert all("marked as" in reason for _, reason in result.reasons)


@pytest.mark.parametrize("mark", HARMLESS, ids=str)
def test_a_row_with_harmless_words_is_learned(desk: Desk, tmp_path: Path, mark: dict[str, Any]) -> None:
    result = import_file(desk, write(tmp_path / "in.jsonl", *({**shape, **mark} for shape in SHAPES)), who="ann")
    assert (result.added, result.rejected) == (1, 0)


def test_a_wrapper_speaks_for_its_rows(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text(json.dumps({"private": True, "data": [GOOD, GOOD]}, indent=1))
    assert import_file(desk, tmp_path / "in.json", who="ann").rejected == 2
    (tmp_path / "in.json").write_text(json.dumps({"train": [], "test": [GOOD]}))
    import_file(desk, tmp_path / "in.json", who="ann")
    assert [pair.split for pair in desk.pairs.list()] == ["heldout"]


FLAGS = [{name: value} for name in ("weight", "loss_weight", "loss", "train", "training", "trainable")
         for value in (False, 0)] + [
             {"weight": "0"}, {"metadata": {"train": False}}, {"weight": -1},
             {"train": "false"}, {"rating": -1}, {"label": False}]  # fmt: skip


@pytest.mark.parametrize("flag", FLAGS, ids=str)
@pytest.mark.parametrize("carrier", ["messages", "conversations", "turns"])
def test_a_message_that_is_not_to_be_learned_is_history_only(
    desk: Desk, tmp_path: Path, carrier: str, flag: dict[str, Any]
) -> None:
    first, second, third = ({"role": "assistant", "content": text} for text in ("WRONG", "Right.", "WRONG too"))
    messages = [
        *said(("user", Q)),
        {**first, **flag},
        second,
        {**third, **flag},
        *said(("user", "And?"), ("assistant", A)),
    ]
    assert learned(desk, write(tmp_path / "in.jsonl", {carrier: messages})) == [(Q, "Right."), ("And?", A)]
    assert desk.pairs.list()[1].history == ((Q, "WRONG\nRight.\nWRONG too"),)


PRIVATE = [{"private": True}, {"internal": True}, {"public": False}, {"is_private": 1}, {"isInternal": "yes"},
           {"visibility": "internal"}, {"type": "note"}, {"part_type": "note"},
           {"metadata": {"private": True}}]  # fmt: skip


@pytest.mark.parametrize("flag", PRIVATE, ids=str)
def test_a_private_message_is_gone(desk: Desk, tmp_path: Path, flag: dict[str, Any]) -> None:
    note = {"role": "agent", "text": "Stall him.", **flag}
    turns = [{"role": "customer", "text": Q}, note, {"role": "agent", "text": A}, note,
             {"role": "customer", "text": "Ok?"}, {"role": "agent", "text": "Fine."}]  # fmt: skip
    assert learned(desk, write(tmp_path / "in.jsonl", {"turns": turns})) == [(Q, A), ("Ok?", "Fine.")]
    (conversation,) = desk.conversations.list()
    everything = [turn.text for turn in desk.conversations.turns(conversation.id)]
    assert "Stall" not in str(everything) + str([pair.history for pair in desk.pairs.list()])


def test_the_answer_to_a_private_question_is_not_taken_for_one_to_the_question_before(
    desk: Desk, tmp_path: Path
) -> None:
    turns = [*said(("user", Q), ("assistant", A)), {"role": "user", "content": "secret", "private": True},
             *said(("assistant", "To the secret."))]  # fmt: skip
    assert learned(desk, write(tmp_path / "in.jsonl", {"messages": turns})) == [(Q, A)]


MEDIA: list[dict[str, Any]] = [
    {"instruction": Q, "output": A, "image": "a.png"}, {"question": Q, "answer": A, "Images": ["a.png"]},
    {"messages": said(("user", f"<image>{Q}"), ("assistant", A))}, {"instruction": f"<video>\n{Q}", "output": A},
    {"messages": said(("user", Q), ("assistant", A)), "videos": ["a.mp4"]},
    {"instruction": Q, "output": A, "audio": {"path": "x"}},
    {"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}, *said(("assistant", A))]},
    {"messages": [{"role": "user", "content": Q, "images": ["x"]}, *said(("assistant", A))]},
    {"instruction": f"<|image_1|> {Q}", "output": A}, {"instruction": Q, "output": A, "image_url": "https://x.example/a"},
    {"text": f"### Human: <image>{Q}### Assistant: {A}"}, {"instruction": Q, "input": "<audio>", "output": A},
    *({"instruction": f"{mark} {Q}", "output": A} for mark in (
        "<ImageHere>", "<IMG_CONTEXT>", "[Image #1]", "<image_soft_token>", "<start_of_image>", "<vid>",
        "<|media_pad|>")),
    {"instruction": Q, "output": A, "media": ["a.png"]},
]  # fmt: skip


@pytest.mark.parametrize("row", MEDIA, ids=str)
def test_rows_with_pictures_sounds_and_videos_are_rejected(desk: Desk, tmp_path: Path, row: dict[str, Any]) -> None:
    result = import_file(desk, write(tmp_path / "in.jsonl", GOOD, row), who="ann")
    assert (result.added, result.rejected) == (1, 1)
    assert "needs a" in result.reasons[0][1]


PREFERENCES: list[dict[str, Any]] = [
    {"prompt": Q, "chosen": A, "rejected": "BAD"},
    {"chosen": said(("user", Q), ("assistant", A)), "rejected": said(("user", Q), ("assistant", "BAD"))},
    {"conversations": said(("human", Q)), "chosen": said(("gpt", A)), "rejected": said(("gpt", "BAD"))},
    {"input": {"messages": said(("user", Q))}, "preferred_output": said(("assistant", A)),
     "non_preferred_output": said(("assistant", "BAD"))},
    {"question": Q, "response_j": A, "response_k": "BAD"}, {"question": Q, "better": A, "worse": "BAD"},
]  # fmt: skip


@pytest.mark.parametrize("row", PREFERENCES, ids=str)
def test_what_was_preferred_to_is_never_learned(desk: Desk, tmp_path: Path, row: dict[str, Any]) -> None:
    with pytest.raises(ImportRefused, match="preferences"):
        import_file(desk, write(tmp_path / "in.jsonl", row), who="ann")
    result = import_file(desk, write(tmp_path / "in.jsonl", GOOD, row), who="ann")
    assert (result.added, result.rejected) == (1, 1)


def test_of_several_answers_those_that_are_marked_are_left_out(desk: Desk, tmp_path: Path) -> None:
    answers = [{"text": "BAD", "score": -1}, {"text": A, "score": 1}, {"text": "Note", "private": True}]
    assert learned(desk, write(tmp_path / "in.jsonl", {"question": Q, "answers": answers})) == [(Q, A)]
    rows = [
        {"question": Q, "responses": ["best", "BAD"], "rank": [0, 1]},
        {"question": Q, "responses": ["best", "BAD"], "scores": [1.0, -1.0]},
        {"question": Q, "answers": [{"text": "BAD", "label": False}]},
    ]
    result = import_file(desk, write(tmp_path / "in.jsonl", *rows), who="ann")
    assert (result.added, result.rejected) == (0, 3)


# -- placeholders ----------------------------------------------------------------------------------
NOTHING = [
    "null",
    "None",
    "NaN",
    "N/A",
    "#N/A",
    "na",
    "NIL",
    "undefined",
    "-",
    r"\N",
    "<noinput>",
    " NULL ",
    "--",
    "—",
    "#REF!",
    "#NAME?",
    "[deleted]",
]


@pytest.mark.parametrize("word", NOTHING)
def test_placeholders_are_no_texts(desk: Desk, tmp_path: Path, word: str) -> None:
    rows = [{"instruction": Q, "output": word}, {"messages": said(("user", Q), ("assistant", word))},
            {"instruction": word, "output": A}]  # fmt: skip
    result = import_file(desk, write(tmp_path / "a.jsonl", GOOD, *rows), who="ann")
    assert (result.added, result.rejected) == (1, 3)
    assert [reason for _, reason in result.reasons[:1]] == [f"output says {word.strip()}, which is no answer"]
    row = {"instruction": Q, "input": word, "output": A, "history": [["Hello", word], ["Hi", "Hello!"]]}
    assert (Q, A) in learned(desk, write(tmp_path / "b.jsonl", row))
    assert desk.pairs.list()[-1].history == (("Hi", "Hello!"),)
    (tmp_path / "c.csv").write_text(f"question,input,history,answer\nParking?,{word},{word},Free.\n", encoding="utf-8")
    assert ("Parking?", "Free.") in learned(desk, tmp_path / "c.csv")


# -- no byte unread --------------------------------------------------------------------------------
def row(number: int) -> str:
    return json.dumps({"instruction": f"Question {number}?", "output": "Yes."})


@pytest.mark.parametrize(
    ("text", "added", "rejected"),
    [
        (f"[{row(1)}]\n[{row(2)},{row(3)}]\n", 3, 0),
        (f"[{row(1)}][{row(2)}]", 2, 0),
        (f"[\n{row(1)}\n]\n[\n{row(2)}\n]\n{row(3)}\n", 3, 0),
        (f"[\n{row(1)}\n]\nand more\nand {{ more\n", 1, 2),
        (f"[{row(1)}] and more", 1, 1),
        (f"{row(1)}{row(2)}\n{row(3)}", 3, 0),
        (f"{row(1)}\nrubbish\n[]\n{row(2)}", 2, 2),
        (f'{row(1)}\n{{"instruction": "a", "output": "b", "output": "c"}}\n', 1, 1),
        (f'{row(1)}\n{{"instruction": ["a", "b"], "output": ["c"]}}\n', 1, 1),
        (f'{row(1)}\n{{"instruction": "a", "output": ["c", "d"]}}\n', 1, 1),
        (f'{row(1)}\n{{"instruction": ["a", "b"], "output": "c"}}\n', 1, 1),
        (row(1) + '\n{"messages": [{"role": "user", "content": ["a", "b"]}, {"role": "bot", "content": "c"}]}\n', 1, 1),
        (f'{row(1)}\n{{"Answer": "a", "answer": "b", "question": "c"}}\n', 1, 1),
        (f'{row(1)}\n{{"instruction": ["a", "b"], "output": ["c", "d"]}}\n', 3, 0),
        (f'{row(1)}\n{{"instruction": {{"0": "a", "1": "b"}}, "output": {{"0": "c", "1": "d"}}}}\n', 3, 0),
    ],
)  # fmt: skip
def test_every_value_of_a_file_is_read_or_counted(
    desk: Desk, tmp_path: Path, text: str, added: int, rejected: int
) -> None:
    for place, name in enumerate(("in.json", "in.jsonl")):
        (tmp_path / name).write_text(text)
        found = preview_file(desk, tmp_path / name)
        result = import_file(desk, tmp_path / name, who="ann")
        assert (result.added, result.rejected) == (added if place == 0 else 0, rejected)
        assert (found.added, found.rejected) == (result.added, result.rejected)
        if rejected:
            assert import_file(desk, tmp_path / name, strict=True, who="ann").duplicates == 0


# -- tables ----------------------------------------------------------------------------------------
HEAD = "question,answer\n"
TABLES: dict[str, tuple[str, list[tuple[str, str]], int]] = {
    "sep": (f"sep=;\nquestion;answer\n{Q};{A}\n", [(Q, A)], 0),
    "sep that is no guess": (f"sep=|\r\nquestion|answer\r\n{Q}|a, b; c\r\n", [(Q, "a, b; c")], 0),
    "mark, sep": (f"\ufeffsep=;\nquestion;answer\n{Q};{A}\n", [(Q, A)], 0),
    "pipe": (f"question|answer\n{Q}|{A}\n", [(Q, A)], 0),
    "tab": (f"question\tanswer\n{Q}\tYes, it is; daily\n", [(Q, "Yes, it is; daily")], 0),
    "commas in prose": ("question;answer\nA, b, c?;One, two.\nD, e, f?;Three, four.\n",
                        [("A, b, c?", "One, two."), ("D, e, f?", "Three, four.")], 0),
    "commas in the header": (f'"Question, as asked";"Answer, as given"\n{Q};"{A}"\n', [(Q, A)], 0),
    "blank lines": (f'\n\n,,\n{HEAD}{Q},"{A}"\n\n', [(Q, A)], 0),
    "titles": (f'Export of May\nBy Ann,,\n\nid,question,answer\n1,{Q},"{A}"\n', [(Q, A)], 0),
    "short rows": (f"question,answer,tags,notes\n{Q},Yes.\nParking?,Free.,x\n",
                   [(Q, "Yes."), ("Parking?", "Free.")], 0),
    "too short": (f"id,question,answer\n1,{Q}\n2,Parking?,Free.\n", [("Parking?", "Free.")], 1),
    "too long": (f"{HEAD}{Q},Yes, daily.\nParking?,Free.\n", [("Parking?", "Free.")], 1),
    "spill under no name": (f"question,answer,\n{Q},Yes, daily.\nParking?,Free.,\n", [("Parking?", "Free.")], 1),
    "backslashes": (f'{HEAD}"She said \\"hello\\" to me","Say \\"hello\\", too"\n',
                    [('She said "hello" to me', 'Say "hello", too')], 0),
    "backslash at an end": (f'{HEAD}"Which folder?","C:\\temp\\"\n{Q},Yes.\n',
                            [("Which folder?", "C:\\temp\\"), (Q, "Yes.")], 0),
    "doubled": (f'{HEAD}"A ""b"" c?","""Yes"""\n', [('A "b" c?', '"Yes"')], 0),
    "quotes that only quote": (f'{HEAD}"Express" delivery?,Yes.\n', [('"Express" delivery?', "Yes.")], 0),
    "cells over lines": (f'{HEAD}{Q},"Dear Ann,\nyes, it is.\n\nBob, your shop"\nParking?,Free.\n',
                         [(Q, "Dear Ann,\nyes, it is.\n\nBob, your shop"), ("Parking?", "Free.")], 0),
    "stray quote, closed": (f'{HEAD}"Express,One.\nB?,Two.\nC?,Three.\nD 12",Four.\nE?,Five.\n', [("E?", "Five.")], 4),
    "stray quote, open": (f'{HEAD}A?,One.\n"Express,Two.\nC?,Three.\n', [("A?", "One."), ("C?", "Three.")], 1),
    "spaces": (f'question, answer\n{Q}, "Yes, daily."\n', [(Q, "Yes, daily.")], 0),
    "returns alone": (f"question,answer\r{Q},Yes.\r", [(Q, "Yes.")], 0),
    "dialogue in a cell": ('messages\n"[{""role"": ""user"", ""content"": ""Hi?""}, '
                           '{""role"": ""bot"", ""content"": ""Hello.""}]"\n',
                           [("Hi?", "Hello.")], 0),
    "spaces before quotes": (f'{HEAD}"A, b?", "Yes, c."\n', [("A, b?", "Yes, c.")], 0),
    "header with spaces outside quotes": ('" question " , "answer "\nA,B\n', [("A", "B")], 0),
    "bare marks inside quotes": (f'{HEAD}"a "b" c","d"\n"Express" or "normal"?,Yes.\n',
                                 [('a "b" c', "d"), ('"Express" or "normal"?', "Yes.")], 0),
    "header once more": (f"{HEAD}A,B\n{HEAD}C,D\n", [("A", "B"), ("C", "D")], 1),
    "lines of a drawn table": ("| question | answer |\n|---|---|\n| A | B |\n", [("A", "B")], 1),
    "help desk": (f"Ticket ID,Subject,Description,Agent,Agent Response\n1,Parcel,{Q},Bob,Yes.\n", [(Q, "Yes.")], 0),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_found_and_every_line_of_it_read_or_counted(desk: Desk, tmp_path: Path, name: str) -> None:
    text, pairs, rejected = TABLES[name]
    (tmp_path / "in.csv").write_text(text, encoding="utf-8", newline="")
    found = preview_file(desk, tmp_path / "in.csv")
    result = import_file(desk, tmp_path / "in.csv", who="ann")
    assert [(pair.instruction, pair.output) for pair in desk.pairs.list()] == pairs
    assert (result.rejected, found.rejected) == (rejected, rejected)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "windows-1252", "gb18030"])
def test_a_table_in_another_encoding(desk: Desk, tmp_path: Path, encoding: str) -> None:
    text = "问题\t回答\n几点开门？\t九点。\n" if encoding == "gb18030" else "Frage\tAntwort\nGrün?\tJa, für 5 €.\n"
    (tmp_path / "in.txt").write_text(text, encoding=encoding)
    named = encoding if encoding in ("utf-16-le", "windows-1252", "gb18030") else None
    assert len(learned(desk, tmp_path / "in.txt", encoding=named)) == 1


def test_an_unknown_encoding_is_refused(desk: Desk, tmp_path: Path) -> None:
    for name in ("klingon", "zip", "hex"):
        with pytest.raises(ImportRefused, match="no encoding"):
            import_file(desk, write(tmp_path / "in.jsonl", GOOD), encoding=name, who="ann")


@pytest.mark.parametrize(
    "head",
    [
        "question,answer,answer",
        "Answer,question,answer",
        "q,input,a,Input",
        "question,answer,label,Label",
        "question,answer,private,private",
        "ticket_id,role,body,body",
        "ticket_id,role,Role,body",
    ],
)
def test_two_columns_of_one_name_are_refused_by_name(desk: Desk, tmp_path: Path, head: str) -> None:
    (tmp_path / "in.csv").write_text(f"{head}\na,b,c,d\n")
    with pytest.raises(ImportRefused, match=r"Columns \d and \d .* both called"):
        import_file(desk, tmp_path / "in.csv", who="ann")


def test_two_columns_of_one_name_in_json_are_refused(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text(json.dumps({"columns": ["question", "answer", "Answer"], "data": [[Q, A, "x"]]}))
    with pytest.raises(ImportRefused, match="same name"):
        import_file(desk, tmp_path / "in.json", who="ann")


def test_a_table_of_known_columns_is_not_asked_for_them(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("question,answer\n'A, b?','Yes, c.'\n")
    with pytest.raises(ImportRefused, match="it has 4 cells") as caught:
        import_file(desk, tmp_path / "in.csv", who="ann")
    assert not isinstance(caught.value, ColumnsUnknown)


def test_two_columns_that_nobody_reads_may_share_a_name(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(f"question,tag,tag,answer\n{Q},a,b,Yes.\n")
    assert learned(desk, tmp_path / "in.csv") == [(Q, "Yes.")]


def test_columns_without_a_meaning_are_asked_for_and_named(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(f"Shop\n\nwen;was;notes\n{Q};Yes.;x\nParking?;Free.;y\n")
    with pytest.raises(ColumnsUnknown, match="'wen', 'was'") as caught:
        preview_file(desk, tmp_path / "in.csv")
    assert caught.value.columns == ("wen", "was", "notes")
    assert caught.value.rows[1] == ("Parking?", "Free.", "y")
    named = {"instruction": "wen", "output": "was"}
    assert preview_file(desk, tmp_path / "in.csv", columns=named).added == 2
    assert learned(desk, tmp_path / "in.csv", columns=named) == [(Q, "Yes."), ("Parking?", "Free.")]


def test_a_named_column_is_the_only_one_for_its_role(desk: Desk, tmp_path: Path) -> None:
    rows = [{"question": Q, "answer": "old", "better": A, "context": "x"}]
    assert learned(desk, write(tmp_path / "in.jsonl", *rows), columns={"output": "better"}) == [(f"{Q}\nx", A)]


# -- one message a row -----------------------------------------------------------------------------
def test_messages_are_gathered_by_conversation_in_any_order(tmp_path: Path) -> None:
    head = "ticket_id,created_at,author_role,private,body\n"
    lines = [
        "1,2025-03-01T10:00:00Z,customer,false,Where is it?\n",
        "2,2025-03-01T10:01:00Z,customer,false,Is it open?\n",
        "1,2025-03-01T10:02:00Z,agent,true,He is a VIP\n",
        "1,2025-03-01T10:03:00Z,agent,false,On its way.\n",
        "2,2025-03-01T10:04:00Z,agent,false,Yes.\n",
        "1,2025-03-01T10:05:00Z,customer,false,When?\n",
        "1,2025-03-01T10:06:00Z,agent,false,Tomorrow.\n",
    ]
    right = {("Where is it?", "On its way."), ("When?", "Tomorrow."), ("Is it open?", "Yes.")}
    for place, order in enumerate((lines, lines[::-1], sorted(lines))):
        with Desk.open(tmp_path / f"home{place}") as desk:
            (tmp_path / "in.csv").write_text(head + "".join(order))
            result = import_file(desk, tmp_path / "in.csv", who="ann")
            assert (result.added, result.rejected, result.conversations) == (3, 0, 2)
            assert {(pair.instruction, pair.output) for pair in desk.pairs.list()} == right
            assert "VIP" not in str([desk.conversations.turns(one.id) for one in desk.conversations.list()])


def test_messages_in_named_columns(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(f"fall;wer;was\n1;Kunde;{Q}\n1;Agent;Yes.\n")
    columns = {"conversation": "fall", "role": "wer", "text": "was"}
    assert learned(desk, tmp_path / "in.csv", columns=columns) == [(Q, "Yes.")]


@pytest.mark.parametrize(
    "key", [{"incoming": True}, {"direction": "inbound"}, {"from": "customer"}, {"author": {"type": "user"}}], ids=str
)
def test_who_writes_is_said_in_many_ways(desk: Desk, tmp_path: Path, key: dict[str, Any]) -> None:
    other = {"incoming": False, "direction": "outbound", "from": "agent", "author": {"type": "admin"}}
    (name,) = key
    rows = [{"conversation_id": 1, "text": Q, **key}, {"conversation_id": 1, "text": A, name: other[name]}]
    assert learned(desk, write(tmp_path / "in.jsonl", *rows)) == [(Q, A)]


def test_a_message_that_reads_like_a_header_is_none(desk: Desk, tmp_path: Path) -> None:
    text = "conversation_id,sender,message\n1,customer,A\n2,customer,Q\n1,agent,Sure.\n2,agent,Fine.\n"
    (tmp_path / "in.csv").write_text(text)
    assert learned(desk, tmp_path / "in.csv") == [("A", "Sure."), ("Q", "Fine.")]


@pytest.mark.parametrize(
    ("early", "late"),
    [("01.05.2024 09:59", "01.05.2024 10:10"), ("05/01/2024 9:59 AM", "05/01/2024 1:10 PM"),
     ("31/12/2023 10:00", "01/01/2024 09:00"), ("Tue Oct 31 22:10:47 +0000 2017", "Wed Nov 01 00:11:45 +0000 2017")],
)  # fmt: skip
def test_times_in_many_forms_put_messages_in_order(desk: Desk, tmp_path: Path, early: str, late: str) -> None:
    (tmp_path / "in.csv").write_text(
        f"ticket_id,author_role,created_at,body\n1,agent,{late},Yes.\n1,user,{early},{Q}\n"
    )
    assert learned(desk, tmp_path / "in.csv") == [(Q, "Yes.")]


def test_events_of_a_help_desk_say_nothing(desk: Desk, tmp_path: Path) -> None:
    parts = [{"part_type": "assignment", "body": None, "author": {"type": "bot"}},
             {"part_type": "comment", "body": A, "author": {"type": "admin"}},
             {"part_type": "close", "body": "", "author": {"type": "admin"}}]  # fmt: skip
    row = {"source": {"body": Q, "author": {"type": "lead"}}, "conversation_parts": {"conversation_parts": parts}}
    assert learned(desk, write(tmp_path / "in.jsonl", row)) == [(Q, A)]


def test_plain_text_is_preferred_to_html_and_a_direction_to_an_author_without_a_role(
    desk: Desk, tmp_path: Path
) -> None:
    rows = [
        {"messages": [{"is_inbound": True, "sender": {"id": 9}, "body": f"<p>{Q}</p>", "body_text": Q},
                      {"is_inbound": False, "sender": {"id": 5}, "body": f"<p>{A}</p>", "body_text": A}]},
        {"messages": [{"from_agent": False, "sender": {"id": 9}, "text": "Hi"},
                      {"from_agent": True, "sender": {"id": 5}, "text": "Hello."}]},
    ]  # fmt: skip
    assert learned(desk, write(tmp_path / "in.jsonl", *rows)) == [(Q, A), ("Hi", "Hello.")]


# -- splits, HTML ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "said",
    [{"split": "test_set"}, {"split": "test.csv"}, {"split": "testset"}, {"set": "Test"}, {"subset": "val"},
     {"data_split": "dev"}, {"split": "test_sft"}],
    ids=str,
)  # fmt: skip
def test_a_held_out_row_is_known_by_many_words(desk: Desk, tmp_path: Path, said: dict[str, str]) -> None:
    rows = [{"instruction": f"Question {number}?", "output": "Yes.", **said} for number in range(5)]
    import_file(desk, write(tmp_path / "in.jsonl", *rows), who="ann")
    assert {pair.split for pair in desk.pairs.list()} == {"heldout"}


def test_splits_by_every_word_and_others_are_told(desk: Desk, tmp_path: Path) -> None:
    words = ["test", "Validation", "valid", "VAL", "dev", "eval", "held-out", "train", "unlabelled"]
    rows = [{"instruction": f"Question {word}?", "output": "Yes.", "split": word} for word in words]
    found = preview_file(desk, write(tmp_path / "in.jsonl", *rows))
    result = import_file(desk, tmp_path / "in.jsonl", who="ann")
    assert [pair.split for pair in desk.pairs.list()][:8] == ["heldout"] * 7 + ["train"]
    assert list(result.notes) == found.notes
    assert "'unlabelled'" in result.notes[0]


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hello,</p><p>where is it?<br></p>", "Hello,\n\nwhere is it?"),
        ("AT&amp;T &lt;3 &#39;x&#39;", "AT&T <3 'x'"),
        ("a<br/>b<BR>c", "a\nb\nc"),
        ("&euro; 5 &mdash; sch&ouml;n", "€ 5 — schön"),
        ("<script>if (a < b) x()</script>Hi", "Hi"),
        ("<!-- seen by nobody -->Hi", "Hi"),
        ("<iframe src=x></iframe>Hi <s>you</s>", "Hi you"),
        ("<ul><li>one</li><li>two</li></ul>done", "- one\n- two\n\ndone"),
        ("<div>a</div>\n<div>b  c</div>", "a\nb c"),
        ("<style>p {}</style><b>Bold</b> &nbsp;text", "Bold  text"),
        ("your <order number> &amp; more", "your <order number> & more"),
        ("line one\nline &amp; two", "line one\nline & two"),
    ],
)  # fmt: skip
def test_html_as_plain_text(html: str, text: str) -> None:
    assert holds_html(html)
    assert plain_text(html) == text
    assert not holds_html(text.replace("&", "and"))


def test_what_is_no_html_stays(desk: Desk, tmp_path: Path) -> None:
    for text in ("a < b & c > d", "{{slot}} <order>", "AT&T", "R&D; sales", "<label>", "x <- y"):
        assert not holds_html(text)


# -- names -----------------------------------------------------------------------------------------
def test_names_are_compared_folded() -> None:
    assert {
        fold(name) for name in ("Customer Message", "customer-message", "customerMessage", " CUSTOMER__MESSAGE ")
    } == {"customer_message"}
