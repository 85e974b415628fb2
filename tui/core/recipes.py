"""From a file and ``--set`` to a recipe, with sentences for what does not fit."""

from __future__ import annotations
