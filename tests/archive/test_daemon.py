"""Agents delete logs, and the cache is deleted: everything about the sessions answers as before."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.archive.told import gone, indexed, told
from tests.e2e.genuine import install
from tests.helpers import Daemon
from tests.ingest.world import KINDS, PLACES, World
from tests.store.edited import Clock, Session

CORPUS = os.environ.get("CCDASH_CORPUS", "")


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    folder = Path(tempfile.mkdtemp(prefix="cca"))
    daemon = Daemon(folder, {"CCDASH_ARCHIVE_QUIET_SECONDS": "0"})
    yield daemon
    daemon.close()
    shutil.rmtree(folder)


def made_up(home: Path) -> tuple[list[str], list[str]]:
    """Logs of every kind, and a file that sessions wrote; returns the paths of both."""
    projects = home / ".claude" / "projects"
    world = World(projects)
    for number, place in enumerate(PLACES):
        world.append(place, list(KINDS[number:] + KINDS[:number]), "\n")
    world.describe(next(place for place in PLACES if "subagents" in place), "explore")
    root = home / "app"
    root.mkdir()
    path = str(root / "a.py")
    main = Session(Clock(), str(root))
    sub = Session(main.clock, str(root), id=main.id, agent_id="a77")
    main.prompt("Write it")
    main.write(path, "one\ntwo\n", None)
    sub.prompt("Make it three")
    sub.edit(path, "two\n", "two\nthree\n", "one\ntwo\n")
    main.say("x" * 50_000)
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo" + "A" * 400}}
    main.record("user", message={"role": "user", "content": [image, {"type": "text", "text": "See"}]})
    for session in (main, sub):
        session.save(projects)
    sub.log(projects).with_suffix(".meta.json").write_text('{"agentType":"Plan","description":"Three"}')
    Path(path).write_text("one\ntwo\nthree\n")
    return [str(log) for log in sorted(projects.rglob("*.jsonl"))], [path]


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        assert one[name] == other[name], name


def lost(daemon: Daemon, logs: list[str], files: list[str], every: int = 1) -> None:
    """Copy, delete the logs, delete the cache: nothing is told otherwise."""
    with daemon.start().client(60) as client:
        indexed(client)
        before = told(client, files, every)
        copied = client.request("archive/run", {})
        assert copied["problems"] == []
        assert client.request("archive/run", {})["logs"] == 0
        for log in logs:
            os.unlink(log)
            Path(log).with_suffix(".meta.json").unlink(missing_ok=True)
        gone(client, logs)
        same(before, told(client, files, every))
    assert daemon.kill() == -9
    for file in daemon.paths.cache_dir.glob("cache.db*"):
        file.unlink()
    with daemon.start().client(60) as client:
        indexed(client)
        same(before, told(client, files, every))
        status = client.request("archive/status")
        assert (status["onlyCopies"], status["waitingLogs"]) == (status["logs"], 0)
        assert client.request("cache/rebuild")["parsed"] == status["logs"]
        same(before, told(client, files, every))


def test_logs_and_cache_are_deleted(daemon: Daemon) -> None:
    lost(daemon, *made_up(daemon.home))


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS, reason="CCDASH_CORPUS names no folder of real logs")
def test_real_logs_and_cache_are_deleted(daemon: Daemon) -> None:
    lost(daemon, [str(path) for path in install(Path(CORPUS), daemon.home)], [], every=10)
