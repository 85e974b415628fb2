"""Reading a run's stored report: the few numbers that lists, cards and scripts ask for."""

from __future__ import annotations

from typing import Any

from store.desk import Desk
from store.records import Run


def bleu_of(run: Run | None) -> tuple[float | None, float | None]:
    """The held-out BLEU (0-100) of the active version and of the candidate, as far as the gate got."""
    report = run.report if run is not None and run.report else {}
    bleu: dict[str, Any] = report.get("bleu") or {}
    return bleu.get("active"), bleu.get("candidate")


def outcome(run: Run) -> dict[str, Any]:
    """What `deskloop retrain` prints last: ``{"run", "verdict", "version", "bleu": {"active", "candidate"}}``."""
    active, candidate = bleu_of(run)
    return {
        "run": run.id,
        "verdict": run.verdict,
        "version": run.candidate,
        "bleu": {"active": active, "candidate": candidate},
    }


def trained_pairs(desk: Desk, run: Run | None) -> int | None:
    """How many pairs a run trained on; None without a run."""
    if run is None:
        return None
    return int(desk.db.value("SELECT count(*) FROM run_pairs WHERE run_id = ? AND split = 'train'", run.id))
