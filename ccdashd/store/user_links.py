"""Links that the user made or dismissed, beside those that were found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import sqlalchemy as sa

from ccdashd.derive.link_ids import link_id
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection
from ccdashd.store.entities import Key, entities
from ccdashd.store.schema import entity_links, user_links


class LinkKey(NamedTuple):
    """What makes a link the one it is."""

    source_type: t.EntityType
    source_id: str
    target_type: t.EntityType
    target_id: str
    link_type: t.LinkType

    @property
    def id(self) -> str:
        return link_id(*self)

    @property
    def reversed(self) -> LinkKey:
        """The link the other way round."""
        return LinkKey(self.target_type, self.target_id, self.source_type, self.source_id, self.link_type)


@dataclass
class Known:
    """What is known of a link."""

    key: LinkKey
    state: Literal["made", "dismissed"] | None = None
    """The user's word on it."""
    note: str = ""
    at: str | None = None
    confidence: float | None = None
    """Of a link that was found."""
    signals: list[str] = field(default_factory=list)


def known(connection: sa.Connection, id: str) -> Known | None:
    """The link of that id, made or found; None where there is none."""
    found = connection.execute(
        sa.select(entity_links).where(entity_links.c.id == id).order_by(entity_links.c.confidence.desc())
    ).all()
    said = connection.execute(sa.select(user_links).where(user_links.c.id == id)).first()
    row = said or (found[0] if found else None)
    if row is None:
        return None
    link = Known(LinkKey(*(getattr(row, name) for name in LinkKey._fields)))
    if found:
        link.confidence = found[0].confidence
        link.signals = list(dict.fromkeys(signal for row in found for signal in row.signals.split(",") if signal))
    if said is not None:
        link.state, link.note, link.at = said.state, said.note, said.at
    return link


def wire(connection: sa.Connection, key: LinkKey) -> t.Link:
    """A link as clients see it."""
    link = known(connection, key.id) or Known(key)
    source: Key = (key.source_type, key.source_id)
    target: Key = (key.target_type, key.target_id)
    ends = entities(connection, [source, target])
    made = link.state == "made"
    return t.Link(
        id=key.id,
        source=ends[source],
        target=ends[target],
        link_type=key.link_type,
        origin="manual" if made else "auto",
        confidence=1.0 if made else link.confidence or 0.0,
        signals=link.signals,
        dismissed=link.state == "dismissed",
        note=link.note if made else "",
        created_at=link.at if made else None,
    )


_PARENTS = """
SELECT source_type, source_id FROM user_links
WHERE target_type = ? AND target_id = ? AND link_type = 'child' AND state = 'made'
UNION
SELECT source_type, source_id FROM entity_links f
WHERE target_type = ? AND target_id = ? AND link_type = 'child'
    AND NOT EXISTS (SELECT 1 FROM user_links u WHERE u.id = f.id AND u.state = 'dismissed')
"""


def cycle(connection: sa.Connection, parent: Key, child: Key) -> list[t.Entity]:
    """The entities in order, the first of them also last, that would be in a circle were `child` a child of `parent`;
    none where that is fine."""
    raw = raw_connection(connection)
    below: dict[Key, Key] = {parent: child}
    level = [parent]
    while level and child not in below:
        above: list[Key] = []
        for entity in level:
            for row in raw.execute(_PARENTS, (*entity, *entity)):
                if row not in below:
                    below[row] = entity
                    above.append(row)
        level = above
    if child not in below:
        return []
    path = [child]
    while path[-1] != parent:
        path.append(below[path[-1]])
    found = entities(connection, path)
    return [found[key] for key in (*path, child)]
