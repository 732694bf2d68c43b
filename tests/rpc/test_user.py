"""What the user says of entities, over the wire: links, links to the web, tags, metadata; and that none of it gets lost."""

from __future__ import annotations

import json
import resource
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ccdashd.derive.links import Key
from ccdashd.store.schema import entity_links
from tests.helpers import Client, Daemon, RpcError, file_system, wait_until
from tests.rpc.conftest import Served

SESSION = "5f3c1d9e-0000-4000-8000-000000000001"
OTHER = "5f3c1d9e-0000-4000-8000-000000000002"
PRD = "docs/project_plans/PRDs/till.md"
PROGRESS = ".claude/progress/till/phase-1-progress.md"
TYPES = ("session", "project", "document", "task", "feature", "phase", "file", "commit")

Ref = dict[str, str]


def make_shop(home: Path) -> Path:
    """A project with planning files, and two sessions that ran in it; returns its root."""
    root = home / "work/shop"
    (root / ".git").mkdir(parents=True)
    for path, text in (
        (PRD, "---\ntitle: Till\ndoc_type: prd\nstatus: draft\n---\n# Till\n"),
        (PROGRESS, "---\nprd: till\nphase: 1\nstatus: pending\ntasks:\n- {id: T-1, title: Open, status: pending}\n---\n"),
    ):
        (root / path).parent.mkdir(parents=True)
        (root / path).write_text(text)
    logs = home / ".claude/projects/-work-shop"
    logs.mkdir(parents=True)
    for session in (SESSION, OTHER):
        record = {"type": "user", "uuid": session, "sessionId": session, "cwd": str(root), "parentUuid": None}
        record |= {"timestamp": "2026-02-03T04:05:06.000Z", "message": {"role": "user", "content": "Fix the till"}}
        (logs / f"{session}.jsonl").write_text(json.dumps(record) + "\n")
    return root


def refs(client: Client) -> dict[str, Ref]:
    """An entity of each type, as soon as all are known."""
    wait_until(lambda: client.request("documents/list")["total"] == 2, "the planning files")
    (project,) = client.request("projects/list")["items"]
    (task,) = client.request("tasks/list")["items"]
    (feature,) = client.request("features/list")["items"]
    ids = {
        "session": SESSION,
        "project": project["id"],
        "document": f"{project['id']}/{PRD}",
        "task": task["id"],
        "feature": feature["id"],
        "phase": f"{project['id']}/{PROGRESS}#phase-1",
        "file": f"{project['root']}/src/till.py",
        "commit": f"{project['id']}/1234567",
    }
    return {type: {"type": type, "id": id} for type, id in ids.items()}


@pytest.fixture
def client(
    short_folder: Path, serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Served, Client, dict[str, Ref]]]:
    """A daemon that knows one entity of each type, and a client of it."""
    monkeypatch.setenv("HOME", str(short_folder))
    make_shop(short_folder)
    served = serve()
    with served.client() as client:
        yield served, client, refs(client)


Shop = tuple[Served, Client, dict[str, Ref]]


def say_all(client: Client, of: dict[str, Ref]) -> None:
    """Say something of every kind of every entity."""
    client.request("tags/create", {"name": "Kept", "color": "teal"})
    for type, ref in of.items():
        client.request("tags/add", {"name": "kept", "entity": ref})
        client.request("tags/add", {"name": f"of {type}", "entity": ref})
        client.request("metadata/set", {"entity": ref, "key": "note", "value": f"A note\non a {type} ☂"})
        client.request("metadata/set", {"entity": ref, "key": "rating", "value": 4})
        client.request("metadata/set", {"entity": ref, "key": "x.y", "value": {"deep": [1, 2.5, None, True]}})
        client.request("externalLinks/create", {"entity": ref, "url": f"https://example.com/{type}"})
        if type != "session":
            client.request("links/create", {"source": of["session"], "target": ref, "note": type})
            client.request("links/create", {"source": ref, "target": of["session"], "linkType": "implements"})
    client.request("tags/rename", {"name": "of task", "newName": "task"})
    client.request("tags/remove", {"name": "kept", "entity": of["file"]})
    client.request("metadata/set", {"entity": of["file"], "key": "rating"})


