"""Files in and out: every form, every way to be broken."""

from __future__ import annotations

import codecs
import contextlib
import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.desk import Desk
from store.exporting import export_file
from store.importing import ImportRefused, import_file
from store.importing.pairs_in import pairs_in
from store.importing.parsing import rows_of
from store.importing.reading import Source
from store.pairs import NewPair
from store.spreadsheet import guarded, unguarded
from store.writing import TargetRefused

PAIR = {"instruction": "Where is my order?", "output": "On its way."}


def write(path: Path, rows: list[Any], encoding: str = "utf-8") -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding=encoding)
    return path


@pytest.mark.parametrize(
    ("row", "instruction", "history"),
    [
        (PAIR, "Where is my order?", ()),
        ({**PAIR, "input": "Number 7"}, "Where is my order?\nNumber 7", ()),
        ({**PAIR, "history": [["Hi", "Hello"]]}, "Where is my order?", (("Hi", "Hello"),)),
        ({"question": "Where is my order?", "answer": "On its way."}, "Where is my order?", ()),
        (
            {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "Where is my order?"},
                          {"role": "assistant", "content": [{"type": "text", "text": "On its way."}]}]},
            "Where is my order?", (),
        ),
        (
            {"conversations": [{"from": "human", "value": "Where is my order?"},
                               {"from": "gpt", "value": "On its way."}]},
            "Where is my order?", (),
        ),
        (
            {"turns": [{"role": "customer", "text": "Where is my order?"}, {"role": "agent", "text": "On its way."}]},
            "Where is my order?", (),
        ),
    ],
)  # fmt: skip
def test_every_form_of_row(desk: Desk, tmp_path: Path, row: dict[str, Any], instruction: str, history: Any) -> None:
    result = import_file(desk, write(tmp_path / "in.jsonl", [row]), who="ann")
    assert (result.added, result.rejected) == (1, 0)
    (pair,) = desk.pairs.list()
    assert (pair.instruction, pair.output, pair.history) == (instruction, "On its way.", history)


def test_a_dialogue_gives_a_pair_an_answer_with_the_turns_before_it(desk: Desk, tmp_path: Path) -> None:
    turns = [
        ("agent", "Welcome"),
        ("customer", "Hi"),
        ("agent", "Hello"),
        ("customer", "A"),
        ("customer", "B"),
        ("agent", "C"),
    ]
    row = {"turns": [{"role": role, "text": text} for role, text in turns]}
    path = write(tmp_path / "in.jsonl", [row])
    assert import_file(desk, path, who="ann").conversations == 1
    assert [(pair.instruction, pair.output, pair.history) for pair in desk.pairs.list()] == [
        ("Hi", "Hello", ()),
        ("A\nB", "C", (("Hi", "Hello"),)),
    ]
    again = import_file(desk, path, who="ann")
    assert (again.added, again.duplicates, again.conversations) == (0, 2, 0)
    assert len(desk.conversations.list()) == 1


def test_json_arrays_are_read_in_pieces(desk: Desk, tmp_path: Path) -> None:
    rows = [{**PAIR, "instruction": f"Question {n} " + "long " * 50} for n in range(2000)]
    (tmp_path / "in.json").write_text(json.dumps(rows, indent=2))
    seen: list[int] = []
    result = import_file(desk, tmp_path / "in.json", who="ann", progress=lambda done, total, count: seen.append(done))
    assert result.added == 2000
    assert seen == sorted(seen)
    assert len(seen) > 3


