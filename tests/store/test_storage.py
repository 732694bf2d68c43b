"""What databases take, table by table, as SQLite itself counts it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from ccdashd.store import storage

PAGE = 4096


@pytest.fixture
def text(tmp_path: Path) -> Iterator[apsw.Connection]:
    connection = apsw.Connection(os.fspath(tmp_path / "text.db"))
    yield connection
    connection.close()


def test_tables_are_told_with_their_indexes_and_add_up_to_the_file(text: apsw.Connection, tmp_path: Path) -> None:
    text.execute("CREATE TABLE logs (n INTEGER PRIMARY KEY, path TEXT)")
    text.execute("CREATE INDEX logs_path ON logs (path)")
    text.execute("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT 2000) "
                 "INSERT INTO logs SELECT x, hex(randomblob(20)) FROM n")  # fmt: skip
    text.execute("CREATE VIRTUAL TABLE words USING fts5 (text, content = '', contentless_delete = 1)")
    text.execute("INSERT INTO words VALUES ('a b'), ('c')")
    tables, free = storage.of_text(tmp_path / "text.db")
    assert [(table.name, table.rows) for table in tables[:2]] == [("text: logs", 2000), ("text: words", 2)]
    assert {table.name for table in tables[2:]} == {"text: sqlite_schema"}
    assert sum(table.bytes for table in tables) == (tmp_path / "text.db").stat().st_size
    assert tables[0].bytes > 40 * PAGE and free == 0
    text.execute("DELETE FROM logs")
    assert storage.of_text(tmp_path / "text.db")[1] > 40 * PAGE


@pytest.mark.parametrize("content", [None, b"no database" * 1000])
def test_an_index_of_texts_that_is_not_there_or_damaged_takes_nothing(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "text.db").write_bytes(content)
    assert storage.of_text(tmp_path / "text.db") == ([], 0)


def test_rows_are_told_where_nothing_measures_bytes(text: apsw.Connection) -> None:
    text.execute("CREATE TABLE logs (n)")
    text.execute("INSERT INTO logs VALUES (1), (2)")

    def without(query: str) -> list[tuple[object, ...]]:
        return [(0,)] if "pragma_module_list" in query else list(text.execute(query))

    (table,) = storage.tables(without)
    assert (table.name, table.bytes, table.rows) == ("logs", 0, 2)
