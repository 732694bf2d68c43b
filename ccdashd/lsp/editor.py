"""One editor: what it can do, what it has open, and what is asked of it. Lives on the event loop."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec

from ccdashd.errors import InvalidParams, Unsupported
from ccdashd.log import get
from ccdashd.lsp import capabilities
from ccdashd.lsp.text import changed, path_of
from ccdashd.protocol import frames, lsp

T = TypeVar("T")

ANSWER = 30.0
"""Seconds that an editor may take to answer a request; a person may have to be asked."""

OPEN_AT_ONCE = 2_000
"""Documents that are remembered as open; a client that opens more is not told of changes in the rest."""

KEPT_TEXT = 4 * 1024 * 1024
"""Characters of a document that are kept; a longer one is as it is on disk."""

_ID = "ccdash-"
"""Begins the ids of what an editor is asked."""

logger = get(__name__)


async def _at_once() -> None:
    """An output that is never behind."""


@dataclass(frozen=True)
class Open:
    """A document that the editor has open, as it was at one moment."""

    uri: str
    path: str
    version: int | None = None
    """That of `text`; None where that is."""
    text: str | None = None
    """What is being edited: of planning files, by editors that tell each change. None where only the file on disk is
    known, of which the editor may have another version by now."""


class Editor:
    """The editor at the other end of a connection. `send` takes frames; `writable` waits while the editor does not read.

    Lives on the event loop; other threads may look up a document, no more.
    """

    def __init__(
        self,
        params: lsp.InitializeParams,
        send: Callable[[bytes], None],
        is_plan: Callable[[str], bool] = lambda path: False,
        writable: Callable[[], Awaitable[None]] = _at_once,
    ) -> None:
        self.client = capabilities.of(params)
        self.name = params.client_info.name if params.client_info is not None else "editor"
        self.documents: dict[str, Open] = {}
        """By path."""
        self.folders = _folders(params)
        self.on_open: Callable[[Open], None] = lambda document: None
        """Called when a document was opened, changed or saved."""
        self.on_close: Callable[[Open], None] = lambda document: None
        """Called when a document was closed."""
        self.tells_changes = False
        """Whether the editor tells each change of planning files, so that their text is kept."""
        self.writable = writable
        self._opened: dict[str, str] = {}
        """The first text of planning files, by path, until it changes: some editors tell all changes unasked."""
        self._send = send
        self._is_plan = is_plan
        self._gone = False
        self._ids = itertools.count(1)
        self._asked: dict[str, asyncio.Future[Any]] = {}

    def offer(self) -> lsp.InitializeResult:
        """The answer to ``initialize``."""
        return capabilities.offer(self.client)

    # --- what the editor tells ---

    def notified(self, name: str, raw: bytes) -> None:
        """A notification; one that is not known, or not understood, changes nothing."""
        taken = _NOTIFICATIONS.get(name)
        if taken is None:
            return
        decoder, take = taken
        try:
            params = decoder.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            logger.warning("notification not understood", method=name, problem=type(error).__name__)
            return
        take(self, params)

    def _did_open(self, params: lsp.DidOpen) -> None:
        given = params.text_document
        path = path_of(given.uri)
        if path is None or (path not in self.documents and len(self.documents) >= OPEN_AT_ONCE):
            return
        document = Open(given.uri, path)
        self._opened.pop(path, None)
        if self._is_plan(path):
            if self.tells_changes:
                document = _edited(document, given.version, given.text)
            elif not self.client.register_changes and len(given.text) <= KEPT_TEXT:
                self._opened[path] = given.text
        self.documents[path] = document
        self.on_open(document)

    def _did_change(self, params: lsp.DidChange) -> None:
        document = self._known(params.text_document.uri)
        if document is None:
            return
        opened = self._opened.pop(document.path, None)
        text = document.text if document.text is not None else opened
        known = text is not None or any(change.range is None for change in params.content_changes)
        if known and self._is_plan(document.path):
            text = changed(text or "", params.content_changes)
            document = _edited(document, params.text_document.version, text)
        else:
            document = Open(document.uri, document.path)
        self.documents[document.path] = document
        self.on_open(document)

    def _did_save(self, params: lsp.DidSave) -> None:
        document = self._known(params.text_document.uri)
        if document is not None:
            self.on_open(document)

    def _did_close(self, params: lsp.DidClose) -> None:
        document = self._known(params.text_document.uri)
        if document is not None:
            del self.documents[document.path]
            self._opened.pop(document.path, None)
            self.on_close(document)

    def _folders_changed(self, params: lsp.DidChangeFolders) -> None:
        gone = {path_of(folder.uri) for folder in params.event.removed}
        added = [path_of(folder.uri) for folder in params.event.added]
        self.folders = [path for path in self.folders if path not in gone]
        self.folders += [path for path in added if path is not None and path not in self.folders]

    def _known(self, uri: str) -> Open | None:
        path = path_of(uri)
        return self.documents.get(path) if path is not None else None

    # --- what is said to the editor ---

    def notify(self, method: str, params: Any) -> None:
        """Say something."""
        self._send(frames.notification(method, params))

    async def ask(self, method: str, params: Any, type: type[T]) -> T:
        """Ask something; returns the answer. Raises `Unsupported` where the editor refuses, or does not answer in time."""
        if self._gone:
            raise Unsupported("the editor is gone")
        id = f"{_ID}{next(self._ids)}"
        answer = self._asked[id] = asyncio.get_running_loop().create_future()
        self._send(frames.request(id, method, params))
        try:
            async with asyncio.timeout(ANSWER):
                raw = await answer
            return msgspec.json.decode(raw, type=type)
        except TimeoutError:
            self.notify("$/cancelRequest", {"id": id})
            raise Unsupported(f"the editor did not answer {method} within {ANSWER:.0f} seconds") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Unsupported(f"the editor's answer to {method} was not understood: {error}") from None
        finally:
            self._asked.pop(id, None)

    def answered(self, id: object, result: bytes | None, error: str | None) -> bool:
        """The editor answered a request; False where that is none of ours."""
        if not isinstance(id, str) or not id.startswith(_ID):
            return False
        future = self._asked.get(id)
        if future is not None and not future.done():
            if error is None:
                future.set_result(result or b"null")
            else:
                future.set_exception(Unsupported(f"the editor refused: {error}"))
        return True

    def refresh(self) -> None:
        """Have the editor ask anew for what it shows inline."""
        wanted = (
            ("workspace/codeLens/refresh", self.client.code_lens_refresh),
            ("workspace/inlayHint/refresh", self.client.inlay_hint_refresh),
        )
        for method, supported in wanted:
            if supported:
                # The answer is null, and nobody waits for it.
                self._send(frames.request(f"{_ID}{next(self._ids)}", method, None))

    def closed(self) -> None:
        """The editor is gone: what it was asked is not answered any more."""
        self._gone = True
        for future in self._asked.values():
            if not future.done():
                future.set_exception(Unsupported("the editor is gone"))
        self.documents.clear()
        self._opened.clear()


def _edited(document: Open, version: int | None, text: str) -> Open:
    if len(text) > KEPT_TEXT:
        return replace(document, version=None, text=None)
    return replace(document, version=version, text=text)


def initialize(raw: bytes) -> lsp.InitializeParams:
    """The parameters of ``initialize``. Raises `InvalidParams`."""
    try:
        return _initialize.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidParams("params", f"not those of initialize: {error}") from None


_initialize = msgspec.json.Decoder(lsp.InitializeParams)


def _folders(params: lsp.InitializeParams) -> list[str]:
    uris = [folder.uri for folder in params.workspace_folders or ()]
    if not uris and params.root_uri is not None:
        uris = [params.root_uri]
    return [path for uri in uris if (path := path_of(uri)) is not None]


_NOTIFICATIONS: dict[str, tuple[msgspec.json.Decoder[Any], Callable[[Editor, Any], None]]] = {
    name: (msgspec.json.Decoder(shape), take)
    for name, shape, take in (
        ("textDocument/didOpen", lsp.DidOpen, Editor._did_open),
        ("textDocument/didChange", lsp.DidChange, Editor._did_change),
        ("textDocument/didSave", lsp.DidSave, Editor._did_save),
        ("textDocument/didClose", lsp.DidClose, Editor._did_close),
        ("workspace/didChangeWorkspaceFolders", lsp.DidChangeFolders, Editor._folders_changed),
    )
}
