"""``search/query`` over the wire: transcripts, titles, plans and notes in one answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Client, RpcError, wait_until
from tests.rpc.conftest import Served
from tests.sources.logs import SESSION, Writer, call, text, write
from tests.store import shop
from tests.store.shop import LOOSE, PHASE_1, PRD

LOG = f".claude/projects/-shop/{SESSION}.jsonl"


@pytest.fixture
def root(short_folder: Path) -> Path:
    root = shop.write(short_folder / "shop")
    (root / ".git").mkdir()
    return root


@pytest.fixture
def log(short_folder: Path, root: Path) -> Path:
    """A session that says a few words about coins, and its sub-agent."""
    log, writer, place = short_folder / LOG, Writer(1), {"cwd": str(root)}
    edit = call("toolu_1", "Edit", file_path=str(root / "src/till.py"), new_string="def countCoins(): ...")
    records = [
        writer.user("Fix the till: coins are counted twice", **place),
        writer.assistant({"type": "thinking", "thinking": "Which coins?"}, text("Coins it is."), edit, **place),
        writer.result("toolu_1", "count_coins was changed", toolUseResult={"filePath": str(root / "src/till.py")}, **place),
    ]
    beside = {"cwd": str(root), "isSidechain": True, "agentId": "abc"}
    log.parent.mkdir(parents=True)
    log.write_bytes(write(*records))
    agent = log.with_suffix("") / "subagents" / "agent-abc.jsonl"
    agent.parent.mkdir(parents=True)
    agent.write_bytes(write(Writer(2).user("Count the pennies", **beside)))
    return log


@pytest.fixture
def client(log: Path, serve: Callable[..., Served]) -> Iterator[Client]:
    served = serve(reconcile_seconds="1000")
    with served.client() as client:
        wait_until(lambda: client.request("features/list")["total"] == 2, "the planning files")
        served.do(served.app.texts.settled)
        yield client


def found(client: Client, query: str, **params: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = client.request("search/query", {"query": query, **params})["items"]
    return items


def shown(hit: dict[str, Any]) -> str:
    """A snippet with its matches in brackets."""
    return "".join(f"[{part['text']}]" if part["match"] else part["text"] for part in hit["snippet"])


def test_everything_that_was_said(client: Client, log: Path) -> None:
    hits = {hit["kind"]: hit for hit in found(client, "coins", types=["entry"])}
    assert {kind: shown(hit) for kind, hit in hits.items()} == {
        "prompt": "Fix the till: [coins] are counted twice",
        "thinking": "Which [coins]?",
        "assistant": "[Coins] it is.",
        "toolCall": f"{log.parents[3]}/shop/src/till.py def count[Coins](): ...",
        "toolResult": "count_[coins] was changed",
    }
    call = hits["toolCall"]
    assert (call["tool"], call["model"], call["id"], call["path"]) == ("Edit", "claude-opus-4-5", SESSION, str(log))
    assert (call["title"], call["project"], call["agent"]) == (
        "Fix the till: coins are counted twice",
        "shop",
        "claude-code",
    )
    assert hits["toolResult"]["tool"] == "Edit"
    for hit in hits.values():
        entry = client.request("sessions/entry", {"id": hit["id"], "entry": hit["entry"]})["entry"]
        assert (entry["kind"], entry["timestamp"]) == (hit["kind"], hit["timestamp"])
    assert [hit["kind"] for hit in found(client, "countCoins in:tool")] == ["toolCall", "toolResult"]
    assert [hit["kind"] for hit in found(client, "coins file:src/till.py tool:edit", order="newest")] == [
        "toolResult",
        "toolCall",
    ]


def test_sub_agents_are_sessions_of_their_own(client: Client) -> None:
    (hit,) = found(client, "pennies", types=["entry"])
    assert hit["id"] == f"{SESSION}/agent-abc"
    assert found(client, f"pennies session:{SESSION[:8]}", types=["entry"]) == [hit]


def test_plans_and_titles(client: Client, root: Path) -> None:
    document, task = (next(hit for hit in found(client, "pennies") if hit["type"] == type) for type in ("document", "task"))
    assert (document["path"], document["line"]) == (f"{root}/{PHASE_1}", 13)
    assert "description: All of them, also [pennies]" in shown(document)
    assert (task["title"], task["path"], task["line"]) == ("T1-001 Count the coins", f"{root}/{PHASE_1}", 11)
    assert shown(task) == "All of them, also [pennies]"
    first, *others = found(client, "checkout")
    assert first["type"] in ("document", "feature")
    assert first["score"] >= others[0]["score"] > 100
    assert {hit["type"] for hit in found(client, "in:title till")} == {"session", "feature", "document"}
    assert {hit["id"].rpartition("/")[2] for hit in found(client, f"in:doc file:{LOOSE}")} == {"loose.md", "loose.md#@1"}
    assert {hit["type"] for hit in found(client, "coins in:doc")} == {"document", "task"}
    assert {hit["type"] for hit in found(client, "checkout -in:doc -in:title")} <= {"entry"}


def test_a_note_is_found_once_it_is_written(client: Client) -> None:
    (feature,) = (hit for hit in found(client, "in:title checkout", types=["feature"]))
    entity = {"type": "feature", "id": feature["id"]}
    set = client.request("metadata/set", {"entity": entity, "key": "note", "value": "Ask ada about zlotys"})
    (hit,) = found(client, "zlotys", minRevision=set["revision"])
    assert (hit["type"], hit["id"], hit["noteOn"], hit["title"]) == ("note", feature["id"], "feature", "Checkout")
    assert shown(hit) == "Ask ada about [zlotys]"
    assert found(client, "in:note ada") == found(client, "in:note ada", types=["note"])
    assert found(client, "zlotys in:doc") == []


def test_what_is_written_is_found_soon(client: Client, log: Path, root: Path) -> None:
    writer = Writer(5)
    with log.open("ab") as file:
        file.write(write(writer.user("Now rename the kiosk", cwd=str(root))))
    (hit,) = wait_until(lambda: found(client, "kiosk"), "the new prompt")
    assert (hit["id"], hit["kind"]) == (SESSION, "prompt")
    (root / PRD).write_text("# Checkout\n\nNow with a kiosk.\n")
    wait_until(lambda: len(found(client, "kiosk")) == 2, "the new text of the plan")


def test_how_far_the_index_is(client: Client) -> None:
    answer = client.request("search/query", {"query": "coins", "facets": True, "limit": 2})
    assert answer["index"]["enabled"]
    assert answer["index"]["complete"]
    assert answer["index"]["entries"] == 6
    assert (answer["limit"], answer["totalExact"], len(answer["items"])) == (2, True, 2)
    assert answer["total"] == sum(value["count"] for value in answer["facets"]["types"])
    assert answer["revision"] == client.request("ccdash/status")["revision"]


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("query", {"query": "a (b"}),
    ("query", {"query": ""}),
    ("limit", {"query": "a", "limit": 101}),
    ("snippet", {"query": "a", "snippet": 39}),
    ("types[0]", {"query": "a", "types": ["bogus"]}),
    ("timeZone", {"query": "a", "timeZone": "Nowhere/Land"}),
    ("cursor", {"query": "a", "cursor": "x"}),
    ("order", {"query": "a", "order": "oldest"}),
    ("query", {}),
]


def test_wrong_questions(client: Client) -> None:
    for field, params in WRONG:
        with pytest.raises(RpcError) as caught:
            client.request("search/query", params)
        assert (caught.value.code, caught.value.data["field"]) == (-32602, field)


def test_without_an_index(log: Path, serve: Callable[..., Served]) -> None:
    with serve(text_index="false").client() as client, pytest.raises(RpcError, match="text_index is off") as caught:
        client.request("search/query", {"query": "coins"})
    assert caught.value.code == -32004
