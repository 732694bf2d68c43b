"""``files/*``: what is known about a path."""

from __future__ import annotations

import os

from ccdashd.errors import InvalidParams
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import ReadCall, handles
from ccdashd.store import activity, projects


@handles(methods.FILES_CONTEXT)
def files_context(call: ReadCall, params: t.FileContextParams) -> t.FileContext:
    """Which sessions touched a path. The path is looked up, never opened."""
    path = activity.resolve_path(params.path, params.cwd)
    if not os.path.isabs(path):
        raise InvalidParams("path", "is relative; give an absolute path, or cwd with it", params.path)
    sessions, total = activity.context(call.conn, path, params.limit)
    project = projects.holding(call.conn, path)
    return t.FileContext(path=path, project=project, sessions=sessions, total=total, revision=call.revision)
