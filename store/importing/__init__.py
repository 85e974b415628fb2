"""Bringing pairs and conversations in from files, row by row, whatever the rows hold."""

from store.importing.importer import ImportResult, import_file
from store.importing.parsing import FORMATS
from store.importing.preview import ImportPreview, preview_file
from store.importing.rows import ImportRefused, RowRejected

__all__ = ["FORMATS", "ImportPreview", "ImportRefused", "ImportResult", "RowRejected", "import_file", "preview_file"]
