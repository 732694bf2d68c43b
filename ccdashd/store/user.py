"""What the user says of entities: links made by hand or dismissed, links to the web, tags, notes and other metadata.

All of it comes from the journal, through `store.decisions`, and is told by the ids of entities, whether they are there or
not.
"""

from __future__ import annotations

from sqlite3 import Connection as Raw
from typing import Any, Literal

import msgspec
import sqlalchemy as sa

from ccdashd.derive.link_ids import external_link_id
from ccdashd.derive.links import Key
from ccdashd.edits import decisions
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection
from ccdashd.store.names import id_of
from ccdashd.store.schema import app_metadata, entity_tags, external_links, tags, user_links

# --- tags ---


def tags_of(connection: sa.Connection, type: t.EntityType, id: str) -> list[str]:
    """The tags of an entity, by name."""
    query = sa.select(entity_tags.c.tag).where(entity_tags.c.entity_type == type, entity_tags.c.entity_id == id)
    return sorted(connection.execute(query).scalars(), key=str.casefold)


def spelling(connection: sa.Connection, name: str) -> str | None:
    """The tag of that name as it is spelled, whatever the case of `name`; None where there is none."""
    return _spelling(raw_connection(connection), name)


def _spelling(raw: Raw, name: str) -> str | None:
    if raw.execute("SELECT 1 FROM tags WHERE name = ?", (name,)).fetchone() is not None:
        return name
    # SQLite folds the case of ASCII alone.
    folded = name.casefold()
    return next((known for (known,) in raw.execute("SELECT name FROM tags") if known.casefold() == folded), None)


def tag(connection: sa.Connection, name: str) -> t.Tag | None:
    """The tag that is spelled so."""
    return next(iter(_tags(connection, tags.c.name == name)), None)


def all_tags(connection: sa.Connection) -> list[t.Tag]:
    """All tags, by name."""
    return _tags(connection, sa.true())


def entity_tag_list(connection: sa.Connection, type: t.EntityType, id: str) -> list[t.Tag]:
    """The tags of an entity with their colors, by name."""
    return _tags(connection, tags.c.name.in_(tags_of(connection, type, id)))


def _tags(connection: sa.Connection, where: sa.ColumnElement[bool]) -> list[t.Tag]:
    count = sa.select(sa.func.count()).where(entity_tags.c.tag == tags.c.name).scalar_subquery().label("uses")
    rows = connection.execute(sa.select(tags, count).where(where)).all()
    found = [t.Tag(name=row.name, color=row.color, count=row.uses) for row in rows]
    return sorted(found, key=lambda tag: (tag.name.casefold(), tag.name))


# --- links to the web ---


def external_links_of(connection: sa.Connection, type: t.EntityType, id: str) -> list[t.ExternalLink]:
    """The links of an entity to the web, the oldest first."""
    where = (external_links.c.entity_type == type, external_links.c.entity_id == id)
    query = sa.select(external_links).where(*where).order_by(external_links.c.created_at, external_links.c.id)
    return [_external_link(row) for row in connection.execute(query)]


def external_link(connection: sa.Connection, id: str) -> t.ExternalLink | None:
    """One link to the web."""
    row = connection.execute(sa.select(external_links).where(external_links.c.id == id)).first()
    return _external_link(row) if row is not None else None


def external_links_page(connection: sa.Connection, params: t.ExternalLinksList, revision: int) -> t.Page[t.ExternalLink]:
    """One page of links to the web, the oldest first."""
    asked = {"entity_type": params.type, "entity_id": params.id, "category": params.category}
    where = [external_links.c[name] == value for name, value in asked.items() if value is not None]
    total = connection.execute(sa.select(sa.func.count()).select_from(external_links).where(*where)).scalar_one()
    query = sa.select(external_links).where(*where).order_by(external_links.c.created_at, external_links.c.id)
    rows = connection.execute(query.offset(params.offset).limit(params.limit)).all()
    return t.Page(
        items=[_external_link(row) for row in rows],
        total=total,
        offset=params.offset,
        limit=params.limit,
        revision=revision,
    )


