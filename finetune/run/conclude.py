"""The last step of a run: what becomes of its version. Decided here, once, and told from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from finetune.events import Decided, Promoted, TroubleFound
from finetune.gate.report import GateReport, Trouble
from finetune.gate.words import HeldReason
from finetune.run.context import RunContext
from finetune.run.judge import Judgement
from store.words import RunState, Version


def conclude(run: RunContext, judgement: Judgement, troubles: Sequence[Trouble]) -> None:
    """The verdict, its report and, if it is good, the promotion: all in one transaction."""
    candidate, desk = judgement.candidate, run.desk
    for trouble in troubles:
        run.emit(TroubleFound(trouble))
    with desk.atomic():
        report = final_report(judgement, troubles, Version(desk.promotions.active()))
        state = state_of(report)
        if judgement.calibration is not None:
            desk.calibrations.put(candidate, judgement.calibration.to_dict())
        desk.runs.save_report(run.run_id, report.verdict, report.to_dict(), report.answers)
        run.emit(Decided(candidate, report))
        if state == "promoted":
            desk.promotions.promote(candidate, "gate", run.run.created_by, run_id=run.run_id)
        desk.runs.transition(run.run_id, state, phase="")
        if state == "promoted":
            run.emit(Promoted(candidate))
    run.files.drop_work()
    run.emit_end(state)


def state_of(report: GateReport) -> RunState:
    """What becomes of a version with this report: it answers, waits for an operator, or does not answer."""
    if report.verdict == "reject":
        return "rejected"
    return "promoted" if report.held is None else "held"


def final_report(judgement: Judgement, troubles: Sequence[Trouble], answering: Version) -> GateReport:
    """The gate's report with what the run knows besides. *answering*: the version that is active by now; one that
    passed beside another version is held, since nobody compared it with this one."""
    report, candidate = judgement.report, judgement.candidate
    sentence, held = report.sentence, report.held
    if report.verdict == "promote" and answering != judgement.active:
        held = HeldReason.OVERTAKEN
        sentence += (
            f" But {answering} was activated in the meantime, and nobody compared {candidate} with it: {candidate} "
            "waits "
            "until you decide."
        )
    if judgement.drift.far:
        sentence += f" {judgement.drift.sentence}"
    exposure = judgement.exposure
    if exposure is not None and exposure.personal:
        sentence += " It knows personal data by heart: the report says of what kind, and what to do."
    return replace(
        report, sentence=sentence, held=held, drift=judgement.drift, exposure=exposure, troubles=tuple(troubles)
    )
