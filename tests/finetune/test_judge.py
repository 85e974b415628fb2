"""Asking both versions: what is cached, what is asked once, what a cancel leaves, and what a file scores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.engines.scripted import Script, ScriptedEngine
from bot.types import FAITHFUL, AdapterRef, BaseFacts, EngineError, Prompt
from finetune.gate import answers as asking
from finetune.gate.answers import CHUNK, Asker, Judge, OnAnswered, answer_key, judging_decoding, nobody
from finetune.gate.judging import Exam, evaluate_file, evaluate_versions
from finetune.gate.margins import GateMargins
from finetune.gate.questions import FileQuestion
from finetune.gate.report import GateReport
from store.desk import Desk
from store.versions import NewVersion
from store.words import BASE, Version

FACTS = BaseFacts("f" * 64, "nf4", 1, "llama", 10, 2048, 0.1, 1, 2, "cpu")
SYSTEM = "You are a customer support agent."


@dataclass(frozen=True)
class Asked:
    """A pair, as far as judging looks at it."""

    id: int
    instruction: str
    output: str = "You can track your order in your account."
    history: tuple[tuple[str, str], ...] = ()
    lang: str = "en"


def scripted(rule: Callable[[str, Prompt], str]) -> ScriptedEngine:
    """An engine that answers by rule and remembers what it was asked."""
    return Script(reply=lambda prompt, version: rule(version, prompt))(log=Path("engine.log"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with Desk.open(tmp_path) as opened:
        for number in (1, 2):
            opened.versions.add(NewVersion(number, f"{number}" * 64, FACTS.fingerprint, "qlora", {}, None))
        yield opened


def right(version: str, prompt: Prompt) -> str:
    return "You can track your order in your account."


def pairs(n: int, start: int = 0) -> list[Asked]:
    return [Asked(start + i, f"Where is order {start + i}" + "?" * (i % 7)) for i in range(n)]


async def judged(
    engine: ScriptedEngine,
    desk: Desk,
    base: BaseFacts,
    active: str,
    candidate: str,
    heldout: Sequence[Asked],
    corrections: Sequence[Asked],
    *,
    on_answered: OnAnswered = nobody,
) -> GateReport:
    """Both versions asked and judged as the desk's settings have it."""
    judge = Judge(Asker.of(desk, engine), desk, base, on_answered)
    return await evaluate_versions(judge, Version(active), Version(candidate), Exam(heldout, corrections))


async def test_both_versions_answer_the_same_questions_and_are_judged(desk: Desk) -> None:
    engine = scripted(lambda version, prompt: right(version, prompt) if version == "v2" else "No idea about that.")
    report = await judged(engine, desk, FACTS, "v1", "v2", pairs(25), pairs(2, 100))
    assert engine.made_ready == ["v1", "v2"]
    assert report.verdict == "promote"
    assert report.count("learned") == 2
    assert report.sentence.startswith("v2 is not worse than v1")
    assert [row.pair_id for row in report.answers] == [*range(25), 100, 101]
    assert {prompt.system for _, prompt in engine.script.asked} == {SYSTEM}


async def test_answers_go_to_their_own_questions_whatever_the_order_of_asking(desk: Desk) -> None:
    engine = scripted(lambda version, prompt: f"{version} {prompt.message}")
    report = await judged(engine, desk, FACTS, "base", "v1", pairs(60), [])
    for pair, row in zip(pairs(60), report.answers, strict=True):
        assert (row.before, row.after) == (f"base {pair.instruction}", f"v1 {pair.instruction}")


async def test_questions_are_asked_in_chunks_of_similar_length(desk: Desk) -> None:
    engine = scripted(right)
    await judged(engine, desk, FACTS, "base", "v1", pairs(60), [])
    assert [len(chunk) for _, chunk, _ in engine.script.batches] == [CHUNK, CHUNK, 60 - 2 * CHUNK, 60]
    lengths = [len(prompt.message) for _, chunk, _ in engine.script.batches[:3] for prompt in chunk]
    assert lengths == sorted(lengths)


