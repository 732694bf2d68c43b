"""``files/*``: what is known about a path."""

from __future__ import annotations

import os

from ccdashd import git
from ccdashd.errors import InvalidParams
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import ReadCall, handles
from ccdashd.store import activity, file_blame, file_plans, projects


@handles(methods.FILES_CONTEXT)
def files_context(call: ReadCall, params: t.FileContextParams) -> t.FileContext:
    """Who touched a path, and which plans speak of it. The path is looked up, never opened."""
    path = _path(params.path, params.cwd)
    sessions, total = activity.context(call.conn, path, params.limit)
    plans = file_plans.of_path(call.conn, path, params.limit)
    return t.FileContext(
        path=path,
        project=projects.holding(call.conn, path),
        sessions=sessions,
        total=total,
        document=plans.document,
        documents=plans.documents,
        tasks=plans.tasks,
        features=plans.features,
        revision=call.revision,
    )


@handles(methods.FILES_BLAME)
def files_blame(call: ReadCall, params: t.BlameParams) -> t.Blame:
    """Which session and prompt wrote which lines. The file is read where changes of it are recorded, and not otherwise."""
    path = _path(params.path, params.cwd)
    start, end = params.start or 1, params.end
    if start < 1 or (end is not None and end < start):
        field, given = ("start", params.start) if start < 1 else ("end", end)
        raise InvalidParams(field, "lines count from 1, and the last does not stand before the first", given)
    given_text = params.text
    text = (lambda: given_text) if given_text is not None else (lambda: file_blame.text_of(path))
    changes = call.app.touched.of(call.conn, call.revision, path).changes
    blamed = call.app.blames.of(path, changes, text)
    count = len(blamed.lines)
    if start > max(count, 1) and changes:
        raise InvalidParams("start", f"the file has {count} lines", params.start)
    last = count if end is None else min(end, count)
    blocks, told = call.app.blames.answer(call.conn, blamed, call.app.prices, start - 1, last)
    commits = git.blame(path, start, last) if params.git and changes else None
    return t.Blame(
        path=path,
        lines=count,
        agent_lines=sum(block.end - block.start + 1 for block in blocks),
        blocks=blocks,
        changes=told,
        recorded=len(changes),
        unread=blamed.unread,
        commits=None if commits is None else [t.BlameCommit(**lines._asdict()) for lines in commits],
        revision=call.revision,
    )


def _path(path: str, cwd: str | None) -> str:
    path = activity.resolve_path(path, cwd)
    if not os.path.isabs(path):
        raise InvalidParams("path", "is relative; give an absolute path, or cwd with it", path)
    return path
