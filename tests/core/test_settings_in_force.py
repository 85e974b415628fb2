"""What an open desk makes of ``deskloop.toml``, and what the doctor says of it."""

from __future__ import annotations

import pytest

from tui.core import DeskChange, DeskError, OpenDesk, SettingsChanged


def settings_check(open_desk: OpenDesk) -> tuple[bool, str]:
    """The doctor's finding on the settings."""
    return next((check.ok, check.finding) for check in open_desk.health.examine() if check.name == "settings")


async def test_the_doctor_tells_of_the_file(open_desk: OpenDesk) -> None:
    assert settings_check(open_desk) == (True, "all as set in the app")
    open_desk.home.settings_file.write_text("min_pairs = 9\n", encoding="utf-8")
    async with OpenDesk(open_desk.home) as later:
        assert settings_check(later) == (True, "min_pairs from deskloop.toml, the rest as set in the app")
    open_desk.home.settings_file.write_text('theme = "pink"\n', encoding="utf-8")
    async with OpenDesk(open_desk.home) as later:
        ok, finding = settings_check(later)
        assert not ok
        assert finding.startswith("deskloop.toml, line 1: theme must be one of textual-dark,")
        assert later.settings.now.min_pairs == 9


async def test_a_change_is_told_once_and_a_refused_one_not(open_desk: OpenDesk, told: list[DeskChange]) -> None:
    open_desk.settings.change("min_pairs", "12")
    open_desk.settings.change("min_pairs", "12")
    for key, value in (("theme", "pink"), ("keys", '"desk.fly" = "f2"'), ("keys", "x = ")):
        with pytest.raises(DeskError, match="left unchanged"):
            open_desk.settings.change(key, value)
    changes = [change for change in told if isinstance(change, SettingsChanged)]
    assert [(change.before.min_pairs, change.after.min_pairs) for change in changes] == [(8, 12)]
