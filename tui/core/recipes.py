"""From a file and ``--set`` to a recipe, with sentences for what does not fit."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from finetune.recipe import Recipe
from tui.core.errors import DeskError
