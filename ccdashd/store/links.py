"""Links as clients ask for them: those that were found, those that the user made, and what sessions did to files.

A link that was found and made by hand is one link, made by hand. Whether sessions and files belong together is not stored
as a link: it is read from the tool calls.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from ccdashd.derive.links import Key, strongest
from ccdashd.errors import NotFound
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection, select
from ccdashd.store.entities import entities
from ccdashd.store.link_rows import evidence_decoder
from ccdashd.store.logs import shown
from ccdashd.store.names import look_up

_EDITED: Final = 0.95
_READ: Final = 0.46
_TOUCH: Final = "touch:"
"""Begins the id of a link between a session and a file, which says what it is about: it stands in no table."""


class Link(msgspec.Struct):
    """A link, whoever says it."""

    key: Key
    id: str
    confidence: float = 0.0
    signals: list[str] = []
    state: str | None = None
    """The user's word on it: made or dismissed."""
    note: str = ""
    at: str | None = None
    order: int = 0

    @property
    def made(self) -> bool:
        return self.state == "made"

    def other(self, entity: tuple[str, str]) -> tuple[t.EntityType, str]:
        """The end that is not this entity."""
        return self.key[2:4] if self.key[:2] == entity else self.key[:2]

    def wire(self, ends: dict[tuple[t.EntityType, str], t.Entity]) -> t.Link:
        """As clients see it."""
        return t.Link(
            id=self.id,
            source=ends[self.key[:2]],
            target=ends[self.key[2:4]],
            link_type=self.key.link_type,
            origin="manual" if self.made else "auto",
            confidence=self.confidence,
            signals=self.signals,
            dismissed=self.state == "dismissed",
            note=self.note if self.made else "",
            created_at=self.at if self.made else None,
        )


# --- lists ---


def page(connection: sa.Connection, params: t.LinksList, revision: int) -> t.Page[t.Link]:
    """One page of an entity's links, the surest first. Raises NotFound where nothing knows the entity."""
    entity = (params.type, params.id)
    every = of_entity(connection, params.type, params.id, params.direction)
    known_entity(connection, params.type, params.id, found=bool(every))
    wanted = [
        link
        for link in every
        if (params.include_dismissed or link.state != "dismissed")
        and (params.link_type is None or link.key.link_type == params.link_type)
        and (params.other_type is None or link.other(entity)[0] == params.other_type)
        and (params.origin is None or link.made == (params.origin == "manual"))
        and link.confidence >= params.min_confidence
    ]
    shown_links = wanted[params.offset : params.offset + params.limit]
    ends = entities(connection, {end for link in shown_links for end in (link.key[:2], link.key[2:4])})
    return t.Page(
        items=[link.wire(ends) for link in shown_links],
        total=len(wanted),
        offset=params.offset,
        limit=params.limit,
        revision=revision,
    )


def known_entity(connection: sa.Connection, type: t.EntityType, id: str, *, found: bool) -> t.Entity:
    """The entity. Raises NotFound where there is none, nor any link to it; InvalidParams where none can have the id."""
    entity = look_up(connection, "id", type, id)
    if entity.missing and not found:
        raise NotFound(type, id, "nothing is linked with it either")
    return entity


_OUT = "SELECT {} FROM {} WHERE source_type = ? AND source_id = ?"
_IN = "SELECT {} FROM {} WHERE target_type = ? AND target_id = ?"
_KEY = "id, source_type, source_id, target_type, target_id, link_type"
_AUTO = f"{_KEY}, confidence, signals, sort_order"
_USER = f"{_KEY}, state, note, at"


def of_entity(
    connection: sa.Connection, type: t.EntityType, id: str, direction: str = "both", *, touches: bool = True
) -> list[Link]:
    """All links of an entity, also dismissed ones, the surest first. `touches`: also those of sessions and files."""
    raw = raw_connection(connection)
    sides = [side for side, name in ((_OUT, "in"), (_IN, "out")) if direction != name]
    found: dict[Key, Link] = {}
    for side in sides:
        for row in raw.execute(side.format(_AUTO, "entity_links"), (type, id)):
            _add(found, _auto(row))
    if touches and (type, direction) in (("session", "both"), ("session", "out"), ("file", "both"), ("file", "in")):
        for key, edits, reads in _touches(connection, type, id):
            signals = ["edit"] * bool(edits) + ["read"] * bool(reads)
            _add(found, Link(key, _touch_id(key), _EDITED if edits else _READ, signals))
    for side in sides:
        for id_, *key, state, note, at in raw.execute(side.format(_USER, "user_links"), (type, id)):
            _say(found, Key(*key), id_, state, note, at)
    return sorted(found.values(), key=lambda link: (-link.confidence, link.key.link_type, *link.other((type, id)), link.id))


