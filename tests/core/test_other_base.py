"""Versions of another base: kept, told apart, and back when the base is."""

from __future__ import annotations

from pathlib import Path

from finetune.gate.general import Drift
from finetune.gate.report import GateReport, Sides
from store.desk import Desk
from store.words import Version
from tests.core.conftest import make_version
from tests.opened import store_of
from tui.core import OpenDesk
from tui.core.adapters import overview
from tui.core.doctor import examine
from tui.core.reports import version_details


def others(open_desk: OpenDesk) -> dict[str, bool]:
    return {row.version: row.other_base for row in overview(store_of(open_desk))}


def test_versions_of_another_base_wait_until_it_is_back(open_desk: OpenDesk) -> None:
    make_version(store_of(open_desk))
    make_version(store_of(open_desk), base_fingerprint="e" * 64)
    assert others(open_desk) == {"base": False, "v1": False, "v2": True}
    store_of(open_desk).settings.set("quantization", "bf16", "ann")
    assert others(open_desk) == {"base": False, "v1": True, "v2": True}
    store_of(open_desk).settings.set("quantization", "nf4", "ann")
    assert others(open_desk) == {"base": False, "v1": False, "v2": True}


def test_without_a_base_no_version_is_called_another_ones(tmp_path: Path) -> None:
    with Desk.open(tmp_path / "home") as desk:
        make_version(desk)
        assert [row.other_base for row in overview(desk)] == [False, False]


def test_how_far_a_version_went_is_among_its_details(open_desk: OpenDesk) -> None:
    make_version(store_of(open_desk), "promote")
    run = store_of(open_desk).runs.list()[0]
    report = GateReport("promote", "Good.", bleu=Sides(1.0, 2.0), drift=Drift(0.5, 50))
    store_of(open_desk).runs.save_report(run.id, "promote", report.to_dict())
    assert "0.50 nats a token away from the base" in str(version_details(store_of(open_desk), Version("v1")))


def test_doctor_tells_what_was_wrong_with_the_last_training(open_desk: OpenDesk) -> None:
    def training() -> tuple[bool, str, str | None]:
        check = next(check for check in examine(store_of(open_desk)) if check.name == "training")
        return check.ok, check.finding, check.todo

    assert training() == (True, "no run yet", None)
    make_version(store_of(open_desk), "promote")
    assert training()[0]
    run = store_of(open_desk).runs.list()[0]
    trouble = {"kind": "loss", "finding": "The loss did not fall.", "advice": "Set learning_rate = 3e-3."}
    store_of(open_desk).runs.add_event(run.id, "trouble", {"trouble": trouble, "sentence": "x"})
    assert training() == (False, f"run {run.id}: The loss did not fall.", "Set learning_rate = 3e-3.")
