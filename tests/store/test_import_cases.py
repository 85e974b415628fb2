"""The files of ``../shared/cases`` that people really met, each with what is right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from store.desk import Desk
from store.importing import ImportRefused, import_file
from tests.conftest import SHARED


@dataclass(frozen=True)
class Right:
    """What comes of a file: rows added and rejected, and its pairs as far as they are named."""

    added: int
    rejected: int = 0
    pairs: tuple[tuple[str, str], ...] = ()
    why: tuple[str, ...] = ()  # pieces of the reasons, row by row
    conversations: int = 0
    notes: tuple[str, ...] = ()


DELIVERY = ("Can I change the delivery day?", "Yes, until noon of the day before.")
WRAP = ("Do you gift-wrap?", "Yes, for 3 euros.")
SUNDAY = ("Is it open on Sunday?", "No.")
OPEN = ("Is it open?", "Yes.")
PARCEL = ("Where is my parcel?", "It left on Monday.")
SHOES = ("How do I return shoes?", "Use the label in the box.")
RETURN = ("May I return it?", "Yes.")
COST = ("Was kostet der Rückversand?", "4,90 €")

RIGHT = {
    "01_conversations_role_content.jsonl": Right(2, pairs=(DELIVERY, WRAP)),
    "01b_messages_from_value.jsonl": Right(1, pairs=(DELIVERY,)),
    "01c_conversation_human_assistant.jsonl": Right(
        2, pairs=(("配送日可以改吗？", "可以，前一天中午之前。"), ("要加钱吗？", "不用。"))
    ),
    "01d_conversation_role_content.jsonl": Right(1, pairs=(("Do you gift-wrap?", "Yes."),)),
    "02_openai_weight.jsonl": Right(1, pairs=(("Are you sure?", "Sorry: we are closed on Sundays."),)),
    "02c_loss_flag.jsonl": Right(1, pairs=(("Sure?", "We are closed on Sundays."),)),
    "03_two_arrays.json": Right(4, pairs=(("A?", "a"), ("B?", "b"), ("C?", "c"), ("D?", "d"))),
    "03b_array_then_junk.json": Right(1, 1, (("A?", "a"),), ("not JSON",)),
    "04_sep_line.csv": Right(1, pairs=(PARCEL,)),
    "04b_header_with_commas.csv": Right(1, pairs=(("Where is it?", "It left on Monday."),)),
    "04c_pipe.csv": Right(1, pairs=(("Where is it?", "It left on Monday."),)),
    "04d_cr_only.csv": Right(2, pairs=(("Where is it?", "It left on Monday."), ("Do you ship?", "Yes."))),
    "04e_quoted_newline_header.csv": Right(1, pairs=(("Where is it?", "Here."),)),
    "05b_excel_unicode.txt": Right(1, pairs=(COST,)),
    "05c_utf16le_bom.csv": Right(1, pairs=(COST,)),
    "06_backslash_quotes.csv": Right(
        2,
        pairs=(
            ('He said "hello", what now?', 'Say "hello" back, politely.'),
            ("Is it open?", "Yes, daily."),
        ),
    ),
    "06b_unbalanced_quote.csv": Right(4, 1, (('Is the 5" pipe in stock?', "Yes."), OPEN), ("lines 3 to 6",)),
    "06c_trailing_cells_missing.csv": Right(3, pairs=(OPEN, ("Parking?", "Behind the shop."))),
    "06d_trailing_commas.csv": Right(2, pairs=(OPEN, ("Do you ship?", "Yes."))),
    "06f_blank_first_lines.csv": Right(1, pairs=(OPEN,)),
    "06g_title_lines.csv": Right(1, pairs=(OPEN,), notes=("Support export 2024-03",)),
    "06h_tsv_stray_quote.tsv": Right(
        3, 1, (('"Express" delivery?', "Yes."), ("Is it open?", '"Daily" is what the sign says.')), ("quotation mark",)
    ),
    "06i_one_stray_quote.csv": Right(
        19, 1, (("Question number 7?", "Answer number 7."), ("Question number 12?", 'Take the 12" pipe.')),
        ("lines 6 to 13",),
    ),
    "07_dolly_context.jsonl": Right(
        2, pairs=(("What is the delivery fee?\nPrice list 2025: delivery 5.90 EUR.", "5.90 EUR."),)
    ),
    "08_firefly_input_target.jsonl": Right(1, pairs=(("配送日可以改吗？", "可以，前一天中午之前。"),)),
    "08c_oasst_tree.jsonl": Right(1, pairs=(SUNDAY,)),
    "08d_chatml_text.jsonl": Right(1, pairs=(SUNDAY,)),
    "08e_input_output.jsonl": Right(1, pairs=(SUNDAY,)),
    "08f_question_answers_list.jsonl": Right(2, pairs=(SUNDAY, (SUNDAY[0], "No, never."))),
    "08g_wrapped.json": Right(2, pairs=(("Is it open?", "No."), ("Parking?", "Yes."))),
    "08i_alpaca_system_column.jsonl": Right(1, pairs=(SUNDAY,)),
    "08j_alpaca_input_null.jsonl": Right(3, pairs=(SUNDAY, ("Parking?", "Yes."), ("Is there a toilet?", "Yes."))),
    "09_content_parts.jsonl": Right(1, 1, (OPEN,), ("needs an image",)),
    "09b_tools_first.jsonl": Right(4, 1, (("Question 0?", "Answer 0."),), ("tool calls",)),
    "09d_tools_declared_only.jsonl": Right(4),
    "09e_trailing_user.jsonl": Right(1, 1, (), ("no answer",)),
    "09f_name_field_and_developer.jsonl": Right(1, pairs=(OPEN,)),
    "09g_system_in_middle.jsonl": Right(1, pairs=(OPEN,)),
    "10_nan.json": Right(1, 1, (("Parking?", "Yes."),), ("output is missing",)),
    "10e_comment.json": Right(1, 1, (OPEN,), ("not JSON",)),
    "10f_pretty.jsonl": Right(2, pairs=(OPEN, ("Parking?", "Yes."))),
    "10g_numbers.jsonl": Right(0, 2, (), ("not text", "not text")),
    "10h_raw_newline_in_string.json": Right(1, pairs=(("Is it\nopen?", "Yes."),)),
    "10j_pandas_lists.json": Right(2, pairs=(OPEN, ("Parking?", "Yes."))),
    "11_html.jsonl": Right(1, notes=("HTML",)),
    "11b_csv_nulls.csv": Right(
        0, 5, (), ("says NULL, which is no answer", "says nan", "says N/A", "says #N/A", "says None")
    ),
    "12c_empty.jsonl": Right(0),
    "12d_only_header.csv": Right(0),
    "12e_bom_only.csv": Right(0),
    "13_zendesk.json": Right(1, pairs=(PARCEL,), conversations=1),
    "13b_zendesk.jsonl": Right(1, pairs=(PARCEL,), conversations=1),
    "13c_intercom.json": Right(1, conversations=1, notes=("HTML",)),
    "13e_freshdesk.csv": Right(1, pairs=(PARCEL,)),
    "13f_kb_title_body.csv": Right(1, pairs=(SHOES,)),
    "13g_faq_cols.csv": Right(1, pairs=(SHOES,)),
    "13h_upper.csv": Right(1, pairs=(SHOES,)),
    "14_turns_roles.jsonl": Right(2, pairs=(OPEN, ("Is it open now?", "Yes.")), conversations=2),
    "17_split_test.jsonl": Right(30),
    "18_private_notes.jsonl": Right(1, pairs=(("Where is my refund?", "It is on its way."),), conversations=1),
    "19_formula.jsonl": Right(2, pairs=(("+1-555 call", "@SUM(1+1)"),)),
    "20_wide_conversations.jsonl": Right(5, conversations=3),
    "21_forty_pairs.jsonl": Right(120),
    "22_kto_messages_label.jsonl": Right(
        1, 1, (("May I return worn shoes?", "No, only unworn ones."),), ("label is false",)
    ),
    "23_images.jsonl": Right(0, 1, (), ("needs an image",)),
    "24_guanaco_text.jsonl": Right(1, pairs=(OPEN,)),
    "25_chatgpt_conversations.json": Right(1, pairs=(RETURN,)),
    "25b_openwebui_export.json": Right(1, pairs=(RETURN,)),
}  # fmt: skip

REFUSED = {
    "05_excel_cp1252.csv": "Line 2 .*Windows-1252",
    "06e_duplicate_columns.csv": "Columns 2 and 3 .*'answer'",
    "08h_rasa.yml": "No row of the file",
    "10b_trailing_commas.json": "line 1 is broken",
    "10c_duplicate_keys.jsonl": "line 1: it has 'output' twice",
    "10d_single_quotes.jsonl": "line 1: not JSON",
    "12_pairs.jsonl.gz": "gzip",
    "12b_pairs.zip": "zip",
    "12f_html_page.json": "web page",
    "12g_lfs_pointer.jsonl": "Git LFS",
    "22c_sharegpt_chosen_rejected.jsonl": "preferences",
    "53_three_lines.txt": "alpha",
}


def case(name: str) -> Path:
    """The file of that name; skipped where it is not."""
    path = SHARED / "cases" / name
    if not path.is_file():
        pytest.skip(f"../shared/cases/{name} is not beside this checkout")
    return path


@pytest.mark.parametrize("name", RIGHT)
def test_a_file_that_people_met_comes_in_right(desk: Desk, name: str) -> None:
    right = RIGHT[name]
    result = import_file(desk, case(name), who="ann")
    assert (result.added, result.rejected, result.conversations) == (right.added, right.rejected, right.conversations)
    assert set(right.pairs) <= {(pair.instruction, pair.output) for pair in desk.pairs.list()}
    for piece, (_, reason) in zip(right.why, result.reasons, strict=True):
        assert piece in reason
    for piece in right.notes:
        assert any(piece in note for note in result.notes)


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_can_not_come_in_is_refused_by_name(desk: Desk, name: str) -> None:
    with pytest.raises(ImportRefused, match=REFUSED[name]):
        import_file(desk, case(name), who="ann")
    assert desk.pairs.count(state="all") == 0


@pytest.mark.parametrize("name", [name for name, right in RIGHT.items() if right.rejected])
def test_strict_takes_none_of_a_file_that_loses_anything(desk: Desk, name: str) -> None:
    assert import_file(desk, case(name), strict=True, who="ann").added == 0
    assert desk.pairs.count(state="all") == 0


def test_a_wrong_answer_stays_in_the_history_and_a_private_note_nowhere(desk: Desk) -> None:
    import_file(desk, case("02_openai_weight.jsonl"), who="ann")
    assert desk.pairs.list()[0].history == (("Is the store open on Sunday?", "WRONG: yes, all day."),)
    import_file(desk, case("18_private_notes.jsonl"), who="ann")
    (conversation,) = desk.conversations.list()
    assert not any("complainer" in turn.text for turn in desk.conversations.turns(conversation.id))


def test_test_rows_are_held_out(desk: Desk) -> None:
    import_file(desk, case("17_split_test.jsonl"), who="ann")
    assert {pair.split for pair in desk.pairs.list()} == {"heldout"}


def test_an_encoding_can_be_named(desk: Desk) -> None:
    import_file(desk, case("05_excel_cp1252.csv"), encoding="windows-1252", who="ann")
    assert desk.pairs.list()[0].instruction.startswith("Was kostet der Rü")


def test_html_comes_in_as_plain_text_if_that_is_wanted(desk: Desk) -> None:
    import_file(desk, case("11_html.jsonl"), plain=True, who="ann")
    (pair,) = desk.pairs.list()
    assert pair.instruction == "Hello,\n\nwhere is my parcel #17?"
    assert pair.output == ("Dear customer,\n\nit left on Monday & arrives tomorrow.\n\nKind regards\nBrook & Barrow")