async def test_references_are_the_drafts_of_all_versions_but_the_bare_base(desk: Desk) -> None:
    engine = scripted(right)
    asked = [Asked(1, "Where?", output="Here."), Asked(2, "Where?", output="There."), Asked(3, "When?", output="Now.")]
    await judged(engine, desk, FACTS, "base", "v1", asked, [])
    (_, _, base), (_, chunk, taught) = engine.script.batches
    assert base.drafts is None
    assert taught.drafts is not None
    assert {prompt.message: draft for prompt, draft in zip(chunk, taught.drafts, strict=True)} == {
        "Where?": "Here.",
        "When?": "Now.",
    }


async def test_the_active_versions_answers_are_cached_and_it_is_not_even_loaded(desk: Desk) -> None:
    first = scripted(right)
    await judged(first, desk, FACTS, "base", "v1", pairs(5), [])
    second = scripted(right)
    report = await judged(second, desk, FACTS, "v1", "v2", pairs(6), [])
    assert second.made_ready == ["v1", "v2"]
    assert [version for version, _ in second.script.asked] == ["v1"] + ["v2"] * 6  # v1 was v1's run's candidate
    third = scripted(right)
    assert (await judged(third, desk, FACTS, "v1", "v2", pairs(6), [])) == report
    assert third.made_ready == []


async def test_one_question_of_several_pairs_is_asked_once(desk: Desk) -> None:
    engine = scripted(right)
    twice = [Asked(1, "Where is it?"), Asked(2, "Where is it?"), Asked(3, "Where is it?", history=(("Hi", "Hello"),))]
    report = await judged(engine, desk, FACTS, "base", "v1", twice, [Asked(4, "Where is it?")])
    assert len(engine.script.asked) == 4  # two different prompts, two versions
    assert len(report.answers) == 4


async def test_both_versions_answers_are_cut_at_the_same_multiple_of_their_reference(desk: Desk) -> None:
    references = ["Yes.", " ".join(["word"] * 59), " ".join(["word"] * 400)]
    asked = [Asked(n, f"Question {n}?", output=text) for n, text in enumerate(references)]
    engine = scripted(right)
    report = await judged(engine, desk, FACTS, "base", "v1", asked, [])
    # twice the reference's tokens, but at least the least
    assert [most for _, _, expected in engine.script.batches for most in expected.limits or ()] == [
        report.margins.answer_least,
        120,
        802,
    ] * 2
    assert report.to_dict()["margins"]["answer_multiple"] == 2.0
    # kept under that length: another reference is another question to the cache
    again = scripted(right)
    await judged(again, desk, FACTS, "base", "v1", asked, [])
    assert again.script.asked == []
    longer = [replace(asked[1], output=" ".join(["word"] * 60)), *asked[2:]]
    await judged(again, desk, FACTS, "base", "v1", longer, [])
    assert [(version, asked.message) for version, asked in again.script.asked] == [
        ("base", "Question 1?"),
        ("v1", "Question 1?"),
    ]


async def test_one_prompt_with_two_references_has_the_longer_ones_limit(desk: Desk) -> None:
    asked = [Asked(1, "Where?", output=" ".join(["a"] * n)) for n in (49, 29)]
    engine = scripted(right)
    await judged(engine, desk, FACTS, "base", "v1", asked, [])
    assert [most for _, _, expected in engine.script.batches for most in expected.limits or ()] == [100, 100]


async def test_an_answer_that_ended_by_itself_is_known_without_a_limit_too(desk: Desk) -> None:
    await judged(scripted(right), desk, FACTS, "base", "v1", pairs(1), [])
    known = Prompt(SYSTEM, (), pairs(1)[0].instruction)
    assert desk.answers.get(answer_key(FACTS, "base", judging_decoding(desk.settings.load()), known)) is not None


