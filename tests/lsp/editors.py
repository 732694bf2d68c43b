"""An editor at the other end of a socket, which finds every message it gets to be what the protocol says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsprotocol import types

from ccdashd.lsp.text import uri_of
from tests.helpers import PATIENCE, Client, framed
from tests.lsp.clients import asked, initialize, noted, structured

PROGRESS = {
    "begin": types.WorkDoneProgressBegin,
    "report": types.WorkDoneProgressReport,
    "end": types.WorkDoneProgressEnd,
}

FULL = "visual_studio_code_v1.65.2"
"""A recorded client that can do almost all."""


class EditorClient(Client):
    """A blocking client that speaks as an editor does."""

    def __init__(self, path: Path, timeout: float = PATIENCE) -> None:
        super().__init__(path, timeout)
        self._methods: dict[Any, str] = {}

    def start(self, client: str = FULL, **params: Any) -> Any:
        """Initialize with the capabilities of a recorded client; returns what is offered."""
        result = self.request("initialize", initialize(client, **params))
        self.notify("initialized", {})
        return result

    def send(self, method: str, params: Any = None, id: Any = None) -> Any:
        id = super().send(method, params, id)
        self._methods[id] = method
        return id

    def message(self) -> dict[str, Any]:
        """The next message, which must be one of the protocol."""
        message = super().message()
        method = message.get("method")
        if method is None:
            name = self._methods.pop(message["id"], "")
            if "result" in message and name in types.METHOD_TO_TYPES:
                structured(name, message["result"])
        elif method in types.METHOD_TO_TYPES:
            _ = asked(method, message) if "id" in message else noted(method, message["params"])
        return message

    def told(self, method: str) -> dict[str, Any]:
        """Wait for the next request or notification of that method; returns the whole message."""
        while True:
            for index, message in enumerate(self.notifications):
                if message["method"] == method:
                    return self.notifications.pop(index)
            self._take()

    def answer(self, message: dict[str, Any], result: Any = None, error: str | None = None) -> None:
        """Answer a request of the daemon."""
        said = {"result": result} if error is None else {"error": {"code": -32603, "message": error}}
        self.raw(framed({"jsonrpc": "2.0", "id": message["id"], **said}))

    def open(self, path: Path, text: str = "", version: int = 1) -> None:
        document = {"uri": uri_of(str(path)), "languageId": "markdown", "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def change(self, path: Path, version: int, *changes: dict[str, Any]) -> None:
        document = {"uri": uri_of(str(path)), "version": version}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def save(self, path: Path) -> None:
        self.notify("textDocument/didSave", {"textDocument": {"uri": uri_of(str(path))}})

    def close_document(self, path: Path) -> None:
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri_of(str(path))}})

    def at(self, method: str, uri: str) -> Any:
        """The answer to a request about a document, at its first character where it takes a place."""
        place = {"line": 0, "character": 0}
        params = {
            "textDocument/hover": {"position": place},
            "textDocument/inlayHint": {"range": {"start": place, "end": place}},
            "textDocument/codeAction": {"range": {"start": place, "end": place}, "context": {"diagnostics": []}},
        }
        return self.request(method, {"textDocument": {"uri": uri}, **params.get(method, {})})
