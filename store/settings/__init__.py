"""The desk's settings (``settings``) and ``deskloop.toml``, the file that takes precedence (``file``)."""

from store.settings.settings import SettingError, Settings, SettingsTable, operator_name, refuse, system_user

__all__ = ["SettingError", "Settings", "SettingsTable", "operator_name", "refuse", "system_user"]
