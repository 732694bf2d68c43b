"""A backlog: more to read than one moment allows. Newest sessions are shown at once from a glance at their logs, then every
log is read in worker processes, newest first, and written in batches, while queries and live changes go on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ccdashd import sources
from ccdashd.archive import manifest as manifests
from ccdashd.ingest import commit as commits
from ccdashd.ingest.commit import Batch
from ccdashd.ingest.memory import give_back
from ccdashd.ingest.parse import glance
from ccdashd.ingest.scan import FileStat
from ccdashd.ingest.workers import Unreadable, WorkerDied, Workers, decode
from ccdashd.ingest.written import Written
from ccdashd.sources.result import FileResult
from ccdashd.store import logs

if TYPE_CHECKING:
    from ccdashd.ingest.pipeline import Pipeline

log = logging.getLogger(__name__)

GLANCED = 64
"""Sessions that a glance shows before their logs are read."""

BATCH_BYTES = 64 * 1024 * 1024
"""Bytes of logs after which a transaction is written."""

BATCH_SECONDS = 0.3
"""Seconds after which a transaction is written, however little came in."""

TRIES = 2
"""How often a log is given to a worker; one that kills its workers is then reported and left."""


class Backlog:
    """One run at a time; a lock of the pipeline sees to that."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._workers: Workers | None = None

    async def stop(self) -> None:
        """End the workers."""
        if self._workers is not None:
            await self._workers.stop()
            self._workers = None

    async def run(self, files: list[FileStat]) -> None:
        """Read `files`, newest first, whole. Raises Busy while the cache cannot be written; what was written stays."""
        if not files:
            return
        pipeline = self._pipeline
        settings = pipeline.app.settings
        self._workers = Workers(settings.workers, settings.text_cap_bytes, pipeline.app.archive.folder)
        database = pipeline.app.database
        try:
            await self._glance(files)
            await database.bulk(True)
            await _Run(pipeline, self._workers, files).run()
            total, count = sum(file.size for file in files), len(files)
            pipeline.progress("finish", done=total, total=total, files_done=count, files_total=count)
            written = await pipeline.write(partial(commits.relink_all, owner=pipeline.owner))
            pipeline.publish(written)
        finally:
            await self.stop()
            await database.bulk(False)
            give_back()
            pipeline.progress("idle")

    async def _glance(self, files: list[FileStat]) -> None:
        """List the newest sessions that are not known yet from head and tail of their logs."""
        pipeline = self._pipeline
        newest = [file for file in files if _is_main(file.path)][:GLANCED]
        if len(files) <= GLANCED and sum(file.size for file in newest) < BATCH_BYTES:
            return  # reading them takes no longer
        pipeline.progress("glance", files_total=len(files), total=sum(file.size for file in files))
        results = await asyncio.to_thread(_glances, [file.path for file in newest])
        written = await pipeline.write(partial(_commit_new, results, pipeline))
        pipeline.publish(written)


class _Run:
    """Reading of a list of logs: a feeder per worker, one writer."""

    def __init__(self, pipeline: Pipeline, workers: Workers, files: list[FileStat]) -> None:
        self.pipeline = pipeline
        self.workers = workers
        self.waiting = _together(files)[::-1]
        self.total = sum(file.size for file in files)
        self.count = len(files)
        self.done = 0
        self.files_done = 0
        self.began = time.monotonic()
        # Bounded, so that workers wait for the writer instead of filling the memory.
        self.answers: asyncio.Queue[tuple[FileStat, bytes | str]] = asyncio.Queue(32 * workers.count)

    async def run(self) -> None:
        """Raises the first error, be it of the writer (`Busy`) or of a feeder (OSError where no worker starts)."""
        try:
            async with asyncio.TaskGroup() as feeders:
                for _ in range(self.workers.count):
                    feeders.create_task(self._feed())
                while self.files_done < self.count:
                    await self._write()
        except ExceptionGroup as group:
            raise group.exceptions[0] from group

    async def _feed(self) -> None:
        while self.waiting:
            file = self.waiting.pop()
            await self.answers.put((file, await self._parse(file)))

    async def _parse(self, file: FileStat) -> bytes | str:
        """The worker's answer, or why there is none."""
        for _ in range(TRIES):
            try:
                return await self.workers.parse(file.path, archived=file.archived)
            except Unreadable as error:
                return str(error)
            except WorkerDied as error:
                reason = str(error)
                log.warning("a parse worker died reason=%s", reason)
        return f"reading it ended the worker process twice ({reason})"

    async def _write(self) -> None:
        """Write what comes in within a moment: few large transactions cost much less than many small ones."""
        answers = [await self.answers.get()]
        size = answers[0][0].size
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BATCH_SECONDS):
                while size < BATCH_BYTES and self.files_done + len(answers) < self.count:
                    answers.append(await self.answers.get())
                    size += answers[-1][0].size
        pipeline = self.pipeline
        unreadable = {file.path: answer for file, answer in answers if isinstance(answer, str)}
        pipeline.copies.note([file for file, _ in answers], unreadable)
        encoded = [answer for _, answer in answers if isinstance(answer, bytes)]
        written, records = await pipeline.write(partial(_commit_encoded, encoded, unreadable, pipeline))
        pipeline.files_parsed += len(encoded)
        pipeline.records_parsed += records
        pipeline.publish(written)
        self.done += sum(file.size for file, _ in answers)
        self.files_done += len(answers)
        elapsed = time.monotonic() - self.began
        pipeline.progress(
            "parse",
            done=self.done,
            total=self.total,
            files_done=self.files_done,
            files_total=self.count,
            rate=self.done / elapsed if elapsed else 0.0,
        )


def _together(files: list[FileStat]) -> list[FileStat]:
    """The logs of a session and of its sub-agents next to each other, so that its row is built once; newest first."""
    groups: dict[str, list[FileStat]] = {}
    for file in files:
        identity = sources.identify(manifests.split(file.path)[0])
        key = (identity and (identity.parent_id or identity.session_id)) or file.path
        groups.setdefault(key, []).append(file)
    return [file for group in groups.values() for file in group]


def _is_main(path: str) -> bool:
    identity = sources.identify(path)
    return identity is not None and identity.agent_id is None


def _glances(paths: list[str]) -> list[FileResult]:
    results = []
    for path in paths:
        try:
            results.append(glance(path))
        except OSError:
            continue  # the reading that follows will say why
    return results


def _commit_new(results: list[FileResult], pipeline: Pipeline, connection: sa.Connection) -> Written:
    """Only logs that nothing is known of: a glance must not replace what was read whole."""
    known = logs.states(connection, [result.path for result in results])
    new = [result for result in results if result.path not in known]
    return commits.commit(connection, Batch(results=new), pipeline.owner, pipeline.app.prices, relink=False)


def _commit_encoded(
    encoded: list[bytes], unreadable: dict[str, str], pipeline: Pipeline, connection: sa.Connection
) -> tuple[Written, int]:
    results = [decode(answer) for answer in encoded]
    batch = Batch(results=results, unreadable=unreadable)
    written = commits.commit(connection, batch, pipeline.owner, pipeline.app.prices, relink=False)
    return written, sum(result.records for result in results)
