"""What can go wrong around the cache and the logs: the status says what, the service goes on, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Daemon, RpcError, file_system, wait_until
from tests.ingest.tables import dump_file, same
from tests.ingest.world import PLACES, SESSIONS, World


@pytest.fixture
def world(idle_daemon: Daemon) -> World:
    world = World(idle_daemon.home / ".claude/projects")
    for place in PLACES:
        world.append(place, ["prompt", "answer", "tool", "result", "summary", "answer-ends"])
    return world


@pytest.fixture
def mounted(short_folder: Path) -> Iterator[Callable[[str], None]]:
    """A file system of its own at ``m``; called with mount options, mounts it anew."""
    with file_system(short_folder / "m", "64m") as remount:
        yield remount


def status(daemon: Daemon) -> dict[str, Any]:
    with daemon.client() as client:
        answer: dict[str, Any] = client.request("ccdash/status")
        return answer


def problem(daemon: Daemon, part: str) -> dict[str, Any]:
    """Wait for a problem of that part."""

    def found() -> dict[str, Any] | None:
        return next((problem for problem in status(daemon)["problems"] if problem["part"] == part), None)

    answer: dict[str, Any] = wait_until(found, f"a problem of {part}", 30)
    assert status(daemon)["state"] == "degraded"
    return answer


def well(daemon: Daemon) -> dict[str, Any]:
    """Wait until nothing is wrong and all is read; returns the cache's status."""
    wait_until(lambda: status(daemon)["state"] == "ok", "the state ok", 50)
    with daemon.client() as client:
        client.request("cache/rescan")
        assert client.request("cache/verify")["faults"] == []
        answer: dict[str, Any] = client.request("cache/status")
        return answer


def stop(daemon: Daemon) -> None:
    assert daemon.kill(15) == 0


# --- where the cache is ---


def test_a_full_disk(idle_daemon: Daemon, short_folder: Path, mounted: Callable[[str], None]) -> None:
    world = World(idle_daemon.home / ".claude/projects")
    for number in range(12):
        world.append(f"-home-a/{number:08}-0000-4000-8000-000000000000.jsonl", ["prompt", "answer", "tool", "result"] * 400)
    mounted("size=1500k")
    idle_daemon.start(environ={"CCDASH_CACHE_DIR": str(short_folder / "m")})
    database = short_folder / "m/ccdash/cache.db"
    assert "full" in problem(idle_daemon, "cache")["problem"]
    with idle_daemon.client() as client:
        assert client.request("ccdash/hello")["pid"] == idle_daemon.process.pid
        assert client.request("sessions/list")["revision"] <= client.request("ccdash/status")["revision"]
    mounted("size=64m")
    assert well(idle_daemon)["sessions"] == 12
    assert len(dump_file(database)["sync_state"]) == 12


def test_a_folder_that_cannot_be_written(
    idle_daemon: Daemon, world: World, short_folder: Path, mounted: Callable[[str], None]
) -> None:
    mounted("ro")
    idle_daemon.start(environ={"CCDASH_CACHE_DIR": str(short_folder / "m")})
    assert "ead-only" in problem(idle_daemon, "cache")["problem"]
    mounted("rw")
    assert well(idle_daemon)["sourceFiles"] == len(PLACES)


def test_a_folder_that_is_a_file(idle_daemon: Daemon, world: World, short_folder: Path) -> None:
    (short_folder / "file").write_text("in the way")
    idle_daemon.start(environ={"CCDASH_CACHE_DIR": str(short_folder / "file")})
    found = problem(idle_daemon, "cache")
    assert "directory" in found["problem"].lower()
    assert str(short_folder / "file") in found["hint"]
    with idle_daemon.client() as client, pytest.raises(RpcError) as caught:
        client.request("sessions/list")
    assert "cannot be used now" in caught.value.message
    (short_folder / "file").unlink()
    assert well(idle_daemon)["sourceFiles"] == len(PLACES)


