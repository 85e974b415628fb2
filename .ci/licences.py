"""The licences of the pinned packages: ``python .ci/licences.py`` writes docs/licences.md from what is installed."""

from __future__ import annotations

import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
PINS, PAGE = ROOT / "constraints.txt", ROOT / "docs" / "licences.md"
LONGEST = 60  # characters; a longer field is the licence's text and no name
HEAD = """# Licences

deskloop and the starter model are under the Apache License 2.0. Below is what `make install` brings, with the licence
that each package states of itself. `make licences` writes this page from what is installed.

| package | version | licence |
|---|---|---|
"""


def licence_of(found: Distribution) -> str:
    """The licence as the package names it: by expression, by classifiers, or by its short field."""
    facts = found.metadata
    expression = (facts.get("License-Expression") or "").strip()
    classes = [line.rsplit(" :: ", 1)[1] for line in facts.get_all("Classifier") or [] if line.startswith("License ::")]
    named = [name for name in classes if name != "OSI Approved"]
    field = (facts.get("License") or "").strip()
    short = field if "\n" not in field and len(field) <= LONGEST and field != "UNKNOWN" else ""
    return expression or ", ".join(dict.fromkeys(named)) or short


def page(lines: list[str]) -> str:
    """The page on the packages that *lines* of constraints.txt pin. Raises :class:`LookupError` if one isn't installed
    in its version or states no licence."""
    rows = []
    for line in lines:
        name, version = line.split("==")
        try:
            found = distribution(name)
        except PackageNotFoundError as error:
            raise LookupError(f"{name} is not installed.") from error
        if found.version.partition("+")[0] != version or not (licence := licence_of(found)):
            raise LookupError(f"{name} {found.version} is installed, not {version}, or states no licence.")
        rows.append(f"| {name} | {version} | {re.sub(r'[|<>]', '', licence)} |\n")
    return HEAD + "".join(rows)


def main() -> int:
    """Write the page; returns the exit code."""
    lines = [line for line in PINS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    try:
        PAGE.write_text(page(lines), encoding="utf-8")
    except LookupError as error:
        sys.stderr.write(f"{error} docs/licences.md is as it was; run `make install` first.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
