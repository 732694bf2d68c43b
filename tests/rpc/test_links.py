"""``links/*`` over the wire: what is found while a session works, what the user thinks of it, and what cannot be asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Client, RpcError, wait_until
from tests.rpc.conftest import Served
from tests.rpc.test_user import PRD, PROGRESS, SESSION, make_shop
from tests.sources.logs import Writer, call, write

LOG = f".claude/projects/-work-shop/{SESSION}.jsonl"


@pytest.fixture
def shop(
    short_folder: Path, serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Path, Client, str]]:
    """A home folder with a project and two sessions, a client, and the id of the project."""
    monkeypatch.setenv("HOME", str(short_folder))
    make_shop(short_folder)
    with serve().client() as client:
        wait_until(lambda: client.request("documents/list")["total"] == 2, "the planning files")
        (project,) = client.request("projects/list")["items"]
        yield short_folder, client, project["id"]


def work(home: Path, path: str, seed: int = 0) -> None:
    """The session writes a file of the project."""
    w = Writer(seed)
    common = {"sessionId": SESSION, "cwd": str(home / "work/shop")}
    id = f"t{seed}"
    made = w.assistant(call(id, "Write", file_path=str(home / "work/shop" / path)), id=id, **common)
    with (home / LOG).open("ab") as file:
        file.write(write(made, w.result(id, **common)))


def sessions_of(client: Client, feature: str, **more: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.request(
        "links/list", {"type": "feature", "id": feature, "otherType": "session", **more}
    )["items"]
    return items


def test_a_session_that_works_on_a_feature(shop: tuple[Path, Client, str]) -> None:
    home, client, project = shop
    feature = f"{project}/till"
    assert sessions_of(client, feature) == []
    work(home, PROGRESS)
    wait_until(lambda: sessions_of(client, feature), "the link")
    (link,) = sessions_of(client, feature)
    assert (link["source"]["id"], link["linkType"], link["origin"], link["confidence"]) == (
        SESSION,
        "implements",
        "auto",
        0.77,
    )
    (row,) = client.request("features/list")["items"]
    assert row["sessions"] == 1
    audit = client.request("links/audit", {"id": link["id"]})
    assert audit["link"] == link
    (piece,) = audit["evidence"]
    assert (piece["signal"], piece["detail"], piece["place"]) == ("write", PROGRESS, str(home / LOG))
    line = (home / LOG).read_bytes()[piece["offset"] :].split(b"\n")[0]
    assert json.loads(line)["message"]["content"][0]["name"] == "Write"
    tree = client.request("links/tree", {"type": "document", "id": f"{project}/{PRD}"})
    assert [entity["id"] for entity in tree["parents"]] == [feature]
    found = client.request("links/related", {"type": "document", "id": f"{project}/{PRD}"})["items"]
    assert SESSION in {item["entity"]["id"] for item in found}


def test_a_dismissed_link_stays_dismissed(shop: tuple[Path, Client, str]) -> None:
    home, client, project = shop
    feature = f"{project}/till"
    work(home, PROGRESS)
    wait_until(lambda: sessions_of(client, feature), "the link")
    (link,) = sessions_of(client, feature)
    client.request("links/dismiss", {"id": link["id"]})
    (row,) = client.request("features/list")["items"]
    assert (sessions_of(client, feature), row["sessions"]) == ([], 0)
    work(home, PRD, 1)
    client.request("cache/rebuild")
    (again,) = sessions_of(client, feature, includeDismissed=True)
    assert (again["id"], again["dismissed"]) == (link["id"], True)
    assert again["confidence"] > link["confidence"]
    (row,) = client.request("features/list")["items"]
    assert (sessions_of(client, feature), row["sessions"]) == ([], 0)
    client.request("links/dismiss", {"id": link["id"], "undo": True})
    assert len(sessions_of(client, feature)) == 1


@pytest.mark.parametrize(
    ("method", "params", "code", "field"),
    [
        ("list", {"type": "feature", "id": ""}, -32602, "id"),
        ("list", {"type": "feature", "id": "x" * 1_000_000}, -32001, None),
        ("list", {"type": "folder", "id": "x"}, -32602, "type"),
        ("list", {"type": "session", "id": 5}, -32602, "id"),
        ("list", {"type": "session", "id": SESSION, "minConfidence": 1.5}, -32602, "minConfidence"),
        ("list", {"type": "session", "id": SESSION, "limit": 0}, -32602, "limit"),
        ("list", {"type": "session", "id": SESSION, "linkType": "parent"}, -32602, "linkType"),
        ("list", {"type": "file", "id": "src/../till.py"}, -32602, "id"),
        ("list", {"type": "commit", "id": "nothing"}, -32602, "id"),
        ("tree", {"type": "session", "id": "nothing"}, -32001, None),
        ("tree", {"type": "session", "id": SESSION, "depth": 11}, -32602, "depth"),
        ("tree", {"type": "session", "id": SESSION, "depth": -1}, -32602, "depth"),
        ("related", {"type": "task", "id": "nothing"}, -32001, None),
        ("related", {"type": "session", "id": SESSION, "limit": 501}, -32602, "limit"),
        ("audit", {"id": "nothing"}, -32001, None),
        ("audit", {"id": "touch:9999:x"}, -32001, None),
        ("audit", {}, -32602, "id"),
    ],
)
def test_what_cannot_be_asked(
    shop: tuple[Path, Client, str], method: str, params: dict[str, Any], code: int, field: str | None
) -> None:
    _, client, _ = shop
    with pytest.raises(RpcError) as caught:
        client.request(f"links/{method}", params)
    assert caught.value.code == code
    if field is not None:
        assert caught.value.data["field"] == field
