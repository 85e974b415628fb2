"""What the keys that are the app's do: each begins a flow."""

from __future__ import annotations

from textual import on

from tui import requests as ask
from tui.core.open_desk import OpenDesk
from tui.flows import begin
from tui.flows.stage import Stage
from tui.messages import Requested
from tui.screens.help import HelpDialog
from tui.terminal.app import TerminalApp


class ActionsApp(TerminalApp[None]):
    """The actions of the app, and what screens ask for."""

    desk: OpenDesk
    stage: Stage

    def request(self, request: ask.Request) -> None:
        """Begin the flow of *request*."""
        begin(self.stage, request)

    @on(Requested)
    def _requested(self, event: Requested) -> None:
        self.request(event.request)

    def action_help(self) -> None:
        """What the keys do here."""
        if not isinstance(self.screen, HelpDialog):
            self.push_screen(HelpDialog(self.screen))

    def action_leave(self) -> None:
        """Leave; a live run is asked about first."""
        self.request(ask.Leave())

    def action_retrain(self) -> None:
        """Teach the bot what was corrected."""
        self.request(ask.Retrain())

    def action_training(self) -> None:
        """How the retraining is going."""
        self.request(ask.ShowTraining())

    def action_roll_back(self) -> None:
        """Go back to the previous version."""
        self.request(ask.RollBack())

    def action_history(self) -> None:
        """The versions' numbers as a picture."""
        self.request(ask.ShowHistory())

    def action_review(self) -> None:
        """Judge the replies that nobody has judged yet."""
        self.request(ask.Review())

    def action_pairs(self) -> None:
        """What the bot learns from."""
        self.request(ask.ShowPairs())

    def action_conflicts(self) -> None:
        """Questions with more than one answer."""
        self.request(ask.ShowConflicts())

    def action_import_file(self) -> None:
        """Pairs or conversations from a file."""
        self.request(ask.ImportFile())

    def action_runs(self) -> None:
        """Every run of this desk."""
        self.request(ask.ShowRuns())

    def action_recipe(self) -> None:
        """The recipe of the next retraining."""
        self.request(ask.EditRecipe())

    def action_settings(self) -> None:
        """The desk's settings."""
        self.request(ask.ShowSettings())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys show up when they can do something."""
        match action:
            case "retrain":
                return self.desk.runs.live is None
            case "training":
                return self.desk.runs.latest() is not None
            case "roll_back":
                return self.desk.promotions.target is not None
        return True
