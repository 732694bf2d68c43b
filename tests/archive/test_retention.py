"""What is pruned is gone from archive, cache and journal's future, and nothing else is: with real logs and real files."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from ccdashd.archive import chunks
from ccdashd.archive import retention as module
from ccdashd.archive.archive import Archive
from ccdashd.archive.copy import Copier
from ccdashd.clock import now
from ccdashd.derive.retention import Policy
from ccdashd.edits.decisions import Name, PruneEdit, RetentionEdit, TagUse
from ccdashd.errors import Busy
from ccdashd.protocol import types as t
from ccdashd.store import prunes, retention
from tests.archive.world import lines
from tests.helpers import wait_until
from tests.ingest.caches import Cache
from tests.store.edited import START, Clock, Session

ALL = {"": Policy(max_sessions=0)}


class Desk:
    """A cache in this process, an archive, and logs of sessions, each a day younger than the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.cache = Cache(folder / "c", self.logs)
        self.archive = Archive(self.cache.paths.archive)
        self.clock = Clock()
        self._written = 0

    @property
    def retention(self) -> module.Retention:
        return self.cache.app.retention

    def session(self, words: str = "Do it", *, cwd: str = "/p", size: int = 20_000, agents: int = 0) -> Session:
        """Write a session, and sub-agents of it."""
        session = Session(self.clock, cwd)
        session.prompt(words)
        session.say("x" * size)
        for number in range(agents):
            agent = Session(self.clock, cwd, id=session.id, agent_id=f"a{number}")
            agent.prompt(f"Help {number}")
            self.save(agent)
        self.save(session)
        return session

    def save(self, session: Session) -> Path:
        path = session.save(self.logs)
        self._written += 1
        at = START.timestamp() + self._written
        os.utime(path, (at, at))
        return path

    def copy(self) -> None:
        """Copy all logs into the archive."""
        with self.archive.writing() as staging:
            copier = Copier(self.archive, staging, now)
            for path in sorted(self.logs.rglob("*.jsonl")):
                copier.copy(str(path))
            copier.settle()

    async def delete(self, *sessions: Session) -> None:
        """The agent deletes the logs of these sessions, and the daemon notices."""
        for session in sessions:
            for path in (session.log(self.logs), *self.logs.rglob(f"{session.id}/subagents/*.jsonl")):
                path.unlink()
        await self.cache.scan()

    async def prune(self, *sessions: Session, apply: bool = True, **policy: Any) -> t.PruneResult:
        policies = {"p": Policy(**policy)} if policy else ALL
        ids = [session.id for session in sessions] or None
        return await self.retention.prune(policies, ids, apply=apply)

    async def known(self) -> set[str]:
        """The main sessions that the cache has."""
        return set(await self.cache.app.database.read(lambda connection, _: retention.sessions(connection)))

    async def next_run_at(self) -> str:
        return await self.cache.app.database.read(lambda c, _: self.retention.next_run_at(c)) or ""

    async def kept_out(self) -> set[str]:
        return await self.cache.app.database.read(lambda connection, _: prunes.kept_out(connection))

    @property
    def copied(self) -> set[str]:
        """Names of the logs that there are copies of."""
        return {Path(manifest.path).stem for manifest in self.archive.manifests()}

    @property
    def taken(self) -> int:
        """Bytes on disk of the archive's files, whatever they are."""
        return sum(
            on_disk(path)
            for place in ("logs", "chunks", "tmp")
            for path in Path(self.archive.folder, place).rglob("*")
            if path.is_file()
        )


def on_disk(path: Path) -> int:
    return path.stat().st_blocks * 512


def at(desk: Desk, script: Callable[[], Awaitable[None]]) -> None:
    """Run a script on the open cache of a desk."""

    async def run() -> None:
        await desk.cache.open()
        try:
            await script()
        finally:
            await desk.cache.close()

    asyncio.run(run())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_of_a_session_whose_log_is_gone_nothing_is_left(desk: Desk) -> None:
    gone, stays = desk.session("secret plan", agents=2), desk.session()
    desk.copy()

    async def script() -> None:
        await desk.delete(gone)
        before = desk.taken
        (planned,) = (await desk.prune(gone, apply=False)).items
        assert (planned.title, planned.gone, planned.linked, planned.reason) == ("secret plan", True, False, "asked for")
        assert desk.copied == {gone.id, stays.id, "agent-a0", "agent-a1"}, "nothing was deleted yet"
        done = await desk.prune(gone)
        assert done.applied and done.items == [planned] and done.problems == []
        assert desk.copied == {stays.id}
        assert 0 < before - desk.taken == planned.bytes <= done.freed_bytes
        assert await desk.known() == {stays.id}
        tables = await desk.cache.dump()
        held = {name: rows for name, rows in tables.items() if name != "prunes"}
        assert gone.id not in str(held) and "secret plan" not in str(held)
        assert await desk.kept_out() == set(), "nothing is left that could be copied again"

    at(desk, script)
    desk.cache.paths.database.unlink()

    async def rebuilt() -> None:
        assert await desk.known() == {stays.id}
        page = await desk.cache.app.database.read(lambda c, revision: prunes.page(c, t.PrunesParams(), revision))
        assert [(item.id, item.title) for item in page.items] == [(gone.id, "secret plan")]

    at(desk, rebuilt)


