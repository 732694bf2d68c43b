"""Has an editor tell the changes of planning files, and of no others: what else is being written is nobody's business."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from ccdashd.errors import Unsupported
from ccdashd.events import Event
from ccdashd.log import get
from ccdashd.lsp.editor import Editor
from ccdashd.protocol import lsp

if TYPE_CHECKING:
    from ccdashd.app import App

METHOD = "textDocument/didChange"
WHOLE = 1
"""``TextDocumentSyncKind.Full``: planning files are small, and one told change is enough to have the text of a document
that was opened before."""

PAUSE = 1.0
"""Seconds from a change of projects until it is looked at, with all that came after it."""

_GLOB = re.compile(r"[*?\[\]{}!,\\]")

logger = get(__name__)


class PlanTexts:
    """Registers for the changes of Markdown in the projects that there are. Lives on the event loop."""

    def __init__(self, app: App, editor: Editor) -> None:
        self._app = app
        self._editor = editor
        self._moved = asyncio.Event()
        self._number = 0
        self._roots: list[str] = []

    async def run(self) -> None:
        """Work until cancelled, or until the editor refuses."""
        if not self._editor.client.register_changes:
            return
        self._app.events.subscribe(self, ["projects", "indexing"])
        try:
            while True:
                await self._register(self._app.plan_roots)
                await self._moved.wait()
                await asyncio.sleep(PAUSE)
                self._moved.clear()
        except Unsupported as error:
            logger.info("planning files are read from disk", editor=self._editor.name, problem=error.message)
        finally:
            self._editor.tells_changes = False
            self._app.events.drop(self)

    def notify(self, event: Event) -> None:
        """Projects may have come or gone, see `events.Subscriber`."""
        self._moved.set()

    async def _register(self, roots: list[str]) -> None:
        """Replace what is registered by these. Raises `Unsupported`."""
        if roots == self._roots:
            return
        old, before = self._id, self._roots
        self._number, self._roots = self._number + 1, roots
        if roots:
            options = lsp.ChangeRegistration(
                document_selector=[lsp.DocumentFilter(scheme="file", pattern=pattern(root)) for root in roots],
                sync_kind=WHOLE,
            )
            registration = lsp.Registration(id=self._id, method=METHOD, register_options=options)
            await self._editor.ask("client/registerCapability", lsp.Registrations(registrations=[registration]), Any)
            self._editor.tells_changes = True
        if before:
            # After the new one, so that no change is missed; one that is told twice says the same twice.
            gone = lsp.Unregistrations(unregisterations=[lsp.Unregistration(id=old, method=METHOD)])
            await self._editor.ask("client/unregisterCapability", gone, Any)

    @property
    def _id(self) -> str:
        return f"plans-{self._number}"


def pattern(root: str) -> str:
    """The glob pattern of all Markdown below a folder. A character that means something in patterns, which have no way
    to say it plainly, may be any character there."""
    return f"{_GLOB.sub('?', root.rstrip('/'))}/**/*.{{md,markdown,mdc}}"
