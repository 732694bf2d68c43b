"""Takes out of the cache what it read of logs that are gone, when their copies go too."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from ccdashd.ingest import commit as commits
from ccdashd.ingest.commit import Batch
from ccdashd.ingest.written import Written
from ccdashd.store import logs

if TYPE_CHECKING:
    from ccdashd.app import App

LOGS: Final = 50
"""Logs whose rows are deleted in one transaction."""


async def forget(app: App, paths: Sequence[str]) -> None:
    """Delete the rows of these logs, or earlier versions of logs, but for those that are there again. Raises Busy."""
    for begin in range(0, len(paths), LOGS):
        written = await app.pipeline.write(partial(_forget, app, paths[begin : begin + LOGS]))
        app.pipeline.publish(written)


def _forget(app: App, paths: Sequence[str], connection: sa.Connection) -> Written:
    states = logs.states(connection, paths)
    gone = [path for path, state in states.items() if state.state == "gone" and not os.path.lexists(path)]
    return commits.commit(connection, Batch(dropped=gone), app.pipeline.owner, app.prices)
