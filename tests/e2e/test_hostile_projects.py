"""Projects as they should not be: huge, deep, broken, locked, swapped under the daemon. Ends always as a rebuild would."""

from __future__ import annotations

import os
import shutil
import socket
from functools import partial
from pathlib import Path
from random import Random

import pytest

from tests.helpers import Client, Daemon, RpcError, wait_until
from tests.ingest.plan_world import PLACES, SHAPES, document
from tests.ingest.tables import dump_file, same

PROGRESS = ".claude/progress/till/phase-1-progress.md"


def put(root: Path, path: str, text: str | bytes) -> Path:
    """Write a file, and the folders above it."""
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def paths(client: Client) -> set[str]:
    """The paths of all documents."""
    found: set[str] = set()
    cursor = None
    while True:
        page = client.request("documents/list", {"limit": 500, "cursor": cursor})
        found |= {row["path"] for row in page["items"]}
        cursor = page["nextCursor"]
        if cursor is None:
            return found


def wait_for(client: Client, path: str) -> None:
    """Wait until there is a document at that path."""
    wait_until(lambda: path in paths(client), path)


def _shows(client: Client, root: Path, title: str) -> bool:
    there = {str(path.relative_to(root)) for path in root.rglob("*.md") if path.is_file()}
    return paths(client) == there and client.request("documents/get", {"id": "README.md"})["title"] == title


def settled(daemon: Daemon, what: str) -> None:
    """That a rescan finds all, a rebuild changes nothing, and nothing broke on the way."""
    with daemon.client(60) as client:
        client.request("cache/rescan")
        by_events = dump_file(daemon.paths.database)
        client.request("cache/rebuild")
        rebuilt = dump_file(daemon.paths.database)
        # They are of the journal, where another one may have come.
        assert by_events.pop("progress_days").keys() <= rebuilt.pop("progress_days").keys()
        same(by_events, rebuilt, f"a rebuild changed something after {what}")
        assert client.request("cache/verify")["faults"] == []
    assert "Traceback" not in daemon.log


@pytest.fixture
def shop(idle_daemon: Daemon) -> Path:
    """The root of a project with one planning file."""
    root = idle_daemon.home / "shop"
    put(root, PROGRESS, "---\nphase: 1\ntasks:\n- {id: T-1, status: pending}\n---\n")
    return root


def start(daemon: Daemon, root: Path) -> str:
    """Start a daemon that knows the project; its id."""
    daemon.start()
    with daemon.client(60) as client:
        return str(client.request("projects/add", {"root": str(root)})["id"])


def test_files_that_are_too_much(idle_daemon: Daemon, shop: Path) -> None:
    files, tasks = 800, 3_000
    deep = "docs/" + "d/" * 300 + "end.md"
    for n in range(files):
        put(shop, f"docs/many/{n}.md", f"---\nstatus: draft\n---\n# {n}\n")
    put(shop, deep, "# Deep\n")
    put(
        shop,
        "docs/head.md",
        "---\n" + "".join(f"key{n}: value {n}\n" for n in range(250_000))[: 4 * 1024 * 1024 - 100] + "\n---\n",
    )
    listed = "".join(f"- {{id: T-{n}, title: do, status: pending}}\n" for n in range(tasks))
    put(shop, ".claude/progress/till/phase-2-progress.md", f"---\nphase: 2\ntasks:\n{listed}---\n")
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30)
    )
    put(shop, "docs/bomb.md", f"---\n{bomb}status: draft\n---\n")
    put(shop, ".claude/progress/till/phase-3-progress.md", f"---\nphase: 3\n{bomb}tasks: *a29\n---\n")
    put(shop, "docs/self.md", "---\na: &a [*a]\nb: &b {c: *b}\nstatus: draft\n---\n")
    put(shop, "docs/flow.md", "---\na: " + "[" * 100_000 + "\n---\n")
    put(shop, "docs/indent.md", "---\n" + "".join(" " * n + f"k{n}:\n" for n in range(1_500)) + "---\n")
    start(idle_daemon, shop)
    with idle_daemon.client(60) as client:
        assert len(paths(client)) == files + 9
        assert client.request("tasks/list", {"project": "shop", "feature": "till"})["total"] >= tasks
        assert client.request("documents/get", {"id": deep})["title"] == "Deep"
        assert client.request("documents/tree")["items"]
        assert client.request("tasks/tree")["items"]
        assert client.request("features/get", {"id": "till"})["tasks"]["total"] >= tasks
        for path in ("bomb", "head", "self", "flow", "indent"):
            client.request("documents/get", {"id": f"docs/{path}.md", "content": True})
        preview = client.request("tasks/setStatus", {"id": f"T-{tasks - 1}", "status": "done"})
        assert len(preview["files"][0]["changes"]) == 1
    settled(idle_daemon, "the first index")


def test_what_stands_in_place_of_files(idle_daemon: Daemon, shop: Path) -> None:
    start(idle_daemon, shop)
    docs = shop / "docs"
    docs.mkdir()
    os.mkfifo(docs / "pipe.md")
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(docs)
        listener.bind("socket.md")
        os.chdir("/")
        (docs / "loop.md").symlink_to("loop.md")
        (docs / "one").symlink_to("two")
        (docs / "two").symlink_to("one")
        (docs / "up").symlink_to("..")
        (docs / "dangling.md").symlink_to("nowhere")
        (docs / "device.md").symlink_to("/dev/zero")
        (docs / "out.md").symlink_to("/etc/passwd")
        (docs / "folder.md").mkdir()
        put(shop, "docs/Case.md", "# One\n")
        put(shop, "docs/case.md", "# Two\n")
        put(shop, "docs/.hidden.md", "# Hidden\n")
        with idle_daemon.client() as client:
            wait_until(lambda: {"docs/Case.md", "docs/case.md"} <= paths(client), "the files")
            for name in ("pipe", "socket", "loop", "dangling", "device", "folder"):
                with pytest.raises(RpcError, match="no document"):
                    client.request("documents/get", {"id": f"docs/{name}.md"})
            with pytest.raises(RpcError, match="leads out of the project"):
                client.request("documents/get", {"id": "docs/out.md", "content": True})
        settled(idle_daemon, "pipes, sockets and loops")
        for name in ("pipe.md", "socket.md", "loop.md", "dangling.md", "device.md", "one", "two", "up", "out.md"):
            (docs / name).unlink()
    settled(idle_daemon, "their end")


