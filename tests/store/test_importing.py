"""Files in and out: every form, every way to be broken."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import Desk
from store.exporting import export_file
from store.importing import ImportRefused, import_file
from store.pairs import NewPair

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


def test_preferences_and_tool_calls_are_refused(desk: Desk, shared_data: Path) -> None:
    with pytest.raises(ImportRefused, match="preferences"):
        import_file(desk, shared_data / "native" / "dpo_zh_demo.json", who="ann")
    with pytest.raises(ImportRefused, match="tool calls"):
        import_file(desk, shared_data / "native" / "glaive_toolcall_zh_demo.json", who="ann")
    assert desk.pairs.count(state="all") == 0


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


TEXTS = st.text(min_size=1, max_size=40).filter(lambda text: text.strip())


def facts(desk: Desk) -> set[Any]:
    return {(p.instruction, p.history, p.output, p.lang, p.category, p.split) for p in desk.pairs.list()}


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(TEXTS, TEXTS, st.lists(st.tuples(TEXTS, TEXTS), max_size=2)), min_size=1, max_size=4))
def test_what_is_exported_imports_again_to_the_same_pairs(rows: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, Desk.open(Path(folder) / "a") as desk:
        for instruction, output, history in rows:
            try:
                desk.pairs.add(NewPair(instruction, output, tuple(history)), "import", "ann")
            except ValueError:
                continue  # nothing was left of it after cleaning
        for place, (format_, name) in enumerate(
            [("alpaca", "x.json"), ("alpaca", "x.jsonl"), ("messages", "x.jsonl"), ("csv", "x.csv")]
        ):
            export_file(desk, Path(folder) / name, format_)
            with Desk.open(Path(folder) / f"copy{place}") as copy:
                if desk.pairs.count():
                    import_file(copy, Path(folder) / name, who="ann")
                assert facts(copy) == facts(desk)
