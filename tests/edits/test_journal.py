"""The journal: what the user decided is on disk before it is acknowledged, and survives everything but its own loss."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from ccdashd.derive.alerts import Rule
from ccdashd.derive.retention import Policy
from ccdashd.edits import journal as module
from ccdashd.edits.decisions import (
    AlertEdit,
    AlertFiredEdit,
    AnyEdit,
    DayEdit,
    ExternalLinkEdit,
    LinkEdit,
    MetadataEdit,
    Name,
    ProjectEdit,
    PruneEdit,
    RetentionEdit,
    TagEdit,
    TagUse,
)
from ccdashd.edits.journal import Journal, JournalUnreadable, News
from tests.helpers import Daemon, RpcError, wait_until
from tests.ingest.world import PLACES, World

FEATURE = Name(type="feature", root="/home/me/shop", key="till")
FILE = Name(type="file", root="/srv/ünï", key="a/b.py")
SESSION = Name(type="session", key="5f3c")
RULE = Rule(name="n", metric="cost", scope="project", threshold=20.0, resolve=18.0, root="/home/me/shop", desktop=True)
EDITS: list[AnyEdit] = [
    ProjectEdit(op="add", root="/home/me/shop", name="Shop", at="2026-01-01T00:00:00.000Z"),
    ProjectEdit(op="update", root="/home/me", hidden=True),
    LinkEdit(op="make", source=SESSION, target=FEATURE, link_type="related", note='"\n☂'),
    LinkEdit(op="dismiss", source=FEATURE, target=FILE, link_type="implements"),
    ExternalLinkEdit(op="create", entity=FILE, url="https://example.com/", label="E", category="docs"),
    TagEdit(op="set", name="urgent", color="#ff0000"),
    TagEdit(op="rename", name="urgent", new_name="now"),
    TagUse(op="add", name="now", entity=FEATURE),
    MetadataEdit(entity=Name(type="project", root="/home/me/shop"), key="note", value={"a": [1, None, 2.5]}),
    MetadataEdit(entity=SESSION, key="note"),
    DayEdit(root="/home/me/shop", day=date(2026, 2, 28), tasks={"done": 2}, undated=1, features=1, progress=0.333333),
    AlertEdit(id="a", rule=RULE),
    AlertEdit(id="session-cost"),
    AlertFiredEdit(op="fired", id="f", rule="a", scope="project", value=21.5, entity=FEATURE, part="2026-01-01"),
    AlertFiredEdit(op="resolved", id="f"),
    RetentionEdit(id="old", policy=Policy(max_age_days=90, root="/home/me/shop", status="done", automatic=True)),
    RetentionEdit(id="old"),
    PruneEdit(op="prune", session=SESSION, title="T", reason="old: it is", bytes=2**40, size=1),
    PruneEdit(op="release", session=SESSION),
]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "new/journal.jsonl", home="/home/me")


def tag(name: str) -> TagEdit:
    return TagEdit(op="set", name=name)


def held(journal: Journal) -> list[AnyEdit]:
    """What a daemon that starts now finds."""
    return Journal(journal.path, home="/home/me").since("").edits


def names(edits: list[AnyEdit]) -> list[str]:
    return [edit.name for edit in edits if isinstance(edit, TagEdit)]


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# --- what is in it ---


def test_edits_of_all_kinds_come_back_in_order(journal: Journal) -> None:
    assert journal.since("") == News([], "")
    for edit in EDITS:
        journal.append(edit)
    assert held(journal) == EDITS
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_edits_that_are_written_together_are_there_together_or_not_at_all(journal: Journal) -> None:
    journal.append(tag("before"))
    position = journal.append(*EDITS)
    assert journal.since(position) == News([], position)
    assert held(journal) == [tag("before"), *EDITS]
    size = journal.path.stat().st_size
    with largest_file(size + 200), pytest.raises(OSError):
        journal.append(*EDITS)
    assert journal.path.stat().st_size == size
    assert held(journal) == [tag("before"), *EDITS]


def test_roots_below_the_home_folder_mean_those_below_the_home_of_whoever_reads(journal: Journal) -> None:
    for edit in EDITS:
        journal.append(edit)
    text = journal.path.read_text()
    assert "/home/me" not in text
    assert json.loads(text.splitlines()[7])["entity"] == {"type": "feature", "root": "~/shop", "key": "till"}
    edits = Journal(journal.path, home="/Users/you").since("").edits
    roots = [edit.root if isinstance(edit, ProjectEdit) else edit.entity.root for edit in (edits[0], edits[1], edits[7])]
    assert roots == ["/Users/you/shop", "/Users/you", "/Users/you/shop"]
    assert isinstance(edits[4], ExternalLinkEdit)
    assert edits[4].entity == FILE


@pytest.mark.parametrize(
    ("home", "root", "written"),
    [
        ("/home/me", "/home/meadow", "/home/meadow"),
        ("/home/me/", "/home/me/a", "~/a"),
        ("/", "/a", "/a"),
        ("/", "/", "/"),
        ("/home/me", "/home/me", "~"),
        ("/home/me", "/~/a", "/~/a"),
    ],
)
def test_only_the_home_folder_itself_is_written_as_such(tmp_path: Path, home: str, root: str, written: str) -> None:
    journal = Journal(tmp_path / "journal.jsonl", home=home)
    journal.append(ProjectEdit(op="add", root=root))
    assert json.loads(journal.path.read_text())["root"] == written
    assert Journal(journal.path, home=home).since("").edits == [ProjectEdit(op="add", root=root)]


def test_lines_that_are_no_edits_are_left_out(journal: Journal, caplog: pytest.LogCaptureFixture) -> None:
    journal.append(tag("a"))
    strange = [
        b"\x00\x00",
        b'{"type":"moved","op":"add"}',
        b'{"type":"tag","op":"merge","name":"x"}',
        b'{"type":"tagged","op":"add","name":"x","entity":{"type":"planet"}}',
        b"[]",
        b"\xff",
        b"[" * 100_000,
    ]
    with journal.path.open("ab") as file:
        file.write(b"\n" + b"\n".join(strange) + b"\n")
    journal.append(tag("b"))
    assert names(held(journal)) == ["a", "b"]
    assert sum("journal line left out" in message for message in caplog.messages) == len(strange)


# --- how far it was carried out ---


def test_reading_goes_on_where_it_ended(journal: Journal) -> None:
    position = journal.append(tag("mine"))
    assert journal.since(position) == News([], position)
    other = Journal(journal.path, home="/home/me")
    assert other.since(position) == News([], position)
    other.append(tag("theirs"))
    news = journal.since(position)
    assert (names(news.edits), news.anew) == (["theirs"], False)
    assert journal.since(news.position) == News([], news.position)
    assert names(held(journal)) == ["mine", "theirs"]


@pytest.mark.parametrize("length", range(0, 60, 3))
def test_a_torn_last_line_is_left_out_and_does_not_spoil_the_next(journal: Journal, length: int) -> None:
    position = journal.append(tag("first"))
    size = journal.path.stat().st_size
    journal.append(tag("torn" + 30 * "n"))
    os.truncate(journal.path, size + length)
    again = Journal(journal.path)
    assert again.since(position).edits == []
    after = again.append(tag("next"))
    assert again.since(after) == News([], after)
    assert names(held(journal)) == ["first", "next"]
    news = Journal(journal.path).since(position)
    assert (names(news.edits), news.position, news.anew) == (["next"], after, False)


def test_a_last_line_that_is_whole_but_not_ended_counts(journal: Journal) -> None:
    position = journal.append(tag("first"))
    with journal.path.open("ab") as file:
        file.write(b'{"type":"tag","op":"set","name":"by hand"}')
    news = journal.since(position)
    assert names(news.edits) == ["by hand"]
    position = journal.append(tag("last"))
    assert journal.since(position) == News([], position)
    assert names(held(journal)) == ["first", "by hand", "last"]


def changed_in_the_middle(path: Path) -> list[str]:
    line = json.loads(path.read_bytes().splitlines()[0]) | {"name": "eno"}
    del line["sum"]  # as whoever edits it by hand has to
    path.write_bytes(b"%b\n%b\n" % (json.dumps(line).encode(), path.read_bytes().splitlines()[1]))
    return ["eno", "two"]


def damaged(path: Path) -> list[str]:
    path.write_bytes(path.read_bytes().replace(b"one", b"onf"))
    return ["two"]


def replaced(path: Path) -> list[str]:
    other = Journal(path.with_name("other.jsonl"))
    for name in ("x", "y", "z"):
        other.append(tag(name))
    other.path.rename(path)
    return ["x", "y", "z"]


def cut(path: Path) -> list[str]:
    os.truncate(path, len(path.read_bytes().splitlines(keepends=True)[0]))
    return ["one"]


def emptied(path: Path) -> list[str]:
    path.write_bytes(b"")
    return []


def removed(path: Path) -> list[str]:
    path.unlink()
    return []


@pytest.mark.parametrize("change", [changed_in_the_middle, damaged, replaced, cut, emptied, removed])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_journal_that_is_another_one_is_carried_out_anew(journal: Journal, change: object, restarted: bool) -> None:
    assert callable(change)
    journal.since(journal.append(tag("one")))
    position = journal.append(tag("two"))
    expected = change(journal.path)
    if restarted:
        journal = Journal(journal.path)
    news = journal.since(position)
    assert (names(news.edits), news.anew) == (expected, True)
    assert journal.since(news.position) == News([], news.position)
    position = journal.append(tag("more"))
    assert journal.since(position) == News([], position)


def test_what_somebody_writes_between_a_look_and_an_append_is_not_passed_over(journal: Journal) -> None:
    journal.since(journal.append(tag("one")))
    Journal(journal.path).append(tag("theirs"))
    position = journal.append(tag("mine"))
    news = journal.since(position)
    assert (names(news.edits), news.anew) == (["one", "theirs", "mine"], True)


def test_an_append_whose_transaction_failed_is_taken_back(journal: Journal) -> None:
    before = journal.since("").position
    position = journal.append(tag("kept"))
    assert journal.since(position) == News([], position)
    journal.append(tag("failed"))
    assert journal.since(position) == News([], position)
    assert names(held(journal)) == ["kept"]
    last = journal.append(tag("next"))
    assert journal.since(last) == News([], last)
    assert names(held(journal)) == ["kept", "next"]
    journal.append(tag("failed too"))
    Journal(journal.path).append(tag("theirs"))
    assert names(journal.since(last).edits) == ["failed too", "theirs"]  # not the last any more: it counts
    assert before == ""


# --- when it cannot be written or read ---


def test_a_line_for_which_there_is_no_room_is_not_written(journal: Journal) -> None:
    position = journal.append(tag("first"))
    before = journal.path.read_bytes()
    for room in (0, 1, 10):
        with largest_file(len(before) + room), pytest.raises(OSError):
            journal.append(tag("second"))
        assert journal.path.read_bytes() == before
    assert journal.since(position) == News([], position)
    journal.append(tag("third"))
    assert names(held(journal)) == ["first", "third"]


def test_a_line_that_does_not_reach_the_disk_is_taken_out(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append(tag("first"))

    def fails(fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        with pytest.raises(OSError, match="Input/output error"):
            journal.append(tag("second"))
    assert names(held(journal)) == ["first"]


def test_a_journal_that_cannot_be_read_is_an_error(journal: Journal) -> None:
    journal.path.mkdir(parents=True)
    with pytest.raises(JournalUnreadable, match=r"the journal .* cannot be read: Is a directory"):
        journal.since("")


# --- compaction ---


def fill(journal: Journal, size: int) -> str:
    """Write notes until the journal has that many bytes; all but the last one are superseded. Returns the position."""
    position = journal.append(tag("filled"))
    with journal.path.open("ab") as file:
        for number in range(size // 1000 + 1):
            edit = {
                "type": "metadata",
                "entity": {"type": "session", "key": "s"},
                "key": "note",
                "value": f"{number}" + "x" * 1000,
            }
            file.write(json.dumps(edit).encode() + b"\n")
    news = journal.since(position)
    return news.position


@pytest.fixture
def large(journal: Journal) -> Journal:
    """A journal that is to be compacted, of which three lines matter and one is of a newer version."""
    for edit in EDITS[:3]:
        journal.append(edit)
    with journal.path.open("ab") as file:
        file.write(b'{"type":"moved","to":"the moon"}\n')
    fill(journal, module.COMPACT_FROM)
    return journal


def test_a_large_journal_loses_what_is_superseded(large: Journal) -> None:
    large.path.chmod(0o640)
    lines = large.path.read_bytes().splitlines(keepends=True)
    position = large.compact()
    assert large.path.read_bytes().splitlines(keepends=True) == [*lines[:5], lines[-1]]
    assert large.path.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in large.path.parent.iterdir()] == ["journal.jsonl"]
    assert position is not None
    assert large.since(position) == News([], position)
    assert Journal(large.path).since(position) == News([], position)
    position = large.append(tag("after"))
    assert large.since(position) == News([], position)
    assert large.compact() is None


def test_a_journal_behind_a_symbolic_link_stays_there(large: Journal, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.jsonl"
    large.path.rename(real)
    large.path.symlink_to(real)
    large.since("")
    assert large.compact() is not None
    assert large.path.is_symlink()
    assert real.stat().st_size < 10_000


def test_a_small_journal_is_left_alone(journal: Journal) -> None:
    fill(journal, module.COMPACT_FROM // 2)
    size = journal.path.stat().st_size
    assert journal.compact() is None
    assert journal.path.stat().st_size == size


def test_a_large_journal_most_of_which_matters_is_left_alone_until_it_grew(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def note(key: str) -> str:
        return journal.append(MetadataEdit(entity=SESSION, key=key, value="x" * 100_000))

    for number in range(12):
        position = note(f"k{number}")
    assert journal.since(position) == News([], position)
    assert journal.compact() is None
    # It is not even looked at again.
    with monkeypatch.context() as patch:
        patch.setattr(module, "live", lambda *_: pytest.fail("looked at again"))
        assert journal.compact() is None
    for _ in range(20):
        note("k")
    assert journal.compact() is not None


def test_a_journal_that_somebody_else_writes_is_not_compacted(large: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    with large.path.open("ab") as file:
        file.write(b'{"type":"tag","op":"set","name":"before"}\n')
    assert large.compact() is None
    large.since("")
    size = large.path.stat().st_size
    fsync = os.fsync

    def meanwhile(fd: int) -> None:
        fsync(fd)
        with large.path.open("ab") as file:
            file.write(b'{"type":"tag","op":"set","name":"meanwhile"}\n')

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", meanwhile)
        assert large.compact() is None
    assert large.path.stat().st_size > size
    assert names(held(large)) == ["filled", "before", "meanwhile"]
    assert [path.name for path in large.path.parent.iterdir()] == ["journal.jsonl"]


def test_a_compaction_for_which_there_is_no_room_leaves_all_as_it_was(large: Journal) -> None:
    before = large.path.read_bytes()
    with largest_file(10), pytest.raises(OSError):
        large.compact()
    assert large.path.read_bytes() == before
    assert [path.name for path in large.path.parent.iterdir()] == ["journal.jsonl"]
    assert large.compact() is not None


KILLED = """
import os, signal, sys
from pathlib import Path
from ccdashd.edits import journal

