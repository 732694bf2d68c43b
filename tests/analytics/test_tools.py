"""Tools: counts from the roll-ups, times from the calls, both of the same calls."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from ccdashd.analytics.tools import tools
from ccdashd.derive.periods import ALL, Range
from ccdashd.derive.pricing import Prices
from ccdashd.derive.slots import SLOT_MS
from ccdashd.protocol import types as t
from ccdashd.store import tool_times
from ccdashd.store.filters import Filter
from ccdashd.store.rollups import roll_up
from tests.store.ledger import APP, LOGS, Ledger, ledger
from tests.store.plans import cache

T0 = 1_971_600 * SLOT_MS


@pytest.fixture
def book() -> Iterator[Ledger]:
    with cache() as connection:
        yield ledger(connection)


class Calls:
    """Writes calls, and rolls them up."""

    def __init__(self, book: Ledger) -> None:
        self.book = book
        self._count = 0

    def add(
        self,
        log: int,
        name: str | None,
        ms: int | None = None,
        *,
        at: int | None = T0,
        error: bool = False,
        message: int = 0,
    ) -> None:
        """A call that took so long; None: it has not ended."""
        self._count += 1
        status = None if ms is None else "error" if error else "success"
        ended = None if ms is None or at is None else at + ms
        self.book.add(
            "session_tool_calls",
            file_id=log,
            n=self._count,
            tool_use_id=f"t{self._count}",
            name=name,
            called_at=at,
            ended_at=ended,
            status=status,
            message=message or None,
        )

    def roll_up(self) -> None:
        for log in LOGS:
            roll_up(self.book.connection, Prices(), log.id)


@pytest.fixture
def calls(book: Ledger) -> Calls:
    return Calls(book)


def asked(calls: Calls, filter: Filter | None = None, limit: int = 50) -> t.ToolsUsed:
    calls.roll_up()
    return tools(calls.book.connection, filter or Filter(), ALL, limit=limit, revision=7)


def test_counts_and_times_by_tool(calls: Calls) -> None:
    for ms in (1_000, 2_000, 3_000, 10_000):
        calls.add(1, "Bash", ms)
    calls.add(2, "Bash", 4_000, error=True)  # by a sub-agent
    calls.add(4, "Bash")
    calls.add(4, "Read", 500)
    calls.add(4, None, 9_000)  # the log tells its result only
    calls.add(8, "Bash", 99_000)  # in a hidden project
    found = asked(calls)
    bash, read = found.items
    assert bash == t.ToolFigures(
        name="Bash",
        calls=6,
        success=4,
        errors=1,
        success_rate=0.8,
        seconds=20.0,
        mean=4.0,
        median=3.0,
        p95=8.8,
        slowest=10.0,
        sessions=2,
    )
    assert (read.name, read.calls, read.median, read.sessions) == ("Read", 1, 0.5, 1)
    assert (found.total.calls, found.total.seconds, found.total.sessions, found.total.median) == (7, 20.5, 2, 2.5)
    assert asked(calls, limit=1).items == [bash]
    assert asked(calls, limit=1).total == found.total
    assert asked(calls, Filter(include_hidden=True)).items[0].slowest == 99.0


def test_a_part_of_the_work_and_of_the_time(calls: Calls) -> None:
    calls.add(1, "Bash", 1_000)
    calls.add(4, "Bash", 2_000)
    calls.add(1, "Bash", 4_000, at=T0 + SLOT_MS)
    calls.add(1, "Bash", 8_000, at=None)  # nobody knows when, nor how long it took
    assert [row.slowest for row in asked(calls, Filter(project_id=APP)).items] == [4.0]
    (row,) = asked(calls, Filter().during(Range(T0, T0 + SLOT_MS))).items
    assert (row.calls, row.seconds, row.slowest, row.sessions) == (2, 3.0, 2.0, 2)
    assert (asked(calls).items[0].calls, asked(calls).items[0].success) == (4, 4)


def test_copies_count_once_and_clocks_that_go_back_take_no_time(calls: Calls) -> None:
    calls.add(1, "Bash", 5_000, message=1)
    calls.add(1, "Bash", -5_000, message=2)
    for number, counted in ((1, False), (2, True)):
        calls.book.add("session_messages", file_id=1, n=number, counted=counted)
    (row,) = asked(calls).items
    assert (row.calls, row.seconds, row.mean, row.slowest) == (1, 0.0, 0.0, 0.0)


def test_nothing_was_called(calls: Calls) -> None:
    found = asked(calls)
    assert found.items == []
    assert (found.total.calls, found.total.success_rate, found.total.mean, found.total.p95) == (0, None, None, None)
    calls.add(1, "Bash")
    (row,) = asked(calls).items
    assert (row.calls, row.success_rate, row.median, row.slowest) == (1, None, None, None)


@pytest.mark.parametrize("seed", range(3))
def test_times_are_those_of_the_calls_that_are_counted(calls: Calls, seed: int) -> None:
    choose = Random(seed)
    for number in range(1, 5):
        calls.book.add("session_messages", file_id=1, n=number, counted=choose.random() < 0.5)
    for _ in range(200):
        calls.add(
            choose.choice([1, 2, 4, 7]),
            choose.choice(["Bash", "Read", "Edit", None]),
            choose.choice([None, choose.randrange(-10, 10_000)]),
            at=choose.choice([None, -5, T0, T0 + choose.randrange(10 * SLOT_MS)]),
            error=choose.random() < 0.2,
            message=choose.randrange(6),
        )
    calls.roll_up()
    for filter in (Filter(), Filter().during(Range(T0, T0 + 3 * SLOT_MS)), Filter(subagents="only")):
        times = tool_times.durations(calls.book.connection, filter)
        sums = tool_times.calls(calls.book.connection, filter)
        assert {tool: sum(ms) for tool, ms in times.items()} == {
            tool: found.ms for tool, found in sums.items() if tool in times
        }
        assert all(found.ms == 0 for tool, found in sums.items() if tool not in times)
