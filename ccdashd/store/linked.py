"""What an entity is linked with, whichever way the links point: found and by hand, but those that the user dismissed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection
from ccdashd.store.entities import entities

RELATED = 50
"""Related entities that an entity shows."""

MANUAL = "manual"
"""The signal of a link that the user made."""


class Linked(NamedTuple):
    """An entity at the other end of a link. Of several links with it, the surest."""

    type: t.EntityType
    id: str
    confidence: float
    signals: tuple[str, ...]
    """Kinds of evidence of all links with it."""


_LINKS = """
WITH link AS (
  SELECT target_type AS type, target_id AS other, confidence, signals, id FROM entity_links
  WHERE source_type = :type AND source_id = :id
  UNION ALL SELECT source_type, source_id, confidence, signals, id FROM entity_links
  WHERE target_type = :type AND target_id = :id
  UNION ALL SELECT target_type, target_id, 1.0, :manual, id FROM user_links
  WHERE source_type = :type AND source_id = :id AND state = 'made'
  UNION ALL SELECT source_type, source_id, 1.0, :manual, id FROM user_links
  WHERE target_type = :type AND target_id = :id AND state = 'made'
)
SELECT type, other, confidence, signals FROM link
WHERE NOT EXISTS (SELECT 1 FROM user_links u WHERE u.id = link.id AND u.state = 'dismissed')
ORDER BY confidence DESC, type, other, signals
"""


def linked(connection: sa.Connection, type_: t.EntityType, id: str) -> list[Linked]:
    """All that an entity is linked with, the surest first."""
    found: dict[tuple[t.EntityType, str], Linked] = {}
    parameters = {"type": type_, "id": id, "manual": MANUAL}
    for other_type, other, confidence, signals in raw_connection(connection).execute(_LINKS, parameters):
        known = found.get((other_type, other))
        kinds = tuple(filter(None, signals.split(",")))
        if known is None:
            found[other_type, other] = Linked(other_type, other, confidence, kinds)
        else:
            found[other_type, other] = known._replace(signals=tuple(dict.fromkeys((*known.signals, *kinds))))
    return list(found.values())


def related(
    connection: sa.Connection,
    type_: t.EntityType,
    id: str,
    wanted: Callable[[Linked], bool] = lambda _: True,
) -> list[t.Entity]:
    """What an entity is linked with, as far as it is `wanted`: the surest first, at most `RELATED`."""
    found = [link for link in linked(connection, type_, id) if wanted(link)][:RELATED]
    known = entities(connection, [(link.type, link.id) for link in found])
    return [known[link.type, link.id] for link in found]
