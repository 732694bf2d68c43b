"""What one daemon exports, another imports: all about the sessions is told as before, also from nothing but the archive."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdashd.archive.archive import Archive
from tests.archive.test_daemon import made_up
from tests.archive.told import indexed, told
from tests.e2e.genuine import install
from tests.helpers import Client, Daemon, RpcError, wait_until
from tests.store.edited import Clock, Session

EVERY = 5
"""One of so many entries is asked for with its whole payload."""

CORPUS = os.environ.get("CCDASH_CORPUS", "")


class Machines:
    """Two daemons below one folder, and bundles that go from one to the other."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bundle = folder / "all.tar.zst"
        (folder / "a").mkdir()
        (folder / "b").mkdir()
        self.one = Daemon(folder / "a")
        self.other = Daemon(folder / "b")
        self.logs = self.one.home / ".claude" / "projects"

    def export(self, client: Client, what: str = "all", id: str | None = None, **options: Any) -> Any:
        given = {"what": what, "id": id, "path": str(self.bundle), "replace": True}
        return client.request("archive/export", {**given, **options})

    def import_(self, client: Client, conflict: str = "skip", **options: Any) -> Any:
        return client.request("archive/import", {"path": str(self.bundle), "conflict": conflict, **options})


@pytest.fixture
def machines() -> Iterator[Machines]:
    folder = Path(tempfile.mkdtemp(prefix="ccb", dir="/tmp"))
    machines = Machines(folder)
    yield machines
    machines.one.close()
    machines.other.close()
    shutil.rmtree(folder)


def opened(daemon: Daemon) -> Client:
    client = daemon.start().client(60)
    indexed(client)
    wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the first scan")
    return client


def actions(result: Any) -> set[str]:
    return {session["action"] for session in result["sessions"]}


def say(client: Client, sessions: list[str]) -> None:
    """Links, tags and notes of every kind on sessions."""
    first, second = ({"type": "session", "id": id} for id in sessions[:2])
    client.request("tags/create", {"name": "Keep", "color": "#ff0000"})
    client.request("tags/add", {"name": "keep", "entity": first})
    client.request("tags/add", {"name": "plain", "entity": second})
    client.request("metadata/set", {"entity": first, "key": "note", "value": "Worth a look"})
    client.request("metadata/set", {"entity": first, "key": "rating", "value": 4})
    client.request("links/create", {"source": first, "target": second, "linkType": "related", "note": "see"})
    client.request("externalLinks/create", {"entity": second, "url": "https://github.com/a/b/pull/7"})


def said(client: Client, sessions: list[str]) -> list[Any]:
    refs = [{"type": "session", "id": id} for id in sessions]
    return [
        [client.request("tags/list", ref)["items"] for ref in refs],
        [client.request("metadata/get", {"entity": ref})["values"] for ref in refs],
        [[(i["source"], i["target"], i["note"]) for i in client.request("links/list", ref)["items"]] for ref in refs],
        [[(i["url"], i["label"]) for i in client.request("externalLinks/list", ref)["items"]] for ref in refs],
    ]


def round_trip(machines: Machines, files: list[str]) -> None:
    """Export all; import it at a machine where everything has the same place, and nothing but the bundle is there."""
    one = machines.one
    with opened(one) as client:
        mains = [row["id"] for row in client.request("sessions/list", {"limit": 500, "includeEmpty": True})["items"]]
        say(client, mains)
        before, words = told(client, files, EVERY), said(client, mains[:2])
        done = machines.export(client)
        assert done["problems"] == []
        assert done["edits"] == 7
    one.kill()
    for folder in (one.home / ".claude", one.home / ".cache", one.home / ".local"):
        shutil.rmtree(folder, ignore_errors=True)
    with opened(one) as client:
        assert client.request("sessions/list", {})["total"] == 0
        dry = machines.import_(client, dryRun=True)
        assert client.request("sessions/list", {})["total"] == 0
        result = machines.import_(client)
        assert (dry["sessions"], dry["edits"]) == (result["sessions"], result["edits"])
        assert actions(result) == {"added"}
        assert result["edits"] == 7
        same(before, words, client, files, mains)
        again = machines.import_(client)
        assert (actions(again), again["edits"]) == ({"same"}, 0)
        assert again["revision"] == result["revision"], "nothing was written"
    one.kill()
    for file in one.paths.cache_dir.iterdir():
        file.unlink()
    with opened(one) as client:
        same(before, words, client, files, mains)
        assert client.request("cache/verify")["ok"]
        assert machines.export(client)["problems"] == []
    assert not (one.home / ".claude").exists()


def same(before: dict[str, Any], words: list[Any], client: Client, files: list[str], mains: list[str]) -> None:
    assert said(client, mains[:2]) == words
    now = told(client, files, EVERY)
    assert now.keys() == before.keys()
    for name in before:
        assert now[name] == before[name], name


def test_a_round_trip(machines: Machines) -> None:
    _, files = made_up(machines.one.home)
    round_trip(machines, files)


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS, reason="CCDASH_CORPUS names no folder of real logs")
def test_a_round_trip_of_real_logs(machines: Machines) -> None:
    for number, path in enumerate(install(Path(CORPUS), machines.one.home)):
        if number % 4:
            path.unlink()
    round_trip(machines, [])


