"""The parts of the daemon, put together: the only wiring.

    start    returns at once: clients are answered while the cache is opened
    open     handlers → cache folder → database → pipeline → watcher → scans
    stop     the same, backwards

What cannot be opened is a problem in ``ccdash/status`` and tried again; a damaged cache is moved aside and made anew.

The modules that open the cache take longer to import than all else together; they are imported once clients are served.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ccdashd.clock import now
from ccdashd.errors import Busy, plain
from ccdashd.events import Events, Problems
from ccdashd.log import get, survived
from ccdashd.paths import Paths
from ccdashd.protocol import types as t
from ccdashd.rpc import dispatch
from ccdashd.rpc.server import Server
from ccdashd.runtime import private_folder
from ccdashd.settings import Settings

if TYPE_CHECKING:
    from ccdashd.analytics.alerting import Alerting
    from ccdashd.analytics.exporter import Exporter
    from ccdashd.archive.archive import Archive
    from ccdashd.archive.keeper import Keeper
    from ccdashd.archive.retention import Retention
    from ccdashd.derive.pricing import Prices
    from ccdashd.followers import Followers
    from ccdashd.ingest.pipeline import Pipeline
    from ccdashd.ingest.reconcile import Reconciler
    from ccdashd.ingest.watch import Watcher
    from ccdashd.lsp.touched import TouchedFiles
    from ccdashd.search.builder import Texts
    from ccdashd.store.database import Database
    from ccdashd.store.file_blame import Blames

RETRY = 3.0
"""Seconds between two attempts to open the cache."""

DEEP_SEARCHES = 2
"""Deep searches that run at a time; each has processes of its own."""

OPENING = 15.0
"""Seconds that a request waits for the cache while it is being opened."""

_NO_END = "a part did not end in order"

logger = get(__name__)

T = TypeVar("T")

WhileClosed = Callable[[int], Awaitable[None]]


class App:
    """One daemon. `stop_soon` is what ends it, set by whoever runs it."""

    def __init__(self, settings: Settings, paths: Paths, *, auto_started: bool = False) -> None:
        self.settings = settings
        self.paths = paths
        self.auto_started = auto_started
        self.started_at = now()
        self.started = time.monotonic()
        """`started_at` on the monotonic clock."""
        self.events = Events()
        self.problems = Problems()
        self.server = Server(self)
        self.stop_soon: Callable[[str], None] = lambda reason: None
        """Ends the daemon; takes the reason, for the log."""
        self.in_use: Callable[[], None] = lambda: None
        """Called when somebody who is no client uses the daemon."""
        self.importing = asyncio.Lock()
        """Held by an import of a bundle: what it found here must hold until it is done."""
        self.upkeep = asyncio.Lock()
        """Held by checks, backups and the like, of which one at a time is done."""
        self.deep_searches = asyncio.Semaphore(DEEP_SEARCHES)
        """Held while a deep search runs."""
        self._database: Database | None = None
        self._pipeline: Pipeline | None = None
        self._watcher: Watcher | None = None
        self._reconciler: Reconciler | None = None
        self._exporter: Exporter | None = None
        self._scans: asyncio.Task[None] | None = None
        self._followers: Followers | None = None
        self._loaded = False
        self._settled = asyncio.Event()
        self._break: asyncio.Future[WhileClosed] | None = None
        """Set to what is to be done while the cache is closed, which is then opened again."""
        self._replaced = False
        """Whether a cache was moved aside for not having the tables that it should have."""
        self._left_alone: str | None = None
        """Why the cache is not opened again until the daemon is started anew."""
        self._keeper: asyncio.Task[None] | None = None

    @property
    def database(self) -> Database:
        """The open database. Raises `Busy` when there is none."""
        if self._database is None:
            raise Busy(f"the cache cannot be used now: {self._reason}", reason=self._reason)
        return self._database

    @property
    def pipeline(self) -> Pipeline:
        """The running pipeline. Raises `Busy` when there is none."""
        if self._pipeline is None:
            raise Busy(f"logs cannot be read now: {self._reason}", reason=self._reason)
        return self._pipeline

    @property
    def _following(self) -> Followers:
        if self._followers is None:
            raise Busy(f"the cache cannot be used now: {self._reason}", reason=self._reason)
        return self._followers

    @property
    def alerting(self) -> Alerting:
        """What evaluates alert rules. Raises `Busy` when there is no open cache."""
        return self._following.alerting

    @property
    def retention(self) -> Retention:
        """What prunes the archive. Raises `Busy` when there is no open cache."""
        return self._following.retention

    @property
    def texts(self) -> Texts:
        """The index of texts. Raises `Busy` when there is no open cache."""
        return self._following.texts

    @cached_property
    def archive(self) -> Archive:
        """Copies of logs."""
        from ccdashd.archive.archive import Archive

        return Archive(self.paths.archive)

    @property
    def keeper(self) -> Keeper:
        """What copies logs into the archive. Raises `Busy` when there is no open cache."""
        return self._following.keeper

    @cached_property
    def prices(self) -> Prices:
        """What models cost, by the settings and the table, which is loaded when the first is asked for."""
        from ccdashd.derive.pricing import Prices

        return Prices(self.settings.prices)

    @property
    def exporter(self) -> Exporter:
        """What tells metrics to Prometheus."""
        if self._exporter is None:
            from ccdashd.analytics.exporter import Exporter

            self._exporter = Exporter(self)
        return self._exporter

    @property
    def metrics_url(self) -> str | None:
        """Where metrics can be scraped; None where they cannot."""
        return self._exporter.url if self._exporter is not None else None

    @cached_property
    def blames(self) -> Blames:
        """Who wrote the lines of files that were asked for of late."""
        from ccdashd.store.file_blame import Blames

        return Blames(self.archive)

    @cached_property
    def touched(self) -> TouchedFiles:
        """What is known of files that editors have open."""
        from ccdashd.lsp.touched import TouchedFiles

        return TouchedFiles(self.blames, self.prices)

    @property
    def is_open(self) -> bool:
        """Whether `database` and `pipeline` can be had."""
        return self._database is not None and self._pipeline is not None

    @property
    def revision(self) -> int:
        """The last revision that was committed; 0 before the cache was opened."""
        return self._database.revision if self._database is not None else 0

    @property
    def indexing(self) -> t.Indexing:
        """How far the index is."""
        return self._pipeline.indexing if self._pipeline is not None else t.Indexing(phase="idle")

    @property
    def scanned(self) -> bool:
        """Whether all files were compared with the cache since it was opened."""
        return self._reconciler is not None and self._reconciler.last_at is not None

    def roots(self) -> list[t.Root]:
        """The folders of logs that are looked at."""
        return self._pipeline.roots.told() if self._pipeline is not None else []

    def watch_status(self) -> t.WatchStatus:
        """How the watcher does; ``off`` while there is none."""
        if self._watcher is None:
            return t.WatchStatus(mode="off", directories=0, restarts=0, overflows=0, events=0, healthy=False)
        return self._watcher.told(self._reconciler.last_at if self._reconciler is not None else None)

    def is_plan(self, path: str) -> bool:
        """Whether a path is that of a planning file, as far as that is known now."""
        return self._pipeline is not None and self._pipeline.plans.territory.accepts(path)

    @property
    def plan_roots(self) -> list[str]:
        """The folders of projects whose planning files are looked at, as far as they are known now; sorted."""
        return self._pipeline.plans.territory.roots if self._pipeline is not None else []

    def request_scan(self, reason: str) -> None:
        """Ask for a scan of all logs soon; `reason` is for the log."""
        if self._reconciler is not None:
            self._reconciler.request(reason)

    def review(self) -> None:
        """Look at what has no event of its own: the watcher's health, and whether a rebuild is over."""
        watch = self._watcher.status().problem if self._watcher is not None else None
        if watch:
            self.problems.set("watch", watch, "Changes are still found by scans; see the setting 'watch'.")
        else:
            self.problems.clear("watch")
        if self.indexing.complete:
            self.problems.clear("cache file")
        if self._exporter is not None:
            self._exporter.review()

    async def ready(self) -> Database:
        """The open database; waits while it is being opened. Raises `Busy` when it cannot be opened now."""
        if not self._settled.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), OPENING)
        if not self.is_open:
            raise Busy(f"the cache cannot be used now: {self._reason}", reason=self._reason)
        return self.database

    def require_index(self, what: str) -> None:
        """Raise `Busy` while the first index is not complete; `what` would be done to some of what it is to find."""
        if not (self.indexing.complete and self.scanned):
            reason = "the first index is not complete"
            raise Busy(f"nothing can be {what} yet: {reason}, so not all sessions and links are known", reason)

    def start(self) -> None:
        """Begin to open the cache. Returns at once."""
        self._keeper = asyncio.get_running_loop().create_task(self._keep(), name="keeper")

    async def stop(self) -> None:
        """Close the cache."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        if self._exporter is not None:
            await survived(self._exporter.stop(), _NO_END)
        await self._close()

    def explain(self, error: BaseException) -> str | None:
        """What is wrong with the cache where `error` comes from it, in plain words; None where it does not.

        A damaged cache is also replaced.
        """
        if not _is_database_error(error):
            return None
        from ccdashd.store import database

        if database.is_corrupt(error):
            self.damaged(database.explain(error))
            return "it is damaged and is being made anew"
        return self._database.problem if self._database is not None else self._reason

    def damaged(self, problem: str) -> None:
        """The cache's file is broken: move it aside and read all logs anew."""
        if self._break is not None and not self._break.done():
            self._break.set_result(lambda revision: self._move_aside(problem))

    async def while_closed(self, work: Callable[[int], Awaitable[T]], *, leave_alone: str | None = None) -> T:
        """Close the cache, do `work`, which gets the last revision, and open the cache again; or, with the reason why,
        leave it alone from then on. Returns when that is done, or failed: then that is a problem in the status.

        Raises what `work` raises, and `Busy` where the cache is not open.
        """
        if self._break is None or self._break.done() or not self.is_open:
            raise Busy(f"the cache cannot be used now: {self._reason}", reason=self._reason)
        finished: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def run(revision: int) -> None:
            try:
                finished.set_result(await work(revision))
                self._left_alone = leave_alone
            except Exception as error:
                finished.set_exception(error)

        self._settled.clear()
        self._break.set_result(run)
        result = await finished
        await self._settled.wait()
        return result

    @property
    def _reason(self) -> str:
        known = {problem.part: problem.problem for problem in self.problems.all()}
        return known.get("cache") or known.get("cache file") or "it is being opened"

    async def _keep(self) -> None:
        while self._left_alone is None:
            self._break = asyncio.get_running_loop().create_future()
            try:
                await self._open()
                work = await self._break
                revision = self.revision
                await self._close()
                await work(revision)
            except Exception as error:
                await self._close()
                await self._failed(error)
        self.problems.set("cache", self._left_alone, "Start the daemon anew when you want it to use the cache again.")
        self._settled.set()

    async def _open(self) -> None:
        if not self._loaded:
            await asyncio.to_thread(_import_all)
            self._loaded = True
            self.exporter.start()
        from ccdashd.followers import Followers
        from ccdashd.ingest.pipeline import Pipeline
        from ccdashd.store.database import Database

        private_folder(self.paths.cache_dir)
        database = Database(self.paths.database, heavy_seconds=self.settings.sql_time_limit_seconds)
        await database.open()
        self._database = database
        self.events.start(database.revision)
        self._pipeline = Pipeline(self)
        await self._pipeline.start()
        self._followers = Followers(self)
        self.problems.clear("cache")
        self._settled.set()
        await self._follow(self._pipeline)
        logger.info("cache open", revision=database.revision, created=database.created, unclean=database.unclean)
        if database.unclean and not database.created:
            wrong = await database.check()
            if wrong is not None:
                self.damaged(wrong)

    async def _follow(self, pipeline: Pipeline) -> None:
        from ccdashd.ingest.reconcile import Reconciler
        from ccdashd.ingest.watch import Watcher

        reconciler = self._reconciler = Reconciler(pipeline.reconcile, self.settings.reconcile_seconds)
        logs = list(self.settings.claude_dirs)
        watcher = self._watcher = Watcher(
            [*logs, *map(Path, pipeline.plans.territory.roots)],
            pipeline.changed,
            reconciler.request,
            accept=pipeline.accepts,
            enters=pipeline.enters,
            probe_dir=self.paths.runtime_dir / "watch",
            mode=self.settings.watch,
        )
        # Armed before the first scan begins, so that no change falls between the two.
        await watcher.start()
        pipeline.plans.follow = lambda roots: watcher.set_roots([*logs, *roots])
        self._scans = asyncio.get_running_loop().create_task(reconciler.run(), name="scans")
        self._following.start()

    async def _close(self) -> None:
        followers, self._followers = self._followers, None
        if followers is not None:
            await followers.stop()
        scans, watcher, pipeline, database = self._scans, self._watcher, self._pipeline, self._database
        self._scans = self._reconciler = self._watcher = self._pipeline = self._database = None
        if scans is not None:
            scans.cancel()
            await asyncio.wait([scans])
        for part in (watcher, pipeline):
            if part is not None:
                await survived(part.stop(), _NO_END)
        if database is not None:
            await survived(database.close(), _NO_END)
        # What was remembered of this cache is not true of another one.
        self.__dict__.pop("touched", None)
        self.__dict__.pop("blames", None)

    async def _failed(self, error: Exception) -> None:
        if _is_database_error(error):
            from ccdashd.store import database

            # Once only: where the new one is not right either, the fault is in the daemon.
            malformed = database.is_malformed(error) and not self._replaced
            if database.is_corrupt(error) or malformed:
                self._replaced = malformed
                try:
                    await self._move_aside(database.explain(error))
                    return
                except OSError as problem:
                    error = problem
            reason = database.explain(error)
        else:
            reason = plain(error)
        if reason != self._reason:
            logger.error("cache not opened", reason=reason, exc_info=error)
        hint = f"Look at {self.paths.cache_dir}: is it writable, is there space? It is tried again every few seconds."
        self.problems.set("cache", reason, hint)
        self._settled.set()
        await asyncio.sleep(RETRY)

    async def _move_aside(self, problem: str) -> None:
        from ccdashd.store.database import move_aside

        kept = await asyncio.to_thread(move_aside, self.paths.database)
        logger.error("cache damaged", problem=problem, moved_to=kept.name)
        self.problems.set(
            "cache file",
            f"cache.db was damaged and is rebuilt from the logs; the old file is kept as {kept.name}",
            "Nothing is lost. Delete the old file when you do not need it to find out what happened.",
        )


def _is_database_error(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] in ("sqlalchemy", "sqlite3")


def _import_all() -> None:
    importlib.import_module("ccdashd.followers")
    importlib.import_module("ccdashd.store.database")
    importlib.import_module("ccdashd.ingest.pipeline")
    importlib.import_module("ccdashd.ingest.watch")
    importlib.import_module("ccdashd.analytics.exporter")
    dispatch.load()
    # What is imported stays: the collector need not walk it while rows by the hundred thousand come and go.
    gc.freeze()
