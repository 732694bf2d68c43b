"""What hangs together: trees of parents and children, circles in them, and what is related over one entity in between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection, select
from ccdashd.store.entities import Key as Ref
from ccdashd.store.entities import entities
from ccdashd.store.links import known_entity, of_entity

_NODES: Final = 2000
"""Entities that one tree shows."""

_SIBLINGS: Final = 200
_ABOVE: Final = 50
"""Parents of parents that are looked for."""

_MIDDLE: Final = 40
"""Directly linked entities, the surest, whose own links are followed."""

_BEYOND: Final = 100
"""Links that are followed of each of them, the surest."""

_LEAST: Final = 0.25
"""What is less sure over an entity in between is left out."""

_PARENTS = """
SELECT source_type, source_id, confidence FROM entity_links l
WHERE target_type = ? AND target_id IN ({}) AND link_type = 'child'
  AND NOT EXISTS (SELECT 1 FROM user_links u WHERE u.id = l.id AND u.state = 'dismissed')
"""
_PARENTS_MADE = """
SELECT source_type, source_id, 1.0 FROM user_links
WHERE target_type = ? AND target_id IN ({}) AND link_type = 'child' AND state = 'made'
"""
_CHILDREN = """
SELECT source_id, target_type, target_id, sort_order FROM entity_links l
WHERE source_type = ? AND source_id IN ({}) AND link_type = 'child'
  AND NOT EXISTS (SELECT 1 FROM user_links u WHERE u.id = l.id AND u.state = 'dismissed')
