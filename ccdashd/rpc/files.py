"""``files/*``: what is known about a path."""

from __future__ import annotations

import asyncio
import os

import msgspec

from ccdashd import git
from ccdashd.errors import InvalidParams
from ccdashd.lsp.blame import blame_of
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import Call, ReadCall, handles
from ccdashd.store import activity, file_plans, projects


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
async def files_blame(call: Call, params: t.BlameParams) -> t.Blame:
    """Which session and prompt wrote which lines. The file is read where changes of it are recorded, and not otherwise."""
    path = _path(params.path, params.cwd)
    database = await call.app.ready()
    blame = await database.read(lambda connection, revision: blame_of(call.app, connection, revision, path, params))
    if not params.git or not blame.recorded:
        return blame
    # Git may take long on a long history: no snapshot of the cache is held meanwhile.
    last = blame.lines if params.end is None else min(params.end, blame.lines)
    commits = await asyncio.to_thread(git.blame, path, params.start or 1, last)
    return msgspec.structs.replace(
        blame, commits=None if commits is None else [t.BlameCommit(**lines._asdict()) for lines in commits]
    )


def _path(path: str, cwd: str | None) -> str:
    path = activity.resolve_path(path, cwd)
    if not os.path.isabs(path):
        raise InvalidParams("path", "is relative; give an absolute path, or cwd with it", path)
    return path
