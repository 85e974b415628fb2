"""``deskloop evaluate``: how well a version answers the questions of a file."""

from __future__ import annotations