def _external_link(row: Any) -> t.ExternalLink:
    return t.ExternalLink(
        id=row.id,
        entity=t.EntityRef(type=row.entity_type, id=row.entity_id),
        url=row.url,
        label=row.label,
        category=row.category,
        created_at=row.created_at,
    )


# --- metadata ---


def metadata_of(connection: sa.Connection, type: t.EntityType, id: str, key: str | None = None) -> dict[str, Any]:
    """Notes, ratings and other values of an entity, or only that of `key`."""
    table = app_metadata.c
    where = [table.entity_type == type, table.entity_id == id]
    if key is not None:
        where.append(table.key == key)
    rows = connection.execute(sa.select(table.key, table.value).where(*where).order_by(table.key))
    return {row.key: msgspec.json.decode(row.value) for row in rows}


# --- what the journal says of them ---

Changes = dict[tuple[str, str], Literal["upsert", "delete"]]
"""What became of entities, links and tags, by type and id, as ``ccdash/changed`` tells it."""

_TOLD = ("session", "project", "document", "task", "feature")
"""Types of entities whose changes are told."""


def forget(connection: sa.Connection) -> Changes:
    """Forget all that the user said."""
    changes: Changes = {}
    for row in connection.execute(sa.select(user_links)):
        _touch(changes, (row.source_type, row.source_id), (row.target_type, row.target_id))
        changes["link", row.id] = "delete"
    for table in (external_links, entity_tags, app_metadata):
        for row in connection.execute(sa.select(table.c.entity_type, table.c.entity_id).distinct()):
            _touch(changes, (row.entity_type, row.entity_id))
    changes |= {("tag", name): "delete" for name in connection.execute(sa.select(tags.c.name)).scalars()}
    for table in (user_links, external_links, app_metadata, entity_tags, tags):
        connection.execute(sa.delete(table))
    return changes


def apply(connection: sa.Connection, edit: decisions.UserEdit) -> Changes:
    """Carry out one edit."""
    changes: Changes = {}
    raw = raw_connection(connection)
    match edit:
        case decisions.LinkEdit():
            _apply_link(raw, edit, changes)
        case decisions.ExternalLinkEdit():
            _apply_external_link(raw, edit, changes)
        case decisions.TagEdit(op="set"):
            _set_tag(raw, edit.name, edit.color, changes)
        case decisions.TagEdit(op="rename"):
            _rename_tag(raw, edit.name, edit.new_name, changes)
        case decisions.TagEdit():
            _delete_tag(raw, edit.name, changes)
        case decisions.TagUse():
            _apply_use(raw, edit, changes)
        case decisions.MetadataEdit():
            _apply_metadata(raw, edit, changes)
    return changes