_BY_ID = f"SELECT {_AUTO} FROM entity_links WHERE id = ? ORDER BY confidence DESC, owner"
_SAID = f"SELECT {_USER} FROM user_links WHERE id = ?"


def by_id(connection: sa.Connection, id: str) -> Link | None:
    """The link of that id, found or made by hand; None where there is none in any table."""
    raw = raw_connection(connection)
    found: dict[Key, Link] = {}
    for row in raw.execute(_BY_ID, (id,)):
        _add(found, _auto(row))
    for id_, *key, state, note, at in raw.execute(_SAID, (id,)):
        _say(found, Key(*key), id_, state, note, at)
    return next(iter(found.values()), None)


def wire(connection: sa.Connection, link: Link) -> t.Link:
    """A link as clients see it."""
    return link.wire(entities(connection, [link.key[:2], link.key[2:4]]))


def _auto(row: Sequence[Any]) -> Link:
    """A row of `_AUTO`."""
    return Link(Key(*row[1:6]), row[0], row[6], row[7].split(","), order=row[8])


def _add(found: dict[Key, Link], link: Link) -> None:
    known = found.setdefault(link.key, link)
    if known is not link:
        known.confidence = max(known.confidence, link.confidence)
        known.signals = list(dict.fromkeys((*known.signals, *link.signals)))


def _say(found: dict[Key, Link], key: Key, id: str, state: str, note: str, at: str) -> None:
    """Add the user's word on a link. A dismissed one is shown even where nothing finds it any more."""
    link = found.setdefault(key, Link(key, id))
    link.id, link.state, link.note, link.at = id, state, note, at
    if link.made:
        link.confidence = 1.0


# --- what sessions did to files ---

_TOUCHES = """
SELECT f.session_id, u.file_path,
  COUNT(DISTINCT CASE WHEN u.action <> 'read' THEN c.tool_use_id END),
  COUNT(DISTINCT CASE WHEN u.action = 'read' THEN c.tool_use_id END)
FROM session_file_updates u
JOIN sync_state f ON f.id = u.file_id
JOIN session_tool_calls c ON c.file_id = u.file_id AND c.n = u.n
WHERE {} AND f.session_id IS NOT NULL AND u.file_path IS NOT NULL AND u.action IS NOT NULL AND c.status = 'success'
GROUP BY f.session_id, u.file_path
"""
_CALLS = """
SELECT u.action <> 'read', f.path, MIN(c.call_offset), COUNT(DISTINCT c.tool_use_id)
FROM session_file_updates u
JOIN sync_state f ON f.id = u.file_id
JOIN session_tool_calls c ON c.file_id = u.file_id AND c.n = u.n
WHERE f.session_id = ? AND u.file_path = ? AND u.action IS NOT NULL AND c.status = 'success'
GROUP BY u.action <> 'read' ORDER BY 1 DESC
"""


def _touches(connection: sa.Connection, type: str, id: str) -> list[tuple[Key, int, int]]:
    """Links of a session with files, or of a file with sessions: how often it was edited, and read."""
    where = "f.session_id = ?" if type == "session" else "u.file_path = ?"
    rows = raw_connection(connection).execute(_TOUCHES.format(where), (id,))
    return [
        (Key("session", session_id, "file", path, "references"), edits, reads) for session_id, path, edits, reads in rows
    ]


def _touch_id(key: Key) -> str:
    return f"{_TOUCH}{len(key.source_id)}:{key.source_id}{key.target_id}"


