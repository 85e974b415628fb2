"""The engine that the apps and commands of a desk share."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from bot.engines.shared.finding import look
from bot.engines.shared.words import Welcome
from store.desk import Desk
from store.text import counted
from tui.core.doctor.check import Check


def engine(desk: Desk) -> Check:
    """Which one runs, and how many use it."""
    with ThreadPoolExecutor(1) as beside:  # the doctor may be asked inside an event loop
        found = beside.submit(asyncio.run, look(desk.home.engine)).result()
    if not found:
        return Check("engine", True, "None runs. The first app or command that asks the bot starts it.")
    return Check("engine", True, " ".join(_words(one) for one in found))


def _words(host: Welcome) -> str:
    users = f"Process {host.pid} serves {counted(host.clients, 'client')} (apps, browser tabs, commands, a run's check)"
    if host.facts is None:
        return f"{users}; no model is loaded."
    versions = f", with {', '.join(host.ready)} ready" if host.ready else ""
    return f"{users} with one copy of the model ({host.facts.model_type} in {host.facts.quantization}){versions}."