def test_csv_with_recognised_and_with_named_columns(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('\ufeffQuestion;Answer;lang\r\n"Where; is it?";"Here\r\nnow";en\r\n', newline="")
    assert import_file(desk, tmp_path / "a.csv", who="ann").added == 1
    assert desk.pairs.list()[0].output == "Here\nnow"
    (tmp_path / "b.csv").write_text("wen,was\nQ1,A1\n,A2\nQ3,A3,zu viel\n")
    result = import_file(desk, tmp_path / "b.csv", columns={"instruction": "wen", "output": "was"}, who="ann")
    assert (result.added, result.rejected) == (1, 2)
    assert [line for line, _ in result.reasons] == [3, 4]
    with pytest.raises(ImportRefused, match="no column"):
        import_file(desk, tmp_path / "b.csv", columns={"instruction": "missing"}, who="ann")


def test_good_rows_are_kept_and_bad_ones_listed_with_line_and_reason(desk: Desk, tmp_path: Path) -> None:
    lines = [json.dumps(PAIR), "{broken", "[]", json.dumps({**PAIR, "output": " "}), json.dumps({**PAIR, "output": 5}),
             json.dumps({"x": 1}), "", json.dumps({**PAIR, "output": "x" * 300_000}), json.dumps(PAIR)]  # fmt: skip
    (tmp_path / "in.jsonl").write_text("\r\n".join(lines))
    result = import_file(desk, tmp_path / "in.jsonl", who="ann")
    assert (result.added, result.duplicates, result.rejected) == (1, 1, 6)
    assert result.rejects_file is not None
    listed = [json.loads(line) for line in result.rejects_file.read_text().splitlines()]
    assert [row["line"] for row in listed] == [2, 3, 4, 5, 6, 8]
    assert listed[2]["reason"] == "output is empty"
    assert result.rejects_file.stat().st_mode & 0o777 == 0o600


def test_strict_is_all_or_nothing(desk: Desk, tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", [PAIR, {**PAIR, "output": ""}])
    result = import_file(desk, path, strict=True, who="ann")
    assert (result.added, result.rejected) == (0, 1)
    assert desk.pairs.count() == 0
    assert import_file(desk, write(tmp_path / "ok.jsonl", [PAIR]), strict=True, who="ann").added == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_files_with_and_without_a_mark(desk: Desk, tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "in.jsonl", [{"instruction": "我想退货", "output": "可以。"}], encoding)
    assert import_file(desk, path, who="ann").added == 1
    assert desk.pairs.list()[0].instruction == "我想退货"


@pytest.mark.parametrize(("encoding", "name"), [("gb18030", "GB18030"), ("cp1252", "Windows-1252")])
def test_other_encodings_are_refused_by_name_and_line(desk: Desk, tmp_path: Path, encoding: str, name: str) -> None:
    text = "我想退货请问怎么办" if encoding == "gb18030" else "café naïve"
    path = write(tmp_path / "in.jsonl", [PAIR, {"instruction": text, "output": text}], encoding)
    with pytest.raises(ImportRefused, match=f"Line 2 is not UTF-8.*{name}"):
        import_file(desk, path, who="ann")
    assert desk.pairs.count() == 0


@pytest.mark.parametrize(
    "content",
    [
        "",
        "nonsense",
        "[",
        "[{",
        '[{"instruction": "a", "output": "b"}',
        "[1, 2",
        '[{"a": }]',
        "\x00\x00",
        "{}" * 9,
        "[" * 9000,
    ],
)
def test_rubbish_is_refused_or_rejected_and_never_crashes(desk: Desk, tmp_path: Path, content: str) -> None:
    for name in ("in.json", "in.jsonl", "in.csv"):
        (tmp_path / name).write_text(content)
        with contextlib.suppress(ImportRefused):
            import_file(desk, tmp_path / name, who="ann")
    assert desk.pairs.count() <= 1


def test_preferences_are_refused_and_dialogues_with_tool_calls_left_out(desk: Desk, shared_data: Path) -> None:
    with pytest.raises(ImportRefused, match="preferences"):
        import_file(desk, shared_data / "native" / "dpo_zh_demo.json", who="ann")
    assert desk.pairs.count(state="all") == 0
    result = import_file(desk, shared_data / "native" / "glaive_toolcall_zh_demo.json", who="ann")
    assert result.rejected == 159  # the dialogues with calls in them; in 141 none is made
    assert {reason for _, reason in result.reasons} == {"it contains tool calls, which this bot can't make"}


@pytest.mark.parametrize(
    ("name", "pairs"),
    [("alpaca_zh_demo.json", 992), ("v1_sft_demo.jsonl", 499), ("bitext_cs.csv", 4514), ("identity.json", 91)],
)
def test_real_files_go_in_and_come_out_the_same(
    desk: Desk, shared_data: Path, tmp_path: Path, name: str, pairs: int
) -> None:
    result = import_file(desk, shared_data / "native" / name, who="ann")
    assert (result.added, result.rejected) == (pairs, 0)
    export_file(desk, tmp_path / "out.jsonl", "messages")
    with Desk.open(tmp_path / "copy") as copy:
        import_file(copy, tmp_path / "out.jsonl", who="ann")
        assert facts(copy) == facts(desk)


HOSTILE = ["\x1b[31m", "\ud800", "=cmd()", '"', ",", ";", "\r\n", "[", "{", "<|im_end|>", "\u2028", "\ufeff", "\\",
           "\x00", "\t", "\n\n", "\u202e", "loss_weight", "null", "'", "𠮷", "e\u0301"]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12)), min_size=1, max_size=6).map("".join)


