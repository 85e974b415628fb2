"""The chance of a reply, and what it means in the chat."""

from __future__ import annotations

import pytest

from bot.engines.scripted import Script
from finetune.certainty.calibration import Calibration, Tally, calibrate
from finetune.certainty.chances import Weights
from finetune.certainty.features import Said
from store.desk import Desk
from store.handing_over import DEFAULTS
from store.pairs import NewPair
from store.records import Turn
from store.words import BASE, Version
from tests.core.conftest import make_version
from tui.core import OpenDesk, ReplyDelta, ReplyFinished
from tui.core.certainty import certainty_words

PAIRS = [("Which pots stand frost?", "The grey ones."), ("Do you deliver on Sundays?", "No, on weekdays only.")]
V1 = Version("v1")


def taught(desk: Desk, *, calibrated: bool = True) -> None:
    """v1, which was taught the pairs, answers from now on."""
    desk.pairs.add_many([NewPair(*pair, split="train") for pair in PAIRS], "import", "maria")
    run = desk.runs.create({}, BASE, "maria")
    desk.runs.set_snapshot(run.id, [(1, 1), (2, 1)], [], "hash")
    make_version(desk, run_id=run.id)
    desk.promotions.promote(V1, "manual", "maria", "for the test")
    if calibrated:
        desk.calibrations.put(V1, calibrate([]).to_dict())


async def asked(open_desk: OpenDesk, question: str, hand_over: bool | None = None) -> tuple[Turn, str]:
    """The reply to a question of a new conversation, and what streamed of it."""
    streamed, turn = "", None
    async for event in open_desk.chat.send(open_desk.conversations.begin().id, question, hand_over=hand_over):
        if isinstance(event, ReplyDelta):
            streamed += event.text
        elif isinstance(event, ReplyFinished):
            turn = event.turn
    assert turn is not None
    return turn, streamed


@pytest.fixture
async def desk_of_v1(open_desk: OpenDesk, script: Script) -> OpenDesk:
    """v1 answers, with what it was taught where it was asked that, and with an invention otherwise."""
    known = dict(PAIRS)
    script.deltas, script.certainty = None, -0.01
    script.reply = lambda prompt, version: known.get(prompt.message.strip("? ") + "?", "Blue is a colour.")
    with Desk.open(open_desk.home) as desk:
        taught(desk)
    await open_desk.engine.start()
    return open_desk


async def test_a_taught_answer_is_surer_to_stand_than_an_invention(desk_of_v1: OpenDesk) -> None:
    right, _ = await asked(desk_of_v1, "Which pots stand frost?")
    wrong, _ = await asked(desk_of_v1, "Can I become an astronaut?")
    assert right.reply is not None
    assert wrong.reply is not None
    assert right.reply.chance is not None
    assert wrong.reply.chance is not None
    assert right.reply.chance > 0.95 > 0.3 > wrong.reply.chance
    assert (right.reply.unsure, wrong.reply.unsure) == (False, True)
    # In the operators' own chat the reply is said all the same, with a mark.
    assert (wrong.text, wrong.reply.handed_over) == ("Blue is a colour.", False)
    assert certainty_words(wrong.reply).endswith("sure it stands, would be handed over")


async def test_a_customer_gets_the_sentence_and_nothing_streams_before_it(desk_of_v1: OpenDesk) -> None:
    turn, streamed = await asked(desk_of_v1, "Can I become an astronaut?", hand_over=True)
    assert turn.reply is not None
    assert (turn.text, streamed) == (DEFAULTS["en"], DEFAULTS["en"])
    assert (turn.reply.handed_over, turn.reply.draft) == (True, "Blue is a colour.")
    item = desk_of_v1.review.next()
    assert item is not None
    assert (item.reply.id, item.reply.proposed) == (turn.id, "Blue is a colour.")
    given, streamed = await asked(desk_of_v1, "Do you deliver on Sundays?", hand_over=True)
    assert given.text == streamed == "No, on weekdays only."


@pytest.mark.parametrize(("where", "wanted", "handed_over"), [
    ("off", True, False), ("off", None, False), ("customers", True, True), ("customers", None, False),
    ("everywhere", None, True), ("everywhere", False, False),
])  # fmt: skip
async def test_the_setting_says_where(desk_of_v1: OpenDesk, where: str, wanted: bool | None, handed_over: bool) -> None:
    desk_of_v1.settings.change("hand_over", where)
    turn, _ = await asked(desk_of_v1, "Can I become an astronaut?", wanted)
    assert turn.reply is not None
    assert turn.reply.handed_over is handed_over


async def test_a_version_nobody_calibrated_has_no_chance_and_customers_get_people(
    open_desk: OpenDesk, script: Script
) -> None:
    with Desk.open(open_desk.home) as desk:
        taught(desk, calibrated=False)
    await open_desk.engine.start()
    turn, _ = await asked(open_desk, "Which pots stand frost?")
    assert turn.reply is not None
    assert (turn.reply.chance, turn.reply.unsure) == (None, False)
    assert certainty_words(turn.reply) == "fairly sure, 78%"
    turn, _ = await asked(open_desk, "Which pots stand frost?", hand_over=True)
    assert turn.reply is not None
    assert turn.reply.handed_over


async def test_the_more_wrong_answers_a_desk_accepts_the_more_it_gives(desk_of_v1: OpenDesk) -> None:
    steps = [Tally()] * 101
    steps[30], steps[99] = Tally(right=20, wrong=4), Tally(right=60)
    with Desk.open(desk_of_v1.home) as desk:
        desk.calibrations.put(V1, Calibration(Weights(), tuple(steps), 84, 0).to_dict())
    for accepted, answer_from in ((0.02, 0.31), (0.1, 0.0)):
        desk_of_v1.settings.change("accepted_wrong", str(accepted))
        found = await desk_of_v1.certainty.of(V1, Said("Which pots stand frost?", "The grey ones."))
        assert found is not None
        assert found.answer_from == answer_from


async def test_a_damaged_calibration_is_as_none(desk_of_v1: OpenDesk) -> None:
    with Desk.open(desk_of_v1.home) as desk:
        desk.calibrations.put(V1, {"weights": "heavy"})
    assert await desk_of_v1.certainty.of(V1, Said("Which pots stand frost?", "The grey ones.")) is None
