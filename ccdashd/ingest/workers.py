"""The parse workers of a backlog, of logs or of planning files: processes that are started for it and stopped after it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys

import msgspec

from ccdashd.ingest.worker import LENGTH, OK, Job, LogJob, PlansJob, PlansRead
from ccdashd.sources.result import FileResult

log = logging.getLogger(__name__)

ENDS_WITHIN = 2.0
"""Seconds that a process which closed its pipes has to end by itself."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(FileResult).decode
_decode_plans = msgspec.msgpack.Decoder(PlansRead).decode


class Unreadable(Exception):
    """A log that could not be read; the message says why."""


class WorkerDied(Exception):
    """The worker process ended while it read."""


class Workers:
    """At most `count` processes. Calls may come from as many tasks at once as there are processes."""

    def __init__(self, count: int, text_cap: int, archive: str = "") -> None:
        self.count = count
        self._archive = archive
        self._text_cap = text_cap
        self._idle: list[asyncio.subprocess.Process] = []
        self._all: set[asyncio.subprocess.Process] = set()

    async def parse(self, path: str, *, archived: bool = False) -> bytes:
        """An encoded `FileResult` (see `decode`) of a log, or of its copy. Raises Unreadable or WorkerDied."""
        archive = os.fsencode(self._archive) if archived else None
        return await self._ask(LogJob(os.fsencode(path), self._text_cap, archive))

    async def read_plans(self, project_id: str, root: str, paths: list[str], cap: int) -> bytes:
        """An encoded `PlansRead` (see `decode_plans`) of planning files. Raises WorkerDied."""
        return await self._ask(PlansJob(project_id, os.fsencode(root), paths, cap))

    async def _ask(self, job: Job) -> bytes:
        worker = self._idle.pop() if self._idle else await self._start()
        try:
            assert worker.stdin is not None
            assert worker.stdout is not None
            asked = _encode(job)
            worker.stdin.write(LENGTH.pack(len(asked)) + asked)
            await worker.stdin.drain()
            answer = await worker.stdout.readexactly(LENGTH.unpack(await worker.stdout.readexactly(LENGTH.size))[0])
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise WorkerDied(f"exit code {await self._buried(worker)}") from error
        except asyncio.CancelledError:
            await self._discard(worker)
            raise
        self._idle.append(worker)
        if answer[:1] != OK:
            raise Unreadable(answer[1:].decode())
        return answer

    async def _start(self) -> asyncio.subprocess.Process:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "ccdashd.ingest.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=4 * 1024 * 1024,
            cwd="/",
        )
        self._all.add(worker)
        return worker

    async def _buried(self, worker: asyncio.subprocess.Process) -> int:
        """The exit code of a process that closed its pipes: to kill it at once would reap it before asyncio reads it."""
        self._all.discard(worker)
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(worker.wait(), ENDS_WITHIN)
        return await self._discard(worker)

    async def _discard(self, worker: asyncio.subprocess.Process) -> int:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        self._all.discard(worker)
        return await worker.wait()

    async def stop(self) -> None:
        """End all processes, also those at work."""
        workers, self._idle = self._all, []
        self._all = set()
        for worker in workers:
            with contextlib.suppress(ProcessLookupError):
                worker.kill()
        for worker in workers:
            await worker.wait()


def decode(answer: bytes) -> FileResult:
    """What a worker read of a log."""
    result = _decode(memoryview(answer)[1:])
    result.path = os.fsdecode(result.path.encode("latin-1"))
    return result


def decode_plans(answer: bytes) -> PlansRead:
    """What a worker read of planning files."""
    return _decode_plans(memoryview(answer)[1:])
