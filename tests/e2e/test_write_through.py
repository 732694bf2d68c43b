"""Statuses through a daemon of its own: previews, conflicts with editors and other clients, links, kills, restarts."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Client, Closed, Daemon, RpcError, wait_until

CONFLICT, READ_ONLY, NOT_FOUND = -32002, -32003, -32001

PROGRESS = ".claude/progress/checkout/phase-1-progress.md"
TEXT = """\ufeff---\r
type: progress\r
phase: 1\r
status: "in-progress"   # keep\r
updated: 2020-01-01\r
completed_tasks: 1\r
tasks:\r
  TASK-1.1: {title: 'One', status: completed, notes: "a: b"}\r
  TASK-1.2:\r
    title: Žluťoučký 🚀\r
    status: 'pending'\t# keep\r
---\r
# Phase 1\r
\r
status: pending
""".encode()


class Project:
    """A project with one progress file in the home of a daemon, and the requests that tests make about it."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.root = daemon.home / "shop"
        self.file = self.root / PROGRESS
        self.file.parent.mkdir(parents=True)
        self.file.write_bytes(TEXT)
        (self.root / "docs").mkdir()
        (self.root / "docs/prd.md").write_text("---\ntype: prd\nfeature_slug: checkout\nstatus: draft\n---\n")

    def register(self) -> None:
        with self.daemon.client() as client:
            client.request("projects/add", {"root": str(self.root)})
        self.wait_known()

    def wait_known(self) -> None:
        with self.daemon.client() as client:
            wait_until(lambda: client.request("tasks/list")["total"] == 2, "the tasks")


@pytest.fixture
def project(idle_daemon: Daemon) -> Iterator[Project]:
    project = Project(idle_daemon)
    idle_daemon.start()
    project.register()
    yield project


def set_status(client: Client, id: str, status: str, **more: Any) -> Any:
    return client.request("tasks/setStatus", {"id": id, "status": status, **more})


def seen(client: Client, id: str = "TASK-1.2") -> dict[str, str]:
    """The hash of the task's file, as a client knows it from the task itself."""
    task = client.request("tasks/get", {"id": id})
    return {task["path"]: task["hash"]}


def test_only_the_asked_bytes_change_and_everybody_hears_of_it(project: Project) -> None:
    project.file.chmod(0o640)
    with project.daemon.client() as client, project.daemon.client() as other:
        other.request("ccdash/subscribe", {"topics": ["tasks", "features"]})
        preview = set_status(client, "TASK-1.2", "done", counters=True, updated=True)
        assert (preview["applied"], project.file.read_bytes()) == (False, TEXT)
        answer = set_status(client, "TASK-1.2", "done", counters=True, updated=True, apply=True, hashes=seen(client))
        assert answer["entity"]["status"] == "done"
        data = project.file.read_bytes()
        today = data[data.index(b"updated: ") + 9 :][:10]
        expected = TEXT.replace(b"'pending'", b"'completed'").replace(b"completed_tasks: 1", b"completed_tasks: 2")
        assert data == expected.replace(b"2020-01-01", today)
        assert today > b"2020-01-01"
        assert project.file.stat().st_mode & 0o777 == 0o640
        told = other.notification("ccdash/changed")
        assert answer["entity"]["id"] in [change["id"] for change in told["changes"]]
        task = other.request("tasks/get", {"id": "TASK-1.2"})
        assert (task["status"], task["rawStatus"]) == ("done", "completed")
        row = other.request("features/list", {"minRevision": answer["revision"]})["items"][0]
        assert row["tasks"]["done"] == 2
        assert seen(other) == {PROGRESS: answer["files"][0]["newHash"]}


def test_an_editor_that_saves_in_between_is_not_overwritten(project: Project) -> None:
    with project.daemon.client() as client:
        hashes = seen(client)
        theirs = TEXT.replace(b"# Phase 1", b"# Phase one")
        project.file.write_bytes(theirs)
        with pytest.raises(RpcError, match=f"{CONFLICT}: .*changed since you read it"):
            set_status(client, "TASK-1.2", "done", apply=True, hashes=hashes)
        assert project.file.read_bytes() == theirs
        again = set_status(client, "TASK-1.2", "done")
        hashes = {file["path"]: file["hash"] for file in again["files"]}
        set_status(client, "TASK-1.2", "done", apply=True, hashes=hashes)
        assert project.file.read_bytes() == theirs.replace(b"'pending'", b"'completed'")


