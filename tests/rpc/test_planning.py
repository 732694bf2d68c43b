"""Documents, tasks and features over the wire: what files say, what hangs together, and what bad questions are answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ccdashd.store.schema import entity_links
from tests.helpers import Client, RpcError, wait_until
from tests.rpc.conftest import Served
from tests.sources.logs import OTHER, SESSION, USAGE, Writer, call, text, write
from tests.store import shop
from tests.store.shop import BROKEN, PHASE_1, PHASE_2, PLAN, PRD, QUICK

AGENT = "abc"
LOGS = ".claude/projects/-shop"


def work(root: Path, session: str) -> tuple[Writer, list[dict[str, Any]]]:
    """A command and a write, as the log of a session has them, or that of a fork of it."""
    writer = Writer(1)
    command = f"<command-name>/dev:execute-phase</command-name>\n<command-args>1 {PLAN}</command-args>"
    written = call("toolu_1", "Write", file_path=str(root / PHASE_1), content="x")
    place = {"cwd": str(root), "sessionId": session}
    records = [
        writer.user(command, **place),
        writer.assistant(written, id="msg_1", **place),
        writer.result("toolu_1", **place),
    ]
    return writer, records


def make_logs(folder: Path, root: Path) -> None:
    """A session that carries out a phase of the plan, and a sub-agent of it."""
    _, records = work(root, SESSION)
    agent = Writer(2)
    beside = {"cwd": str(root), "isSidechain": True, "agentId": AGENT}
    heard = [agent.user("Count", **beside), agent.assistant(text("Counted"), id="msg_2", **beside)]
    folder.mkdir(parents=True)
    (folder / f"{SESSION}.jsonl").write_bytes(write(*records))
    (folder / SESSION / "subagents").mkdir(parents=True)
    (folder / SESSION / "subagents" / f"agent-{AGENT}.jsonl").write_bytes(write(*heard))


@pytest.fixture
def served(short_folder: Path, serve: Callable[..., Served]) -> Served:
    """A daemon that read the shop once and notices no change by itself."""
    root = shop.write(short_folder / "shop")
    (root / ".git").mkdir()
    (root / "docs/out.md").symlink_to("/etc/hostname")
    make_logs(short_folder / LOGS, root)
    return serve(watch="off")


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with served.client() as client:
        wait_until(lambda: client.request("features/list", {"sort": "sessions"})["total"] == 2, "the planning files")
        yield client


@pytest.fixture
def root(short_folder: Path) -> Path:
    return short_folder / "shop"


def documents(client: Client, path: str, **asked: Any) -> Any:
    return client.request("documents/get", {"id": path, **asked})


def test_counts(client: Client) -> None:
    counts = client.request("ccdash/status")["counts"]
    assert {name: counts[name] for name in ("documents", "tasks", "features")} == {
        "documents": len(shop.FILES) + 1,
        "tasks": 8,
        "features": 2,
    }
    (project,) = client.request("projects/list")["items"]
    assert (project["documents"], project["features"], project["sessions"]) == (len(shop.FILES) + 1, 2, 1)
    assert client.request("projects/get", {"id": project["id"]}) == project


def test_a_document(client: Client, root: Path) -> None:
    found = documents(client, f"{root}/{PRD}")
    assert found["absolutePath"] == f"{root}/{PRD}"
    assert (found["rawStatus"], found["status"], found["statusLine"]) == ("in-progress", "in_progress", 4)
    assert (found["fileTags"], found["owners"], found["questions"]) == (["UI", "Payment"], ["ada"], ["Which coins?"])
    assert found["frontmatter"]["feature_slug"] == "checkout-v1"
    assert found["content"] is None
    assert [(ref["path"], ref["exists"], ref["documentId"] is not None) for ref in found["refs"]] == [
        (PLAN, True, True),
        ("docs/gone.md", False, False),
        ("docs/project_plans/PRDs/outside.md", False, False),
    ]
    phase = documents(client, PHASE_1)
    assert phase["tasks"] == {**dict.fromkeys(phase["tasks"], 0), "total": 2, "done": 1, "todo": 1}
    assert [item["code"] for item in phase["mismatches"]] == ["completed_with_open_tasks", "completed_tasks"]
    assert [(item["text"], item["met"]) for item in phase["criteria"]] == [("Sums are right", True)]
    (blocker,) = documents(client, PHASE_2)["blockers"]
    assert (blocker["title"], blocker["open"], blocker["tasks"], blocker["path"]) == (
        "No card reader",
        True,
        ["T2-001"],
        PHASE_2,
    )


def test_its_text_is_that_of_the_file(client: Client, root: Path) -> None:
    assert documents(client, PRD, content=True)["content"] == shop.FILES[PRD]
    (root / PRD).write_bytes(b"caf\xe9\n")
    assert documents(client, PRD, content=True)["content"] == "caf\ufffd\n"
    (root / PRD).unlink()
    gone = documents(client, PRD, content=True)
    assert (gone["content"], gone["title"]) == (None, "PRD: Checkout")


@pytest.mark.parametrize("way", ["the file", "a folder"])
def test_its_text_is_not_read_through_a_link_out_of_the_project(client: Client, root: Path, way: str) -> None:
    outside = shop.write(root.parent / "outside")
    moved = root / PRD if way == "the file" else root / "docs"
    moved.rename(root.parent / "moved")
    moved.symlink_to(outside / moved.relative_to(root))
    with pytest.raises(RpcError, match="leads out of the project") as caught:
        documents(client, PRD, content=True)
    assert caught.value.code == -32003
    assert documents(client, PRD)["content"] is None


def test_a_task(client: Client) -> None:
    notes = client.request("tasks/get", {"id": "T1-002"})
    coins, missing = notes["dependsOn"]
    assert (coins["id"], coins["title"], coins["status"], coins["missing"]) == (
        f"{notes['documentId']}#T1-001",
        "Count the coins",
        "done",
        False,
    )
    assert (missing["id"], missing["missing"]) == ("T9-999", True)
    assert [task["title"] for task in notes["blocks"]] == ["Pay"]
    coins = client.request("tasks/get", {"id": coins["id"]})
    assert [task["title"] for task in coins["blocks"]] == ["Count the notes"]
    assert coins["fields"]["assigned_to"] == ["ada", "bob"]
    assert coins["hash"] == documents(client, PHASE_1)["hash"]
    opened = client.request("tasks/get", {"id": "@1", "feature": "empty-till"})
    (key,) = opened["children"]
    assert client.request("tasks/get", {"id": key})["parentId"] == opened["id"]


def test_a_feature_with_its_work(client: Client) -> None:
    feature = client.request("features/get", {"id": "checkout"})
    assert (feature["status"], feature["rawStatus"], feature["holder"]) == (
        "in_progress",
        "in-progress",
        f"{feature['projectId']}/{PRD}",
    )
    assert [document["path"] for document in feature["documents"]] == sorted([PRD, PLAN, PHASE_1, PHASE_2])
    assert [(phase["phase"], phase["status"], phase["path"]) for phase in feature["phases"]] == [
        ("1", "done", PHASE_1),
        ("2", "in_progress", PHASE_2),
        ("3", "todo", PLAN),
    ]
    assert feature["phases"][0]["tasks"]["total"] == 2
    (linked,) = feature["sessions"]
    assert (linked["session"]["id"], feature["sessionsTotal"]) == (SESSION, 1)
    assert linked["confidence"] >= 0.9
    assert {"command", "write"} <= set(linked["signals"])
    one = client.request("sessions/get", {"id": SESSION})
    (agent,) = client.request("sessions/list", {"parent": SESSION})["items"]
    both = {kind: number + agent["tokens"][kind] for kind, number in one["tokens"].items()}
    assert feature["tokens"] == linked["tokens"] == both != one["tokens"]
    # Two messages of 3 + 5 + 7 + 4 + 7 tokens: by kind $5, $25, $0.50, $6.25 and $10 per million.
    assert feature["cost"] == linked["cost"] == {"usd": 0.000477, "provenance": "computed", "unpricedModels": []}
    assert feature["seconds"] == one["duration"] > 0
    shown = {document["id"] for document in feature["documents"]} | {phase["id"] for phase in feature["phases"]}
    assert not [entity for entity in feature["related"] if entity["id"] in shown or entity["type"] == "session"]
    (row,) = client.request("features/list", {"text": "checkout"})["items"]
    assert row["sessions"] == 1


def test_messages_that_a_fork_repeats_count_once(client: Client, short_folder: Path, root: Path) -> None:
    writer, records = work(root, OTHER)
    records.append(writer.assistant(text("More"), id="msg_3", cwd=str(root), sessionId=OTHER))
    (short_folder / LOGS / f"{OTHER}.jsonl").write_bytes(write(*records))
    before = client.request("features/get", {"id": "checkout"})
    client.request("cache/rescan")
    feature = client.request("features/get", {"id": "checkout"})
    assert sorted(linked["session"]["id"] for linked in feature["sessions"]) == [SESSION, OTHER]
    assert before["tokens"]["output"] == 2 * USAGE["output_tokens"]
    assert feature["tokens"]["output"] == 3 * USAGE["output_tokens"]
    assert sum(linked["tokens"]["output"] for linked in feature["sessions"]) == feature["tokens"]["output"]
    assert (before["cost"]["usd"], feature["cost"]["usd"]) == (0.000477, 0.000716), "$0.0002385 each"


def test_sessions_know_their_features(client: Client) -> None:
    for slug, sessions in (("checkout", [SESSION]), ("empty-till", [])):
        found = client.request("sessions/list", {"feature": slug})
        assert [row["id"] for row in found["items"]] == sessions
    feature = client.request("features/get", {"id": "checkout"})
    related = client.request("sessions/get", {"id": SESSION})["related"]
    assert feature["id"] in {entity["id"] for entity in related}
    assert {entity["type"] for entity in related} <= {"feature", "task", "document", "commit"}


def test_a_dismissed_link_is_shown_nowhere(served: Served, client: Client) -> None:
    feature = client.request("features/get", {"id": "checkout"})

    def found(connection: sa.Connection, _: int) -> list[str]:
        link = entity_links.c
        ends = (link.source_id == SESSION, link.target_id == feature["id"])
        return list(connection.execute(sa.select(link.id).where(*ends)).scalars())

    for id in served.do(lambda: served.app.database.read(found)):
        client.request("links/dismiss", {"id": id})
    feature = client.request("features/get", {"id": feature["id"]})
    assert (feature["sessions"], feature["sessionsTotal"], feature["seconds"]) == ([], 0, 0)
    assert set(feature["tokens"].values()) == {0}
    assert feature["cost"] is None
    assert client.request("sessions/list", {"feature": feature["id"]})["items"] == []
    related = client.request("sessions/get", {"id": SESSION})["related"]
    assert feature["id"] not in {entity["id"] for entity in related}


def test_a_link_made_by_hand_is_the_surest(client: Client) -> None:
    feature = client.request("features/get", {"id": "empty-till"})
    ends = [{"type": "feature", "id": feature["id"]}, {"type": "session", "id": SESSION}]
    client.request("links/create", {"source": ends[0], "target": ends[1]})
    (linked,) = client.request("features/get", {"id": feature["id"]})["sessions"]
    assert (linked["session"]["id"], linked["confidence"], linked["signals"]) == (SESSION, 1.0, ["manual"])
    assert [row["id"] for row in client.request("sessions/list", {"feature": "empty-till"})["items"]] == [SESSION]
    assert client.request("sessions/get", {"id": SESSION})["related"][0]["id"] == feature["id"]
    assert client.request("features/list", {"sort": "sessions"})["items"][0]["sessions"] == 1


def test_what_the_user_says_is_shown_with_each(client: Client) -> None:
    ids = {
        "documents": documents(client, PRD)["id"],
        "tasks": client.request("tasks/get", {"id": "T2-001"})["id"],
        "features": client.request("features/get", {"id": "checkout"})["id"],
        "sessions": SESSION,
    }
    for namespace, id in ids.items():
        entity = {"type": namespace.removesuffix("s"), "id": id}
        client.request("tags/add", {"name": "Later", "entity": entity})
        client.request("metadata/set", {"entity": entity, "key": "note", "value": namespace})
        client.request("externalLinks/create", {"entity": entity, "url": f"https://example.org/{namespace}"})
        found = client.request(f"{namespace}/get", {"id": id})
        assert (found["tags"], found["metadata"]) == (["Later"], {"note": namespace})
        assert [link["url"] for link in found["externalLinks"]] == [f"https://example.org/{namespace}"]
        assert [row["id"] for row in client.request(f"{namespace}/list", {"tag": "later"})["items"]] == [id]


def test_what_plans_say_of_a_file(client: Client, root: Path) -> None:
    named = client.request("files/context", {"path": "src/till.py", "cwd": str(root)})
    assert named["document"] is None
    assert PRD in [document["path"] for document in named["documents"]]
    assert [task["title"] for task in named["tasks"]] == ["Count the coins"]
    assert [feature["slug"] for feature in named["features"]] == ["checkout"]
    own = client.request("files/context", {"path": f"{root}/{PHASE_2}"})
    assert own["document"]["path"] == PHASE_2
    assert PHASE_2 not in [document["path"] for document in own["documents"]]
    assert [task["title"] for task in own["tasks"]][:2] == ["Pay", "The same id again"]
    written = client.request("files/context", {"path": f"{root}/{PHASE_1}", "limit": 1})
    assert [touch["session"]["id"] for touch in written["sessions"]] == [SESSION]
    assert len(written["tasks"]) == 1
    nothing = client.request("files/context", {"path": "/nowhere/at/all"})
    assert not any(nothing[name] for name in ("document", "documents", "tasks", "features", "sessions"))


def test_the_doctor_tells_what_was_not_understood_and_where(client: Client, root: Path) -> None:
    report = client.request("ccdash/doctor", {"path": str(root)})
    broken = [finding for finding in report["diagnostics"] if finding["path"] == f"{root}/{BROKEN}"]
    assert {finding["line"] for finding in broken} == {4, 5}
    assert all(finding["message"] and finding["hint"] for finding in broken)
    assert documents(client, BROKEN)["diagnostics"] == sorted(broken, key=lambda finding: finding["line"])
    (unread,) = [finding for finding in report["diagnostics"] if finding["code"] == "unreadable"]
    assert (unread["path"], unread["severity"]) == (f"{root}/docs/out.md", "error")
    assert "leads out of the project" in unread["message"]
    assert report["total"] == len(report["diagnostics"]) == len(broken) + 1


BAD: list[tuple[dict[str, Any], str]] = [
    ({"limit": 0}, "limit"),
    ({"limit": 501}, "limit"),
    ({"offset": -1}, "offset"),
    ({"offset": 2**60}, "offset"),
    ({"sort": "age"}, "sort"),
    ({"order": "up"}, "order"),
    ({"status": ["finished"]}, "status[0]"),
    ({"status": "done"}, "status"),
    ({"cursor": "x"}, "cursor"),
    ({"project": 5}, "project"),
    ({"text": ["a"]}, "text"),
    ({"colour": "red"}, "colour"),
]
NOBODY = ("", "nothing", "/", "#", "\0", "x" * 100_000, "%", "nothing/docs/a.md#1")


@pytest.mark.parametrize("namespace", ["documents", "tasks", "features"])
def test_bad_questions(client: Client, namespace: str) -> None:
    for asked, field in BAD:
        with pytest.raises(RpcError) as caught:
            client.request(f"{namespace}/list", asked)
        assert (caught.value.code, caught.value.data["field"]) == (-32602, field)
    for one in ({}, {"id": None}, {"id": ["x"]}, {"id": "x", "content": "yes"}, {"id": "x", "feature": 1}):
        with pytest.raises(RpcError) as caught:
            client.request(f"{namespace}/get", one)
        assert caught.value.code == -32602
    for id in NOBODY:
        with pytest.raises(RpcError, match=f"see {namespace}/list") as caught:
            client.request(f"{namespace}/get", {"id": id})
        assert caught.value.code == -32001


def test_trees(client: Client) -> None:
    (project,) = client.request("projects/list")["items"]
    (whole,) = client.request("documents/tree")["items"]
    assert (whole["type"], whole["id"]) == ("project", project["id"])
    assert whole["children"] == client.request("documents/tree", {"project": project["id"]})["items"]
    (feature,) = client.request("tasks/tree", {"document": QUICK})["items"]
    assert [task["title"] for task in feature["children"]] == ["Open it", "Count it"]
    assert client.request("features/tree", {"id": "empty-till"})["items"] == [feature]
    for method, asked in (
        ("documents/tree", {"project": "nowhere"}),
        ("tasks/tree", {"feature": "nothing"}),
        ("tasks/tree", {"document": "nothing"}),
        ("features/tree", {"id": "nothing"}),
    ):
        with pytest.raises(RpcError) as caught:
            client.request(method, asked)
        assert caught.value.code == -32001
