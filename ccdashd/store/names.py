"""Between the ids of entities, which hold the id of a project, and their names in the journal, which hold its root."""

from __future__ import annotations

import os
import re

import sqlalchemy as sa

from ccdashd.edits.decisions import Name
from ccdashd.errors import InvalidParams, NotFound
from ccdashd.protocol import types as t
from ccdashd.store.entities import entities
from ccdashd.store.projects import project_id
from ccdashd.store.schema import projects

_COMMIT = re.compile(r"[^/]+/[0-9a-f]{7}")

_LISTS = {
    "session": "see sessions/list",
    "project": "see projects/list",
    "feature": "see features/list",
    "phase": "features/get has the phases of a feature",
    "task": "see tasks/list",
    "document": "see documents/list",
    "file": "it lies in no project; see projects/list",
    "commit": "its project is not there; see projects/list",
}


def id_of(name: Name) -> str:
    """The id of an entity, whether it is there or not."""
    if name.type == "session":
        return name.key
    if name.type == "file":
        return name.path
    if name.type == "project":
        return project_id(name.root)
    return f"{project_id(name.root)}/{name.key}"


def name_of(connection: sa.Connection, entity: t.Entity) -> Name:
    """The name of an entity. Raises NotFound where its project is not there, so that it has none."""
    if entity.type == "session":
        return Name(type="session", key=entity.id)
    project = entity.project_id or entity.id.partition("/")[0]
    root = connection.execute(sa.select(projects.c.root).where(projects.c.id == project)).scalar_one_or_none()
    if root is None:
        raise NotFound(entity.type, entity.id, _LISTS[entity.type])
    if entity.type == "project":
        return Name(type="project", root=root)
    key = os.path.relpath(entity.id, root) if entity.type == "file" else entity.id.partition("/")[2]
    return Name(type=entity.type, root=root, key=key)


def look_up(connection: sa.Connection, field: str, type: t.EntityType, id: str) -> t.Entity:
    """The entity of that id, `missing` where it is not there. Raises InvalidParams where no entity could have the id."""
    if not id:
        raise InvalidParams(field, "is empty", id)
    if type == "file" and (not os.path.isabs(id) or os.path.normpath(id) != id):
        raise InvalidParams(field, "must be an absolute path, without '.', '..' and a slash at its end", id)
    if type == "commit" and not _COMMIT.fullmatch(id):
        raise InvalidParams(field, "must be <project id>/<first 7 hexadecimal digits> of a commit", id)
    entity = entities(connection, [(type, id)])[type, id]
    if type == "file" and entity.project_id is None:
        return t.Entity(type=type, id=id, title=id, missing=True)
    return entity


def existing(connection: sa.Connection, field: str, type: t.EntityType, id: str) -> t.Entity:
    """The entity of that id. Raises InvalidParams where no entity could have the id, NotFound where none has."""
    entity = look_up(connection, field, type, id)
    if entity.missing:
        raise NotFound(type, id, _LISTS[type])
    return entity
