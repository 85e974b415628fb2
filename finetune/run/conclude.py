"""The last step of a run: what becomes of its version. Decided here, once, and told from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from finetune.gate import Trouble
from finetune.run.context import RunContext
from finetune.run.judge import Judgement


def conclude(run: RunContext, judgement: Judgement, troubles: Sequence[Trouble]) -> None:
    """The verdict, its report and, if it is good, the promotion: all in one transaction."""
    report, candidate = judgement.report, judgement.candidate
    body = report.to_dict() | {"drift": {**asdict(judgement.drift), "sentence": judgement.drift.sentence}}
    body["troubles"] = [trouble.to_dict() for trouble in troubles]
    for trouble in troubles:
        emit_trouble(run, trouble)
    with run.desk.atomic():
        answering = run.desk.promotions.active()
        if report.verdict == "promote" and answering != judgement.active:
            body["sentence"] += (
                f" But {answering} was activated meanwhile, and nobody compared {candidate} with it: "
                f"{candidate} waits until you decide."
            )
        if judgement.drift.far:
            body["sentence"] += f" {judgement.drift.sentence}"
        run.desk.runs.save_report(run.run_id, report.verdict, body, report.answers)
        run.emit("verdict", {"version": candidate, **body})
        if report.verdict == "promote" and answering == judgement.active:
            run.desk.promotions.promote(candidate, "gate", run.run.created_by, run_id=run.run_id)
            state = "promoted"
        else:
            state = "rejected" if report.verdict == "reject" else "held"
        run.desk.runs.transition(run.run_id, state, phase="")
        if state == "promoted":
            run.emit("promoted", {"version": candidate})
    run.files.drop_work()
    emit_end(run, state)


def emit_trouble(run: RunContext, trouble: Trouble) -> None:
    """Say what was wrong with the run."""
    run.emit("trouble", {"trouble": trouble.to_dict(), "sentence": trouble.sentence})


def emit_end(run: RunContext, state: str) -> None:
    """The last event of a run."""
    row = run.run
    bleu = (row.report or {}).get("bleu") or {"active": None, "candidate": None}
    run.emit("done", {"run": row.id, "verdict": row.verdict, "version": row.candidate, "bleu": bleu, "state": state})
