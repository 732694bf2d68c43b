"""What an entity hangs together with: the other ends of its links, but for those that the user dismissed; and what the user
said of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypedDict

import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.store import user
from ccdashd.store.entities import entities
from ccdashd.store.links import of_entity

RELATED = 50
"""Related entities that an entity shows."""

MANUAL = "manual"
"""The signal of a link that the user made."""


class Linked(NamedTuple):
    """An entity at the other end of a link; of several links with it, the surest."""

    type: t.EntityType
    id: str
    confidence: float
    signals: tuple[str, ...]
    """Kinds of evidence of all links with it."""


def linked(connection: sa.Connection, type_: t.EntityType, id: str) -> list[Linked]:
    """All that an entity is linked with, the surest first; what sessions did to files is told by `store.activity`."""
    found: dict[tuple[t.EntityType, str], Linked] = {}
    for link in of_entity(connection, type_, id, touches=False):
        if link.state == "dismissed":
            continue
        other = link.other((type_, id))
        known = found.setdefault(other, Linked(*other, link.confidence, ()))
        signals = (*known.signals, *([MANUAL] if link.made else []), *link.signals)
        found[other] = known._replace(signals=tuple(dict.fromkeys(signals)))
    return list(found.values())


class Around(TypedDict):
    """What every entity shows besides what it is: fields of its type on the wire."""

    tags: list[str]
    external_links: list[t.ExternalLink]
    metadata: dict[str, Any]
    related: list[t.Entity]


def around(
    connection: sa.Connection,
    type_: t.EntityType,
    id: str,
    wanted: Callable[[Linked], bool] = lambda _: True,
) -> Around:
    """What the user said of an entity, and what it is linked with as far as that is `wanted`: the surest first, at most
    `RELATED`."""
    found = [link for link in linked(connection, type_, id) if wanted(link)][:RELATED]
    known = entities(connection, [(link.type, link.id) for link in found])
    return Around(
        tags=user.tags_of(connection, type_, id),
        external_links=user.external_links_of(connection, type_, id),
        metadata=user.metadata_of(connection, type_, id),
        related=[known[link.type, link.id] for link in found],
    )
