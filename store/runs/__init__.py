"""Runs: their states, data, events and reports (``runs``), and the recipes that operators named (``recipes``)."""

from store.runs.runs import RunLock, Runs
from store.runs.states import LIVE, OVER, RunAlreadyLive, WrongTransition

__all__ = ["LIVE", "OVER", "RunAlreadyLive", "RunLock", "Runs", "WrongTransition"]
