"""``retention/*``, ``archive/prune`` and ``archive/prunes`` over the wire."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdashd.archive.archive import Archive
from ccdashd.archive.copy import Copier
from tests.helpers import Client, RpcError
from tests.rpc.conftest import Served
from tests.store.edited import Clock, Session


class Shop:
    """A daemon with sessions of one project, one of them with a sub-agent, and copies of all."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.root = served.folder / "shop"
        self.root.mkdir()
        self.clock = Clock()
        self.archive = Archive(served.paths.archive)
        self.logs = served.folder / ".claude/projects"

    def session(self, words: str, agent: str = "") -> Session:
        session = Session(self.clock, str(self.root))
        session.prompt(words)
        session.say("Done.")
        if agent:
            below = Session(self.clock, str(self.root), id=session.id, agent_id=agent)
            below.prompt("Help")
            below.save(self.logs)
        session.save(self.logs)
        return session

    def copy(self) -> None:
        with self.archive.writing() as staging:
            copier = Copier(self.archive, staging, lambda: "2026-01-01T00:00:00.000Z")
            for path in self.logs.rglob("*.jsonl"):
                copier.copy(str(path))
            copier.settle()


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    folder = Path(tempfile.mkdtemp(prefix="cc", dir="/tmp"))
    served = Served(folder)
    shop = Shop(served)
    try:
        served.start()
        yield shop
    finally:
        served.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def client(shop: Shop) -> Iterator[Client]:
    with shop.served.client() as client:
        yield client
        for policy in client.request("retention/get")["items"]:
            client.request("retention/delete", {"id": policy["id"]})


def refused(client: Client, method: str, **params: Any) -> RpcError:
    with pytest.raises(RpcError) as caught:
        client.request(method, params)
    return caught.value


def test_policies_are_set_replaced_and_deleted(client: Client, shop: Shop) -> None:
    client.request("projects/add", {"root": str(shop.root)})
    assert client.request("retention/get") | {"revision": 0} == {"items": [], "nextRunAt": None, "revision": 0}
    policy = {"id": "old", "maxAgeDays": 90, "project": "shop", "status": "done"}
    result = client.request("retention/set", {"policy": policy})
    told = {**policy, "project": str(shop.root), "maxBytes": None, "maxSessions": None, "automatic": False}
    assert (result["items"], result["nextRunAt"]) == ([told], None)
    client.request("retention/set", {"policy": {"id": "a-1", "maxBytes": 0, "automatic": True}})
    result = client.request("retention/set", {"policy": {"id": "old", "maxSessions": 5}})
    assert [item["id"] for item in result["items"]] == ["a-1", "old"]
    assert result["items"][1]["maxAgeDays"] is None and result["nextRunAt"] is not None
    assert client.request("retention/set", {"policy": {"id": "old", "maxSessions": 5}}) == result, "nothing changed"
    assert [item["id"] for item in client.request("retention/delete", {"id": "a-1"})["items"]] == ["old"]


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        ({"maxAgeDays": 1}, "policy.id: must be 1 to 50 lower-case letters, digits and '-', no '-' first"),
        ({"id": "Old", "maxAgeDays": 1}, "policy.id: must be"),
        ({"id": "-a", "maxAgeDays": 1}, "policy.id: must be"),
        ({"id": "a" * 51, "maxAgeDays": 1}, "policy.id: must be"),
        ({"id": "a"}, "policy: has no limit; give maxAgeDays, maxBytes or maxSessions"),
        ({"id": "a", "maxAgeDays": 0}, "maxAgeDays"),
        ({"id": "a", "maxBytes": -1}, "maxBytes"),
        ({"id": "a", "maxSessions": 1, "status": "new"}, "status"),
        ({"id": "a", "maxSessions": 1, "project": "nowhere"}, "no project 'nowhere'"),
    ],
)
def test_what_is_no_policy_is_refused(client: Client, policy: dict[str, Any], problem: str) -> None:
    assert problem in refused(client, "retention/set", policy=policy).message
    assert client.request("retention/get")["items"] == []


def test_what_cannot_be_deleted_or_pruned_is_told(client: Client, shop: Shop) -> None:
    assert "no policy 'x'; see retention/get" in refused(client, "retention/delete", id="x").message
    assert "no session 'x'" in refused(client, "archive/prune", sessions=["x"]).message
    both = refused(client, "archive/prune", sessions=[], policy={"maxSessions": 1})
    assert both.message == "sessions: give a policy or sessions, not both"
    assert "has no limit" in refused(client, "archive/prune", policy={"status": "done"}).message


def test_a_session_is_pruned_by_the_start_of_its_id_and_listed(client: Client, shop: Shop) -> None:
    one, other = shop.session("First", agent="a1"), shop.session("Second")
    shop.copy()
    client.request("cache/rescan")
    # What was written now counts as being written: the limit is told, and nothing goes.
    idle = {"items": [], "applied": False, "freedBytes": 0, "kept": {"active": 2}, "problems": []}
    result = client.request("archive/prune", {"policy": {"maxSessions": 0}})
    assert {name: result[name] for name in idle} == idle
    for path in shop.logs.rglob("*.jsonl"):
        path.unlink()
    client.request("cache/rescan")
    refusal = refused(client, "archive/prune", sessions=[f"{one.id}/agent-a1"])
    assert refusal.message == f"sessions: {one.id}/agent-a1 is a sub-agent, which goes with its session: give {one.id}"
    result = client.request("archive/prune", {"sessions": [one.id[:8]], "apply": True})
    (item,) = result["items"]
    assert (item["id"], item["title"], item["gone"], item["reason"]) == (one.id, "First", True, "asked for")
    assert result["applied"] and result["freedBytes"] > 0 and result["problems"] == []
    assert [session["id"] for session in client.request("sessions/list")["items"]] == [other.id]
    client.request("archive/prune", {"policy": {"maxSessions": 0}, "apply": True})
    page = client.request("archive/prunes")
    assert [(prune["id"], prune["title"]) for prune in page["items"]] == [(other.id, "Second"), (one.id, "First")]
    assert [prune["reason"] for prune in page["items"]] == ["there are more than 0", "asked for"]
    assert page["total"] == 2 and client.request("archive/prunes", {"limit": 1, "offset": 1})["items"] == page["items"][1:]
    assert list(shop.archive.manifest_files()) == [] and list(shop.archive.chunks.all()) == []


def test_without_policies_nothing_goes(client: Client) -> None:
    assert client.request("archive/prune", {"apply": True})["items"] == []


def test_a_journal_that_cannot_be_written_prunes_nothing(client: Client, shop: Shop) -> None:
    session = shop.session("Third")
    shop.copy()
    session.log(shop.logs).unlink()
    client.request("cache/rescan")
    journal = shop.served.paths.journal
    moved = journal.rename(journal.with_suffix(".aside"))
    journal.mkdir()
    try:
        refusal = refused(client, "archive/prune", sessions=[session.id], apply=True)
    finally:
        journal.rmdir()
        moved.rename(journal)
    assert refusal.message.startswith("not all could be pruned: ")
    assert len(list(shop.archive.manifest_files())) == 1
    assert client.request("archive/prune", {"sessions": [session.id], "apply": True})["items"][0]["id"] == session.id