def facts(desk: Desk) -> set[Any]:
    return {(p.instruction, p.history, p.output, p.lang, p.category, p.split) for p in desk.pairs.list()}


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, st.lists(st.tuples(TEXTS, TEXTS), max_size=2)), min_size=1, max_size=4))
def test_what_is_exported_imports_again_to_the_same_pairs(news: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, Desk.open(Path(folder) / "a") as desk:
        for instruction, output, history in news:
            try:
                desk.pairs.add(NewPair(instruction, output, tuple(history)), "import", "ann")
            except ValueError:
                continue  # nothing was left of it after cleaning
        for place, (format_, name) in enumerate(
            [("alpaca", "x.json"), ("alpaca", "x.jsonl"), ("messages", "x.jsonl"), ("csv", "x.csv")]
        ):
            export_file(desk, Path(folder) / name, format_, force=True)
            with Desk.open(Path(folder) / f"copy{place}") as copy:
                if desk.pairs.count():
                    import_file(copy, Path(folder) / name, who="ann")
                assert facts(copy) == facts(desk)


# -- whole or not at all ---------------------------------------------------------------------------
def rows(count: int) -> list[dict[str, str]]:
    return [{**PAIR, "instruction": f"Question {n}"} for n in range(count)]


@pytest.mark.parametrize("strict", [False, True])
def test_a_file_that_is_refused_at_its_end_leaves_nothing(desk: Desk, tmp_path: Path, strict: bool) -> None:
    path = write(tmp_path / "in.jsonl", rows(3000))
    path.write_bytes(path.read_bytes() + b'{"instruction": "caf\xe9", "output": "b"}\n')
    with pytest.raises(ImportRefused, match=r"Line 3001 .* Nothing was imported"):
        import_file(desk, path, strict=strict, who="ann")
    array = tmp_path / "in.json"
    array.write_text(json.dumps(rows(3000))[:-1] + ", {broken]")
    with pytest.raises(ImportRefused, match="Nothing was imported"):
        import_file(desk, array, strict=strict, who="ann")
    assert desk.pairs.count(state="all") == 0
    assert list(desk.home.exports.iterdir()) == []


def test_an_import_that_is_killed_while_it_writes_leaves_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", rows(1200))
    code = (
        "import os, signal, sys; from store.desk import Desk; from store.importing import import_file\n"
        "def progress(done, size, rows):\n"
        "    if rows == 1200: os.kill(os.getpid(), signal.SIGKILL)  # all is read: this is in the transaction\n"
        "import_file(Desk.open(sys.argv[1]), sys.argv[2], who='x', progress=progress)"
    )
    home = tmp_path / "home"
    assert subprocess.run([sys.executable, "-c", code, str(home), str(path)]).returncode == -9
    with Desk.open(home) as desk:
        assert desk.pairs.count(state="all") == 0
        assert {found.name for found in home.iterdir() if found.is_file()} <= {
            "desk.db", "desk.db-wal", "desk.db-shm", "desk.migrate", "run.lock",
        }  # fmt: skip
        assert import_file(desk, path, who="ann").added == 1200


def test_two_imports_of_one_file_at_the_same_moment_keep_each_row_once(tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", rows(400))
    code = (
        "import sys; from store.desk import Desk; from store.importing import import_file\n"
        "result = import_file(Desk.open(sys.argv[1]), sys.argv[2], who='x')\n"
        "print(result.added + result.duplicates)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "home"), str(path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [one.communicate()[0].strip() for one in both] == ["400", "400"]
    with Desk.open(tmp_path / "home") as desk:
        assert desk.pairs.count() == 400


def test_a_file_is_read_as_its_rows_are_taken(tmp_path: Path) -> None:
    for name, content in (
        ("in.jsonl", "".join(json.dumps(row) + "\n" for row in rows(40_000))),
        ("in.json", json.dumps(rows(40_000))),
        ("in.csv", "instruction,output\n" + "a question,an answer\n" * 90_000),
    ):
        (tmp_path / name).write_text(content)
        source = Source(tmp_path / name)
        taken = rows_of(source, tmp_path / name, None)
        next(taken)
        assert source.done < source.size / 5
        assert sum(1 for _ in taken) > 39_000
        source.close()


# -- what is known, what was taken out -------------------------------------------------------------
def test_what_an_operator_took_out_does_not_come_back_with_its_file(desk: Desk, tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", [PAIR])
    import_file(desk, path, who="ann")
    desk.pairs.exclude(desk.pairs.list()[0].id, "ann")
    result = import_file(desk, path, who="ann")
    assert (result.added, result.duplicates) == (0, 1)
    assert desk.pairs.count() == 0


def test_a_question_that_trains_stays_there_whatever_a_file_is_imported_as(desk: Desk, tmp_path: Path) -> None:
    import_file(desk, write(tmp_path / "a.jsonl", [PAIR]), split="train", who="ann")
    import_file(desk, write(tmp_path / "b.jsonl", [{**PAIR, "output": "B"}, *rows(1)]), split="heldout", who="ann")
    assert [(pair.output, pair.split) for pair in desk.pairs.list()] == [
        ("On its way.", "train"), ("B", "train"), ("On its way.", "heldout"),
    ]  # fmt: skip


def test_an_imported_conversation_reads_as_its_pairs_do(desk: Desk, tmp_path: Path) -> None:
    turns = [
        ("agent", "Welcome"),
        ("customer", "A"),
        ("customer", "B"),
        ("agent", "C"),
        ("agent", "D"),
        ("customer", "E"),
    ]
    row = {"turns": [{"role": role, "text": text} for role, text in turns]}
    import_file(desk, write(tmp_path / "in.jsonl", [row]), who="ann")
    (conversation,) = desk.conversations.list()
    kept = desk.conversations.turns(conversation.id)
    assert [(turn.role, turn.text) for turn in kept] == [("customer", "A\nB"), ("bot", "C\nD"), ("customer", "E")]
    assert desk.conversations.history(kept[-1].id) == (("A\nB", "C\nD"),)
    assert desk.judgements.correct(kept[1].id, "Better.", "ann").instruction == desk.pairs.list()[0].instruction
    assert len(desk.search.turns("B")) == 1


@pytest.mark.parametrize(
    ("name", "conversations"), [("crosswoz_zh.turns.jsonl", 1000), ("sgd_dialogues.turns.jsonl", 2921)]
)
def test_real_conversations(desk: Desk, shared_data: Path, name: str, conversations: int) -> None:
    result = import_file(desk, shared_data / name, who="ann")
    assert (result.conversations, result.rejected) == (conversations, 0)
    assert result.added > conversations * 5


# -- odd files -------------------------------------------------------------------------------------
def test_a_bad_first_row_is_listed_like_any_other(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text('{"instruction": "no answer"}\nbroken\n' + json.dumps(PAIR) + "\n")
    result = import_file(desk, path, who="ann")
    assert (result.added, result.rejected) == (1, 2)
    assert result.rejects_file is not None
    listed = [json.loads(line) for line in result.rejects_file.read_text().splitlines()]
    assert listed[0]["row"] == {"instruction": "no answer"}
    assert listed[1]["text"] == "broken\n"
    again = import_file(desk, path, who="ann")
    assert again.rejects_file != result.rejects_file  # also within one second


def test_a_file_without_a_known_row_is_refused(desk: Desk, tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", [{"colour": "red", "\x1b]0;x\x07size": n} for n in range(500)])
    with pytest.raises(ImportRefused, match="colour, size") as caught:
        import_file(desk, path, who="ann")
    assert "\x1b" not in str(caught.value)
    assert list(desk.home.exports.iterdir()) == []


def test_one_pretty_printed_object_is_a_row(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text(json.dumps(PAIR, indent=2))
    assert import_file(desk, tmp_path / "in.json", who="ann").added == 1
    (tmp_path / "data.json").write_text(json.dumps({"data": [PAIR]}, indent=2))
    again = import_file(desk, tmp_path / "data.json", who="ann")
    assert (again.added, again.duplicates, again.rejected) == (0, 1, 0)  # the same row, one level down


def test_a_line_that_does_not_end_is_one_bad_row(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("store.importing.reading.LONGEST_ROW", 2000)
    path = write(tmp_path / "in.jsonl", [PAIR, {**PAIR, "output": "x" * 9000}, {**PAIR, "output": "last"}])
    result = import_file(desk, path, who="ann")
    assert (result.added, result.reasons) == (2, ((2, "it is longer than 2000 characters"),))


def test_a_short_row_of_a_table_is_rejected_also_with_named_columns(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("wen,was\nQ,A\nonly\nQ2,A2\n")
    result = import_file(desk, tmp_path / "in.csv", columns={"instruction": "wen", "output": "was"}, who="ann")
    assert (result.added, result.reasons) == (2, ((3, "it has 1 cells and the header has 2"),))
    with pytest.raises(ImportRefused, match="can't be named"):
        import_file(desk, tmp_path / "in.csv", columns={"colour": "wen"}, who="ann")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (json.dumps(PAIR).encode("utf-16-le"), "UTF-16 without a byte-order mark"),
        (b"PK\x03\x04rest", "Excel"),
        (b"\x1f\x8brest", "gzip"),
        (bytes(900), "no text"),
    ],
)
def test_what_is_no_text_is_refused_by_name(desk: Desk, tmp_path: Path, content: bytes, what: str) -> None:
    (tmp_path / "in.jsonl").write_bytes(content)
    with pytest.raises(ImportRefused, match=what):
        import_file(desk, tmp_path / "in.jsonl", who="ann")


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ({"prompt": "x", "chosen": "a", "rejected": "b"}, "preferences"),
        ({"chosen_messages": [], "rejected_messages": []}, "preferences"),
        ({"messages": [{"role": "assistant", "content": None, "tool_calls": [{}]}]}, "tool calls"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "tool calls"),
    ],
)
def test_other_data_is_rejected_wherever_it_stands_and_refused_where_nothing_else_is(
    desk: Desk, tmp_path: Path, row: dict[str, Any], what: str
) -> None:
    with pytest.raises(ImportRefused, match=what):
        import_file(desk, write(tmp_path / "in.jsonl", [row, row]), who="ann")
    for rows in ([row, PAIR], [{**PAIR, "output": "Soon."}, row]):
        result = import_file(desk, write(tmp_path / "in.jsonl", rows), who="ann")
        assert (result.added, result.rejected) == (1, 1)


def test_tools_that_are_never_called_are_no_obstacle(desk: Desk, tmp_path: Path) -> None:
    assert import_file(desk, write(tmp_path / "in.jsonl", [{"tools": [{"name": "x"}], **PAIR}]), who="ann").added == 1


def test_a_file_name_that_is_no_text_is_no_obstacle(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.jsonl")
    try:
        write(path, [PAIR])
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert import_file(desk, path, who="ann").added == 1


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(), max_size=6)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["role", "content", "from", "value", "text", "type", "tool_calls", "loss_weight"]), inner
        ),
    ),
    max_leaves=8,
)
NAMES = ["instruction", "output", "input", "history", "messages", "conversations", "turns", "split", "lang", "category",
         "tools", "chosen", "\ud800"]  # fmt: skip


@settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.lists(st.one_of(JUNK, st.dictionaries(st.sampled_from(NAMES), JUNK)), min_size=1, max_size=4))
def test_no_row_is_a_crash(desk: Desk, tmp_path: Path, junk: list[Any]) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in [PAIR, *junk]))
    result = import_file(desk, path, who="ann")
    assert result.rejected + desk.pairs.count() >= 1
    path.write_text("[" + ",".join(json.dumps(row) for row in junk) + "]")
    with contextlib.suppress(ImportRefused):
        import_file(desk, path, who="ann")


@pytest.mark.parametrize("depth", [500, 950, 990, 5000, 100_000])
def test_deep_nesting_is_a_bad_row(desk: Desk, tmp_path: Path, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    lines = [json.dumps(PAIR), f'{{"messages": {deep}}}', f'{{"instruction": "q", "output": {deep}}}', deep]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    result = import_file(desk, tmp_path / "in.jsonl", who="ann")
    assert (result.added, result.rejected) == (1, 3)
    (tmp_path / "in.json").write_text(f"[{json.dumps(PAIR)}, {deep}]")
    with contextlib.suppress(ImportRefused):
        import_file(desk, tmp_path / "in.json", who="ann")


# -- questions that are only asked -----------------------------------------------------------------
def test_the_pairs_of_a_file_to_measure_on_are_all_or_none(tmp_path: Path) -> None:
    assert len(pairs_in(write(tmp_path / "in.jsonl", [PAIR, PAIR]))) == 2
    with pytest.raises(ImportRefused, match="Line 2 of"):
        pairs_in(write(tmp_path / "in.jsonl", [PAIR, {"instruction": "x"}]))


# -- out -------------------------------------------------------------------------------------------
def test_an_export_is_private_whole_and_of_a_known_form(desk: Desk, tmp_path: Path) -> None:
    for name in ("x.json", "x.jsonl", "x.csv"):
        assert export_file(desk, tmp_path / name) == 0
        assert import_file(desk, tmp_path / name, who="ann").added == 0
    desk.pairs.add_many((NewPair(f"Question {n}", "Answer") for n in range(3)), "import", "ann")
    desk.pairs.exclude(1, "ann")
    with pytest.raises(TargetRefused, match="already exists and was left unchanged"):
        export_file(desk, tmp_path / "x.json")
    assert (tmp_path / "x.json").read_text() == "[]\n"
    assert export_file(desk, tmp_path / "x.json", force=True) == 2
    assert (tmp_path / "x.json").stat().st_mode & 0o777 == 0o600
    before = (tmp_path / "x.json").read_bytes()
    with pytest.raises(ValueError, match="no export format"):
        export_file(desk, tmp_path / "x.json", "parquet", force=True)
    with pytest.raises(TargetRefused, match="there is no folder"):
        export_file(desk, tmp_path / "missing" / "x.json")
    assert (tmp_path / "x.json").read_bytes() == before
    assert sorted(found.name for found in tmp_path.iterdir()) == ["home", "x.csv", "x.json", "x.jsonl"]


CELLS = st.one_of(TEXTS, st.text(alphabet="'=+-@\t\r＝aNul1/", min_size=1, max_size=6))


@given(st.text(max_size=20) | CELLS)
def test_a_guarded_cell_is_no_formula_and_comes_back_exactly(cell: str) -> None:
    assert guarded(cell)[:1] not in {*"=+-@\t\r＝＋－＠"} - {""}
    assert unguarded(guarded(cell)) == cell


def test_a_csv_opens_in_a_spreadsheet(desk: Desk, tmp_path: Path) -> None:
    said = ["=1+1", "+1-555", "-", "@SUM(1)", "'=1", "''-x", "None", "<image>", "Grün", 'a,"b"\nc']
    desk.pairs.add_many((NewPair(text, text, ((text, text),)) for text in said), "import", "ann")
    export_file(desk, tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_bytes().startswith(codecs.BOM_UTF8)
    with (tmp_path / "x.csv").open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell[:1] in {"=", "+", "-", "@"}]
    with Desk.open(tmp_path / "copy") as copy:
        assert import_file(copy, tmp_path / "x.csv", strict=True, who="ann").added == len(said)
        assert facts(copy) == facts(desk)