def told(client: Client, of: dict[str, Ref]) -> dict[str, Any]:
    """All that was said, as clients are told."""
    answers: dict[str, Any] = {"tags": client.request("tags/list")["items"]}
    for type, ref in of.items():
        answers[type] = {
            "tags": client.request("tags/list", ref)["items"],
            "values": client.request("metadata/get", {"entity": ref})["values"],
            "web": client.request("externalLinks/list", ref)["items"],
        }
    return answers


def without_home(answers: Any, daemon: Daemon) -> Any:
    """The same, with what differs from one home to another left out."""
    (project,) = daemon_projects(daemon)
    text = json.dumps(answers).replace(project, "PROJECT").replace(str(daemon.home), "HOME")
    return drop_ids(json.loads(text))


def drop_ids(answers: Any) -> Any:
    if isinstance(answers, dict):
        return {key: drop_ids(value) for key, value in answers.items() if key != "id" or "url" not in answers}
    return [drop_ids(value) for value in answers] if isinstance(answers, list) else answers


def daemon_projects(daemon: Daemon) -> list[str]:
    with daemon.client() as client:
        return [project["id"] for project in client.request("projects/list")["items"]]


def user_links(daemon: Daemon) -> list[tuple[Any, ...]]:
    engine = sa.create_engine(f"sqlite:///{daemon.paths.database}")
    with engine.connect() as connection:
        rows = [tuple(row) for row in connection.exec_driver_sql("SELECT * FROM user_links ORDER BY id")]
    engine.dispose()
    return rows


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


# --- it does not get lost ---


def test_all_that_was_said_survives_the_loss_of_the_cache(idle_daemon: Daemon) -> None:
    make_shop(idle_daemon.home)
    idle_daemon.start()
    with idle_daemon.client() as client:
        of = refs(client)
        say_all(client, of)
        before = told(client, of)
    links = user_links(idle_daemon)
    assert len(links) == 2 * (len(TYPES) - 1)
    assert before["session"]["values"] == {
        "note": "A note\non a session ☂",
        "rating": 4,
        "x.y": {"deep": [1, 2.5, None, True]},
    }
    assert before["file"]["values"].keys() == {"note", "x.y"}
    assert before["tags"][0] == {"name": "Kept", "color": "#008080", "count": len(TYPES) - 1}
    for number in (9, 15):
        idle_daemon.kill(number)
        for path in idle_daemon.paths.cache_dir.glob("cache.db*"):
            path.unlink()
        idle_daemon.start()
        with idle_daemon.client() as client:
            assert told(client, refs(client)) == before
        assert user_links(idle_daemon) == links


def test_a_copied_journal_brings_it_all_to_another_home(idle_daemon: Daemon, short_folder: Path) -> None:
    (short_folder / "away").mkdir()
    away = Daemon(short_folder / "away")
    for daemon in (idle_daemon, away):
        make_shop(daemon.home)
        daemon.start()
    try:
        with idle_daemon.client() as client:
            of = refs(client)
            say_all(client, of)
            expected = without_home(told(client, of), idle_daemon)
        assert str(idle_daemon.home) not in idle_daemon.paths.journal.read_text()
        with away.client() as client:
            of = refs(client)
            client.request("tags/add", {"name": "lost", "entity": of["session"]})
            client.request("ccdash/subscribe", {"topics": ["tags"]})
            # Under the feet of the daemon: it is noticed with the next decision.
            shutil.copy(idle_daemon.paths.journal, away.paths.journal)
            client.request("tags/delete", {"name": "of phase"})
            changes = {change["id"]: change["op"] for change in client.notification("ccdash/changed")["changes"]}
            assert (changes["Kept"], changes["lost"], changes["of phase"]) == ("upsert", "delete", "delete")
            answers = without_home(told(client, of), away)
        expected["tags"] = [tag for tag in expected["tags"] if tag["name"] != "of phase"]
        expected["phase"]["tags"] = [tag for tag in expected["phase"]["tags"] if tag["name"] != "of phase"]
        assert answers == expected
        assert len(user_links(away)) == 2 * (len(TYPES) - 1)
    finally:
        away.close()


