"""What happens when a file changes. Every row that comes from a file gets there through `Pipeline.apply`:

    watch ──┐
    scan ───┼──► claim ──► parse ──► one write transaction, relinked ──► new revision ──► publish
    rescan ─┘

Claim compares `stat` and a few samples with what is known; parse reads only what is new, big backlogs in worker processes;
the transaction writes the rows and all that follows from them. Nothing else writes what comes from files. Logs are followed
here, planning files in `plans`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from ccdashd import sources
from ccdashd.edits.journal import Journal
from ccdashd.errors import Busy
from ccdashd.ingest import commit as commits
from ccdashd.ingest.backlog import Backlog
from ccdashd.ingest.claim import Claims, at_or_below, claim_all, claim_copies, claim_paths
from ccdashd.ingest.commit import Batch
from ccdashd.ingest.copies import Copies
from ccdashd.ingest.log_roots import LogRoots
from ccdashd.ingest.parse import read_copy, read_log
from ccdashd.ingest.plans import Plans
from ccdashd.ingest.projects import Roots
from ccdashd.ingest.repricing import Repricing
from ccdashd.ingest.scan import FileStat, Problem, newest_first
from ccdashd.ingest.written import Written
from ccdashd.protocol import types as t
from ccdashd.sources.result import FileResult
from ccdashd.store import decisions, logs, planning, projects, rows
from ccdashd.store.database import get_meta, put_meta
from ccdashd.store.transcripts import new_entries

if TYPE_CHECKING:
    from ccdashd.app import App

log = logging.getLogger(__name__)

T = TypeVar("T")

PAUSE = 0.01
"""Seconds at least between two looks at what the watcher named; half of what the last one took, so that busy logs leave a
share of a core to others."""


class Pipeline:
    """Turns changes of files into revisions."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.files_parsed = 0
        self.records_parsed = 0
        self.indexing = t.Indexing(phase="idle")
        self.roots = LogRoots(app.settings.claude_dirs)
        self._journal = Journal(app.paths.journal)
        self._roots = Roots()
        self._added: list[str] = []
        self._dropped: set[str] = set()
        """Logs that were dropped for others since the last look at their copies."""
        self._pending: set[str] = set()
        self._wake = asyncio.Event()
        self._busy: set[str] = set()
        self._scanning = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._backlog = Backlog(self)
        self.copies = Copies(app.archive)
        self.plans = Plans(self)
        self.repricing = Repricing(self)
        self._unsettled = asyncio.Event()
        self._followers: list[asyncio.Task[None]] = []
        self._aside: set[asyncio.Task[None]] = set()
        """Backlogs that the watcher named: whoever follows it does not wait for them."""

    # --- life ---

    async def start(self) -> None:
        """Begin to follow what the watcher names. The first scan is asked for by the reconciler."""
        self.publish(await self.write(self._catch_up))
        complete = await self.app.database.read(lambda connection, _: get_meta(connection, "indexed"))
        self.progress("idle", complete=complete == "1")
        await self.plans.settle()
        self._unsettled.set()
        self._followers = [
            asyncio.create_task(self._follow(), name="pipeline"),
            asyncio.create_task(self._settle(), name="projects"),
            asyncio.create_task(self.repricing.run(), name="prices"),
        ]

    async def stop(self) -> None:
        """Leave what is pending to the next start's scan."""
        tasks = [*self._aside, *self._followers]
        self._followers = []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._backlog.stop()

    def changed(self, paths: Iterable[str]) -> None:
        """The watcher names paths that changed; they are looked at as soon as possible, together."""
        self._pending.update(map(sources.transcript_of, paths))
        self._wake.set()

    async def _follow(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            paths, self._pending = self._pending, set()
            # A log that is being read whole may have grown since: it is looked at again when that is done.
            later = paths & self._busy
            self._pending |= later
            began = time.monotonic()
            try:
                backlog = await self._at_once(await self._claim(paths - later))
                many = await self.plans.at_once(paths)
            except Busy:
                self._pending |= paths
                await asyncio.sleep(1.0)
                self._wake.set()
            except Exception:
                self._failed()
            else:
                aside = [self._read_backlog(backlog)] if backlog else []
                for work in (*aside, *map(self.plans.read_many, many)):
                    task = asyncio.create_task(self._read_aside(work), name="backlog")
                    self._aside.add(task)
                    task.add_done_callback(self._aside.discard)
            await asyncio.sleep(max(PAUSE, (time.monotonic() - began) / 2))

    async def _settle(self) -> None:
        """Projects come and go with sessions: look at the planning files of new ones as soon as they are known."""
        while True:
            await self._unsettled.wait()
            self._unsettled.clear()
            try:
                await self.plans.welcome()
            except Busy:
                await asyncio.sleep(1.0)
                self._unsettled.set()
            except Exception:
                self._failed()

    async def _read_aside(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            self._failed()

    def _failed(self) -> None:
        log.exception("changes could not be applied; a scan follows")
        self.app.request_scan("changes could not be applied")

    # --- the one door ---

    async def apply(self, paths: Iterable[str]) -> None:
        """Look at these paths and write what changed. Raises Busy while the cache cannot be written."""
        paths = set(paths)
        await self.carry_out(await self._claim(paths))
        await self.plans.apply(paths)

    async def reconcile(self, reason: str, paths: list[str] | None = None) -> t.RescanResult:
        """Compare every file, or those at or below `paths`, with what is known, and write what differs."""
        async with self._scanning:
            return await self._reconcile(reason, paths)

    async def copied(self, paths: Iterable[str]) -> None:
        """Read what there is to be read of the copies of these logs, which are others now. Raises Busy while the cache
        cannot be written."""
        await self.carry_out(await self.app.database.read(partial(claim_copies, list(paths), self.copies)))

    async def rebuild(self) -> t.RescanResult:
        """Read every file anew, as if each were new, and every copy. What is kept of logs that are gone, and of which there
        is no copy, stays."""
        async with self._scanning:
            await self.write(logs.expire)
            await self.write(planning.expire)
            result = await self._reconcile("rebuild", None, anew=True)
            await self.repricing.renew(
                await self.app.database.read(lambda connection, _: logs.newest(connection, gone=True))
            )
            return result

    async def _reconcile(self, reason: str, paths: list[str] | None, *, anew: bool = False) -> t.RescanResult:
        began = time.monotonic()
        self._roots.forget()
        self.progress("scan")
        found, problems = await asyncio.to_thread(self.roots.scan)
        self._note_problems(problems)
        hidden = [problem.path for problem in problems]
        if paths is None:
            self.copies.forget_problems()
        claims = await self.app.database.read(partial(claim_all, found, hidden, paths, self.copies, anew=anew))
        log.info("scan done reason=%r files=%d %s", reason, len(found), claims)
        try:
            await self.carry_out(claims)
            if await self.app.database.read(commits.is_unjoined):
                self.publish(await self.write(partial(commits.relink_all, owner=self.owner)))
            self._note_copies()
            await self.plans.settle()
            plans = await self.plans.reconcile(paths=paths)
            if not self.indexing.complete and paths is None:
                await self.write(_set_indexed)
                self.progress("idle", complete=True)
        finally:
            self.progress("idle")
        return t.RescanResult(
            files=sum(paths is None or at_or_below(file.path, paths) for file in found),
            parsed=len(claims.whole) + len(claims.copies),
            appended=len(claims.grown),
            gone=len(claims.gone),
            documents=plans.files,
            documents_read=plans.read,
            documents_gone=plans.gone,
            seconds=time.monotonic() - began,
            revision=self.app.database.revision,
        )

    async def _claim(self, paths: Iterable[str]) -> Claims:
        wanted = {path for path in paths if self.roots.accepts(path)}
        return await self.app.database.read(partial(claim_paths, wanted, self.copies)) if wanted else Claims()

    def accepts(self, path: str) -> bool:
        """Whether a file is one that is read. For any thread."""
        return self.roots.accepts(sources.transcript_of(path)) or self.plans.territory.accepts(path)

    def enters(self, folder: str) -> bool:
        """Whether there may be such files below a folder. For any thread."""
        return self.roots.enters(folder) or self.plans.territory.enters(folder)

    async def carry_out(self, claims: Claims) -> None:
        """Read and write what was claimed: small changes here and at once, a backlog in workers."""
        await self._read_backlog(await self._at_once(claims))

    async def _at_once(self, claims: Claims) -> list[FileStat]:
        """Read and write what is small; returns the logs that are left to the workers.

        Reads on the writer's thread, inside the transaction: one hop for all that an append costs.
        """
        backlog: list[FileStat] = []
        while claims:
            claims, more = claims.split()
            backlog += more
            if claims:
                results, written = await self.write(partial(self._transaction, claims))
                self.files_parsed += sum(1 for result in results if result.start == 0)
                self.records_parsed += sum(result.records for result in results)
                self.publish(written)
                await self._publish_entries(results)
            claims = await self._claim_dropped()
        return backlog

    async def _claim_dropped(self) -> Claims:
        """Where a log was dropped for others, a copy may take its place that holds more."""
        dropped, self._dropped = self._dropped, set()
        if not dropped:
            return Claims()
        return await self.app.database.read(partial(claim_copies, dropped, self.copies))

    def _transaction(self, claims: Claims, connection: sa.Connection) -> tuple[list[FileResult], Written]:
        cap = self.app.settings.text_cap_bytes
        batch = Batch(
            gone=list(claims.gone),
            unreadable=dict(claims.unreadable),
            touched=claims.touched,
            moved=claims.moved,
            dropped=claims.dropped,
        )
        for file in claims.whole:
            _read(file.path, partial(read_log, file.path, cap), batch)
        for file, state in claims.grown:
            _read(file.path, partial(read_log, file.path, cap, rows.known(connection, state.id, state.path)), batch)
        for file in claims.copies:
            _read(file.path, partial(read_copy, self.app.archive, file.path, cap), batch)
        self.copies.note(claims.copies, batch.unreadable)
        return batch.results, commits.commit(connection, batch, self.owner, self.app.prices)

    async def _read_backlog(self, files: list[FileStat]) -> None:
        """Read these logs in workers; what the watcher says of them meanwhile waits."""
        if not files:
            return
        paths = {file.path for file in files}
        self._busy |= paths
        try:
            async with self._reading:
                while files:
                    await self._backlog.run(newest_first(files))
                    files = await self._at_once(await self._claim_dropped())
        finally:
            self._busy -= paths
            if self._pending:
                self._wake.set()

    async def write(self, transaction: Callable[[sa.Connection], T]) -> T:
        """One transaction; what hinders it shows in the status until one succeeds."""
        try:
            result = await self.app.database.write(transaction)
        except Busy as error:
            self.app.problems.set("cache", error.message, "make room, or make it writable; it goes on by itself")
            raise
        self.app.problems.clear("cache")
        return result

    # --- projects ---

    def owner(self, cwd: str) -> str:
        """The root of the project that a working directory belongs to. Runs on the writer's thread."""
        return self._roots.owner(cwd, self._added)

    async def decide(self, choose: decisions.Choose[T]) -> T:
        """Carry out what the user decides, as `choose` says on the writer's thread; returns what it is about.

        Raises what `choose` raises, and OSError where the journal cannot be written; nothing was decided then.
        """
        # Carried out to its end whether or not the client still waits, so that journal and cache do not part.
        return await asyncio.shield(self._decided(choose))

    async def _decided(self, choose: decisions.Choose[T]) -> T:
        try:
            subject, written = await self.write(partial(self._decide, choose))
        except Busy:
            # The client is told that it failed, so what the journal got is taken back: now, not at some later time.
            with suppress(Busy, OSError):
                await self.write(self._catch_up)
            raise
        self.publish(written)
        return subject

    async def journal_is_known(self) -> bool:
        """Whether the journal is the one that was carried out. Raises OSError or Busy."""
        return await self.write(lambda connection: decisions.is_known(connection, self._journal))

    async def mend_journal(self) -> Path | None:
        """Set right what is damaged in the journal, and carry out what that changes; returns the file that lines were moved
        to of which nobody can tell what they said. Raises OSError or Busy."""
        aside, written = await self.write(self._mend_journal)
        self.publish(written)
        return aside

    def _mend_journal(self, connection: sa.Connection) -> tuple[Path | None, Written]:
        return self._journal.mend(), self._catch_up(connection)

    def _catch_up(self, connection: sa.Connection) -> Written:
        return self._carried(connection, decisions.catch_up(connection, self._journal))

    def _decide(self, choose: decisions.Choose[T], connection: sa.Connection) -> tuple[T, Written]:
        subject, carried = decisions.decide(connection, self._journal, choose)
        return subject, self._carried(connection, carried)

    def _carried(self, connection: sa.Connection, carried: decisions.Carried) -> Written:
        # On the writer's thread, so that no other transaction comes between this one and its new roots.
        self._added = projects.added_roots(connection)
        written = commits.reassign(connection, self.owner) if carried.projects else Written()
        for (type, id), op in carried.changes.items():
            written.note(type, [id] if op == "upsert" else [], [id] if op == "delete" else [])
        return written

    # --- reports ---

    def publish(self, written: Written) -> None:
        """Tell subscribers what a transaction changed."""
        self.copies.supersede(written.superseded)
        self._dropped |= written.superseded.keys()
        if written.dropped_projects or not self.plans.knows(written.projects):
            self._unsettled.set()
        changes = written.changes()
        if changes:
            self.app.events.publish(changes, self.app.database.revision)

    async def _publish_entries(self, results: list[FileResult]) -> None:
        for result in results:
            session_id = result.session_id
            if result.gone:
                continue  # they were told when they were new
            if session_id is not None and result.records and self.app.events.has_transcript_subscribers(session_id):
                read = partial(new_entries, session_id=session_id, path=result.path, start=result.start)
                entries, revision = await self.app.database.read(read)
                self.app.events.transcript(session_id, entries, revision)

    def progress(
        self,
        phase: str,
        *,
        done: int = 0,
        total: int = 0,
        files_done: int = 0,
        files_total: int = 0,
        rate: float = 0.0,
        complete: bool | None = None,
    ) -> None:
        """Note and publish how far an index run is; sizes in bytes."""
        self.indexing = t.Indexing(
            phase=phase,  # type: ignore[arg-type]
            done=done,
            total=total,
            files_done=files_done,
            files_total=files_total,
            rate=rate,
            eta=(total - done) / rate if rate and total > done else None,
            complete=self.indexing.complete if complete is None else complete,
        )
        self.app.events.indexing(self.indexing)

    def _note_problems(self, problems: list[Problem]) -> None:
        if problems:
            first = problems[0]
            more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
            hint = "make it readable; ccdash rescan looks at it again"
            self.app.problems.set("scan", f"{logs.shown(logs.path_value(first.path))}: {first.problem}{more}", hint)
        else:
            self.app.problems.clear("scan")

    def _note_copies(self) -> None:
        if (problem := self.copies.problem) is not None:
            hint = "Make it readable, or see what `ccdash verify --repair` can mend; `ccdash rescan` looks at it again."
            self.app.problems.set("copies", problem, hint)
        else:
            self.app.problems.clear("copies")


def _set_indexed(connection: sa.Connection) -> None:
    put_meta(connection, "indexed", "1")


def _read(path: str, read: Callable[[], FileResult], batch: Batch) -> None:
    try:
        batch.results.append(read())
    except FileNotFoundError:
        batch.gone.append(path)
    except OSError as error:
        batch.unreadable[path] = error.strerror or str(error)
    except Exception as error:
        # A reader that fails on one log must not keep all others from being read.
        log.exception("a log could not be read")
        batch.unreadable[path] = f"an internal error ({type(error).__name__}); the log of the daemon says more"
