"""The old way to a desk, until every caller has moved to the parts of :class:`tui.core.open_desk.OpenDesk`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from bot.engines import EngineFactory
from finetune.events import Recorded
from finetune.preflight import Preflight
from finetune.recipe import Recipe
from store.desk import Desk
from store.home import Home
from store.records import AdapterVersion, Pair, Promotion, Run, Turn
from store.settings import Settings
from store.words import Version
from tui.core.beside import Beside
from tui.core.chat import ChatDesk
from tui.core.events import DeskChange, EngineState, ReplyEvent
from tui.core.importing import FileProgress, ImportPreview, ImportResult, Options
from tui.core.keeper import EngineKeeper
from tui.core.open_desk import OpenDesk
from tui.core.reach import Reach
from tui.core.runs import RunDesk
from tui.core.versions import VersionDesk

Done = TypeVar("Done")


class DeskService:
    """Forwards to ``parts``, the desk."""

    def __init__(
        self,
        home: Home | Path | str | None = None,
        operator: str | None = None,
        engine_factory: EngineFactory | None = None,
        pin: Version | None = None,
        reach: Reach | None = None,
    ) -> None:
        self.parts = OpenDesk(home, operator, engine_factory, pin, reach)
        self.reach: Reach = self.parts.reach
        self.home = self.parts.home
        self.desk: Desk = self.parts._store
        self.reader: Beside = self.parts._beside
        self.who = self.parts.who
        self.engine_factory: EngineFactory = self.parts.bases._factory
        self.keeper: EngineKeeper = self.parts.engine
        self.chat: ChatDesk = self.parts.chat
        self.version_desk: VersionDesk = self.parts.promotions
        self.run_desk: RunDesk = self.parts.runs

    def listen(self, listener: Callable[[DeskChange], None]) -> Callable[[], None]:
        return self.parts.changes.listen(listener)

    def tell(self, change: DeskChange) -> None:
        self.parts.changes.publish(change)

    async def __aenter__(self) -> DeskService:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def start_engine(self) -> EngineState:
        await self.keeper.start()
        return self.engine_state

    def watch(self) -> None:
        self.parts.watch()

    async def close(self) -> None:
        await self.parts.close()

    @property
    def engine_state(self) -> EngineState:
        return self.keeper.state

    def send(self, conversation_id: int, text: str, preset: str | None = None) -> AsyncIterator[ReplyEvent]:
        return self.chat.send(conversation_id, text, preset)

    def regenerate(self, customer_turn_id: int, preset: str | None = None) -> AsyncIterator[ReplyEvent]:
        return self.chat.regenerate(customer_turn_id, preset)

    async def stop(self) -> None:
        await self.chat.stop()

    def correct(self, reply_id: int, text: str) -> Pair:
        return self.parts.judgements.correct(reply_id, text)

    def approve(self, reply_id: int) -> Pair:
        return self.parts.judgements.approve(reply_id)

    def withdraw(self, reply_id: int) -> Turn:
        return self.parts.judgements.withdraw(reply_id)

    def waiting(self) -> int:
        return self.parts.judgements.waiting()

    async def preflight(self, recipe: Recipe) -> Preflight:
        return await self.run_desk.preflight(recipe)

    async def start_run(self, recipe: Recipe, *, unload_engine: bool = False) -> Run:
        found = await self.run_desk.preflight(recipe)
        return await self.run_desk.start(replace(found, unload_engine=unload_engine))

    @property
    def live_run(self) -> Run | None:
        return self.run_desk.live

    def run_events(self, run_id: int) -> AsyncIterator[Recorded]:
        return self.run_desk.events(run_id)

    async def cancel_run(self) -> None:
        await self.run_desk.cancel()

    async def stop_run(self) -> None:
        await self.run_desk.interrupt()

    async def resume_run(self, run_id: int) -> Run:
        return await self.run_desk.resume(run_id)

    def discard_run(self, run_id: int) -> None:
        self.run_desk.discard(run_id)

    def interrupted(self) -> list[Run]:
        return self.run_desk.interrupted()

    @property
    def active(self) -> Version:
        return self.version_desk.active

    def versions(self) -> list[AdapterVersion]:
        removed = self.desk.versions.removed()
        return [row for row in self.desk.versions.list() if row.name not in removed]

    async def activate(self, version: Version, reason: str | None = None) -> Promotion:
        return await self.version_desk.activate(version, reason)

    async def rollback(self, reason: str | None = None) -> Promotion:
        return await self.version_desk.go_back(reason)

    async def sync_active(self) -> Version:
        return await self.version_desk.follow()

    @property
    def settings(self) -> Settings:
        return self.parts.settings.now

    def change_setting(self, key: str, value: object) -> Settings:
        return self.parts.settings.change(key, value)


# -- what flows call until they have moved ----------------------------------------------------------
async def aside(service: DeskService, work: Callable[[Desk], Done]) -> Done:
    return await service.parts._beside.work(work)


async def import_into(
    service: DeskService, path: Path, options: Options, *, progress: FileProgress | None = None
) -> ImportResult:
    return await service.parts.importing.bring_in(path, options, progress=progress)


async def preview_of(
    service: DeskService, path: Path, options: Options, *, progress: FileProgress | None = None
) -> ImportPreview:
    return await service.parts.importing.preview(path, options, progress=progress)