def test_a_torn_line_costs_only_what_was_never_acknowledged(idle_daemon: Daemon) -> None:
    make_shop(idle_daemon.home)
    idle_daemon.start()
    journal = idle_daemon.paths.journal
    with idle_daemon.client() as client:
        of = refs(client)
        client.request("tags/add", {"name": "a", "entity": of["task"]})
        assert idle_daemon.kill() == -9
    with journal.open("ab") as file:
        file.write(b'{"type":"tag","op":"delete","na')
    idle_daemon.start()
    with idle_daemon.client() as client:
        of = refs(client)
        answer = client.request("tags/add", {"name": "b", "entity": of["task"]})
        assert [tag["name"] for tag in answer["items"]] == ["a", "b"]
        with journal.open("ab") as file:
            file.write(b'{"type":"tag","op":"delete","name":"A"}')  # by hand, and not even ended
        answer = client.request("tags/add", {"name": "c", "entity": of["task"]})
        assert [tag["name"] for tag in answer["items"]] == ["b", "c"]


def test_what_many_clients_say_at_once_is_all_there(client: Shop) -> None:
    served, _, of = client
    failures: list[BaseException] = []

    def talk(number: int) -> None:
        try:
            with served.client() as client:
                for turn in range(5):
                    client.request("tags/add", {"name": f"tag {turn}", "entity": of["feature"]})
                    client.request("metadata/set", {"entity": of["task"], "key": f"k{number}.{turn}", "value": turn})
                    client.request("links/create", {"source": of["session"], "target": of["task"], "note": "n"})
                    client.request("externalLinks/create", {"entity": of["file"], "url": f"https://a.org/{number}"})
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    _, one, _ = client
    answers = told(one, of)
    assert [tag["name"] for tag in answers["feature"]["tags"]] == [f"tag {turn}" for turn in range(5)]
    assert len(answers["task"]["values"]) == 30
    assert len(answers["file"]["web"]) == 6
    # Each thing was said once, however many said it.
    assert len(lines(served.paths.journal)) == 5 + 30 + 6 + 1


