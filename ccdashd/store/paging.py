"""Pages of a list by place or by cursor, in any order.

A cursor names the last row that was given by what the list is sorted by. The next page is what comes after it, so that rows
that come or go meanwhile make no other row appear twice or not at all.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Protocol, TypeVar

import msgspec
import sqlalchemy as sa

from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from ccdashd.store import user
from ccdashd.store.schema import entity_tags, projects

T = TypeVar("T")

Keys = Sequence[sa.ColumnElement[Any]]
"""What a list is sorted by; the last of them tell every row from every other. NULL is the least."""

MAX_TEXT = 1_000
"""Characters of a text that is looked for. SQLite bounds both patterns and expressions, and refuses what is beyond."""

_Stored = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_decode = msgspec.json.Decoder(list[_Stored | float | str | None]).decode


class Asked(Protocol):
    """Parameters of a list."""

    @property
    def offset(self) -> int: ...
    @property
    def limit(self) -> int: ...
    @property
    def cursor(self) -> str | None: ...
    @property
    def sort(self) -> str: ...
    @property
    def order(self) -> str: ...


def page(
    connection: sa.Connection,
    query: sa.Select[Any],
    wire: Callable[[Any], T],
    table: sa.Table,
    where: Sequence[sa.ColumnElement[bool]],
    keys: Keys,
    asked: Asked,
    revision: int,
) -> t.Page[T]:
    """A page of the rows of `table`, as `query` gives them. Raises InvalidParams for a cursor that is none.

    `where` and `keys` know `table` alone: what `query` joins with it is looked up for the rows of the page only.
    """
    total = connection.execute(sa.select(sa.func.count()).select_from(table).where(*where)).scalar_one()
    down = asked.order == "desc"
    names = [f"key_{number}" for number in range(len(keys))]
    picked = sa.select(table.c.id, *(key.label(name) for key, name in zip(keys, names, strict=True))).where(*where)
    if asked.cursor is not None:
        picked = picked.where(_after(keys, down, _values(asked, keys)))
    few = picked.order_by(*_sorted(keys, down)).offset(asked.offset).limit(asked.limit + 1).subquery()
    values = [few.c[name] for name in names]
    query = query.join(few, few.c.id == table.c.id).add_columns(*values).order_by(*_sorted(values, down))
    rows = connection.execute(query).all()
    more = len(rows) > asked.limit
    rows = rows[: asked.limit]
    last = [asked.sort, asked.order, *(getattr(rows[-1], name) for name in names)] if more else None
    return t.Page(
        items=[wire(row) for row in rows],
        total=total,
        offset=asked.offset,
        limit=asked.limit,
        revision=revision,
        next_cursor=base64.urlsafe_b64encode(msgspec.json.encode(last)).decode() if more else None,
    )


def _sorted(keys: Keys, down: bool) -> list[sa.UnaryExpression[Any]]:
    return [key.desc() if down else key.asc() for key in keys]


def _values(asked: Asked, keys: Keys) -> list[Any]:
    try:
        sort, order, *values = _decode(base64.urlsafe_b64decode(asked.cursor or ""))
    except (ValueError, msgspec.DecodeError):
        raise InvalidParams("cursor", "is not one that this list gave", asked.cursor) from None
    if (sort, order) != (asked.sort, asked.order):
        raise InvalidParams("cursor", "belongs to another sort or order", asked.cursor)
    if len(values) != len(keys) or not all(map(_fits, keys, values)):
        raise InvalidParams("cursor", "is not one that this list gave", asked.cursor)
    return values


def _fits(key: sa.ColumnElement[Any], value: object) -> bool:
    return value is None or isinstance(value, str) == isinstance(key.type, sa.String)


def _after(keys: Keys, down: bool, values: Sequence[Any]) -> sa.ColumnElement[bool]:
    """What comes after the row with these values in the order by `keys`."""
    key, value = keys[0], values[0]
    beyond: sa.ColumnElement[bool]
    if value is None:
        beyond, same = sa.false() if down else key.is_not(None), key.is_(None)
    else:
        beyond, same = sa.or_(key < value, key.is_(None)) if down else key > value, key == value
    if len(keys) == 1:
        return beyond
    return sa.or_(beyond, sa.and_(same, _after(keys[1:], down, values[1:])))


def shown(project_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """That the project of a row is not hidden."""
    # So, and not as those that are shown: that would be looked up by an index, though it is most of all rows.
    return project_id.not_in(sa.select(projects.c.id).where(projects.c.hidden))


def words(text: str | None, *columns: sa.ColumnElement[str]) -> list[sa.ColumnElement[bool]]:
    """That each word of `text` is in one of the columns at least. Raises InvalidParams of ``text``, as `contains`."""
    return [
        sa.or_(*(contains("text", column, word) for column in columns)) for word in _bounded("text", text or "").split()
    ]


def contains(field: str, column: sa.ColumnElement[str], part: str) -> sa.ColumnElement[bool]:
    """That `part` is in the column, whatever the case. Raises InvalidParams of `field` where it exceeds `MAX_TEXT`."""
    return column.contains(_bounded(field, part), autoescape=True)


def _bounded(field: str, text: str) -> str:
    if len(text) > MAX_TEXT:
        raise InvalidParams(field, f"has {len(text):,} characters; at most {MAX_TEXT:,}", text)
    return text


def tagged(connection: sa.Connection, type_: t.EntityType, id: sa.ColumnElement[str], tag: str) -> sa.ColumnElement[bool]:
    """That the user gave an entity this tag, however he spelled it."""
    given = entity_tags.c
    name = user.spelling(connection, tag)
    return id.in_(sa.select(given.entity_id).where(given.entity_type == type_, given.tag == name))


def file_tagged(tags: sa.ColumnElement[str], tag: str) -> sa.ColumnElement[bool]:
    """That the frontmatter of files has this tag; `tags` are those of a row, each between line feeds."""
    return sa.func.instr(tags, f"\n{tag.lower()}\n") > 0
