"""A desk as one file, and back: the database as it is at one moment, ``deskloop.toml``, and the adapters' files.

A copy of a database is no backup before it was looked through: pages, references, schema, indexes for search.

The file is an uncompressed tar whose first member, ``deskloop-backup.json``, names every other one with its size and
sha256. What comes out of such a file is checked against that list byte by byte, and nothing but plain files with
plain names in their own folder is ever written: a backup may have passed through other hands.

``packing`` makes one, ``unpacking`` takes one, ``contents`` is what both know of it.
"""

from store.backup.contents import LIST, BackupRefused
from store.backup.packing import write_backup
from store.backup.unpacking import UNTOUCHED, unpacked

__all__ = ["LIST", "UNTOUCHED", "BackupRefused", "unpacked", "write_backup"]