def test_a_report_from_before_says_that_nothing_was_cut() -> None:
    assert GateMargins.from_dict({"margin": 2.0}).limit(10) is None


def prompt() -> Prompt:
    return Prompt(SYSTEM, (("Hi", "Hello"),), "Where is it?")


@pytest.mark.parametrize(
    "other",
    [
        lambda: answer_key(replace(FACTS, fingerprint="0" * 64), "a", FAITHFUL, prompt()),
        lambda: answer_key(replace(FACTS, quantization="bf16"), "a", FAITHFUL, prompt()),
        lambda: answer_key(replace(FACTS, device="cuda:0"), "a", FAITHFUL, prompt()),
        lambda: answer_key(FACTS, "b", FAITHFUL, prompt()),
        lambda: answer_key(FACTS, "base", FAITHFUL, prompt()),
        lambda: answer_key(FACTS, "a", replace(FAITHFUL, max_new_tokens=9), prompt()),
        lambda: answer_key(FACTS, "a", replace(FAITHFUL, repetition_penalty=1.1), prompt()),
        lambda: answer_key(FACTS, "a", FAITHFUL, replace(prompt(), system="")),
        lambda: answer_key(FACTS, "a", FAITHFUL, replace(prompt(), history=())),
        lambda: answer_key(FACTS, "a", FAITHFUL, replace(prompt(), history=(("HiHello", ""),))),
        lambda: answer_key(FACTS, "a", FAITHFUL, replace(prompt(), message="Where is it")),
    ],
)
def test_the_key_depends_on_everything_the_answer_does(other: Callable[[], str]) -> None:
    assert other() != answer_key(FACTS, "a", FAITHFUL, prompt())


def test_the_key_depends_on_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    key = answer_key(FACTS, "a", FAITHFUL, prompt())
    assert key == answer_key(replace(FACTS, load_seconds=9.0, memory_bytes=7), "a", FAITHFUL, prompt())
    monkeypatch.setattr(asking, "_libraries", lambda: {"torch": "0"})
    assert answer_key(FACTS, "a", FAITHFUL, prompt()) != key


async def test_answers_are_greedy_even_on_a_desk_that_samples(desk: Desk) -> None:
    desk.settings.set("faithful", {"do_sample": True, "max_new_tokens": 40, "seed": 3}, "Ann")
    desk.settings.set("decoding", "natural", "Ann")
    decoding = judging_decoding(desk.settings.load())
    assert (decoding.do_sample, decoding.max_new_tokens, decoding.seed) == (False, 40, None)
    engine = scripted(right)
    await judged(engine, desk, FACTS, "base", "v1", pairs(2), [])
    assert {one for one, _, _ in engine.script.batches} == {decoding}


async def test_the_desks_margin_is_used(desk: Desk) -> None:
    desk.settings.set("gate_margin_bleu", 30, "Ann")
    report = await judged(scripted(right), desk, FACTS, "base", "v1", pairs(2), [])
    assert (report.margins.margin, report.margins.large_drop) == (30, 30)
    for key, value in {"gate_margin_bleu": 1, "gate_large_drop": 9, "gate_alpha": 0.01, "gate_min_pairs": 150}.items():
        desk.settings.set(key, value, "Ann")
    margins = (await judged(scripted(right), desk, FACTS, "base", "v1", pairs(2), [])).margins
    assert (margins.margin, margins.large_drop, margins.alpha) == (1, 9, 0.01)
    assert (margins.min_pairs, margins.interval_pairs) == (150, 150)


async def test_progress_counts_cached_answers_too_and_never_goes_back(desk: Desk) -> None:
    await judged(scripted(right), desk, FACTS, "base", "v1", pairs(10), [])
    told: list[tuple[int, int, str]] = []
    await judged(scripted(right), desk, FACTS, "v1", "v2", pairs(60), [], on_answered=lambda *args: told.append(args))
    for name in ("v1", "v2"):
        done = [count for count, _, version in told if version == name]
        assert done == sorted(done)
        assert done[-1] == 60
    assert told[0] == (10, 60, "v1")
    assert {wanted for _, wanted, _ in told} == {60}


