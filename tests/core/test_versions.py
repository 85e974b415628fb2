"""The engine follows the promotions log; a version that can't serve is put back."""

from __future__ import annotations

import asyncio
import threading
from unittest.mock import Mock

import pytest

from bot.adapters import WEIGHTS_NAME
from bot.engines.scripted import Script
from bot.types import EngineError
from store.desk import Desk
from tests.core.conftest import make_version
from tui.core import DeskChange, DeskError, DeskService, Notice, VersionChanged
from tui.core.adapters import export_version, overview, verify_all

UNFIT = EngineError("probe-failed", "Its answers are not those it was published with.")


def kinds(service: DeskService) -> list[tuple[str, str]]:
    return [(row.version, row.kind) for row in service.desk.promotions.list()]


async def test_the_engine_starts_with_the_active_version(service: DeskService, script: Script) -> None:
    version = make_version(service.desk)
    service.desk.promotions.promote(version, "manual", "tester")
    await service.start_engine()
    assert (service.keeper.serving, script.engines[0].versions) == (version, [version])


async def test_activating_and_rolling_back_swap_the_running_engine(
    service: DeskService, script: Script, told: list[DeskChange]
) -> None:
    await service.start_engine()
    for _ in range(2):
        await service.activate(make_version(service.desk))
    assert (service.active, service.keeper.serving) == ("v2", "v2")
    await service.rollback()
    assert (service.active, service.keeper.serving) == ("v1", "v1")
    await service.rollback()
    assert (service.active, service.keeper.serving) == ("base", "base")
    with pytest.raises(DeskError, match="no earlier version"):
        await service.rollback()
    assert [change.version for change in told if isinstance(change, VersionChanged)] == ["v1", "v2", "v1", "base"]
    assert len(script.engines) == 1


async def test_a_version_that_fails_its_probe_is_never_promoted_by_an_operator(
    service: DeskService, script: Script
) -> None:
    await service.start_engine()
    await service.activate(make_version(service.desk))
    script.unfit["v2"] = UNFIT
    with pytest.raises(DeskError, match=r"not those it was published with\. Nothing was changed"):
        await service.activate(make_version(service.desk))
    assert (service.active, service.keeper.serving) == ("v1", "v1")
    assert kinds(service) == [("v1", "manual")]


async def test_a_failed_probe_of_what_another_promoted_puts_the_version_before_it_back_and_says_so(
    service: DeskService, script: Script, told: list[DeskChange]
) -> None:
    await service.start_engine()
    await service.activate(make_version(service.desk))
    script.unfit["v2"] = UNFIT
    service.desk.promotions.promote(make_version(service.desk), "manual", "tester")
    await service.version_desk.follow()
    assert (service.active, service.keeper.serving) == ("v1", "v1")
    assert kinds(service) == [("v1", "manual"), ("v2", "manual"), ("v1", "probe-failed")]
    notices = [change.sentence for change in told if isinstance(change, Notice)]
    assert len(notices) == 1
    assert "v2" in notices[0]
    assert "v1 answers" in notices[0]


async def test_where_nothing_else_fits_the_bare_base_answers(service: DeskService, script: Script) -> None:
    for _ in range(2):
        service.desk.promotions.promote(make_version(service.desk), "manual", "tester")
    script.unfit |= {"v1": UNFIT, "v2": UNFIT}
    await service.start_engine()
    assert (service.engine_state.name, service.active, service.keeper.serving) == ("ready", "base", "base")


async def test_a_damaged_active_version_is_not_loaded_at_start(
    service: DeskService, script: Script, told: list[DeskChange]
) -> None:
    service.desk.promotions.promote(make_version(service.desk), "manual", "tester")
    (service.home.adapters / "v1" / WEIGHTS_NAME).write_bytes(b"other")
    await service.start_engine()
    assert script.engines[0].made_ready == []
    assert service.active == "base"
    assert any(isinstance(change, Notice) and change.trouble for change in told)


async def test_a_manifest_that_was_exchanged_with_its_files_is_damage(service: DeskService) -> None:
    make_version(service.desk)
    make_version(service.desk)
    for path in (service.home.adapters / "v2").iterdir():
        path.replace(service.home.adapters / "v1" / path.name)
    with pytest.raises(DeskError, match="not the one that was published as v1"):
        await service.activate("v1")
    assert service.active == "base"


