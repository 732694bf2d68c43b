"""``archive/*``, and the copying that nobody asks for, on a whole daemon."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ccdashd.archive import keeper
from ccdashd.search.builder import Texts
from tests.helpers import Client, RpcError, file_system, wait_until
from tests.ingest.world import SESSIONS, World
from tests.rpc.conftest import Served

Serve = Callable[..., Served]

ONE, TWO = (f"-home-a/{session}.jsonl" for session in SESSIONS[:2])
AGENT = f"-home-a/{SESSIONS[0]}/subagents/agent-a1.jsonl"


@pytest.fixture
def world(short_folder: Path) -> World:
    """Two sessions, one with a sub-agent, long quiet."""
    world = World(short_folder / ".claude" / "projects")
    for place in (ONE, TWO, AGENT):
        world.append(place, ["prompt", "tool", "result", "answer-ends"])
    world.describe(AGENT, "explore")
    for place in (ONE, TWO, AGENT):
        quiet(world.path(place), 3600)
    return world


def quiet(path: Path, seconds: float) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def changed(client: Client, world: World, place: str) -> None:
    """Wait until the daemon knows a log as it is."""
    path = world.path(place)
    client.request("cache/rescan", {"paths": [str(path)]})


def copied(client: Client) -> dict[str, Any]:
    return {os.path.basename(item["path"]): item for item in client.request("archive/list")["items"]}


def test_what_is_quiet_is_copied(serve: Serve, world: World) -> None:
    with serve().client() as client:
        before = client.request("archive/status")
        assert (before["enabled"], before["logs"], before["waitingLogs"], before["storedBytes"]) == (True, 0, 3, 0)
        quiet(world.path(TWO), 10)
        changed(client, world, TWO)
        result = client.request("archive/run", {})
        assert (result["logs"], result["problems"]) == (2, [])
        assert result["sourceBytes"] == world.path(ONE).stat().st_size + world.path(AGENT).stat().st_size
        assert copied(client).keys() == {os.path.basename(ONE), os.path.basename(AGENT)}
        assert client.request("archive/status")["waitingLogs"] == 1
        assert client.request("archive/run", {"all": True})["logs"] == 1
        after = client.request("archive/status")
        assert (after["logs"], after["waitingLogs"], after["onlyCopies"], after["problem"]) == (3, 0, 0, None)
        assert after["lastRunAt"] is not None
        assert after["sourceBytes"] == sum(world.path(place).stat().st_size for place in (ONE, TWO, AGENT))


def test_one_session_is_copied_with_its_sub_agents(serve: Serve, world: World) -> None:
    with serve(archive_exclude="/home").client() as client:
        assert client.request("archive/status")["excludedLogs"] == 3
        assert client.request("archive/run", {"all": True})["logs"] == 0
        assert client.request("archive/run", {"sessions": [SESSIONS[0][:8]]})["logs"] == 2
        with pytest.raises(RpcError, match="no session"):
            client.request("archive/run", {"sessions": ["none"]})


def test_copies_are_listed(serve: Serve, world: World) -> None:
    with serve().client() as client:
        client.request("archive/run", {})
        world.path(ONE).unlink()
        world.rewrite(TWO, ["prompt"], in_place=True)
        for place in (ONE, TWO):
            changed(client, world, place)
        client.request("archive/run", {"all": True})
        listed = copied(client)
        one, two = listed[os.path.basename(ONE)], listed[os.path.basename(TWO)]
        assert (one["sessionId"], one["gone"], one["versions"]) == (SESSIONS[0], True, 1)
        assert (two["sessionId"], two["gone"], two["versions"]) == (SESSIONS[1], False, 2)
        assert one["title"] != ""
        assert one["storedBytes"] > 0
        assert [item["path"] for item in client.request("archive/list", {"gone": True})["items"]] == [one["path"]]
        assert client.request("archive/list", {"gone": False})["total"] == 2
        page = client.request("archive/list", {"limit": 1, "offset": 1})
        assert (len(page["items"]), page["total"]) == (1, 3)
        assert client.request("archive/list", {"project": one["projectId"]})["total"] >= 1
        assert client.request("archive/status")["onlyCopies"] == 2
        # The first version is a log of the session still, and what it used counts.
        session = client.request("sessions/get", {"id": SESSIONS[1]})
        assert [path.rpartition("#")[1] for path in session["sourceFiles"]] == ["", "#"]
        assert session["sourceGone"] is False


def test_a_session_is_written_back(serve: Serve, world: World, tmp_path: Path) -> None:
    with serve().client() as client:
        client.request("archive/run", {})
        data = {place: world.path(place).read_bytes() for place in (ONE, AGENT)}
        times = {place: world.path(place).stat().st_mtime for place in (ONE, AGENT)}
        world.path(ONE).unlink()
        changed(client, world, ONE)
        result = client.request("archive/restore", {"session": SESSIONS[0], "folder": str(tmp_path)})
        for place, held in data.items():
            assert (tmp_path / place).read_bytes() == held
            assert abs((tmp_path / place).stat().st_mtime - times[place]) < 1.5
        assert (tmp_path / AGENT).with_suffix(".meta.json").read_bytes() == world.path(AGENT).with_suffix(
            ".meta.json"
        ).read_bytes()
        assert len(result["paths"]) == 3
        assert result["bytes"] == sum(os.path.getsize(path) for path in result["paths"])
        with pytest.raises(RpcError, match="is there already; no file is replaced"):
            client.request("archive/restore", {"session": SESSIONS[0], "folder": str(tmp_path)})
        with pytest.raises(RpcError, match="folder: must be an absolute path"):
            client.request("archive/restore", {"session": SESSIONS[0], "folder": "here"})


def test_a_session_without_log_and_copy_cannot_be_written_back(serve: Serve, world: World, tmp_path: Path) -> None:
    with serve().client() as client:
        world.path(TWO).unlink()
        changed(client, world, TWO)
        with pytest.raises(RpcError, match="is gone, and there is no copy of it"):
            client.request("archive/restore", {"session": SESSIONS[1], "folder": str(tmp_path)})
        with pytest.raises(RpcError, match="not all logs could be written: No such file or directory"):
            client.request("archive/restore", {"session": SESSIONS[0], "folder": "/proc/none"})
    assert list(tmp_path.iterdir()) == []


def test_logs_are_copied_in_the_background(serve: Serve, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LOOK", 0.05)
    with serve().client() as client:
        wait_until(lambda: client.request("archive/status")["logs"] == 3, "the copies")
        world.append(ONE, ["prompt"])
        quiet(world.path(ONE), 1000)
        wait_until(lambda: copied(client)[os.path.basename(ONE)]["size"] == world.path(ONE).stat().st_size, "the end")


def test_nothing_is_copied_where_that_is_switched_off(serve: Serve, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LOOK", 0.0)
    served = serve(archive="false")
    with served.client() as client:
        assert client.request("archive/status")["enabled"] is False
        assert served.app.keeper._task is None
        # Whoever asks for it gets it.
        assert client.request("archive/run", {})["logs"] == 3


def test_a_full_disk_is_a_problem_until_there_is_room(
    serve: Serve, world: World, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "LOOK", 0.05)
    monkeypatch.setattr(keeper, "RETRY", 0.05)
    data = short_folder / ".local" / "share"
    data.mkdir(parents=True)
    with file_system(data / "ccdash", "200k") as remount:
        world.path(TWO).write_bytes(world.path(TWO).read_bytes() + b'{"x":"%s"}\n' % os.urandom(400_000).hex().encode())
        quiet(world.path(TWO), 3600)
        with serve().client() as client:

            def problems() -> dict[str, Any]:
                found = client.request("ccdash/status")["problems"]
                return {problem["part"]: problem for problem in found}

            problem = wait_until(lambda: problems().get("archive"), "the problem")
            assert problem["problem"] == "the archive cannot be written: No space left on device"
            assert client.request("archive/status")["problem"] == problem["problem"]
            with pytest.raises(RpcError, match="not all logs could be copied: the archive cannot be written"):
                client.request("archive/run", {})
            remount("size=8m")
            wait_until(lambda: "archive" not in problems(), "the end of the problem")
            assert client.request("archive/status")["logs"] == 3


def test_an_archive_that_cannot_be_read_is_told(
    serve: Serve, world: World, short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "LOOK", 0.05)
    monkeypatch.setattr(keeper, "RETRY", 0.05)
    folder = short_folder / ".local" / "share" / "ccdash" / "archive"
    with serve().client() as client:
        wait_until(lambda: client.request("archive/status")["logs"] == 3, "the copies")
        aside = folder.rename(folder.with_name("aside"))
        folder.symlink_to(folder)

        def problems() -> dict[str, str]:
            client.request("cache/rescan")
            return {problem["part"]: problem["problem"] for problem in client.request("ccdash/status")["problems"]}

        said = f"the archive cannot be read: {os.strerror(errno.ELOOP)}"
        wait_until(lambda: problems() == {"archive": said, "copies": said}, "the problems")
        for method in ("archive/status", "archive/list", "archive/run", "cache/storage"):
            with pytest.raises(RpcError, match=said) as caught:
                client.request(method, {})
            assert caught.value.code == -32003
        folder.unlink()
        aside.rename(folder)
        wait_until(lambda: problems() == {}, "the end of the problems")


def test_nothing_is_copied_while_the_index_of_texts_is_built(
    serve: Serve, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "LOOK", 0.01)
    looked, built = 0, False

    def building(texts: Texts) -> bool:
        nonlocal looked
        looked += 1
        return not built

    monkeypatch.setattr(Texts, "is_building", property(building, lambda texts, value: None), raising=False)
    with serve().client() as client:
        wait_until(lambda: looked > 3, "some looks")
        assert client.request("archive/status")["logs"] == 0
        built = True
        wait_until(lambda: client.request("archive/status")["logs"] == 3, "the copies")


def test_the_archive_is_as_large_as_it_may_be(serve: Serve, world: World) -> None:
    with serve(archive_max_bytes="1").client() as client:
        client.request("archive/run", {})
        status = client.request("archive/status")
        assert (status["logs"], status["waitingLogs"]) == (1, 2)
        assert "archive_max_bytes" in status["problem"]


def test_two_runs_at_once_come_one_after_the_other(serve: Serve, world: World) -> None:
    served = serve()
    with served.client() as one, served.client() as other:
        asked = [client.send("archive/run", {"all": True}) for client in (one, other)]
        results = [client.result(id) for client, id in zip((one, other), asked, strict=True)]
        assert sorted(result["logs"] for result in results) == [0, 3]
        assert all(result["problems"] == [] for result in results)
