"""``python -m benchmarks personal``: what the search for personal data finds, misses and takes for it.

Three measurements: two sets of made-up messages in nine languages (:mod:`benchmarks.synthetic`), false alarms
on the openly licensed sets in shared/data, and the time that 10,000 pairs take.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.common import ROOT, machine, markdown_table, skip, write_result
from benchmarks.synthetic import LANGUAGES, SETS, messages
from store.personal import KINDS, Finding, find

LABELLED = Path(__file__).with_name("personal_labels.json")


def main() -> None:
    """Measure, print, and keep the tables."""
    options = argparse.ArgumentParser(prog="python -m benchmarks personal")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--misses", choices=SETS, help="print what is wrong in a set, and keep nothing")
    options.add_argument("--set", choices=SETS, help="print the table of one set, and keep nothing")
    options.add_argument("--sample", type=int, default=0, help="print so many findings of each kind on the open data")
    chosen = options.parse_args()
    if name := chosen.misses or chosen.set:
        print(_set(name, *synthetic(name, chosen.seed, chosen.misses is not None)))
        return
    real = open_data(chosen.sample, chosen.seed)
    if chosen.sample:
        return
    made = {name: synthetic(name, chosen.seed, False) for name in SETS}
    kept = {name: {"counts": table, "messages": sizes} for name, (table, sizes) in made.items()}
    facts = {"machine": machine(), "seed": chosen.seed, "synthetic": kept, "open_data": real}
    write_result("personal", facts, report(made, real))


# -- made-up messages ----------------------------------------------------------------------------------
Counts = dict[str, dict[str, dict[str, int]]]


def synthetic(name: str, seed: int, tell: bool) -> tuple[Counts, dict[str, int]]:
    """Of each kind and language of a set: how many there were, how many were found, how many findings there were and
    how many of them are right; and how many messages of each language."""
    table: Counts = {kind: {} for kind in KINDS}
    sizes: dict[str, int] = {}
    for lang in LANGUAGES:
        counts = {what: Counter[str]() for what in ("there", "found", "findings", "right")}
        made = messages(name, lang, seed)
        sizes[lang] = len(made)
        for message in made:
            # What a desk knows of a text's language is its script: all but Chinese comes as "en".
            findings = find(message.text, "zh" if lang == "zh" else "en")
            data = [Finding(*one) for one in message.data]
            missed = [one for one in data if not any(_covers(other, one) for other in findings)]
            wrong = [one for one in findings if not any(_covers(other, one) for other in data)]
            counts["there"].update(one.kind for one in data)
            counts["found"].update(one.kind for one in data if one not in missed)
            counts["findings"].update(one.kind for one in findings)
            counts["right"].update(one.kind for one in findings if one not in wrong)
            if tell:
                for word, several in (("missed", missed), ("wrong", wrong)):
                    for one in several:
                        print(lang, word, one.kind, repr(message.text[one.start : one.end]), "in", repr(message.text))
        for kind in KINDS:
            table[kind][lang] = {what: counts[what][kind] for what in counts}
    return table, sizes


def _covers(one: Finding, other: Finding) -> bool:
    """Whether *one* is of the kind of *other*, and holds half of it at least."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    return one.kind == other.kind and 2 * shared >= other.end - other.start


# -- open data -----------------------------------------------------------------------------------------
def open_data(sample: int, seed: int) -> dict[str, Any]:
    """Findings on texts that hold no customer's data, or only invented ones: each is looked at by hand, and what it is
    stands in personal_labels.json."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        skip(f"The openly licensed sets are not at {folder}.")
    labels = json.loads(LABELLED.read_text(encoding="utf-8")) if LABELLED.is_file() else {}
    found: dict[str, list[str]] = defaultdict(list)
    texts = begun = 0
    seconds = 0.0
    for text, lang in _texts(folder):
        texts += 1
        begun = time.perf_counter_ns()
        findings = find(text, lang)
        seconds += (time.perf_counter_ns() - begun) / 1e9
        for one in findings:
            found[one.kind].append(
                f"{text[max(0, one.start - 45) : one.start]}⟦{text[one.start : one.end]}⟧{text[one.end : one.end + 15]}"
            )
    for kind, places in found.items():
        for place in random.Random(seed).sample(places, min(sample, len(places))):
            print(kind, repr(place))
    return {
        "texts": texts,
        "microseconds_a_text": round(seconds / texts * 1e6, 1),
        "findings": {kind: len(found[kind]) for kind in KINDS},
        "labels": labels,
    }


def _texts(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            lang = "zh" if row.get("lang") == "zh" else "en"
            for text in (
                [turn["text"] for turn in row["turns"]] if "turns" in row else [row["instruction"], row["output"]]
            ):
                yield text, lang


# -- telling -------------------------------------------------------------------------------------------
def report(made: dict[str, tuple[Counts, dict[str, int]]], real: dict[str, Any]) -> str:
    """The tables as Markdown."""
    alarms = [
        {
            "kind": kind,
            "findings": f"{real['findings'][kind]:,}",
            "looked at": str(real["labels"].get(kind, {}).get("looked_at", 0)),
            "right": str(real["labels"].get(kind, {}).get("right", 0)),
            "what the others are": real["labels"].get(kind, {}).get("others", ""),
        }
        for kind in KINDS
    ]
    return (
        "# Personal data\n\nPrecision (share of the findings that are right) / recall (share of the data that is "
        "found), and how much there is, in made-up messages of which half hold nothing of anybody.\n\n"
        + "".join(_set(name, table, sizes) for name, (table, sizes) in made.items())
        + f"Findings in {real['texts']:,} texts of the openly licensed sets, {real['microseconds_a_text']} µs a text:"
        f"\n\n{markdown_table(alarms)}"
    )


def _set(name: str, table: Counts, sizes: dict[str, int]) -> str:
    rows = []
    for kind in KINDS:
        cells = {lang: _cell(table[kind][lang]) for lang in LANGUAGES}
        total = {what: sum(table[kind][lang][what] for lang in LANGUAGES) for what in table[kind]["en"]}
        rows.append({"kind": kind, **cells, "all": _cell(total)})
    said = ", ".join(f"{size} {lang}" for lang, size in sizes.items())
    return f"Set `{name}` ({said}):\n\n{markdown_table(rows)}\n"


def _cell(counts: dict[str, int]) -> str:
    recall = f"{counts['found'] / counts['there']:.2f}" if counts["there"] else "–"
    precision = f"{counts['right'] / counts['findings']:.2f}" if counts["findings"] else "–"
    return f"{precision} / {recall}, {counts['there']}"


if __name__ == "__main__":
    main()
