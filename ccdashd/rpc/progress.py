"""``$/progress`` of one request: how far an index run is, or the request itself, in the words of the Language Server
Protocol.

https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#workDoneProgress
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ccdashd.events import Event, Events
from ccdashd.protocol import methods
from ccdashd.protocol import types as t

if TYPE_CHECKING:
    from ccdashd.rpc.connection import Connection

AFTER = 0.5
"""Seconds that a request may take without saying how far it is."""

EVERY = 0.1
"""Seconds at least between two reports."""


OWN = frozenset(
    {
        methods.SEARCH_DEEP.name,
        methods.ARCHIVE_RUN.name,
        methods.ARCHIVE_RESTORE.name,
        methods.ARCHIVE_EXPORT.name,
        methods.ARCHIVE_IMPORT.name,
        methods.CACHE_VERIFY.name,
        methods.CACHE_BACKUP.name,
        methods.CACHE_VACUUM.name,
    }
)
"""Methods that tell themselves how far they are: no index run has to do with them."""

Report = Callable[[int, int, str], None]
"""Tells what is done, of how much, and in words."""


class Progress:
    """Tells the connection of one request how far it is, or the index run that it follows."""

    def __init__(self, connection: Connection, token: str | int, title: str) -> None:
        self._connection = connection
        self._token = token
        self._title = title
        self._next = time.monotonic() + AFTER
        self._begun = False

    def notify(self, event: Event) -> None:
        """An ``indexing`` event."""
        if isinstance(event.params, t.IndexingNotification):
            run = event.params.indexing
            self.report(run.done, run.total, f"{run.phase}: {run.files_done} of {run.files_total} logs")

    def report(self, done: int, total: int, message: str) -> None:
        """Tell it, unless that was done a moment ago."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY
        if not self._begun:
            self._begun = True
            self._send(t.WorkDone(kind="begin", title=self._title, percentage=0))
        share = min(100 * done // total, 100) if total else None
        self._send(t.WorkDone(kind="report", message=message, percentage=share))

    def end(self) -> None:
        """The request is over."""
        if self._begun:
            self._send(t.WorkDone(kind="end"))

    def _send(self, value: t.WorkDone) -> None:
        params = t.ProgressNotification(token=self._token, value=value)
        self._connection.notify(Event(f"progress:{self._token}", methods.PROGRESS.name, params))


@contextmanager
def progress(events: Events, connection: Connection, params: object, title: str) -> Iterator[None]:
    """Report how far the request is while it runs, where its parameters name a token."""
    token = params.work_done_token if isinstance(params, t.WorkParams) else None
    if token is None or title in OWN:
        yield
        return
    follower = Progress(connection, token, title)
    events.subscribe(follower, ["indexing"])
    try:
        yield
    finally:
        events.drop(follower)
        follower.end()


@contextmanager
def own_progress(connection: Connection, params: t.WorkParams, title: str) -> Iterator[Report]:
    """A way to tell how far a request of one of the methods in `OWN` is; says nothing without a token."""
    if params.work_done_token is None:
        yield lambda done, total, message: None
        return
    told = Progress(connection, params.work_done_token, title)
    try:
        yield told.report
    finally:
        told.end()
