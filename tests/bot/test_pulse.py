"""An engine that hangs is told from one that computes."""

from __future__ import annotations

from bot.pulse import BEAT, IDLE_BEATS, LOADING_FACTOR, SILENT_BEATS, STOPPING_BEATS, STOPPING_SILENT_BEATS, Pulse


def findings(beats: int, *, says: float | None = None, **state: bool) -> list[str]:
    """What is found at each of *beats*. *says*: the share of a processor that every answer tells of; None: silence."""
    felt, processor = Pulse(), 1.0
    found: list[str] = []
    felt.heard(processor)
    state = {"busy": True, "loading": False, "stopping": False} | state
    for _ in range(beats):
        found.append(felt.look(**state))
        if says is not None:
            processor += says * BEAT
            felt.heard(processor)
    return found


def test_silence_is_a_hang_also_without_a_request() -> None:
    for busy in (True, False):
        assert findings(SILENT_BEATS + 1, busy=busy) == ["well"] * SILENT_BEATS + ["hung"]


def test_silence_while_weights_are_read_is_borne_for_longer() -> None:
    longest = SILENT_BEATS * LOADING_FACTOR
    assert findings(longest + 1, loading=True) == ["well"] * longest + ["hung"]


def test_who_waits_for_an_end_waits_less() -> None:
    assert findings(STOPPING_SILENT_BEATS + 1, stopping=True) == ["well"] * STOPPING_SILENT_BEATS + ["hung"]


def test_a_long_computation_is_no_hang() -> None:
    assert set(findings(10_000, says=0.9)) == {"well"}
    assert set(findings(10_000, says=0.02)) == {"well"}  # beside something that takes the processors


def test_a_computation_that_does_not_stop_is_one() -> None:
    assert findings(STOPPING_BEATS + 1, says=0.9, stopping=True) == ["well"] * STOPPING_BEATS + ["hung"]


def test_a_request_that_computes_nothing_is_stuck() -> None:
    assert findings(IDLE_BEATS + 1, says=0.0)[-2:] == ["well", "stuck"]
    assert set(findings(10 * IDLE_BEATS, says=0.0, busy=False)) == {"well"}  # an engine that waits for work


def test_words_are_signs_of_life() -> None:
    felt = Pulse()
    for _ in range(10 * IDLE_BEATS):
        assert felt.look(busy=True, loading=False, stopping=False) == "well"
        felt.heard()
