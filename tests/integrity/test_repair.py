"""What is damaged while no daemon runs is found by the next one, named, and repaired; all is told as before then."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from ccdashd.analytics.counters import Counters
from ccdashd.edits.decisions import TagEdit
from ccdashd.edits.journal import Journal
from tests.helpers import Client, Daemon
from tests.ingest.plan_world import PLACES as PLANS
from tests.ingest.world import PLACES, SESSIONS
from tests.integrity.test_flipped_bits import flip
from tests.integrity.world import Profile


def told(client: Client) -> list[Any]:
    """What clients see, but for what counts writes and the time."""
    answers = [
        client.request("sessions/list", {"includeSubagents": True}),
        client.request("sessions/transcript", {"id": SESSIONS[0]}),
        client.request("features/list"),
        client.request("tasks/list"),
        client.request("documents/list"),
        client.request("projects/list", {"includeHidden": True}),
        client.request("links/list", {"type": "session", "id": SESSIONS[0]}),
        client.request("tags/list"),
        client.request("search/query", {"query": "till", "order": "newest"}),
    ]
    return [_plain(answer) for answer in answers]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key not in ("revision", "index")}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def settled(client: Client) -> Client:
    """The client, when all is indexed."""
    client.request("cache/rescan")
    while not client.request("search/query", {"query": "till"})["index"]["complete"]:
        pass
    return client


def test_everything_at_once(profile: Profile, daemon: Daemon) -> None:
    paths = profile.paths
    with daemon.start().client(60) as client:
        before = told(settled(client))
    daemon.kill(15)
    journal = paths.journal.read_bytes()
    with closing(sqlite3.connect(paths.database)) as database:
        database.execute("UPDATE sessions SET records = records + 1")
        # Of all logs but the one that is gone and was never copied.
        sources = "(SELECT id FROM sync_state WHERE path NOT LIKE ?)"
        update = f"UPDATE session_messages SET model = 'x' || model WHERE file_id IN {sources}"
        database.execute(update, (f"%{SESSIONS[2]}.jsonl",))
        database.commit()
    chunk = next(path for path in chunks(profile) if is_there(profile, path))
    manifest = next(file for file in map(Path, profile.archive.manifest_files()) if chunk.stem not in file.read_text())
    for path in (chunk, manifest, paths.journal, paths.counters):
        flip(path, path.stat().st_size * 4)
    flip(paths.text_index, 8 * 4096 * 3 + 77)

    with daemon.start().client(60) as client:
        result = client.request("cache/verify", {"repair": True})
        assert result["ok"], "\n".join(map(str, result["faults"]))
        assert {fault["part"] for fault in result["faults"]} >= {"cache", "archive", "journal", "counters"}
        named = {fault["where"] for fault in result["faults"]}
        assert named >= {"cache.db: sessions", "cache.db: session_messages", str(chunk), str(manifest), str(paths.journal)}
        assert all(fault["repaired"] for fault in result["faults"])
        assert all(Path(path).exists() for path in result["kept"])
        assert told(settled(client)) == before
    assert paths.journal.read_bytes() == journal
    assert "Traceback" not in daemon.log


def chunks(profile: Profile) -> list[Path]:
    return [Path(entry.path) for entry in profile.archive.chunks.all()]


def is_there(profile: Profile, chunk: Path) -> bool:
    """Whether a chunk is one of a log that is there."""
    return any(
        Path(manifest.log).exists() and any(chunk.stem == one.hash for one in manifest.newest.chunks)
        for manifest in profile.archive.manifests()
    )


def test_what_is_lost_is_said(profile: Profile, daemon: Daemon) -> None:
    journal = profile.paths.journal
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join([*lines[:2], lines[2].replace(b"urgent", b"tnegru"), *lines[3:]]))
    chunk = next(path for path in chunks(profile) if not is_there(profile, path))
    flip(chunk, 800)
    with closing(sqlite3.connect(profile.paths.database)) as database:
        gone = "(SELECT id FROM sync_state WHERE state = 'gone' AND path LIKE ?)"
        values = (f"%{SESSIONS[2]}.jsonl",)
        assert database.execute(f"UPDATE diagnostics SET message = 'x' WHERE file_id IN {gone}", values).rowcount
        database.commit()

    with daemon.start().client(60) as client:
        result = client.request("cache/verify", {"repair": True})
        faults = {fault["part"]: fault for fault in result["faults"]}
        assert result["faults"] and not result["ok"]
        assert faults["journal"]["repaired"] and "what it said is lost" in faults["journal"]["repair"]
        (aside,) = [path for path in result["kept"] if "journal" in path]
        assert b"tnegru" in Path(aside).read_bytes()
        assert client.request("tags/list")["items"][0]["count"] == 0
        assert faults["cache"]["repaired"] and SESSIONS[2] in faults["cache"]["where"]
        assert "its log is gone" in faults["cache"]["problem"]
        assert client.request("sessions/get", {"id": SESSIONS[2]})["id"] == SESSIONS[2], "it stays as it is"
        assert not faults["archive"]["repaired"] and faults["archive"]["where"] == str(chunk)
        assert "the log is gone" in faults["archive"]["repair"]
        assert client.request("sessions/get", {"id": SESSIONS[1]})["id"] == SESSIONS[1], "the cache has what it read"
    assert journal.read_bytes() == b"".join(lines[:2] + lines[3:])


def test_a_cache_without_its_tables_is_made_anew_at_once(profile: Profile, daemon: Daemon) -> None:
    data = profile.paths.database.read_bytes()
    # What every reader asks for is not there.
    profile.paths.database.write_bytes(data.replace(b"parsed_to BIGINT", b"parsed_tp BIGINT"))
    with daemon.start().client(60) as client:
        client.request("cache/rescan")
        there = {session["id"] for session in client.request("sessions/list")["items"]}
        assert SESSIONS[0] in there and SESSIONS[1] in there, "one is there, the other has a copy"
        assert SESSIONS[2] not in there
        assert client.request("tags/list")["items"][0]["name"] == "urgent"


def test_what_changes_meanwhile_is_no_fault(profile: Profile, daemon: Daemon) -> None:
    with daemon.start().client(60) as client:
        client.request("cache/rescan")
        asked = client.send("cache/verify")
        for number in range(20):
            profile.logs.append(PLACES[0], ["prompt", "answer"])
            profile.plans.write(PLANS[0], "list", number)
            client.request("tags/create", {"name": f"t{number}"})
        assert client.result(asked)["faults"] == []


def test_counters_are_told_from_before(profile: Profile) -> None:
    path = profile.paths.counters
    assert json.loads(path.read_bytes())["sum"]
    assert Counters(path).damage is None
    flip(path, 600)
    assert "checksum" in str(Counters(path).damage)


def test_an_edit_of_before_has_no_checksum(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"type":"tag","op":"set","name":"old"}\n')
    journal = Journal(path, home="/home/me")
    assert journal.since("").edits == [TagEdit(op="set", name="old")]
    assert journal.mend() is None
