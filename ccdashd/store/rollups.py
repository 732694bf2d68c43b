"""Roll-ups: what happened in a log, by quarter of an hour. A pure function of the log's rows and of the prices.

They are made anew, from a time on, in the transaction that changed the rows, so that they are at all times what a fresh
computation gives. Changes of files are too many by path to be rolled up: those that count are marked.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import sqlalchemy as sa

from ccdashd.derive.pricing import LATEST, PICO_PER_MICRO, Prices, Spent, Usage, charge
from ccdashd.derive.slots import FAR_MS, SLOT_MS, UNDATED
from ccdashd.store.connection import raw_connection
from ccdashd.store.schema import activity_slots, tool_slots, usage_slots
from ccdashd.store.slots import slot_of

TABLES = (usage_slots, tool_slots, activity_slots)

ACTIVITY = ("prompts", "steering", "commands", "bash", "interrupts", "compactions", "api_errors")
"""Columns of `activity_slots` that count events."""

_KINDS = {"prompt": 0, "steering": 1, "command": 2, "bash": 3, "interrupt": 4, "compaction": 5, "api_error": 6}
"""Place in `ACTIVITY` of each kind of event."""

CHANGES = ("edit", "write")
"""What `session_file_updates.action` says of calls that change a file; reads the same in SQL."""

_DETAILED = "('Skill', 'SlashCommand')"

_Row = tuple[Any, ...]


def _since(time: str) -> str:
    """Whether a time falls in the slots that begin at or after the parameter, in SQL; what is undated always does."""
    return f"({time} >= :since OR {time} IS NULL OR {time} < 0)"


_PROMPT = "input + cache_read + MAX(cache_write - cache_write_1h, cache_write_5m) + cache_write_1h"
_MESSAGES = f"""
    SELECT {slot_of("time")} AS slot, model, mirror, fast, lower_bound, input, output, cache_read, cache_write,
           cache_write_5m, cache_write_1h, web_searches, reported, {_PROMPT} AS prompt,
           MAX(cache_write - cache_write_1h, cache_write_5m) AS five,
           CASE WHEN time >= 0 AND time < {FAR_MS} THEN time ELSE {LATEST} END AS priced_at
    FROM session_messages WHERE file_id = :file AND {_since("time")} AND counted
"""
# Reported costs are added in two parts: their sum may exceed 64 bits.
_USAGE = f"""
SELECT slot, model, mirror, fast, reported IS NOT NULL, COUNT(*), SUM(lower_bound),
       SUM(prompt + output + web_searches > 0), SUM(input), SUM(output), SUM(cache_read), SUM(cache_write),
       SUM(cache_write_5m), SUM(cache_write_1h), SUM(web_searches), SUM(prompt), MAX(prompt), MIN(prompt), SUM(five),
       MIN(priced_at), MAX(priced_at), SUM(reported / {PICO_PER_MICRO}), SUM(reported % {PICO_PER_MICRO})
FROM ({_MESSAGES}) GROUP BY 1, 2, 3, 4, 5
"""
_EACH = f"""
SELECT priced_at, lower_bound, input, output, cache_read, five, cache_write_1h, web_searches
FROM ({_MESSAGES}) WHERE slot = :slot AND model = :model AND mirror = :mirror AND fast = :fast AND reported IS NULL
"""
_COUNTS = "LEFT JOIN session_messages m ON m.file_id = c.file_id AND m.n = c.message"
"""With ``COALESCE(m.counted, 1)``: whether a call counts."""
_TOOLS = f"""
SELECT {slot_of("c.called_at")}, c.name, CASE WHEN c.name IN {_DETAILED} THEN COALESCE(c.target, '') ELSE '' END, COUNT(*),
       SUM(COALESCE(c.status, '') = 'success'), SUM(COALESCE(c.status, '') = 'error'),
       SUM(MAX(COALESCE(c.ended_at - c.called_at, 0), 0))
FROM session_tool_calls c {_COUNTS}
WHERE c.file_id = :file AND {_since("c.called_at")} AND c.name IS NOT NULL AND COALESCE(m.counted, 1) GROUP BY 1, 2, 3
"""
_EVENTS = f"""
SELECT {slot_of("time")}, kind, COUNT(*) FROM session_events
WHERE file_id = :file AND {_since("time")} AND counted GROUP BY 1, 2
"""
_EDITS = f"""
SELECT {slot_of("time")}, COUNT(*), SUM(COALESCE(additions, 0)), SUM(COALESCE(deletions, 0))
FROM session_file_updates WHERE file_id = :file AND counted AND {_since("time")} GROUP BY 1
"""
# Whether a row of session_file_updates stands for an edit: of a call that succeeded, and counts.
_EDITED = f"""
CASE WHEN action IN {CHANGES} THEN EXISTS (
  SELECT 1 FROM session_tool_calls c {_COUNTS}
  WHERE c.file_id = session_file_updates.file_id AND c.n = session_file_updates.n AND c.status = 'success'
        AND COALESCE(m.counted, 1)) ELSE 0 END
