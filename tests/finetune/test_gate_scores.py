"""Scores: every trap of sacrebleu by name, and agreement with sacrebleu where it is right."""

from __future__ import annotations

import importlib
import subprocess
import sys
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finetune.gate.languages import language_of
from finetune.gate.measures import Scores
from finetune.gate.scores import FALLBACK, Metric, exact, score, sentence_chrf, tokenizer_for

REFERENCES = ["You can track your order in your account.", "Please call us between nine and five."]
TOKENS = ["a", "b", "c", "d", "e", "f", "order", "refund", ",", "."]
WORDS = st.lists(st.sampled_from(TOKENS), max_size=12).map(" ".join)


def test_importing_the_gate_loads_neither_sacrebleu_nor_numpy() -> None:
    code = "import sys, finetune.gate; print([n for n in ('sacrebleu', 'numpy') if n in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert result.stdout.strip() == "[]"


def test_scores_are_sacrebleus_with_references_as_one_stream() -> None:
    from sacrebleu.metrics import BLEU, CHRF

    hypotheses = ["You can track an order in your account.", "Please call us."]
    found = score(REFERENCES, hypotheses)
    assert found.bleu == pytest.approx(BLEU().corpus_score(hypotheses, [REFERENCES]).score)
    assert found.chrf == pytest.approx(CHRF().corpus_score(hypotheses, [REFERENCES]).score)
    transposed = BLEU().corpus_score(hypotheses, [[reference] for reference in REFERENCES]).score
    assert found.bleu != pytest.approx(transposed)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_effective_order_changes_nothing_where_there_is_a_4gram(pairs: list[tuple[str, str]]) -> None:
    from sacrebleu.metrics import BLEU

    references, hypotheses = [list(side) for side in zip(*pairs, strict=True)]
    long_enough = any(len(hypothesis.split()) >= 4 for hypothesis in hypotheses)
    if long_enough:
        assert score(references, hypotheses).bleu == pytest.approx(
            min(BLEU().corpus_score(hypotheses, [references]).score, 100)
        )


def test_perfect_answers_of_two_tokens_do_not_score_zero() -> None:
    from sacrebleu.metrics import BLEU

    short = ["Yes .", "No .", "Maybe ."]
    assert BLEU().corpus_score(short, [short]).score == 0
    assert (score(short, short).bleu, score(short, short).chrf, score(short, short).exact) == (100, 100, 1)


