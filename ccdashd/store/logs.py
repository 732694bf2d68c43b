"""What is known of each log: where it is, how far it was read, whose it is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.sources import PARSER
from ccdashd.store.connection import raw_connection
from ccdashd.store.schema import sync_state


def path_value(path: str) -> Any:
    """A path as it is stored: text, or its bytes where the name is not UTF-8 (SQLite holds either in one column)."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return os.fsencode(path)
    return path


def path_from(value: str | bytes) -> str:
    """The inverse of `path_value`."""
    return os.fsdecode(value) if isinstance(value, bytes) else value


def shown(value: str | bytes) -> str:
    """A stored path for people and JSON: bytes that are not UTF-8 become U+FFFD."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


class FileState(msgspec.Struct):
    """What is known of a log, to tell whether it changed."""

    id: int
    path: str
    size: int
    mtime_ns: int
    inode: int
    parsed_to: int
    guard: bytes
    parser: int
    state: str
    session_id: str | None
    parent_id: str | None
    agent_id: str | None

    @property
    def is_whole(self) -> bool:
        """Whether it was read whole; else a glance, or nothing, is all that is known, whatever became of it since."""
        return self.guard != b""


_STATES = f"SELECT {', '.join(FileState.__struct_fields__)} FROM sync_state"
_BY_INODE = f"{_STATES} WHERE inode = ?"
_CHUNK = 500


def states(connection: sa.Connection, paths: Iterable[str] | None = None) -> dict[str, FileState]:
    """What is known of these logs, or of all."""
    if paths is None:
        found = _states(connection, _STATES)
    else:
        found = []
        wanted = [path_value(path) for path in paths]
        for begin in range(0, len(wanted), _CHUNK):
            part = wanted[begin : begin + _CHUNK]
            found += _states(connection, f"{_STATES} WHERE path IN ({', '.join('?' * len(part))})", part)
    return {state.path: state for state in found}


_VERSIONS = "SELECT path FROM sync_state WHERE path > ? AND path < ?"


def versions(connection: sa.Connection, paths: Iterable[str]) -> list[str]:
    """The paths of the earlier versions of these logs that are known: ``<log>#<id>``."""
    raw = raw_connection(connection)
    # '$' follows '#'.
    ends = ((path_value(path + "#"), path_value(path + "$")) for path in paths)
    return [path_from(path) for end in ends for (path,) in raw.execute(_VERSIONS, end)]


def with_ids(connection: sa.Connection, ids: Sequence[int]) -> list[FileState]:
    """What is known of the logs with these ids, of those that there are."""
    return _states(connection, f"{_STATES} WHERE id IN ({', '.join('?' * len(ids))})", ids)


def newest(connection: sa.Connection, *, gone: bool = False) -> list[int]:
    """The ids of all logs, or of those that are gone; newest first."""
    table = sync_state.c
    query = sa.select(table.id).order_by(table.mtime_ns.desc(), table.id)
    return list(connection.execute(query.where(table.state == "gone") if gone else query).scalars())


def with_inode(connection: sa.Connection, inode: int) -> list[FileState]:
    """Logs whose file had this inode when it was last looked at."""
    return _states(connection, _BY_INODE, [inode])


def _states(connection: sa.Connection, query: str, values: Sequence[Any] = ()) -> list[FileState]:
    rows = raw_connection(connection).execute(query, values)
    return [FileState(file_id, path_from(path), *rest) for file_id, path, *rest in rows]


def session_ids(connection: sa.Connection) -> set[str]:
    """All sessions that have a log."""
    query = sa.select(sync_state.c.session_id).distinct().where(sync_state.c.session_id.is_not(None))
    return set(connection.execute(query).scalars())


def sessions_of(connection: sa.Connection, file_ids: Iterable[int]) -> set[str]:
    """The sessions that these logs belong to."""
    table = sync_state
    query = sa.select(table.c.session_id).where(table.c.id.in_(sorted(file_ids)), table.c.session_id.is_not(None))
    return set(connection.execute(query).scalars())


def mark(connection: sa.Connection, file_id: int, state: str, problem: str = "") -> None:
    """Note that a log is gone, unreadable, or there again."""
    connection.execute(sa.update(sync_state).where(sync_state.c.id == file_id).values(state=state, problem=problem))


def touch(connection: sa.Connection, file_id: int, size: int, mtime_ns: int, inode: int) -> None:
    """Note a new time or inode of a log whose bytes are what they were."""
    values = {"size": size, "mtime_ns": mtime_ns, "inode": inode}
    connection.execute(sa.update(sync_state).where(sync_state.c.id == file_id).values(state="ok", problem="", **values))


def move(connection: sa.Connection, file_id: int, path: str) -> None:
    """Note that a log was renamed."""
    connection.execute(sa.update(sync_state).where(sync_state.c.id == file_id).values(path=path_value(path), state="ok"))


def expire(connection: sa.Connection) -> None:
    """Make every log that is there be read anew, whatever its time says."""
    table = sync_state
    connection.execute(sa.update(table).where(table.c.state != "gone", table.c.parser == PARSER).values(parser=0))
