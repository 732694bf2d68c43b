"""``search/deep`` over the wire: filters, entries, what is streamed, and an end at any time."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ccdashd.rpc import progress
from ccdashd.search import deep
from tests.helpers import Client, RpcError, wait_until
from tests.rpc.conftest import Served
from tests.store.edited import Clock, Session

TOKEN = "mine"


class World:
    """Three sessions of two projects, the last of which has a sub-agent; each says what it is."""

    def __init__(self, folder: Path) -> None:
        logs = folder / ".claude/projects"
        clock = Clock()
        self.first = Session(clock, "/home/me/shop")
        self.second = Session(clock, "/home/me/depot")
        self.third = Session(clock, "/home/me/shop")
        self.agent = Session(clock, "/home/me/shop", id=self.third.id, agent_id="a1")
        for session, name in ((self.first, "first"), (self.second, "second"), (self.third, "third"), (self.agent, "agent")):
            session.record("file-history-snapshot", snapshot={"of": name}, uuid=None)
            session.prompt(f"I am the {name}: größer than\nanother.")
            session.write(f"/home/me/{name}.py", f"print('{name}')\n" * 3, None)
        self.paths = [session.save(logs) for session in (self.first, self.second, self.third, self.agent)]


@pytest.fixture
def world(short_folder: Path) -> World:
    return World(short_folder)


@pytest.fixture
def client(world: World, serve: Callable[..., Served]) -> Client:
    return serve().client()


def sessions(result: dict[str, Any]) -> list[str]:
    return [match["sessionId"] for match in result["matches"]]


def streamed(client: Client) -> list[dict[str, Any]]:
    told = [message["params"] for message in client.notifications if message["method"] == "search/matches"]
    assert {params["token"] for params in told} <= {TOKEN}
    return [match for params in told for match in params["matches"]]


def test_matches_name_session_entry_and_place(world: World, client: Client) -> None:
    with client:
        result = client.request("search/deep", {"pattern": "größer than\nanother", "context": 14})
        assert sessions(result) == [f"{world.third.id}/agent-a1", world.third.id, world.second.id, world.first.id]
        assert (result["found"], result["stopped"], result["files"], result["problems"]) == (4, False, 4, [])
        assert result["bytes"] == sum(path.stat().st_size for path in world.paths)
        match = result["matches"][2]
        shown = client.request("sessions/transcript", {"id": world.second.id})["items"][0]
        assert shown["text"] == "I am the second: größer than\nanother."
        assert match["entry"] == shown["id"]
        assert (match["offset"], match["length"], match["timestamp"]) == (
            shown["offset"],
            shown["length"],
            shown["timestamp"],
        )
        assert (match["path"], match["line"]) == (str(world.paths[1]), 2)
        assert (match["before"], match["match"], match["after"]) == (
            "m the second: ",
            "größer than\nanother",
            '."}}',
        )


def test_a_record_without_an_entry_has_none(world: World, client: Client) -> None:
    with client:
        (match,) = client.request("search/deep", {"pattern": '"of":"first"'})["matches"]
        assert (match["sessionId"], match["entry"], match["line"]) == (world.first.id, None, 1)


def test_filters(world: World, client: Client) -> None:
    def found(**params: Any) -> list[str]:
        names = {world.first.id: "first", world.second.id: "second", world.third.id: "third"}
        return [names.get(id, "agent") for id in sessions(client.request("search/deep", {"pattern": "I am the", **params}))]

    with client:
        assert found() == ["agent", "third", "second", "first"]
        assert found(project="/home/me/shop") == ["agent", "third", "first"]
        assert found(session=world.third.id[:8]) == ["agent", "third"]
        assert found(session=f"{world.third.id}/agent-a1") == ["agent"]
        assert found(limit=2) == ["agent", "third"]
        assert found(regex=True, pattern=r"I am the (first|second)") == ["second", "first"]
        assert found(ignoreCase=True, pattern="i AM the FIRST: GRÖß") == ["first"]
        times = [record["timestamp"] for record in (world.second.records[-1], world.third.records[0])]
        assert found(after=times[0]) == ["agent", "third", "second"]
        assert found(before=times[1]) == ["second", "first"]
        assert found(after="2026-01-03") == []
        project = client.request("projects/list")["items"][0]
        client.request("projects/update", {"id": project["id"], "hidden": True})
        hidden = found(project=project["id"])
        assert len(hidden) in (1, 3)
        assert not set(found()) & set(hidden)
        assert found(session=world.first.id) == ["first"]


WRONG = [
    (
        {"pattern": "a(b", "regex": True},
        "pattern: is no regular expression: missing ), unterminated subpattern at character 2",
    ),
    ({"pattern": ""}, "pattern: must not be empty"),
    ({"pattern": "a", "limit": 10_001}, "limit: must be at most 10000"),
    ({"pattern": "a", "after": "soon"}, "after: is no time"),
    ({"pattern": "a", "project": "none"}, "no project 'none'"),
    ({"pattern": "a", "session": "none"}, "no session 'none'"),
]


def test_what_cannot_be_asked_is_told(client: Client) -> None:
    with client:
        for params, message in WRONG:
            with pytest.raises(RpcError, match=re.escape(message)) as caught:
                client.request("search/deep", params)
            assert caught.value.code in (-32602, -32001)


def test_with_a_token_matches_come_before_the_answer(world: World, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "AFTER", 0.0)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    with client:
        plain = client.request("search/deep", {"pattern": "I am the"})
        result = client.request("search/deep", {"pattern": "I am the", "workDoneToken": TOKEN})
        assert result["matches"] == []
        assert result["found"] == 4
        assert streamed(client) == plain["matches"]
        values = [message["params"]["value"] for message in client.notifications if message["method"] == "$/progress"]
        assert (values[0]["kind"], values[0]["title"]) == ("begin", "search/deep")
        assert (values[-2]["percentage"], values[-2]["message"]) == (100, "4 of 4 logs, 4 found")
        assert values[-1]["kind"] == "end"


def test_a_log_that_is_gone_and_was_not_archived_is_told(world: World, client: Client) -> None:
    with client:
        world.paths[0].unlink()
        client.request("cache/rescan")
        result = client.request("search/deep", {"pattern": "I am the"})
        assert len(result["matches"]) == 3
        (problem,) = result["problems"]
        assert problem["part"] == str(world.paths[0])
        assert problem["problem"] == "the log is gone, and there is no copy of it in the archive"
        assert client.request("search/deep", {"pattern": "I am the", "archived": False})["problems"] == []


def test_a_client_that_reads_late_misses_nothing(world: World, serve: Callable[..., Served]) -> None:
    with world.paths[0].open("a") as log:
        log.write("needle and thread\n" * 5000)
    with serve(subscriber_backlog="16384").client() as client:
        params = {"pattern": "needle", "limit": 5000, "context": 500, "workDoneToken": TOKEN}
        asked = client.send("search/deep", params)
        waiting = client.send("ccdash/status")
        assert client.result(waiting)
        assert client.result(asked)["found"] == 5000
        assert [match["line"] for match in streamed(client)] == list(range(5, 5005))


def test_a_search_ends_when_it_is_cancelled_and_when_the_client_is_gone(
    world: World, serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deep, "SHARE", 1)
    for path in world.paths:
        with path.open("a") as log:
            log.write("a" * 60 + "\n")
    served = serve(workers="2")

    def processes() -> list[str]:
        found = []
        for thread in Path("/proc/self/task").iterdir():
            found += re.findall(r"\d+", (thread / "children").read_text())
        return [pid for pid in found if b"deep_worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    asked = {"pattern": "(a+)+b|the first", "regex": True}
    with served.client() as client:
        id = client.send("search/deep", asked)
        wait_until(lambda: len(processes()) == 2, "the processes")
        client.notify("$/cancelRequest", {"id": id})
        with pytest.raises(RpcError, match="cancelled"):
            client.result(id)
        wait_until(lambda: not processes(), "their end")
        client.send("search/deep", asked)
        wait_until(lambda: len(processes()) == 2, "the processes")
    wait_until(lambda: not processes(), "their end")
