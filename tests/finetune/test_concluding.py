"""What becomes of a verdict when the desk has moved on while it was found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from finetune.gate.general import Drift
from finetune.gate.verdict import judge
from finetune.run.conclude import conclude
from finetune.run.context import RunContext
from finetune.run.judge import Judgement
from store.desk import Desk
from store.words import BASE, Version
from tests.core.conftest import make_version
from tests.finetune.test_gate_verdict import items


@pytest.mark.parametrize(("answers", "state"), [("base", "promoted"), ("v1", "held")])
def test_a_version_that_passed_is_held_if_another_was_activated_meanwhile(
    tmp_path: Path, answers: str, state: str
) -> None:
    with Desk.open(tmp_path / "home") as desk:
        make_version(desk)
        run = desk.runs.create({}, BASE, "ann")
        desk.runs.transition(run.id, "training")
        candidate = make_version(desk, run_id=run.id)
        desk.runs.transition(run.id, "evaluating", candidate=Version(candidate))
        report = replace(judge(items(40, wrong_before=20), active="base", candidate=candidate), answers=())
        assert report.verdict == "promote"
        if answers != "base":
            desk.promotions.promote(Version(answers), "manual", "jo")
        conclude(RunContext.of(desk, run), Judgement(BASE, Version(candidate), report, Drift(0.0, 1)), [])
        ended = desk.runs.get(run.id)
        assert (ended.state, desk.promotions.active()) == (state, answers if state == "held" else candidate)
        assert ended.report is not None
        assert ended.report["held"] == ("overtaken" if state == "held" else None)
        assert ("But v1 was activated in the meantime" in ended.report["sentence"]) == (state == "held")