async def test_a_cancel_keeps_the_answers_there_are(desk: Desk) -> None:
    engine = scripted(right)
    hanging = asyncio.Event()

    async def hang_after_two() -> None:
        if len(engine.script.batches) == 2:
            hanging.set()
            await asyncio.Event().wait()

    engine.script.before_batch = hang_after_two
    task = asyncio.create_task(judged(engine, desk, FACTS, "base", "v1", pairs(60), []))
    await hanging.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    again = scripted(right)
    await judged(again, desk, FACTS, "base", "v1", pairs(60), [])
    assert len([version for version, _ in again.script.asked if version == "base"]) == 60 - 2 * CHUNK


async def test_an_engine_that_dies_is_told_and_loses_only_its_chunk(desk: Desk) -> None:
    engine = scripted(right)

    async def die_after_one() -> None:
        if engine.script.batches:
            engine.die()

    engine.script.before_batch = die_after_one
    with pytest.raises(EngineError, match="stopped"):
        await judged(engine, desk, FACTS, "base", "v1", pairs(60), [])
    again = scripted(right)
    await judged(again, desk, FACTS, "base", "v1", pairs(60), [])
    assert len(again.script.asked) == 120 - CHUNK


async def test_an_unknown_version_is_refused(desk: Desk) -> None:
    with pytest.raises(LookupError, match="v9"):
        await judged(scripted(right), desk, FACTS, "base", "v9", pairs(1), [])


async def test_nothing_to_judge_by_is_inconclusive_and_asks_nothing(desk: Desk) -> None:
    engine = scripted(right)
    report = await judged(engine, desk, FACTS, "base", "v1", [], [])
    assert report.verdict == "inconclusive"
    assert engine.script.asked == []


async def test_answers_are_judged_as_the_chat_would_show_them(desk: Desk) -> None:
    engine = scripted(lambda version, prompt: "\x1b[31m" + right(version, prompt) + "\x07")
    report = await judged(engine, desk, FACTS, "base", "v1", pairs(2), [])
    assert report.languages[0].candidate.exact == 1


# -- evaluate_file ---------------------------------------------------------------------------------
async def test_a_file_is_scored_with_the_keys_scripts_depend_on() -> None:
    engine = scripted(lambda version, prompt: "You can track your order." if "1" in prompt.message else "No.")
    rows = [
        FileQuestion("Order 1?", "You can track your order."),
        FileQuestion("Order 2?", "You can track your order."),
    ]
    await engine.ready(AdapterRef(Version("v2"), "/v2"))
    result = await evaluate_file(Asker(engine, SYSTEM), Version("v2"), rows)
    assert set(result) == {"version", "bleu", "chrf", "exact", "n", "signature", "seconds"}
    assert (result["version"], result["n"], result["exact"]) == ("v2", 2, 0.5)
    assert "tok:13a" in result["signature"]
    assert result["seconds"] >= 0
    assert {version for version, _ in engine.script.asked} == {"v2"}


async def test_a_file_with_two_languages_is_scored_in_each() -> None:
    rows = [
        FileQuestion("Hi", "You can track your order."),
        FileQuestion("你好", "您可以查看订单。"),
        FileQuestion("在吗", "您可以查看订单。"),
    ]
    targets = {row.instruction: row.output for row in rows}
    engine = scripted(lambda version, prompt: targets[prompt.message] if prompt.message != "在吗" else "不知道")
    result = await evaluate_file(Asker(engine, ""), BASE, rows)
    assert set(result["languages"]) == {"en", "zh"}
    assert result["bleu"] == pytest.approx((100 + 2 * result["languages"]["zh"]["bleu"]) / 3)
    assert result["signature"].startswith("en: ")
    assert "tok:zh" in result["signature"]


async def test_a_file_without_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="no pair"):
        await evaluate_file(Asker(scripted(right), ""), BASE, [])
