"""The benchmarks start, say what they take, and leave quietly where the reference workload is absent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import at_once, common, learning, manners
from benchmarks.synthetic import LANGUAGES, SETS, messages, templates
from finetune.gate.general import Drift
from store.personal import KINDS

ROOT = Path(__file__).parent.parent


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(
    "name",
    [
        "canned",
        "startup",
        "serving",
        "sharing",
        "judging",
        "gate_power",
        "scale",
        "methods",
        "personal",
        "manners",
        "objectives",
        "learning",
        "bisect",
        "exposure",
        "at_once",
    ],
)
def test_every_benchmark_says_what_it_takes(name: str) -> None:
    result = run(name, "--help")
    assert result.returncode == 0, result.stderr
    assert "python -m benchmarks" in result.stdout


def test_canned_is_skipped_with_a_sentence_where_the_workload_is_absent(tmp_path: Path) -> None:
    result = run("canned", "--base", str(tmp_path), DESKLOOP_BENCH=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert "Skipped: The reference workload is not at" in result.stderr


def test_an_unknown_system_is_refused(tmp_path: Path) -> None:
    result = run("canned", "--order", "deskloop,nonsense")
    assert result.returncode == 2
    assert "nonsense" in result.stderr


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_messages_that_measure_personal_data_are_enough_and_half_of_them_hold_none(lang: str) -> None:
    # China has no IBANs.
    kinds = {kind: 0 if (lang, kind) == ("zh", "iban") else 20 for kind in KINDS}
    for name in SETS:
        made = messages(name, lang, seed=1)
        assert len(made) >= 200
        assert 2 * sum(not message.data for message in made) >= len(made)
        counts = Counter(kind for message in made for _, _, kind in message.data)
        assert all(counts[kind] >= least for kind, least in kinds.items()), counts
        assert made == messages(name, lang, seed=1)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_message_stands_in_both_sets(lang: str) -> None:
    ours, theirs = ({text for texts in templates(name, lang) for text in texts} for name in SETS)
    assert ours.isdisjoint(theirs)


def test_goals_are_kept_as_json_and_as_a_table_that_says_what_was_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    goals = [
        common.Goal("recall", ">= .95", ".97", True),
        common.Goal("unseen", ">= .70", ".61", False),
        common.Goal("time", "<= 90 s", "-", None),
    ]
    common.write_goals("at_once", "python -m benchmarks at_once", goals, {"seeds": 3}, "A remark.\n")
    kept = json.loads((tmp_path / "at_once.json").read_text(encoding="utf-8"))
    assert kept["command"] == "python -m benchmarks at_once"
    assert [common.Goal(**line) for line in kept["lines"]] == goals
    assert kept["seeds"] == 3
    table = (tmp_path / "at_once.md").read_text(encoding="utf-8")
    assert table.startswith("# At once\n")
    assert "| unseen | >= .70 | .61 | missed |" in table
    assert table.endswith("A remark.\n")


def test_the_table_of_learning_holds_what_was_measured_and_says_what_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    common.write_goals(
        "bisect", "python -m benchmarks bisect --seeds 3", [common.Goal("poison", "90 %", "84 %", False)]
    )
    (tmp_path / "gate_power.json").write_text('{"of": "before goals were kept"}', encoding="utf-8")
    table = learning.report()
    assert (
        "| Find who taught it | poison | 90 % | 84 % | **missed** | `python -m benchmarks bisect --seeds 3` |" in table
    )
    assert "| falsely rejected, at every size | <= 5 % | - | **not measured** |" in table.replace(
        "equally good candidates ", ""
    )
    expected = sum(len(part.expected) for part in learning.PARTS)
    assert f"0 reached, 1 missed, {expected - 1} not measured" in table


def test_manners_are_looked_at_by_a_person_and_what_they_found_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    assert len(set(manners.MESSAGES)) == 20
    facts = {
        "desk": "DESK",
        "version": "v1",
        "base_answers": ["Hello! | how"] * 20,
        "answers": ["Hi."] * 20,
        "taught": [3],
        "drift": [0.25, 50],
    }
    drift = Drift(0.25, 50)
    manners.write(facts, drift, None)
    kept = json.loads((tmp_path / "manners.json").read_text(encoding="utf-8"))
    assert [line["reached"] for line in kept["lines"]] == [None, True]
    page = (tmp_path / "manners.md").read_text(encoding="utf-8")
    assert "1 of 20 get an answer that was taught." in page
    assert "| hello | Hello! \\| how | Hi. |" in page
    manners.write(facts, drift, 19)
    kept = json.loads((tmp_path / "manners.json").read_text(encoding="utf-8"))
    assert (kept["lines"][0]["measured"], kept["lines"][0]["reached"]) == ("19 of 20", False)


def test_at_once_chooses_the_strictest_thresholds_that_answer_nearly_as_much_and_are_not_wrong() -> None:
    own = [at_once.Asked(True, 91.0, 30.0, True)] * 99 + [at_once.Asked(True, 80.0, 30.0, True)]
    others = [at_once.Asked(False, 89.0, 30.0, False)] + [at_once.Asked(False, 0.0, 0.0, False)] * 99
    assert at_once.choose([own + others]) == (90.0, 20.0)
    assert at_once.choose([own]) == (90.0, 20.0)  # one answer in a hundred is given up
