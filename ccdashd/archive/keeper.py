"""Copies logs into the archive when they have been quiet for a while, in a process of low priority, one run at a time.

every LOOK seconds ──► what waits and is quiet ──► the process, log by log ──► copies that the cache reads, where a log
                                                          │                    was rewritten or deleted meanwhile
                                   a full disk ◄──────────┘
                a problem in the status, until a run goes well
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec
import sqlalchemy as sa

from ccdashd.archive.archive import Unreadable
from ccdashd.archive.waiting import Rules, Waiting, waiting
from ccdashd.archive.worker import CopyJob, CopyStep
from ccdashd.clock import now
from ccdashd.errors import Busy, plain
from ccdashd.helper import HelperFailed, answers
from ccdashd.protocol import types as t
from ccdashd.store import archived, prunes
from ccdashd.store.archived import Log
from ccdashd.store.logs import path_value, shown

if TYPE_CHECKING:
    from ccdashd.app import App

log = logging.getLogger(__name__)

LOOK = 60.0
"""Seconds from the start to the first look at what waits, and from each look to the next."""

RETRY = 300.0
"""Seconds until a run is tried again in which something went wrong."""

TOLD = 200
"""Copies that the cache looks at in one go, so that nobody waits long for its turn."""

MODULE = "ccdashd.archive.worker"

_decode = msgspec.msgpack.Decoder(CopyStep).decode
_encode = msgspec.msgpack.Encoder().encode

Report = Callable[[int, int, str], None]
"""Takes the bytes that are done, those of the whole run, and words."""


def _unheard(done: int, total: int, words: str) -> None:
    """Where nobody wants to know how far a run is."""


@dataclass
class Outcome:
    """What a run did."""

    logs: int = 0
    read: int = 0
    written: int = 0
    seconds: float = 0.0
    full: bool = False
    problems: list[t.Problem] = field(default_factory=list)


class Keeper:
    """One daemon's."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.catalogue = app.pipeline.copies.catalogue
        self.last_run_at: str | None = None
        """When the last run that was not interrupted began."""
        self.problem: str | None = None
        """Why the last run failed, in plain words."""
        self._running = asyncio.Lock()
        self._swept = False
        """Whether the last run came to its end; else it may have left chunks that nothing refers to."""
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """Whether logs are being copied."""
        return self._running.locked()

    def start(self) -> None:
        """Begin to copy what is quiet, where the settings say so."""
        if self._app.settings.archive:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="archive")

    async def stop(self) -> None:
        """End; what was copied by then stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK if self.problem is None else RETRY)
            try:
                await self.look()
            except (Busy, HelperFailed):
                continue  # the status tells
            except Unreadable as error:
                self._failed(plain(error))
            except Exception:
                log.exception("logs could not be copied into the archive; it is tried again")

    async def look(self) -> None:
        """Copy what is quiet, unless logs are being read or the index of texts is built, which people wait for.

        Raises Busy while the cache cannot be read, Unreadable where the archive cannot, HelperFailed where a run failed.
        """
        app = self._app
        if app.is_open and app.indexing.complete and app.indexing.phase == "idle" and not app.texts.is_building:
            with contextlib.suppress(OSError):
                await app.retention.release()
            quiet = self.quiet(await self.waiting())
            if quiet or self.problem is not None:
                await self.copy(quiet)

    # --- what waits ---

    async def waiting(self) -> Waiting:
        """What is to be copied, quiet or not."""
        return await self._app.database.read(self.waiting_now)

    def waiting_now(self, connection: sa.Connection, revision: int) -> Waiting:
        """`waiting`, on a reader thread."""
        rules = Rules(self._app.settings, prunes.kept_out(connection))
        return waiting(archived.logs(connection), self.catalogue.all(), rules, time.time_ns())

    def quiet(self, found: Waiting) -> list[Log]:
        """Those that did not change for a while."""
        return found.quiet(self._app.settings.archive_quiet_seconds, time.time_ns())

    # --- runs ---

    async def copy(self, logs: list[Log], *, anew: bool = False, report: Report = _unheard) -> Outcome:
        """Copy these logs, as far as they are other than their copies; `anew` reads all of them and mends what is damaged.

        Waits for a run that is going on. Raises HelperFailed where the archive cannot be written.
        """
        async with self._running:
            began, at = time.monotonic(), now()
            outcome = Outcome()
            settings = self._app.settings
            job = CopyJob(
                folder=os.fsencode(self._app.archive.folder),
                logs=[os.fsencode(log.path) for log in logs],
                max_bytes=settings.archive_max_bytes,
                anew=anew,
                sweep=not self._swept,
            )
            self._swept = False
            total = sum(log.size for log in logs)
            sizes = [0]
            for one in logs:
                sizes.append(sizes[-1] + one.size)
            try:
                async with contextlib.aclosing(answers(MODULE, _encode(job))) as steps:
                    async for answer in steps:
                        step = _decode(answer)
                        await self._take(step, outcome)
                        report(sizes[step.done], total, f"{step.done} of {len(logs)} logs")
            except HelperFailed as error:
                self._failed(str(error))
                raise
            outcome.seconds = time.monotonic() - began
            self.last_run_at = at
            self._swept = True
            self._ended(outcome)
            return outcome

    async def _take(self, step: CopyStep, outcome: Outcome) -> None:
        outcome.logs += len(step.copied)
        outcome.read, outcome.written, outcome.full = step.read, step.written, step.full
        for path, problem in step.problems:
            name = shown(path_value(os.fsdecode(path)))
            hint = "It is tried again; `ccdash verify` checks the archive."
            outcome.problems.append(t.Problem(part=name, problem=problem, hint=hint))
        # A log that was rewritten or deleted while it was copied has a copy that the cache does not know of.
        with contextlib.suppress(Busy):
            for begin in range(0, len(step.copied), TOLD):
                await self._app.pipeline.copied(map(os.fsdecode, step.copied[begin : begin + TOLD]))

    def _ended(self, outcome: Outcome) -> None:
        if outcome.logs:
            log.info("copied logs=%d read=%d written=%d", outcome.logs, outcome.read, outcome.written)
        self.problem = None
        if outcome.full:
            self.problem = "the archive has as many bytes as the setting archive_max_bytes allows; nothing more is copied"
        elif outcome.problems:
            self.problem = f"{outcome.problems[0].part}: {outcome.problems[0].problem}"
        if self.problem is None:
            self._app.problems.clear("archive")
        else:
            self._app.problems.set("archive", self.problem, "Raise the setting, or prune." if outcome.full else _HINT)

    def _failed(self, problem: str) -> None:
        self.problem = problem
        self._app.problems.set("archive", problem, _HINT)


_HINT = "All else goes on; it is tried again every five minutes."
