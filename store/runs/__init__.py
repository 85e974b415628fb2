"""Runs: their states, data, events and reports (``runs``), and the recipes that operators named (``recipes``)."""

from store.runs.runs import LIVE, OVER, RunAlreadyLive, RunLock, Runs, WrongTransition

__all__ = ["LIVE", "OVER", "RunAlreadyLive", "RunLock", "Runs", "WrongTransition"]
