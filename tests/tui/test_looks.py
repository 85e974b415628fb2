"""Every screen in three themes and at widths from 60 to 250 columns: text that can be read, nothing that breaks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.color import Color
from textual.color import Color as Shade
from textual.containers import ScrollableContainer
from textual.pilot import Pilot
from textual.scroll_view import ScrollView
from textual.widget import Widget
from textual.widgets import DataTable, Log

from store.runs import RunLock
from tests.opened import store_of
from tests.tui import scenes
from tests.tui.helpers import ready, screen_text, shows, wait_until
from tests.tui.places import MOMENTS, PLACES, back, every_screen, furnish, go
from tui.app import DeskloopApp
from tui.core import OpenDesk
from tui.widgets.keybar import KeyBar

THEMES = {"textual-dark": 3.0, "textual-light": 3.0, "deskloop-high-contrast": 4.5}
WIDTHS = (60, 79, 250)  # the pictures are at 80, 100 and 160


async def look(app: DeskloopApp, pilot: Pilot[None], name: str) -> None:
    """The screen that is there, in every theme and at every width."""
    for theme, least in THEMES.items():
        app.theme = theme
        if name == "palette":  # keeps the colours with which it was opened
            await back(app, pilot)
            await go(app, pilot, PLACES[name])
        await pilot.pause()
        assert not list(faint(app, least)), f"{name}, {theme}: {list(faint(app, least))}"
    for width in WIDTHS:
        await pilot.resize_terminal(width, 24)
        await pilot.pause()
        assert not list(broken(app)), f"{name}, {width} columns: {list(broken(app))}\n{screen_text(app)}"
    await pilot.resize_terminal(100, 30)


# Several in one app: it is the opening of the app that takes long.
ROUNDS = [list(PLACES)[first::6] for first in range(6)]


@pytest.mark.parametrize("names", ROUNDS, ids=["-".join(names[:2]) for names in ROUNDS])
async def test_a_screen_can_be_read_in_every_theme_and_at_every_width(bare: OpenDesk, names: list[str]) -> None:
    furnish(bare)
    app = DeskloopApp(bare)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        for name in names:
            await go(app, pilot, PLACES[name])
            await look(app, pilot, name)
            await back(app, pilot)


async def test_so_can_a_run_and_what_is_shown_at_rare_moments(bare: OpenDesk) -> None:
    furnish(bare)
    lock = RunLock(bare.home)
    assert lock.acquire()
    scenes.train(store_of(bare))
    app = DeskloopApp(bare)
    async with app.run_test(size=(100, 30)) as pilot:
        await ready(app, pilot)
        await wait_until(pilot, lambda: shows(app, "step 25 of 40"))
        await look(app, pilot, "a run in the chat")
        await pilot.press("f6")
        await wait_until(pilot, lambda: shows(app, "1:35 left"))
        await look(app, pilot, "a run")
        await back(app, pilot)
        for name, make in MOMENTS.items():
            screen = make("It may take a minute; nothing is lost.")
            await app.push_screen(screen)
            await look(app, pilot, name)
            await screen.dismiss(None)
    lock.release()


def test_no_screen_is_left_out() -> None:
    seen = {place.screen for place in PLACES.values()} | {type(make("text")) for make in MOMENTS.values()}
    assert every_screen() - seen == set()


def faint(app: DeskloopApp, least: float) -> Iterator[str]:
    """What is written with less contrast than *least*, but for what is disabled."""
    for y, strip in enumerate(app.screen._compositor.render_strips(app.size)):
        x = 0
        for segment in strip:
            style, place, x = segment.style, x, x + segment.cell_length
            if style is None or not any(character.isalnum() for character in segment.text):
                continue
            if style.color is None or style.bgcolor is None or disabled(app, place, y):
                continue
            contrast = ratio(style.color, style.bgcolor, dim=bool(style.dim))
            if contrast < least:
                colours = f"{style.color.name} on {style.bgcolor.name}"
                yield f"{segment.text.strip()!r}: {contrast:.1f} at {place},{y} ({colours})"


def ratio(text: Color, ground: Color, *, dim: bool) -> float:
    """The contrast of two colours as WCAG has it."""
    over, under = (Shade.from_rich_color(color) for color in (text, ground))
    if dim:
        over = over.blend(under, 0.5)
    lights = sorted(luminance(shade) + 0.05 for shade in (over, under))
    return lights[1] / lights[0]


def luminance(shade: Shade) -> float:
    """WCAG's relative luminance."""
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in shade.normalized]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def disabled(app: DeskloopApp, x: int, y: int) -> bool:
    """Whether what is drawn there can't be used: it says so, or a dialog lies over it."""
    widget, _ = app.screen.get_widget_at(x, y)
    return widget is app.screen or any(
        node.disabled for node in widget.ancestors_with_self if hasattr(node, "disabled")
    )


def broken(app: DeskloopApp) -> Iterator[str]:
    """What doesn't fit on the screen."""
    whole = app.screen.region
    for widget in app.screen.walk_children(Widget):
        region = widget.region
        scrolled = any(isinstance(node, ScrollableContainer | ScrollView) for node in widget.ancestors)
        if not widget.display or region.area == 0 or not widget.is_on_screen:
            continue
        if region.right > whole.right or region.x < 0 or (not scrolled and region.bottom > whole.bottom):
            yield f"{widget!r} reaches to {region}"
        if widget.show_horizontal_scrollbar and not isinstance(widget, DataTable | Log):
            yield f"{widget!r} scrolls sideways"
    for bar in app.screen.query(KeyBar):
        for child in bar.children:
            if child.region.right > whole.right:
                yield f"{child!r} is cut"
