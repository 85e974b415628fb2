"""Retraining on screen, by real keys: leaving a run, following it, its history, recipes and advice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from textual.widgets import Input, Select

from finetune.preflight import Preflight, preflight
from finetune.recipe import Recipe, RecipeError
from store.desk import Desk
from store.errors import DeskError
from store.pairs import NewPair
from store.runs import RunLock
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import ready, screen_text, shows, told, wait_until
from tui.app import DeskloopApp
from tui.core import OpenDesk, RunProgress
from tui.core.recipes import recipe_from
from tui.messages import DeskChanged
from tui.screens.preflight import PreflightDialog
from tui.screens.recipe_form import ChooseRecipe, RecipeForm
from tui.screens.runs import RunsScreen
from tui.screens.training import TrainingScreen
from tui.widgets.run_log import RunLog
from tui.widgets.status import RunLine


class OwnRun:
    """The process of a run that this app started, as far as the app knows it."""

    def __init__(self, open_desk: OpenDesk, run_id: int, lock: RunLock) -> None:
        self.open_desk, self.run_id, self.lock, self.detached = open_desk, run_id, lock, False

    def detach(self) -> None:
        self.detached = True

    async def interrupt(self) -> None:
        store_of(self.open_desk).runs.transition(self.run_id, "interrupted")


@pytest.fixture
def live(open_desk: OpenDesk) -> Iterator[OwnRun]:
    """A run of this app's in mid-training."""
    lock = RunLock(open_desk.home)
    assert lock.acquire()
    own = OwnRun(open_desk, scenes.train(store_of(open_desk)), lock)
    open_desk.runs._own = own  # type: ignore[assignment]
    yield own
    lock.release()


@pytest.mark.parametrize(
    ("keys", "state", "detached"),
    [(("enter",), "training", True), (("tab", "enter"), "interrupted", False)],
    ids=["keep", "stop"],
)
async def test_leaving_asks_what_becomes_of_the_run(
    app: DeskloopApp, live: OwnRun, keys: tuple[str, ...], state: str, detached: bool
) -> None:
    states = []
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+q")
        await wait_until(pilot, lambda: shows(app, "Keep it running"))
        await pilot.press("escape")  # stays
        await wait_until(pilot, lambda: app.screen is app.chat)
        await pilot.press("ctrl+q")
        await wait_until(pilot, lambda: shows(app, "Keep it running"))
        await pilot.press(*keys)
        await wait_until(pilot, lambda: app._exit)
        states.append(store_of(live.open_desk).runs.get(live.run_id).state)
    assert states == [state]
    assert live.detached is detached


async def test_another_apps_run_is_not_asked_about(app: DeskloopApp, live: OwnRun, open_desk: OpenDesk) -> None:
    open_desk.runs._own = None
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+q")
        await wait_until(pilot, lambda: app._exit)
        assert store_of(open_desk).runs.get(live.run_id).state == "training"


async def test_another_apps_run_is_stopped_from_the_training_screen(
    app: DeskloopApp, live: OwnRun, open_desk: OpenDesk
) -> None:
    open_desk.runs._own = None
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("f6")
        await wait_until(pilot, lambda: shows(app, "S Stop the run"))
        await pilot.press("s")
        await wait_until(pilot, lambda: shows(app, "Stop the retraining?"))
        await pilot.press("enter")
        await wait_until(pilot, lambda: store_of(open_desk).runs.wished(live.run_id) is not None)
        store_of(open_desk).runs.transition(live.run_id, "interrupted")
        await wait_until(pilot, lambda: open_desk.runs.live is None)


async def test_a_held_version_is_told_with_its_reason_as_the_run_ends(
    app: DeskloopApp, live: OwnRun, open_desk: OpenDesk
) -> None:
    open_desk.runs._own = None
    why = "v9 is held: another version was activated in the meantime"
    async with app.run_test(size=(120, 30)) as pilot:
        await ready(app, pilot)
        await pilot.press("f6")
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        runs = store_of(open_desk).runs
        runs.transition(live.run_id, "evaluating")
        body = {"version": "v9", "verdict": "promote", "sentence": "v9 passed.", "languages": []}
        runs.add_event(live.run_id, "verdict", body)
        runs.transition(live.run_id, "held")
        runs.add_event(live.run_id, "done", {"run": live.run_id, "state": "held", "version": "v9"})
        await wait_until(pilot, lambda: why in str(app.chat.query_one(RunLine).render()))
        app.screen_stack[1].dismiss(None)  # the report, which came by itself
        await wait_until(pilot, lambda: shows(app, f"{why}."))


