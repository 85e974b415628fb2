"""One back end for several clients: the base is loaded once, and each version is ready for as long as anybody uses
it."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Hashable
from dataclasses import replace

from bot.engines.engine import Engine
from bot.types import AdapterRef, BaseFacts, BaseSpec, EngineError, EngineStatus, Readiness
from store.words import BASE, Version

Client = Hashable


class SharedDesk:
    """``engine`` with the base *spec*, and who uses which version on it. ``gone``: set when the engine's process ends.

    Whoever makes a version ready or names it in a request is one of its users. It is dropped when its last user says
    so, or has left and nobody came back for it (:meth:`tidy`)."""

    def __init__(self, engine: Engine, spec: BaseSpec, gone: asyncio.Event) -> None:
        self.engine, self.spec, self.gone = engine, spec, gone
        self.facts: BaseFacts | None = None
        self._loading: asyncio.Task[BaseFacts] | None = None
        self._folders: dict[Version, str] = {}  # of the versions that were made ready
        self._users: defaultdict[Version, set[Client]] = defaultdict(set)
        self._changing: defaultdict[Version, asyncio.Lock] = defaultdict(asyncio.Lock)

    @property
    def versions(self) -> tuple[Version, ...]:
        """The versions that are ready, beside the bare base."""
        return tuple(self._folders)

    async def load(self, client: Client, spec: BaseSpec) -> BaseFacts:
        """The base, loaded by whoever asks first; for *client* none of its versions is ready then. Raises
        :class:`EngineError`."""
        if spec != self.spec:
            raise EngineError("bad-request", "This engine has another base loaded.")
        for version in [version for version, users in self._users.items() if client in users]:
            await self.forget(client, version)
        if self.facts is None:
            if self._loading is None:
                self._loading = asyncio.create_task(self.engine.load(spec), name="load")
            loading = self._loading
            try:
                facts = await asyncio.shield(loading)  # whoever gives up does so alone
            finally:
                if loading.done() and self._loading is loading:
                    self._loading = None
            self.facts = facts
        return self.facts

    def uses(self, client: Client, version: Version) -> None:
        """*client* names *version* in a request."""
        if version in self._folders:
            self._users[version].add(client)

    async def ready(self, client: Client, adapter: AdapterRef) -> Readiness:
        """See :meth:`bot.engines.engine.Engine.ready`. Files that others use are not exchanged under their hands."""
        version = adapter.version
        if version == BASE:
            raise EngineError("bad-request", f"{version!r} is not a version's name.")
        async with self._changing[version]:
            folder = await asyncio.to_thread(os.path.realpath, adapter.folder)
            if self._folders.get(version, folder) != folder and self._users[version] - {client}:
                raise EngineError("bad-request", f"Another {version} is in use. Close the other apps on this desk.")
            self._folders[version] = folder
            self._users[version].add(client)
            try:
                return await self.engine.ready(adapter)
            except EngineError:
                # What was verified before may still be there, and its other users go on with it.
                if version not in (await self.engine.status()).ready:
                    self._folders.pop(version, None)
                    self._users.pop(version, None)
                raise

    async def forget(self, client: Client, version: Version) -> None:
        """*client* uses *version* no more; it is dropped if nobody does."""
        self._users[version].discard(client)
        await self._drop(version)

    async def _drop(self, version: Version) -> None:
        async with self._changing[version]:
            if self._users[version]:
                return
            del self._users[version]
            if self._folders.pop(version, None) is not None:
                await self.engine.forget(version)

    def left(self, client: Client) -> None:
        """*client* is gone."""
        for users in self._users.values():
            users.discard(client)

    async def tidy(self) -> None:
        """Drop what nobody uses."""
        for version in [version for version in self._folders if not self._users[version]]:
            await self._drop(version)

    async def status(self, clients: int) -> EngineStatus:
        """How the engine is doing, with so many clients."""
        return replace(await self.engine.status(), clients=clients)

    async def close(self) -> None:
        """End the engine."""
        if self._loading is not None:
            self._loading.cancel()
        await self.engine.close()
        if self._loading is not None:
            await asyncio.gather(self._loading, return_exceptions=True)