def test_two_clients_at_once(project: Project) -> None:
    """One sets one task, the other the other task of the same file: nothing of the one who wins is lost."""
    with project.daemon.client() as client:
        hashes = seen(client)
    start = threading.Barrier(2)
    ends: dict[str, Any] = {}

    def apply(id: str) -> None:
        with project.daemon.client() as client:
            start.wait()
            try:
                ends[id] = set_status(client, id, "blocked", apply=True, hashes=hashes)["entity"]["status"]
            except RpcError as error:
                ends[id] = error.code

    threads = [threading.Thread(target=apply, args=(id,)) for id in ("TASK-1.1", "TASK-1.2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends.values(), key=str) == [CONFLICT, "blocked"]
    loser = next(id for id, end in ends.items() if end == CONFLICT)
    with project.daemon.client() as client:
        set_status(client, loser, "blocked", apply=True, hashes=seen(client))
    assert project.file.read_bytes() == TEXT.replace(b"status: completed", b"status: blocked").replace(
        b"'pending'", b"'blocked'"
    )


def test_a_link_that_leads_out_is_refused(project: Project) -> None:
    outside = project.daemon.home / "outside.md"
    outside.write_bytes(TEXT)
    with project.daemon.client() as client:
        hashes = seen(client)
        project.file.unlink()
        project.file.symlink_to(outside)
        with pytest.raises(RpcError) as caught:
            set_status(client, "TASK-1.2", "done", apply=True, hashes=hashes)
        assert caught.value.code in (READ_ONLY, NOT_FOUND)  # the watcher may have been faster
    assert outside.read_bytes() == TEXT
    assert sorted(os.listdir(project.file.parent)) == [project.file.name]


def test_files_that_belong_to_no_project_cannot_be_named(project: Project) -> None:
    outside = project.daemon.home / "notes"
    outside.mkdir()
    (outside / "plan.md").write_bytes(TEXT)
    with project.daemon.client() as client:
        project_id = client.request("projects/list")["items"][0]["id"]
        places = [str(outside / "plan.md"), f"{project_id}/../notes/plan.md", "../notes/plan.md", "/etc/passwd"]
        for place in places:
            with pytest.raises(RpcError, match=f"{NOT_FOUND}: "):
                set_status(client, f"{place}#TASK-1.2", "done")
            with pytest.raises(RpcError, match=f"{NOT_FOUND}: "):
                client.request("features/setPhaseStatus", {"id": f"{place}#phase-1", "status": "done"})
    assert (outside / "plan.md").read_bytes() == TEXT


@pytest.mark.parametrize("edits", [0, 1, 4])
def test_killed_at_any_moment_the_file_is_whole_and_the_next_daemon_knows_it(project: Project, edits: int) -> None:
    daemon = project.daemon

    def write() -> None:
        with suppress(Closed, OSError), daemon.client() as client:
            while True:
                for word in ("blocked", "deferred"):
                    set_status(client, "TASK-1.2", word, apply=True, hashes=seen(client))

    with daemon.client() as client:
        before = client.request("ccdash/status")["revision"]
        writer = threading.Thread(target=write)
        writer.start()
        wait_until(lambda: client.request("ccdash/status")["revision"] >= before + edits, "edits")
    daemon.kill()
    writer.join()
    data = project.file.read_bytes()
    assert data in [TEXT.replace(b"'pending'", word) for word in (b"'pending'", b"'blocked'", b"'deferred'")]
    daemon.start()
    with daemon.client() as client:
        # Killed between the write and the note of it, the daemon finds the file at its first scan.
        wait_until(
            lambda: f"'{client.request('tasks/get', {'id': 'TASK-1.2'})['rawStatus']}'".encode() in data, "the status"
        )
        assert client.request("documents/list")["total"] == 2


def test_a_status_outlives_the_cache(project: Project) -> None:
    with project.daemon.client() as client:
        preview = client.request("features/setStatus", {"id": "checkout", "status": "Signed-Off"})
        hashes = {file["path"]: file["hash"] for file in preview["files"]}
        answer = client.request(
            "features/setStatus", {"id": "checkout", "status": "Signed-Off", "apply": True, "hashes": hashes}
        )
        before = client.request("features/get", {"id": "checkout"})
    assert answer["entity"]["status"] == "done"
    project.daemon.close()
    for path in Path(project.daemon.paths.cache_dir).glob("cache.db*"):
        path.unlink()
    project.daemon.start()
    project.wait_known()
    with project.daemon.client() as client:
        after = client.request("features/get", {"id": "checkout"})
    assert after["rawStatus"] == "Signed-Off"
    assert {**after, "revision": 0} == {**before, "revision": 0}
