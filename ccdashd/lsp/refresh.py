"""Has an editor show anew what changed: lenses, hints and diagnostics of the documents it has open.

    documents ──┬─► due ──► PAUSE ──► diagnostics of what was opened, changed or saved
    commits ────┘               └───► states of all open documents ──► diagnostics and refresh, where they differ

An editor asks for everything of its visible documents when it is told to refresh, so it is told only when what one of
them shows is other than before.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from ccdashd.errors import Busy
from ccdashd.events import Event
from ccdashd.log import get
from ccdashd.lsp.editor import Editor, Open

if TYPE_CHECKING:
    import sqlalchemy as sa

    from ccdashd.app import App
    from ccdashd.store.database import Database

PAUSE = 0.3
"""Seconds from a change until it is looked at, with all that came after it."""

REST = 10.0
"""After documents were compared they are not for so many times as long as it took: a tenth of a core at most."""

AT_ONCE = 50
"""Documents that are compared in one snapshot; then other readers have their turn."""

RETRY = 3.0
"""Seconds until what failed is tried again."""

TOPICS = ("sessions", "features", "documents", "tasks", "links")

logger = get(__name__)


class Refresher:
    """Follows the cache and the open documents of one editor. Lives on the event loop."""

    def __init__(self, app: App, editor: Editor) -> None:
        self._app = app
        self._editor = editor
        self._due = asyncio.Event()
        self._moved = False
        """Whether documents are to be compared."""
        self._rested = 0.0
        """When they may be, on the monotonic clock."""
        self._stale: set[str] = set()
        """Paths of documents that were opened, changed or saved since the last look."""
        self._opened: dict[str, int] = {}
        """The revision at which a document was opened, by path, until it was looked at."""
        self._seen: dict[str, bytes] = {}
        """What was shown of a document at the last look, by path."""
        self._published: set[str] = set()
        """Paths of open documents whose diagnostics the editor was told."""

    async def run(self) -> None:
        """Work until cancelled."""
        editor, events = self._editor, self._app.events
        editor.on_open, editor.on_close = self._changed, self._closed
        for document in editor.documents.values():
            self._changed(document)
        events.subscribe(self, TOPICS)
        again: float | None = None
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(again):
                        await self._due.wait()
                await asyncio.sleep(PAUSE)
                try:
                    again = await self._look()
                except Exception as error:
                    logger.error("an editor was not told of changes", editor=editor.name, exc_info=error)
                    again, self._moved = None, True
                    await asyncio.sleep(RETRY)
        finally:
            events.drop(self)

    def notify(self, event: Event) -> None:
        """Something changed, see `events.Subscriber`."""
        if self._editor.documents:
            self._moved = True
            self._due.set()

    def _changed(self, document: Open) -> None:
        if document.path not in self._seen:
            self._opened.setdefault(document.path, self._app.revision)
            self._moved = True
        self._stale.add(document.path)
        self._due.set()

    def _closed(self, document: Open) -> None:
        self._stale.discard(document.path)
        self._opened.pop(document.path, None)
        self._seen.pop(document.path, None)
        if document.path in self._published:
            from ccdashd.lsp import diagnostics

            self._published.discard(document.path)
            diagnostics.clear(self._editor, document)

    async def _look(self) -> float | None:
        """Tell the editor what changed. Returns after how many seconds to look again where nothing happens; None: never."""
        self._due.clear()
        stale, self._stale = self._stale, set()
        try:
            database = await self._app.ready()
            for path in sorted(stale):
                await self._publish(path)
            if not self._moved:
                return None
            rest = self._rested - time.monotonic()
            if rest > 0:
                return rest
            await self._compare(database)
            return None
        except Exception as error:
            if not isinstance(error, Busy) and self._app.explain(error) is None:
                raise
            # What it asked meanwhile had no answer, at whatever revision.
            self._seen.clear()
            self._opened = dict.fromkeys(self._editor.documents, -1)
            self._stale |= stale
            self._moved = True
            return RETRY

    async def _compare(self, database: Database) -> None:
        app, editor, began = self._app, self._editor, time.monotonic()
        self._moved = False
        documents, changed = list(editor.documents.values()), set[str]()
        for start in range(0, len(documents), AT_ONCE):
            revision, states = await database.read(partial(_states, app, editor, documents[start : start + AT_ONCE]))
            changed |= self._differing(states, revision)
        self._rested = time.monotonic() + REST * (time.monotonic() - began)
        for path in sorted(changed):
            await self._publish(path)
        if changed:
            await editor.writable()
            editor.refresh()

    def _differing(self, states: Mapping[str, bytes], revision: int) -> set[str]:
        """The open documents that show something else than before, or may do so."""
        differing = set[str]()
        for path, state in states.items():
            if path not in self._editor.documents:
                continue  # closed while it was looked at
            # Of a new one it is not known what the editor was answered, unless nothing changed since.
            unchanged = self._opened.get(path) == revision
            if state != self._seen.get(path, state if unchanged else b""):
                differing.add(path)
            self._seen[path] = state
            self._opened.pop(path, None)
        return differing

    async def _publish(self, path: str) -> None:
        from ccdashd.lsp import diagnostics

        document = self._editor.documents.get(path)
        if document is not None and self._app.is_plan(path):
            await self._editor.writable()
            self._published.add(path)
            await diagnostics.publish(self._app, self._editor, document)


def _states(
    app: App, editor: Editor, documents: Sequence[Open], connection: sa.Connection, revision: int
) -> tuple[int, dict[str, bytes]]:
    """The revision, and by path what stands for all that is shown of a document."""
    # Here, because what is shown of documents needs the modules of the cache, which are imported once it is opened.
    from ccdashd.lsp import shown

    return revision, {document.path: shown.state(app, connection, revision, editor, document) for document in documents}
