"""What the store can't know of a setting: which colours and which keys the app has."""

from __future__ import annotations

from store.settings import Settings, refuse


def check_settings(settings: Settings) -> None:
    """Check *settings* against what the app draws. Raises :class:`store.settings.SettingError`.

    The app's tables need textual; a desk that leaves colours and keys alone doesn't wait for it."""
    if settings.theme not in ("textual-dark", "textual-light"):
        from tui.themes import names

        if settings.theme not in names():
            raise refuse(f"must be one of {', '.join(names())}", "theme")
    if settings.keys:
        from tui.keymap import check

        check(settings.keys)
