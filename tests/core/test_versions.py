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
from store.words import Version
from tests.core.conftest import make_version
from tests.opened import store_of
from tui.core import DeskChange, DeskError, Notice, OpenDesk, VersionChanged
from tui.core.adapters import export_version, overview, verify_all

UNFIT = EngineError("probe-failed", "Its answers are not those it was published with.")


def kinds(open_desk: OpenDesk) -> list[tuple[str, str]]:
    return [(row.version, row.kind) for row in store_of(open_desk).promotions.list()]


async def test_the_engine_starts_with_the_active_version(open_desk: OpenDesk, script: Script) -> None:
    version = make_version(store_of(open_desk))
    store_of(open_desk).promotions.promote(Version(version), "manual", "tester")
    await open_desk.engine.start()
    assert (open_desk.engine.serving, script.engines[0].versions) == (version, [version])


async def test_activating_and_rolling_back_swap_the_running_engine(
    open_desk: OpenDesk, script: Script, told: list[DeskChange]
) -> None:
    await open_desk.engine.start()
    for _ in range(2):
        await open_desk.promotions.activate(make_version(store_of(open_desk)))
    assert (open_desk.promotions.active, open_desk.engine.serving) == ("v2", "v2")
    await open_desk.promotions.go_back()
    assert (open_desk.promotions.active, open_desk.engine.serving) == ("v1", "v1")
    await open_desk.promotions.go_back()
    assert (open_desk.promotions.active, open_desk.engine.serving) == ("base", "base")
    with pytest.raises(DeskError, match="no earlier version"):
        await open_desk.promotions.go_back()
    assert [change.version for change in told if isinstance(change, VersionChanged)] == ["v1", "v2", "v1", "base"]
    assert len(script.engines) == 1


async def test_a_version_that_fails_its_probe_is_never_promoted_by_an_operator(
    open_desk: OpenDesk, script: Script
) -> None:
    await open_desk.engine.start()
    await open_desk.promotions.activate(make_version(store_of(open_desk)))
    script.unfit["v2"] = UNFIT
    with pytest.raises(DeskError, match=r"not those it was published with\. Nothing was changed"):
        await open_desk.promotions.activate(make_version(store_of(open_desk)))
    assert (open_desk.promotions.active, open_desk.engine.serving) == ("v1", "v1")
    assert kinds(open_desk) == [("v1", "manual")]


async def test_a_failed_probe_of_what_another_promoted_puts_the_version_before_it_back_and_says_so(
    open_desk: OpenDesk, script: Script, told: list[DeskChange]
) -> None:
    await open_desk.engine.start()
    await open_desk.promotions.activate(make_version(store_of(open_desk)))
    script.unfit["v2"] = UNFIT
    store_of(open_desk).promotions.promote(make_version(store_of(open_desk)), "manual", "tester")
    await open_desk.promotions.follow()
    assert (open_desk.promotions.active, open_desk.engine.serving) == ("v1", "v1")
    assert kinds(open_desk) == [("v1", "manual"), ("v2", "manual"), ("v1", "probe-failed")]
    notices = [change.sentence for change in told if isinstance(change, Notice)]
    assert len(notices) == 1
    assert "v2" in notices[0]
    assert "v1 answers" in notices[0]


async def test_where_nothing_else_fits_the_bare_base_answers(open_desk: OpenDesk, script: Script) -> None:
    for _ in range(2):
        store_of(open_desk).promotions.promote(make_version(store_of(open_desk)), "manual", "tester")
    script.unfit |= {"v1": UNFIT, "v2": UNFIT}
    await open_desk.engine.start()
    assert (open_desk.engine.state.name, open_desk.promotions.active, open_desk.engine.serving) == (
        "ready",
        "base",
        "base",
    )


async def test_a_damaged_active_version_is_not_loaded_at_start(
    open_desk: OpenDesk, script: Script, told: list[DeskChange]
) -> None:
    store_of(open_desk).promotions.promote(make_version(store_of(open_desk)), "manual", "tester")
    (open_desk.home.adapters / "v1" / WEIGHTS_NAME).write_bytes(b"other")
    await open_desk.engine.start()
    assert script.engines[0].made_ready == []
    assert open_desk.promotions.active == "base"
    assert any(isinstance(change, Notice) and change.trouble for change in told)


async def test_a_manifest_that_was_exchanged_with_its_files_is_damage(open_desk: OpenDesk) -> None:
    make_version(store_of(open_desk))
    make_version(store_of(open_desk))
    for path in (open_desk.home.adapters / "v2").iterdir():
        path.replace(open_desk.home.adapters / "v1" / path.name)
    with pytest.raises(DeskError, match="not the one that was published as v1"):
        await open_desk.promotions.activate(Version("v1"))
    assert open_desk.promotions.active == "base"


