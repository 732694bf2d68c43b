"""How much work a change of logs costs, and who hears of it: over the wire, with the real daemon."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Client, Daemon, wait_until
from tests.ingest.world import PLACES, SESSIONS, World

MAIN, OTHER = PLACES[0], PLACES[1]


@pytest.fixture
def world(idle_daemon: Daemon) -> World:
    world = World(idle_daemon.home / ".claude/projects")
    for place in PLACES[:6]:
        world.append(place, ["prompt", "answer", "tool", "result", "answer-ends"])
    return world


@pytest.fixture
def client(idle_daemon: Daemon, world: World) -> Iterator[Client]:
    """A client of a daemon that has read the world."""
    idle_daemon.start()
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the index")
        client.request("cache/rescan")
        yield client


def work(client: Client) -> dict[str, Any]:
    """What was done so far."""
    status = client.request("cache/status")
    return {name: status[name] for name in ("revision", "filesParsed", "recordsParsed", "rowsWritten")}


def more(client: Client, before: dict[str, Any], names: str) -> list[int]:
    """By how much figures grew."""
    after = work(client)
    return [after[name] - before[name] for name in names.split()]


def later(client: Client, before: dict[str, Any]) -> None:
    wait_until(lambda: work(client)["revision"] > before["revision"], "a new revision")


def test_a_scan_of_what_is_known_does_nothing(client: Client) -> None:
    before = work(client)
    found = client.request("cache/rescan")
    assert (found["files"], found["parsed"], found["appended"], found["gone"]) == (6, 0, 0, 0)
    assert work(client) == before


def test_a_restart_does_nothing(idle_daemon: Daemon, client: Client) -> None:
    before = work(client)
    client.close()
    assert idle_daemon.kill(15) == 0
    idle_daemon.start()
    with idle_daemon.client() as again:
        wait_until(lambda: again.request("ccdash/status")["watch"]["lastScanAt"], "the first scan")
        again.request("cache/rescan")
        after = work(again)
    assert after["revision"] == before["revision"]
    assert (after["filesParsed"], after["recordsParsed"], after["rowsWritten"]) == (0, 0, 0)


def test_an_append_reads_what_was_appended(client: Client, world: World) -> None:
    before = work(client)
    world.append(MAIN, ["prompt"])
    later(client, before)
    assert more(client, before, "revision filesParsed recordsParsed") == [1, 0, 1]
    # The log's state, its one page, the session (its row may be counted twice by the upsert).
    assert 0 < more(client, before, "rowsWritten")[0] <= 12


def test_an_append_to_a_long_log_writes_no_more_than_to_a_short_one(client: Client, world: World) -> None:
    world.append(OTHER, ["prompt", "answer", "tool", "result"] * 300)
    wait_until(lambda: work(client)["recordsParsed"] >= 1230, "the long log")
    written = []
    for place in (MAIN, OTHER):
        before = work(client)
        world.append(place, ["prompt"])
        later(client, before)
        written += more(client, before, "rowsWritten")
    assert max(written) <= 12, written


def test_a_half_line_is_read_once_it_is_whole(client: Client, world: World) -> None:
    before = work(client)
    world.append(MAIN, ["prompt", "answer"], "half")
    later(client, before)
    half = work(client)
    assert half["recordsParsed"] - before["recordsParsed"] == 1
    world.append(MAIN, ["prompt"])
    later(client, half)
    assert more(client, before, "filesParsed recordsParsed") == [0, 3]


def test_a_log_that_began_with_half_a_line(client: Client, world: World) -> None:
    before = work(client)
    path = world.path(PLACES[6])
    world.append(PLACES[6], ["prompt"], "half")
    wait_until(lambda: client.request("cache/status")["sourceFiles"] == 7, "the new log")
    half = work(client)
    world.append(PLACES[6], ["answer"])
    later(client, half)
    assert more(client, before, "recordsParsed") == [2]
    assert client.request("ccdash/doctor", {"path": str(path)})["byCode"] == {}


def test_another_time_costs_one_reading(client: Client, world: World) -> None:
    before = work(client)
    world.touch(MAIN)
    later(client, before)
    assert more(client, before, "filesParsed recordsParsed") == [1, 5]


def test_moving_a_folder_reads_nothing(client: Client, world: World) -> None:
    before = work(client)
    paths = {path for session in SESSIONS for path in client.request("sessions/get", {"id": session})["sourceFiles"]}
    (world.root / "-home-a").rename(world.root / "-home-z")
    later(client, before)
    wait_until(lambda: not client.request("cache/rescan")["gone"], "a scan that finds nothing")
    assert more(client, before, "filesParsed recordsParsed") == [0, 0]
    moved = {path for session in SESSIONS for path in client.request("sessions/get", {"id": session})["sourceFiles"]}
    assert moved == {path.replace("-home-a", "-home-z") for path in paths}
    assert client.request("cache/status")["filesGone"] == 0


def test_a_copy_that_keeps_its_time_is_not_read(client: Client, world: World) -> None:
    before = work(client)
    path = world.path(MAIN)
    status = path.stat()
    copy = Path(f"{path}.tmp")
    copy.write_bytes(path.read_bytes())
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    copy.replace(path)
    later(client, before)
    assert more(client, before, "filesParsed recordsParsed") == [0, 0]


def test_a_deleted_log_is_kept_and_found_again(client: Client, world: World) -> None:
    told = client.request("sessions/get", {"id": SESSIONS[0]})["tokens"]
    for place in (MAIN, PLACES[3]):
        world.delete(place)
    wait_until(lambda: client.request("cache/status")["filesGone"] == 2, "two logs gone")
    gone = client.request("sessions/get", {"id": SESSIONS[0]})
    assert (gone["sourceGone"], gone["tokens"]) == (True, told)
    before = work(client)
    world.append(MAIN, ["prompt"])
    later(client, before)
    wait_until(lambda: not client.request("sessions/get", {"id": SESSIONS[0]})["sourceGone"], "the session's log")
    assert client.request("cache/rebuild")["parsed"] == 5
    assert client.request("sessions/get", {"id": SESSIONS[0]})["sourceFiles"].count(str(world.path(MAIN))) == 1


def test_a_rescan_of_some_folders_leaves_the_others_alone(idle_daemon: Daemon, world: World) -> None:
    idle_daemon.start("--set", "watch=off")
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index")
        client.request("cache/rescan")
        for place in (PLACES[0], PLACES[3]):
            world.append(place, ["prompt"])
        found = client.request("cache/rescan", {"paths": [str(world.root / "-home-a")]})
        assert (found["parsed"], found["appended"]) == (0, 1)
        assert client.request("cache/rescan")["appended"] == 1


def test_subscribers_hear_of_sessions_and_entries(client: Client, world: World) -> None:
    client.request("ccdash/subscribe", {"topics": ["sessions", "projects", f"transcript:{SESSIONS[0]}"]})
    world.append(MAIN, ["prompt", "answer"])
    told = client.notification("ccdash/transcript")
    assert [entry["kind"] for entry in told["entries"]] == ["prompt", "assistant"]
    assert told["sessionId"] == SESSIONS[0]
    changed = client.notification("ccdash/changed")
    assert {"type": "session", "id": SESSIONS[0], "op": "upsert"} in changed["changes"]
    assert changed["revision"] == told["revision"] == client.request("cache/status")["revision"]
    world.rewrite(PLACES[2], ["blank"], in_place=True)
    world.rewrite(PLACES[5], ["blank"], in_place=True)
    wait_until(
        lambda: {"type": "session", "id": SESSIONS[2], "op": "delete"} in client.notification("ccdash/changed")["changes"],
        "the end of a session that no log holds",
    )
