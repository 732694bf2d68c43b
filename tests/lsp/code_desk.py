"""Editors on a daemon whose agents edit code."""

from __future__ import annotations

from typing import Any

from ccdashd.lsp.text import uri_of
from tests.lsp.editors import EditorClient
from tests.rpc.blame_world import BlameWorld

LENS = "textDocument/codeLens"
HOVER = "textDocument/hover"


def lenses(editor: EditorClient, path: str) -> list[tuple[int, str, dict[str, Any]]]:
    """Line, title and command with its argument of each lens."""
    found = editor.request(LENS, {"textDocument": {"uri": uri_of(path)}})
    return [(lens["range"]["start"]["line"], lens["command"]["title"], lens["command"]) for lens in found]


def hover(editor: EditorClient, path: str, line: int) -> str | None:
    """What is shown on a line."""
    position = {"line": line, "character": 2}
    found = editor.request(HOVER, {"textDocument": {"uri": uri_of(path)}, "position": position})
    return None if found is None else found["contents"]["value"]


def carry_out(editor: EditorClient, command: str, argument: Any) -> Any:
    """The answer of a command that asks nothing of the editor."""
    return editor.request("workspace/executeCommand", {"command": command, "arguments": [argument]})


def editor_of(world: BlameWorld) -> EditorClient:
    """An editor that has said nothing yet."""
    return EditorClient(world.served.path)
