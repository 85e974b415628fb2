"""The log of promotions: what answers, since when, by whose word."""

from __future__ import annotations

import builtins
import sqlite3

from store.database import Database
from store.errors import NotThere, Refused
from store.records import Promotion
from store.text import clean
from store.times import now
from store.words import BASE, PromotionKind, Version


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
