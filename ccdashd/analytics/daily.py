"""Notes in the journal how far the plans of each project are on each day, which nobody could compute later.

    plans changed ──► SETTLE ──► other figures than were noted last? ──► a line, one in APART for each project

What waits for its line when the day ends gets one of that day. After a kill, what waited is noted under the day of the next
start; nothing else is lost.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ccdashd.analytics.rounds import rounds
from ccdashd.derive import periods
from ccdashd.derive.progress_days import Figures
from ccdashd.edits.decisions import DayEdit
from ccdashd.errors import Busy
from ccdashd.events import Event
from ccdashd.store import progress_days, projects

if TYPE_CHECKING:
    from ccdashd.app import App

log = logging.getLogger(__name__)

SETTLE = 5.0
"""Seconds from the first change until it is looked at, with all that came after it."""

APART = 600.0
"""Seconds between two lines of a project, at least."""

RETRY = 60.0
"""Seconds until what failed is tried again."""

LEAVE = 5.0
"""Seconds that the last lines may take when the daemon ends."""

_TOPICS = ("documents", "tasks", "features", "indexing")


@dataclass(frozen=True)
class _Note:
    """What is to be said of a project, and of which day."""

    root: str
    day: date
    figures: Figures


class Daily:
    """Keeps the days of all projects in the journal. Never disturbs others: what fails is a problem in the status."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._zone = periods.zone(app.settings.time_zone)
        self._wake = asyncio.Event()
        self._waiting: dict[str, _Note] = {}
        """By project: what was seen, and not noted yet."""
        self._next: dict[str, float] = {}
        """By project: when the next line may follow, on the monotonic clock."""
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow the plans."""
        self._app.events.subscribe(self, _TOPICS)
        self._wake.set()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="daily")

    async def stop(self) -> None:
        """Note what is not noted yet, and end."""
        self._app.events.drop(self)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        try:
            async with asyncio.timeout(LEAVE):
                await self.look(at_once=True)
        except (OSError, Busy, TimeoutError) as error:
            log.warning("progress of plans not noted problem=%r", str(error))

    def notify(self, event: Event) -> None:
        """Something changed, see `events.Subscriber`."""
        self._wake.set()

    async def _run(self) -> None:
        await rounds(self._wake, self._pause, self._round, self._failed, settle=SETTLE, retry=RETRY)

    async def _round(self) -> float:
        await self.look()
        self._app.problems.clear("progress")
        return 0.0

    def _failed(self, error: Exception) -> None:
        if isinstance(error, OSError):
            problem = f"how far plans are today could not be noted in the journal: {error.strerror or error}"
            self._app.problems.set("progress", problem, "It is tried again every minute; all else goes on.")
        elif not isinstance(error, Busy):  # of which the status tells already
            log.error("progress of plans not noted", exc_info=error)

    def _pause(self) -> float | None:
        """Seconds until something that waits may be noted; None where nothing does."""
        due = [self._next.get(id, 0.0) for id in self._waiting]
        return max(0.0, min(due) - time.monotonic()) if due else None

    async def look(self, *, at_once: bool = False) -> None:
        """Compare plans with what was noted of them last, and note what differs: `at_once`, or what may be noted by now.

        Raises OSError where the journal cannot be written or read, and Busy where the cache cannot.
        """
        app = self._app
        if not (app.settings.planning and app.is_open and app.indexing.complete and app.indexing.phase == "idle"):
            return  # what is known of plans may be half of them; the end of an index run wakes us
        today = datetime.now(self._zone).date()
        for id, note in list(self._waiting.items()):
            if note.day != today:
                await self._say(id, note)
        self._waiting = await app.database.read(partial(_differing, today))
        for id, note in list(self._waiting.items()):
            if at_once or time.monotonic() >= self._next.get(id, 0.0):
                await self._say(id, note)

    async def _say(self, id: str, note: _Note) -> None:
        await self._app.pipeline.decide(partial(_choose, id, note))
        self._waiting.pop(id, None)
        self._next[id] = time.monotonic() + APART


def _differing(day: date, connection: sa.Connection, revision: int) -> dict[str, _Note]:
    """The projects of which something else was noted last, up to that day, than is so now."""
    now = progress_days.current(connection)
    notes = {id: _Note(root, day, now.get(id, Figures())) for id, root in projects.roots(connection, revision)}
    return {id: note for id, note in notes.items() if _is_news(connection, id, note) and not _is_away(note)}


def _is_away(note: _Note) -> bool:
    """Whether the plans are gone with their folder: that may be on a disk that comes back."""
    return note.figures == Figures() and not os.path.isdir(note.root)


def _choose(id: str, note: _Note, connection: sa.Connection) -> tuple[DayEdit | None, None]:
    # Looked at once more: meanwhile it may have been noted, by the run that was cancelled or by another daemon.
    if not _is_news(connection, id, note):
        return None, None
    return progress_days.edit_of(note.root, note.day, note.figures), None


def _is_news(connection: sa.Connection, id: str, note: _Note) -> bool:
    return (progress_days.last(connection, id, note.day) or Figures()) != note.figures
