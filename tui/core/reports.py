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


def version_details(desk: Desk, name: str) -> str:
    """What there is to know about a version, in lines for a person."""
    if name == "base":
        return "The bare base model, without any adapter. It is always there to go back to."
    version = desk.versions.get(name)
    run = desk.runs.get(version.run_id) if version.run_id is not None else None
    lines = [f"{name}: {version.method}, made {version.created_at[:16].replace('T', ' ')} UTC"]
    if run is not None:
        before, after = bleu_of(run)
        lines.append(
            f"Run {run.id} by {run.created_by}, from {run.parent}, on {trained_pairs(desk, run)} pairs: {run.state}"
        )
        if before is not None and after is not None:
            lines.append(f"BLEU {after:.1f}, of the version before it {before:.1f}")
        if run.report:
            lines.append(str(run.report.get("sentence", "")))
    lines.append("Recipe: " + ", ".join(f"{key} {value}" for key, value in version.recipe.items()))
    lines.append(f"Base {version.base_fingerprint[:12]}, files in {desk.home.adapters / version.folder}")
    for promotion in desk.promotions.list():
        if promotion.version == name:
            reason = f": {promotion.reason}" if promotion.reason else ""
            lines.append(f"{promotion.at[:16].replace('T', ' ')} {promotion.kind} by {promotion.who}{reason}")
    return "\n".join(lines)
