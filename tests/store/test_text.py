"""Hostile text: what is left of it, and what counts as the same question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.search import match_expression
from store.text import clean, detect_language, language, normalise, split_key, visible


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]52;c;aGVsbG8=\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b31mred", "red"),
        ("\x9d52;c;x\x9cafter", "after"),
        ("a\x00b\x08c\x7fd", "abcd"),
        ("line\r\nnext\rlast\u2028end", "line\nnext\nlast\nend"),
        ("tab\tstays", "tab\tstays"),
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("\ud800lone", "lone"),
        ("[ORDER-1234] [/b]", "[ORDER-1234] [/b]"),
        ("e\u0301", "é"),
        ("👩‍👩‍👧 ok", "👩‍👩‍👧 ok"),
        ("\x1b\x1b[31m[31mx", "[31mx"),
    ],
)
def test_clean_takes_what_steers_a_terminal_and_keeps_the_rest(raw: str, kept: str) -> None:
    assert clean(raw) == kept


def test_a_flood_of_combining_marks_is_cut() -> None:
    assert len(clean("a" + "\u0335" * 500)) < 10


@given(st.text())
def test_cleaning_twice_changes_nothing_and_leaves_no_control(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert not any((ord(c) < 32 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 for c in once)
    once.encode()


def test_questions_that_differ_in_case_width_and_spaces_are_one() -> None:
    assert normalise("  ＷHERE is\n my  Order ") == "where is my order"
    assert split_key("k", "Where is it?", ()) == split_key("k", "where  is IT?", ())
    assert split_key("k", "Where is it?", ()) != split_key("other", "Where is it?", ())
    assert split_key("k", "Where is it?", ()) != split_key("k", "Where is it?", (("hi", "hello"),))


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Where is my order?", "en"),
        ("我想退货", "zh"),
        ("注文はどこですか", "ja"),
        ("주문은 어디에", "ko"),
        ("Die Straße", "en"),
        ("The 茶 tea is out of stock", "en"),
        ("", "en"),
    ],
)
def test_language_by_script(text: str, lang: str) -> None:
    assert detect_language(text) == lang


@pytest.mark.parametrize(
    ("label", "text", "lang"),
    [
        ("zh-CN", "我想退货", "zh"),
        ("Chinese", "我想退货", "zh"),
        ("en", "我想退货", "zh"),  # scored as English it would be nothing at all
        ("ja", "返品希望", "ja"),
        ("de", "Wo ist es?", "de"),
        ("EN_us", "Where?", "en"),
        ("as spoken in Bern", "我想退货", "zh"),
        ("12", "Where?", "en"),
        (None, "Where?", "en"),
    ],
)
def test_a_files_word_for_a_language_counts_where_it_can_be_so(label: str | None, text: str, lang: str) -> None:
    assert language(label, text) == lang


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "\ufeff\u2060"])
def test_zero_width_characters_are_nothing_to_see(text: str) -> None:
    assert not visible(text)
    assert visible(text + "🙂")


@given(st.text())
def test_no_query_is_ever_syntax(text: str) -> None:
    expression = match_expression(text)
    assert expression is None or (expression.startswith('"') and expression.count('"') % 2 == 0)
