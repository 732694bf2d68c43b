"""When main sessions began, how long they took, and the minutes in which they were active."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from ccdashd.derive.slots import FAR_MS, SLOT_MS, UNDATED
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection
from ccdashd.store.filters import Filter
from ccdashd.store.sums import MAIN, Sums
from ccdashd.store.times import Times

_COLUMNS: Final[Mapping[t.Dimension, str]] = {
    "project": "project_id",
    "agent": "agent",
    "branch": "git_branch",
    "session": "id",
}
_STARTED: Final = f"""
SELECT s.*,
       CASE WHEN s.started_at >= 0 AND s.started_at < {FAR_MS} THEN s.started_at / {SLOT_MS} ELSE {UNDATED} END AS slot,
       MAX(s.ended_at - s.started_at, 0) AS ms
FROM sessions s
"""
_MAINS: Final = f"""
SELECT f.id, {MAIN} FROM sync_state f INDEXED BY sync_state_session
     LEFT JOIN sessions s INDEXED BY sessions_owner ON s.id = f.session_id
"""
"""The main session of each log."""


def began(connection: sa.Connection, filter: Filter, by: t.Dimension | None, times: Times | None) -> Sums:
    """Main sessions by when they began, but for those in which nothing was said."""
    main, parameters = filter.where_main()
    during, bounds = filter.during_slots()
    key = "''" if by is None else f"x.{_COLUMNS[by]}"
    at = "NULL" if times is None else times.key("x.slot")
    statement = (
        f"SELECT {key}, {at}, COUNT(*), COUNT(x.ms), COALESCE(SUM(x.ms), 0) "
        f"FROM ({_STARTED} WHERE {main} AND NOT s.empty) x WHERE {during} GROUP BY 1, 2"
    )
    for name, moment, number, timed, ms in raw_connection(connection).execute(statement, parameters | bounds):
        yield name, moment, {"sessions": number, "timed_sessions": timed, "session_ms": ms}


def began_in(connection: sa.Connection, filter: Filter) -> list[int]:
    """The slots in which these main sessions began, whenever that was, in order."""
    where, parameters = filter.where_main()
    statement = f"SELECT x.slot FROM ({_STARTED} WHERE {where} AND NOT s.empty) x ORDER BY 1"
    return [slot for (slot,) in raw_connection(connection).execute(statement, parameters)]


def active(connection: sa.Connection, filter: Filter, by: t.Dimension | None, times: Times | None) -> Sums:
    """Minutes in which main sessions or their sub-agents were active, by what the main session belongs to: so each minute
    of it is in one place only, whatever its sub-agents are."""
    where, parameters = filter.where()
    raw = raw_connection(connection)
    mains: dict[int, str] = dict(raw.execute(_MAINS))
    minutes: dict[tuple[str, int], int] = {}
    for log, slot, mask in raw.execute(f"SELECT file_id, slot, minutes FROM session_minutes x WHERE {where}", parameters):
        place = (mains[log], slot)
        minutes[place] = minutes.get(place, 0) | mask
    slots = {slot for _, slot in minutes}
    moments = {} if times is None else _moments(connection, times, slots)
    owners = _owners(connection, by)
    found: dict[tuple[str, int | None], tuple[list[int], set[str]]] = {}
    for (main, slot), mask in minutes.items():
        key = "" if by is None else main if by == "session" else owners.get(main, "")
        numbers, active = found.setdefault((key, moments.get(slot)), ([], set()))
        numbers.append(mask.bit_count())
        active.add(main)
    for (key, moment), (numbers, active) in found.items():
        yield key, moment, {"minutes": sum(numbers), "active": frozenset(active)}


def _moments(connection: sa.Connection, times: Times, slots: set[int]) -> dict[int, int | None]:
    """The key of time of each slot."""
    statement = f"SELECT x.value, {times.key('x.value')} FROM json_each(?) x"
    return dict(raw_connection(connection).execute(statement, (json.dumps(list(slots)),)))


def _owners(connection: sa.Connection, by: t.Dimension | None) -> dict[str, str]:
    if by is None or by == "session":
        return {}
    statement = f"SELECT id, {_COLUMNS[by]} FROM sessions WHERE agent_id IS NULL"
    return dict(raw_connection(connection).execute(statement).fetchall())
