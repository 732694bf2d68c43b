"""The index of texts of a daemon: complete after whatever happened, and honest about it until then."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

import apsw
import pytest

from ccdashd.errors import Busy
from ccdashd.events import Event
from ccdashd.ingest.claim import FEW
from ccdashd.protocol import types as t
from ccdashd.search import builder
from ccdashd.store.text import writer
from ccdashd.store.text.connection import delete
from tests.helpers import file_system
from tests.search.caches import first_offset, found, log_path, opened, put, talk
from tests.sources.logs import Writer, call, text

Problems = list[str]


def watched(app: object) -> Problems:
    """Every problem of the index that there is from now on."""
    seen: Problems = []

    def look() -> None:
        seen.extend(p.problem for p in app.problems.all() if p.part == "text index" and p.problem not in seen)  # type: ignore[attr-defined]

    app.problems.on_change = look  # type: ignore[attr-defined]
    return seen


async def until(condition: Callable[[], Awaitable[object]]) -> None:
    """Wait for something that is true; the time limit of tests ends it."""
    while not await condition():
        await asyncio.sleep(0.01)


def test_what_was_said_is_found(tmp_path: Path) -> None:
    log = log_path(tmp_path)
    w = Writer()
    given = call("c1", "Edit", file_path="/src/app.py", new_string="def getUserName(): pass")
    put(log, w.user("Please fix the login"), w.assistant(text("Done"), given), w.result("c1", "updated 日本語"))

    async def main() -> None:
        async with opened(tmp_path) as cache:
            await cache.app.texts.settled()
            assert await found(cache, "login") == [("1", 0)]
            assert await found(cache, "user name") == [("1", first_offset(log, "getUserName"))]
            assert await found(cache, "日 本") == [("1", first_offset(log, "日本語"))]
            assert await found(cache, "logout") == []
            state = cache.app.texts.state()
            assert state.bytes > 4096
            assert state == t.TextIndex(True, True, 1, 0, 0, 4, state.bytes)

    asyncio.run(main())


def test_while_a_backlog_is_read_the_index_is_not_complete(tmp_path: Path) -> None:
    put(log_path(tmp_path, 1), Writer().user("Please fix the login"))
    told: list[tuple[str, bool]] = []

    async def main() -> None:
        async with opened(tmp_path) as cache:
            texts = cache.app.texts
            await texts.settled()
            assert texts.state().complete

            class Reader:
                def notify(self, event: Event) -> None:
                    assert isinstance(event.params, t.IndexingNotification)
                    told.append((event.params.indexing.phase, texts.state().complete))

            cache.app.events.subscribe(Reader(), ["indexing"])
            for number in range(2, 2 * FEW):
                put(log_path(tmp_path, number), Writer().user("Please mend the logout"))
            await cache.scan()
            meanwhile = [complete for phase, complete in told if phase in ("glance", "parse", "finish")]
            assert meanwhile and not any(meanwhile)
            await texts.settled()
            assert texts.state().complete
            assert len(await found(cache, "logout")) == 2 * FEW - 2

    asyncio.run(main())


def test_newer_sessions_stand_above_older_ones(tmp_path: Path) -> None:
    for number in (3, 1, 2):
        talk(log_path(tmp_path, number), 2, 5, seed=number)

    async def main() -> None:
        async with opened(tmp_path) as cache:
            await cache.app.texts.settled()
            assert [session for session, _ in await found(cache, "begin")] == ["2", "1", "3"]
            talk(log_path(tmp_path, 4), 2, 5, seed=4)
            await cache.scan()
            await cache.app.texts.settled()
            assert [session for session, _ in await found(cache, "begin")] == ["4", "2", "1", "3"]

    asyncio.run(main())


def test_of_a_long_output_head_and_tail_are_found_and_nothing_that_is_no_text(tmp_path: Path) -> None:
    log = log_path(tmp_path)
    w = Writer()
    middle = " ".join(f"w{n}" for n in range(400_000))
    encoded = random.Random(1).randbytes(40_000).hex()
    put(
        log,
        w.user("hello"),
        w.result("c1", f"begins {middle} ends"),
        w.result("c2", f"before {encoded} after"),
        w.result("c3", "zero\x00byte"),
        w.result("c4", [{"type": "image", "source": {"type": "base64", "data": encoded}}]),
    )

    async def main() -> None:
        async with opened(tmp_path) as cache:
            await cache.app.texts.settled()
            for word in ("begins", "w0", "w399999", "ends"):
                assert await found(cache, word) == [("1", first_offset(log, "begins"))], word
            assert await found(cache, "w200000") == []
            assert await found(cache, "before after") == [("1", first_offset(log, "before"))]
            assert await found(cache, "zero") == []
            assert cache.app.texts.state().entries == 5
            assert cache.app.texts.state().bytes < 10 * cache.settings.text_index_cap_bytes

    asyncio.run(main())


@pytest.mark.parametrize("archived", [True, False])
def test_a_log_that_is_gone_is_found_in_a_new_index(tmp_path: Path, archived: bool) -> None:
    log = log_path(tmp_path)
    w = Writer()
    put(log, w.user("hello"), w.result("c1", " ".join(f"w{n}" for n in range(2000))))

    async def main() -> None:
        async with opened(tmp_path) as cache:
            if archived:
                await cache.copy()
            log.unlink()
            await cache.scan()
            await cache.close()
            delete(cache.paths.text_index)
            await cache.open()
            await cache.app.texts.settled()
            assert len(await found(cache, "w0")) == 1
            # Without a copy, there is what the cache keeps: the beginning.
            assert len(await found(cache, "w1999")) == archived
            assert cache.app.texts.state().complete
            states = await cache.app.texts.read(writer.states)
            assert [state.whole for state in states.values()] == [archived]

    asyncio.run(main())


def test_what_the_cache_kept_gives_way_when_the_log_is_back(tmp_path: Path) -> None:
    log = log_path(tmp_path)
    w = Writer()
    put(log, w.user("hello"), w.result("c1", " ".join(f"w{n}" for n in range(2000))))

    async def main() -> None:
        async with opened(tmp_path) as cache:
            content = log.read_bytes()
            log.unlink()
            await cache.scan()
            await cache.app.texts.settled()
            log.write_bytes(content)
            await cache.scan()
            await cache.app.texts.settled()
            assert len(await found(cache, "w1999")) == 1

    asyncio.run(main())


def test_a_damaged_index_is_made_anew(tmp_path: Path) -> None:
    for number in range(1, 4):
        talk(log_path(tmp_path, number), 20, 200, seed=number)

    async def main() -> None:
        async with opened(tmp_path) as cache:
            await cache.app.texts.settled()
            whole = await found(cache, "out7")
            await cache.close()
            data = bytearray(cache.paths.text_index.read_bytes())
            for page in range(4096, len(data), 4096):
                data[page : page + 2000] = b"\xa5" * 2000
            cache.paths.text_index.write_bytes(data)
            await cache.open()
            problems = watched(cache.app)
            await cache.app.texts.settled()
            assert await found(cache, "out7") == whole
            assert problems == [
                "text.db was damaged and is made anew from the logs; until then a search may miss something"
            ]
            assert not [p for p in cache.app.problems.all() if p.part == "text index"]

    asyncio.run(main())


def test_damage_that_a_search_comes_upon(tmp_path: Path) -> None:
    talk(log_path(tmp_path), 20, 200)

    async def main() -> None:
        async with opened(tmp_path) as cache:
            await cache.app.texts.settled()

            def damaged(connection: apsw.Connection) -> None:
                raise apsw.CorruptError("database disk image is malformed")

            problems = watched(cache.app)
            with pytest.raises(Busy, match="damaged"):
                await cache.app.texts.read(damaged)
            while not problems or cache.app.problems.all():
                await asyncio.sleep(0.01)
            assert len(await found(cache, "out7")) == 1

    asyncio.run(main())


def test_a_file_of_somebody_else_is_replaced(tmp_path: Path) -> None:
    talk(log_path(tmp_path), 2, 5)

    async def main() -> None:
        async with opened(tmp_path) as cache:
            await cache.close()
            cache.paths.text_index.write_bytes(b"not an index " * 1000)
            await cache.open()
            await cache.app.texts.settled()
            assert len(await found(cache, "out1")) == 1

    asyncio.run(main())


def test_a_full_disk_is_told_and_then_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "RETRY", 0.05)
    (tmp_path / "c").mkdir()
    with file_system(tmp_path / "c/.cache", "16M"):
        ballast = tmp_path / "c/.cache/ballast"

        async def main() -> None:
            async with opened(tmp_path) as cache:
                await cache.app.texts.settled()
                for number in range(1, 4):
                    talk(log_path(tmp_path, number), 20, 2000, seed=number)
                with ballast.open("wb", buffering=0) as file:
                    file.write(bytes(12 * 1024 * 1024))
                await cache.scan()
                with ballast.open("ab", buffering=0) as file:
                    for size in (1 << 20, 1 << 16, 1 << 12):
                        try:
                            while file.write(bytes(size)) == size:
                                pass
                        except OSError:
                            continue
                with pytest.raises(Busy, match="disk"):
                    await cache.app.texts.settled()
                assert not cache.app.texts.state().complete
                assert [p.part for p in cache.app.problems.all()] == ["text index"]
                ballast.unlink()
                while cache.app.problems.all():
                    await asyncio.sleep(0.01)
                await cache.app.texts.settled()
                assert len(await found(cache, "out19")) == 3

        asyncio.run(main())


def test_without_the_setting_there_is_no_index(tmp_path: Path) -> None:
    talk(log_path(tmp_path), 2, 5)

    async def main() -> None:
        async with opened(tmp_path) as cache:
            await cache.app.texts.settled()
            await cache.close()
            assert cache.paths.text_index.exists()
            cache.settings = type(cache.settings)(claude_dirs=cache.settings.claude_dirs, watch="off", text_index=False)
            await cache.open()
            await cache.app.texts.settled()
            assert cache.app.texts.state() == t.TextIndex(False, False, 0, 0, 0, 0, 0)
            assert not cache.paths.text_index.exists()
            with pytest.raises(Busy, match="text_index is off"):
                await found(cache, "out1")

    asyncio.run(main())


def test_a_search_that_nobody_waits_for_is_stopped(tmp_path: Path) -> None:
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"

    async def main() -> None:
        async with opened(tmp_path) as cache:
            await cache.app.texts.settled()
            for _ in range(builder.READERS + 1):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(cache.app.texts.read(lambda text: text.execute(endless).fetchall()), 0.05)
            assert await found(cache, "anything") == []

    asyncio.run(main())


def test_what_a_session_says_is_found_without_a_look_at_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "LOOK_AGAIN", 1000.0)
    log = log_path(tmp_path)
    w = Writer()
    records = [w.user("hello")]
    put(log, *records)
    put(log_path(tmp_path, 2), w.user("good morning"))

    async def main() -> None:
        async with opened(tmp_path) as cache:
            await cache.app.texts.settled()
            monkeypatch.setattr(builder.Indexer, "look", None)
            for number in range(3):
                records.append(w.assistant(text(f"answer{number}")))
                put(log, *records)
                await cache.app.pipeline.apply([str(log)])
                await until(lambda n=number: found(cache, f"answer{n}"))
            put(log_path(tmp_path, 3), w.user("good evening"))
            await cache.app.pipeline.apply([str(log_path(tmp_path, 3))])
            await until(lambda: found(cache, "evening"))
            state = cache.app.texts.state()
            assert (state.complete, state.logs, state.entries) == (True, 3, 6)

    asyncio.run(main())


def test_a_log_that_becomes_another_one_is_found_by_what_it_says_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builder, "LOOK_AGAIN", 1000.0)
    log = log_path(tmp_path)
    w = Writer()
    put(log, w.user("hello"))

    async def main() -> None:
        async with opened(tmp_path) as cache:
            await cache.app.texts.settled()
            put(log, w.user("something else"), w.user("and more"))
            await cache.app.pipeline.apply([str(log)])
            await until(lambda: found(cache, "else"))
            assert await found(cache, "hello") == []
            log.unlink()
            await cache.app.pipeline.apply([str(log)])
            await cache.app.texts.settled()
            assert len(await found(cache, "else")) == 1

    asyncio.run(main())
