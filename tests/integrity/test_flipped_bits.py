"""A bit that is another one, anywhere in a file of ours: it is found and named, or nothing that is told depends on it."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from ccdashd.store.text.connection import open_reader
from tests.ingest.tables import Tables, dump_file
from tests.integrity.checking import faults
from tests.integrity.world import Profile

_TABLES = ("logs", "names", "items", "entry_blocks", "entries_text_data", "entries_text_idx", "items_text_data")


@pytest.fixture(scope="module")
def profile(filled: tuple[Profile, Path]) -> Profile:
    """As it was filled: each test puts back what it changes."""
    return filled[0]


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def places(path: Path, number: int) -> list[int]:
    """Bits of a file, the same at each run."""
    return random.Random(path.name).sample(range(path.stat().st_size * 8), number)


def found(profile: Profile, path: Path, bit: int) -> list[tuple[str, str]]:
    """Part and place of what is found when that bit is another one."""
    whole = path.read_bytes()
    flip(path, bit)
    try:
        return [(fault.part, fault.where) for fault in faults(profile.paths, profile.cache.settings)]
    finally:
        path.write_bytes(whole)


def test_in_the_cache(profile: Profile) -> None:
    assert faults(profile.paths, profile.cache.settings) == []
    path = profile.paths.database
    told = dump_file(path)
    whole = path.read_bytes()
    named = 0
    for bit in places(path, 16):
        wrong = found(profile, path, bit)
        named += bool(wrong)
        assert all(part == "cache" and "cache.db" in where for part, where in wrong), wrong
        if not wrong:
            flip(path, bit)
            assert _lower(dump_file(path)) == _lower(told), bit
            path.write_bytes(whole)
    assert named


def _lower(tables: Tables) -> dict[object, object]:
    """Names of columns may be written in any case."""
    return {
        name: {key: {column.lower(): value for column, value in row.items()} for key, row in rows.items()}
        for name, rows in tables.items()
    }


@pytest.mark.parametrize("table", ["sessions", "session_tool_calls", "features", "entity_links", "entity_tags"])
def test_in_cells_of_the_cache(profile: Profile, table: str) -> None:
    path = profile.paths.database
    whole = path.read_bytes()
    column = {"sessions": "records", "session_tool_calls": "target", "entity_links": "evidence"}.get(table, "rowid")
    try:
        with closing(sqlite3.connect(path)) as database:
            names = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            column = column if column in names else names[-1]
            database.execute(f"UPDATE {table} SET {column} = CAST({column} AS TEXT) || 'x' WHERE {column} IS NOT NULL")
            database.commit()
        assert f"cache.db: {table}" in [fault.where for fault in faults(profile.paths, profile.cache.settings)]
    finally:
        path.write_bytes(whole)


def test_in_the_index_of_texts(profile: Profile) -> None:
    path = profile.paths.text_index
    told = _rows(path)
    named = 0
    for bit in places(path, 10):
        wrong = found(profile, path, bit)
        named += bool(wrong)
        assert all(place == ("text", "text.db") for place in wrong), wrong
        if not wrong:
            whole = path.read_bytes()
            flip(path, bit)
            assert _rows(path) == told, bit
            path.write_bytes(whole)
    assert named


def _rows(path: Path) -> list[object]:
    with closing(open_reader(path)) as text:
        assert isinstance(text, apsw.Connection)
        return [text.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in _TABLES]


def test_in_the_archive(profile: Profile) -> None:
    chunks = [Path(entry.path) for entry in profile.archive.chunks.all()]
    manifests = list(map(Path, profile.archive.manifest_files()))
    for path in (*chunks[:2], *manifests[:2]):
        for bit in places(path, 2):
            assert ("archive", str(path)) in found(profile, path, bit)


def test_in_the_journal_and_the_counters(profile: Profile) -> None:
    for path, part in ((profile.paths.journal, "journal"), (profile.paths.counters, "counters")):
        for bit in places(path, 3):
            assert found(profile, path, bit) == [(part, str(path))]
