"""Tells metrics to Prometheus: to who asks over the socket, over the loopback endpoint, and by a file every minute.

Sums over rows are taken while the rows are those of the files, at the prices of today. While the first index is incomplete,
the first scan of this daemon is not over, one runs, or prices are being replaced, rows may be missing that were counted
before: counters then stay where they are.
"""

from __future__ import annotations

import asyncio
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from ccdashd.analytics import health
from ccdashd.analytics.counters import Counters, CountersProblem, Key, write_whole
from ccdashd.analytics.endpoint import Endpoint
from ccdashd.errors import Busy
from ccdashd.log import get

if TYPE_CHECKING:
    from ccdashd.analytics.prometheus import Work
    from ccdashd.app import App
    from ccdashd.store.database import Database

MINUTE: Final = 60.0
"""Seconds between two writes of the file, and between two attempts to have the port."""

FILE_MODE: Final = 0o644
"""Of the file: who collects it is another user."""

_HINT: Final = "Make room, and make it readable and writable for you; it is tried again whenever metrics are asked for."
_DAMAGE_HINT: Final = (
    "Prometheus takes it for a restart, and counts what was counted before once more. It is told until then."
)

logger = get(__name__)


class Exporter:
    """The metrics of one daemon."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._counters: Counters | None = None
        self._work: tuple[Database, int, Work] | None = None
        """What was read last, of which database, at which revision."""
        self._lock = threading.Lock()
        """Readers of the cache have threads of their own."""
        self._problem: tuple[str, str] | None = None
        """What is wrong with the file of counters, and what to do."""
        port = app.settings.metrics_port
        self._endpoint = Endpoint(port, self._scraped) if port else None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str | None:
        """Where metrics can be scraped; None where they cannot."""
        return self._endpoint.url if self._endpoint is not None else None

    def start(self) -> None:
        """Begin to listen and to write, as far as the settings say so. More than one call does no harm."""
        if self._task is None and (self._endpoint is not None or self._app.settings.metrics_file is not None):
            self._task = asyncio.get_running_loop().create_task(self._run(), name="metrics")

    async def stop(self) -> None:
        """Listen no more; the file says that the daemon is down."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._endpoint is not None:
            await self._endpoint.stop()
        await self._write(up=False)

    def review(self) -> None:
        """Tell the status what is wrong with the file of counters. On the event loop."""
        if self._problem is None:
            self._app.problems.clear("metrics")
        else:
            self._app.problems.set("metrics", *self._problem)

    # --- for any thread ---

    def expose(self, connection: sa.Connection | None, revision: int, *, up: bool = True) -> bytes:
        """All metrics as text; without a connection what is known without the cache. Blocks.

        Raises Busy where the file of counters cannot be read: what would be told might be below what was told before.
        """
        from ccdashd.analytics import prometheus  # its library is only loaded where metrics are told

        with self._lock:
            counters = self._load()
            settled = self._settled
            work = prometheus.Work() if self._work is None else self._work[2]
            if connection is not None and (self._work is None or self._work[:2] != (self._app.database, revision)):
                work = prometheus.read(connection)
                self._work = self._app.database, revision, work
            # Asked again: a scan that began meanwhile may have been seen half done.
            rows = prometheus.sums(work, counters) if connection is not None and settled and self._settled else None
            counters.settle(rows, health.lives(self._app), work.prices)
            samples: dict[Key, float] = {
                **dict(prometheus.told(counters.rows.values())),
                **dict(prometheus.told(counters.lives.values())),
                **health.daemon(self._app, up and connection is not None),
            }
            if connection is not None:
                samples |= prometheus.gauges(work, counters)
                samples |= health.going_on(connection)
            samples = prometheus.named(samples, work, counters)
            self._save(counters)
        return prometheus.text(samples)

    def _load(self) -> Counters:
        if self._counters is None:
            try:
                self._counters = Counters(self._app.paths.counters)
            except CountersProblem as error:
                self._problem = str(error), _HINT
                raise Busy(f"metrics cannot be told now: {error}", reason="metrics") from error
        return self._counters

    def _save(self, counters: Counters) -> None:
        try:
            counters.save()
        except CountersProblem as error:
            # What is told all the same falls only if rows vanish before it can be written.
            self._problem = str(error), _HINT
        else:
            self._problem = (counters.damage, _DAMAGE_HINT) if counters.damage else None

    @property
    def _settled(self) -> bool:
        app, indexing = self._app, self._app.indexing
        priced = app.is_open and not app.pipeline.repricing.under_way
        return priced and app.scanned and indexing.complete and indexing.phase == "idle"

    # --- on the event loop ---

    async def tell(self, *, up: bool = True) -> bytes:
        """All metrics as text. Raises Busy; see `expose`."""
        if self._app.is_open:
            try:
                return await self._app.database.read(lambda connection, revision: self.expose(connection, revision, up=up))
            except Exception as error:
                if self._app.explain(error) is None:
                    raise
        return await asyncio.to_thread(self.expose, None, 0, up=up)

    async def _scraped(self) -> bytes:
        self._app.in_use()
        return await self.tell()

    async def _run(self) -> None:
        await self._listen()
        with suppress(Busy):
            await self._app.ready()
        while True:
            await self._write()
            await asyncio.sleep(MINUTE)
            await self._listen()

    async def _listen(self) -> None:
        endpoint = self._endpoint
        if endpoint is None or endpoint.url is not None:
            return
        try:
            await endpoint.start()
        except OSError as error:
            hint = "Set metrics_port to another one, or end what uses it; it is tried again every minute."
            reason = os.strerror(error.errno) if error.errno else str(error)
            self._app.problems.set("metrics endpoint", f"port {endpoint.port} cannot be had: {reason}", hint)
        else:
            self._app.problems.clear("metrics endpoint")
            logger.info("metrics", url=endpoint.url)

    async def _write(self, *, up: bool = True) -> None:
        path = self._app.settings.metrics_file
        if path is None:
            return
        try:
            await asyncio.to_thread(write_whole, path, await self.tell(up=up), mode=FILE_MODE)
        except OSError as error:
            hint = "Make its folder, and make it writable for you; it is tried again every minute."
            self._app.problems.set("metrics file", f"{path} cannot be written: {error.strerror or error}", hint)
        except Busy:
            return  # the status says why
        except Exception:
            logger.exception("metrics could not be written; it is tried again")
        else:
            self._app.problems.clear("metrics file")