def test_a_database_of_another_application(idle_daemon: Daemon, world: World) -> None:
    path = idle_daemon.paths.database
    path.parent.mkdir(parents=True, mode=0o700)
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    idle_daemon.start()
    assert "another application" in problem(idle_daemon, "cache")["problem"]
    assert path.read_bytes() == before
    path.rename(path.with_name("theirs.db"))
    assert well(idle_daemon)["sourceFiles"] == len(PLACES)
    assert path.with_name("theirs.db").read_bytes() == before


def test_a_database_of_a_newer_version(idle_daemon: Daemon, world: World) -> None:
    idle_daemon.start()
    well(idle_daemon)
    stop(idle_daemon)
    path = idle_daemon.paths.database
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    before = path.read_bytes()
    idle_daemon.start()
    found = problem(idle_daemon, "cache")["problem"]
    assert "newer ccdash (schema 9999" in found
    assert "delete cache.db" in found
    assert path.read_bytes() == before
    path.unlink()
    assert well(idle_daemon)["sourceFiles"] == len(PLACES)


def _no_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"no database at all" * 8)


def _no_middle(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        for offset in range(8192, size - 4096, 4096):
            file.seek(offset)
            file.write(os.urandom(4096))


def _half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


@pytest.mark.parametrize("damage", [_no_header, _no_middle, _half])
@pytest.mark.parametrize("number", [9, 15], ids=["killed", "closed"])
def test_a_damaged_database(idle_daemon: Daemon, world: World, damage: Callable[[Path], None], number: int) -> None:
    idle_daemon.start()
    well(idle_daemon)
    before = dump_file(idle_daemon.paths.database)
    idle_daemon.kill(number)
    # All of it into the file itself, so that the damage is one.
    with closing(sqlite3.connect(idle_daemon.paths.database)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damage(idle_daemon.paths.database)
    idle_daemon.start()

    def answered() -> bool:
        with idle_daemon.client() as client:
            try:
                client.request("sessions/list")
                client.request("cache/rescan")
                return not client.request("cache/verify")["faults"]
            except RpcError:
                return False

    wait_until(answered, "answers from a new cache", 40)
    same(before, dump_file(idle_daemon.paths.database), "the cache that was made anew holds something else")
    kept = list(idle_daemon.paths.cache_dir.glob("cache.db.corrupt-*"))
    assert len(kept) == 1
    assert f"moved_to={kept[0].name}" in idle_daemon.log
    assert well(idle_daemon)["sourceFiles"] == len(PLACES)


# --- the logs ---


def test_what_stands_in_place_of_a_log(idle_daemon: Daemon, world: World) -> None:
    idle_daemon.start()
    tables = dump_file(idle_daemon.paths.database) if well(idle_daemon) else {}
    places = [world.path(f"-home-a/4000000{n}-0000-4000-8000-000000000000.jsonl") for n in range(4)]
    os.mkfifo(places[0])
    places[1].mkdir()
    places[2].symlink_to(world.root / "nowhere")
    places[3].symlink_to(places[3])
    with idle_daemon.client() as client:
        assert client.request("cache/rescan")["files"] == len(PLACES)
    assert places[3].name in problem(idle_daemon, "scan")["problem"]
    for path in (places[0], places[2], places[3]):
        path.unlink()
    places[1].rmdir()
    with idle_daemon.client() as client:
        client.request("cache/rescan")
    well(idle_daemon)
    same(tables, dump_file(idle_daemon.paths.database), "something was left behind")


def test_a_log_that_turns_into_a_folder_and_back(idle_daemon: Daemon, world: World) -> None:
    idle_daemon.start()
    well(idle_daemon)
    path = world.path(PLACES[0])
    content = path.read_bytes()
    path.unlink()
    path.mkdir()
    wait_until(lambda: status(idle_daemon)["counts"]["sourceGone"] >= 0, "an answer")
    path.rmdir()
    path.write_bytes(content)
    well(idle_daemon)
    with idle_daemon.client() as client:
        assert str(path) in client.request("sessions/get", {"id": SESSIONS[0]})["sourceFiles"]


def test_the_folder_of_logs_vanishes_and_comes_back(idle_daemon: Daemon, world: World) -> None:
    idle_daemon.start()
    before = well(idle_daemon)
    tables = dump_file(idle_daemon.paths.database)
    away = idle_daemon.home / "away"
    world.root.rename(away)
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("cache/status")["filesGone"] == len(PLACES), "all logs gone")
        assert client.request("cache/status")["tokens"] == before["tokens"]
        assert client.request("ccdash/status")["roots"][0]["exists"] is False
        away.rename(world.root)
        wait_until(lambda: client.request("cache/status")["filesGone"] == 0, "all logs back")
    assert well(idle_daemon)["filesParsed"] == before["filesParsed"]
    same(tables, dump_file(idle_daemon.paths.database), "the cache changed")


def test_killed_again_and_again_during_the_first_index(idle_daemon: Daemon) -> None:
    world = World(idle_daemon.home / ".claude/projects")
    world.flood(300)
    for _ in range(4):
        idle_daemon.start()
        wait_until(lambda: _reads(status(idle_daemon)["indexing"]), "the reading")
        idle_daemon.kill()
    idle_daemon.start()
    assert well(idle_daemon)["sessions"] == 300


def _reads(indexing: dict[str, Any]) -> bool:
    return indexing["phase"] in ("parse", "finish") or bool(indexing["complete"])


def test_a_log_that_grows_faster_than_it_is_read(idle_daemon: Daemon) -> None:
    path = idle_daemon.home / f".claude/projects/-home-a/{SESSIONS[0]}.jsonl"
    path.parent.mkdir(parents=True)
    idle_daemon.start()
    line = (
        '{"type":"user","uuid":"%08x-0000-4000-8000-%012x","sessionId":"' + SESSIONS[0] + '",'
        '"timestamp":"2026-01-01T00:00:00.000Z","message":{"role":"user","content":"' + "x" * 6000 + '"}}\n'
    )
    count = 0
    with path.open("wb", buffering=0) as file:
        for block in range(100):
            file.write("".join(line % (n, block) for n in range(500)).encode())
            count += 500
    assert path.stat().st_size > 300_000_000
    with idle_daemon.client(55) as client:
        wait_until(lambda: client.request("cache/status")["sourceBytes"] == path.stat().st_size, "all bytes", 55)
        # A log that is only glanced at shows its whole size, too.
        wait_until(lambda: client.request("sessions/get", {"id": SESSIONS[0]})["indexed"], "the whole log", 55)
        assert client.request("sessions/get", {"id": SESSIONS[0]})["counts"]["prompts"] == count


def test_a_thousand_logs_at_once(idle_daemon: Daemon) -> None:
    world = World(idle_daemon.home / ".claude/projects")
    idle_daemon.start()
    well(idle_daemon)
    world.flood(1000)
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("cache/status")["sessions"] == 1000, "all sessions", 50)
    assert well(idle_daemon)["filesParsed"] >= 1000


def test_two_clients_ask_for_the_same_work(idle_daemon: Daemon, world: World) -> None:
    idle_daemon.start()
    well(idle_daemon)
    tables = dump_file(idle_daemon.paths.database)
    answers: list[dict[str, Any]] = []

    def ask(method: str) -> None:
        with idle_daemon.client() as client:
            answers.append(client.request(method))

    threads = [threading.Thread(target=ask, args=(f"cache/{name}",)) for name in 3 * ("rebuild", "rescan", "verify")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == len(threads)
    assert sum(answer.get("parsed", 0) for answer in answers) == 3 * len(PLACES)
    well(idle_daemon)
    same(tables, dump_file(idle_daemon.paths.database), "the cache changed")


def test_deleting_the_cache_loses_nothing(idle_daemon: Daemon, world: World) -> None:
    idle_daemon.start()
    well(idle_daemon)
    before = dump_file(idle_daemon.paths.database)
    stop(idle_daemon)
    shutil.rmtree(idle_daemon.paths.cache_dir)
    idle_daemon.start()
    well(idle_daemon)
    same(before, dump_file(idle_daemon.paths.database), "the new cache holds something else")
