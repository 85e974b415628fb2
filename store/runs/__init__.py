"""Runs: each retraining, from its data to its verdict.

``runs`` holds their rows and moves them from state to state, ``states`` says which moves there are, ``lock`` tells
whether the live one's process is alive; ``wishes`` is what operators ask of it, ``events`` what it says, ``snapshots``
what it is trained on and judged by, ``reports`` what the gate found, ``recipes`` the recipes that operators named.
"""

from store.runs.lock import RunLock
from store.runs.runs import Runs
from store.runs.states import LIVE, OVER, RunAlreadyLive, WrongTransition

__all__ = ["LIVE", "OVER", "RunAlreadyLive", "RunLock", "Runs", "WrongTransition"]
