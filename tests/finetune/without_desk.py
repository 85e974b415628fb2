"""The training process where nothing of a desk can be reached: no database can be opened. What
``finetune.train.trainer`` is replaced by in a test."""

from __future__ import annotations

import sys
from typing import Any

from finetune.train import trainer


def refuse(event: str, args: tuple[Any, ...]) -> None:
    """An audit hook of Python's."""
    if event == "sqlite3.connect":
        raise RuntimeError(f"the trainer opens the database {args[0]}")


sys.addaudithook(refuse)
sys.exit(trainer.main())