def _touch_of(id: str) -> Key | None:
    """The link between session and file of that id."""
    length, colon, rest = id.removeprefix(_TOUCH).partition(":")
    if not id.startswith(_TOUCH) or not colon or not (length.isascii() and length.isdigit()) or len(length) > 4:
        return None
    return Key("session", rest[: int(length)], "file", rest[int(length) :], "references")


# --- evidence ---

_EVIDENCE = "SELECT evidence FROM entity_links WHERE id = ?"


def audit(connection: sa.Connection, id: str, revision: int) -> t.LinkAudit:
    """A link with its evidence. Raises NotFound."""
    link = by_id(connection, id)
    evidence = [
        piece
        for (pieces,) in raw_connection(connection).execute(_EVIDENCE, (id,))
        for piece in evidence_decoder.decode(pieces)
    ]
    touch = link.key if link is not None else _touch_of(id)
    if touch is not None and touch[::2] == ("session", "file", "references"):
        calls = _calls(connection, touch)
        if calls:
            found = {} if link is None else {touch: link}
            _add(found, Link(touch, id, calls[0].weight, [piece.signal for piece in calls]))
            link = found[touch]
            evidence += calls
    if link is None:
        raise NotFound("link", id, "see links/list")
    return t.LinkAudit(link=wire(connection, link), evidence=strongest(evidence), revision=revision)


def _calls(connection: sa.Connection, key: Key) -> list[t.Evidence]:
    rows = raw_connection(connection).execute(_CALLS, (key.source_id, key.target_id))
    return [
        t.Evidence(
            signal="edit" if edits else "read",
            weight=_EDITED if edits else _READ,
            place=shown(path),
            offset=offset,
            detail=key.target_id,
            count=count,
        )
        for edits, path, offset, count in rows
    ]


# --- how many sessions a feature has ---

_FOUND = """
SELECT l.target_id, l.source_id FROM entity_links l JOIN sessions s ON s.id = l.source_id AND s.agent_id IS NULL
WHERE l.target_type = 'feature' AND l.target_id IN ({}) AND l.source_type = 'session'
  AND NOT EXISTS (SELECT 1 FROM user_links u WHERE u.id = l.id AND u.state = 'dismissed')
"""
_MADE = """
SELECT u.target_id, u.source_id FROM user_links u JOIN sessions s ON s.id = u.source_id AND s.agent_id IS NULL
WHERE u.target_type = 'feature' AND u.target_id IN ({}) AND u.source_type = 'session' AND u.state = 'made'
"""
_MADE_REVERSED = """
SELECT u.source_id, u.target_id FROM user_links u JOIN sessions s ON s.id = u.target_id AND s.agent_id IS NULL
WHERE u.source_type = 'feature' AND u.source_id IN ({}) AND u.target_type = 'session' AND u.state = 'made'
"""


def recount(connection: sa.Connection, feature_ids: Collection[str]) -> set[str]:
    """Write how many main sessions these features are linked with; returns those whose number is another than before."""
    linked: dict[str, set[str]] = {id: set() for id in feature_ids}
    for query in (_FOUND, _MADE, _MADE_REVERSED):
        for feature_id, session_id in select(connection, query, feature_ids):
            linked[feature_id].add(session_id)
    stored: dict[str, int] = dict(select(connection, "SELECT id, sessions FROM features WHERE id IN ({})", feature_ids))
    other = {id: len(linked[id]) for id, number in stored.items() if number != len(linked[id])}
    rows = [(number, id) for id, number in other.items()]
    raw_connection(connection).executemany("UPDATE features SET sessions = ? WHERE id = ?", rows)
    return set(other)


def linked_by_hand(connection: sa.Connection, session_ids: Iterable[str]) -> set[str]:
    """Features that the user linked with any of these sessions."""
    if raw_connection(connection).execute("SELECT 1 FROM user_links LIMIT 1").fetchone() is None:
        return set()
    out = "SELECT target_id FROM user_links WHERE source_type = 'session' AND source_id IN ({}) AND target_type = 'feature'"
    back = (
        "SELECT source_id FROM user_links WHERE target_type = 'session' AND target_id IN ({}) AND source_type = 'feature'"
    )
    wanted = list(session_ids)
    return {id for query in (out, back) for (id,) in select(connection, query, wanted)}
