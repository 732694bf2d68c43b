"""Lines above places of a file that tell who worked on it: one on top, and one above each block that a prompt wrote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

import sqlalchemy as sa

from ccdashd.clock import iso
from ccdashd.errors import CcdashError
from ccdashd.lsp import plan_lenses
from ccdashd.lsp.editor import Editor
from ccdashd.lsp.text import path_of
from ccdashd.lsp.touched import Touched
from ccdashd.protocol import lsp
from ccdashd.protocol import types as t
from ccdashd.rendering import words
from ccdashd.store.file_blame import Blamed, text_of

if TYPE_CHECKING:
    from ccdashd.app import App

LEAST: Final = 3
"""Lines of a block that has a lens."""

MOST: Final = 50
"""Blocks of one file that have a lens, the largest."""

_TITLE: Final = 40
_PROMPT: Final = 60
"""Characters of a session's title, or the name of a feature, and of a prompt that a lens shows."""


def of(
    app: App, connection: sa.Connection, revision: int, editor: Editor, params: lsp.DocumentParams
) -> list[lsp.CodeLens]:
    """The lenses of any file, from top to bottom; none where no session touched it and no plan is in it."""
    uri = params.text_document.uri
    path = path_of(uri)
    if path is None:
        return []
    is_plan = app.is_plan(path)
    touched = app.touched.of(connection, revision, path)
    found: list[lsp.CodeLens] = []
    if touched.touches:
        found += _top(touched, uri, with_feature=not is_plan)
    if is_plan:
        found += plan_lenses.of(connection, editor, params)
    elif touched.changes:
        found += _written(app, connection, path, touched)
    return found


def _top(touched: Touched, uri: str, *, with_feature: bool) -> Iterator[lsp.CodeLens]:
    last = words.ago(iso(touched.touches[0].time))
    what = words.number(len(touched.touches), "session")
    title = words.joined(what, f"last {last}" if last else "", words.cost(touched.cost))
    yield _lens(0, lsp.Command(title=title, command="ccdash.showSessions", arguments=[{"uri": uri}]))
    if with_feature and touched.features:
        first, *more = touched.features
        title = f"feature {words.short(first.name, _TITLE)}{f' and {len(more)} more' if more else ''}"
        yield _lens(0, lsp.Command(title=title, command="ccdash.showFeature", arguments=[{"id": first.id}]))


class _Run(NamedTuple):
    """Lines that stand together and come from one turn; `origin` is the change that wrote the first of them."""

    start: int
    end: int
    origin: int


def _written(app: App, connection: sa.Connection, path: str, touched: Touched) -> Iterator[lsp.CodeLens]:
    try:
        blamed = app.blames.of(path, touched.changes, lambda: text_of(path))
    except CcdashError:
        return  # gone, not readable or no text: then there are no lines to tell of
    runs = [run for run in _runs(app, connection, blamed) if run.end - run.start >= LEAST]
    runs = sorted(sorted(runs, key=lambda run: run.start - run.end)[:MOST])
    origins = {run.origin: blamed.changes[run.origin] for run in runs}
    told = app.blames.changes(connection, origins, app.prices)
    for run in runs:
        yield _lens(run.start, _transcript(told[run.origin]))


def _runs(app: App, connection: sa.Connection, blamed: Blamed) -> Iterator[_Run]:
    turns = app.blames.turns_of(connection, blamed)
    run: _Run | None = None
    for block in blamed.blocks:
        if run is not None and run.end == block.start and turns[run.origin] == turns[block.origin]:
            run = run._replace(end=block.end)
            continue
        if run is not None:
            yield run
        run = _Run(block.start, block.end, block.origin)
    if run is not None:
        yield run


def _transcript(change: t.BlameChange) -> lsp.Command:
    session = words.short(change.title or change.session_id, _TITLE)
    prompt = words.short(change.prompt.text, _PROMPT) if change.prompt is not None else ""
    # Many sessions are named by their first prompt.
    is_named_so = prompt.startswith(session.rstrip("…. "))
    title = words.joined(
        "" if is_named_so else session,
        f"“{prompt}”" if prompt else "",
        words.model(change.model),
        words.ago(change.time),
        words.cost(change.cost),
    )
    argument = {"session": change.session_id, "entry": change.entry}
    return lsp.Command(title=title, command="ccdash.openTranscript", arguments=[argument])


def _lens(line: int, command: lsp.Command) -> lsp.CodeLens:
    start = lsp.Position(line=line, character=0)
    return lsp.CodeLens(range=lsp.Range(start=start, end=start), command=command)
