"""How sure a version is of a reply: the chance that it would be left as it stands, and what that means for it."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from dataclasses import dataclass

from finetune.certainty.calibration import Calibration
from finetune.certainty.features import Said, features_of
from finetune.certainty.nearness import Nearness, Taught
from store.desk import Desk
from store.errors import DeskError
from store.records import Reply
from store.words import BASE, Version
from tui.core.beside import Beside

# Of the geometric mean of the tokens' probabilities, where that is all there is.
SURE, UNSURE = 0.85, 0.6
KEPT = 2  # versions whose index stays in memory: the one that answers and the one before


@dataclass(frozen=True, slots=True)
class Chance:
    """``chance``: that a reply would be left as it stands; ``answer_from``: from which chance replies are given."""

    chance: float
    answer_from: float


@dataclass(frozen=True, slots=True)
class _Known:
    """What there is to judge a version's replies by. ``stamp`` changes when it does."""

    stamp: tuple[object, ...]
    calibration: Calibration
    taught: Nearness


class CertaintyDesk:
    """Makes a chance of what is known of a reply, for every version that was calibrated by its run.

    A version's index is built beside the event loop when it is first needed (about a tenth of a millisecond a pair); a
    reply takes some milliseconds in a thread."""

    def __init__(self, store: Desk, beside: Beside) -> None:
        self._store, self._beside = store, beside
        self._known: dict[Version, _Known] = {}

    async def of(self, version: Version, said: Said) -> Chance | None:
        """The chance of what *version* said; None where it was not calibrated, as the bare base never is, or where the
        desk can't be read at the moment: a reply is not lost for that."""
        known = None
        with suppress(DeskError):
            known = await self._of_version(version)
        if known is None:
            return None
        features = await asyncio.to_thread(features_of, said, known.taught)
        accepted = self._store.settings.load().accepted_wrong
        return Chance(round(known.calibration.weights.chance(features), 4), known.calibration.threshold(accepted))

    async def _of_version(self, version: Version) -> _Known | None:
        made = None if version == BASE else self._store.calibrations.stamp(version)
        if made is None:
            return None
        stamp = (made, self._store.erasing.count())
        known = self._known.get(version)
        if known is None or known.stamp != stamp:
            found = await self._beside.read(lambda store: _read(store, version))
            if found is None:
                return None
            calibration, taught = found
            known = _Known(stamp, calibration, await asyncio.to_thread(Nearness, taught))
            self._known[version] = known
            for old in [name for name in self._known if name != version][: len(self._known) - KEPT]:
                del self._known[old]
        return known


def _read(store: Desk, version: Version) -> tuple[Calibration, list[Taught]] | None:
    body, run = store.calibrations.get(version), store.versions.get(version).run_id
    if body is None or run is None:
        return None
    try:
        calibration = Calibration.from_dict(body)
    except ValueError:  # damaged: as if there were none
        return None
    return calibration, [Taught(*row) for row in store.runs.trained_on(run)]


def certainty_words(reply: Reply) -> str:
    """How sure the bot was of a reply, and what that means: "82% sure it stands". Of a version that nobody calibrated
    only how likely its words were: "unsure, 43%"."""
    if reply.chance is None:
        return _uncalibrated(reply.certainty)
    told = f"{reply.chance:.0%} sure it stands"
    if reply.handed_over:
        return f"{told}, handed over"
    return f"{told}, would be handed over" if reply.unsure else told


def _uncalibrated(certainty: float | None) -> str:
    if certainty is None:
        return "certainty not measured"
    share = math.exp(min(0.0, certainty))
    word = "sure" if share >= SURE else "unsure" if share < UNSURE else "fairly sure"
    return f"{word}, {round(100 * share)}%"
