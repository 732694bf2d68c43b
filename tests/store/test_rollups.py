"""Roll-ups are sums of rows: to the last token and picodollar, from any slot on, and of what counts only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccdashd.derive.pricing import Prices, Spent, Usage, summed, total
from ccdashd.derive.slots import FAR_MS, SLOT_MS, UNDATED, slot_of
from ccdashd.settings import ModelPrice
from ccdashd.sources.model import Event, FileUpdate, Message, ToolCall
from ccdashd.store import rollups
from ccdashd.store.connection import raw_connection
from ccdashd.store.schema import metadata, session_events, session_file_updates, session_messages, session_tool_calls
from tests.store.plans import cache

FILE = 7
START = 1_773_316_800_000
"""2026-03-12T12:00Z: half a day before a price changes."""

PRICES = Prices({"own": ModelPrice(input=1.000001, output=7)})
OPUS = "claude-opus-4-6"
BEDROCK = "us.anthropic.claude-opus-4-1-20250805-v1:0"
"""Has no price for 1-hour writes."""

KINDS = ("prompt", "steering", "command", "bash", "interrupt", "compaction", "api_error")

whatever = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
times = (
    st.sampled_from([None, -5, FAR_MS + 1])
    | st.integers(START, START + 3 * SLOT_MS)
    | st.integers(START + 43_000_000, START + 44_000_000)
)
tokens = st.sampled_from([0, 0, 1, 333, 150_000, 10**12])
messages = st.builds(
    Message,
    st.uuids().map(str),
    st.just("r"),
    times,
    st.sampled_from([OPUS, "claude-sonnet-4-5", BEDROCK, "deepseek-chat", "own", "nobody's"]),
    tokens,
    tokens,
    tokens,
    tokens,
    tokens,
    tokens,
    st.booleans(),
    st.booleans(),
    st.just(False),
    st.just(False),
    st.sampled_from([0, 0, 3, 10**6]),
    st.booleans(),
    st.none() | st.none() | st.sampled_from([0, 10**17, 123_456_789]),
)
calls = st.builds(
    ToolCall,
    st.uuids().map(str),
    st.sampled_from([None, "Bash", "Edit", "Skill", "SlashCommand"]),
    st.sampled_from([None, "", " \n", "/go", "/go 1 2", "plan\nmore", "a"]),
    times,
    status=st.sampled_from([None, "success", "error"]),
    ended_at=st.none() | st.integers(START, START + SLOT_MS),
    message=st.none() | st.integers(0, 9),
)
changes = st.none() | st.builds(
    FileUpdate,
    st.just(""),
    st.just("/a"),
    st.sampled_from([None, "edit", "write", "read"]),
    st.none() | st.integers(0, 9),
    st.none() | st.integers(0, 9),
)
events = st.builds(Event, st.sampled_from(KINDS), times, st.binary(min_size=8, max_size=8), st.just(False))


@st.composite
def logs(draw: st.DrawFn) -> dict[sa.Table, list[dict[str, Any]]]:
    """The rows of a log."""

    def rows(given: list[Any]) -> list[dict[str, Any]]:
        return [{"file_id": FILE, "n": n} | msgspec.structs.asdict(row) for n, row in enumerate(given)]

    def counted(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [row | {"counted": draw(st.booleans())} for row in given]

    made = rows(draw(st.lists(calls, max_size=8)))
    changed = [(row, change) for row in made if (change := draw(changes)) is not None]
    return {
        session_messages: counted(rows(draw(st.lists(messages, max_size=8)))),
        session_tool_calls: made,
        session_file_updates: [
            {"file_id": FILE, "n": row["n"], "file_path": change.path, "action": change.action, "time": row["called_at"]}
            | {"additions": change.additions, "deletions": change.deletions}
            for row, change in changed
        ],
        session_events: counted(rows(draw(st.lists(events, max_size=8)))),
    }


Rows = dict[sa.Table, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def connection() -> Iterator[sa.Connection]:
    with cache() as connection:
        raw_connection(connection).execute("PRAGMA foreign_keys = OFF")
        yield connection


def write(connection: sa.Connection, log: Rows) -> None:
    """Make these the rows of the log; its roll-ups stay, and so do the marks of changes of files."""
    marks = dict(raw_connection(connection).execute("SELECT n, counted FROM session_file_updates").fetchall())
    for table, rows in log.items():
        connection.execute(sa.delete(table))
        if table is session_file_updates:
            rows = [row | {"counted": bool(marks.get(row["n"]))} for row in rows]
        if rows:
            connection.execute(sa.insert(table), rows)


def rolled(connection: sa.Connection, table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sa.select(metadata.tables[table])).mappings()]


def priced(row: dict[str, Any]) -> Spent:
    """A message alone."""
    five = max(row["cache_write"] - row["cache_write_1h"], row["cache_write_5m"])
    spent = PRICES.message(
        row["model"],
        row["time"] if slot_of(row["time"]) != UNDATED else None,
        Usage(row["input"], row["output"], row["cache_read"], five, row["cache_write_1h"], row["web_searches"]),
        lower_bound=row["lower_bound"],
        fast=row["fast"],
        reported=row["reported"],
    )
    return spent._replace(least=spent.least or row["mirror"])


def key(row: dict[str, Any]) -> tuple[int, str, bool]:
    return slot_of(row["time"]), row["model"], row["mirror"]


SUMMED = ("input", "output", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h", "web_searches")


@whatever
@given(log=logs())
def test_usage_is_that_of_the_messages_that_count(connection: sa.Connection, log: Rows) -> None:
    write(connection, log)
    rollups.roll_up(connection, PRICES, FILE)
    each = [row for row in log[session_messages] if row["counted"]]
    found = {(row["slot"], row["model"], row["mirror"]): row for row in rolled(connection, "usage_slots")}
    assert found.keys() == set(map(key, each))
    for group, row in found.items():
        of = [message for message in each if key(message) == group]
        costs = list(map(priced, of))
        assert row["messages"] == len(of)
        assert {name: row[name] for name in SUMMED} == {name: sum(message[name] for message in of) for name in SUMMED}
        assert row["cost_micro"] * 10**6 + row["cost_pico"] == total(costs).pico
        assert 0 <= row["cost_pico"] < 10**6
        counts = (row["lower_bounds"], row["reported"], row["unpriced"])
        assert counts == tuple(
            sum(map(bool, column)) for column in zip(*((c.least, c.reported, c.unpriced) for c in costs), strict=True)
        )
        prompts = [
            m["input"] + m["cache_read"] + max(m["cache_write"] - m["cache_write_1h"], m["cache_write_5m"]) for m in of
        ]
        prompts = [prompt + message["cache_write_1h"] for prompt, message in zip(prompts, of, strict=True)]
        assert (row["context_sum"], row["context_max"]) == (sum(prompts), max(prompts))


@whatever
@given(log=logs())
def test_tools_and_activity_are_those_that_count(connection: sa.Connection, log: Rows) -> None:
    write(connection, log)
    rollups.roll_up(connection, PRICES, FILE)
    counts = {row["n"]: row["counted"] for row in log[session_messages]}
    each = {row["n"]: row for row in log[session_tool_calls] if counts.get(row["message"], True)}
    expected: dict[tuple[int, str, str], list[int]] = {}
    for row in each.values():
        if row["name"] is None:
            continue
        words = (row["target"] or "").split() if row["name"] in ("Skill", "SlashCommand") else []
        sums = expected.setdefault((slot_of(row["called_at"]), row["name"], words[0] if words else ""), [0] * 4)
        known = row["ended_at"] is not None and row["called_at"] is not None
        took = max(row["ended_at"] - row["called_at"], 0) if known else 0
        for at, more in enumerate((1, row["status"] == "success", row["status"] == "error", took)):
            sums[at] += more
    names = ("calls", "success", "errors", "ms")
    found = {(r["slot"], r["tool"], r["detail"]): [r[name] for name in names] for r in rolled(connection, "tool_slots")}
    assert found == expected

    activity: dict[int, dict[str, int]] = {}
    columns = dict(zip(KINDS, rollups.ACTIVITY, strict=True))
    for row in log[session_events]:
        if row["counted"]:
            slot = activity.setdefault(slot_of(row["time"]), dict.fromkeys(rollups.ACTIVITY, 0))
            slot[columns[row["kind"]]] += 1
    for row in log[session_file_updates]:
        call = each.get(row["n"])
        if call is not None and call["status"] == "success" and row["action"] in ("edit", "write"):
            slot = activity.setdefault(slot_of(row["time"]), dict.fromkeys(rollups.ACTIVITY, 0))
            for name, more in (("edits", 1), ("additions", row["additions"]), ("deletions", row["deletions"])):
                slot[name] = slot.get(name, 0) + (more or 0)
    nothing = {"edits": 0, "additions": 0, "deletions": 0}
    stored = {row.pop("slot"): row for row in rolled(connection, "activity_slots")}
    assert stored == {slot: {"file_id": FILE} | nothing | sums for slot, sums in activity.items()}


@whatever
@given(log=logs(), more=logs(), slot=st.integers(0, 4).map(lambda n: slot_of(START) + n) | st.just(UNDATED))
def test_from_a_slot_on_is_the_same_as_all(connection: sa.Connection, log: Rows, more: Rows, slot: int) -> None:
    """Rows before the slot stay as they are, those from it on and those without time are others."""

    def later(row: dict[str, Any]) -> bool:
        at = slot_of(row["called_at"] if "called_at" in row else row["time"])
        return at == UNDATED or at >= slot

    write(connection, log)
    rollups.roll_up(connection, PRICES, FILE)
    kept = {table: [row for row in rows if not later(row)] for table, rows in log.items()}
    # Messages stay, since those before the slot say which of the calls before it count.
    kept[session_messages] = log[session_messages]
    new = {table: [row | {"n": row["n"] + 100} for row in rows if later(row)] for table, rows in more.items()}
    write(connection, {table: kept[table] + new[table] for table in log})
    rollups.roll_up(connection, PRICES, FILE, slot)
    before = raw_connection(connection).total_changes
    rollups.roll_up(connection, PRICES, FILE)
    assert raw_connection(connection).total_changes == before, "all of them anew are others"


def one(**fields: Any) -> dict[str, Any]:
    """A message of a million tokens."""
    names = ("cache_read", "cache_write", "cache_write_5m", "cache_write_1h", "output")
    flags = dict.fromkeys(("lower_bound", "mirror", "copied", "sidechain"), False)
    row = {"file_id": FILE, "n": 0, "message_id": "m", "request_id": "r", "time": START, "model": "own", "input": 10**6}
    return row | dict.fromkeys(names, 0) | flags | {"counted": True} | fields


def test_nothing_is_written_where_nothing_changed(connection: sa.Connection) -> None:
    empty: Rows = {session_messages: [], session_tool_calls: [], session_file_updates: [], session_events: []}
    write(connection, empty | {session_messages: [one(), one(n=1, time=START + SLOT_MS)]})
    rollups.roll_up(connection, PRICES, FILE)
    raw = raw_connection(connection)
    before = raw.total_changes
    rollups.roll_up(connection, PRICES, FILE)
    assert raw.total_changes == before
    rollups.roll_up(connection, Prices({"own": ModelPrice(input=2, output=2)}), FILE, slot_of(START) + 1)
    assert [row["cost_micro"] for row in rolled(connection, "usage_slots")] == [1_000_001, 2_000_000]


def test_sums_too_large_for_64_bits_are_exact(connection: sa.Connection) -> None:
    told = [one(n=n, message_id=f"m{n}", reported=10**17 - 1) for n in range(200)]
    dear = [one(n=n + 200, message_id=f"d{n}", input=0, output=10**12, reported=None) for n in range(3)]
    write(connection, {session_messages: told + dear, session_tool_calls: [], session_file_updates: [], session_events: []})
    rollups.roll_up(connection, PRICES, FILE)
    (row,) = rolled(connection, "usage_slots")
    expected = 200 * (10**17 - 1) + 3 * 10**12 * 7 * 10**6
    assert expected > 2**63
    names = ("messages", "lower_bounds", "reported", "unpriced", "cost_micro", "cost_pico")
    assert summed("own", *(row[name] for name in names)) == Spent(expected, True, reported=True)
