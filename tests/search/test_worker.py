"""The process that builds a backlog: when it is killed, what it wrote is right, and the next one goes on from there."""

from __future__ import annotations

import asyncio
import signal
import struct
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ccdashd.search import builder, extraction, worker
from ccdashd.search.indexing import Indexer
from ccdashd.search.worker import Failure, Job, Progress
from ccdashd.store.text import entries, matches, writer
from ccdashd.store.text.connection import open_reader
from tests.helpers import Daemon, wait_until
from tests.ingest.caches import Cache
from tests.search.caches import EVERYWHERE, found, log_path, opened, talk

CAP = 256 * 1024
LOGS = 4
OUTPUTS = 40
ENTRIES = LOGS * (1 + 3 * OUTPUTS)


def cached(folder: Path, logs: int = LOGS, outputs: int = OUTPUTS, words: int = 1500) -> Job:
    """The job of a worker for a cache of some logs, of which nothing is in the index yet."""
    for number in range(1, logs + 1):
        talk(log_path(folder, number), outputs, words, seed=number)
    cache = Cache(folder / "c", folder / "logs")

    async def read() -> None:
        await cache.open()
        await cache.close()

    asyncio.run(read())
    return Job(str(cache.paths.text_index), str(cache.paths.database), str(cache.paths.archive), CAP)


def run(job: Job) -> list[Progress | Failure]:
    return [worker.decode_answer(answer) for answer in worker.work(worker.encode(job))]


def sessions_with(job: Job, word: str) -> list[str]:
    """The number of the session of each entry with a word, the newest rowid first."""
    with closing(open_reader(Path(job.text))) as text:
        rowids = matches.newest(text, f"text : {word}", EVERYWHERE, 10_000)
        return [Path(entry.path).stem[0] for entry in entries.entries(text, rowids)]


def test_all_of_it_is_built_in_several_transactions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "FIRST_BATCH", 50_000)
    monkeypatch.setattr(extraction, "BATCH", 200_000)
    job = cached(tmp_path)
    told = run(job)
    assert len(told) > 5
    last = told[-1]
    assert isinstance(last, Progress)
    assert last.entries == ENTRIES
    assert last.bytes == sum(path.stat().st_size for path in (tmp_path / "logs").rglob("*.jsonl"))
    newest_first = [str(number) for number in range(LOGS, 0, -1)]
    assert sessions_with(job, "begin") == newest_first
    for n in range(OUTPUTS):
        assert sessions_with(job, f"out{n}") == newest_first
    assert run(job) == []


def test_a_worker_that_is_killed_leaves_what_it_wrote(tmp_path: Path) -> None:
    job = cached(tmp_path, words=4000)
    process = subprocess.Popen(
        [sys.executable, "-m", worker.MODULE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdin is not None
    assert process.stdout is not None
    data = worker.encode(job)
    process.stdin.write(struct.pack(">I", len(data)) + data)
    process.stdin.flush()
    (length,) = struct.unpack(">I", process.stdout.read(4))
    first = worker.decode_answer(process.stdout.read(length)[1:])
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    assert isinstance(first, Progress)
    with closing(Indexer(Path(job.text), Path(job.cache), Path(job.archive), job.cap)) as index:
        index.connection.execute("INSERT INTO entries_text (entries_text) VALUES ('integrity-check')")
        look = index.look()
        assert 0 < look.entries < ENTRIES
        assert look.differences.behind
        places = index.places(look.differences)
        taken = entries.ends(index.connection)
        assert taken is not None
        assert all(place.first + place.room <= taken.first or place.first > taken.last for place in places)
        # The log that was cut is read on, and not again.
        cut = [one for one in look.differences.behind if one.state is not None]
        assert [one.start for one in cut] == [state.entries for state in index.known.values() if state.mtime_ns == 0]
    last = run(job)[-1]
    assert isinstance(last, Progress)
    assert last.entries == ENTRIES - look.entries
    for n in range(OUTPUTS):
        assert sorted(sessions_with(job, f"out{n}")) == [str(number) for number in range(1, LOGS + 1)]


def test_a_log_that_changes_while_it_is_read_is_left_to_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = cached(tmp_path, words=30)
    path = log_path(tmp_path, 2)
    monkeypatch.setattr(extraction, "WINDOW", 1000)
    rewritten = path.read_bytes().replace(b"out", b"new")
    prepare = extraction.prepare_bytes

    def meddling(text: str, cap: int) -> tuple[bytes, bytes]:
        if text.startswith("out5 2x5y"):
            path.write_bytes(rewritten)
        return prepare(text, cap)

    monkeypatch.setattr(extraction, "prepare_bytes", meddling)
    run(job)
    assert sessions_with(job, "out3") == ["4", "3", "1"]
    assert sessions_with(job, "new3") == []


def test_an_index_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    job = cached(tmp_path, words=10)
    Path(job.text).write_bytes(b"no index " * 1000)
    assert run(job) == [Failure("it is damaged", True)]
    job.text = str(tmp_path / "none/text.db")
    assert run(job) == [Failure("text.db cannot be opened", False)]
    job.cache = str(tmp_path / "none.db")
    job.text = str(tmp_path / "text.db")
    assert run(job) == [Failure("unable to open database file", False)]


def test_much_is_built_by_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "SMALL", 100_000)
    talk(log_path(tmp_path), 30, 1000)

    async def main() -> None:
        async with opened(tmp_path) as cache:
            await cache.app.texts.settled()
            assert len(await found(cache, "out29")) == 1
            assert cache.app.texts.state().complete
            # And what comes then, here.
            talk(log_path(tmp_path, 2), 3, 10)
            await cache.scan()
            await cache.app.texts.settled()
            assert len(await found(cache, "out2")) == 2

    asyncio.run(main())


def test_a_worker_that_dies_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "SMALL", 100_000)
    monkeypatch.setattr(builder, "RETRY", 0.05)
    real = worker.MODULE
    monkeypatch.setattr(worker, "MODULE", "tests.search.dies")
    talk(log_path(tmp_path), 30, 1000)

    async def main() -> None:
        async with opened(tmp_path) as cache:
            while not (problems := cache.app.problems.all()):
                await asyncio.sleep(0.01)
            assert [problem.part for problem in problems] == ["text index"]
            assert not cache.app.texts.state().complete
            monkeypatch.setattr(worker, "MODULE", real)
            while cache.app.problems.all():
                await asyncio.sleep(0.01)
            await cache.app.texts.settled()
            assert len(await found(cache, "out29")) == 1

    asyncio.run(main())


def test_a_daemon_that_is_killed_goes_on_at_the_next_start(idle_daemon: Daemon) -> None:
    folder = idle_daemon.home / ".claude/projects/-home-a"
    for number in range(1, LOGS + 1):
        talk(folder / f"{number}0000000-0000-4000-8000-000000000000.jsonl", OUTPUTS, 4000, seed=number)

    def index() -> dict[str, object]:
        with idle_daemon.client() as client:
            answer: dict[str, object] = client.request("cache/status")["textIndex"]
        return answer

    idle_daemon.start()
    wait_until(lambda: index()["entries"], "the first entries in the index")
    idle_daemon.kill(signal.SIGKILL)
    idle_daemon.start()
    assert wait_until(lambda: (state := index())["complete"] and state, "the index")["entries"] == ENTRIES
    with closing(open_reader(idle_daemon.paths.text_index)) as text:
        assert len(writer.states(text)) == LOGS
        for n in range(OUTPUTS):
            assert len(matches.newest(text, f"text : out{n}", EVERYWHERE, 100)) == LOGS
