"""``tags/*``: tags of the user on entities of any type."""

from __future__ import annotations

import sqlalchemy as sa

from ccdashd.derive import colors
from ccdashd.edits.decisions import TagEdit, TagUse
from ccdashd.errors import InvalidParams, NotFound
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.decisions import acknowledged, decide, one_entity, one_line
from ccdashd.rpc.dispatch import Call, ReadCall, handles
from ccdashd.store import user
from ccdashd.store.names import existing, look_up, name_of

MAX_NAME = 100
"""Characters of a tag's name."""


@handles(methods.TAGS_LIST)
def tags_list(call: ReadCall, params: t.TagsList) -> t.Tags:
    """All tags, or those of one entity."""
    entity = one_entity(params.type, params.id)
    return _all(call.conn, call.revision) if entity is None else _of(call.conn, entity, call.revision)


@handles(methods.TAGS_CREATE)
async def tags_create(call: Call, params: t.TagCreate) -> t.Tag:
    """Make a tag, or give one another color."""
    name = _name("name", params.name)
    try:
        color = colors.normalised(params.color)
    except ValueError as error:
        raise InvalidParams("color", str(error), params.color[:100]) from None

    def choose(connection: sa.Connection) -> tuple[TagEdit | None, str]:
        spelled = user.spelling(connection, name)
        known = user.tag(connection, spelled) if spelled is not None else None
        if known is not None and color in ("", known.color):
            return None, known.name
        return TagEdit(op="set", name=spelled or name, color=color), spelled or name

    return await _answer(call, await decide(call, choose))


@handles(methods.TAGS_ADD)
async def tags_add(call: Call, params: t.TagUse) -> t.Tags:
    """Give an entity a tag, which is made where there is none."""
    name = _name("name", params.name)

    def choose(connection: sa.Connection) -> tuple[TagUse | None, None]:
        entity = existing(connection, "entity.id", params.entity.type, params.entity.id)
        spelled = user.spelling(connection, name) or name
        if spelled in user.tags_of(connection, entity.type, entity.id):
            return None, None
        return TagUse(op="add", name=spelled, entity=name_of(connection, entity)), None

    await decide(call, choose)
    return await call.app.database.read(lambda connection, revision: _of(connection, params.entity, revision))


@handles(methods.TAGS_REMOVE)
async def tags_remove(call: Call, params: t.TagUse) -> t.Tags:
    """Take a tag from an entity, which may be gone."""

    def choose(connection: sa.Connection) -> tuple[TagUse | None, None]:
        spelled = _spelled(connection, params.name)
        entity = look_up(connection, "entity.id", params.entity.type, params.entity.id)
        if spelled not in user.tags_of(connection, entity.type, entity.id):
            existing(connection, "entity.id", entity.type, entity.id)
            return None, None
        return TagUse(op="remove", name=spelled, entity=name_of(connection, entity)), None

    await decide(call, choose)

    def answer(connection: sa.Connection, revision: int) -> t.Tags:
        items = user.entity_tag_list(connection, params.entity.type, params.entity.id)
        return t.Tags(items=items, revision=revision)

    return await call.app.database.read(answer)


@handles(methods.TAGS_RENAME)
async def tags_rename(call: Call, params: t.TagRename) -> t.Tag:
    """Rename a tag; where there is one of that name, the two become one."""
    new_name = _name("newName", params.new_name)

    def choose(connection: sa.Connection) -> tuple[TagEdit | None, str]:
        old = _spelled(connection, params.name)
        other = user.spelling(connection, new_name)
        into = other if other is not None and other != old else new_name
        return TagEdit(op="rename", name=old, new_name=into) if into != old else None, into

    return await _answer(call, await decide(call, choose))


@handles(methods.TAGS_DELETE)
async def tags_delete(call: Call, params: t.TagName) -> t.Ok:
    """Remove a tag from all entities."""

    def choose(connection: sa.Connection) -> tuple[TagEdit, None]:
        return TagEdit(op="delete", name=_spelled(connection, params.name)), None

    await decide(call, choose)
    return acknowledged(call)


def _name(field: str, name: str) -> str:
    name = one_line(field, name, MAX_NAME)
    if not name:
        raise InvalidParams(field, "is empty", name)
    return name


def _spelled(connection: sa.Connection, name: str) -> str:
    spelled = user.spelling(connection, name.strip())
    if spelled is None:
        raise NotFound("tag", name, "see tags/list")
    return spelled


def _all(connection: sa.Connection, revision: int) -> t.Tags:
    return t.Tags(items=user.all_tags(connection), revision=revision)


def _of(connection: sa.Connection, entity: t.EntityRef, revision: int) -> t.Tags:
    items = user.entity_tag_list(connection, entity.type, entity.id)
    if not items:
        existing(connection, "id", entity.type, entity.id)
    return t.Tags(items=items, revision=revision)


async def _answer(call: Call, name: str) -> t.Tag:
    def answer(connection: sa.Connection, _: int) -> t.Tag:
        tag = user.tag(connection, name)
        if tag is None:
            raise NotFound("tag", name, "somebody removed it just now")
        return tag

    return await call.app.database.read(answer)
