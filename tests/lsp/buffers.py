"""The buffers of an editor, which are edited when the daemon asks for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ccdashd.lsp.text import changed
from ccdashd.protocol import lsp
from tests.lsp.editors import EditorClient


class Buffers:
    """The buffers of an editor, which changes them when it is asked to."""

    def __init__(self, editor: EditorClient, client: str | None = None, **capabilities: Any) -> None:
        self.editor = editor
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.edits: list[Any] = []
        editor.start(*([client] if client else []), **capabilities)

    def synced(self) -> Buffers:
        """Have it tell what is typed."""
        asked = self.editor.told("client/registerCapability")
        self.editor.answer(asked)
        # It is the daemon's turn: when it has answered this, it has read the answer before.
        self.editor.request("workspace/symbol", {"query": "nothing is called so"})
        return self

    def open(self, path: Path, text: str | None = None) -> str:
        uri = path.as_uri()
        self.texts[uri] = path.read_text() if text is None else text
        self.versions[uri] = 1
        self.editor.open(path, self.texts[uri])
        return uri

    def type(self, uri: str, text: str) -> None:
        self.texts[uri] = text
        self.versions[uri] += 1
        document = {"uri": uri, "version": self.versions[uri]}
        self.editor.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def apply(self, asked: dict[str, Any]) -> None:
        """Do what the daemon asks for, if the version is right."""
        edit = asked["params"]["edit"]
        self.edits.append(edit)
        changes = edit.get("documentChanges") or [
            {"textDocument": {"uri": uri, "version": None}, "edits": edits} for uri, edits in edit["changes"].items()
        ]
        for change in changes:
            uri, version = change["textDocument"]["uri"], change["textDocument"]["version"]
            if version not in (None, self.versions[uri]):
                self.editor.answer(asked, {"applied": False, "failureReason": "the text is another one"})
                return
            (one,) = change["edits"]
            self.type(uri, apply(self.texts[uri], one))
        self.editor.answer(asked, {"applied": True})

    def set(self, type: str, id: str, status: str, then: Callable[[dict[str, Any]], None] | None = None) -> Any:
        """Set a status, and do what the daemon asks for meanwhile, once."""
        sent = self.send(type, id, status)
        if then is not None:
            then(self.editor.told("workspace/applyEdit"))
        return self.editor.result(sent)

    def send(self, type: str, id: str, status: str) -> Any:
        argument = {"entity": {"type": type, "id": id}, "status": status}
        return self.editor.send("workspace/executeCommand", {"command": "ccdash.setStatus", "arguments": [argument]})


def apply(text: str, edit: dict[str, Any]) -> str:
    start, end = (lsp.Position(**edit["range"][name]) for name in ("start", "end"))
    return changed(text, [lsp.ContentChange(text=edit["newText"], range=lsp.Range(start=start, end=end))])
