"""Edits by file: what is asked of one session does not walk over the edits of all others."""

from __future__ import annotations

from dataclasses import replace

from ccdashd.derive.measures import Measures
from ccdashd.store import file_facts
from ccdashd.store.connection import raw_connection
from ccdashd.store.filters import Filter
from tests.store.ledger import MAIN, ledger
from tests.store.plans import cache

EDITS = 5_000
"""Of the other session; each takes several steps of SQLite's machine."""


def test_edits_of_a_session_are_found_without_those_of_others() -> None:
    with cache() as connection:
        book = ledger(connection)
        for log, number in ((1, 2), (2, 1), (4, EDITS)):
            for n in range(number):
                book.add("session_tool_calls", file_id=log, n=n, tool_use_id=f"{log} {n}", message=None)
                row = {"file_path": f"/{n}", "action": "edit", "additions": 3, "deletions": 0, "counted": 1}
                book.add("session_file_updates", file_id=log, n=n, **row)
        steps = 0

        def count() -> int:
            nonlocal steps
            steps += 1
            return 0

        raw = raw_connection(connection)
        filter = Filter(sessions=(MAIN,))
        raw.set_progress_handler(count, 1)
        try:
            changed = list(file_facts.changed(connection, filter, "session", None))
            page, number = file_facts.by_file(connection, filter, "edits", 1, 0)
            few, steps = steps, 0
            file_facts.by_file(connection, replace(filter, sessions=None), "edits", 1, 0)
        finally:
            raw.set_progress_handler(None, 0)
    assert changed == [(MAIN, None, {"files": frozenset({"/0", "/1"})})]
    assert (page, number) == ({"/0": Measures(edits=2, additions=6)}, 2)
    assert few < EDITS < steps