def test_files_that_turn_into_folders_and_back(idle_daemon: Daemon, shop: Path) -> None:
    start(idle_daemon, shop)
    with idle_daemon.client() as client:
        for n in range(5):
            for path in ("docs/x.md", ".claude/progress/till", "docs"):
                place = shop / path
                if place.parent.is_file():
                    place.parent.unlink()
                shutil.rmtree(place) if place.is_dir() else place.unlink(missing_ok=True)
                put(shop, path, f"# File {n}\n") if "." in path[1:] else put(shop, f"{path}/x.md/y.md", f"# Deep {n}\n")
                shutil.rmtree(place) if place.is_dir() else place.unlink()
                put(shop, f"{path}/inner.md", f"# Inner {n}\n")
                if n % 2:
                    shutil.rmtree(place)
                    put(shop, path, f"# Again {n}\n")
        put(shop, "last.md", "# Last\n")
        wait_until(lambda: "last.md" in paths(client), "the last file")
    settled(idle_daemon, "files as folders")
    with idle_daemon.client() as client:
        there = {str(path.relative_to(shop)) for path in shop.rglob("*.md") if path.is_file()}
        assert paths(client) == there


def test_a_root_that_goes_and_comes_back(idle_daemon: Daemon, shop: Path) -> None:
    start(idle_daemon, shop)
    away = shop.with_name("away")
    with idle_daemon.client() as client:
        for n in range(3):
            shop.rename(away)
            wait_until(lambda: not paths(client), "a root that is gone")
            put(away, f"docs/{n}.md", f"# {n}\n")
            away.rename(shop)
            wait_for(client, f"docs/{n}.md")
            put(shop, f"docs/later {n}.md", f"# {n}\n")
            wait_for(client, f"docs/later {n}.md")
        shutil.rmtree(shop)
        wait_until(lambda: not paths(client), "a root that was deleted")
        shop.write_text("a file")
        with pytest.raises(RpcError):
            client.request("documents/get", {"id": PROGRESS})
        shop.unlink()
        put(shop, PROGRESS, "# New\n")
        wait_until(lambda: paths(client) == {PROGRESS}, "a new root")
    settled(idle_daemon, "a root that went")


def test_a_project_inside_a_project(idle_daemon: Daemon, shop: Path) -> None:
    outer = start(idle_daemon, shop)
    put(shop, "docs/own.md", "# Outer\n")
    put(shop, "docs/inner/docs/own.md", "---\nstatus: draft\n---\n# Inner\n")
    with idle_daemon.client() as client:
        wait_until(lambda: len(paths(client)) == 3, "the files")
        inner = client.request("projects/add", {"root": str(shop / "docs/inner")})["id"]
        by_project = {row["id"] for row in client.request("documents/list")["items"]}
        assert by_project == {f"{outer}/{PROGRESS}", f"{outer}/docs/own.md", f"{inner}/docs/own.md"}
        settled(idle_daemon, "a project inside")
        client.request("projects/remove", {"id": inner})
        own = {f"{outer}/{path}" for path in (PROGRESS, "docs/own.md", "docs/inner/docs/own.md")}
        wait_until(lambda: {row["id"] for row in client.request("documents/list")["items"]} == own, "files that came back")
    settled(idle_daemon, "a project that is none any more")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_for_a_while(idle_daemon: Daemon, shop: Path) -> None:
    start(idle_daemon, shop)
    folder = put(shop, "docs/locked/file.md", "# Locked\n").parent
    with idle_daemon.client() as client:
        wait_until(lambda: len(paths(client)) == 2, "the file")
        folder.chmod(0)
        client.request("cache/rescan")
        assert len(paths(client)) == 2, "what cannot be looked at is not gone"
        folder.chmod(0o755)
        client.request("cache/rescan")
        assert client.request("ccdash/status")["problems"] == []
    settled(idle_daemon, "a locked folder")


def test_another_branch_is_checked_out(idle_daemon: Daemon, shop: Path) -> None:
    random = Random(3)
    other = shop.with_name("other")
    for root, seed in ((shop, 1), (other, 2)):
        for n, place in enumerate(PLACES):
            if random.random() < 0.7:
                put(root, place, document(place, random.choice(SHAPES), Random(seed * 100 + n)))
        for n in range(240):
            if n % 3 != seed:
                put(root, f"docs/area {n % 7}/{n}.md", f"---\nstatus: draft\nfeature_slug: till\n---\n# {n} of {seed}\n")
    start(idle_daemon, shop)
    aside = shop.with_name("aside")
    with idle_daemon.client() as client:
        for n in range(3):
            for name in ("docs", ".claude"):
                (shop / name).rename(aside)
                (other / name).rename(shop / name)
                aside.rename(other / name)
            put(shop, "README.md", f"# Round {n}\n")
            wait_until(partial(_shows, client, shop, f"Round {n}"), "the files of the branch")
    settled(idle_daemon, "checkouts")
