"""BLEU, chrF and exact match of a set of answers, by sacrebleu, with the tokenizer the language needs.

sacrebleu (and numpy behind it) is imported at first use, so that the app's process never loads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from finetune.gate.languages import language_of, tokenizer_name
from finetune.gate.measures import Scores

BLEU_ORDER = 4  # BLEU counts n-grams of up to so many tokens
FALLBACK = "char"  # tokenizer for a language whose own is not installed; needs nothing and works for every script
_NAMES = {"ja": "Japanese", "ko": "Korean"}


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """A tokenizer of sacrebleu; ``note`` says plainly when it stands in for a better one that is not installed."""

    name: str
    note: str | None = None


@lru_cache
def tokenizer_for(lang: str) -> Tokenizer:
    """The tokenizer for *lang* (see :mod:`finetune.gate.languages`).

    A missing MeCab is said in the note and replaced by single characters, not by 13a, which takes a whole Japanese
    sentence for one word. The choice is remembered for the life of the process.
    """
    name = tokenizer_name(lang)
    try:
        _bleu(name)
    except (RuntimeError, ImportError, AssertionError):
        note = (
            f"The {_NAMES.get(lang, lang)} tokenizer ({name}) is not installed, so BLEU counts single characters. "
            f'For comparable numbers install it: pip install "sacrebleu[{lang}]".'
        )
        return Tokenizer(FALLBACK, note)
    return Tokenizer(name)


def exact(reference: str, hypothesis: str) -> bool:
    """Whether the two are the same text but for white space. Case counts: a desk's answer has one right spelling."""
    return reference.split() == hypothesis.split()


def score(references: Sequence[str], hypotheses: Sequence[str], lang: str = "en") -> Scores:
    """Score *hypotheses* against one reference each, tokenized for *lang*.

    Raises :class:`ValueError` if there is nothing to score or the two differ in number.
    """
    metric = Metric(tokenizer_for(lang).name)
    return metric.measure(references, hypotheses).scores


def score_by_language(answers: Iterable[tuple[str | None, str, str]]) -> dict[str, Scores]:
    """Score (language or None, reference, hypothesis) by language, each by its own tokenizer; languages in order."""
    groups: dict[str, tuple[list[str], list[str]]] = {}
    for lang, reference, hypothesis in answers:
        references, hypotheses = groups.setdefault(language_of(lang, reference), ([], []))
        references.append(reference)
        hypotheses.append(hypothesis)
    return {lang: score(*group, lang) for lang, group in sorted(groups.items())}


def sentence_chrf(reference: str, hypothesis: str) -> float:
    """chrF of one answer, 0 to 100. It needs no tokenizer and no 4-grams, so it is fair to short answers too."""
    return min(float(_chrf().sentence_score(hypothesis, [reference]).score), 100.0)


@dataclass(frozen=True, slots=True)
class Measured:
    """The scores of one system, with the counts per answer they are computed from (one row each)."""

    scores: Scores
    bleu_counts: list[list[int]]
    chrf_counts: list[list[int]]
    long_share: float  # share of references with at least BLEU_ORDER tokens


class Metric:
    """BLEU and chrF for one tokenizer: from texts to counts, and from summed counts to a score.

    BLEU runs with the effective order. Wherever the answers hold a single 4-gram that is the same number as the
    standard one; where they hold none, the standard is 0 even for perfect answers and this one goes as far as the
    answers do. Counts are taken once and summed for every trial of a test, which is what makes a thousand trials
    cheap. They come from methods that sacrebleu keeps for itself; tests compare them with its public results.
    """

    def __init__(self, tokenizer: str) -> None:
        self._bleu_metric, self._chrf_metric = _bleu(tokenizer), _chrf()

    def measure(self, references: Sequence[str], hypotheses: Sequence[str]) -> Measured:
        """Score a system. Raises :class:`ValueError` as :func:`score` does."""
        if len(references) != len(hypotheses):
            raise ValueError(f"There are {len(references)} references for {len(hypotheses)} answers.")
        if not references:
            raise ValueError("There is no answer to score.")
        streams = [list(references)]  # one stream of references; the transposed form scores silently wrong
        bleu = self._bleu_metric._extract_corpus_statistics(list(hypotheses), streams)
        chrf = self._chrf_metric._extract_corpus_statistics(list(hypotheses), streams)
        scores = Scores(
            bleu=self.bleu([sum(column) for column in zip(*bleu, strict=True)]),
            chrf=self.chrf([sum(column) for column in zip(*chrf, strict=True)]),
            exact=sum(map(exact, references, hypotheses)) / len(references),
            n=len(references),
            signature=str(self._bleu_metric.get_signature()),
        )
        reference_lengths = [row[1] for row in bleu]
        long = sum(length >= BLEU_ORDER for length in reference_lengths) / len(references)
        return Measured(scores, bleu, chrf, long)

    def bleu(self, counts: Sequence[int]) -> float:
        """Corpus BLEU of summed counts."""
        return min(float(self._bleu_metric._compute_score_from_stats(list(counts)).score), 100.0)

    def chrf(self, counts: Sequence[int]) -> float:
        """Corpus chrF of summed counts."""
        return min(float(self._chrf_metric._compute_score_from_stats(list(counts)).score), 100.0)


def _bleu(tokenizer: str) -> Any:
    from sacrebleu.metrics import BLEU

    return BLEU(tokenize=tokenizer, effective_order=True)


def _chrf() -> Any:
    from sacrebleu.metrics import CHRF

    return CHRF()
