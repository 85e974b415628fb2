"""The desk's settings.

``settings`` says which there are and what they may be, ``values`` reads them as operators and the file write them,
``table`` keeps them, ``file`` is ``deskloop.toml``, which takes precedence, ``operator`` the name beside each action.
"""

from store.settings.operator import operator_name, system_user
from store.settings.settings import SettingError, Settings, refuse
from store.settings.table import SettingsFile, SettingsTable

__all__ = [
    "SettingError",
    "Settings",
    "SettingsFile",
    "SettingsTable",
    "operator_name",
    "refuse",
    "system_user",
]
