"""``projects/*``: found from sessions, named, added and hidden by the user."""

from __future__ import annotations

import os
from collections.abc import Callable

import sqlalchemy as sa

from ccdashd.edits.decisions import ProjectEdit
from ccdashd.errors import InvalidParams
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.decisions import acknowledged, decide, one_line
from ccdashd.rpc.dispatch import Call, ReadCall, handles
from ccdashd.store import projects

MAX_NAME = 200
"""Characters of a project's name."""


@handles(methods.PROJECTS_LIST)
def projects_list(call: ReadCall, params: t.ProjectsList) -> t.Page[t.Project]:
    """Projects, last active first."""
    return projects.page(call.conn, params, call.revision)


@handles(methods.PROJECTS_GET)
def projects_get(call: ReadCall, params: t.ProjectId) -> t.Project:
    """One project."""
    return projects.get(call.conn, params.id)


@handles(methods.PROJECTS_ADD)
async def projects_add(call: Call, params: t.ProjectsAdd) -> t.Project:
    """Register a folder as a project."""
    if "\0" in params.root:
        raise InvalidParams("root", "has a NUL character, which no path has", params.root)
    root = os.path.normpath(os.path.expanduser(params.root))
    if not os.path.isabs(root):
        raise InvalidParams("root", "must be an absolute path", params.root)
    if not os.path.isdir(root):
        raise InvalidParams("root", "is no folder", params.root)
    added = await _edit(call, lambda connection: ProjectEdit(op="add", root=root, name=_name(params.name)))
    # Its plans are there when the client gets its answer.
    await call.app.pipeline.plans.welcome()
    return await call.app.database.read(lambda connection, _: projects.get(connection, added.id))


@handles(methods.PROJECTS_UPDATE)
async def projects_update(call: Call, params: t.ProjectsUpdate) -> t.Project:
    """Name, hide or show a project."""
    if params.name is None and params.hidden is None:
        raise InvalidParams("name", "give a name, or hidden", None)
    name = _name(params.name)

    def edit(connection: sa.Connection) -> ProjectEdit:
        return ProjectEdit(op="update", root=projects.get(connection, params.id).root, name=name, hidden=params.hidden)

    return await _edit(call, edit)


@handles(methods.PROJECTS_REMOVE)
async def projects_remove(call: Call, params: t.ProjectId) -> t.Ok:
    """Undo what the user said of a project."""

    def choose(connection: sa.Connection) -> tuple[ProjectEdit, None]:
        return ProjectEdit(op="remove", root=projects.get(connection, params.id).root), None

    await decide(call, choose)
    return acknowledged(call)


def _name(name: str | None) -> str | None:
    """The name without spaces around it; an empty one stands for that of the folder."""
    return one_line("name", name, MAX_NAME) if name is not None else None


async def _edit(call: Call, edit: Callable[[sa.Connection], ProjectEdit]) -> t.Project:
    def choose(connection: sa.Connection) -> tuple[ProjectEdit, str]:
        chosen = edit(connection)
        return chosen, projects.project_id(chosen.root)

    project_id = await decide(call, choose)
    return await call.app.database.read(lambda connection, _: projects.get(connection, project_id))
