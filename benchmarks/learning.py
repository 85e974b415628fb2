"""Everything that a team expects of teaching, in one table: what was to be reached, and what was.

    python -m benchmarks learning

It measures nothing itself: it reads the results of the other benchmarks and writes results/learning.md. What nobody
has measured, and what was missed, stands there as such.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass

from benchmarks import common
from benchmarks.common import Goal, markdown_table

UNKNOWN = "-"
TAUGHT = "Taught means answered"


@dataclass(frozen=True, slots=True)
class Part:
    """A benchmark, and what it was to show: (what, goal) of each line, for where it has no result."""

    name: str
    title: str
    command: str
    expected: tuple[tuple[str, str], ...]


PARTS = (
    Part("canned", TAUGHT, "python -m benchmarks canned", (
        ("canned: unseen phrasings exact", ">= .93"),
        ("canned: BLEU of unseen phrasings", ">= 94"),
        ("canned: time of the whole run, as a share of plain_qlora.py's in the same sitting", "<= .50"),
    )),
    Part("teaching_sample", TAUGHT, "python -m benchmarks teaching --cases sample --seeds 0,1,2", (
        ("sample desk: recall", ">= .97"),
        ("sample desk: unseen phrasings exact", ">= .70"),
        ("sample desk: seconds", "<= 360"),
        ("sample desk: drift on general questions, nats a token", "<= .3"),
    )),
    Part("teaching_esp_zh", TAUGHT, "python -m benchmarks teaching --cases esp_zh --base FOLDER", (
        ("120 single-phrasing Chinese pairs: recall", ">= .95"),
    )),
    Part("teaching_esp_en", TAUGHT, "python -m benchmarks teaching --cases esp_en --seeds 0,1,2", (
        ("120 single-phrasing English pairs: recall", ">= .95"),
    )),
    Part("teaching_bitext", TAUGHT, "python -m benchmarks teaching --cases bitext", (
        ("1,000 pairs of bitext: recall", ">= .90"),
        ("1,000 pairs of bitext: time and memory", "grow linearly"),
    )),
    Part("teaching_corrections", TAUGHT, "python -m benchmarks teaching --cases corrections --seeds 0,1,2", (
        ("10 corrections on 270 pairs, one warm retraining: answered as corrected", ">= .95"),
        ("... in a phrasing never seen", ">= .70"),
        ("... live with its gate, seconds on 2 cores", "<= 90"),
    )),
    Part("manners", "Manners and drift", "python -m benchmarks manners DESK", (
        ("small talk after a training, looked at", "20 of 20 answered decently"),
        ("drift on general questions", "<= 0.3 nats a token"),
    )),
    Part("at_once", "A correction helps at once", "python -m benchmarks at_once", (
        ("unseen phrasings of a corrected question that get the operator's words", "shown"),
        ("other questions that wrongly get them", "<= 1 %"),
    )),
    Part("objectives", "Learn from the mistake as well", "python -m benchmarks objectives", (
        ("the default objective on real mistakes", "decided by a table of real runs"),
    )),
    Part("hand_over", "Knowing when not to answer", "python -m benchmarks hand_over", (
        ("wrong answers given", "<= 5 %"),
        ("answerable questions answered", ">= 80 %"),
        ("others handed over", ">= 95 %"),
    )),
    Part("gate_power", "A fair verdict", "python -m benchmarks gate_power", (
        ("equally good candidates falsely rejected, at every size", "<= 5 %"),
        ("candidates that lost 10 % of their right answers promoted, from 100 pairs", "<= 2 %"),
    )),
    Part("bisect", "Find who taught it", "python -m benchmarks bisect", (
        ("one planted wrong pair of 270 is among the first five named", ">= 90 % of cases"),
    )),
    Part("exposure", "Canaries", "python -m benchmarks exposure", (
        ("the exposure of planted secrets", "told by the card"),
    )),
)  # fmt: skip


def lines_of(part: Part) -> tuple[str, list[Goal]]:
    """The command of *part* and its lines: measured ones, or what was to be reached."""
    try:
        kept = json.loads((common.RESULTS / f"{part.name}.json").read_text(encoding="utf-8"))
        return str(kept["command"]), [Goal(**line) for line in kept["lines"]]
    except (OSError, KeyError):  # there is no result, or one that measured something else
        return part.command, [Goal(what, goal, UNKNOWN, None) for what, goal in part.expected]


def report() -> str:
    """The table."""
    rows, counts = [], {"reached": 0, "missed": 0, "not measured": 0}
    for part in PARTS:
        command, goals = lines_of(part)
        for goal in goals:
            counts[goal.verdict] += 1
            rows.append(
                {
                    "": part.title,
                    "what": goal.what,
                    "goal": goal.goal,
                    "measured": goal.measured,
                    "verdict": goal.verdict if goal.reached else f"**{goal.verdict}**",
                    "command": f"`{command}`",
                }
            )
    total = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    return (
        f"# Learning\n\n`python -m benchmarks learning`, from the results beside it: {total}.\n\n{markdown_table(rows)}"
    )


def main() -> None:
    """Read and write."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    common.RESULTS.mkdir(exist_ok=True)
    (common.RESULTS / "learning.md").write_text(report(), encoding="utf-8")
    print(report())


if __name__ == "__main__":
    main()
