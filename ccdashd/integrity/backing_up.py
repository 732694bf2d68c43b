"""Backups, as the daemon has them made while all goes on."""

from __future__ import annotations

import os
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

from ccdashd.errors import InvalidParams, ReadOnly
from ccdashd.helper import HelperFailed, answers
from ccdashd.integrity import backup_worker
from ccdashd.integrity.backup_worker import Job, Made, Step
from ccdashd.integrity.verifying import Report
from ccdashd.protocol import types as t
from ccdashd.store.logs import path_value, shown

if TYPE_CHECKING:
    from ccdashd.app import App


async def backup(app: App, params: t.BackupParams, report: Report) -> t.BackupResult:
    """Copy what is ours into a folder of its own. Raises InvalidParams, or ReadOnly where it cannot be written."""
    began = time.monotonic()
    paths = app.paths
    parent = os.fspath(paths.backups) if params.folder is None else params.folder
    if not os.path.isabs(parent):
        raise InvalidParams("folder", "must be an absolute path", parent)
    job = Job(
        parent=os.fsencode(parent),
        cache=os.fsencode(paths.database),
        files=[os.fsencode(path) for path in (paths.journal, paths.counters, paths.config_file)],
        archive=os.fsencode(paths.archive) if params.archive else None,
        keep=params.keep,
    )
    made: Made | None = None
    try:
        async with aclosing(answers("ccdashd.integrity.backup_worker", backup_worker.encode(job))) as steps:
            async for answer in steps:
                match backup_worker.decode(answer):
                    case Step() as step:
                        report(step.done, step.total, "bytes copied")
                    case Made() as made:
                        pass
    except HelperFailed as error:
        raise ReadOnly(f"no backup was made in {parent}: {error}") from error
    assert made is not None
    return t.BackupResult(
        path=_shown(made.path),
        bytes=made.size,
        files=made.files,
        verified=True,
        deleted=list(map(_shown, made.deleted)),
        seconds=time.monotonic() - began,
        revision=app.revision,
    )


def _shown(path: bytes) -> str:
    return shown(path_value(os.fsdecode(path)))
