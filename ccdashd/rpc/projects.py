"""``projects/*``: found from sessions, named, added and hidden by the user."""

from __future__ import annotations

import os

from ccdashd.edits.journal import ProjectEdit
from ccdashd.errors import InvalidParams, ReadOnly
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import Call, ReadCall, handles
from ccdashd.store import projects


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
    root = os.path.normpath(os.path.expanduser(params.root))
    if not os.path.isabs(root):
        raise InvalidParams("root", "must be an absolute path", params.root)
    if not os.path.isdir(root):
        raise InvalidParams("root", "is no folder", params.root)
    return await _edit(call, ProjectEdit(op="add", root=root, name=_name(params.name)))


@handles(methods.PROJECTS_UPDATE)
async def projects_update(call: Call, params: t.ProjectsUpdate) -> t.Project:
    """Name, hide or show a project."""
    if params.name is None and params.hidden is None:
        raise InvalidParams("name", "give a name, or hidden", None)
    root = await _root(call, params.id)
    return await _edit(call, ProjectEdit(op="update", root=root, name=_name(params.name), hidden=params.hidden))


@handles(methods.PROJECTS_REMOVE)
async def projects_remove(call: Call, params: t.ProjectId) -> t.Ok:
    """Undo what the user said of a project."""
    await _decide(call, ProjectEdit(op="remove", root=await _root(call, params.id)))
    return t.Ok(revision=call.app.database.revision)


def _name(name: str | None) -> str | None:
    if name is not None and not name.strip():
        raise InvalidParams("name", "is empty", name)
    return name.strip() if name is not None else None


async def _root(call: Call, project_id: str) -> str:
    project = await call.app.database.read(lambda connection, _: projects.get(connection, project_id))
    return project.root


async def _edit(call: Call, edit: ProjectEdit) -> t.Project:
    project_id = await _decide(call, edit)
    return await call.app.database.read(lambda connection, _: projects.get(connection, project_id))


async def _decide(call: Call, edit: ProjectEdit) -> str:
    try:
        return await call.app.pipeline.decide(edit)
    except OSError as error:
        raise ReadOnly(f"the decision could not be written to the journal: {error.strerror or error}") from error
