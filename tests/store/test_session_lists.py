"""Lists of sessions: every row once whatever happens between two pages, and no internal error whatever is asked."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers import Client, Daemon, RpcError, wait_until
from tests.ingest.world import World

COUNT = 7


@pytest.fixture
def world(idle_daemon: Daemon) -> World:
    world = World(idle_daemon.home / ".claude/projects")
    for number in range(COUNT):
        world.append(f"-home-a/{number:08}-0000-4000-8000-000000000000.jsonl", ["prompt", "answer-ends"] * (number % 3 + 1))
    return world


@pytest.fixture
def client(idle_daemon: Daemon, world: World) -> Iterator[Client]:
    idle_daemon.start()
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the index")
        yield client


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sort", ["endedAt", "startedAt", "title", "tokens", "records", "duration"])
def test_pages_hold_each_session_once_while_others_come(client: Client, world: World, sort: str, order: str) -> None:
    asked: dict[str, Any] = {"sort": sort, "order": order, "limit": 2}
    whole = client.request("sessions/list", asked | {"limit": 100})
    assert whole["total"] == len(whole["items"]) == COUNT
    page = client.request("sessions/list", asked)
    seen = [row["id"] for row in page["items"]]
    world.append("-home-a/99999999-0000-4000-8000-000000000000.jsonl", ["prompt"])
    client.request("cache/rescan")
    while "nextCursor" in page and page["nextCursor"] is not None:
        page = client.request("sessions/list", asked | {"cursor": page["nextCursor"]})
        seen += [row["id"] for row in page["items"]]
    assert [id for id in seen if not id.startswith("99999999")] == [row["id"] for row in whole["items"]]
    assert len(seen) == len(set(seen))


def forged(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "ä",
        "x",
        base64.urlsafe_b64encode(b"5").decode(),
        forged("endedAt", "desc"),
        forged("endedAt", "desc", {}, "x"),
        forged("endedAt", "desc", 2**70, "x"),
        forged("endedAt", "desc", 5, 6),
        forged("title", "desc", "a", "x"),
        forged("endedAt", "asc", 5, "x"),
    ],
)
def test_a_cursor_that_is_none(client: Client, cursor: str) -> None:
    with pytest.raises(RpcError) as caught:
        client.request("sessions/list", {"cursor": cursor})
    assert caught.value.data["field"] == "cursor"


@pytest.mark.parametrize("text", ["%", "_", "/", "\\", "'", "[", "*"])
def test_no_sign_of_a_text_means_anything_else(client: Client, text: str) -> None:
    assert client.request("sessions/list", {"text": text})["total"] == 0


@pytest.mark.parametrize("within", [1e308, -1e308, 0])
def test_any_number_of_seconds(client: Client, within: float) -> None:
    assert len(client.request("sessions/active", {"within": within})["items"]) == (COUNT if within > 0 else 0)
