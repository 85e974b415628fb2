"""What the check found about a version: numbers, the fate of every correction, and the answers that changed most."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import TabbedContent, TabPane

from finetune.endings import ending_of
from finetune.gate.measures import Scores
from finetune.gate.report import LanguageReport, report_of
from finetune.gate.sentences import EVEN, chance, changes_phrase
from finetune.gate.words import HeldReason
from store.records import Run
from store.text import counted
from store.words import Version
from tui import requests as ask
from tui.core import StoreChanged
from tui.core.reports import Change
from tui.core.risk_words import risk_lines
from tui.core.shadow_report import ShadowReport
from tui.keys import REPORT
from tui.messages import DeskChanged, Requested
from tui.screens.result import ResultScreen
from tui.widgets.answer_list import AnswerList
from tui.widgets.judged import MARKS, Filter, JudgedAnswers
from tui.widgets.keybar import KeyBar
from tui.widgets.shadow_answers import ShadowAnswers
from tui.widgets.text import Plain

TABS = ("numbers", "corrections", "taught", "answers", "shadow")
MEASURES: tuple[tuple[str, str, Callable[[Scores], float]], ...] = (
    ("BLEU", "bleu", lambda scores: scores.bleu),
    ("chrF", "chrf", lambda scores: scores.chrf),
    ("exact %", "exact", lambda scores: 100 * scores.exact),
)


@dataclass(frozen=True, slots=True)
class Override:
    """The operator wants the version all the same; why is asked next."""

    version: Version


class ReportScreen(ResultScreen[Override | None]):
    """Returns an :class:`Override`, or None to leave everything as the check decided. *changes* fetches the answers,
    *unseen* what the version said as a shadow; the numbers are there at once."""

    BINDINGS: ClassVar[list[BindingType]] = list(REPORT)

    def __init__(
        self,
        run: Run,
        active: Version,
        changes: Callable[[], Awaitable[Sequence[Change]]],
        unseen: Callable[[], Awaitable[ShadowReport | None]],
    ) -> None:
        super().__init__()
        self._run, self._active, self._changes, self._unseen = run, active, changes, unseen
        report = report_of(run)
        self._recall = None if report is None else report.recall
        self._lost = _decided_by_losses(run)

    def compose(self) -> ComposeResult:
        """How it ended, then the tabs; where there is room, the numbers stand beside the others."""
        run = self._run
        after = run.candidate or "the candidate"
        with Vertical(id="report"):
            yield Plain(f"Run {run.id}: {ending_of(run).sentence}".removesuffix("."), classes="title")
            with Horizontal():
                with VerticalScroll(id="report-numbers"):
                    yield from self._lines()
                with TabbedContent(id="report-tabs", initial="answers" if self._lost else TABS[0]):
                    with TabPane(Content("Numbers"), id="numbers"), VerticalScroll():
                        yield from self._lines()
                    with TabPane(Content("Corrections"), id="corrections"):
                        yield JudgedAnswers(run.parent, after, first="all", id="judged-corrections")
                    with TabPane(Content("Taught"), id="taught"):
                        yield JudgedAnswers(run.parent, after, first="all", id="judged-taught")
                    with TabPane(Content("Answers"), id="answers"):
                        first: Filter = "worse" if self._lost else "changed"
                        yield JudgedAnswers(run.parent, after, first=first, id="judged-answers")
                    with TabPane(Content("Shadow"), id="shadow"):
                        yield ShadowAnswers(id="shadow-answers")
        yield KeyBar()

    def _lines(self) -> Iterator[Plain]:
        for text, kind in report_lines(self._run):
            yield Plain(text, classes=kind)

    def on_resize(self) -> None:
        """What stands beside the tabs needs none of its own."""
        self.call_after_refresh(self._arrange)

    @property
    def _is_wide(self) -> bool:
        """Whether the numbers stand beside the tabs."""
        return self.has_class("-wide")

    def _arrange(self) -> None:
        tabs = self.query_one(TabbedContent)
        if self._is_wide:
            tabs.hide_tab("numbers")
        else:
            tabs.show_tab("numbers")

    def on_mount(self) -> None:
        """The numbers first; the answers are compared meanwhile. Older runs asked nothing that was taught."""
        tabs = self.query_one(TabbedContent)
        tabs.hide_tab("shadow")
        if self._recall is None:
            tabs.hide_tab("taught")
        self._focus()
        self.run_worker(self._load(), name="report")

    async def _load(self) -> None:
        changes = await self._changes()
        corrections = [change for change in changes if change.answer.kind == "correction"]
        answers = [change for change in changes if change.answer.kind == "heldout"]
        self.query_one("#judged-corrections", JudgedAnswers).fill(corrections)
        self.query_one("#judged-answers", JudgedAnswers).fill(answers)
        # lost answers first, then those that were never learned, the furthest from what was taught first
        taught = [change for change in changes if change.answer.kind == "taught"]
        taught.sort(key=lambda change: (change.answer.outcome != "regressed", change.chrf_after))
        self.query_one("#judged-taught", JudgedAnswers).fill(taught)
        tabs = self.query_one(TabbedContent)
        if self._recall is not None:
            tabs.get_tab("taught").label = Content(f"Taught {self._recall.taught}/{self._recall.asked}")
        tabs.get_tab("corrections").label = Content(f"Corrections {len(corrections)}")
        tabs.get_tab("answers").label = Content(f"Answers {len(answers)}")
        await self._load_unseen()

    async def _load_unseen(self) -> None:
        """A tab for what the version said as a shadow, if it is or was one."""
        report = await self._unseen()
        if report is not None and (report.on or report.answered):
            self.query_one(ShadowAnswers).fill(report)
            tabs = self.query_one(TabbedContent)
            tabs.get_tab("shadow").label = Content(f"Shadow {report.answered}")
            tabs.show_tab("shadow")

    @on(DeskChanged)
    def _follow(self, event: DeskChanged) -> None:
        """The version has become a shadow, or stopped being one."""
        if isinstance(event.change, StoreChanged):
            self.run_worker(self._load_unseen(), name="unseen", exclusive=True, group="unseen")

    # -- keys --------------------------------------------------------------------------------------
    def _focus(self) -> None:
        """Let the keys act on what the tab shows."""
        lists = self._tab.query(AnswerList)
        if lists:
            lists.first().focus_list()
        else:
            self._tab.query_one(VerticalScroll).focus()

    @property
    def _tab(self) -> TabPane:
        tabs = self.query_one(TabbedContent)
        return tabs.get_pane(tabs.active or TABS[0])

    def action_turn(self, by: int) -> None:
        """Go to the tab *by* places further right. Whether the numbers have one follows from the width, and not from
        what has been drawn so far: a key means the same from the first moment on."""
        tabs = self.query_one(TabbedContent)
        names = [name for name in TABS if (tabs.get_tab(name).display if name != "numbers" else not self._is_wide)]
        place = names.index(tabs.active) if tabs.active in names else 0
        tabs.active = names[(place + by) % len(names)]
        self._focus()  # at once: the next key may be for what is there

    def on_tabbed_content_tab_activated(self) -> None:
        """Another tab, by key or mouse."""
        self._focus()
        self.refresh_bindings()

    def action_filter(self) -> None:
        """Show other answers of this tab."""
        for answers in self._tab.query(JudgedAnswers):
            answers.next_filter()

    def action_shadow(self) -> None:
        """Let the version answer unseen, or stop that."""
        if self._run.candidate is not None:
            self.post_message(Requested(ask.TryUnseen(self._run.candidate)))

    def action_override(self) -> None:
        """Use the version all the same."""
        if self._run.candidate is not None:
            self.dismiss(Override(self._run.candidate))

    def action_dismiss_dialog(self) -> None:
        """Leave everything as it was decided."""
        self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What is to be seen can be filtered; what answers already need not be forced, nor tried unseen."""
        if action in ("override", "shadow"):
            run = self._run
            return run.state in ("held", "rejected") and run.candidate not in (None, self._active)
        if action == "filter" and self.is_mounted:
            return bool(self._tab.query(JudgedAnswers))
        return True


