"""Rows of a log that are not what the log says are noticed, whichever table they are in."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from ccdashd.ingest.parse import read_log
from ccdashd.ingest.verify import differences
from ccdashd.store import rows
from ccdashd.store.schema import metadata
from tests.sources.logs import SESSION, Writer, call, write


def log(folder: Path) -> Path:
    """A log that has rows in every table."""
    w = Writer()
    path = folder / f"{SESSION}.jsonl"
    path.write_bytes(
        write(
            w.user("Go on with docs/plan.md"),
            w.assistant(call("t1", "Write", file_path="/a")),
            w.result("t1"),
            {"type": "summary", "summary": "Sum", "leafUuid": w.uuid()},
            w.record("hologram"),
        )
    )
    return path


@pytest.mark.parametrize("table", rows.ROW_TABLES, ids=lambda table: table.name)
def test_each_table_is_compared(tmp_path: Path, table: sa.Table) -> None:
    result = read_log(str(log(tmp_path)), 4096)
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection)
        file_id = rows.store(connection, result).file_id
        assert differences(connection, file_id, result) == []
        assert connection.execute(sa.delete(table)).rowcount
        assert differences(connection, file_id, result) == [table.name]
    engine.dispose()
