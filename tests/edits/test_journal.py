"""The journal: what the user decided is on disk before it is acknowledged, and survives everything but its own loss."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ccdashd.edits.decisions import ProjectEdit
from ccdashd.edits.journal import Journal
from tests.helpers import Daemon, wait_until
from tests.ingest.world import PLACES, World


def roots(journal: Journal) -> list[str]:
    return [edit.root for edit in journal.read()]


def test_edits_come_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "new/journal.jsonl")
    assert journal.read() == []
    edits = [
        ProjectEdit(op="add", root="/a", name="A"),
        ProjectEdit(op="update", root="/ä", hidden=True),
        ProjectEdit(op="remove", root="/a"),
    ]
    for edit in edits:
        journal.append(edit)
    assert journal.read() == edits
    assert all(edit.at for edit in edits)
    assert (tmp_path / "new/journal.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("length", range(0, 60, 7))
def test_a_torn_last_line_is_left_out_and_does_not_spoil_the_next(tmp_path: Path, length: int) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(ProjectEdit(op="add", root="/first"))
    size = journal.path.stat().st_size
    journal.append(ProjectEdit(op="add", root="/torn"))
    os.truncate(journal.path, size + length)
    assert roots(journal) == ["/first"]
    journal.append(ProjectEdit(op="add", root="/next"))
    assert roots(journal) == ["/first", "/next"]


def test_reading_goes_on_where_it_ended(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    assert journal.since(0) == ([], 0)
    first, second = ProjectEdit(op="add", root="/first"), ProjectEdit(op="add", root="/second")
    end = journal.append(first)
    assert end == journal.path.stat().st_size
    assert journal.since(0) == ([first], end)
    assert journal.since(end) == ([], end)
    with journal.path.open("ab") as file:
        file.write(b'{"type":"pro')
    edits, torn = journal.since(end)
    assert (edits, torn) == ([], end + 12)
    last = journal.append(second)
    assert journal.since(end) == journal.since(torn) == ([second], last)
    assert journal.since(last + 1) == ([first, second], last)
    journal.path.unlink()
    assert journal.since(last) == ([], 0)


def test_lines_that_are_no_edits_are_left_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(ProjectEdit(op="add", root="/a"))
    with journal.path.open("ab") as file:
        file.write(b'\n\x00\x00\n{"type":"tag","op":"add"}\n[]\n\xff\n')
    journal.append(ProjectEdit(op="add", root="/b"))
    assert roots(journal) == ["/a", "/b"]


def test_a_journal_that_cannot_be_written_decides_nothing(idle_daemon: Daemon) -> None:
    folder = idle_daemon.home / "p"
    folder.mkdir()
    data = idle_daemon.paths.data_dir
    data.parent.mkdir(parents=True)
    idle_daemon.start()
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the index")
        data.write_text("in the way")
        with pytest.raises(Exception, match="could not be written to the journal"):
            client.request("projects/add", {"root": str(folder)})
        assert client.request("projects/list")["items"] == []
        data.unlink()
        assert client.request("projects/add", {"root": str(folder)})["origin"] == "added"


def test_a_journal_that_cannot_be_read_is_not_taken_for_an_empty_one(idle_daemon: Daemon) -> None:
    journal = idle_daemon.paths.journal
    journal.mkdir(parents=True)
    idle_daemon.start()
    with idle_daemon.client() as client:
        (problem,) = wait_until(lambda: client.request("ccdash/status")["problems"], "a problem")
        assert problem["problem"] == f"the journal {journal} cannot be read: Is a directory"
        journal.rmdir()
        wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the index")


def test_decisions_survive_the_loss_of_the_cache(idle_daemon: Daemon) -> None:
    world = World(idle_daemon.home / ".claude/projects")
    for place in PLACES[:4]:
        world.append(place, ["prompt", "answer", "prompt", "prompt"])
    added = idle_daemon.home / "p"
    added.mkdir()
    listed = {"includeHidden": True}
    idle_daemon.start()
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the index")
        client.request("cache/rescan")
        hidden, named = client.request("projects/list")["items"][:2]
        client.request("projects/update", {"id": hidden["id"], "hidden": True})
        client.request("projects/update", {"id": named["id"], "name": "Mine"})
        client.request("projects/add", {"root": str(added), "name": "Other"})
        before = client.request("projects/list", listed)["items"]
    for _ in range(2):
        assert idle_daemon.kill(15) == 0
        for path in idle_daemon.paths.cache_dir.glob("cache.db*"):
            path.unlink()
        idle_daemon.start()
        with idle_daemon.client() as client:
            wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the index")
            client.request("cache/rescan")
            assert client.request("projects/list", listed)["items"] == before
    assert {project["name"] for project in before} >= {"Mine", "Other"}
    assert sum(project["hidden"] for project in before) == 1


def test_what_the_journal_holds_is_carried_out_even_if_the_cache_did_not_hear_of_it(idle_daemon: Daemon) -> None:
    idle_daemon.start()
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the index")
    assert idle_daemon.kill(15) == 0
    journal = Journal(idle_daemon.paths.journal)
    journal.append(ProjectEdit(op="add", root="/one"))
    idle_daemon.start()
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the index")
        (one,) = client.request("projects/list")["items"]
        journal.append(ProjectEdit(op="add", root="/two"))
        client.request("projects/update", {"id": one["id"], "name": "First"})
        listed = client.request("projects/list")["items"]
    assert [(project["root"], project["name"]) for project in listed] == [("/one", "First"), ("/two", "two")]