async def test_a_damaged_version_is_refused_before_anything_is_written(open_desk: OpenDesk) -> None:
    version = make_version(store_of(open_desk))
    (open_desk.home.adapters / version / WEIGHTS_NAME).unlink()
    with pytest.raises(DeskError, match="missing"):
        await open_desk.promotions.activate(Version(version))
    assert kinds(open_desk) == []


async def test_a_rejected_version_needs_a_reason(open_desk: OpenDesk) -> None:
    version = make_version(store_of(open_desk), "reject")
    with pytest.raises(DeskError, match="reason"):
        await open_desk.promotions.activate(Version(version))
    await open_desk.promotions.activate(Version(version), "the customer asked for it")
    promotion = store_of(open_desk).promotions.list()[-1]
    assert (promotion.kind, promotion.reason) == ("forced", "the customer asked for it")


async def test_a_held_version_needs_none(open_desk: OpenDesk) -> None:
    await open_desk.promotions.activate(make_version(store_of(open_desk), "inconclusive"))
    assert kinds(open_desk) == [("v1", "manual")]


async def test_another_apps_promotion_is_followed(open_desk: OpenDesk, script: Script, told: list[DeskChange]) -> None:
    swapped = asyncio.Event()
    open_desk.changes.listen(lambda change: swapped.set() if isinstance(change, VersionChanged) else None)
    await open_desk.engine.start()
    open_desk.watch()
    with Desk.open(open_desk.home) as other:
        other.promotions.promote(make_version(other), "manual", "colleague")
    await asyncio.wait_for(swapped.wait(), 20)
    assert open_desk.engine.serving == "v1"


async def test_an_engine_in_trouble_does_not_cost_a_version_its_place(open_desk: OpenDesk, script: Script) -> None:
    await open_desk.engine.start()
    script.unfit["v1"] = EngineError("out-of-memory", "The machine ran out of memory.")
    with pytest.raises(EngineError):
        await open_desk.promotions.activate(make_version(store_of(open_desk)))
    assert kinds(open_desk) == []
    store_of(open_desk).promotions.promote(Version("v1"), "manual", "colleague")
    with pytest.raises(EngineError):
        await open_desk.promotions.follow()
    assert kinds(open_desk) == [("v1", "manual")]


async def test_a_pinned_version_serves_whatever_is_active(open_desk: OpenDesk, script: Script) -> None:
    version = make_version(store_of(open_desk))
    async with OpenDesk(open_desk.home, engine_factory=script, pin=Version(version)) as pinned:
        await pinned.engine.start()
        assert (pinned.engine.serving, pinned.promotions.active) == (version, "base")


async def test_export_copies_a_verified_version_and_overwrites_nothing(open_desk: OpenDesk) -> None:
    row = open_desk.promotions.known(make_version(store_of(open_desk)))
    target = open_desk.home.root.parent / "out" / "v1"
    assert export_version(store_of(open_desk), row, target) == [WEIGHTS_NAME, "manifest.json"]
    with pytest.raises(DeskError, match="never overwrites"):
        export_version(store_of(open_desk), row, target)
    assert verify_all(store_of(open_desk))[0].sentence is None
    (open_desk.home.adapters / "v1" / WEIGHTS_NAME).write_bytes(b"other")
    with pytest.raises(DeskError, match="not exported"):
        export_version(store_of(open_desk), row, target.with_name("v1-again"))
    assert [path.name for path in target.parent.iterdir()] == ["v1"]


async def test_the_overview_has_the_base_and_every_version_with_its_numbers(open_desk: OpenDesk) -> None:
    make_version(store_of(open_desk), "promote")
    await open_desk.promotions.activate(Version("v1"))
    base, first = overview(store_of(open_desk))
    assert (base.version, base.active) == ("base", False)
    assert (first.version, first.active, first.bleu, first.verdict) == ("v1", True, 2.0, "promote")
    assert (first.promoted_by, first.promoted_as) == ("tester", "manual")


async def test_files_that_cannot_be_read_are_damage_not_a_crash(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = make_version(store_of(open_desk))
    monkeypatch.setattr("tui.core.adapters.verify", Mock(side_effect=PermissionError(13, "Permission denied")))
    with pytest.raises(DeskError, match="can't be read: Permission denied"):
        await open_desk.promotions.activate(Version(version))
    assert open_desk.promotions.active == "base"
    assert "can't be read" in str(verify_all(store_of(open_desk))[0].sentence)


async def test_files_are_checked_beside_the_event_loop(open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []
    monkeypatch.setattr("tui.core.adapters.verify", lambda folder: threads.append(threading.current_thread()))
    await open_desk.promotions.activate(make_version(store_of(open_desk)))
    assert threads
    assert threading.main_thread() not in threads