def test_of_two_links_that_close_a_circle_one_is_refused(client: Shop) -> None:
    served, _, of = client
    answers: list[str] = []

    def link(source: str, target: str) -> None:
        with served.client() as client:
            params = {"source": of[source], "target": of[target], "linkType": "child"}
            try:
                answers.append(client.request("links/create", params)["origin"])
            except RpcError as error:
                answers.append(error.message)

    pairs = [("document", "task"), ("task", "feature"), ("feature", "document")]
    threads = [threading.Thread(target=link, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count("manual") == 2
    assert sum("would be a parent of itself" in answer for answer in answers) == 1


@pytest.mark.parametrize(
    ("room", "words"), [(0, "nothing was changed"), (10, "nothing was changed"), (5_000, "the cache cannot be written now")]
)
def test_nothing_is_decided_where_there_is_no_room(idle_daemon: Daemon, room: int, words: str) -> None:
    """Without room for a line of the journal, and with room for it alone, so that the cache fails after it."""
    make_shop(idle_daemon.home)
    idle_daemon.start()
    journal = idle_daemon.paths.journal
    with idle_daemon.client() as client:
        of = refs(client)
        client.request("tags/add", {"name": "a", "entity": of["task"]})
        before, answers = journal.read_bytes(), told(client, of)
        pid = idle_daemon.process.pid
        assert idle_daemon.paths.database.with_name("cache.db-wal").stat().st_size > len(before) + room
        soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (len(before) + room, hard))
        for method, params in (
            ("tags/add", {"name": "b", "entity": of["task"]}),
            ("metadata/set", {"entity": of["task"], "key": "note", "value": "x"}),
        ):
            with pytest.raises(RpcError) as caught:
                client.request(method, params)
            assert caught.value.code == -32004
            assert words in caught.value.message
        assert journal.read_bytes() == before
        assert told(client, of) == answers
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
        answer = client.request("tags/add", {"name": "c", "entity": of["task"]})
        assert [tag["name"] for tag in answer["items"]] == ["a", "c"]
    assert journal.read_bytes().startswith(before)
    assert [line["name"] for line in lines(journal)] == ["a", "c"]


@pytest.fixture
def mounted(short_folder: Path) -> Iterator[Callable[[str], None]]:
    """A small file system of its own at ``m``; called with mount options, mounts it anew."""
    with file_system(short_folder / "m", "64k") as remount:
        yield remount


def test_a_full_or_read_only_disk_below_the_journal(
    idle_daemon: Daemon, short_folder: Path, mounted: Callable[[str], None]
) -> None:
    make_shop(idle_daemon.home)
    idle_daemon.start(environ={"CCDASH_DATA_DIR": str(short_folder / "m")})
    journal = short_folder / "m/ccdash/journal.jsonl"
    with idle_daemon.client() as client:
        of = refs(client)

        def refused(code: int, words: str) -> None:
            before = journal.read_bytes()
            with pytest.raises(RpcError, match=f"could not be written to the journal: {words}") as caught:
                client.request("metadata/set", {"entity": of["task"], "key": "note", "value": "x" * 5000})
            assert (caught.value.code, str(journal) in caught.value.message) == (code, False)
            assert journal.read_bytes() == before
            assert client.request("metadata/get", {"entity": of["task"]})["values"] == {}

        client.request("tags/add", {"name": "a", "entity": of["task"]})
        with suppress(OSError), (short_folder / "m/full").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        refused(-32004, "No space left")
        (short_folder / "m/full").unlink()
        mounted("ro")
        refused(-32003, "Read-only file system")
        mounted("rw")
        client.request("metadata/set", {"entity": of["task"], "key": "note", "value": "x"})
    assert [line["type"] for line in lines(journal)] == ["tagged", "metadata"]


# --- links ---


def test_links_are_made_once_and_removed(client: Shop) -> None:
    served, client_, of = client
    made = client_.request("links/create", {"source": of["session"], "target": of["feature"], "note": "why"})
    assert (made["source"]["id"], made["target"]["title"], made["linkType"]) == (SESSION, "Till", "related")
    assert (made["origin"], made["confidence"], made["dismissed"], made["note"]) == ("manual", 1.0, False, "why")
    assert made["createdAt"]
    again = client_.request("links/create", {"source": of["session"], "target": of["feature"]})
    back = client_.request("links/create", {"source": of["feature"], "target": of["session"]})
    assert made == again == back
    other = client_.request("links/create", {"source": of["feature"], "target": of["session"], "note": "better"})
    assert (other["id"], other["note"]) == (made["id"], "better")
    parent = client_.request("links/create", {"source": of["task"], "target": of["feature"], "linkType": "parent"})
    assert (parent["source"]["type"], parent["target"]["type"], parent["linkType"]) == ("feature", "task", "child")
    assert client_.request("links/delete", {"id": made["id"]})["ok"] is True
    with pytest.raises(RpcError, match="no link") as caught:
        client_.request("links/delete", {"id": made["id"]})
    assert caught.value.code == -32001
    assert [line["op"] for line in lines(served.paths.journal)] == ["make", "make", "make", "remove"]


def test_links_that_were_found_are_dismissed_and_restored(client: Shop) -> None:
    served, client_, of = client
    key = Key("session", SESSION, "feature", of["feature"]["id"], "implements")
    values = {**key._asdict(), "id": key.id, "owner": "session:x", "confidence": 0.75, "signals": "command,read"}

    async def find() -> None:
        insert = sa.insert(entity_links).values(**values, sort_order=0, evidence=b"[]")
        await served.app.database.write(lambda connection: connection.execute(insert) and None)

    served.do(find)
    with pytest.raises(RpcError, match="was found, not made by hand; use links/dismiss"):
        client_.request("links/delete", {"id": key.id})
    for _ in range(2):
        link = client_.request("links/dismiss", {"id": key.id})
        assert (link["origin"], link["dismissed"], link["confidence"]) == ("auto", True, 0.75)
        assert link["signals"] == ["command", "read"]
    with pytest.raises(RpcError, match="use links/dismiss"):
        client_.request("links/delete", {"id": key.id})
    for _ in range(2):
        assert client_.request("links/dismiss", {"id": key.id, "undo": True})["dismissed"] is False
    assert [line["op"] for line in lines(served.paths.journal)] == ["dismiss", "restore"]
    params = {"source": of["session"], "target": of["feature"], "linkType": "implements"}
    assert client_.request("links/create", params)["id"] == key.id
    with pytest.raises(RpcError, match="was made by hand, not found; use links/delete"):
        client_.request("links/dismiss", {"id": key.id})


def test_a_feature_counts_the_sessions_that_are_linked_by_hand(client: Shop) -> None:
    _, client_, of = client
    params = {"source": of["feature"], "target": {"type": "session", "id": OTHER}}

    def sessions() -> int:
        (feature,) = client_.request("features/list")["items"]
        number: int = feature["sessions"]
        return number

    before = sessions()
    made = client_.request("links/create", params)
    assert sessions() == before + 1
    client_.request("links/delete", {"id": made["id"]})
    assert sessions() == before


def test_a_dismissal_is_taken_back_also_where_the_link_is_not_found_any_more(client: Shop) -> None:
    served, client_, of = client
    key = Key("session", SESSION, "feature", of["feature"]["id"], "blocks")
    line = {
        "type": "link",
        "op": "dismiss",
        "source": {"type": "session", "key": SESSION},
        "target": {"type": "feature", "root": "~/work/shop", "key": "till"},
        "link_type": "blocks",
    }
    served.paths.journal.parent.mkdir(parents=True, exist_ok=True)
    served.paths.journal.write_text(json.dumps(line) + "\n")
    answer = client_.request("links/dismiss", {"id": key.id, "undo": True})
    assert (answer["dismissed"], answer["confidence"], answer["signals"]) == (False, 0.0, [])
    with pytest.raises(RpcError, match="no link"):
        client_.request("links/dismiss", {"id": key.id, "undo": True})


def test_a_circle_of_children_is_named(client: Shop) -> None:
    _, client_, of = client
    for source, target in (("feature", "document"), ("document", "task")):
        client_.request("links/create", {"source": of[source], "target": of[target], "linkType": "child"})
    with pytest.raises(RpcError) as caught:
        client_.request("links/create", {"source": of["feature"], "target": of["task"], "linkType": "parent"})
    assert caught.value.code == -32602
    assert caught.value.message == (
        "target: would be a parent of itself: feature 'Till' → phase 'Phase 1: progress' → task 'Open' → feature 'Till'"
    )


# --- tags, links to the web, metadata ---


def test_tags_are_spelled_as_they_were_first(client: Shop) -> None:
    served, client_, of = client
    assert client_.request("tags/create", {"name": " Straße ", "color": "#ABC"}) == {
        "name": "Straße",
        "color": "#aabbcc",
        "count": 0,
    }
    assert client_.request("tags/create", {"name": "STRASSE"})["color"] == "#aabbcc"
    assert client_.request("tags/create", {"name": "STRASSE", "color": "Red"})["name"] == "Straße"
    for name in ("strasse", "straße", "b"):
        answer = client_.request("tags/add", {"name": name, "entity": of["task"]})
    assert [(tag["name"], tag["count"]) for tag in answer["items"]] == [("b", 1), ("Straße", 1)]
    answer = client_.request("tags/remove", {"name": "STRASSE", "entity": of["task"]})
    assert [tag["name"] for tag in answer["items"]] == ["b"]
    assert client_.request("tags/remove", {"name": "STRASSE", "entity": of["task"]})["items"] == answer["items"]
    assert client_.request("tags/rename", {"name": "B", "newName": "STRASSE"}) == {
        "name": "Straße",
        "color": "#ff0000",
        "count": 1,
    }
    assert client_.request("tags/rename", {"name": "strasse", "newName": "strasse"})["name"] == "strasse"
    assert client_.request("tags/delete", {"name": "STRASSE"})["ok"] is True
    assert client_.request("tags/list")["items"] == client_.request("tags/list", of["task"])["items"] == []
    ops = [line["op"] for line in lines(served.paths.journal)]
    assert ops == ["set", "set", "add", "add", "remove", "rename", "rename", "delete"]


def test_a_second_link_to_a_url_takes_the_place_of_the_first(client: Shop) -> None:
    served, client_, of = client
    url = "https://github.com/o/r/pull/42"
    first = client_.request("externalLinks/create", {"entity": of["task"], "url": f" {url} "})
    assert (first["url"], first["label"], first["category"]) == (url, "GitHub PR #42", "vcs")
    assert client_.request("externalLinks/create", {"entity": of["task"], "url": url}) == first
    second = client_.request("externalLinks/create", {"entity": of["task"], "url": url, "label": "The PR"})
    third = client_.request("externalLinks/create", {"entity": of["task"], "url": url, "category": "ci"})
    assert (second["id"], second["label"], second["category"]) == (first["id"], "The PR", "vcs")
    assert (third["label"], third["category"]) == ("The PR", "ci")
    other = client_.request("externalLinks/create", {"entity": of["feature"], "url": url})
    page = client_.request("externalLinks/list")
    assert ([link["id"] for link in page["items"]], page["total"]) == ([third["id"], other["id"]], 2)
    assert client_.request("externalLinks/list", {"category": "ci", **of["task"]})["items"] == [third]
    client_.request("externalLinks/delete", {"id": first["id"]})
    with pytest.raises(RpcError, match="no external link"):
        client_.request("externalLinks/delete", {"id": first["id"]})
    assert [line["op"] for line in lines(served.paths.journal)] == ["create", "create", "create", "create", "delete"]


def test_values_are_set_and_removed(client: Shop) -> None:
    served, client_, of = client
    task = {"entity": of["task"]}
    for value in (1, 5):
        assert client_.request("metadata/set", {**task, "key": "friction", "value": value})["values"] == {"friction": value}
    largest = "é" * (128 * 1024)
    assert client_.request("metadata/set", {**task, "key": "note", "value": largest})["values"]["note"] == largest
    assert client_.request("metadata/set", {**task, "key": "note", "value": largest})["values"]["note"] == largest
    deep = {"a": nested(99), "b": 10**30}
    assert client_.request("metadata/set", {**task, "key": "deep", "value": deep})["values"]["deep"] == deep
    client_.request("metadata/set", {**task, "key": "deep"})
    assert client_.request("metadata/get", {**task, "key": "friction"})["values"] == {"friction": 5}
    assert client_.request("metadata/get", {**task, "key": "other"})["values"] == {}
    assert client_.request("metadata/set", {**task, "key": "note"})["values"] == {"friction": 5}
    assert client_.request("metadata/set", {**task, "key": "note"})["values"] == {"friction": 5}
    assert len(lines(served.paths.journal)) == 6


def test_what_was_said_of_something_that_is_gone_can_be_taken_back(client: Shop, short_folder: Path) -> None:
    _, client_, of = client
    task = of["task"]
    client_.request("tags/add", {"name": "a", "entity": task})
    client_.request("metadata/set", {"entity": task, "key": "note", "value": "x"})
    web = client_.request("externalLinks/create", {"entity": task, "url": "https://a.org"})
    link = client_.request("links/create", {"source": of["session"], "target": task})
    (short_folder / "work/shop" / PROGRESS).unlink()
    wait_until(lambda: client_.request("documents/list")["total"] == 1, "the file gone")
    assert [tag["name"] for tag in client_.request("tags/list", task)["items"]] == ["a"]
    for method, params in (
        ("tags/add", {"name": "b", "entity": task}),
        ("metadata/set", {"entity": task, "key": "note", "value": "y"}),
        ("externalLinks/create", {"entity": task, "url": "https://b.org"}),
        ("links/create", {"source": task, "target": of["session"], "linkType": "blocks"}),
    ):
        with pytest.raises(RpcError, match="no task"):
            client_.request(method, params)
    assert client_.request("tags/remove", {"name": "a", "entity": task})["items"] == []
    assert client_.request("metadata/set", {"entity": task, "key": "note"})["values"] == {}
    client_.request("externalLinks/delete", {"id": web["id"]})
    client_.request("links/delete", {"id": link["id"]})
    for method, params in (("tags/list", task), ("metadata/get", {"entity": task}), ("externalLinks/list", task)):
        with pytest.raises(RpcError, match="no task"):
            client_.request(method, params)


def test_subscribers_are_told(client: Shop) -> None:
    _, client_, of = client
    client_.request("ccdash/subscribe", {"topics": ["links", "tags", "tasks", "sessions"]})
    project = of["project"]["id"]

    def after(method: str, params: dict[str, Any]) -> set[tuple[str, str, str]]:
        answer = client_.request(method, params)
        told = client_.notification("ccdash/changed")
        assert answer.get("revision", told["revision"]) == told["revision"]
        links.append(answer.get("id", ""))
        return {(change["type"], change["id"].removeprefix(f"{project}/"), change["op"]) for change in told["changes"]}

    links: list[str] = []
    task = f"{PROGRESS}#T-1"
    made = after("links/create", {"source": of["session"], "target": of["task"]})
    (id,) = links
    assert made == {("session", SESSION, "upsert"), ("task", task, "upsert"), ("link", id, "upsert")}
    assert after("links/delete", {"id": id}) == {
        ("session", SESSION, "upsert"),
        ("task", task, "upsert"),
        ("link", id, "delete"),
    }
    assert after("tags/add", {"name": "a", "entity": of["task"]}) == {("tag", "a", "upsert"), ("task", task, "upsert")}
    assert after("tags/rename", {"name": "a", "newName": "b"}) == {
        ("tag", "a", "delete"),
        ("tag", "b", "upsert"),
        ("task", task, "upsert"),
    }
    assert after("metadata/set", {"entity": of["task"], "key": "k", "value": 1}) == {("task", task, "upsert")}
    assert after("externalLinks/create", {"entity": of["task"], "url": "https://a.org"}) == {("task", task, "upsert")}
    assert after("tags/delete", {"name": "b"}) == {("tag", "b", "delete"), ("task", task, "upsert")}


# --- what cannot be ---

MEGABYTE = "x" * 1_000_000


def nested(depth: int) -> Any:
    """Lists and objects within each other."""
    value: Any = {}
    for _ in range(depth - 1):
        value = [{"x": 1}, value]
    return value


BAD: list[tuple[str, dict[str, Any], int, str]] = [
    (
        "links/create",
        {"source": "@task", "target": "@task"},
        -32602,
        "target: is the source itself; a link needs two entities",
    ),
    ("links/create", {"source": "@task", "target": "@file", "linkType": "knows"}, -32602, "linkType: must be one of"),
    (
        "links/create",
        {"source": "@task", "target": "@file", "note": MEGABYTE},
        -32602,
        "note: has 1,000,000 bytes; at most 65,536",
    ),
    (
        "links/create",
        {"source": "@task", "target": {"type": "task", "id": "x/y#z"}},
        -32001,
        "no task 'x/y#z'; see tasks/list",
    ),
    ("links/create", {"source": {"type": "session", "id": ""}, "target": "@file"}, -32602, "source.id: is empty"),
    ("links/create", {"source": {"type": "planet", "id": "x"}, "target": "@file"}, -32602, "source.type"),
    ("links/create", {"source": "@task"}, -32602, "target: is missing"),
    ("links/delete", {"id": "0123456789ab"}, -32001, "no link '0123456789ab'; see links/list"),
    ("links/dismiss", {"id": ""}, -32001, "no link ''"),
    ("tags/create", {"name": ""}, -32602, "name: is empty"),
    ("tags/create", {"name": " \t "}, -32602, "name: is empty"),
    ("tags/create", {"name": "x" * 101}, -32602, "name: has 101 characters; at most 100"),
    ("tags/create", {"name": "a\nb"}, -32602, "name: has control characters"),
    ("tags/create", {"name": "a", "color": "reddish"}, -32602, "color: must be #rrggbb, #rgb or one of aqua, black"),
    ("tags/create", {"name": "a", "color": "#12345"}, -32602, "color: must be"),
    ("tags/add", {"name": "a", "entity": {"type": "session", "id": "nobody"}}, -32001, "no session 'nobody'"),
    ("tags/add", {"name": "", "entity": "@task"}, -32602, "name: is empty"),
    ("tags/remove", {"name": "unknown", "entity": "@task"}, -32001, "no tag 'unknown'; see tags/list"),
    ("tags/rename", {"name": "unknown", "newName": "b"}, -32001, "no tag 'unknown'"),
    ("tags/rename", {"name": "unknown", "newName": ""}, -32602, "newName: is empty"),
    ("tags/delete", {"name": "unknown"}, -32001, "no tag 'unknown'"),
    ("tags/delete", {"name": MEGABYTE}, -32001, "no tag 'xxx"),
    ("tags/add", {"name": "a", "entity": {"type": "task", "id": MEGABYTE}}, -32001, "no task 'xxx"),
    ("tags/list", {"type": "task"}, -32602, "id: give type and id of an entity, or neither for all"),
    ("tags/list", {"id": "x"}, -32602, "type: give type and id"),
    ("tags/list", {"type": "task", "id": "x"}, -32001, "no task 'x'"),
    ("externalLinks/create", {"entity": "@task", "url": "javascript:alert(1)"}, -32602, "url: must begin with http://"),
    ("externalLinks/create", {"entity": "@task", "url": "https://"}, -32602, "url: names no host"),
    (
        "externalLinks/create",
        {"entity": "@task", "url": "https://a.org/" + MEGABYTE},
        -32602,
        "url: has 1,000,014 characters",
    ),
    ("externalLinks/create", {"entity": "@task", "url": "https://a.org", "label": "a\0"}, -32602, "label: has control"),
    (
        "externalLinks/create",
        {"entity": "@task", "url": "https://a.org", "category": "x"},
        -32602,
        "category: must be one of",
    ),
    ("externalLinks/delete", {"id": "x"}, -32001, "no external link 'x'"),
    ("externalLinks/list", {"type": "file"}, -32602, "id: give type and id"),
    ("externalLinks/list", {"limit": 501}, -32602, "limit: must be between 1 and 500"),
    ("metadata/set", {"entity": "@task", "key": "a b", "value": 1}, -32602, "key: must be 1 to 100 letters, digits"),
    ("metadata/set", {"entity": "@task", "key": "", "value": 1}, -32602, "key: must be"),
    ("metadata/set", {"entity": "@task", "key": "x" * 101, "value": 1}, -32602, "key: must be"),
    ("metadata/set", {"entity": "@task", "key": "note", "value": 1}, -32602, "value: a note must be text"),
    (
        "metadata/set",
        {"entity": "@task", "key": "note", "value": MEGABYTE},
        -32602,
        "value: has 1,000,000 bytes; at most 262,144",
    ),
    (
        "metadata/set",
        {"entity": "@task", "key": "x", "value": [MEGABYTE]},
        -32602,
        "value: has 1,000,004 bytes; at most 262,144",
    ),
    (
        "metadata/set",
        {"entity": "@task", "key": "rating", "value": 0},
        -32602,
        "value: a rating must be a whole number from 1 to 5",
    ),
    ("metadata/set", {"entity": "@task", "key": "rating", "value": 6}, -32602, "value: a rating"),
    ("metadata/set", {"entity": "@task", "key": "rating", "value": 2.5}, -32602, "value: a rating"),
    ("metadata/set", {"entity": "@task", "key": "friction", "value": True}, -32602, "value: a friction"),
    ("metadata/set", {"entity": "@task", "key": "friction", "value": "3"}, -32602, "value: a friction"),
    ("metadata/set", {"entity": "@task", "key": "k", "value": nested(101)}, -32602, "value: has more than 100 lists"),
    ("metadata/set", {"entity": "@task", "key": "note", "value": nested(900)}, -32602, "value: has more than 100 lists"),
    ("metadata/set", {"entity": "@task", "value": 1}, -32602, "key: is missing"),
    (
        "metadata/set",
        {"entity": {"type": "file", "id": "a.py"}, "key": "k", "value": 1},
        -32602,
        "entity.id: must be an absolute",
    ),
    ("metadata/set", {"entity": {"type": "file", "id": "/a/../b"}, "key": "k", "value": 1}, -32602, "entity.id: must be"),
    (
        "metadata/set",
        {"entity": {"type": "file", "id": "/elsewhere"}, "key": "k", "value": 1},
        -32001,
        "it lies in no project",
    ),
    (
        "metadata/set",
        {"entity": {"type": "commit", "id": "p/12"}, "key": "k", "value": 1},
        -32602,
        "entity.id: must be <project id>",
    ),
    (
        "metadata/set",
        {"entity": {"type": "commit", "id": "p/1234567"}, "key": "k", "value": 1},
        -32001,
        "no commit 'p/1234567'",
    ),
    ("metadata/get", {"entity": "@task", "key": "ä"}, -32602, "key: must be"),
    ("metadata/get", {"entity": {"type": "feature", "id": "x"}}, -32001, "no feature 'x'; see features/list"),
]


def test_what_cannot_be_is_said_in_plain_words(client: Shop) -> None:
    served, client_, of = client
    for method, params, code, words in BAD:
        known = {key: of[value[1:]] if str(value).startswith("@") else value for key, value in params.items()}
        with pytest.raises(RpcError) as caught:
            client_.request(method, known)
        assert (caught.value.code, words in caught.value.message) == (code, True), (method, params, caught.value.message)
        assert len(caught.value.message) + len(json.dumps(caught.value.data)) < 3000
    assert not served.paths.journal.exists()
