"""The gate: is a candidate good enough to answer? Pure functions from answers to numbers and a verdict.

Importing it loads neither sacrebleu nor numpy; scoring does.
"""

from finetune.gate.languages import language_of
from finetune.gate.margins import GateMargins
from finetune.gate.outcomes import outcome_of
from finetune.gate.report import GateItem, GateReport, LanguageReport, Outcome, Sides, Trouble, report_of, total
from finetune.gate.scores import Scores, score, score_by_language, sentence_chrf, tokenizer_for
from finetune.gate.verdict import judge
from finetune.gate.words import HeldReason

__all__ = [
    "GateItem",
    "GateMargins",
    "GateReport",
    "HeldReason",
    "LanguageReport",
    "Outcome",
    "Scores",
    "Sides",
    "Trouble",
    "judge",
    "language_of",
    "outcome_of",
    "report_of",
    "score",
    "score_by_language",
    "sentence_chrf",
    "tokenizer_for",
    "total",
]