"""
_CHILDREN_MADE = """
SELECT source_id, target_type, target_id, 1000000 FROM user_links
WHERE source_type = ? AND source_id IN ({}) AND link_type = 'child' AND state = 'made'
"""


def tree(connection: sa.Connection, params: t.LinksTree, revision: int) -> t.LinkTree:
    """An entity with all above and below it. Raises NotFound where nothing knows it."""
    own: Ref = (params.type, params.id)
    parents = _parents(connection, own)
    below, cut = _below(connection, own, params.depth, set(parents))
    siblings = [ref for ref in _children(connection, parents[:1]).get(parents[0], ()) if ref != own] if parents else []
    known_entity(connection, *own, found=bool(parents or below[own]))
    shown = {own, *parents, *siblings[:_SIBLINGS], *(ref for refs in below.values() for ref in refs)}
    found = entities(connection, shown)

    def node(ref: Ref) -> t.TreeNode:
        entity = found[ref]
        children = [node(child) for child in below.get(ref, ())]
        return t.TreeNode(
            type=entity.type,
            id=entity.id,
            title=entity.title,
            status=entity.status,
            children=children,
            more=cut.get(ref, 0),
        )

    return t.LinkTree(
        parents=[found[ref] for ref in parents],
        node=node(own),
        siblings=[found[ref] for ref in siblings[:_SIBLINGS]],
        revision=revision,
    )


def _parents(connection: sa.Connection, own: Ref) -> list[Ref]:
    """From the own parent up; of several the surest each time, and no entity twice."""
    chain: list[Ref] = []
    at = own
    while len(chain) < _ABOVE:
        known = _all_parents(connection, at)
        above = [(-sure, type, id) for type, id, sure in known if (type, id) != own and (type, id) not in chain]
        if not above:
            break
        _, type, id = min(above)
        at = (type, id)
        chain.append(at)
    return chain


def _all_parents(connection: sa.Connection, entity: Ref) -> list[tuple[t.EntityType, str, float]]:
    """The parents of an entity, found or said by the user, and how sure each is."""
    type, id = entity
    return [row for query in (_PARENTS, _PARENTS_MADE) for row in select(connection, query, [id], type)]


def _children(connection: sa.Connection, refs: Iterable[Ref]) -> dict[Ref, list[Ref]]:
    """Children by parent, in their order."""
    by_type: defaultdict[t.EntityType, list[str]] = defaultdict(list)
    for type, id in refs:
        by_type[type].append(id)
    found: defaultdict[Ref, dict[Ref, int]] = defaultdict(dict)
    for type, ids in by_type.items():
        for query in (_CHILDREN, _CHILDREN_MADE):
            for parent, child_type, child_id, order in select(connection, query, ids, type):
                known = found[type, parent]
                child = (child_type, child_id)
                known[child] = min(order, known.get(child, order))
    return {parent: sorted(known, key=lambda child: (known[child], child)) for parent, known in found.items()}


def _below(connection: sa.Connection, own: Ref, depth: int, above: set[Ref]) -> tuple[dict[Ref, list[Ref]], dict[Ref, int]]:
    """What is shown below each entity, each entity once and as high as it can be; and how many children are left out."""
    shown: dict[Ref, list[Ref]] = {own: []}
    cut: dict[Ref, int] = {}
    seen = {own, *above}
    level: Sequence[Ref] = [own]
    for step in range(depth + 1):
        following: list[Ref] = []
        for parent, children in _children(connection, level).items():
            new = [child for child in children if child not in seen]
            room = max(0, _NODES - len(seen)) if step < depth else 0
            if len(new) > room:
                cut[parent] = len(new) - room
            shown[parent] = new[:room]
            seen.update(new[:room])
            following += new[:room]
        level = following
        if not level:
            break
    return shown, cut


# --- circles ---


def cycle(connection: sa.Connection, parent: Ref, child: Ref) -> list[t.Entity]:
    """The entities in order, the first of them also last, that would be in a circle were `child` a child of `parent`;
    none where that is fine."""
    path = circle(connection, parent, child)
    found = entities(connection, path)
    return [found[key] for key in path]


def circle(
    connection: sa.Connection, parent: Ref, child: Ref, made: Mapping[Ref, Sequence[Ref]] | None = None
) -> list[Ref]:
    """`cycle`, of entities that need not be known; `made` has, by child, parents that are about to be made beside."""
    below: dict[Ref, Ref] = {parent: child}
    level = [parent]
    while level and child not in below:
        above: list[Ref] = []
        for entity in level:
            for ref in (*_parent_refs(connection, entity), *(made or {}).get(entity, ())):
                if ref not in below:
                    below[ref] = entity
                    above.append(ref)
        level = above
    if child not in below:
        return []
    path = [child]
    while path[-1] != parent:
        path.append(below[path[-1]])
    return [*path, child]


def _parent_refs(connection: sa.Connection, entity: Ref) -> list[Ref]:
    return [(type, id) for type, id, _ in _all_parents(connection, entity)]


# --- related ---

_BEYOND_IT = """
SELECT * FROM (
  SELECT target_type, target_id, link_type, confidence, id FROM entity_links
  WHERE source_type = :type AND source_id = :id AND confidence >= :least
  UNION ALL SELECT source_type, source_id, link_type, confidence, id FROM entity_links
  WHERE target_type = :type AND target_id = :id AND confidence >= :least
) AS l
WHERE NOT EXISTS (SELECT 1 FROM user_links u WHERE u.id = l.id AND u.state = 'dismissed')
UNION ALL SELECT target_type, target_id, link_type, 1.0, id FROM user_links
WHERE source_type = :type AND source_id = :id AND state = 'made'
UNION ALL SELECT source_type, source_id, link_type, 1.0, id FROM user_links
WHERE target_type = :type AND target_id = :id AND state = 'made'
ORDER BY 4 DESC, 1, 2, 3 LIMIT :most
"""


def _surest(connection: sa.Connection, entity: Ref, least: float) -> Iterator[tuple[t.EntityType, str, t.LinkType, float]]:
    """The surest links of an entity: the other end, the type, and how sure it is, at least so much."""
    values = {"type": entity[0], "id": entity[1], "least": least, "most": _BEYOND}
    for type, id, link_type, sure, _ in raw_connection(connection).execute(_BEYOND_IT, values):
        yield type, id, link_type, sure


def related(connection: sa.Connection, params: t.RelatedParams, revision: int) -> t.Related:
    """What an entity is linked with, directly or over one other entity, the surest first; each entity once, by its surest
    way. Raises NotFound where nothing knows the entity."""
    own: Ref = (params.type, params.id)
    direct = [link for link in of_entity(connection, *own) if link.state != "dismissed"]
    known_entity(connection, *own, found=bool(direct))
    best: dict[Ref, tuple[float, Ref | None, t.LinkType]] = {}
    for link in direct:
        best.setdefault(link.other(own), (link.confidence, None, link.key.link_type))
    for middle, (sure, _, _) in list(best.items())[:_MIDDLE]:
        for type, id, link_type, further in _surest(connection, middle, _LEAST / sure if sure else 1.0):
            score = sure * further
            if (type, id) != own and score > best.get((type, id), (0.0,))[0]:
                best[type, id] = (score, middle, link_type)
    ordered = sorted(best.items(), key=lambda item: (-item[1][0], item[1][1] is not None, item[0]))[: params.limit]
    ends = entities(connection, {ref for other, (_, via, _) in ordered for ref in (other, via) if ref is not None})
    return t.Related(
        items=[
            t.RelatedEntity(
                entity=ends[other],
                score=round(score, 4),
                via=ends[via] if via is not None else None,
                link_type=link_type,
            )
            for other, (score, via, link_type) in ordered
        ],
        revision=revision,
    )
