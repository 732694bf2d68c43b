"""Carries out policies of retention, and what the user wants pruned: only copies of ccdash's own, never a log of an agent.

    plan ──► a line in the journal for each session ──► its copies ──► rows of its logs that are gone ──► unused chunks
                 BATCH at a time                                                                              │
                                         a line for each of which nothing is left ◄── space of the cache ◄────┘

What is in the journal counts: where the daemon dies on the way, the next run goes on with what no line says is done. A
session whose log is still there stays in the cache, and out of the archive, until the log grows.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import sqlalchemy as sa

from ccdashd.archive.archive import InUse
from ccdashd.archive.chunks import on_disk
from ccdashd.archive.forget import forget
from ccdashd.archive.holdings import Holdings, survey
from ccdashd.archive.prune import (
    Known,
    Outcome,
    Sources,
    choose,
    delete_copies,
    locked,
    now_ms,
    released,
    unfinished,
    words,
)
from ccdashd.clock import iso
from ccdashd.derive import retention as derive
from ccdashd.derive.retention import Plan, Policy
from ccdashd.errors import Busy
from ccdashd.protocol import types as t
from ccdashd.store import prunes, retention
from ccdashd.store.database import get_meta, put_meta
from ccdashd.store.retention import Session

if TYPE_CHECKING:
    from ccdashd.app import App

log = logging.getLogger(__name__)

T = TypeVar("T")

BATCH = 100
"""Sessions that are noted, and deleted, together."""

AGAIN = 0.2
"""Seconds until the archive, which somebody writes, is asked for once more."""

SETTLE = 60.0
"""Seconds from the start until what is due is carried out."""

DAY = 86_400.0
RETRY = 3_600.0
"""Seconds until what failed is tried again, and at most between two looks at the clock and at what is left of sessions that
were pruned: one may have been copied at that very moment."""

_LAST = "retention"
"""Name in `meta` of the time of the last daily run, in seconds since the epoch."""


class Retention:
    """One daemon's. One run at a time; others wait."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.untidy = False
        """Set where somebody was cut off who wrote into the archive: what nothing refers to goes with the next look."""
        self._running = asyncio.Lock()
        self._released: int | None = None
        """The revision at which it was looked last what may be copied again."""
        self._started = time.time()
        self._task: asyncio.Task[None] | None = None

    # --- once a day ---

    def start(self) -> None:
        """Begin to carry out what is due."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="retention")

    async def stop(self) -> None:
        """End; what is half done is finished after the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def next_run_at(self, connection: sa.Connection) -> str | None:
        """When automatic policies are carried out next."""
        return iso(round(self._due(_last_run(connection, 0)) * 1000))

    def _due(self, last: float | None) -> float:
        soon = self._started + SETTLE
        # A clock that was set back must not put the run off for good.
        return soon if last is None or last > time.time() else max(soon, last + DAY)

    async def _run(self) -> None:
        await asyncio.sleep(SETTLE)
        while True:
            try:
                rest = await self._look()
            except Busy:
                rest = SETTLE
            except Exception as error:
                if not isinstance(error, OSError):
                    log.exception("retention failed")
                self._failed(words(error))
                rest = RETRY
            await asyncio.sleep(rest)

    async def _look(self) -> float:
        """Finish what was begun, and carry out what is due; returns the seconds until it is time to look again."""
        wait = self._due(await self._app.database.read(_last_run)) - time.time()
        problems = (await self.carry_out(automatic=wait <= 0)).problems
        if problems:
            self._failed(problems[0].problem)
            return RETRY
        self._app.problems.clear("retention")
        if wait <= 0:
            await self._app.pipeline.write(partial(put_meta, key=_LAST, value=str(time.time())))
            wait = DAY
        return min(wait, RETRY)

    def _failed(self, problem: str) -> None:
        hint = "All else goes on; it is tried again every hour."
        self._app.problems.set("retention", f"what policies let go could not be deleted: {problem}", hint)

    async def carry_out(self, *, automatic: bool = True) -> Outcome:
        """Finish what was begun, and carry out automatic policies unless told otherwise. Raises as `prune`."""
        self._app.require_index("pruned")
        policies = await self._app.database.read(lambda connection, _: retention.policies(connection))
        wanted = {id: policy for id, policy in policies.items() if automatic and policy.automatic}
        async with self._running:
            _, _, outcome = await self._apply(wanted, None, sweep=automatic)
            return outcome

    # --- when asked ---

    async def prune(self, policies: dict[str, Policy], sessions: Collection[str] | None, *, apply: bool) -> t.PruneResult:
        """Say what policies let go, or which of these main sessions, and with `apply` delete it.

        Raises Busy while the first index runs, and OSError where the journal or the archive cannot be had.
        """
        self._app.require_index("pruned")
        async with self._running:
            if apply:
                known, plan, outcome = await self._apply(policies, sessions)
            else:
                known, plan = await self._plan(policies, sessions)
                outcome = Outcome(freed=known.freed(going.id for going in plan.going))
            return t.PruneResult(
                items=[known.told(going) for going in plan.going if not apply or going.id in outcome.pruned],
                applied=apply,
                freed_bytes=outcome.freed,
                kept=dict(Counter(plan.kept.values())),
                problems=outcome.problems,
                revision=self._app.database.revision,
            )

    async def release(self) -> None:
        """Let sessions be copied again that were pruned, and whose logs grew since, or that are tagged ``keep`` by now.

        Raises as `Pipeline.decide`.
        """
        revision = self._app.revision
        if revision == self._released:
            return  # nothing is other than it was
        if ids := await self._app.database.read(released, heavy=True):
            await self._app.pipeline.decide(lambda _: (prunes.release(ids), None))
        self._released = revision

    # --- steps ---

    @property
    def _sources(self) -> Sources:
        return Sources(self._app.archive, dict(self._app.pipeline.copies.superseded))

    async def _plan(self, policies: dict[str, Policy], sessions: Collection[str] | None) -> tuple[Known, Plan]:
        if not policies and sessions is None:
            return Known({}, Holdings({}, {})), Plan()
        holdings = await asyncio.to_thread(survey, self._app.archive)
        found = await self._app.database.read(self._sources.sessions, heavy=True)
        known, now = Known(found, holdings), now_ms()
        if sessions is not None:
            return known, derive.asked(sessions, known.held(now))
        return known, derive.plan(policies, known.held(now), holdings.sizes, now)

    async def _apply(
        self, policies: dict[str, Policy], sessions: Collection[str] | None, *, sweep: bool = True
    ) -> tuple[Known, Plan, Outcome]:
        """Finish what was begun, and carry out policies; `sweep`: also where nothing goes, look for unused chunks."""
        outcome = Outcome()
        await self.release()
        begun = await self._app.database.read(partial(unfinished, self._sources), heavy=True)
        await self._delete(begun, outcome)
        known, plan = await self._plan(policies, sessions)
        for batch in _batches(plan.going, BATCH):
            chosen = await self._app.pipeline.decide(partial(choose, batch, known, self._sources))
            outcome.pruned += chosen
            await self._delete([known.sessions[id] for id in chosen], outcome)
        if begun or plan.going or sweep or self.untidy:
            self.untidy = False
            await self._tidy(outcome)
        if outcome.forgotten:
            outcome.freed += await self._shrink()
        return known, plan, outcome

    async def _delete(self, sessions: list[Session], outcome: Outcome) -> None:
        """Delete the copies of sessions, then the rows of those of their logs that are gone."""
        if not sessions:
            return
        deleted = await self._writing(partial(delete_copies, self._app.archive, sessions, outcome))
        rows = [log.path for session in deleted for log in session.logs if log.gone]
        await forget(self._app, rows)
        outcome.forgotten += len(rows)
        outcome.finished += [session.id for session in deleted if session.gone]

    async def _tidy(self, outcome: Outcome) -> None:
        """Give back the space of what nothing refers to, and note of which sessions nothing is left."""
        try:
            outcome.freed += (await self._writing(self._app.archive.sweep)).bytes
        except OSError as error:
            problem = f"space of the archive is not given back: {words(error)}"
            outcome.problems.append(t.Problem(part="archive", problem=problem, hint="`ccdash verify` names what is wrong."))
            return
        if outcome.finished:
            await self._app.pipeline.decide(lambda _: (prunes.release(outcome.finished), None))

    async def _shrink(self) -> int:
        """Give the space of rows that were deleted back; returns how much that was on disk."""
        path = self._app.paths.database
        before = on_disk(os.stat(path))
        with suppress(Busy):  # the status tells; what is free is used again, or given back the next time
            await self._app.database.vacuum(lambda done, total: None)
        return max(0, before - on_disk(os.stat(path)))

    async def _writing(self, work: Callable[[], T]) -> T:
        """Do work in the archive on a thread, while nobody else writes there."""
        while True:
            try:
                return await asyncio.to_thread(locked, self._app.archive, work)
            except InUse:
                await asyncio.sleep(AGAIN)


def _batches(items: list[T], size: int) -> Iterator[list[T]]:
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]


def _last_run(connection: sa.Connection, revision: int) -> float | None:
    known = get_meta(connection, _LAST)
    return None if known is None else float(known)