steps = int(sys.argv[2])

def step(function):
    def counted(*arguments, **named):
        global steps
        steps -= 1
        if steps < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments, **named)
    return counted

it = journal.Journal(Path(sys.argv[1]), home="/home/me")
it.since("")
for name in ("open", "fchmod", "fsync", "rename", "stat"):
    setattr(os, name, step(getattr(os, name)))
print(it.compact())
"""


def test_a_compaction_that_is_killed_at_any_step_leaves_the_old_journal_or_the_new_one(large: Journal) -> None:
    position = large.since("").position
    before = large.path.read_bytes()
    state = [edit for edit in held(large) if not isinstance(edit, MetadataEdit)]
    outcomes = []
    for steps in range(20):
        large.path.write_bytes(before)
        done = subprocess.run(
            [sys.executable, "-c", KILLED, large.path, str(steps)], capture_output=True, text=True, check=False
        )
        assert done.returncode in (0, -9), done.stderr
        outcomes.append("old" if large.path.read_bytes() == before else "new")
        news = Journal(large.path, home="/home/me").since(position)
        assert news.anew == (outcomes[-1] == "new")
        edits = held(large)
        assert [edit for edit in edits if not isinstance(edit, MetadataEdit)] == state
        assert edits[-1] == MetadataEdit(entity=Name(type="session", key="s"), key="note", value=held_note(before))
        if done.returncode == 0:
            break
    assert done.returncode == 0
    assert {"old", "new"} == set(outcomes)
    assert outcomes.count("new") >= 2  # also where the folder was not brought to disk any more
    again = Journal(large.path, home="/home/me")
    again.since("")
    assert again.compact() is None
    assert sorted(path.name for path in large.path.parent.iterdir()) == ["journal.jsonl"]


def held_note(data: bytes) -> str:
    value: str = json.loads(data.splitlines()[-1])["value"]
    return value


# --- of a running daemon: what it says of projects ---


def test_a_journal_that_cannot_be_written_decides_nothing(idle_daemon: Daemon) -> None:
    folder = idle_daemon.home / "p"
    folder.mkdir()
    data = idle_daemon.paths.data_dir
    data.parent.mkdir(parents=True)
    idle_daemon.start()
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the index")
        data.write_text("in the way")
        with pytest.raises(RpcError, match="nothing was changed, for the journal cannot be read: Not a dir") as caught:
            client.request("projects/add", {"root": str(folder)})
        assert (caught.value.code, str(data) in str(caught.value)) == (-32003, False)
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
        client.request("projects/update", {"id": named["id"], "name": "Mine"})
        assert client.request("projects/update", {"id": hidden["id"], "name": "Not long"})["name"] == "Not long"
        assert client.request("projects/update", {"id": hidden["id"], "name": " "})["name"] == hidden["name"]
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
