"""Erasing a person, in sentences: what would be done, what was done, and what is left to do."""

from __future__ import annotations

from store.erasing import Plan
from store.words import Version
from tui.core.erasing import CHECKPOINTS, Forgotten

BEYOND = (
    "Out of reach are earlier backups, files exported or copied elsewhere, and what the "
    "disk keeps of deleted files. Take care of those yourself."
)
ONE = {
    "cached answers": "cached answer",
    "comparisons": "comparison",
    "corrections": "correction",
    "drafts": "draft",
    "events of runs": "event of a run",
    "judged answers": "judged answer",
    "lists of rejected rows": "list of rejected rows",
    "logs": "log",
    "messages and replies": "message or reply",
    "pairs": "pair",
    "reasons of promotions": "reason of a promotion",
    "recipes": "recipe",
    "recipes of versions": "recipe of a version",
    "reports of runs": "report of a run",
    CHECKPOINTS: "run with checkpoints",
    "settings": "setting",
    "tags": "tag",
    "titles of conversations": "title of a conversation",
}


def places(counts: dict[str, int]) -> str:
    """How many places of which kind, in words."""
    return ", ".join(
        f"{count:,} {ONE.get(name, name) if count == 1 else name}" for name, count in sorted(counts.items())
    )


def plan_lines(found: Plan, active: Version) -> list[str]:
    """What would be done, a sentence a line."""
    lines = [f"Erased from: {places(found.counts)}. This can't be undone."]
    if "pairs" in found.counts:
        lines.append("Pairs that contained it never train again, unless somebody edits them.")
    if found.versions:
        names = ", ".join(found.versions)
        also = f" {active} answers now." if active in found.versions else ""
        lines.append(
            f"Learned by {names}.{also} Only retraining from the base, and removing these versions, erases it there."
        )
    return [*lines, *unreached_lines([str(path) for path in found.unreached]), BEYOND]


def done_lines(done: Forgotten) -> list[str]:
    """What was done, and what is left to do, a sentence a line."""
    lines = [f"Erased from: {places(done.counts)}."]
    if done.active is not None:
        lines.append(
            f"{done.active}, the active version, learned it. The next retraining starts from the base and replaces it."
        )
    if others := [name for name in done.versions if name != done.active]:
        lines.append(
            f"{', '.join(others)} learned it, too. They need a reason to be activated again, and can be removed."
        )
    return [*lines, *unreached_lines(done.unreached), BEYOND]


def unreached_lines(paths: list[str]) -> list[str]:
    """Files of the desk that only their owner may change."""
    return [f"Your own files contain it, too: {', '.join(paths)}."] if paths else []
