"""Prunes of the running daemon: killed in the middle, after a rebuild, and beside what copies logs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdashd.archive.archive import Archive
from ccdashd.archive.copy import Copier
from ccdashd.clock import now
from tests.helpers import Client, Daemon, wait_until
from tests.store.edited import START, Clock, Session


class House:
    """A daemon, and sessions that it copied."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon
        self.logs = daemon.home / ".claude/projects"
        self.clock = Clock()
        self.archive = Archive(daemon.paths.archive)

    def session(self, word: str) -> Session:
        session = Session(self.clock, str(self.daemon.folder / "shop"))
        session.prompt(f"Find the {word}")
        session.say(f"The {word} is here. " * 2000)
        self.save(session)
        return session

    def save(self, session: Session) -> None:
        """Write its log, as if that were long ago: what is being written is not pruned."""
        path = session.save(self.logs)
        os.utime(path, (START.timestamp(), START.timestamp() + len(session.records)))

    def log(self, session: Session) -> Path:
        return session.log(self.logs)

    def copy(self) -> None:
        """Copy all logs, as the daemon does."""
        with self.archive.writing() as staging:
            copier = Copier(self.archive, staging, now)
            for path in self.logs.rglob("*.jsonl"):
                copier.copy(str(path))
            copier.settle()

    def start(self) -> None:
        self.daemon.start()
        with self.daemon.client() as client:
            wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the index")

    @property
    def copied(self) -> set[str]:
        return {Path(manifest.path).stem for manifest in self.archive.manifests()}

    def taken(self, folder: Path) -> int:
        return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def house(idle_daemon: Daemon) -> Iterator[House]:
    yield House(idle_daemon)


def prune(client: Client, *sessions: Session) -> Any:
    return client.request("archive/prune", {"sessions": [session.id for session in sessions], "apply": True})


def ids(client: Client) -> set[str]:
    return {session["id"] for session in client.request("sessions/list")["items"]}


def found(client: Client, word: str) -> int:
    """Records that hold a word, in logs and copies."""
    return int(client.request("search/deep", {"pattern": word})["found"])


def test_of_a_session_whose_log_is_gone_no_trace_is_left(house: House) -> None:
    gone, stays = house.session("zeppelin"), house.session("airship")
    house.start()
    with house.daemon.client() as client:
        client.request("archive/run", {"all": True})
        assert house.copied == {gone.id, stays.id}
        house.log(gone).unlink()
        client.request("cache/rescan")
        assert found(client, "zeppelin") > 0 and found(client, "airship") > 0
        before = house.taken(house.daemon.paths.archive)
        result = prune(client, gone)
        assert result["items"][0]["gone"] and result["freedBytes"] > 0
        assert before - house.taken(house.daemon.paths.archive) == result["items"][0]["bytes"]
        assert ids(client) == {stays.id} and house.copied == {stays.id}
        assert found(client, "zeppelin") == 0 and found(client, "airship") > 0
        client.request("cache/rebuild")
        assert ids(client) == {stays.id}


def test_a_session_that_was_pruned_is_copied_again_when_its_log_grew(house: House) -> None:
    session = house.session("zeppelin")
    house.start()
    with house.daemon.client() as client:
        client.request("archive/run", {"all": True})
        assert [item["id"] for item in prune(client, session)["items"]] == [session.id]
        assert house.copied == set() and ids(client) == {session.id}
        client.request("archive/run", {"all": True})
        assert house.copied == set()
        assert client.request("archive/status")["excludedLogs"] == 1
        session.prompt("One more thing")
        house.save(session)
        client.request("cache/rescan")
        client.request("archive/run", {"all": True})
        assert house.copied == {session.id}


def test_a_prune_that_was_killed_in_the_middle_is_finished(house: House) -> None:
    gone, there, stays = house.session("zeppelin"), house.session("balloon"), house.session("airship")
    house.copy()
    house.log(gone).unlink()
    house.start()
    with house.daemon.client() as client, house.archive.writing():
        client.send("archive/prune", {"sessions": [gone.id, there.id], "apply": True})
        journal = house.daemon.paths.journal
        wait_until(lambda: journal.exists() and there.id in journal.read_text(), "the lines of the journal")
        house.daemon.kill()
    assert house.copied == {gone.id, there.id, stays.id}
    for path in house.daemon.paths.cache_dir.iterdir():
        path.unlink()
    house.start()
    with house.daemon.client() as client:
        assert prune(client)["items"] == []
        assert house.copied == {stays.id} and ids(client) == {there.id, stays.id}
        assert [item["id"] for item in client.request("archive/prunes")["items"]] == [there.id, gone.id]
        used = {chunk.hash for m in house.archive.manifests() for version in m.versions for chunk in version.chunks}
        assert {entry.name.removesuffix(".zst") for entry in house.archive.chunks.all()} == used