def _decided_by_losses(run: Run) -> bool:
    """Whether an operator has to decide by the answers that got worse: those are shown first then."""
    report = report_of(run)
    if report is None or run.state != "held":
        return False
    return report.lost > 0 and report.held in (HeldReason.UNCLEAR, HeldReason.TOO_LITTLE)


def report_lines(run: Run) -> Iterator[tuple[str, str]]:
    """The numbers of a run's report: lines, each with the class it is drawn in."""
    report = report_of(run)
    if report is None:
        yield "There is no report.", "sentence"
        return
    yield report.sentence, "sentence"
    if report.recall is not None:
        yield f"Recall: {report.recall.taught:,} of {report.recall.asked:,} taught questions as taught", "heading"
        yield report.recall.details, "detail"
    if report.languages:
        yield f"{'Measure':<11}{run.parent:>8}{run.candidate or '':>8}{'change':>9}", "table-head"
    for language in report.languages:
        yield from _language(language)
    counts = [(report.count(outcome), f"{mark} {report.count(outcome)} {outcome}") for outcome, mark in MARKS.items()]
    if told := [words for count, words in counts if count]:
        yield f"Corrections: {', '.join(told)}", "heading"
    if report.drift is not None:
        yield report.drift.sentence, "detail"
    if report.exposure is not None:
        yield report.exposure.sentence, "warning" if report.exposure.high else "detail"
    if report.risk is not None:
        head, *lines = risk_lines(report.risk, run.parent, run.candidate or Version(""))
        yield head, "table-head"
        yield from ((line, "fact") for line in lines)
        yield report.risk.sentence(run.parent, run.candidate or "the candidate"), "detail"
    for trouble in report.troubles:
        yield f"! {trouble.finding}", "warning"
        yield f"  {trouble.advice}", "fact"


def _language(language: LanguageReport) -> Iterator[tuple[str, str]]:
    for name, metric, measure in MEASURES:
        old, new = measure(language.active), measure(language.candidate)
        row = f"{language.lang + ' ' + name:<11}{old:>8.1f}{new:>8.1f}{round(new - old, 1) + 0.0:>+9.1f}"
        yield f"{row}   {_interval(language)}".rstrip() if metric == language.metric else row, "fact"
    pairs = "1 held-out pair" if language.n == 1 else f"{language.n} held-out pairs"
    answers = f" with {counted(language.clusters, 'answer')}" if 0 < language.clusters < language.n else ""
    signature = language.active.signature
    yield f"on {pairs}{answers}" + (f"; {signature}" if signature else ""), "detail"
    if language.clusters:
        likely = f": {chance(language.p)}" if language.p < EVEN else ""
        yield f"{changes_phrase(language.better, language.worse)}{likely}", "detail"
    if language.note:
        yield f"! {language.note}", "warning"


def _interval(language: LanguageReport) -> str:
    """Where the difference may really lie, where that is known."""
    if language.low is None or language.high is None:
        return ""
    return f"{language.low:+.1f} to {language.high:+.1f}"
