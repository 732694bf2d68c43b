"""Free space of the databases, given back while all goes on."""

from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import apsw

from ccdashd.errors import Busy
from ccdashd.integrity.verifying import Report
from ccdashd.protocol import types as t
from ccdashd.store.text import upkeep, writer
from ccdashd.store.text.connection import explain

if TYPE_CHECKING:
    from ccdashd.app import App


async def vacuum(app: App, report: Report) -> t.VacuumResult:
    """Give free space of the cache back. Raises Busy where it cannot be written."""
    began = time.monotonic()
    before = _bytes(app)
    await app.database.vacuum(lambda done, total: report(done, total, "free pages of cache.db"))
    if app.settings.text_index:
        await _vacuum_texts(app, report)
    return t.VacuumResult(
        before=before, after=_bytes(app), seconds=time.monotonic() - began, revision=app.database.revision
    )


async def _vacuum_texts(app: App, report: Report) -> None:
    """Join what words were written in pieces, and give back what that makes free; a little at a time, between searches."""
    texts = app.texts
    try:
        while await texts.maintain(upkeep.merge):
            pass
        total = left = await texts.maintain(upkeep.free_pages)
        while left:
            before, left = left, await texts.maintain(upkeep.give_back)
            report(total - left, total, "free pages of text.db")
            if left >= before:
                break
        await texts.maintain(partial(writer.checkpoint, empty=True))
    except apsw.Error as error:
        raise Busy(f"the index of texts cannot be written now: {explain(error)}", reason="text index") from error


def _bytes(app: App) -> int:
    return sum(map(_size, (app.paths.database, app.paths.text_index)))


def _size(path: Path) -> int:
    """With what waits in the write-ahead log."""
    total = 0
    for name in (path, f"{os.fspath(path)}-wal"):
        try:
            total += os.stat(name).st_size
        except OSError:
            continue
    return total
