"""Keeps the index of texts up to the cache, and lets it be read.

    commits, end of a scan ──► wake ──► compare cache and index ──► little to do: here, on a thread
                                                                └─► much: `worker`, a process beside the daemon

Sessions come first: nothing is built before the first index of the cache is complete, nor while a backlog of logs is read.
The comparison is the truth, and what wakes it a hint; so nothing is lost when daemon or process is killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import apsw
import msgspec

from ccdashd.analytics.rounds import rounds
from ccdashd.errors import Busy
from ccdashd.events import Event
from ccdashd.helper import HelperFailed
from ccdashd.log import get
from ccdashd.protocol import types as t
from ccdashd.search import building, items
from ccdashd.search.differences import Differences
from ccdashd.search.hints import Hint, Hints
from ccdashd.search.indexing import Indexer, Look
from ccdashd.search.threads import Reader, Reading, Writer
from ccdashd.store.text.connection import Unusable, delete, explain, is_corrupt, size

if TYPE_CHECKING:
    from ccdashd.app import App

READERS = 2
"""Threads that search."""

SMALL = 2 * 1024 * 1024
"""Bytes of logs up to which the daemon itself reads them."""

FEW = 5_000
"""Entries that the daemon itself takes out of the index."""

SETTLE = 0.1
"""Seconds from a change until it is looked at, with all that came meanwhile."""

REST = 10
"""How many times as long as a comparison takes it is rested, so that busy logs leave a core to others."""

LOOK_AGAIN = 30.0
"""Seconds after which it is looked whether something changed that nobody told."""

OPENING = 15.0
"""Seconds that a search waits for the file to be opened, or made."""

RETRY = 5.0
"""Seconds until it is tried again after a failure."""

_DAMAGED = "it is damaged, and made anew from the logs"
_READING = ("glance", "parse", "finish")
"""Phases in which a backlog of logs is read."""
_TOPICS = ("sessions", "projects", "documents", "tasks", "features", "indexing")

T = TypeVar("T")
logger = get(__name__)


class Texts:
    """The index of texts of one daemon, while its cache is open. All calls are for the event loop; `state` may be read from
    any thread."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.path = app.paths.text_index
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._open = asyncio.Event()
        """Set while the file is one that can be read: it may have to be made, or made anew, first."""
        self._make_threads()
        self._hints = Hints()
        self._looked = -1
        """The last revision that the whole index was compared with, and brought up to as far as can be."""
        self._next = 0.0
        """When everything is compared again, though nobody told that it changed; on the monotonic clock."""
        self._behind = True
        """Whether the index lacked something then."""
        self._damage: BaseException | None = None
        """What a reader came upon in the file."""
        self._replacing = False
        self.is_building = False
        """Whether a process builds what is lacking."""
        self._turn = asyncio.Event()
        """Set when a round is over, and made anew then."""
        self._problem: str | None = None
        self._state = t.TextIndex(
            enabled=app.settings.text_index,
            complete=False,
            logs=0,
            logs_missing=0,
            bytes_missing=0,
            entries=0,
            bytes=0,
        )

    # --- life ---

    def start(self) -> None:
        """Begin to follow the cache; or, where the setting says so, keep no index."""
        loop = asyncio.get_running_loop()
        if self._state.enabled:
            self._app.events.subscribe(self, _TOPICS)
            self._wake.set()
            self._task = loop.create_task(self._run(), name="texts")
        else:
            self._task = loop.create_task(self._forget(), name="texts")

    async def stop(self) -> None:
        """End, also a process that builds: the next start goes on from there."""
        self._app.events.drop(self)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._problem = "the cache is being closed"
        self._end_turn()
        await self._stop_threads()

    def _make_threads(self) -> None:
        settings, paths = self._app.settings, self._app.paths
        make = partial(Indexer, self.path, paths.database, paths.archive, settings.text_index_cap_bytes)
        self._writer = Writer(make)
        self._readers = [Reader(f"text-reader-{n}", self.path, paths.database) for n in range(READERS)]

    async def _stop_threads(self) -> None:
        for stop in (*(reader.stop for reader in self._readers), self._writer.stop):
            with contextlib.suppress(apsw.Error, sqlite3.Error):
                await stop()

    # --- what others ask ---

    async def search(self, fn: Callable[[Reading], T], *, seconds: float | None = None) -> T:
        """``fn(reading)`` on a thread that only reads. Cancelling the awaiting task interrupts it.

        Raises Busy where the index cannot be had now, where that takes more than `seconds`, and where the setting
        `text_index` is off.
        """
        if not self._state.enabled:
            raise Busy("there is no index of texts: the setting text_index is off", reason="text_index is off")
        if self._replacing:
            raise self._unusable(_DAMAGED)
        try:
            if not self._open.is_set() and self._problem is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._open.wait(), OPENING)
            thread = min(self._readers, key=lambda reader: reader.waiting)
            return await thread.call(fn, seconds=seconds)
        except (apsw.CorruptError, apsw.NotADBError, apsw.CantOpenError, apsw.IOError, apsw.BusyError) as error:
            if is_corrupt(error):
                self.damaged(error)
                raise self._unusable(_DAMAGED) from error
            raise self._unusable(self._problem or explain(error)) from error

    def damaged(self, error: BaseException) -> None:
        """The file is damaged: make it anew soon."""
        self._damage = error
        self._looked = -1
        self._wake.set()

    async def maintain(self, fn: Callable[[apsw.Connection], T]) -> T:
        """``fn(connection)`` of the index on the thread that writes. Raises `apsw.Error` or Busy."""
        if not self._state.enabled:
            raise Busy("there is no index of texts: the setting text_index is off", reason="text_index is off")
        return await self._writer.call(lambda indexer: fn(indexer.connection))

    async def read(self, fn: Callable[[apsw.Connection], T]) -> T:
        """``fn(connection)`` of the index alone; as `search`."""
        return await self.search(lambda reading: fn(reading.view.text))

    def state(self) -> t.TextIndex:
        """How far the index is."""
        state = self._state
        indexing = self._app.indexing
        if state.enabled and not indexing.complete:
            # Before the cache knows all logs, nobody can tell what is missing of those that it will know.
            state = msgspec.structs.replace(
                state,
                complete=False,
                logs_missing=max(state.logs_missing, indexing.files_total),
                bytes_missing=max(state.bytes_missing, indexing.total),
            )
        return msgspec.structs.replace(state, bytes=size(self.path))

    async def settled(self) -> None:
        """Return when the index has all of the present revision that can be had. Raises Busy when it cannot be written."""
        if not self._state.enabled:
            return
        revision = self._app.revision
        self._hints.all_logs = True
        self._wake.set()
        while self._looked < revision:
            await self._turn.wait()
            if self._problem is not None:
                raise self._unusable(self._problem)

    def _unusable(self, reason: str) -> Busy:
        return Busy(f"the index of texts cannot be used now: {reason}", reason=reason)

    def notify(self, event: Event) -> None:
        """Something changed, see `events.Subscriber`."""
        if isinstance(event.params, t.ChangedNotification):
            self._hints.note(event.params)
        elif isinstance(event.params, t.IndexingNotification) and event.params.indexing.phase in _READING:
            # What is read now is not in the index, whatever the last comparison said.
            self._hints.all_logs = self._behind = True
            self._state = msgspec.structs.replace(self._state, complete=False)
        self._wake.set()

    # --- rounds ---

    async def _run(self) -> None:
        await rounds(self._wake, lambda: LOOK_AGAIN, self._round, self._failed, settle=SETTLE, retry=RETRY)

    async def _round(self) -> float:
        """Bring the index up to the cache; returns how many seconds to rest."""
        try:
            if self._damage is not None:
                raise self._damage
            took = await self._attempt()
        except (apsw.Error, Unusable) as error:
            if not is_corrupt(error):
                raise
            await self._replace(error)
            took = await self._attempt()
        if took is None:
            return 0.0
        self._problem = None
        self._app.problems.clear("text index")
        self._end_turn()
        return REST * took

    def _end_turn(self) -> None:
        self._turn.set()
        self._turn = asyncio.Event()

    async def _attempt(self) -> float | None:
        """Returns how many seconds a comparison took; None where it is not the time for one."""
        await self._writer.call(lambda indexer: None)
        self._open.set()
        if not self._app.indexing.complete or self._app.indexing.phase != "idle":
            return None
        return await self._catch_up()

    async def _catch_up(self) -> float:
        revision = self._app.revision
        hint = self._hints.take()
        await self._take_items(hint)
        if not hint.all_logs and time.monotonic() < self._next and await self._take_growth(hint.sessions):
            return 0.0
        if revision == self._looked and not self._behind:
            return 0.0
        took = await self._take_all()
        self._looked = revision
        self._next = time.monotonic() + LOOK_AGAIN
        return took

    async def _take_growth(self, sessions: set[str]) -> bool:
        """Bring the index up to what these sessions said; False where that takes more than a short look."""
        if not sessions:
            return True
        found = await self._writer.call(partial(Indexer.lately, sessions=sessions))
        if found is None or found.size > SMALL:
            return False
        if found:
            self._state = await self._writer.call(partial(_grown, found, self._state))
        return await self._writer.call(partial(Indexer.has, differences=found))

    async def _take_all(self) -> float:
        """Compare everything, and bring the index up to the cache; returns how many seconds a comparison took."""
        before: Differences | None = None
        while True:
            began = time.monotonic()
            look = await self._writer.call(Indexer.look)
            took = time.monotonic() - began
            found = look.differences
            self._note(look)
            # What cannot be read now stays: it is looked at again when the cache knows more.
            if not found or found == before:
                break
            before = found
            if found.size <= SMALL and look.dropped <= FEW:
                await self._writer.call(partial(Indexer.catch_up, differences=found))
                await asyncio.sleep(REST * took)
            else:
                await self._build()
        self._behind = bool(found or found.waiting)
        return took

    def _note(self, look: Look) -> None:
        found = look.differences
        missing = sum(one.state is None for one in found.behind)
        self._state = t.TextIndex(
            enabled=True,
            complete=not found and not found.waiting,
            logs=found.current + len(found.behind) - missing,
            logs_missing=missing + len(found.waiting),
            bytes_missing=found.size + sum(log.size for log in found.waiting),
            entries=look.entries,
            bytes=0,
        )

    async def _build(self) -> None:
        """Let a process build what is lacking."""
        self.is_building = True
        try:
            run = building.build(self._app.settings, self._app.paths, self._state)
            async with contextlib.aclosing(run) as states:
                async for state in states:
                    self._state = state
        finally:
            self.is_building = False
        await self._writer.call(Indexer.refresh)

    async def _take_items(self, hint: Hint) -> None:
        """Bring titles, plans and notes up to the cache, which is little."""
        behind = items.everything() if hint.changes is None else items.changed(hint.changes)
        if not behind:
            return
        found = await self.search(partial(_compare, behind))
        cap = self._app.settings.text_index_cap_bytes
        written = await self._writer.call(lambda indexer: items.write(indexer.connection, found, cap))
        while await self._writer.call(lambda _: next(written, None)) is not None:
            pass

    def _failed(self, error: Exception) -> None:
        self._hints.anything()
        if self._app.explain(error) is not None or isinstance(error, Busy):
            return  # the cache's own problem says it
        if isinstance(error, (apsw.Error, OSError, HelperFailed)):
            self._problem = explain(error)
            logger.warning("text index not written", error=type(error).__name__, problem=self._problem)
        else:
            self._problem = f"an internal error ({type(error).__name__}); the log says more"
            logger.error("text index not written", exc_info=error)
        self._state = msgspec.structs.replace(self._state, complete=False)
        hint = f"Look at {self.path.parent}: is it writable, is there space? It is tried again every few seconds."
        self._app.problems.set("text index", f"search misses what is new: {self._problem}", hint)
        self._end_turn()

    async def _replace(self, damage: BaseException) -> None:
        """Make the index anew."""
        logger.error("text index damaged", problem=str(damage))
        self._app.problems.set(
            "text index",
            "text.db was damaged and is made anew from the logs; until then a search may miss something",
            "Nothing is lost. If it happens again, have the disk checked.",
        )
        self._replacing = True
        self._open.clear()
        try:
            await self._stop_threads()
            await asyncio.to_thread(delete, self.path)
        finally:
            self._make_threads()
            self._replacing = False
        self._damage = None
        self._hints.anything()
        self._behind = True

    async def _forget(self) -> None:
        with contextlib.suppress(OSError):
            await asyncio.to_thread(delete, self.path)


def _compare(behind: list[items.Behind], reading: Reading) -> items.Difference:
    with reading.cache.begin():
        return items.compare(reading.cache, reading.view.text, behind)


def _grown(found: Differences, state: t.TextIndex, indexer: Indexer) -> t.TextIndex:
    """Write what logs grew by; returns how far the index is."""
    new = sum(one.state is None for one in found.behind)
    indexer.catch_up(found)
    return msgspec.structs.replace(state, logs=state.logs + new, entries=indexer.entries)
