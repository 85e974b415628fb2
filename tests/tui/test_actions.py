"""Every key names a method, every request has a flow, and what can be pressed can be found by name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from textual import actions
from textual.binding import Binding
from textual.dom import DOMNode

import tui
from tui import requests
from tui.app import DeskloopApp
from tui.flows import FLOWS
from tui.keys import PLACES
from tui.screens.chat import ChatScreen


def kinds_of(root: type[Any]) -> Iterator[type[Any]]:
    """Every kind of *root*, also kinds of kinds."""
    for kind in root.__subclasses__():
        yield kind
        yield from kinds_of(kind)


def every_owner() -> list[type[DOMNode]]:
    """The app, screens and widgets of deskloop that have keys."""
    for room in ("screens", "widgets"):
        for module in pkgutil.iter_modules([f"{tui.__path__[0]}/{room}"]):
            importlib.import_module(f"tui.{room}.{module.name}")
    found = {kind for kind in kinds_of(DOMNode) if kind.__module__.startswith("tui.") and vars(kind).get("BINDINGS")}
    return sorted(found, key=lambda kind: kind.__name__)


def own_keys(owner: type[DOMNode]) -> list[Binding]:
    return [binding for binding in owner.BINDINGS if isinstance(binding, Binding)]


@pytest.mark.parametrize("owner", every_owner())
def test_the_action_of_every_key_is_a_method(owner: type[DOMNode]) -> None:
    places: dict[str, type[DOMNode]] = {"": owner, "app": DeskloopApp, "screen": ChatScreen}
    for binding in own_keys(owner):
        place, name, _ = actions.parse(binding.action)
        assert callable(getattr(places[place], f"action_{name}", None)), f"{binding.id}: {binding.action}"


def test_every_key_of_the_table_is_in_force_somewhere() -> None:
    used = {binding.id for owner in every_owner() for binding in own_keys(owner)}
    assert {binding.id for keys in PLACES.values() for binding in keys} <= used


def test_no_two_actions_of_one_place_share_a_name() -> None:
    for place, keys in PLACES.items():
        names = [binding.id for binding in keys]
        assert len(names) == len(set(names)), place


def test_every_request_has_a_flow() -> None:
    assert set(FLOWS) == {kind for kind in kinds_of(requests.Request) if not kind.__subclasses__()}
