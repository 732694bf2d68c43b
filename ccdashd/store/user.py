"""What the user says of entities: links made by hand or dismissed, links to the web, tags, notes and other metadata.

All of it comes from the journal, through `store.decisions`, and is told by the ids of entities, whether they are there or
not.
"""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.store.schema import app_metadata, entity_tags, external_links, tags

# --- tags ---


def tags_of(connection: sa.Connection, type: t.EntityType, id: str) -> list[str]:
    """The tags of an entity, by name."""
    query = sa.select(entity_tags.c.tag).where(entity_tags.c.entity_type == type, entity_tags.c.entity_id == id)
    return sorted(connection.execute(query).scalars(), key=str.casefold)


def spelling(connection: sa.Connection, name: str) -> str | None:
    """The tag of that name as it is spelled, whatever the case of `name`; None where there is none."""
    if connection.execute(sa.select(tags.c.name).where(tags.c.name == name)).first() is not None:
        return name
    # SQLite folds the case of ASCII alone.
    folded = name.casefold()
    names = connection.execute(sa.select(tags.c.name)).scalars()
    return next((known for known in names if known.casefold() == folded), None)


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
