"""Adapter versions, the log of promotions, and the cache of answers."""

from __future__ import annotations

import builtins
import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from store.database import Database
from store.database.cells import OBJECT, cell
from store.errors import NotThere, Refused
from store.records import AdapterVersion, Promotion
from store.text import clean
from store.times import now
from store.words import BASE, Method, PromotionKind, Version


class Versions:
    """The repository of ``desk.versions``: rows are added, never changed."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def next_number(self) -> int:
        """The number the next version gets."""
        return int(self._db.value("SELECT coalesce(max(number), 0) + 1 FROM adapter_versions"))

    def add(
        self,
        number: int,
        folder: str,
        manifest_sha256: str,
        base_fingerprint: str,
        method: Method,
        recipe: dict[str, Any],
        run_id: int | None,
    ) -> AdapterVersion:
        """The row of a published version. Raises :class:`sqlite3.IntegrityError` if the number is taken."""
        self._db.run(
            "INSERT INTO adapter_versions (number, name, folder, manifest_sha256, base_fingerprint, method, recipe, "
            "run_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            number,
            f"v{number}",
            folder,
            manifest_sha256,
            base_fingerprint,
            method,
            json.dumps(recipe, sort_keys=True),
            run_id,
            now(),
        )
        return self.get(Version(f"v{number}"))

    def get(self, name: Version) -> AdapterVersion:
        """One version. Raises :class:`NotThere`."""
        row = self._db.one("SELECT * FROM adapter_versions WHERE name = ?", name)
        if row is None:
            raise NotThere(f"There is no version {name}.")
        return _version(row)

    def list(self) -> builtins.list[AdapterVersion]:
        """Every version, oldest first."""
        return [_version(row) for row in self._db.all("SELECT * FROM adapter_versions ORDER BY number")]

    def remove(self, name: Version, who: str, why: str) -> None:
        """Keep that the files of a version are removed, for good. Raises :class:`NotThere`; :class:`Refused` for
        the version that answers."""
        self.get(name)
        with self._db.atomic():
            if self._db.value("SELECT version FROM promotions ORDER BY id DESC LIMIT 1") == name:
                raise Refused(f"{name} answers now and is not removed. Let another version answer first.")
            self._db.run(
                "INSERT OR IGNORE INTO removals (version, why, at, who) VALUES (?, ?, ?, ?)", name, why, now(), who
            )

    def removed(self) -> dict[Version, str]:
        """When the files of versions were removed, by their names."""
        return {row["version"]: row["at"] for row in self._db.all("SELECT version, at FROM removals")}


class Promotions:
    """The repository of ``desk.promotions``: a log; its last row says what answers."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def active(self) -> Version:
        """The version that answers; the bare base on a desk that never promoted one."""
        row = self._db.one("SELECT version FROM promotions ORDER BY id DESC LIMIT 1")
        return BASE if row is None or row["version"] is None else Version(row["version"])

    def promote(
        self,
        version: Version,
        kind: PromotionKind,
        who: str,
        reason: str | None = None,
        run_id: int | None = None,
    ) -> Promotion:
        """Make *version* active. Raises :class:`NotThere` for an unknown one and :class:`Refused` for a
        forced one without a reason."""
        if kind == "forced" and not (reason or "").strip():
            raise Refused("Forcing a rejected version needs a reason; it is kept in the log.")
        try:
            self._db.run(
                "INSERT INTO promotions (version, kind, reason, at, who, run_id) VALUES (?, ?, ?, ?, ?, ?)",
                None if version == BASE else version,
                kind,
                None if reason is None else clean(reason).strip(),
                now(),
                who,
                run_id,
            )
        except sqlite3.IntegrityError as error:
            raise NotThere(f"There is no version {version}.") from error
        return self.list()[-1]

    def list(self) -> builtins.list[Promotion]:
        """The whole log, oldest first."""
        return [
            Promotion(
                row["id"],
                row["version"] or BASE,
                row["kind"],
                row["reason"],
                row["at"],
                row["who"],
                row["run_id"],
            )
            for row in self._db.all("SELECT * FROM promotions ORDER BY id")
        ]

    def rollback_target(self) -> Version | None:
        """The version a rollback returns to; None if there is nothing before the active one.

        The log is read as a stack: a promotion goes on top, a rollback (by an operator or a failed probe) takes
        the top away. At the bottom lies the bare base. What was removed since is passed over."""
        removed = {row[0] for row in self._db.all("SELECT version FROM removals")}
        stack = [BASE]
        for promotion in self.list():
            if promotion.kind in ("rollback", "probe-failed"):
                while len(stack) > 1 and stack.pop() is not None and stack[-1] != promotion.version:
                    pass
                if stack[-1] != promotion.version:
                    stack.append(promotion.version)
            elif promotion.version != stack[-1]:
                stack.append(promotion.version)
        return next((name for name in reversed(stack[:-1]) if name not in removed and name != stack[-1]), None)


class Answers:
    """The repository of ``desk.answers``: greedy answers, kept under a hash of everything they depend on."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, key: str) -> str | None:
        """The answer kept under *key*."""
        value: str | None = self._db.value("SELECT text FROM answers WHERE key = ?", key)
        return value

    def put_many(self, answers: Mapping[str, str]) -> None:
        """Keep answers under their keys."""
        at = now()
        with self._db.atomic():
            self._db.many(
                "INSERT OR IGNORE INTO answers (key, text, created_at) VALUES (?, ?, ?)",
                [(key, text, at) for key, text in answers.items()],
            )


def _version(row: Any) -> AdapterVersion:
    return AdapterVersion(
        name=row["name"],
        number=row["number"],
        folder=f"v{row['number']}",  # never the column, which a strange database could make a path
        manifest_sha256=row["manifest_sha256"],
        base_fingerprint=row["base_fingerprint"],
        method=row["method"],
        recipe=cell(row["recipe"], OBJECT, {}),
        run_id=row["run_id"],
        created_at=row["created_at"],
    )
