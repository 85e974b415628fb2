"""What a shadow said otherwise than what was sent: a list, and beside it the marked one with both answers."""

from __future__ import annotations

from functools import partial

from textual.content import Content

from tui.core.shadow_report import Difference, Kind, ShadowReport
from tui.widgets.answer_list import AnswerList, block, one_line
from tui.widgets.differences import before_and_after
from tui.widgets.text import seen

MARKS: dict[Kind, str] = {"better": "▲", "worse": "▼", "other": "≠"}


class ShadowAnswers(AnswerList):
    """The better ones first, then the worse ones."""

    def __init__(self, *, id: str) -> None:
        super().__init__("Comparing the answers…", id=id)

    def fill(self, report: ShadowReport) -> None:
        """List what is otherwise in *report*, under its sentence."""
        self.show(
            report.sentence,
            [(_label(one), partial(_details, one, report.version)) for one in report.differences],
        )


def _label(one: Difference) -> str:
    return f"{MARKS[one.kind]} {one.kind:<7}{one_line(one.answer.question)}"


def _details(one: Difference, version: str) -> Content:
    answer = one.answer
    sent, said = before_and_after(answer.sent, answer.said)
    blocks = [
        block("Customer", Content(seen(answer.question))),
        block(f"{answer.sent_by} said ({answer.judgement or 'not judged'})", sent),
        block(f"{version} said unseen", said),
    ]
    if answer.correction is not None:
        blocks.insert(1, block("Wanted", Content(seen(answer.correction))))
    return Content("\n\n").join(blocks)
