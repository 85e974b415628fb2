"""Known weaknesses of the pinned packages: ``python .ci/audit.py PIP_AUDIT``. Ends with 0 if every package was
looked up and none has any, 1 if one has, 2 if some could not be looked up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PINS = Path(__file__).parents[1] / "constraints.txt"


def report(printed: str) -> tuple[list[str], int]:
    """The lines to be told of what pip-audit printed, and the exit code."""
    try:
        packages: list[dict[str, Any]] = json.loads(printed)["dependencies"]
    except (ValueError, KeyError):
        packages = []
    known = [package for package in packages if "skip_reason" not in package]
    if not known:
        return ["No index of known weaknesses could be reached, so nothing was looked up. Try again with a network."], 2
    lines = [
        f"{package['name']} {package['version']}: {weakness['id']}"
        + (f", mended in {', '.join(weakness['fix_versions'])}" if weakness.get("fix_versions") else "")
        for package in known
        for weakness in package.get("vulns", [])
    ]
    weak = bool(lines)
    lines.append(f"{len(known)} packages were looked up; {'see above' if weak else 'none has a known weakness'}.")
    if missing := [package["name"] for package in packages if "skip_reason" in package]:
        lines.append(f"Nothing is known of {len(missing)}: {', '.join(missing)}.")
    return lines, 1 if weak else 2 if missing else 0


def main(pip_audit: str) -> int:
    """Look them up; returns the exit code."""
    command = [pip_audit, "--requirement", str(PINS), "--no-deps", "--disable-pip", "--progress-spinner", "off",
               "--format", "json"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    lines, code = report(done.stdout)
    sys.stdout.write("\n".join(lines) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
