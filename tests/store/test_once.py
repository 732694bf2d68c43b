"""Which of its rows stands for a message or an event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa

from ccdashd.derive.slots import SLOT_MS
from ccdashd.store import once
from ccdashd.store.connection import raw_connection
from ccdashd.store.schema import session_events, session_messages, sync_state
from tests.store.plans import cache


class Rows:
    """Logs 1 to 3, at paths in that order, and what they hold."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        sizes = dict.fromkeys(("size", "mtime_ns", "inode", "parsed_to", "parser"), 0)
        state = {"agent": "claude-code", **sizes, "guard": b"", "state": "ok", "stats": b"{}"}
        connection.execute(sa.insert(sync_state), [{"id": n, "path": f"/logs/{n}.jsonl"} | state for n in (1, 2, 3)])

    def message(self, log: int, n: int, output: int, *, request: str = "r", **flags: bool) -> None:
        """A sighting of message m."""
        tokens = dict.fromkeys(("input", "cache_read", "cache_write", "cache_write_5m", "cache_write_1h"), 0)
        kinds = dict.fromkeys(("lower_bound", "mirror", "copied", "sidechain"), False) | flags
        row: dict[str, Any] = {"file_id": log, "n": n, "message_id": "m", "request_id": request, "output": output}
        row |= {"model": "a", "time": n * SLOT_MS, "counted": not kinds["mirror"]}
        self.connection.execute(sa.insert(session_messages).values(row | tokens | kinds))

    def event(self, log: int, n: int, *, copied: bool = False) -> None:
        """A sighting of event e."""
        row = {"file_id": log, "n": n, "kind": "prompt", "time": n * SLOT_MS, "key": b"eeeeeeee"}
        self.connection.execute(sa.insert(session_events).values(row | {"copied": copied, "counted": True}))

    def counted(self, table: str) -> set[tuple[int, int]]:
        return set(raw_connection(self.connection).execute(f"SELECT file_id, n FROM {table} WHERE counted"))


@pytest.fixture
def rows() -> Iterator[Rows]:
    with cache() as connection:
        yield Rows(connection)


def test_the_largest_output_then_what_is_no_copy_then_the_first_path(rows: Rows) -> None:
    rows.message(1, 4, 5)
    rows.message(2, 2, 9, copied=True)
    rows.message(3, 3, 9)
    assert once.recount(rows.connection, once.MESSAGES, ["m"]) == {1: 4, 2: 2}
    assert rows.counted("session_messages") == {(3, 3)}
    rows.message(1, 5, 9, request="other")
    assert once.recount(rows.connection, once.MESSAGES, ["m"]) == {}
    assert rows.counted("session_messages") == {(3, 3), (1, 5)}, "another request is another message"


def test_of_mirrors_one_counts_while_no_log_has_the_message(rows: Rows) -> None:
    rows.message(1, 7, 3, mirror=True)
    rows.message(1, 6, 3, mirror=True, request="other")
    rows.message(2, 5, 2, mirror=True)
    assert once.recount(rows.connection, once.MESSAGES, ["m"]) == {1: 6}
    assert rows.counted("session_messages") == {(1, 6)}
    rows.message(3, 9, 1)
    assert once.recount(rows.connection, once.MESSAGES, ["m"]) == {1: 6}
    assert rows.counted("session_messages") == {(3, 9)}


def test_of_an_event_one_row_counts(rows: Rows) -> None:
    rows.event(1, 1, copied=True)
    rows.event(2, 8)
    rows.event(2, 9)
    rows.event(3, 2)
    assert once.recount(rows.connection, once.EVENTS, [b"eeeeeeee"]) == {1: 1, 2: 9, 3: 2}
    assert rows.counted("session_events") == {(2, 8)}


def test_only_what_other_rows_know_is_shared(rows: Rows) -> None:
    rows.message(1, 0, 1)
    assert once.shared(rows.connection, once.MESSAGES, 1) == set()
    rows.message(2, 0, 1)
    assert once.shared(rows.connection, once.MESSAGES, 1) == {"m"}
    assert once.shared(rows.connection, once.MESSAGES, 1, ["m", "none"]) == {"m"}
    assert once.shared(rows.connection, once.MESSAGES, 1, ["none"]) == set()
    rows.event(1, 0)
    assert once.shared(rows.connection, once.EVENTS, 1) == set()
    rows.event(1, 1)
    assert once.shared(rows.connection, once.EVENTS, 1) == {b"eeeeeeee"}


def test_a_mirror_is_always_looked_at(rows: Rows) -> None:
    """It is stored as one that does not count."""
    rows.message(1, 0, 1, mirror=True)
    assert once.shared(rows.connection, once.MESSAGES, 1) == {"m"}
    assert once.recount(rows.connection, once.MESSAGES, ["m"]) == {1: 0}