@pytest.mark.parametrize(("unloads", "words"), [(True, "waits: its memory"), (False, "the chat goes on meanwhile")])
async def test_the_preflight_says_what_becomes_of_the_chat(
    app: DeskloopApp, open_desk: OpenDesk, unloads: bool, words: str
) -> None:
    found = replace(await open_desk.runs.preflight(Recipe()), unload_engine=unloads)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        app.push_screen(PreflightDialog(found, "the defaults"))
        await wait_until(pilot, lambda: shows(app, words))


async def test_f5_looks_at_the_desk_once_and_starts_what_was_shown(
    app: DeskloopApp, open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    news = [NewPair(f"Question {number}?", f"Answer {number}.", split="train") for number in range(20)]
    store_of(open_desk).pairs.add_many(news, "import", "ann")
    looked: list[Recipe] = []
    started: list[Recipe] = []

    def look(desk: Desk, recipe: Recipe) -> Preflight:
        looked.append(recipe)
        return preflight(desk, recipe)

    async def start_run(desk: Desk, recipe: Recipe, who: str) -> None:
        started.append(recipe)
        raise DeskError("Not today.")

    monkeypatch.setattr("tui.core.runs.preflight", look)
    monkeypatch.setattr("finetune.run.client.start_run", start_run)
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("f5")
        await wait_until(pilot, lambda: shows(app, "Pairs to learn from"))
        assert started == []
        await pilot.press("enter")
        await wait_until(pilot, lambda: told(app, "Not today."))
    assert started == looked == [Recipe()]


async def test_one_key_holds_out_more_tests_and_another_undoes_it(app: DeskloopApp, open_desk: OpenDesk) -> None:
    pairs = store_of(open_desk).pairs
    pairs.add_many([NewPair(f"When, {i}?", f"At {i % 9}.", split="train") for i in range(27)], "import", "ann")
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("f5")
        await wait_until(pilot, lambda: shows(app, "Held out for the check 0: T holds out more"))
        await pilot.press("u")  # nothing to undo yet
        await pilot.press("t")
        await wait_until(pilot, lambda: shows(app, "Held out for the check 9"))
        assert shows(app, "9 held-out pairs with 9 different answers can't")
        assert told(app, "9 questions held out for the check and no longer trained on: 9 pairs by now.")
        await pilot.press("t")
        await wait_until(pilot, lambda: told(app, "There is nothing to hold out"))
        await wait_until(pilot, lambda: isinstance(app.screen, PreflightDialog))
        assert pairs.count(split="heldout") == 9
        await pilot.press("u")
        await wait_until(pilot, lambda: shows(app, "Held out for the check 0"))
        assert pairs.count(split="heldout") == 0


async def test_the_log_is_searched(app: DeskloopApp, live: OwnRun, open_desk: OpenDesk) -> None:
    open_desk.runs._own = None
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("f6")
        await wait_until(pilot, lambda: shows(app, "held-out pairs") and shows(app, "ends an epoch"))
        log = app.screen.query_one(RunLog)
        await pilot.press("slash", *"HELD-out", "enter")
        await wait_until(pilot, lambda: shows(app, "Line 2 of 2 with “held-out”"))
        last = log.highlighted
        await pilot.press("N")
        await wait_until(pilot, lambda: shows(app, "Line 1 of 2"))
        assert log.highlighted != last
        await pilot.press("n", "n")
        await wait_until(pilot, lambda: shows(app, "Line 1 of 2"))
        await pilot.press("slash", *"xyz", "enter")
        await wait_until(pilot, lambda: shows(app, "No line contains"))
        await pilot.press("slash", "escape")
        assert isinstance(app.screen, TrainingScreen)  # out of the search, not of the screen
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is app.chat)


