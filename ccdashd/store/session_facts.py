"""When main sessions began, how long they took, and the minutes in which they were active."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection
from ccdashd.store.filters import Filter
from ccdashd.store.slots import slot_of
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
       {slot_of("s.started_at")} AS slot,
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
    minutes = _minutes(connection, filter)
    moments = {} if times is None else _moments(connection, times, {slot for own in minutes.values() for slot in own})
    owners = _owners(connection, by)
    numbers: dict[tuple[str, int | None], int] = defaultdict(int)
    mains: dict[tuple[str, int | None], set[str]] = defaultdict(set)
    for main, own in minutes.items():
        key = "" if by is None else main if by == "session" else owners.get(main, "")
        for slot, mask in own.items():
            place = (key, moments.get(slot))
            numbers[place] += mask.bit_count()
            mains[place].add(main)
    for (key, moment), number in numbers.items():
        yield key, moment, {"minutes": number, "active": frozenset(mains[key, moment])}


def _minutes(connection: sa.Connection, filter: Filter) -> dict[str, dict[int, int]]:
    """The minutes of main sessions, each with its sub-agents, by slot."""
    where, parameters = filter.where()
    raw = raw_connection(connection)
    mains: dict[int, str] = dict(raw.execute(_MAINS))
    found: dict[str, dict[int, int]] = defaultdict(dict)
    own, last = found[""], 0
    for log, slot, mask in raw.execute(f"SELECT file_id, slot, minutes FROM session_minutes x WHERE {where}", parameters):
        if log != last:
            own, last = found[mains[log]], log
        own[slot] = own.get(slot, 0) | mask
    return found


def _moments(connection: sa.Connection, times: Times, slots: set[int]) -> dict[int, int | None]:
    """The key of time of each slot."""
    statement = f"SELECT x.value, {times.key('x.value')} FROM json_each(?) x"
    return dict(raw_connection(connection).execute(statement, (json.dumps(list(slots)),)))


def _owners(connection: sa.Connection, by: t.Dimension | None) -> dict[str, str]:
    if by is None or by == "session":
        return {}
    statement = f"SELECT id, {_COLUMNS[by]} FROM sessions WHERE agent_id IS NULL"
    return dict(raw_connection(connection).execute(statement).fetchall())