async def test_a_damaged_version_is_refused_before_anything_is_written(service: DeskService) -> None:
    version = make_version(service.desk)
    (service.home.adapters / version / WEIGHTS_NAME).unlink()
    with pytest.raises(DeskError, match="missing"):
        await service.activate(version)
    assert kinds(service) == []


async def test_a_rejected_version_needs_a_reason(service: DeskService) -> None:
    version = make_version(service.desk, "reject")
    with pytest.raises(DeskError, match="reason"):
        await service.activate(version)
    await service.activate(version, "the customer asked for it")
    promotion = service.desk.promotions.list()[-1]
    assert (promotion.kind, promotion.reason) == ("forced", "the customer asked for it")


async def test_a_held_version_needs_none(service: DeskService) -> None:
    await service.activate(make_version(service.desk, "inconclusive"))
    assert kinds(service) == [("v1", "manual")]


async def test_another_apps_promotion_is_followed(service: DeskService, script: Script, told: list[DeskChange]) -> None:
    swapped = asyncio.Event()
    service.listen(lambda change: swapped.set() if isinstance(change, VersionChanged) else None)
    await service.start_engine()
    service.watch()
    with Desk.open(service.home) as other:
        other.promotions.promote(make_version(other), "manual", "colleague")
    await asyncio.wait_for(swapped.wait(), 20)
    assert service.keeper.serving == "v1"


async def test_an_engine_in_trouble_does_not_cost_a_version_its_place(service: DeskService, script: Script) -> None:
    await service.start_engine()
    script.unfit["v1"] = EngineError("out-of-memory", "The machine ran out of memory.")
    with pytest.raises(EngineError):
        await service.activate(make_version(service.desk))
    assert kinds(service) == []
    service.desk.promotions.promote("v1", "manual", "colleague")
    with pytest.raises(EngineError):
        await service.version_desk.follow()
    assert kinds(service) == [("v1", "manual")]


async def test_a_pinned_version_serves_whatever_is_active(service: DeskService, script: Script) -> None:
    version = make_version(service.desk)
    async with DeskService(service.home, engine_factory=script, pin=version) as pinned:
        await pinned.start_engine()
        assert (pinned.keeper.serving, pinned.active) == (version, "base")


async def test_export_copies_a_verified_version_and_overwrites_nothing(service: DeskService) -> None:
    row = service.version_desk.known(make_version(service.desk))
    target = service.home.root.parent / "out" / "v1"
    assert export_version(service.desk, row, target) == [WEIGHTS_NAME, "manifest.json"]
    with pytest.raises(DeskError, match="ever overwritten"):
        export_version(service.desk, row, target)
    assert verify_all(service.desk)[0].sentence is None
    (service.home.adapters / "v1" / WEIGHTS_NAME).write_bytes(b"other")
    with pytest.raises(DeskError, match="not copied"):
        export_version(service.desk, row, target.with_name("v1-again"))
    assert [path.name for path in target.parent.iterdir()] == ["v1"]


async def test_the_overview_has_the_base_and_every_version_with_its_numbers(service: DeskService) -> None:
    make_version(service.desk, "promote")
    await service.activate("v1")
    base, first = overview(service.desk)
    assert (base.version, base.active) == ("base", False)
    assert (first.version, first.active, first.bleu, first.verdict) == ("v1", True, 2.0, "promote")
    assert (first.promoted_by, first.promoted_as) == ("tester", "manual")


async def test_files_that_cannot_be_read_are_damage_not_a_crash(
    service: DeskService, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = make_version(service.desk)
    monkeypatch.setattr("tui.core.adapters.verify", Mock(side_effect=PermissionError(13, "Permission denied")))
    with pytest.raises(DeskError, match="can't be read: Permission denied"):
        await service.activate(version)
    assert service.active == "base"
    assert "can't be read" in str(verify_all(service.desk)[0].sentence)


async def test_files_are_checked_beside_the_event_loop(service: DeskService, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []
    monkeypatch.setattr("tui.core.adapters.verify", lambda folder: threads.append(threading.current_thread()))
    await service.activate(make_version(service.desk))
    assert threads
    assert threading.main_thread() not in threads
