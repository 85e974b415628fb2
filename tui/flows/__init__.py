"""What takes more than one dialog: each request of a screen has its flow here. A flow runs as a worker of the app, so
that it outlives the screen that asked for it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from tui import requests as ask
from tui.flows.comparing import compare, show_details, who_taught
from tui.flows.conversations import archive, edit_outside, export_conversation, rename
from tui.flows.data import import_file
from tui.flows.forgetting import forget
from tui.flows.judging import review
from tui.flows.opening import first_minutes, leave
from tui.flows.pairs import (
    all_are_fine,
    clear_pairs,
    edit_pair,
    exclude_pairs,
    keep_answer,
    pin_pairs,
    redact_pairs,
    restore_pairs,
    show_conflicts,
    show_pair_story,
    show_pairs,
    tag_pairs,
)
from tui.flows.retraining import (
    cancel_run,
    edit_recipe,
    report_end,
    retrain,
    show_runs,
    show_training,
    show_verdict,
    stop_run,
)
from tui.flows.settings import follow_settings, show_settings
from tui.flows.stage import Stage
from tui.flows.versions import activate, roll_back, show_history, show_report, show_versions, try_unseen

# A flow takes the stage and a request of the kind it stands beside here; that is what mypy can't see.
Flow = Callable[[Stage, Any], Coroutine[None, None, None]]
FLOWS: dict[type[ask.Request], Flow] = {
    ask.Activate: activate,
    ask.AllAreFine: all_are_fine,
    ask.Archive: archive,
    ask.Begin: first_minutes,
    ask.CancelRun: cancel_run,
    ask.ClearPairs: clear_pairs,
    ask.Compare: compare,
    ask.EditOutside: edit_outside,
    ask.EditPair: edit_pair,
    ask.EditRecipe: edit_recipe,
    ask.ExcludePairs: exclude_pairs,
    ask.ExportConversation: export_conversation,
    ask.FollowSettings: follow_settings,
    ask.Forget: forget,
    ask.ImportFile: import_file,
    ask.KeepAnswer: keep_answer,
    ask.Leave: leave,
    ask.PinPairs: pin_pairs,
    ask.RedactPairs: redact_pairs,
    ask.Rename: rename,
    ask.ReportEnd: report_end,
    ask.RestorePairs: restore_pairs,
    ask.Retrain: retrain,
    ask.Review: review,
    ask.RollBack: roll_back,
    ask.ShowConflicts: show_conflicts,
    ask.ShowDetails: show_details,
    ask.ShowHistory: show_history,
    ask.ShowPairStory: show_pair_story,
    ask.ShowPairs: show_pairs,
    ask.ShowReport: show_report,
    ask.ShowRuns: show_runs,
    ask.ShowSettings: show_settings,
    ask.ShowTraining: show_training,
    ask.ShowVerdict: show_verdict,
    ask.ShowVersions: show_versions,
    ask.StopRun: stop_run,
    ask.TagPairs: tag_pairs,
    ask.TryUnseen: try_unseen,
    ask.WhoTaught: who_taught,
}


def begin(stage: Stage, request: ask.Request) -> None:
    """Begin what *request* asks for, unless a request of its kind is being followed."""
    if isinstance(request, ask.FollowSettings) and stage.runs(ask.ShowSettings.__name__):
        return  # what changes meanwhile takes effect when the settings are left
    stage.begin(type(request).__name__, FLOWS[type(request)](stage, request))
