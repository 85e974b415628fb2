"""The scenes that pictures are taken of say the same in words and in numbers."""

from __future__ import annotations

import re

import pytest

from finetune.gate.report import report_of
from finetune.gate.words import Decision
from store.words import Verdict
from tests.opened import store_of
from tests.tui import scenes
from tui.core import OpenDesk
from tui.core.adapters import overview

SCENES: list[tuple[Verdict, Decision]] = [
    ("reject", "worse"), ("inconclusive", "too few"), ("inconclusive", "unclear"), ("inconclusive", "pass"),
    ("promote", "pass"),
]  # fmt: skip


@pytest.mark.parametrize(("verdict", "decision"), SCENES)
def test_a_report_says_the_same_in_its_sentence_and_in_its_table(
    open_desk: OpenDesk, verdict: Verdict, decision: Decision
) -> None:
    desk = store_of(open_desk)
    run = desk.runs.get(scenes.judge(desk, verdict, decision))
    report = report_of(run)
    assert report is not None
    assert report.verdict == run.verdict == verdict
    told = re.findall(r"BLEU ([\d.]+) against ([\d.]+)", report.sentence)
    table = [(f"{found.candidate.bleu:.1f}", f"{found.active.bleu:.1f}") for found in report.languages]
    assert told == table
    assert re.findall(r"on (\d+) held-out", report.sentence) == [str(found.n) for found in report.languages]
    judged = [answer.outcome for answer in desk.runs.judged(run.id) if answer.kind == "correction"]
    assert [found.outcome for found in report.corrections] == judged
    assert str(run.candidate) in report.sentence
    assert run.parent in report.sentence


def test_the_version_that_answers_has_the_points_its_successor_was_measured_against(open_desk: OpenDesk) -> None:
    desk = store_of(open_desk)
    run = desk.runs.get(scenes.judge(desk, "reject"))
    report = report_of(run)
    assert report is not None
    before = next(row for row in overview(desk) if row.version == run.parent)
    assert before.bleu == report.bleu.active


def test_the_history_says_how_its_runs_ended(open_desk: OpenDesk) -> None:
    scenes.history(store_of(open_desk))
    for run in store_of(open_desk).runs.list():
        report = report_of(run)
        if report is not None:
            assert run.state == {"promote": "promoted", "reject": "rejected"}[report.verdict]
