"""Which entries are of which logs, and of when: as a look at every entry tells."""

from __future__ import annotations

from typing import NamedTuple

import apsw
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.store.text import blocks
from ccdashd.store.text.blocks import Row
from ccdashd.store.text.entries import Span
from ccdashd.store.text.overview import Overview, Times
from ccdashd.store.text.schema import ENTRIES

LOGS = ("/logs/a.jsonl", "/logs/b\udcff.jsonl", "/logs/c.jsonl")


class Entry(NamedTuple):
    rowid: int
    log: str
    time: int | None
    kind: int


def index(given_blocks: list[tuple[int, int, list[int | None]]]) -> tuple[apsw.Connection, list[Entry]]:
    """An index with blocks of these times, each in a log and after a gap, and what is in it."""
    connection = apsw.Connection(":memory:")
    for statement in ENTRIES:
        connection.execute(statement)
    for id, path in enumerate(LOGS, 1):
        stored = path.encode("utf-8", "surrogateescape") if "\udcff" in path else path
        connection.execute("INSERT INTO logs VALUES (?, ?, 0, 0, x'00', 1, 0, 1)", (id, stored))
    found, first = [], 100
    for log, gap, times in given_blocks:
        first += gap
        rows = [Row(n, 1, 0, n % 20, time, 0, 0, 0) for n, time in enumerate(times)]
        known = [-1 if time is None else time for time in times]
        values = (first, len(rows), log + 1, min(known), max(known), bytes(row.kind for row in rows), blocks.pack(rows))
        connection.execute("INSERT INTO entry_blocks VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        found += [Entry(first + n, LOGS[log], row.time, row.kind) for n, row in enumerate(rows)]
        first += len(rows)
    return connection, found


moments = st.none() | st.integers(0, 30)
some_blocks = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 3), st.lists(moments, min_size=1, max_size=6)), max_size=6
)


def overview(connection: apsw.Connection) -> Overview:
    made = Overview(connection)
    made.refresh()
    return made


def rowids(spans: list[Span]) -> list[int]:
    return [rowid for span in spans for rowid in range(span.first, span.last + 1)]


@given(some_blocks, moments, moments, st.sets(st.sampled_from(LOGS)) | st.none(), moments)
def test_what_is_meant(
    given_blocks: list[tuple[int, int, list[int | None]]],
    begin: int | None,
    end: int | None,
    logs: set[str] | None,
    until: int | None,
) -> None:
    connection, known = index(given_blocks)
    seen = overview(connection)
    times = Times(begin, end)
    has_log = None if logs is None else logs.__contains__
    meant = [one for one in known if (logs is None or one.log in logs) and times.holds(one.time)]
    spans = seen.allowed(has_log, times)
    there = {one.rowid for one in known}
    # A span may reach over rowids that no entry has.
    assert [rowid for rowid in rowids(spans) if rowid in there] == [one.rowid for one in meant]
    pieces = seen.newest_first(has_log, times, until)
    expected = {one.rowid for one in meant if until is None or one.time is None or one.time <= until}
    assert sorted(rowid for piece in pieces for rowid in rowids(piece.spans)) == sorted(expected)
    latest = {one.rowid: -1 if one.time is None else one.time for one in known}
    assert [piece.latest for piece in pieces] == sorted((piece.latest for piece in pieces), reverse=True)
    assert all(latest[rowid] <= piece.latest for piece in pieces for rowid in rowids(piece.spans))
    assert {one.rowid: seen.kind(one.rowid) for one in known} == {one.rowid: one.kind for one in known}


@given(some_blocks, st.data(), moments)
def test_entries_by_block(
    given_blocks: list[tuple[int, int, list[int | None]]], data: st.DataObject, until: int | None
) -> None:
    connection, known = index(given_blocks)
    seen = overview(connection)
    times = {one.rowid: -1 if one.time is None else one.time for one in known}
    chosen = sorted((rowid for rowid in times if data.draw(st.booleans())), reverse=True)
    found = seen.by_block(chosen, until)
    assert [latest for latest, _ in found] == sorted((latest for latest, _ in found), reverse=True)
    assert all(times[rowid] <= latest for latest, inside in found for rowid in inside)
    given_back = [rowid for _, inside in found for rowid in inside]
    left_out = set(chosen) - set(given_back)
    assert sorted(given_back) == sorted(set(given_back))
    assert until is None or all(times[rowid] > until for rowid in left_out)
    assert until is not None or not left_out


def test_a_change_is_seen_by_the_next_look() -> None:
    connection, _ = index([(0, 0, [1, 2])])
    path = "file:/ccdash-test-overview?vfs=memdb"
    flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_URI
    writer, reader = apsw.Connection(path, flags=flags), apsw.Connection(path, flags=flags)
    for statement in ENTRIES:
        writer.execute(statement)
    seen = overview(reader)
    assert seen.allowed(None, Times()) == []
    writer.execute("INSERT INTO logs VALUES (1, '/a', 0, 0, x'00', 1, 0, 1)")
    row = connection.execute("SELECT * FROM entry_blocks").fetchone()
    writer.execute("INSERT INTO entry_blocks VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    seen.refresh()
    assert seen.allowed(None, Times()) == [Span(100, 101)]
