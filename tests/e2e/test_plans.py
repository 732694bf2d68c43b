"""A daemon over projects with planning files: what it answers, that it never writes, and that it keeps up."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.helpers import Client, Daemon, wait_until
from tests.ingest.plan_world import PLACES, SHAPES, PlanWorld
from tests.ingest.tables import dump_file, same

CORPUS = os.environ.get("CCDASH_CORPUS")


def add(client: Client, root: Path) -> str:
    """Register a project; its id."""
    project: dict[str, Any] = client.request("projects/add", {"root": str(root)})
    return str(project["id"])


def everything(client: Client, method: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = client.request(method, {**params, "limit": 500, "cursor": cursor})
        items += page["items"]
        cursor = page["nextCursor"]
        if cursor is None:
            assert len(items) == page["total"]
            return items


def state_of(root: Path) -> dict[str, tuple[object, ...]]:
    """Everything about the files and folders below `root` that writing, or renaming, would change."""
    found: dict[str, tuple[object, ...]] = {}
    for folder, _, names in os.walk(root):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            status = os.lstat(path)
            content = hashlib.sha256(Path(path).read_bytes()).hexdigest() if os.path.isfile(path) else ""
            found[path] = (status.st_mode, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns, content)
    return found


@pytest.mark.corpus
@pytest.mark.skipif(CORPUS is None, reason="CCDASH_CORPUS names no folder of real files")
def test_a_real_project(idle_daemon: Daemon, tmp_path: Path) -> None:
    root = tmp_path / "skillmeat"
    shutil.copytree(f"{CORPUS}/skillmeat", root)
    for path in (root, *root.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)
    before = state_of(root)
    daemon = idle_daemon.start()
    with daemon.client() as client:
        project = add(client, root)
        files = {str(path.relative_to(root)) for path in root.rglob("*.md") if path.is_file()}
        documents = everything(client, "documents/list", {"project": project})
        assert {row["path"] for row in documents} == files

        tasks = everything(client, "tasks/list", {"project": project})
        features = everything(client, "features/list", {"project": project})
        loose = [task for task in tasks if task["featureId"] is None]
        assert sum(row["tasks"]["total"] for row in features) + len(loose) == len(tasks)
        assert sum(row["tasks"]["total"] for row in documents) == len(tasks)
        slugs = {row["slug"] for row in features}
        assert {"deployment-sets", "deployment-sets-v2"} <= slugs, "a successor is a feature of its own"
        assert "collections-navigation" in slugs
        assert "collections-navigation-v1" not in slugs
        phases = client.request("features/get", {"id": "collections-navigation"})["phases"]
        folders = {phase["path"].split("/")[2] for phase in phases if phase["path"].startswith(".claude/progress/")}
        assert folders == {"collections-navigation", "collections-navigation-v1"}

        broken = [row for row in documents if row["recovered"]]
        assert len(broken) == 9
        for row in broken:
            found = client.request("documents/get", {"id": row["id"]})["diagnostics"]
            assert found, row["path"]
            assert all(item["line"] and item["message"] and item["hint"] for item in found if item["severity"] != "info")
        assert client.request("cache/verify")["ok"]
    daemon.kill(15)
    assert state_of(root) == before, "an index writes nothing into a project"


def test_live_changes_end_as_a_rebuild(idle_daemon: Daemon, short_folder: Path) -> None:
    world = PlanWorld(short_folder)
    random = Random(7)
    for n, place in enumerate(PLACES):
        world.write(place, SHAPES[n % 7], n)
    world.work(0, "command", PLACES[0])
    logs = {"CCDASH_CLAUDE_DIRS": str(world.logs)}
    daemon = idle_daemon.start(environ=logs)
    with daemon.client() as client:
        wait_until(lambda: client.request("documents/list", {"limit": 1})["total"] == len(world.there()), "documents")
        for n in range(120):
            place = random.choice(PLACES)
            kind = random.choice(["write", "write", "delete", "move", "work", "folder"])
            if kind == "write":
                world.write(place, random.choice(SHAPES), n, in_place=random.random() < 0.3)
            elif kind == "delete":
                world.delete(place)
            elif kind == "move":
                world.move(place, random.choice(PLACES))
            elif kind == "folder":
                world.move_folder(*random.sample(["till", "till-v1", "till-v2", "stock"], 2))
            else:
                world.work(n % 3, random.choice(["write", "read", "command", "mention"]), place)
        world.write(PLACES[0], "list", 999)
        marker = world.path(PLACES[0]).read_bytes()
        digest = hashlib.sha256(marker).hexdigest()
        wait_until(lambda: client.request("documents/get", {"id": PLACES[0]})["hash"] == digest, "the last change")
        client.request("cache/rescan")
        by_events = dump_file(daemon.paths.database)
        client.request("cache/rebuild")
        same(by_events, dump_file(daemon.paths.database), "a rebuild changed something")
        daemon.kill()
    daemon.paths.database.unlink()
    daemon.start(environ=logs)
    with daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index")
        client.request("cache/rescan")
        same(by_events, dump_file(daemon.paths.database), "a new cache holds something else")


def test_a_change_is_told_with_what_follows_from_it(idle_daemon: Daemon, short_folder: Path) -> None:
    root = short_folder / "shop"
    progress = root / ".claude/progress/till/phase-1-progress.md"
    progress.parent.mkdir(parents=True)
    text = "---\nphase: 1\nstatus: in_progress\ntasks:\n  - {id: T-1, title: Drawer, status: pending}\n---\n"
    progress.write_text(text)
    daemon = idle_daemon.start()
    with daemon.client() as client, daemon.client() as watcher:
        project = add(client, root)
        watcher.request("ccdash/subscribe", {"topics": ["documents", "tasks", "features"]})
        progress.write_text(text.replace("pending", "completed"))
        seen: set[tuple[str, str]] = set()
        wanted = {
            ("document", f"{project}/.claude/progress/till/phase-1-progress.md"),
            ("task", f"{project}/.claude/progress/till/phase-1-progress.md#T-1"),
            ("feature", f"{project}/till"),
        }
        while not wanted <= seen:
            told = watcher.notification("ccdash/changed")
            seen |= {(change["type"], change["id"]) for change in told["changes"]}
        feature = client.request("features/get", {"id": "till"})
        assert feature["tasks"]["done"] == 1
        assert feature["status"] == "done"
        assert feature["revision"] >= told["revision"]

        (root / "docs").mkdir()
        (root / "docs/new.md").write_text("# New\n")
        wait_until(
            lambda: client.request("documents/list", {"path": "docs"})["total"] == 1, "a file in a folder that is new"
        )
        shutil.rmtree(root / "docs")
        wait_until(lambda: client.request("documents/list", {"path": "docs"})["total"] == 0, "a folder that is gone")