_UNLINK = """
DELETE FROM user_links
WHERE source_type = ? AND source_id = ? AND target_type = ? AND target_id = ? AND link_type = ?
"""
_LINK = """
INSERT INTO user_links (source_type, source_id, target_type, target_id, link_type, id, state, note, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


def _apply_link(raw: Raw, edit: decisions.LinkEdit, changes: Changes) -> None:
    source, target = (edit.source.type, id_of(edit.source)), (edit.target.type, id_of(edit.target))
    key = Key(*source, *target, edit.link_type)
    raw.execute(_UNLINK, key)
    if edit.op in ("make", "dismiss"):
        state = "made" if edit.op == "make" else "dismissed"
        raw.execute(_LINK, (*key, key.id, state, edit.note, edit.at))
    found = raw.execute("SELECT 1 FROM entity_links WHERE id = ?", (key.id,)).fetchone() is not None
    there = edit.op == "make" or (found and edit.op != "dismiss")
    _touch(changes, source, target)
    changes["link", key.id] = "upsert" if there else "delete"


_LINK_TO_WEB = """
INSERT INTO external_links (id, entity_type, entity_id, url, label, category, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)
"""


def _apply_external_link(raw: Raw, edit: decisions.ExternalLinkEdit, changes: Changes) -> None:
    entity = (edit.entity.type, id_of(edit.entity))
    id = external_link_id(*entity, edit.url)
    raw.execute("DELETE FROM external_links WHERE id = ?", (id,))
    if edit.op == "create":
        raw.execute(_LINK_TO_WEB, (id, *entity, edit.url, edit.label, edit.category, edit.at))
    _touch(changes, entity)


def _set_tag(raw: Raw, name: str, color: str, changes: Changes) -> str:
    known = _spelling(raw, name)
    if known is None:
        raw.execute("INSERT INTO tags (name, color) VALUES (?, ?)", (name, color))
    elif color:
        raw.execute("UPDATE tags SET color = ? WHERE name = ?", (color, known))
    changes["tag", known or name] = "upsert"
    return known or name


def _rename_tag(raw: Raw, name: str, new_name: str, changes: Changes) -> None:
    old = _spelling(raw, name)
    if old is None or old == new_name:
        return
    (color,) = raw.execute("SELECT color FROM tags WHERE name = ?", (old,)).fetchone()
    other = _spelling(raw, new_name)
    if other is None or other == old:
        new = new_name
        raw.execute("INSERT INTO tags (name, color) VALUES (?, ?)", (new, color))
    else:
        new = other
        raw.execute("UPDATE tags SET color = ? WHERE name = ? AND color = ''", (color, new))
    # An entity that has both keeps one.
    raw.execute("UPDATE OR IGNORE entity_tags SET tag = ? WHERE tag = ?", (new, old))
    _delete_tag(raw, old, changes)
    _touch(changes, *_tagged(raw, new))
    changes["tag", new] = "upsert"


def _delete_tag(raw: Raw, name: str, changes: Changes) -> None:
    known = _spelling(raw, name)
    if known is not None:
        _touch(changes, *_tagged(raw, known))
        # Not left to the reference: while much is read, references are not looked after.
        raw.execute("DELETE FROM entity_tags WHERE tag = ?", (known,))
        raw.execute("DELETE FROM tags WHERE name = ?", (known,))
        changes["tag", known] = "delete"


def _tagged(raw: Raw, name: str) -> list[tuple[str, str]]:
    return raw.execute("SELECT entity_type, entity_id FROM entity_tags WHERE tag = ?", (name,)).fetchall()


def _apply_use(raw: Raw, edit: decisions.TagUse, changes: Changes) -> None:
    entity = (edit.entity.type, id_of(edit.entity))
    name = _set_tag(raw, edit.name, "", changes) if edit.op == "add" else _spelling(raw, edit.name)
    if name is None:
        return
    if edit.op == "add":
        raw.execute("INSERT OR IGNORE INTO entity_tags (entity_type, entity_id, tag) VALUES (?, ?, ?)", (*entity, name))
    else:
        raw.execute("DELETE FROM entity_tags WHERE entity_type = ? AND entity_id = ? AND tag = ?", (*entity, name))
    _touch(changes, entity)
    changes["tag", name] = "upsert"


_UNSET = "DELETE FROM app_metadata WHERE entity_type = ? AND entity_id = ? AND key = ?"
_SET = "INSERT INTO app_metadata (entity_type, entity_id, key, value, updated_at) VALUES (?, ?, ?, ?, ?)"


def _apply_metadata(raw: Raw, edit: decisions.MetadataEdit, changes: Changes) -> None:
    entity = (edit.entity.type, id_of(edit.entity))
    raw.execute(_UNSET, (*entity, edit.key))
    if edit.value is not None:
        raw.execute(_SET, (*entity, edit.key, msgspec.json.encode(edit.value), edit.at))
    _touch(changes, entity)


def _touch(changes: Changes, *entities: tuple[str, str]) -> None:
    changes.update({(type, id): "upsert" for type, id in entities if type in _TOLD})
