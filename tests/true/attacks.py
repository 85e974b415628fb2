"""Everything that may happen to a desk, at random: kills, a full disk, forged files, strangers, and erasing a person.

    python -m tests.true.attacks --count 200 [--seed N] [--only KIND[,KIND]]

Runs on a tiny random model, so that an attack takes seconds; the processes, files, sockets and the database are the
real ones. Half of the attacks are kills. The seed of each is printed, so that `--seed N --count 1 --only KIND` repeats
it. docs/security.md says what each of them has to leave standing.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.true.forging import FORGERIES
from tests.true.kills import Bench
from tests.true.outside import Site
from tests.true.serving import KILLS
from tests.true.starving import can_mount, full_disk

Attack = Callable[[Site], None]


def _kill(what: str) -> Attack:
    def kill(site: Site) -> None:
        Bench(site.prepare().home, site.chance).kill(what)

    return kill


KILLED: dict[str, Attack] = {what: _kill(what) for what in ("engine", "run", "app")} | KILLS
ATTACKS: dict[str, Attack] = KILLED | FORGERIES | {"full": full_disk}


def attack(kind: str, seed: str, base: Path, folder: Path) -> None:
    """One attack of *kind* in the new folder *folder*; raises :class:`AssertionError` if something did not hold."""
    site = Site(folder, base, random.Random(f"{kind}/{seed}"))
    try:
        ATTACKS[kind](site)
    finally:
        site.remove()


def kinds(count: int, chance: random.Random, only: list[str]) -> list[str]:
    """*count* kinds of attack, half of them kills, none left out where there is room for all."""
    rest = [kind for kind in ATTACKS if kind not in KILLED and (kind != "full" or can_mount())]
    drawn = [
        (list(KILLED) if number % 2 == 0 else rest)[number // 2 % len(KILLED if number % 2 == 0 else rest)]
        for number in range(count)
    ]
    if only:
        drawn = [only[number % len(only)] for number in range(count)]
    chance.shuffle(drawn)
    return drawn


def main() -> None:
    """As many attacks as asked for."""
    from tests import tiny

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help=f"of {', '.join(ATTACKS)}")
    chosen = parser.parse_args()
    only = [kind for kind in chosen.only.split(",") if kind]
    if unknown := set(only) - set(ATTACKS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if not can_mount():
        sys.stdout.write("A small disk can't be made here, so no disk is filled.\n")
    failed: Counter[str] = Counter()
    done: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="deskloop-attacks-") as folder:
        base = tiny.make(Path(folder) / "base")
        for number, kind in enumerate(kinds(chosen.count, random.Random(chosen.seed), only), 1):
            begun = time.monotonic()
            try:
                attack(kind, f"{chosen.seed + number - 1}", base, Path(folder) / f"{number}")
                word = "held"
            except Exception as error:
                failed[kind] += 1
                word = f"FAILED: {error}"
            done[kind] += 1
            seconds = time.monotonic() - begun
            sys.stdout.write(f"{number}: {kind}, seed {chosen.seed + number - 1}, {seconds:.0f} s: {word}\n")
            sys.stdout.flush()
    for kind, count in sorted(done.items()):
        sys.stdout.write(f"{kind}: {count - failed[kind]} of {count} held\n")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
