"""``python -m benchmarks personal``: what the search for personal data finds, misses and takes for it.

Three measurements: made-up messages in nine languages (:mod:`benchmarks.synthetic`), false alarms on the openly
licensed sets in shared/data, and the time that 10,000 pairs take.
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
from benchmarks.synthetic import LANGUAGES, Maker
from store.personal import KINDS, find

LABELLED = Path(__file__).with_name("personal_labels.json")


def main() -> None:
    """Measure, print, and keep the tables."""
    options = argparse.ArgumentParser(prog="python -m benchmarks personal")
    options.add_argument("--count", type=int, default=200, help="messages of each language")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--misses", action="store_true", help="print what is wrong, and keep nothing")
    options.add_argument("--sample", type=int, default=0, help="print so many findings of each kind on the open data")
    chosen = options.parse_args()
    made = synthetic(chosen.count, chosen.seed, chosen.misses)
    real = open_data(chosen.sample, chosen.seed)
    if chosen.misses or chosen.sample:
        return
    facts = {"machine": machine(), "count": chosen.count, "seed": chosen.seed, "synthetic": made, "open_data": real}
    write_result("personal", facts, report(made, real, chosen.count))


# -- made-up messages ----------------------------------------------------------------------------------
def synthetic(count: int, seed: int, tell: bool) -> dict[str, dict[str, dict[str, int]]]:
    """For each kind and language: how many there were, how many were found, and how many findings were none."""
    table: dict[str, dict[str, dict[str, int]]] = {kind: {} for kind in KINDS}
    for lang in LANGUAGES:
        there, right, wrong = Counter[str](), Counter[str](), Counter[str]()
        for sample in Maker(lang, seed).samples(count):
            there[sample.kind or ""] += 1
            # What a desk knows of a text's language is its script: all but Chinese comes as "en".
            findings = find(sample.text, "zh" if lang == "zh" else "en")
            hits = [
                one for one in findings if one.kind == sample.kind and one.start < sample.end and one.end > sample.start
            ]
            right[sample.kind or ""] += bool(hits)
            for finding in findings:
                if finding not in hits:
                    wrong[finding.kind] += 1
            if tell and ((sample.kind and not hits) or len(findings) > len(hits)):
                print(
                    lang,
                    sample.kind,
                    repr(sample.text),
                    [(one.kind, sample.text[one.start : one.end]) for one in findings],
                )
        for kind in KINDS:
            table[kind][lang] = {"there": there[kind], "found": right[kind], "wrong": wrong[kind]}
    return table


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
def report(made: dict[str, dict[str, dict[str, int]]], real: dict[str, Any], count: int) -> str:
    """The tables as Markdown."""
    rows = []
    for kind in KINDS:
        cells = {lang: _cell(**made[kind][lang]) for lang in LANGUAGES}
        total = {what: sum(made[kind][lang][what] for lang in LANGUAGES) for what in ("there", "found", "wrong")}
        rows.append({"kind": kind, **cells, "all": _cell(**total)})
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
        f"# Personal data\n\n{count:,} made-up messages of each language, half of them without anybody in them: share "
        f"found (recall), then share of the findings that are right (precision).\n\n{markdown_table(rows)}\n"
        f"Findings in {real['texts']:,} texts of the openly licensed sets, {real['microseconds_a_text']} µs a text:\n\n"
        f"{markdown_table(alarms)}"
    )


def _cell(there: int, found: int, wrong: int) -> str:
    recall = f"{found / there:.2f}" if there else "–"
    precision = f"{found / (found + wrong):.2f}" if found + wrong else "–"
    return f"{recall} / {precision}"


if __name__ == "__main__":
    main()
