"""Free space of the databases, given back while all goes on."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ccdashd.integrity.verifying import Report
from ccdashd.protocol import types as t

if TYPE_CHECKING:
    from ccdashd.app import App


async def vacuum(app: App, report: Report) -> t.VacuumResult:
    """Give free space of the cache back. Raises Busy where it cannot be written."""
    began = time.monotonic()
    before = _bytes(app)
    await app.database.vacuum(lambda done, total: report(done, total, "free pages of cache.db"))
    return t.VacuumResult(
        before=before, after=_bytes(app), seconds=time.monotonic() - began, revision=app.database.revision
    )


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
