"""What takes more than one dialog. Each story runs as a worker of the app, so that it outlives its screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from store.settings import Settings
from store.words import Version
from tui.core import DeskService
from tui.flows.comparing import compare, show_details
from tui.flows.conversations import archive, export_conversation, rename
from tui.flows.data import import_file
from tui.flows.forgetting import forget
from tui.flows.opening import first_minutes, leave
from tui.flows.pairs import (
    both_are_fine,
    clear_pairs,
    edit_pair,
    exclude_pairs,
    filter_pairs,
    keep_answer,
    pair_story,
    pin_pairs,
    redact_pairs,
    restore_pairs,
    show_conflicts,
    show_pairs,
    tag_pairs,
)
from tui.flows.retraining import cancel_run, edit_recipe, retrain, show_runs, show_training, show_verdict, stop_run
from tui.flows.reviewing import review
from tui.flows.settings import change_settings, follow_settings
from tui.flows.stage import Host, Stage
from tui.flows.versions import activate, roll_back, show_history, show_report, show_versions

STORIES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "archive": archive,
    "both_are_fine": both_are_fine,
    "cancel_run": cancel_run,
    "clear_pairs": clear_pairs,
    "compare": compare,
    "conflicts": show_conflicts,
    "details": show_details,
    "edit_pair": edit_pair,
    "exclude_pairs": exclude_pairs,
    "export_conversation": export_conversation,
    "filter_pairs": filter_pairs,
    "forget": forget,
    "history": show_history,
    "import_file": import_file,
    "keep_answer": keep_answer,
    "leave": leave,
    "pair_story": pair_story,
    "pairs": show_pairs,
    "pin_pairs": pin_pairs,
    "recipe": edit_recipe,
    "redact_pairs": redact_pairs,
    "rename": rename,
    "report": show_report,
    "restore_pairs": restore_pairs,
    "retrain": retrain,
    "review": review,
    "roll_back": roll_back,
    "runs": show_runs,
    "settings": change_settings,
    "start": first_minutes,
    "stop_run": stop_run,
    "tag_pairs": tag_pairs,
    "training": show_training,
    "verdict": show_verdict,
    "versions": show_versions,
}


class Flows:
    """Tells the stories of one app, none of them twice at a time."""

    def __init__(self, app: Host, service: DeskService) -> None:
        self._stage = Stage(app, service)

    def tell(self, story: str) -> None:
        """Begin the story called *story*, unless it is being told."""
        self._stage.tell(story, STORIES[story](self._stage))

    def activate(self, version: Version) -> None:
        """Let another version answer."""
        self._stage.tell("activate", activate(self._stage, version))

    def run_ended(self, run_id: int) -> None:
        """A run is over: say how, unless that would disturb somebody who is writing."""
        self._stage.tell("verdict", show_verdict(self._stage, run_id, asked=False))

    def settings_changed(self, before: Settings, after: Settings) -> None:
        """The settings changed while nobody looked at them."""
        self._stage.tell("follow_settings", follow_settings(self._stage, before, after))