def test_the_cache_gives_the_space_of_what_is_gone_back(desk: Desk) -> None:
    session = desk.session()
    for number in range(300):
        session.say(lines(8_000, number).decode())
    desk.save(session)
    desk.copy()
    database = desk.cache.paths.database

    async def script() -> None:
        await desk.delete(session)
        await desk.cache.app.database.checkpoint()
        before, copies = on_disk(database), desk.taken
        done = await desk.prune(session)
        assert before - on_disk(database) > 500_000
        assert done.freed_bytes == before - on_disk(database) + copies - desk.taken

    at(desk, script)


def test_a_session_whose_log_is_there_stays_and_is_kept_out_until_the_log_grows(desk: Desk) -> None:
    session = desk.session(agents=1)
    desk.copy()
    log = session.log(desk.logs)

    async def script() -> None:
        written = log.read_bytes()
        (item,) = (await desk.prune(session)).items
        assert not item.gone and log.read_bytes() == written
        assert desk.copied == set() and await desk.known() == {session.id}
        await desk.retention.release()
        assert await desk.kept_out() == {session.id}
        assert (await desk.prune(session)).kept == {"uncopied": 1}
        session.prompt("One more thing")
        desk.save(session)
        await desk.cache.scan()
        await desk.retention.release()
        assert await desk.kept_out() == set()

    at(desk, script)


def test_what_was_pruned_is_forgotten_when_the_agent_deletes_its_log_too(desk: Desk) -> None:
    session, other = desk.session(), desk.session()
    desk.copy()

    async def script() -> None:
        await desk.prune(session)
        await desk.delete(session, other)
        assert await desk.known() == {session.id, other.id}
        await desk.retention.carry_out()
        assert await desk.known() == {other.id}
        assert await desk.kept_out() == set()

    at(desk, script)


