"""Projects: found from where sessions ran, named, added and hidden by the user."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ccdashd.clock import iso
from ccdashd.edits.decisions import ProjectEdit
from ccdashd.errors import NotFound
from ccdashd.protocol import types as t
from ccdashd.store.figures import OWN
from ccdashd.store.schema import documents, features, projects, sessions
from ccdashd.store.session_rows import tokens


def project_id(root: str) -> str:
    """A readable id that is the same after every rebuild: the folder's name and a hash of its path."""
    name = re.sub(r"[^a-z0-9]+", "-", os.path.basename(root.rstrip("/")).lower()).strip("-") or "root"
    return f"{name[:40]}-{hashlib.blake2b(root.encode('utf-8', 'replace'), digest_size=3).hexdigest()}"


def project_name(root: str) -> str:
    """The name that a project has until the user gives one."""
    return os.path.basename(root.rstrip("/")) or root


def ids(connection: sa.Connection) -> set[str]:
    """The ids of all projects."""
    return set(connection.execute(sa.select(projects.c.id)).scalars())


def shown_ids(connection: sa.Connection) -> set[str]:
    """The ids of those that are not hidden."""
    return set(connection.execute(sa.select(projects.c.id).where(~projects.c.hidden)).scalars())


def add(connection: sa.Connection, root: str) -> None:
    """Note the project at `root`, found from a session."""
    values = {"id": project_id(root), "root": root, "name": project_name(root), "origin": "discovered", "hidden": False}
    connection.execute(sa.insert(projects).values(**values))


def drop_unused(connection: sa.Connection) -> set[str]:
    """Remove found projects that no session belongs to and that the user never touched; returns their ids."""
    used = sa.exists().where(sessions.c.project_id == projects.c.id)
    query = sa.select(projects.c.id, projects.c.root, projects.c.name).where(
        projects.c.origin == "discovered", ~projects.c.hidden, ~used
    )
    unused = {row.id for row in connection.execute(query) if row.name == project_name(row.root)}
    if unused:
        connection.execute(sa.delete(projects).where(projects.c.id.in_(sorted(unused))))
    return unused


def roots(connection: sa.Connection, revision: int) -> list[tuple[str, str]]:
    """Id and root of every project."""
    return [(row.id, row.root) for row in connection.execute(sa.select(projects.c.id, projects.c.root))]


def added_roots(connection: sa.Connection) -> list[str]:
    """Roots that the user registered."""
    return list(connection.execute(sa.select(projects.c.root).where(projects.c.origin == "added")).scalars())


def page(connection: sa.Connection, params: t.ProjectsList, revision: int) -> t.Page[t.Project]:
    """One page of the list, last active first."""
    where = [] if params.include_hidden else [~projects.c.hidden]
    total = connection.execute(sa.select(sa.func.count()).select_from(projects).where(*where)).scalar_one()
    query = _PROJECT.where(*where).order_by(_figures.c.last.desc(), projects.c.root)
    rows = connection.execute(query.offset(params.offset).limit(params.limit)).all()
    return t.Page(
        items=[_wire(row) for row in rows], total=total, offset=params.offset, limit=params.limit, revision=revision
    )


def get(connection: sa.Connection, wanted: str) -> t.Project:
    """One project. Raises NotFound."""
    row = connection.execute(_PROJECT.where(projects.c.id == wanted)).first()
    if row is None:
        raise NotFound("project", wanted, "see projects/list")
    return _wire(row)


def holding(connection: sa.Connection, path: str) -> t.Project | None:
    """The project with the longest root above `path`."""
    above = _holding(connection.execute(sa.select(projects.c.id, projects.c.root)).all(), path)
    return get(connection, above) if above is not None else None


def above(connection: sa.Connection, path: str) -> tuple[str, str] | None:
    """Id and root of the project with the longest root above `path`, without its figures."""
    rows = connection.execute(sa.select(projects.c.id, projects.c.root)).all()
    id = _holding(rows, path)
    return next(((row.id, row.root) for row in rows if row.id == id), None)


def find(connection: sa.Connection, wanted: str) -> str:
    """The id of the project with that id or name, or of the one that holds that path. Raises NotFound."""
    rows = connection.execute(sa.select(projects.c.id, projects.c.root, projects.c.name)).all()
    for row in rows:
        if row.id == wanted:
            return str(row.id)
    if wanted.startswith("/"):
        above = _holding(rows, wanted.rstrip("/") or "/")
        if above is not None:
            return above
    named = [row.id for row in rows if row.name == wanted]
    if len(named) == 1:
        return str(named[0])
    raise NotFound("project", wanted, "several have that name; give the id" if named else "see projects/list")


def _holding(rows: Sequence[Any], path: str) -> str | None:
    above = [row for row in rows if path == row.root or path.startswith(row.root.rstrip("/") + "/")]
    return str(max(above, key=lambda row: len(row.root)).id) if above else None


_figures = (
    sa.select(
        sessions.c.project_id,
        sa.func.sum(sa.case((sessions.c.agent_id.is_(None) & ~sessions.c.empty, 1), else_=0)).label("sessions"),
        sa.func.sum(sa.case((sessions.c.agent_id.is_not(None), 1), else_=0)).label("subagents"),
        sa.func.max(sessions.c.ended_at).label("last"),
        *(sa.func.sum(sessions.c[name]).label(name) for name in OWN),
    )
    .group_by(sessions.c.project_id)
    .subquery()
)


def _number(table: sa.Table) -> sa.Label[int]:
    own = sa.select(sa.func.count()).select_from(table).where(table.c.project_id == projects.c.id)
    return own.scalar_subquery().label(table.name)


_PROJECT = sa.select(projects, _figures, _number(documents), _number(features)).outerjoin(
    _figures, _figures.c.project_id == projects.c.id
)
"""All that `_wire` needs."""


def _wire(row: Any) -> t.Project:
    return t.Project(
        id=row.id,
        name=row.name,
        root=row.root,
        origin=row.origin,
        hidden=row.hidden,
        sessions=row.sessions or 0,
        subagents=row.subagents or 0,
        documents=row.documents,
        features=row.features,
        last_activity_at=iso(row.last),
        tokens=tokens([getattr(row, name) or 0 for name in OWN]),
    )


def forget_decisions(connection: sa.Connection) -> list[str]:
    """Leave every project to what its sessions say of it; returns their ids."""
    roots = connection.execute(sa.select(projects.c.root)).scalars().all()
    return [apply(connection, ProjectEdit(op="remove", root=root)) for root in roots]


def apply(connection: sa.Connection, edit: ProjectEdit) -> str:
    """Carry out what the user decided about a project; returns its id."""
    key = project_id(edit.root)
    if edit.op == "remove":
        known = sa.update(projects).where(projects.c.id == key)
        connection.execute(known.values(origin="discovered", hidden=False, name=project_name(edit.root)))
        return key
    if key not in ids(connection):
        add(connection, edit.root)
    values: dict[str, Any] = {}
    if edit.op == "add":
        values["origin"] = "added"
    if edit.name is not None:
        values["name"] = edit.name or project_name(edit.root)
    if edit.hidden is not None:
        values["hidden"] = edit.hidden
    if values:
        connection.execute(sa.update(projects).where(projects.c.id == key).values(**values))
    return key
