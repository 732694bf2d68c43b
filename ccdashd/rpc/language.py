"""The requests of the Language Server Protocol: what editors show of sessions and plans."""

from __future__ import annotations

from functools import partial
from typing import Any

from ccdashd.errors import InvalidRequest
from ccdashd.lsp import actions, commands, hints, hover, lenses, links, symbols
from ccdashd.lsp.editor import Editor
from ccdashd.protocol import lsp
from ccdashd.rpc.dispatch import Call, ReadCall, handles
from ccdashd.rpc.links import links_create


@handles(lsp.HOVER)
def hover_of(call: ReadCall, params: lsp.PositionParams) -> lsp.Hover | None:
    """What is known of a place."""
    return hover.at(call.app, call.conn, call.revision, _editor(call), params)


@handles(lsp.CODE_LENS)
def code_lens(call: ReadCall, params: lsp.DocumentParams) -> list[lsp.CodeLens]:
    """Lines above places of a file that tell who worked on it."""
    return lenses.of(call.app, call.conn, call.revision, _editor(call), params)


@handles(lsp.INLAY_HINT)
def inlay_hint(call: ReadCall, params: lsp.RangeParams) -> list[lsp.InlayHint]:
    """Words at the end of lines."""
    return hints.within(call.conn, _editor(call), params)


@handles(lsp.DOCUMENT_LINK)
def document_link(call: ReadCall, params: lsp.DocumentParams) -> list[lsp.DocumentLink]:
    """What names a file, a task or a session, and leads there."""
    return links.of(call.conn, _editor(call), params)


@handles(lsp.DOCUMENT_LINK_RESOLVE)
async def resolve_link(call: Call, params: lsp.DocumentLink) -> lsp.DocumentLink:
    """A link with where it leads, which is made ready."""
    return await links.resolve(call.app, params)


@handles(lsp.CODE_ACTION)
def code_action(call: ReadCall, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
    """What can be done at a place."""
    return actions.within(call.conn, _editor(call), params)


@handles(lsp.WORKSPACE_SYMBOL)
def workspace_symbol(call: ReadCall, params: lsp.SymbolParams) -> list[lsp.Symbol]:
    """Sessions, features, tasks and documents by name."""
    return symbols.named(call.conn, _editor(call), params)


@handles(lsp.EXECUTE_COMMAND)
async def execute_command(call: Call, params: lsp.ExecuteCommand) -> Any:
    """Carry out one of the offered commands."""
    return await commands.run(call.app, _editor(call), params, partial(links_create, call))


def _editor(call: Call) -> Editor:
    editor = call.connection.editor
    if editor is None:
        raise InvalidRequest("this connection is not initialized")
    return editor