async def test_the_history_opens_any_run_and_shows_what_differs(app: DeskloopApp, open_desk: OpenDesk) -> None:
    scenes.history(store_of(open_desk))
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("ctrl+g")
        await wait_until(pilot, lambda: shows(app, "Runs of this desk") and shows(app, "21.4 → 63.9"))
        await pilot.press("down", "down", "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen) and shows(app, "Run 1, by jo"))
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await pilot.press("space", "up", "up", "d")  # run 1 is still the one in the cursor
        await wait_until(pilot, lambda: shows(app, "Recipes of run 1 and run 3"))
        text = screen_text(app)
        assert text.index("≠ r ") < text.index("≠ learning_rate") < text.index("The same") < text.index("alpha")
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await pilot.press("x")
        await wait_until(pilot, lambda: shows(app, "Discard run 3?"))
        await pilot.press("escape")
        await wait_until(pilot, lambda: isinstance(app.screen, RunsScreen))
        assert store_of(open_desk).runs.get(3).state == "failed"


async def test_a_recipe_is_changed_saved_and_used(app: DeskloopApp, open_desk: OpenDesk) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("f5")
        await wait_until(pilot, lambda: shows(app, "the defaults"))
        await pilot.press("tab", "enter")
        await wait_until(pilot, lambda: shows(app, "Recipe: the defaults, the one that F5 uses"))
        rank = app.screen.query_one("#set-r", Input)
        rank.focus()
        await pilot.press("end", "backspace", "backspace", "x")
        await wait_until(pilot, lambda: shows(app, "r must be a whole number, not 'x'."))
        await pilot.press("f2")
        await wait_until(pilot, lambda: any("Nothing was saved" in note.message for note in app._notifications))
        await pilot.press("backspace", "8")
        await wait_until(pilot, lambda: shows(app, "≠ r [changed; usual: 16]"))
        objective = app.screen.query_one("#set-objective", Select)
        objective.focus()
        await pilot.press("enter", "down", "enter")
        await wait_until(pilot, lambda: shows(app, "≠ objective [changed; usual: sft]"))
        await pilot.press("f2")
        await wait_until(pilot, lambda: shows(app, "Under which name?"))
        await pilot.press(*"small", "enter")
        await wait_until(pilot, lambda: isinstance(app.screen, RecipeForm) and shows(app, "Recipe: small"))
        values = store_of(open_desk).recipes.get("small").values
        assert (values["r"], values["objective"]) == (8, "edits")
        await pilot.press("f5")
        await wait_until(pilot, lambda: open_desk.settings.now.recipe == "small")
        await pilot.press("f3")
        await wait_until(pilot, lambda: shows(app, "● small"))
        await pilot.press("escape", "escape")
        await wait_until(pilot, lambda: shows(app, "Pairs to learn from") and shows(app, "Recipe small"))
        assert recipe_from(store_of(open_desk)).r == 8
        assert recipe_from(store_of(open_desk), changes=["r=4"]).r == 4
        store_of(open_desk).recipes.delete("small")
        with pytest.raises(RecipeError, match="no recipe named 'small'"):
            recipe_from(store_of(open_desk))


async def test_a_named_recipe_is_deleted_unless_it_is_in_use(app: DeskloopApp, open_desk: OpenDesk) -> None:
    for name in ("small", "large"):
        store_of(open_desk).recipes.save(name, {"r": 8}, "maria")
    open_desk.settings.change("recipe", "small")
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await pilot.press("f5")
        await wait_until(pilot, lambda: shows(app, "Recipe small"))
        await pilot.press("tab", "enter")
        await wait_until(pilot, lambda: shows(app, "Recipe: small, the one that F5 uses"))
        await pilot.press("f4")
        await wait_until(pilot, lambda: told(app, "F5 uses this recipe."))
        await pilot.press("f3")
        await wait_until(pilot, lambda: isinstance(app.screen, ChooseRecipe) and shows(app, "large"))
        await pilot.press("home", "down", "enter")
        await wait_until(pilot, lambda: shows(app, "Recipe: large"))
        await pilot.press("f4")
        await wait_until(pilot, lambda: shows(app, "Delete the recipe large?"))
        await pilot.press("enter")  # a hurried Enter keeps it
        await wait_until(pilot, lambda: isinstance(app.screen, RecipeForm))
        assert len(store_of(open_desk).recipes.list()) == 2
        await pilot.press("f4")
        await wait_until(pilot, lambda: shows(app, "Delete the recipe large?"))
        await pilot.press("shift+tab", "enter")
        await wait_until(pilot, lambda: shows(app, "Recipe: the defaults"))
        assert [recipe.name for recipe in store_of(open_desk).recipes.list()] == ["small"]


async def test_a_run_that_is_killed_is_told_and_where_to_go_on_with_it(
    app: DeskloopApp, live: OwnRun, open_desk: OpenDesk
) -> None:
    open_desk.runs._own = None  # another app's, as far as this one knows
    async with app.run_test(size=(80, 24)) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: shows(app, "step 25 of 40"))
        await pilot.press("f6")
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen))
        live.lock.release()  # its process is gone
        await wait_until(pilot, lambda: shows(app, "The retraining was interrupted; nothing was lost."))
        await wait_until(pilot, lambda: told(app, "was interrupted; nothing was lost. Ctrl+G resumes it"))
        await pilot.press("escape")
        await wait_until(pilot, lambda: app.screen is app.chat and not shows(app, "step 25 of 40"))


async def test_an_event_is_shown_once_however_often_it_comes(
    app: DeskloopApp, live: OwnRun, open_desk: OpenDesk
) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await pilot.press("f6")
        await wait_until(pilot, lambda: isinstance(app.screen, TrainingScreen) and shows(app, "Loading the base."))
        screen = app.screen
        assert isinstance(screen, TrainingScreen)
        lines = screen.query_one(RunLog).option_count
        for entry in open_desk.runs.stored_events(live.run_id):
            screen.post_message(DeskChanged(RunProgress(entry)))
        await pilot.pause()
        assert screen.query_one(RunLog).option_count == lines
