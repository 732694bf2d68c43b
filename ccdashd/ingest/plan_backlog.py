"""Many planning files of one project, read in worker processes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ccdashd.derive.plan_rows import PlanRows, rows_of
from ccdashd.ingest.workers import WorkerDied, Workers, decode_plans
from ccdashd.sources.planning.model import PlanningFile

log = logging.getLogger(__name__)

DEADLY = "reading it ended the worker process"
"""How the problem begins of a file that is not to be read in the daemon itself."""

CHUNK = 40
"""Files that a worker gets at once: few, so that all workers end at about the same time."""


class PlanBacklog:
    """One run. `progress` hears how many files are done."""

    def __init__(self, project_id: str, root: str, cap: int, workers: int, progress: Callable[[int], None]) -> None:
        self._project_id = project_id
        self._root = root
        self._cap = cap
        self._count = workers
        self._progress = progress
        self._files: list[PlanRows] = []
        self._gone: list[str] = []

    async def run(self, paths: list[str]) -> tuple[list[PlanRows], list[str]]:
        """``(what was read, paths at which there is nothing)``. Raises OSError where no worker starts."""
        waiting = [paths[begin : begin + CHUNK] for begin in range(0, len(paths), CHUNK)][::-1]
        workers = Workers(min(self._count, len(waiting)), 0)

        async def feed() -> None:
            while waiting:
                await self._read(workers, waiting.pop())
                self._progress(len(self._files) + len(self._gone))

        self._progress(0)
        try:
            async with asyncio.TaskGroup() as feeders:
                for _ in range(workers.count):
                    feeders.create_task(feed())
        except ExceptionGroup as group:
            raise group.exceptions[0] from group
        finally:
            await workers.stop()
        return self._files, self._gone

    async def _read(self, workers: Workers, paths: list[str]) -> None:
        try:
            answer = await workers.read_plans(self._project_id, self._root, paths, self._cap)
        except WorkerDied as error:
            log.warning("a parse worker died reason=%s files=%d", error, len(paths))
            if len(paths) == 1:
                file = PlanningFile(path=paths[0], problem=f"{DEADLY} ({error})")
                self._files.append(rows_of(self._project_id, file))
                return
            # One of them did it; the others are to be read all the same.
            for path in paths:
                await self._read(workers, [path])
            return
        read = await asyncio.to_thread(decode_plans, answer)
        self._files += read.files
        self._gone += read.gone
