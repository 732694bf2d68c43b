"""Deep search: exact bytes or a regular expression over whole logs, also archived ones, in processes of their own.

    share       the logs over processes, each of which reads its own in the order that is asked for
    in order    what they find is held back until all logs before are done, so that the order is that of one process

What is held is bounded: a process that is far ahead of the others is not read until they have caught up.
"""

from __future__ import annotations

import asyncio
import heapq
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from ccdashd.helper import HelperFailed, answers
from ccdashd.protocol import types as t
from ccdashd.search import deep_worker
from ccdashd.search.deep_worker import Job, Match, Report, decode_report, encode
from ccdashd.store import logs as known
from ccdashd.store.deep import Log

SHARE = 16 * 1024 * 1024
"""Bytes that are worth a process."""

AHEAD = 500
"""Matches of one process that are held back before it has to wait."""

PROBLEMS = 100
"""Problems that are told; of more, only how many there are."""

_OPENED = 64 * 1024
"""Bytes that could be searched while a log is opened."""

_UNPACKED = 3
"""Times as long that a copy takes, since it has to be unpacked."""

Take = Callable[[Log, list[Match]], Awaitable[None]]
"""Takes matches of a log, in order."""


@dataclass
class Outcome:
    """What a search did."""

    found: int = 0
    stopped: bool = False
    files: int = 0
    bytes: int = 0
    skipped: int = 0
    """Logs that could not be searched."""
    problems: list[t.Problem] = field(default_factory=list)


async def search(
    logs: Sequence[Log],
    params: t.DeepSearchParams,
    *,
    archive: str,
    workers: int,
    take: Take,
    tell: Callable[[Outcome], None],
) -> Outcome:
    """Search `logs` in at most so many processes; `tell` is called as it gets on. `archive` is the archive's folder.

    The pattern must be known to be right. When the task is cancelled, the processes are killed.
    """
    shares = _shares(logs, workers) if logs else []
    order = _Order(logs, shares, params.limit, take)

    async def run(share: int) -> None:
        job = Job(
            pattern=params.pattern,
            regex=params.regex,
            ignore_case=params.ignore_case,
            limit=params.limit,
            context=params.context,
            archive=os.fsencode(archive) if params.archived else b"",
            logs=[deep_worker.Log(n, os.fsencode(logs[n].path), logs[n].gone) for n in shares[share]],
        )
        try:
            async with aclosing(answers(deep_worker.__name__, encode(job))) as reports:
                async for report in reports:
                    await order.add(share, decode_report(report))
                    tell(order.outcome)
        except HelperFailed as error:
            await order.fail(share, str(error))

    tasks = [asyncio.create_task(run(share), name=f"deep search {share}") for share in range(len(shares))]
    try:
        for task in asyncio.as_completed(tasks):
            await task
    except _Enough:
        order.outcome.stopped = True
    finally:
        for unfinished in tasks:
            unfinished.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    more = order.outcome.skipped - PROBLEMS
    if more > 0:
        order.outcome.problems.append(t.Problem(part="search", problem=f"{more:,} more logs could not be read"))
    return order.outcome


def _shares(logs: Sequence[Log], workers: int) -> list[list[int]]:
    """Numbers of logs by process: each goes to the one that has least to do before it."""
    work = [_OPENED + log.size * (_UNPACKED if log.gone else 1) for log in logs]
    loads = [(0, share) for share in range(min(workers, len(logs), -(-sum(work) // SHARE)))]
    shares: list[list[int]] = [[] for _ in loads]
    for number, more in enumerate(work):
        load, share = loads[0]
        shares[share].append(number)
        heapq.heapreplace(loads, (load + more, share))
    return shares


class _Enough(Exception):
    """As many matches were found as were asked for."""


class _Order:
    """Puts what processes find, each in its own order, into that of the logs."""

    def __init__(self, logs: Sequence[Log], shares: list[list[int]], limit: int, take: Take) -> None:
        self.outcome = Outcome()
        self._logs = logs
        self._shares = shares
        self._limit = limit
        self._take = take
        self._held: dict[int, list[Match]] = defaultdict(list)
        self._done: set[int] = set()
        self._next = 0
        """The first log that is not done: its matches need not be held."""
        self._moved = asyncio.Condition()

    async def add(self, share: int, report: Report) -> None:
        """Take a report of a process, and wait while it is too far ahead. Raises `_Enough`."""
        async with self._moved:
            self.outcome.bytes += report.bytes
            self.outcome.files += len(report.done)
            for number, problem in report.problems:
                self._problem(known.shown(known.path_value(self._logs[number].path)), problem)
            for match in report.matches:
                self._held[match.log].append(match)
            self._done.update(report.done)
            await self._move()
            mine = set(self._shares[share])
            await self._moved.wait_for(lambda: self._next in mine or self._ahead(share) <= AHEAD)

    async def fail(self, share: int, problem: str) -> None:
        """A process died: its other logs will not be searched."""
        async with self._moved:
            left = [number for number in self._shares[share] if number not in self._done]
            what = (
                "1 log was not searched to its end"
                if len(left) == 1
                else f"{len(left):,} logs were not searched to the end"
            )
            self._problem("search", f"{what}: {problem}")
            self._done.update(left)
            await self._move()

    def _ahead(self, share: int) -> int:
        return sum(len(self._held[number]) for number in self._shares[share] if number in self._held)

    async def _move(self) -> None:
        while self._next < len(self._logs):
            log, matches = self._logs[self._next], self._held.pop(self._next, [])
            matches = matches[: self._limit - self.outcome.found]
            if matches:
                self.outcome.found += len(matches)
                await self._take(log, matches)
            if self.outcome.found == self._limit:
                raise _Enough
            if self._next not in self._done:
                break
            self._next += 1
        self._moved.notify_all()

    def _problem(self, part: str, problem: str) -> None:
        self.outcome.skipped += 1
        if self.outcome.skipped <= PROBLEMS:
            self.outcome.problems.append(t.Problem(part=part, problem=problem))