# --- two that run ---


class Pair(Machines):
    """Two daemons that run, of which the first has logs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clock = Clock()
        for daemon in (self.one, self.other):
            (daemon.home / "shop" / ".git").mkdir(parents=True)
        self.client = opened(self.one)
        self.there = opened(self.other)

    def session(self, words: str = "Find the leak") -> Session:
        session = Session(self.clock, str(self.one.home / "shop"))
        session.prompt(words)
        return self.go_on(session, "It is in the pump.")

    def go_on(self, session: Session, words: str) -> Session:
        session.say(words)
        session.save(self.logs)
        wait_until(lambda: words in self.texts(self.client, session.id), "the new record")
        return session

    def texts(self, client: Client, id: str) -> list[str]:
        try:
            return [entry["text"] for entry in client.request("sessions/transcript", {"id": id})["items"]]
        except RpcError:
            return []

    def taken(self, conflict: str = "skip", **options: Any) -> str:
        (session,) = self.import_(self.there, conflict, **options)["sessions"]
        return str(session["action"])


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    folder = Path(tempfile.mkdtemp(prefix="ccb", dir="/tmp"))
    pair = Pair(folder)
    yield pair
    for client in (pair.client, pair.there):
        client.close()
    pair.one.close()
    pair.other.close()
    shutil.rmtree(folder)


def test_another_machine_has_its_own_home(pair: Pair) -> None:
    """Logs go below its own folder of logs, and what was said of a project to where it has that project."""
    session = pair.session()
    project = pair.client.request("projects/add", {"root": str(pair.one.home / "shop")})["id"]
    there = pair.there.request("projects/add", {"root": str(pair.other.home / "shop")})["id"]
    pair.client.request("tags/add", {"name": "home", "entity": {"type": "project", "id": project}})
    pair.client.request("metadata/set", {"entity": {"type": "session", "id": session.id}, "key": "note", "value": "n"})
    result = pair.export(pair.client, "project", project)
    assert result["edits"] == 2
    pair.import_(pair.there)
    got, origin = (client.request("sessions/get", {"id": session.id}) for client in (pair.there, pair.client))
    assert [path.replace("/b/h/.claude", "/a/h/.claude") for path in got["sourceFiles"]] == origin["sourceFiles"]
    assert (got["tokens"], got["title"], got["sourceGone"]) == (origin["tokens"], origin["title"], True)
    assert pair.texts(pair.there, session.id) == pair.texts(pair.client, session.id)
    tags = pair.there.request("tags/list", {"type": "project", "id": there})["items"]
    assert [tag["name"] for tag in tags] == ["home"]


def test_conflicts(pair: Pair) -> None:
    session, more = pair.session(), "And in the tap."

    def messages() -> list[int]:
        return [client.request("cache/status")["messages"] for client in (pair.client, pair.there)]

    pair.export(pair.client, "session", session.id)
    assert pair.taken() == "added"
    before = messages()
    pair.go_on(session, more)
    pair.export(pair.client, "session", session.id)
    assert pair.taken() == "skipped"
    assert more not in pair.texts(pair.there, session.id)

    (kept,) = pair.import_(pair.there, "keepBoth")["sessions"]
    assert kept["action"] == "keptBoth"
    assert more in pair.texts(pair.there, kept["newId"])
    assert more not in pair.texts(pair.there, session.id)
    assert pair.import_(pair.there, "keepBoth")["sessions"] == [{**kept, "action": "same"}]
    # What both hold is counted once, as with forks that agents make.
    assert messages() == [number + 1 for number in before]

    assert pair.taken("replace", dryRun=True) == "replaced"
    assert more not in pair.texts(pair.there, session.id)
    assert pair.taken("replace") == "replaced"
    assert more in pair.texts(pair.there, session.id)
    assert pair.taken() == "same"
    assert pair.there.request("cache/verify")["ok"]


def test_the_log_of_an_agent_is_never_touched(pair: Pair) -> None:
    session, client = pair.session(), pair.client
    pair.export(client, "session", session.id)
    log = session.log(pair.logs)
    log.write_bytes(log.read_bytes().replace(b"pump", b"roof"))
    wait_until(lambda: any("roof" in text for text in pair.texts(client, session.id)), "the rewritten log")
    before, logs = (log.read_bytes(), log.stat().st_mtime_ns), sorted(pair.logs.rglob("*"))
    for conflict in ("skip", "replace", "keepBoth"):
        pair.import_(client, conflict)
        assert (log.read_bytes(), log.stat().st_mtime_ns) == before
    assert sorted(pair.logs.rglob("*")) == logs
    assert any("roof" in text for text in pair.texts(client, session.id))


def test_what_was_pruned_can_be_imported_again(pair: Pair) -> None:
    session = pair.session()
    pair.export(pair.client, "session", session.id)
    assert pair.taken() == "added"
    prune = {"sessions": [session.id], "apply": True}
    wait_until(lambda: pair.there.request("archive/prune", prune)["items"], "the prune")
    assert pair.texts(pair.there, session.id) == []
    assert pair.taken() == "added"
    pair.there.request("archive/prune", {"policy": {"id": "other", "maxAgeDays": 10_000}, "apply": True})
    assert pair.texts(pair.there, session.id) == pair.texts(pair.client, session.id)


def test_an_import_of_a_daemon_that_is_killed_is_carried_on(pair: Pair) -> None:
    session = pair.session()
    note = {"entity": {"type": "session", "id": session.id}, "key": "note", "value": "Worth it"}
    pair.client.request("metadata/set", note)
    pair.export(pair.client, "session", session.id)
    archive = Archive(pair.other.paths.archive)
    path = str(session.log(pair.other.home / ".claude" / "projects"))
    pair.there.send("archive/import", {"path": str(pair.bundle)})
    wait_until(lambda: archive.manifest(path), "the copy in the archive")
    pair.other.kill()
    pair.there.close()
    pair.there = opened(pair.other)
    assert pair.texts(pair.there, session.id) == pair.texts(pair.client, session.id)
    assert pair.taken() == "same"
    assert pair.there.request("metadata/get", {"entity": note["entity"]})["values"] == {"note": "Worth it"}


def test_bundles_that_are_damaged_change_nothing(pair: Pair) -> None:
    session = pair.session()
    pair.export(pair.client, "session", session.id)
    data = pair.bundle.read_bytes()
    for bad in (data[:-1], data[:60], bytes([*data[:300], data[300] ^ 1, *data[301:]]), b"", b"no bundle" * 50):
        pair.bundle.write_bytes(bad)
        with pytest.raises(RpcError, match="nothing was imported") as refused:
            pair.import_(pair.there)
        assert refused.value.code == -32602
    pair.bundle.unlink()
    with pytest.raises(RpcError, match="there is no such file"):
        pair.import_(pair.there)
    assert pair.texts(pair.there, session.id) == []


def test_exports_that_cannot_be(pair: Pair) -> None:
    for options, problem in (
        ({"path": "relative.tar.zst"}, "absolute"),
        ({"path": "/tmp/x.zip"}, "must end with .tar.zst"),
        ({"path": f"{pair.folder}/no/x.tar.zst"}, "no folder"),
        ({"path": "/proc/x.tar.zst"}, "nothing was written"),
        ({"id": "x"}, "names nothing"),
        ({"what": "session", "id": None}, "must name the session"),
        ({"what": "session", "id": "nosuch"}, "no session"),
        ({"what": "feature", "id": "nosuch"}, "no feature"),
        ({"what": "project", "id": "nosuch"}, "no project"),
    ):
        with pytest.raises(RpcError, match=problem):
            pair.export(pair.client, **{"what": "all", "id": None, **options})
    pair.export(pair.client)
    with pytest.raises(RpcError, match="is there already") as refused:
        pair.export(pair.client, replace=False)
    assert refused.value.code == -32002
    link = pair.folder / "last.tar.zst"
    link.symlink_to(pair.bundle)
    pair.export(pair.client, path=str(link))
    assert link.is_symlink()
    link.unlink()
    assert sorted(path.name for path in pair.folder.iterdir() if path.is_file()) == ["all.tar.zst"]


def test_a_redacted_session_is_read_by_another_machine(pair: Pair) -> None:
    key = "ghp_" + "aB3" * 12
    session = pair.session(f"Use {key}, says mona@louvre.fr")
    result = pair.export(pair.client, "session", session.id, redact=True)
    # Once in the log, once in the title.
    assert result["redactions"]["counts"].items() >= {"github-token": 2, "email": 2}.items()
    assert pair.taken() == "added"
    assert pair.texts(pair.there, session.id)[0] == "Use [redacted:github-token], says [redacted:email]"
    got, origin = (client.request("sessions/get", {"id": session.id}) for client in (pair.there, pair.client))
    assert got["tokens"] == origin["tokens"]
    assert key not in str(got)


def test_progress_is_told_and_nothing_is_left_of_what_is_cancelled(pair: Pair) -> None:
    session = pair.session()
    for _ in range(12):
        session.say("x" * 1_000_000)
    session.save(pair.logs)
    wait_until(lambda: pair.client.request("cache/status")["sourceBytes"] > 12_000_000, "the large log")
    pair.export(pair.client, "session", session.id, redact=True, workDoneToken="t")
    kinds = [m["params"]["value"]["kind"] for m in pair.client.notifications if m["method"] == "$/progress"]
    assert kinds[:1] == ["begin"]
    assert kinds[-1:] == ["end"]
    target = pair.folder / "cut.tar.zst"
    given = {"what": "session", "id": session.id, "path": str(target), "redact": True}
    asked = pair.client.send("archive/export", given)
    part = pair.folder / "cut.tar.zst.part"
    wait_until(part.exists, "the file that is being written")
    pair.client.notify("$/cancelRequest", {"id": asked})
    wait_until(lambda: not part.exists(), "the end of the export")
    assert not target.exists()
