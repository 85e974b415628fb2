"""Bringing pairs and conversations in from files, row by row, whatever the rows hold."""

from store.importing.importer import ImportResult, import_file
from store.importing.intake import Options
from store.importing.names import ROLES
from store.importing.parsing import FORMATS
from store.importing.preview import ImportPreview, preview_file
from store.importing.rows import ColumnsUnknown, ImportRefused, RowRejected

__all__ = [
    "FORMATS",
    "ROLES",
    "ColumnsUnknown",
    "ImportPreview",
    "ImportRefused",
    "ImportResult",
    "Options",
    "RowRejected",
    "import_file",
    "preview_file",
]