@given(st.lists(st.text(min_size=1, max_size=20).filter(lambda text: bool(text.split())), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_perfect_answer_has_full_chrf_and_exact_in_any_script(texts: list[str]) -> None:
    found = score(texts, texts)
    assert found.exact == 1
    assert found.chrf == pytest.approx(100)
    assert 0 <= found.bleu <= 100


def test_chinese_under_13a_scores_zero_and_under_zh_does_not() -> None:
    references, hypotheses = ["请在订单页面申请退款，三天内到账。"], ["请在订单页面申请退款，五天内到账。"]
    assert Metric("13a").measure(references, hypotheses).scores.bleu < 1
    found = score(references, hypotheses, "zh")
    assert found.bleu > 50
    assert "tok:zh" in found.signature


def test_the_signature_names_tokenizer_and_version() -> None:
    signature = score(REFERENCES, REFERENCES).signature
    assert "tok:13a" in signature
    assert "version:" in signature
    assert "nrefs:1" in signature


@pytest.mark.parametrize(("lang", "name"), [("ja", "Japanese"), ("ko", "Korean")])
def test_a_missing_mecab_is_said_and_replaced_by_characters(
    lang: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module(f"sacrebleu.tokenizers.tokenizer_{lang}_mecab")
    monkeypatch.setattr(module, "MeCab", None)
    tokenizer_for.cache_clear()
    found = tokenizer_for(lang)
    tokenizer_for.cache_clear()
    assert found.name == FALLBACK
    assert found.note is not None
    assert name in found.note
    assert f"sacrebleu[{lang}]" in found.note


def test_an_installed_mecab_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("sacrebleu.tokenizers.tokenizer_ja_mecab")

    class Tagger:
        def __init__(self, arguments: str) -> None: ...

        def dictionary_info(self) -> object:
            return types.SimpleNamespace(size=392126, next=None)

        def version(self) -> str:
            return "0"

        def parse(self, line: str) -> str:
            return " ".join(line)

    monkeypatch.setattr(module, "MeCab", types.SimpleNamespace(Tagger=Tagger))
    monkeypatch.setattr(module, "ipadic", types.SimpleNamespace(MECAB_ARGS=""), raising=False)
    tokenizer_for.cache_clear()
    assert tokenizer_for("ja") == tokenizer_for("ja")
    assert (tokenizer_for("ja").name, tokenizer_for("ja").note) == ("ja-mecab", None)
    tokenizer_for.cache_clear()


@pytest.mark.parametrize("lang", ["en", "de", "xx", ""])
def test_languages_with_spaces_get_13a(lang: str) -> None:
    assert tokenizer_for(lang).name == "13a"


SENTENCES = {  # by language: how it reads with one word right and one wrong, and by which tokenizer it is scored
    "th": ("สินค้าจะถึงภายในสามวันทำการ", "สินค้าจะถึงภายในห้าวันทำการ", "char"),
    "lo": ("ສິນຄ້າຈະມາຮອດພາຍໃນສາມວັນ", "ສິນຄ້າຈະມາຮອດພາຍໃນຫ້າວັນ", "char"),
    "km": ("ទំនិញនឹងមកដល់ក្នុងរយៈពេលបីថ្ងៃ", "ទំនិញនឹងមកដល់ក្នុងរយៈពេលប្រាំថ្ងៃ", "char"),
    "my": ("ပစ္စည်းသည်သုံးရက်အတွင်းရောက်ပါမည်", "ပစ္စည်းသည်ငါးရက်အတွင်းရောက်ပါမည်", "char"),
    "ar": ("سيصل طلبك خلال ثلاثة أيام، شكرا", "سيصل طلبك خلال ثلاثة أيام؛ شكرا", "intl"),
    "hi": ("आपका ऑर्डर तीन दिन में आएगा।", "आपका ऑर्डर तीन दिन में आएगा", "intl"),
    "hy": ("Ձեր պատվերը կգա երեք օրից։", "Ձեր պատվերը կգա երեք օրից", "intl"),
    "am": ("ትዕዛዝዎ በሶስት ቀናት ውስጥ ይደርሳል።", "ትዕዛዝዎ በሶስት ቀናት ውስጥ ይደርሳል", "intl"),
    "el": ("Πότε θα έρθει η παραγγελία\u037e", "Πότε θα έρθει η παραγγελία", "intl"),
    "ru": ("Ваш заказ придёт завтра утром…", "Ваш заказ придёт завтра утром", "intl"),
}


@pytest.mark.parametrize("lang", SENTENCES)
@pytest.mark.parametrize("label", ["", None, "en", "zh", "de-DE", "own"])
def test_a_script_is_scored_by_its_own_tokenizer_whatever_the_label(lang: str, label: str | None) -> None:
    reference, answer, name = SENTENCES[lang]
    found = language_of(lang if label == "own" else label, reference)
    assert (found, tokenizer_for(found).name, tokenizer_for(found).note) == (lang, name, None)
    by_own = score([reference], [answer], found)
    assert f"tok:{name}" in by_own.signature
    assert by_own.bleu > score([reference], [answer], "en").bleu
    assert by_own.bleu > 40


@pytest.mark.parametrize(
    ("lang", "target", "expected"),
    [
        ("fa", "سلام، سفارش شما رسید", "fa"),  # a language of the same script is no contradiction
        ("mr", "तुमची ऑर्डर आली आहे", "mr"),
        ("th", "OK", "th"),
        ("en", "We ship from Αθήνα to every town in the country", "en"),
        ("ar-EG", "وصل طلبك", "ar"),
        ("en", "Ваш заказ iPhone 15 готов", "ru"),
        ("fr", "« Bonjour », ça va ?", "fr"),
    ],
)
def test_scripts_and_labels_agree_where_they_can(lang: str, target: str, expected: str) -> None:
    assert language_of(lang, target) == expected


def test_no_tokenizer_that_downloads_is_ever_chosen() -> None:
    assert {tokenizer_for(lang).name for lang in ("en", "zh", "ja", "ko", "ru")}.isdisjoint({"flores200", "spm"})


@pytest.mark.parametrize(
    ("lang", "target", "expected"),
    [
        ("en", "Hello there", "en"),
        ("zh-CN", "您好，请稍等", "zh"),
        ("zh_Hans", "您好", "zh"),
        ("cmn", "您好", "zh"),
        ("en", "您好，请稍等一下", "zh"),  # a wrong label would score it 0
        ("", "お待ちください", "ja"),
        (None, "안녕하세요", "ko"),
        ("de", "Guten Tag", "de"),
        ("ja", "東京都", "ja"),  # no kana, yet Japanese: the label knows better
        ("zh", "OK", "zh"),
        ("English", "Hello", "en"),
    ],
)
def test_the_language_is_told_by_label_and_script(lang: str | None, target: str, expected: str) -> None:
    assert language_of(lang, target) == expected


def test_exact_forgives_white_space_and_nothing_else() -> None:
    assert exact("a  b\nc ", "a b c")
    assert not exact("Yes.", "yes.")
    assert not exact("Yes.", "Yes")
    assert score(["a b", "c"], ["a  b", "d"]).exact == 0.5


def test_nothing_to_score_and_unequal_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="no answer"):
        score([], [])
    with pytest.raises(ValueError, match="2 references for 1"):
        score(["a", "b"], ["a"])


def test_empty_answers_score_zero() -> None:
    found = score(REFERENCES, ["", ""])
    assert (found.bleu, found.chrf, found.exact) == (0, 0, 0)


def test_sentence_chrf_is_fair_to_short_answers() -> None:
    assert sentence_chrf("Yes.", "Yes.") == 100
    assert sentence_chrf("Yes.", "No!") < 20


def test_scores_go_through_json() -> None:
    found = score(REFERENCES, REFERENCES)
    assert Scores.from_dict(found.to_dict()) == found
