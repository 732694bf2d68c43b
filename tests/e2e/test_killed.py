"""The daemon is killed at any moment while files change, statuses are written and the user says things: what was
acknowledged is there, files are whole, and the cache is what a new one would be."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from tests.helpers import Closed, Daemon, RpcError, wait_until
from tests.ingest.plan_world import PLACES, SHAPES, PlanWorld
from tests.ingest.tables import dump_file, same

TALLY = ".claude/progress/tally/phase-1-progress.md"
TEXT = (
    "---\nphase: 1\nstatus: in_progress # keep\ntasks:\n- {id: K-1, title: Tally, status: %s}\n---\n" + "# Text\n" * 2_000
)


STEPS = ("pending", "in_progress", "completed", "blocked", "deferred")


def word(step: int) -> str:
    """The status that the task has after so many writes."""
    return STEPS[step % len(STEPS)]


class Lives:
    """A daemon with several lives over one project, and what it acknowledged in all of them."""

    def __init__(self, daemon: Daemon, base: Path) -> None:
        self.daemon, self.world = daemon, PlanWorld(base)
        self.tally = self.world.path(TALLY)
        self.tally.parent.mkdir(parents=True)
        self.tally.write_text(TEXT % word(0))
        self.written = self.tried = 0
        self.said = self.saying = 0
        self.environ = {"CCDASH_CLAUDE_DIRS": str(self.world.logs)}
        self.stop = threading.Event()

    def live(self, seconds: float, random: Random) -> None:
        """Start it, work with it for so long, and kill it."""
        self.daemon.start(environ=self.environ)
        self.stop.clear()
        threads = [
            threading.Thread(target=run, args=(random.randrange(10**6),)) for run in (self._write, self._say, self._edit)
        ]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        self.daemon.kill()
        self.stop.set()
        for thread in threads:
            thread.join()

    def check(self) -> None:
        """That files and journal hold what was acknowledged, and at most what was asked for after it."""
        text = self.tally.read_text()
        assert text in (TEXT % word(self.written), TEXT % word(self.tried)), text[:200]
        self.written = self.tried if text == TEXT % word(self.tried) else self.written

    def _edit(self, seed: int) -> None:
        random = Random(seed)
        while not self.stop.wait(0.003):
            self.world.write(
                random.choice(PLACES), random.choice(SHAPES), random.randrange(10**6), in_place=random.random() < 0.3
            )
            self.world.delete(random.choice(PLACES))
            self.world.move_folder(*random.sample(["till", "till-v1", "till-v2"], 2))

    def _write(self, _: int) -> None:
        with suppress(Closed, OSError), self.daemon.client() as client:
            wait_until(lambda: client.request("tasks/list", {"text": "K-1"})["total"] == 1, "the task")
            while not self.stop.is_set():
                task = {"id": "K-1", "status": word(self.written + 1)}
                try:
                    preview = client.request("tasks/setStatus", task)
                    hashes = {file["path"]: file["hash"] for file in preview["files"]}
                    self.tried = self.written + 1
                    client.request("tasks/setStatus", {**task, "apply": True, "hashes": hashes})
                except RpcError as error:
                    assert error.code in (-32001, -32002, -32004, -32006), error
                    continue
                self.written = self.tried

    def _say(self, _: int) -> None:
        with suppress(Closed, OSError), self.daemon.client() as client:
            project = wait_until(lambda: client.request("projects/list")["items"], "the project")[0]["id"]
            while not self.stop.is_set():
                self.saying = self.said + 1
                ref = {"type": "project", "id": project}
                try:
                    client.request("metadata/set", {"entity": ref, "key": f"k{self.saying}", "value": self.saying})
                except RpcError as error:
                    assert error.code in (-32001, -32004, -32006), error
                    continue
                self.said = self.saying


def live_and_die(daemon: Daemon, base: Path, lives: int) -> None:
    random = Random(lives)
    several = Lives(daemon, base)
    daemon.start(environ=several.environ)
    with daemon.client() as client:
        client.request("projects/add", {"root": str(several.world.root)})
    daemon.kill()
    lived = 0
    # On a busy machine a life may end before anything was said in it.
    while lived < lives or (lived < 5 * lives and not (several.written and several.said)):
        several.live(random.uniform(0.1, 1.5), random)
        several.check()
        lived += 1
    assert several.written, "no status was written"
    assert several.said, "nothing was said"
    daemon.start(environ=several.environ)
    with daemon.client(60) as client:
        wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index")
        client.request("cache/rescan")
        (project,) = client.request("projects/list")["items"]
        values: dict[str, Any] = client.request("metadata/get", {"entity": {"type": "project", "id": project["id"]}})[
            "values"
        ]
        assert {f"k{n}" for n in range(1, several.said + 1)} <= values.keys()
        assert client.request("tasks/get", {"id": "K-1"})["rawStatus"] == word(several.written)
        assert client.request("cache/verify")["faults"] == []
        before = dump_file(daemon.paths.database)
    assert "Traceback" not in daemon.log
    assert "journal line left out" not in daemon.log
    daemon.kill()
    daemon.paths.database.unlink()
    daemon.start(environ=several.environ)
    with daemon.client(60) as client:
        wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index")
        client.request("cache/rescan")
    after = dump_file(daemon.paths.database)
    days = before.pop("progress_days").keys()
    assert days <= after["progress_days"].keys()  # they are of the journal, where another one may have come
    same(before, after, "a new cache holds something else")
    left = [name for _, _, names in os.walk(several.world.root) for name in names if name.startswith(".ccdash-")]
    assert len(left) <= lives


def test_killed_at_any_moment(idle_daemon: Daemon, short_folder: Path) -> None:
    live_and_die(idle_daemon, short_folder, 8)
