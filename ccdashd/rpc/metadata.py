"""``metadata/*``: notes, ratings and any other value of entities."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.edits.decisions import MetadataEdit
from ccdashd.errors import InvalidParams
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.decisions import decide
from ccdashd.rpc.dispatch import Call, ReadCall, handles
from ccdashd.store import user
from ccdashd.store.names import existing, look_up, name_of

MAX_VALUE = 256 * 1024
"""Bytes of a value as JSON, or of a note as text."""

MAX_DEPTH = 100
"""Lists and objects within each other in a value."""

_KEY = re.compile(r"[A-Za-z0-9._-]{1,100}")
_SCALES = ("rating", "friction")


@handles(methods.METADATA_GET)
def metadata_get(call: ReadCall, params: t.MetadataGet) -> t.Metadata:
    """All values of an entity, or one."""
    if params.key is not None:
        check_key(params.key)
    values = user.metadata_of(call.conn, params.entity.type, params.entity.id, params.key)
    if not values:
        existing(call.conn, "entity.id", params.entity.type, params.entity.id)
    return t.Metadata(entity=params.entity, values=values, revision=call.revision)


@handles(methods.METADATA_SET)
async def metadata_set(call: Call, params: t.MetadataSet) -> t.Metadata:
    """Set one value of an entity; null removes it, also where the entity is gone."""
    check_key(params.key)
    check_value(params.key, params.value)

    def choose(connection: sa.Connection) -> tuple[MetadataEdit | None, None]:
        entity = look_up(connection, "entity.id", params.entity.type, params.entity.id)
        known = user.metadata_of(connection, entity.type, entity.id, params.key)
        if params.value is not None or not known:
            existing(connection, "entity.id", entity.type, entity.id)
        if msgspec.json.encode(known.get(params.key)) == msgspec.json.encode(params.value):
            return None, None
        return MetadataEdit(entity=name_of(connection, entity), key=params.key, value=params.value), None

    await decide(call, choose)

    def answer(connection: sa.Connection, revision: int) -> t.Metadata:
        values = user.metadata_of(connection, params.entity.type, params.entity.id)
        return t.Metadata(entity=params.entity, values=values, revision=revision)

    return await call.app.database.read(answer)


def check_key(key: str) -> None:
    """Raises InvalidParams for what is no key."""
    if not _KEY.fullmatch(key):
        raise InvalidParams("key", "must be 1 to 100 letters, digits, '.', '_' or '-'", key[:200])


def check_value(key: str, value: Any) -> None:
    """Raises InvalidParams for a value that its key may not have; null, which removes, fits any."""
    if value is None:
        return
    if _depth(value) > MAX_DEPTH:
        raise InvalidParams("value", f"has more than {MAX_DEPTH} lists and objects within each other", None)
    if key == "note" and not isinstance(value, str):
        raise InvalidParams("value", "a note must be text", _shown(value))
    # A whole number, and not true, which is one to Python.
    if key in _SCALES and (type(value) is not int or not 1 <= value <= 5):
        raise InvalidParams("value", f"a {key} must be a whole number from 1 to 5", _shown(value))
    size = len(value.encode()) if isinstance(value, str) else len(msgspec.json.encode(value))
    if size > MAX_VALUE:
        raise InvalidParams("value", f"has {size:,} bytes; at most {MAX_VALUE:,}", _shown(value))


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, list | dict)]:
        depth += 1
        level = [part for item in level for part in (item.values() if isinstance(item, dict) else item)]
    return depth


def _shown(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 100 else text[:100] + "…"
