"""Events of runs: one codec, read back as they were; those of older desks too; one sentence each."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest

import tui
from finetune import events
from finetune.events import (
    Decided,
    Done,
    Evaluated,
    Event,
    Failed,
    Fitted,
    Judged,
    Note,
    Phase,
    Promoted,
    Recalled,
    Step,
    Taught,
    Trained,
    TrainerFailed,
    TroubleFound,
    Unknown,
    decode,
    encode,
    from_line,
    sentence,
    to_line,
)
from finetune.gate.general import Drift
from finetune.gate.measures import Recall
from finetune.gate.report import GateReport, Sides, Trouble, report_of
from finetune.gate.words import HeldReason
from store.desk import Desk
from store.words import Version
from tests.old_desk import unpack

V2 = Version("v2")
TROUBLE = Trouble("slow", "It was slow.", "Close other programs.")
REPORT = GateReport(
    "inconclusive",
    "There is too little.",
    bleu=Sides(1.0, 2.0),
    held=HeldReason.TOO_LITTLE,
    recall=Recall(10, 7, 8, 10),
    drift=Drift(0.5, 50),
    troubles=(TROUBLE,),
)
EVERY: list[tuple[Event, str]] = [
    (Phase("loading", "Loading the model."), "Loading the model."),
    (Step(3, 40, 0.1, 1.5, 0.8, 1e-3, 63.0, 125.0, 2**30), "step 3 of 40, loss 1.50, 2:05 left"),
    (Step(1, 40), "step 1 of 40"),
    (Taught(12, 3, 64, 61), "After 3 passes it knows 61 of 64 taught answers."),
    (Taught(4, 1, 64, 61, 10, 7), "After 1 pass it knows 61 of 64 taught answers (7 of 10 new ones)."),
    (Evaluated(8, 24, 2.0, 5.975, 3), "Loss 5.975 on 3 held-out examples after epoch 2."),
    (
        Evaluated(8, 24, 0.5, 1.0, 1, "validation", 12.34, 8),
        "Loss 1.000 on 1 validation example after epoch 0.5, BLEU 12.3 of 8 answers.",
    ),
    (Note("The processor is free again."), "The processor is free again."),
    (Fitted("In smaller parts.", 2, 4, True), "In smaller parts."),
    (TroubleFound(TROUBLE), "It was slow. Close other programs."),
    (Judged(3, 12, V2), "Checking v2: 3 of 12 answers"),
    (Recalled(V2, Recall(100, 94, 96, 1080, 60, 58, 2, 1)), "v2 answers 96 of 100 taught questions as taught."),
    (Decided(V2, REPORT), "There is too little."),
    (Promoted(V2), "v2 answers now."),
    (Failed("disk-full", "The disk is full.", "/run.log"), "The disk is full."),
    (Done("held", 1, "inconclusive", V2, Sides(1.0, None)), ""),
    (Trained(12.5, 40, 41, (0, 1, 2), 0.4), ""),
    (TrainerFailed("diverged", "loss nan"), ""),
    (Unknown("news", {"of": ["tomorrow"]}), ""),
]


@pytest.mark.parametrize(("event", "words"), EVERY)
def test_every_event_comes_back_equal_from_the_pipe_and_the_table(event: Event, words: str) -> None:
    assert from_line(to_line(event)) == event
    kind, body = encode(event)
    assert decode(kind, json.loads(json.dumps(body))) == event
    assert sentence(event) == words


def test_every_kind_is_tried_here() -> None:
    assert {type(event) for event, _ in EVERY} == {*events.KINDS.values(), Unknown}


def test_a_line_of_the_pipe_is_one_line_of_ascii() -> None:
    line = to_line(Note("one\ntwo 退款 \x1b[31m"))
    assert line.isascii()
    assert line.count(b"\n") == 1
    for wrong in (b"[]", b"{}", b'{"kind": "note", "body": 5}'):
        with pytest.raises(ValueError, match="not an event"):
            from_line(wrong)


@pytest.mark.parametrize(
    ("kind", "body", "event"),
    [
        ("step", {"step": 3, "later": 1}, Step(3)),
        ("step", {"step": "three"}, Unknown("step", {"step": "three"})),
        ("done", {"state": "held"}, Done("held")),
        ("note", {}, Unknown("note", {})),
        ("news", {"sentence": "It rains."}, Note("It rains.")),
        ("phase", {"phase": "dreaming", "sentence": "It dreams."}, Note("It dreams.")),
        ("trouble", {"trouble": 5, "sentence": "It was slow."}, Note("It was slow.")),
        (
            "evaluated",
            {"step": 1, "steps": 2, "epoch": 1.0, "loss": 2, "examples": 3, "sentence": "… 3 validation examples …"},
            Evaluated(1, 2, 1.0, 2.0, 3, "validation"),
        ),
    ],
)
def test_what_others_wrote_is_read_as_far_as_it_can_be(kind: str, body: dict[str, Any], event: Event) -> None:
    assert decode(kind, body) == event


def test_the_events_and_the_report_of_an_old_desk_are_read(tmp_path: Path) -> None:
    with Desk.open(unpack(tmp_path)) as desk:
        rows = desk.runs.events(1)
        told = [events.recorded(row).event for row in rows]
        assert not [event for event in told if isinstance(event, Unknown)]
        assert all(
            sentence(event) == row.body.get("sentence", sentence(event)) for event, row in zip(told, rows, strict=True)
        )
        (decided,) = [event for event in told if isinstance(event, Decided)]
        run = desk.runs.get(1)
        report = report_of(run)
        assert report == decided.report
        assert report is not None
        assert run.report is not None
        assert report.to_dict() | {"margins": 0, "held": 0} == run.report | {"margins": 0, "held": 0}
        assert (report.held, report.pairs, report.count("not learned")) == (HeldReason.TOO_LITTLE, 3, 1)
        assert report.drift == Drift(-0.18, 50)
        assert told[-1] == Done("held", 1, "inconclusive", Version("v1"), Sides(0.0, 0.0))


def test_no_reader_looks_into_bodies_or_reports_by_name() -> None:
    """Readers match on types; :mod:`finetune.events` and :mod:`finetune.gate.report` alone know the names in JSON."""
    taken = {"body", "report", "failure"}
    for path in Path(str(tui.__file__)).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            inside = node.value if isinstance(node, ast.Subscript | ast.Attribute) else None
            if isinstance(node, ast.Attribute) and node.attr not in ("get", "items", "keys"):
                continue
            while isinstance(inside, ast.BoolOp):  # (run.report or {}).get(...)
                inside = inside.values[0]
            found = isinstance(inside, ast.Attribute) and inside.attr in taken
            assert not found, f"{path.name}:{getattr(node, 'lineno', 0)} looks into a dict"
