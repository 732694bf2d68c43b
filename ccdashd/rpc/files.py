"""``files/*``: what is known about a path."""

from __future__ import annotations

import os

from ccdashd.errors import InvalidParams
from ccdashd.lsp.blame import blame_of
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import ReadCall, handles
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
def files_blame(call: ReadCall, params: t.BlameParams) -> t.Blame:
    """Which session and prompt wrote which lines. The file is read where changes of it are recorded, and not otherwise."""
    return blame_of(call.app, call.conn, call.revision, _path(params.path, params.cwd), params)


def _path(path: str, cwd: str | None) -> str:
    path = activity.resolve_path(path, cwd)
    if not os.path.isabs(path):
        raise InvalidParams("path", "is relative; give an absolute path, or cwd with it", path)
    return path
