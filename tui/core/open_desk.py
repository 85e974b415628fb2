"""A desk that is open for one operator: its parts, their start and their end."""

from __future__ import annotations

from pathlib import Path

from bot import engines
from bot.engines.shared.finding import let_end
from store.desk import Desk
from store.home import Home
from store.words import Version
from tui.core.base import base_spec
from tui.core.bases import BaseDesk
from tui.core.beside import Beside
from tui.core.bisect import BisectDesk
from tui.core.care import BackupDesk, HealthDesk
from tui.core.changes import Changes
from tui.core.chat import ChatDesk
from tui.core.comparisons import ComparisonDesk
from tui.core.conversations import ConversationDesk
from tui.core.erasing import ErasingDesk
from tui.core.events import EngineChanged
from tui.core.following import VersionFollower
from tui.core.importing import ImportDesk
from tui.core.judgements import JudgementDesk, ReviewDesk
from tui.core.keeper import EngineKeeper
from tui.core.pairs import ConflictDesk, PairDesk
from tui.core.quality import QualityDesk
from tui.core.reach import Anywhere, Reach
from tui.core.recipes import RecipeDesk
from tui.core.reports import ReportDesk
from tui.core.runs import RunDesk
from tui.core.settings import SettingsDesk
from tui.core.shadow import ShadowAnswering, ShadowDesk
from tui.core.shelf import VersionShelf
from tui.core.versions import VersionDesk
from tui.core.watching import ClientWatch, DeskWatch, StoreWatch


class OpenDesk:
    """One operator at one desk. Each part is the only way to its subject; nothing here does any work of its own.

    ``home``: the desk's folder (None: the default). ``operator``: the name written beside every action (None: the
    desk's setting, else the system user). ``engine_factory``: called with ``log`` and ``on_death`` (None: the engine
    that all at this desk share). ``pin``: serve this version whatever the promotions log says (for one question, or an
    evaluation). ``reach``: where the paths may lead that the operator types (None: anywhere).
    Nothing here imports torch or textual. Use as an async context manager, or call :meth:`close`.
    """

    def __init__(
        self,
        home: Home | Path | str | None = None,
        operator: str | None = None,
        engine_factory: engines.EngineFactory | None = None,
        pin: Version | None = None,
        reach: Reach | None = None,
    ) -> None:
        self.reach: Reach = reach or Anywhere()
        self.home = home if isinstance(home, Home) else Home.open(home)
        self._store = store = Desk.open(self.home)
        self._beside = beside = Beside(self.home)
        factory = engine_factory or engines.share_engine(self.home.engine)

        self.changes = changes = Changes()
        self.settings = SettingsDesk(store, changes, self.reach, operator)
        self.who = who = self.settings.who
        self.recipes = RecipeDesk(store, who)
        self.conversations = ConversationDesk(store, beside, who)
        self.judgements = JudgementDesk(store, who)
        self.review = ReviewDesk(store, beside, who)
        self.pairs = PairDesk(store, beside, self.recipes, who)
        self.conflicts = ConflictDesk(store, beside, who)
        self.importing = ImportDesk(beside, who)
        self.erasing = ErasingDesk(store, beside, who)
        self.backup = BackupDesk(beside)
        self.health = HealthDesk(store)
        self.quality = QualityDesk(store, beside)
        self.reports = ReportDesk(beside)
        self.versions = VersionShelf(store, beside)
        self.bisect = BisectDesk(store, beside, self.home)

        # A base proves itself in an engine of its own: it may not load, or may need all the memory there is.
        self.bases = BaseDesk(store, engine_factory or engines.make_engine, who)
        self.engine = EngineKeeper(
            lambda: base_spec(store),
            factory,
            self.home.logs / "engine.log",
            changed=lambda state: changes.publish(EngineChanged(state)),
            prepare=self._prepare,
            free=lambda: let_end(self.home.engine),
        )
        self.chat = ChatDesk(store, self.engine, beside, who, itself=pin is not None)
        self.certainty = self.chat.certainty
        self._follower = VersionFollower(store, self.engine, changes, who, pin)
        self.promotions = VersionDesk(store, self.engine, self._follower, who)
        self.comparisons = ComparisonDesk(store, beside, self.engine, self.promotions, who)
        self.runs = RunDesk(store, beside, changes, self.engine, who)
        self.runs.on_finished = self._follower.run_finished
        self.shadow = ShadowDesk(store, beside, who)
        self._shadowing = ShadowAnswering(store, self.engine, self._follower, changes, who)
        self._watch = DeskWatch(
            StoreWatch(store, changes),
            self.settings,
            self.runs,
            self._follower,
            (self._shadowing, ClientWatch(self.engine, changes)),
        )

    @property
    def name(self) -> str:
        """How the desk is called: as its folder."""
        return self.home.root.name

    async def _prepare(self) -> None:
        await self.bases.note_meaning()
        await self._follower.prepare()

    # -- life --------------------------------------------------------------------------------------
    def watch(self) -> None:
        """From now on follow what other processes do to this desk: promotions, runs, settings, conversations."""
        self._watch.start()

    def wait_at_most(self, seconds: float) -> None:
        """How long what the event loop writes may wait for another process's writing."""
        self._store.db.wait_at_most(seconds)

    async def close(self) -> None:
        """Stop the engine, interrupt this app's live run (it is offered at the next start) unless it is detached,
        close the store."""
        await self._watch.close()
        await self._shadowing.close()
        await self._follower.close()
        await self.runs.close()
        await self.engine.close()
        await self._beside.close()
        self._store.close()

    async def __aenter__(self) -> OpenDesk:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()
