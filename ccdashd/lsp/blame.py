"""Blame of a file as clients ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from ccdashd.store.file_blame import text_of

if TYPE_CHECKING:
    from ccdashd.app import App


def blame_of(app: App, connection: sa.Connection, revision: int, path: str, params: t.BlameParams) -> t.Blame:
    """Which session and prompt wrote which lines of the file at an absolute path; where no changes of it are recorded, it
    is not looked at. Without commits. Raises `InvalidParams` for lines that are none, and what `text_of` raises."""
    start, end, given = params.start or 1, params.end, params.text
    if params.start is not None and params.start < 1:
        raise InvalidParams("start", "lines count from 1", params.start)
    if end is not None and end < start:
        raise InvalidParams("end", "the last line cannot stand before the first", end)
    changes = app.touched.of(connection, revision, path).changes
    blamed = app.blames.of(path, changes, (lambda: text_of(path)) if given is None else (lambda: given))
    count = len(blamed.lines)
    if changes and start > max(count, 1):
        raise InvalidParams("start", f"the file has {count:,} lines", params.start)
    last = count if end is None else min(end, count)
    blocks, told = app.blames.answer(connection, blamed, app.prices, start - 1, last)
    return t.Blame(
        path=path,
        lines=count,
        agent_lines=sum(block.end - block.start + 1 for block in blocks),
        blocks=blocks,
        changes=told,
        recorded=len(changes),
        unread=blamed.unread,
        commits=None,
        revision=revision,
    )
