"""New prices: the roll-ups of all logs made anew from their rows, in the background, without reading a log."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ccdashd.derive import pricing
from ccdashd.errors import Busy
from ccdashd.ingest.written import Written
from ccdashd.store import logs, once, recovery, rollups, seals
from ccdashd.store.database import get_meta, put_meta

if TYPE_CHECKING:
    from ccdashd.ingest.pipeline import Pipeline

log = logging.getLogger(__name__)

SLICE = 40
"""Logs in one transaction: what else wants to be written waits for some 20 ms at most."""

UNFINISHED = "unfinished"
"""Stands for the prices while roll-ups are made anew: they are not all at the same ones."""

RETRY = 1.0
"""Seconds until it is tried again when the cache cannot be written."""


class Repricing:
    """Sees to it that the roll-ups are those of the prices of today."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._settled = asyncio.Event()

    @property
    def under_way(self) -> bool:
        """Whether some roll-ups may still be those of other prices."""
        return not self._settled.is_set()

    async def settled(self) -> None:
        """Return when all roll-ups are those of the prices of today."""
        await self._settled.wait()

    async def run(self) -> None:
        """Compare the prices with those of the roll-ups, and where they differ make these anew, newest logs first.

        What was interrupted begins again at the next start.
        """
        try:
            while True:
                try:
                    await self._compare()
                    break
                except Busy:
                    await asyncio.sleep(RETRY)
        except Exception as error:
            log.exception("roll-ups could not be made anew; it is tried again at the next start")
            reason = f"an internal error ({type(error).__name__}); the log says more"
            problem = f"costs and figures over time could not all be computed at today's prices: {reason}"
            self._pipeline.app.problems.set("prices", problem, "It is tried again when the daemon starts anew.")
        else:
            self._pipeline.app.problems.clear("prices")
        finally:
            self._settled.set()  # also when the cache is closed: nobody waits for what does not come any more

    async def _compare(self) -> None:
        pipeline = self._pipeline
        stamp = await asyncio.to_thread(pricing.fingerprint, pipeline.app.settings.prices)
        known, ids = await pipeline.app.database.read(_stale)
        if known != stamp:
            log.info("prices are others; making roll-ups anew logs=%d", len(ids))
            if known is not None:
                # Else, at the prices of before, the next start would take what was interrupted for finished.
                await pipeline.write(lambda connection: put_meta(connection, "prices", UNFINISHED))
            await self.renew(ids)
            await pipeline.write(lambda connection: put_meta(connection, "prices", stamp))

    async def renew(self, ids: list[int]) -> None:
        """Make the roll-ups of these logs anew. Raises Busy while the cache cannot be written."""
        for begin in range(0, len(ids), SLICE):
            self._pipeline.publish(await self._pipeline.write(partial(self._slice, ids[begin : begin + SLICE])))

    def _slice(self, ids: list[int], connection: sa.Connection) -> Written:
        states = logs.with_ids(connection, ids)
        events: set[bytes] = set()
        for state in states:
            if state.state == "gone" and recovery.lacks(state) and recovery.recover(connection, state.id):
                events |= once.shared(connection, once.EVENTS, state.id)
                seals.renew(connection, [state.id])
        recounted = once.recount(connection, once.EVENTS, events)
        for file_id in recounted.keys() | {state.id for state in states}:
            rollups.roll_up(connection, self._pipeline.app.prices, file_id)
        return Written(sessions={state.session_id for state in states if state.session_id is not None})


def _stale(connection: sa.Connection, revision: int) -> tuple[str | None, list[int]]:
    """The prices that the roll-ups were made with, and all logs, newest first."""
    return get_meta(connection, "prices"), logs.newest(connection)
