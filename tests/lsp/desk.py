"""An editor over a cache of planning files, with no daemon between: it asks features, and answers in the oracle's types."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
from lsprotocol import types

from ccdashd.lsp import actions, capabilities, hints, links, plan_hover, plan_lenses
from ccdashd.lsp.diagnostics import diagnostics_of
from ccdashd.lsp.editor import Editor, Open, initialize
from ccdashd.lsp.plan_places import Plan, plan_at
from ccdashd.lsp.text import changed, uri_of
from ccdashd.protocol import lsp
from ccdashd.store.schema import projects
from tests.lsp.clients import converted, noted, structured
from tests.lsp.clients import initialize as recorded
from tests.store import shop

PROJECT = shop.SHOP
FULL = "visual_studio_code_v1.65.2"


class Desk:
    """The project is at `root`; only files that are `open` are looked at by the editor, unless they are on disk."""

    def __init__(self, connection: sa.Connection, root: Path, client: str = FULL, **options: Any) -> None:
        self.connection = connection
        self.root = root
        params = recorded(client, **options)
        self.editor = Editor(initialize(json.dumps(params).encode()), lambda frame: None)

    def add(self, files: Mapping[str, str] = shop.FILES) -> None:
        """Put files on disk, and into the cache."""
        values = {"id": PROJECT, "root": str(self.root), "name": "shop", "origin": "discovered", "hidden": False}
        self.connection.execute(sa.insert(projects).values(**values))
        shop.write(self.root, files)
        shop.store(self.connection, PROJECT, files)

    def open(self, path: str, text: str, version: int = 1) -> str:
        """Have the editor edit a text; returns the URI."""
        absolute = str(self.root / path)
        self.editor.documents[absolute] = Open(uri_of(absolute), absolute, version, text)
        return uri_of(absolute)

    def uri(self, path: str) -> str:
        return uri_of(str(self.root / path))

    def plan(self, path: str) -> Plan:
        plan = plan_at(self.connection, self.editor, self.uri(path))
        assert plan is not None
        return plan

    # --- what is asked, and its answers in the types of the oracle ---

    def lenses(self, path: str) -> Any:
        return self._ask("textDocument/codeLens", plan_lenses.of, lsp.DocumentParams(text_document=self._named(path)))

    def links(self, path: str) -> Any:
        return self._ask("textDocument/documentLink", links.of, lsp.DocumentParams(text_document=self._named(path)))

    def hover(self, path: str, line: int, character: int = 0) -> Any:
        where = lsp.Position(line=line, character=character)
        return self._ask(
            "textDocument/hover", plan_hover.at, lsp.PositionParams(text_document=self._named(path), position=where)
        )

    def hints(self, path: str, first: int = 0, last: int = 10**6) -> Any:
        params = lsp.RangeParams(text_document=self._named(path), range=_lines(first, last))
        return self._ask("textDocument/inlayHint", hints.within, params)

    def actions(self, path: str, first: int, last: int | None = None, only: list[str] | None = None) -> Any:
        params = lsp.CodeActionParams(
            text_document=self._named(path),
            range=_lines(first, first if last is None else last),
            context=lsp.CodeActionContext(only=only),
        )
        # The oracle takes an action that has a command for a command, so each is asked for by its type.
        found = actions.within(self.connection, self.editor, params)
        return [converted(_plain(action), types.CodeAction) for action in found]

    def diagnostics(self, path: str) -> Any:
        found = diagnostics_of(self.connection, self.plan(path))
        message = lsp.PublishDiagnostics(uri=self.uri(path), diagnostics=found)
        return noted("textDocument/publishDiagnostics", _plain(message)).params.diagnostics

    def applied(self, path: str, edit: Any) -> str:
        """The text of a document after an edit of the oracle's type, of that document alone."""
        (changes,) = edit.document_changes
        assert changes.text_document.uri == self.uri(path)
        text = self.plan(path).reading.text
        for one in sorted(changes.edits, key=lambda one: (one.range.start.line, one.range.start.character), reverse=True):
            text = changed(text, [lsp.ContentChange(text=one.new_text, range=_range(one.range))])
        return text

    def _named(self, path: str) -> lsp.Document:
        return lsp.Document(uri=self.uri(path))

    def _ask(self, method: str, feature: Callable[..., Any], params: Any) -> Any:
        found = structured(method, _plain(feature(self.connection, self.editor, params)))
        return list(found) if isinstance(found, tuple) else found


def capable(desk: Desk, **others: bool) -> None:
    """Have the editor of a desk be able to do other things."""
    known = {name: getattr(desk.editor.client, name) for name in desk.editor.client.__dataclass_fields__}
    desk.editor.client = capabilities.Capabilities(**(known | others))


def _plain(value: Any) -> Any:
    return json.loads(msgspec.json.encode(value))


def _lines(first: int, last: int) -> lsp.Range:
    return lsp.Range(start=lsp.Position(line=first, character=0), end=lsp.Position(line=last, character=0))


def _range(given: Any) -> lsp.Range:
    ends = (given.start, given.end)
    start, end = (lsp.Position(line=at.line, character=at.character) for at in ends)
    return lsp.Range(start=start, end=end)
