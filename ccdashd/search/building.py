"""A run of the process that builds a backlog of the index, and how far it is."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncGenerator

import msgspec

from ccdashd import helper
from ccdashd.helper import HelperFailed
from ccdashd.log import get
from ccdashd.paths import Paths
from ccdashd.protocol import types as t
from ccdashd.search import worker
from ccdashd.settings import Settings
from ccdashd.store.text.connection import Unusable

logger = get(__name__)


async def build(settings: Settings, paths: Paths, start: t.TextIndex) -> AsyncGenerator[t.TextIndex, None]:
    """Let a process build what is lacking, and yield how far the index is, which was `start` before.

    The process is killed when the generator is closed. Raises `HelperFailed`, and Unusable where the file is damaged.
    """
    text, cache, archive = map(os.fspath, (paths.text_index, paths.database, paths.archive))
    job = worker.Job(text, cache, archive, settings.text_index_cap_bytes)
    began = time.monotonic()
    logger.info("text index behind", logs=start.logs_missing, bytes=start.bytes_missing)
    entries = 0
    async with contextlib.aclosing(helper.answers(worker.MODULE, worker.encode(job))) as answers:
        async for answer in answers:
            told = worker.decode_answer(answer)
            if isinstance(told, worker.Failure):
                raise Unusable(told.problem) if told.corrupt else HelperFailed(told.problem)
            entries = told.entries
            yield msgspec.structs.replace(
                start,
                logs=start.logs + told.logs,
                logs_missing=max(start.logs_missing - told.logs, 0),
                bytes_missing=max(start.bytes_missing - told.bytes, 0),
                entries=start.entries + told.entries,
            )
    logger.info("text index built", entries=entries, seconds=time.monotonic() - began)
