"""What every benchmark needs: where things are, what machine this is, tables."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).resolve().parent / "results"
LIBRARIES = ("torch", "transformers", "peft", "bitsandbytes", "datasets", "accelerate", "sacrebleu", "textual")


def bench_folder() -> Path:
    """The folder of the reference workload and its yardsticks: $DESKLOOP_BENCH, or ../shared/bench beside the checkout.

    Leaves with a plain sentence where it is absent: nothing is measured then, and nothing is wrong.
    """
    folder = Path(os.environ.get("DESKLOOP_BENCH", ROOT.parent / "shared" / "bench"))
    if not (folder / "canned" / "train.jsonl").is_file():
        skip(f"The reference workload is not at {folder}. Set DESKLOOP_BENCH to its folder.")
    return folder


def canned(name: str) -> Path:
    """A file of the workload `canned`: train.jsonl or heldout.jsonl."""
    return bench_folder() / "canned" / name


def starter() -> Path:
    """The prepared starter model, or leave with the sentence that says how to get it."""
    folder = Path(os.environ.get("DESKLOOP_MODELS", ROOT / ".cache" / "models")) / "smollm2-135m-instruct"
    if not (folder / "config.json").is_file():
        skip(f"The starter model is not at {folder}. `make starter` prepares it; or name a base with --base.")
    return folder


def skip(sentence: str) -> None:
    """Leave successfully without a measurement, saying why."""
    print(f"Skipped: {sentence}", file=sys.stderr)
    raise SystemExit(0)


def read_pairs(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL file of pairs."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def machine() -> dict[str, Any]:
    """This machine and the versions on it, for the head of every result."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_average": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {name.strip(): value.strip() for name, value in fields.items()}
    special = [flag for flag in ("avx512_bf16", "amx_bf16") if flag in facts.get("flags", "").split()]
    return " ".join([facts.get("model name", platform.processor()), *special])


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def markdown_table(rows: Sequence[dict[str, str]]) -> str:
    """*rows* as a Markdown table; the first row's keys are the head."""
    if not rows:
        return ""
    head = list(rows[0])
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row.get(name, "") for name in head) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def write_result(name: str, facts: dict[str, Any], text: str) -> None:
    """Keep a measurement as benchmarks/results/NAME.json and its table as NAME.md."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)
    print(f"Written to {RESULTS / name}.json and .md")


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of what was to be reached. ``what``: is measured; ``goal`` and ``measured``: as they are read, with
    their units; ``reached``: whether it was, None where it was not measured."""

    what: str
    goal: str
    measured: str
    reached: bool | None

    @property
    def verdict(self) -> str:
        """``reached``, ``missed`` or ``not measured``."""
        return {True: "reached", False: "missed", None: "not measured"}[self.reached]


def goals_table(goals: Sequence[Goal]) -> str:
    """*goals* as a Markdown table."""
    return markdown_table(
        [{"what": one.what, "goal": one.goal, "measured": one.measured, "": one.verdict} for one in goals]
    )


def write_goals(
    name: str, command: str, goals: Sequence[Goal], facts: dict[str, Any] | None = None, text: str = ""
) -> None:
    """Keep measured *goals* as NAME.json and NAME.md of the results; `python -m benchmarks learning` reads the first.

    *command*: with which anybody repeats it; *facts*: whatever else was measured, for the JSON; *text*: Markdown that
    follows the table."""
    kept = {"command": command, "lines": [asdict(one) for one in goals], "machine": machine(), **(facts or {})}
    body = f"# {name.replace('_', ' ').capitalize()}\n\n`{command}`\n\n{goals_table(goals)}"
    write_result(name, kept, f"{body}\n{text}" if text else body)
