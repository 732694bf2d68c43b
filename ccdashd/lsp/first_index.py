"""``$/progress`` of the first index, in an editor that was opened before it was complete.

https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#workDoneProgress
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ccdashd.errors import Unsupported
from ccdashd.events import Event
from ccdashd.lsp.editor import Editor
from ccdashd.protocol import lsp, methods
from ccdashd.protocol import types as t

if TYPE_CHECKING:
    from ccdashd.app import App

AFTER = 0.5
"""Seconds that it may take without a word."""

EVERY = 0.25
"""Seconds at least between two reports."""

TOKEN = "ccdash-first-index"


class FirstIndex:
    """Tells one editor how far the first index is. Lives on the event loop."""

    def __init__(self, app: App, editor: Editor) -> None:
        self._app = app
        self._editor = editor
        self._moved = asyncio.Event()
        self._share = 0

    async def run(self) -> None:
        """Work until it is complete."""
        if self._app.indexing.complete or not self._editor.client.progress:
            return
        self._app.events.subscribe(self, ["indexing"])
        try:
            await asyncio.sleep(AFTER)
            await self._moves()
            if not self._app.indexing.complete:
                await self._tell()
        except Unsupported:
            pass  # the editor wants no progress, after all
        finally:
            self._app.events.drop(self)

    def notify(self, event: Event) -> None:
        """The index run got on, see `events.Subscriber`."""
        self._moved.set()

    async def _tell(self) -> None:
        await self._editor.ask("window/workDoneProgress/create", lsp.CreateProgress(token=TOKEN), Any)
        self._report(t.WorkDone(kind="begin", title="Reading the logs of agents", percentage=0))
        while not (run := self._app.indexing).complete:
            if run.total:
                # Of the whole: a client may not be told less than before, and there are several passes.
                self._share = max(self._share, 100 * run.done // run.total)
            self._report(t.WorkDone(kind="report", message=_message(run), percentage=self._share))
            await asyncio.sleep(EVERY)
            await self._moves()
            await self._editor.writable()
        self._report(t.WorkDone(kind="end"))

    async def _moves(self) -> None:
        """Wait until the run got on since the last time."""
        if not self._app.indexing.complete:
            await self._moved.wait()
        self._moved.clear()

    def _report(self, value: t.WorkDone) -> None:
        self._editor.notify(methods.PROGRESS.name, t.ProgressNotification(token=TOKEN, value=value))


def _message(run: t.Indexing) -> str:
    if run.phase in ("idle", "scan"):
        return "comparing files"
    return f"{run.files_done:,} of {run.files_total:,} {'planning files' if run.phase == 'plans' else 'logs'}"
