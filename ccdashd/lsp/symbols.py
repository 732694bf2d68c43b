"""Sessions, features, tasks and documents by name."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from ccdashd.errors import InvalidParams
from ccdashd.lsp.editor import Editor
from ccdashd.lsp.text import uri_of
from ccdashd.protocol import lsp
from ccdashd.rendering import words
from ccdashd.store.named import Kind, Named, by_name, projects_at

MOST: Final = 100
"""Symbols of one answer."""

_EACH: Final = 25
"""Of one kind, where there are more of others."""

_NAME: Final = 120
"""Characters of a name."""

_KINDS: Final[dict[Kind, int]] = {"feature": 2, "task": 8, "document": 1, "session": 24}
"""``SymbolKind`` has no kinds for plans: Module, Field, File, Event."""


def named(connection: sa.Connection, editor: Editor, params: lsp.SymbolParams) -> list[lsp.Symbol]:
    """What has each word of the query in its name; first that of the projects whose folders the editor has open."""
    if "\0" in params.query:
        return []  # SQLite's patterns end there
    try:
        kinds = list(by_name(connection, params.query, projects_at(connection, editor.folders), MOST))
    except InvalidParams:
        return []  # nothing has such a name
    found = [one for some in kinds for one in some[:_EACH]] + [one for some in kinds for one in some[_EACH:]]
    return [_symbol(one) for one in found[:MOST]]


def _symbol(one: Named) -> lsp.Symbol:
    start = lsp.Position(line=one.line - 1, character=0)
    return lsp.Symbol(
        name=words.short(one.name, _NAME) or one.kind,
        kind=_KINDS[one.kind],
        location=lsp.Location(uri=uri_of(one.path), range=lsp.Range(start=start, end=start)),
        container_name=f"{one.kind} in {words.short(one.container, _NAME)}",
    )