def test_parts_that_another_session_shares_stay(desk: Desk) -> None:
    one = desk.session()
    text = lines(50_000).decode()
    for _ in range(2 * chunks.MAX // len(text)):
        one.say(text)
    desk.save(one)
    fork = Session(desk.clock, "/p", records=list(one.records))
    fork.prompt("Otherwise")
    path = str(desk.save(fork))
    desk.copy()

    async def script() -> None:
        planned = await desk.prune(one, apply=False)
        before = desk.taken
        done = await desk.prune(one)
        assert before - desk.taken == done.freed_bytes == planned.freed_bytes < planned.items[0].bytes

    at(desk, script)
    manifest = desk.archive.manifest(path)
    assert manifest is not None
    assert b"".join(desk.archive.stream(manifest.newest)) == fork.data()


def test_a_copy_by_an_old_path_goes_with_its_session(desk: Desk) -> None:
    session = desk.session()
    desk.copy()

    async def moved() -> None:
        old = session.log(desk.logs)
        new = desk.logs / "elsewhere" / old.name
        new.parent.mkdir()
        old.rename(new)
        await desk.cache.scan()
        desk.copy()
        await desk.cache.scan()
        assert len(list(desk.archive.manifests())) == 2
        (item,) = (await desk.prune(session)).items
        assert not item.gone and list(desk.archive.manifests()) == []
        new.unlink()
        await desk.cache.scan()
        await desk.retention.carry_out()
        assert await desk.known() == set()

    at(desk, moved)


def test_earlier_versions_of_a_log_go_with_its_copy(desk: Desk) -> None:
    session = desk.session("Before")
    desk.copy()
    log = session.log(desk.logs)

    async def script() -> None:
        session.records.clear()
        session.prompt("After")
        desk.save(session)
        await desk.cache.scan()
        desk.copy()
        await desk.cache.scan()
        tables = await desk.cache.dump()
        assert len(tables["sync_state"]) == 2 and "Before" in str(tables)
        await desk.prune(session)
        tables = await desk.cache.dump()
        assert [path for (path,) in tables["sync_state"]] == [str(log)]
        assert desk.copied == set()

    at(desk, script)


def test_what_is_tagged_keep_stays_and_so_do_sessions_of_a_kept_project(desk: Desk) -> None:
    kept, of_project, other = desk.session(cwd="/p"), desk.session(cwd="/q"), desk.session(cwd="/p")
    desk.copy()

    async def script() -> None:
        for name in (Name(type="session", key=kept.id), Name(type="project", root="/q")):
            edit = TagUse(op="add", name="Keep", entity=name)
            await desk.cache.app.pipeline.decide(lambda _, edit=edit: (edit, None))  # type: ignore[misc]
        done = await desk.prune(max_sessions=0)
        assert [item.id for item in done.items] == [other.id]
        assert done.kept == {"keep": 2}
        assert desk.copied == {kept.id, of_project.id}

    at(desk, script)


def test_a_session_that_is_tagged_keep_after_it_was_pruned_may_be_copied_again(desk: Desk) -> None:
    session = desk.session()
    desk.copy()

    async def script() -> None:
        await desk.prune(session)
        edit = TagUse(op="add", name="keep", entity=Name(type="session", key=session.id))
        await desk.cache.app.pipeline.decide(lambda _: (edit, None))
        await desk.retention.release()
        assert await desk.kept_out() == set()

    at(desk, script)


def test_a_session_that_is_being_written_stays(desk: Desk) -> None:
    session = desk.session()
    desk.copy()
    os.utime(session.log(desk.logs))

    async def script() -> None:
        done = await desk.prune(max_sessions=0)
        assert (done.items, done.kept) == ([], {"active": 1})

    at(desk, script)


def test_limits_by_age_and_size_choose_as_told(desk: Desk) -> None:
    sessions = [desk.session(size=200_000) for _ in range(3)]
    desk.copy()

    async def script() -> None:
        age = (datetime.now(UTC) - START).days
        assert (await desk.prune(max_age_days=age + 1, apply=False)).items == []
        assert len((await desk.prune(max_age_days=age - 1, apply=False)).items) == 3
        planned = await desk.prune(max_bytes=desk.taken - 1, apply=False)
        assert [item.id for item in planned.items] == [sessions[0].id]
        assert planned.items[0].reason.startswith("p: copies take more than")

    at(desk, script)


@pytest.mark.parametrize("anew", [False, True])
@pytest.mark.parametrize("step", ["noted", "deleted", "forgotten"])
def test_what_was_begun_is_finished_by_the_next_run(
    desk: Desk, step: str, anew: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, there, other = desk.session(agents=1), desk.session(), desk.session()
    desk.copy()
    before = desk.taken

    class Killed(BaseException):
        """The daemon dies."""

    def die(*_: object) -> None:
        raise Killed

    async def half() -> None:
        await desk.delete(gone)
        with monkeypatch.context() as patch:
            if step == "noted":
                patch.setattr(module, "delete_copies", die)
            elif step == "deleted":
                patch.setattr(module, "forget", die)
            else:
                patch.setattr(Archive, "sweep", die)
            with pytest.raises(Killed):
                await desk.prune(gone, there)

    at(desk, half)
    if anew:
        desk.cache.paths.database.unlink()

    async def whole() -> None:
        await desk.retention.carry_out()
        assert desk.copied == {other.id}
        assert await desk.known() == {there.id, other.id}
        assert await desk.kept_out() == {there.id}
        assert desk.taken < before
        used = {chunk.hash for m in desk.archive.manifests() for version in m.versions for chunk in version.chunks}
        assert {entry.name.removesuffix(".zst") for entry in desk.archive.chunks.all()} == used

    at(desk, whole)


def test_automatic_policies_are_carried_out_once_a_day(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = desk.session(), desk.session()
    desk.copy()

    async def set_policies() -> None:
        automatic = RetentionEdit(id="few", policy=Policy(max_sessions=1, automatic=True))
        other = RetentionEdit(id="none", policy=Policy(max_sessions=0))
        await desk.cache.app.pipeline.decide(lambda _: ([automatic, other], None))
        assert await desk.next_run_at() > now()

    at(desk, set_policies)
    monkeypatch.setattr(module, "SETTLE", 0.0)
    monkeypatch.setattr(module, "RETRY", 0.01)

    async def carried_out() -> None:
        await asyncio.to_thread(wait_until, lambda: desk.copied == {second.id}, "the daily run")
        while await desk.next_run_at() <= now():
            await asyncio.sleep(0.01)

    at(desk, carried_out)
    third = desk.session()
    desk.copy()

    async def not_again() -> None:
        await asyncio.to_thread(wait_until, lambda: first.id not in desk.copied, "the end of what was begun")
        assert await desk.next_run_at() > now()
        assert desk.copied == {second.id, third.id}

    at(desk, not_again)


def test_what_was_begun_is_finished_after_the_start_whenever_the_daily_run_is_due(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = desk.session()
    desk.copy()
    monkeypatch.setattr(module, "SETTLE", 0.0)
    monkeypatch.setattr(module, "RETRY", 0.01)

    async def interrupted() -> None:
        while await desk.next_run_at() <= now():
            await asyncio.sleep(0.01)
        await desk.retention.stop()
        edit = PruneEdit(op="prune", session=Name(type="session", key=session.id), size=2**40)
        await desk.cache.app.pipeline.decide(lambda _: (edit, None))

    at(desk, interrupted)
    assert desk.copied == {session.id}

    async def finished() -> None:
        await asyncio.to_thread(wait_until, lambda: desk.copied == set(), "the end of the prune")
        desk.copy()  # as by a run that began just before
        await asyncio.to_thread(wait_until, lambda: desk.copied == set(), "the end of the late copy")

    at(desk, finished)


def test_what_was_left_by_somebody_who_was_cut_off_is_deleted(desk: Desk) -> None:
    session = desk.session()
    desk.copy()
    desk.archive.delete(str(session.log(desk.logs)))

    async def script() -> None:
        await desk.retention.carry_out(automatic=False)
        assert list(desk.archive.chunks.all()) != [], "nobody said so"
        desk.retention.untidy = True
        await desk.retention.carry_out(automatic=False)
        assert list(desk.archive.chunks.all()) == []

    at(desk, script)


def test_what_cannot_be_deleted_is_a_problem_and_is_deleted_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    session = desk.session()
    desk.copy()

    def fail(self: Archive, path: str) -> None:
        raise PermissionError(1, "Operation not permitted", path)

    async def script() -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Archive, "delete", fail)
            done = await desk.prune(session)
            assert [problem.problem for problem in done.problems] == [
                f"copies of session {session.id} could not be deleted: Operation not permitted"
            ]
            assert desk.copied == {session.id}
        await desk.retention.carry_out()
        assert desk.copied == set()

    at(desk, script)


def test_a_failing_daily_run_is_a_problem_in_the_status(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SETTLE", 0.0)
    monkeypatch.setattr(module, "RETRY", 0.01)

    def fail(self: Archive) -> None:
        raise OSError(5, "Input/output error")

    async def script() -> None:
        def problem() -> str | None:
            known = {problem.part: problem.problem for problem in desk.cache.app.problems.all()}
            return known.get("retention")

        with monkeypatch.context() as patch:
            patch.setattr(Archive, "sweep", fail)
            told = await asyncio.to_thread(wait_until, problem, "the problem")
            assert cast(str, told).endswith("space of the archive is not given back: Input/output error")
        await asyncio.to_thread(wait_until, lambda: problem() is None, "the next run")

    at(desk, script)


def test_nothing_is_pruned_before_all_logs_and_plans_were_looked_at(desk: Desk) -> None:
    session = desk.session()
    desk.copy()

    async def script() -> None:
        app = desk.cache.app
        state = app.pipeline.indexing
        app.pipeline.progress("scan", complete=False)
        with pytest.raises(Busy, match="the first index is not complete"):
            await desk.prune(session)
        app.pipeline.progress("idle", complete=state.complete)

    at(desk, script)


def test_a_prune_waits_for_whoever_writes_into_the_archive(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    session = desk.session()
    desk.copy()
    tries = []
    locked = module.locked

    def counted(archive: Archive, work: Callable[[], object]) -> object:
        tries.append(work)
        return locked(archive, work)

    monkeypatch.setattr(module, "locked", counted)
    monkeypatch.setattr(module, "AGAIN", 0.01)

    async def script() -> None:
        with desk.archive.writing():
            waiting = asyncio.create_task(desk.prune(session))
            await asyncio.to_thread(wait_until, lambda: len(tries) > 2, "the third try")
            assert not waiting.done() and desk.copied == {session.id}
        await waiting
        assert desk.copied == set()

    at(desk, script)


def test_a_line_of_the_journal_of_a_session_that_nobody_knows_does_no_harm(desk: Desk) -> None:
    session = desk.session()
    desk.copy()

    async def script() -> None:
        edit = PruneEdit(op="prune", session=Name(type="session", key="elsewhere"))
        await desk.cache.app.pipeline.decide(lambda _: (edit, None))
        await desk.retention.carry_out()
        assert desk.copied == {session.id}
        assert await desk.kept_out() == set()

    at(desk, script)
