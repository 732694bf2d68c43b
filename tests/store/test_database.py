"""The one writer and the readers: snapshots, revisions, interruption, undoing, and the files beside the database."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ccdashd.errors import Busy
from ccdashd.store import database as databases
from ccdashd.store.connection import raw_connection
from ccdashd.store.database import Database, get_meta, move_aside, put_meta

FOREVER = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


@asynccontextmanager
async def opened(path: Path, **settings: float) -> AsyncIterator[Database]:
    database = Database(path / "cache.db", **settings)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


def running(test: Callable[[Path], Coroutine[Any, Any, None]]) -> Callable[[Path], None]:
    """A test that runs on a loop of its own."""

    def run(tmp_path: Path) -> None:
        asyncio.run(asyncio.wait_for(test(tmp_path), 30))

    run.__name__ = test.__name__
    return run


def note(value: str) -> Callable[[sa.Connection], None]:
    return lambda connection: put_meta(connection, "note", value)


def noted(connection: sa.Connection, revision: int) -> tuple[str | None, int]:
    return get_meta(connection, "note"), revision


@running
async def test_each_write_takes_the_next_revision(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        assert (database.revision, database.created, database.unclean) == (0, True, False)
        for number in range(1, 4):
            await database.write(note(str(number)))
            assert await database.read(noted) == (str(number), number)
        await database.write(lambda connection: None)
        assert database.revision == 3
    async with opened(tmp_path) as database:
        assert (database.revision, database.created, database.unclean) == (3, False, False)


@running
async def test_a_reader_sees_one_moment(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        await database.write(note("old"))
        loop = asyncio.get_running_loop()
        begun, written = asyncio.Event(), asyncio.Event()

        def slow(connection: sa.Connection, revision: int) -> list[tuple[str | None, int]]:
            seen = [noted(connection, revision)]
            loop.call_soon_threadsafe(begun.set)
            asyncio.run_coroutine_threadsafe(written.wait(), loop).result()
            return [*seen, noted(connection, revision)]

        reading = asyncio.create_task(database.read(slow))
        await begun.wait()
        await database.write(note("new"))
        assert await database.read(noted) == ("new", 2)
        written.set()
        assert await reading == [("old", 1), ("old", 1)]


@running
async def test_cancelling_interrupts_the_statement(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        loop = asyncio.get_running_loop()
        for heavy in (False, True):
            begun, ended = asyncio.Event(), asyncio.Event()

            def endless(
                connection: sa.Connection, revision: int, begun: asyncio.Event = begun, ended: asyncio.Event = ended
            ) -> None:
                loop.call_soon_threadsafe(begun.set)
                try:
                    connection.exec_driver_sql(FOREVER)
                finally:
                    loop.call_soon_threadsafe(ended.set)

            reading = asyncio.create_task(database.read(endless, heavy=heavy))
            await begun.wait()
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            await ended.wait()
            assert (await database.read(noted, heavy=heavy))[1] == 0


@running
async def test_a_heavy_query_has_a_time_limit(tmp_path: Path) -> None:
    async with opened(tmp_path, heavy_seconds=0.2) as database:
        with pytest.raises(Busy, match=r"longer than 0.2 s"):
            await database.read(lambda connection, _: connection.exec_driver_sql(FOREVER), heavy=True)
        assert (await database.read(noted, heavy=True))[1] == 0


@running
async def test_what_nobody_waits_for_is_not_begun(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        started, go_on = threading.Event(), threading.Event()

        def slow(connection: sa.Connection, revision: int) -> None:
            started.set()
            go_on.wait(20)

        begun: list[int] = []
        first = asyncio.create_task(database.read(slow, heavy=True))
        await asyncio.to_thread(started.wait, 20)
        second = asyncio.create_task(database.read(lambda connection, revision: begun.append(revision), heavy=True))
        await asyncio.sleep(0)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        go_on.set()
        await first
        assert await database.read(lambda connection, revision: begun, heavy=True) == []


@running
async def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        await database.write(note("kept"))

        def fail(connection: sa.Connection) -> None:
            put_meta(connection, "note", "lost")
            raise RuntimeError("on purpose")

        with pytest.raises(RuntimeError, match="on purpose"):
            await database.write(fail)
        assert await database.read(noted) == ("kept", 1)
        await database.write(note("after"))
        assert await database.read(noted) == ("after", 2)


@running
async def test_a_full_database_says_so_and_goes_on(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        pages = "PRAGMA max_page_count = {}"
        (limit,) = await database.write(lambda c: raw_connection(c).execute("PRAGMA page_count").fetchone())
        await database.write(lambda c: raw_connection(c).execute(pages.format(limit)).fetchall())
        with pytest.raises(Busy, match="full"):
            await database.write(note("x" * 1_000_000))
        assert database.problem is not None
        assert "full" in database.problem
        assert await database.read(noted) == (None, 0)
        await database.write(lambda c: raw_connection(c).execute(pages.format(2**30)).fetchall())
        await database.write(note("x" * 1_000_000))
        assert database.problem is None


@running
async def test_a_reader_cannot_write(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        with pytest.raises(sa.exc.OperationalError, match="readonly"):
            await database.read(lambda connection, _: put_meta(connection, "note", "x"))


@running
async def test_the_write_ahead_log_is_bounded(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        wal = tmp_path / "cache.db-wal"
        for _ in range(60):
            await database.write(note("x" * 1_000_000))
        assert wal.stat().st_size < 24_000_000
        await database.bulk(True)
        for _ in range(40):
            await database.write(note("x" * 1_000_000))
        assert wal.stat().st_size > 24_000_000
        await database.bulk(False)
        async with asyncio.timeout(20):
            while wal.stat().st_size > 0:
                await asyncio.sleep(0.005)


@running
async def test_a_database_that_was_not_closed_is_unclean(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        copy = tmp_path / "copy"
        copy.mkdir()
        await database.checkpoint()
        (copy / "cache.db").write_bytes((tmp_path / "cache.db").read_bytes())
        async with opened(copy) as other:
            assert other.unclean
            assert await other.check() is None
    async with opened(copy) as other:
        assert not other.unclean


@running
async def test_the_writer_answers_pings(tmp_path: Path) -> None:
    async with opened(tmp_path) as database:
        await database.ping_writer()
    with pytest.raises(Busy):
        await database.read(noted)
    with pytest.raises(Busy):
        await database.write(note("x"))


def test_a_damaged_file_is_moved_aside_with_its_companions(tmp_path: Path) -> None:
    names = []
    for number in range(3):
        for suffix in ("", "-wal", "-shm"):
            (tmp_path / f"cache.db{suffix}").write_text(f"{number}{suffix}")
        kept = move_aside(tmp_path / "cache.db")
        names.append(kept.name)
        assert [kept.with_name(kept.name + suffix).read_text() for suffix in ("", "-wal", "-shm")] == [
            f"{number}{suffix}" for suffix in ("", "-wal", "-shm")
        ]
    assert len(set(names)) == 3
    assert not list(tmp_path.glob("cache.db"))


def test_damage_is_told_from_other_trouble(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    path.write_bytes(b"no database at all" * 100)
    with closing(sqlite3.connect(path)) as raw:
        with pytest.raises(sqlite3.DatabaseError) as broken:
            raw.execute("SELECT * FROM sqlite_master")
        assert databases.is_corrupt(broken.value)
    with closing(sqlite3.connect(":memory:")) as raw:
        with pytest.raises(sqlite3.OperationalError) as wrong:
            raw.execute("SELECT * FROM missing")
        assert not databases.is_corrupt(wrong.value)
        assert databases.explain(wrong.value) == "no such table: missing"
    assert databases.explain(PermissionError(13, "Permission denied")) == "Permission denied"


def test_what_users_meet_is_told_in_plain_words(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "cache.db").close()
    with closing(sqlite3.connect(f"file:{tmp_path}/cache.db?mode=ro", uri=True)) as connection:
        with pytest.raises(sqlite3.OperationalError) as wrong:
            connection.execute("CREATE TABLE t (a)")
        assert databases.explain(wrong.value) == "cache.db may not be written"
        connection.execute("PRAGMA temp.max_page_count = 1")
        with pytest.raises(sqlite3.OperationalError) as wrong:
            connection.execute("CREATE TEMP TABLE t AS SELECT zeroblob(100000)")
        assert databases.explain(wrong.value) == "the disk is full"
    with pytest.raises(sqlite3.OperationalError) as wrong:
        sqlite3.connect(tmp_path / "missing" / "cache.db")
    assert databases.explain(wrong.value) == "cache.db cannot be opened"