"""
_MARK_EDITS = f"""
UPDATE session_file_updates SET counted = 1 - counted
WHERE file_id = :file AND {_since("time")} AND counted <> {_EDITED}
"""


def roll_up(connection: sa.Connection, prices: Prices, file_id: int, since: int | None = None) -> None:
    """Make the roll-ups of a log anew: all, or those from slot `since` on. What has no time is always among them."""
    raw = raw_connection(connection)
    raw.execute(_MARK_EDITS, {"file": file_id, "since": (since or 0) * SLOT_MS})
    for table, rows in _fresh(raw, prices, file_id, since):
        stored = {row[1:] for row in raw.execute(_STORED.format(table.name), (file_id, since or 0))}
        width = len(table.primary_key) - 1
        raw.executemany(_DELETE[table.name], [(file_id, *row[:width]) for row in stored.difference(rows)])
        # In the order of the key, in which rows are appended to each other.
        raw.executemany(_INSERT[table.name], [(file_id, *row) for row in rows if row not in stored])


_STORED = f"SELECT * FROM {{}} WHERE file_id = ? AND (slot >= ? OR slot = {UNDATED})"
_DELETE = {
    table.name: f"DELETE FROM {table.name} WHERE {' AND '.join(f'{column.name} = ?' for column in table.primary_key)}"
    for table in TABLES
}
_INSERT = {table.name: f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(table.columns))})" for table in TABLES}


def _fresh(
    raw: sqlite3.Connection, prices: Prices, file_id: int, since: int | None
) -> Iterator[tuple[sa.Table, list[_Row]]]:
    """The rows of each table but for `file_id`, in the order of its columns."""
    where = {"file": file_id, "since": (since or 0) * SLOT_MS}
    yield usage_slots, _usage(raw, prices, where)
    yield tool_slots, _tools(raw, where)
    yield activity_slots, _activity(raw, where)


class _Cost(NamedTuple):
    """What some messages cost, and of how many of them that is uncertain, told or unknown."""

    lower_bounds: int
    reported: int
    unpriced: int
    pico: int


def _usage(raw: sqlite3.Connection, prices: Prices, where: dict[str, int]) -> list[_Row]:
    found: dict[_Row, list[int]] = {}
    for slot, model, mirror, fast, told, *figures in raw.execute(_USAGE, where).fetchall():
        messages, lower_bounds, used, *tokens, context, largest, smallest, five, first, last, micro, pico = figures
        searches, hour, fresh, output, read = tokens[6], tokens[5], tokens[0], tokens[1], tokens[2]
        if told:
            cost = _Cost(0, messages, 0, micro * PICO_PER_MICRO + pico)
        else:
            rates = prices.tariff(model, fast=bool(fast)).rates((first, last), (smallest, largest))
            rate = next(iter(rates)) if rates is not None and len(rates) == 1 else None
            if rates is not None and not any(rates):
                cost = _Cost(lower_bounds, 0, used, 0)
            elif rate is not None and not rate.bounds(hour, searches):
                spent = charge(model, rate, Usage(fresh, output, read, five, hour, searches))
                cost = _Cost(lower_bounds, 0, 0, spent.pico)
            else:
                group = where | {"slot": slot, "model": model, "mirror": mirror, "fast": fast}
                cost = _each(raw.execute(_EACH, group), prices, model, fast=bool(fast))
        if mirror:
            cost = cost._replace(lower_bounds=messages)  # copies tell of a part of what a sub-agent did
        sums = [messages, *cost, *tokens, context]
        known = found.get((slot, model, mirror))
        if known is not None:
            sums = [one + other for one, other in zip(sums, known, strict=False)]
            largest = max(largest, known[-1])
        found[slot, model, mirror] = [*sums, largest]
    return [_usage_row(key, sums) for key, sums in found.items()]


def _usage_row(key: _Row, sums: list[int]) -> _Row:
    messages, lower_bounds, reported, unpriced, pico, *tokens, context, largest = sums
    micro, rest = divmod(pico, PICO_PER_MICRO)
    return (*key, messages, lower_bounds, reported, unpriced, *tokens, micro, rest, context, largest)


def _each(rows: Iterable[_Row], prices: Prices, model: str, *, fast: bool) -> _Cost:
    """The cost of messages that differ in their prices, or of which some are at least what is known."""
    spent: list[Spent] = [
        prices.message(model, time, Usage(*used), lower_bound=bool(lower_bound), fast=fast)
        for time, lower_bound, *used in rows
    ]
    return _Cost(
        sum(one.least for one in spent), 0, sum(bool(one.unpriced) for one in spent), sum(one.pico for one in spent)
    )


def _tools(raw: sqlite3.Connection, where: dict[str, int]) -> list[_Row]:
    found: dict[_Row, list[int]] = {}
    for slot, tool, words, *figures in raw.execute(_TOOLS, where):
        # Of a slash command only its name: there are as many arguments as there are calls.
        key = (slot, tool, words.split(None, 1)[0] if words.strip() else "")
        found[key] = [one + other for one, other in zip(figures, found.get(key, (0,) * len(figures)), strict=True)]
    return [(*key, *sums) for key, sums in found.items()]


def _activity(raw: sqlite3.Connection, where: dict[str, int]) -> list[_Row]:
    found: dict[int, list[int]] = {}
    for slot, kind, count in raw.execute(_EVENTS, where):
        found.setdefault(slot, [0] * (len(ACTIVITY) + 3))[_KINDS[kind]] += count
    for slot, *changes in raw.execute(_EDITS, where):
        found.setdefault(slot, [0] * (len(ACTIVITY) + 3))[len(ACTIVITY) :] = changes
    return [(slot, *sums) for slot, sums in found.items()]
