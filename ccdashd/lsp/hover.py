"""What is known of a place in a file: of a line, who wrote it, for which prompt, and what was said before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from ccdashd.derive.alignment import NOBODY, Fit
from ccdashd.errors import CcdashError
from ccdashd.lsp import plan_hover
from ccdashd.lsp.editor import Editor
from ccdashd.lsp.page import Page
from ccdashd.lsp.text import path_of
from ccdashd.protocol import lsp
from ccdashd.protocol import types as t
from ccdashd.rendering import words
from ccdashd.rendering.pages import session_argument
from ccdashd.store.file_blame import text_of
from ccdashd.store.file_edits import Recorded

if TYPE_CHECKING:
    from ccdashd.app import App

_TITLE: Final = 80
_PROMPT: Final = 600
_SAID: Final = 400
"""Characters of a title, of a prompt, and of what the agent said, that are shown."""

_FITS: Final[dict[Fit, str]] = {
    "same": "",
    "moved": "moved since",
    "indented": "indented otherwise since",
    "changed": "changed since",
}


def at(app: App, connection: sa.Connection, revision: int, editor: Editor, params: lsp.PositionParams) -> lsp.Hover | None:
    """What is known of a place; None where that is nothing. In a planning file what a place is about comes first; else a
    line is that of the file as it is saved, or as it is typed where the editor tells that."""
    path = path_of(params.text_document.uri)
    if path is None:
        return None
    about = plan_hover.at(connection, editor, params) if app.is_plan(path) else None
    if about is not None:
        return about
    changes = app.touched.of(connection, revision, path).changes
    return _of_line(app, connection, editor, path, changes, params.position.line) if changes else None


def _of_line(
    app: App, connection: sa.Connection, editor: Editor, path: str, changes: list[Recorded], line: int
) -> lsp.Hover | None:
    opened = editor.documents.get(path)
    typed = opened.text if opened is not None else None
    try:
        blamed = app.blames.of(path, changes, (lambda: text_of(path)) if typed is None else (lambda: typed))
    except CcdashError:
        return None
    if not 0 <= line < len(blamed.lines) or blamed.lines[line].origin == NOBODY:
        return None
    origin, fit = blamed.lines[line]
    recorded = blamed.changes[origin]
    change = app.blames.changes(connection, {origin: recorded}, app.prices)[origin]
    said = app.blames.turns.of(connection, [recorded.file_id])[recorded.file_id].said(connection, recorded.offset)
    page = Page(editor)
    page.head(words.short(change.title or change.session_id, _TITLE), _subagent(change))
    if change.prompt is not None:
        page.quote(change.prompt.text, _PROMPT)
    page.say(page.text(words.short(said, _SAID)))
    page.say(*map(page.text, _facts(change, fit)))
    if page.opens:
        page.say(page.transcript("Open the transcript", change.session_id, change.entry))
    else:
        page.say(page.text(f"ccdash show {session_argument(change.session_id)} --transcript"))
    return page.hover()


def _subagent(change: t.BlameChange) -> str:
    return "" if change.subagent is None else f"sub-agent {change.subagent}".rstrip()


def _facts(change: t.BlameChange, fit: Fit) -> Iterator[str]:
    yield words.model(change.model)
    if change.time is not None:
        when, ago = f"{datetime.fromisoformat(change.time).astimezone():%Y-%m-%d %H:%M}", words.ago(change.time)
        yield when if when.startswith(ago) else f"{when} ({ago})"
    if change.cost is not None:
        yield f"{words.cost(change.cost)} for the turn"
    yield change.tool
    yield _FITS[fit]
