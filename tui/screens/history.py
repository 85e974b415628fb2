"""How the versions came along, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Vertical

from tui.core.history import Milestone
from tui.keys import HISTORY
from tui.screens.result import ResultScreen
from tui.widgets.keybar import KeyBar
from tui.widgets.text import Plain
from tui.widgets.version_chart import VersionChart


class HistoryScreen(ResultScreen[None]):
    """BLEU, training pairs and share of wrong replies over the versions."""

    BINDINGS: ClassVar[list[BindingType]] = list(HISTORY)

    def __init__(self, milestones: Sequence[Milestone]) -> None:
        super().__init__()
        self._milestones = milestones

    def compose(self) -> ComposeResult:
        """Three charts, one above the other, or side by side."""
        stones = self._milestones
        names = [f"●{stone.version}" if stone.active else stone.version for stone in stones]
        bleu = [(None, "") if stone.bleu is None else (stone.bleu, f"{stone.bleu:.1f}") for stone in stones]
        pairs = [(None, "") if stone.pairs is None else (float(stone.pairs), str(stone.pairs)) for stone in stones]
        rates = [(stone.rate.share, f"{stone.rate.share or 0:.0%}/{stone.rate.judged}") for stone in stones]
        with Vertical(id="history"):
            yield Plain("Versions over time — ● answers now", classes="title")
            with Container(classes="charts"):
                for title, values in (
                    ("BLEU on held-out pairs (higher is better)", bleu),
                    ("Pairs it was trained on", pairs),
                    ("Corrected, of judged replies (lower is better)", rates),
                ):
                    drawn = [(name, *value) for name, value in zip(names, values, strict=True)]
                    yield VersionChart(title, drawn)
        yield KeyBar()

    def action_dismiss_dialog(self) -> None:
        """Back."""
        self.dismiss(None)
