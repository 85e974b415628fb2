"""Bringing pairs and conversations in from files, row by row, whatever the rows hold.

``importer`` and ``preview`` ask ``intake`` for the rows; ``reading`` decides between ``json_rows`` and ``table`` (whose
header ``table_start`` finds), ``unfolding`` and ``grouping`` make one row of what belongs together, ``parsing`` makes
pairs of it by ``pair_rows`` and ``dialogues``; ``names``, ``marks`` and ``texts`` know what columns, ratings and cells
mean. ``staging`` and ``rejects`` hold what is kept and what is not until all is read.

The rows are read by our own code, since each refusal names a line, and datasets, which guesses the types of columns
from all rows, must not be loaded into the app's process. It holds the examples of a training instead, in the trainer's.
"""

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
