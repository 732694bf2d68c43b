"""Rows of links that were found, by owner: the session, document or feature whose data gave them. Only what differs is
written."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import msgspec
import sqlalchemy as sa

from ccdashd.derive.link_ids import link_id
from ccdashd.derive.links import Found, Key
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection
from ccdashd.store.planning import select

_COLUMNS = "owner, source_type, source_id, target_type, target_id, link_type, id, confidence, signals, sort_order, evidence"
_OF_OWNERS = f"SELECT {_COLUMNS} FROM entity_links WHERE owner IN ({{}})"
_WRITE = f"INSERT OR REPLACE INTO entity_links ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE = """
DELETE FROM entity_links
WHERE owner = ? AND source_type = ? AND source_id = ? AND target_type = ? AND target_id = ? AND link_type = ?
"""

evidence_decoder = msgspec.json.Decoder(list[t.Evidence])
_encode = msgspec.json.Encoder().encode


class Stored(NamedTuple):
    """What is stored of a link beside its key."""

    id: str
    confidence: float
    signals: str
    order: int
    evidence: bytes


Change = tuple[str, Key]
"""A link that came, changed or went: its owner and its key."""


@dataclass
class Rows:
    """Writes links, and keeps what that changed."""

    connection: sa.Connection
    upserted: set[str] = field(default_factory=set)
    """Ids of links that came, or whose evidence changed."""
    deleted: set[str] = field(default_factory=set)

    @property
    def raw(self) -> sqlite3.Connection:
        return raw_connection(self.connection)

    def write(self, found: Mapping[str, Iterable[Found]]) -> list[Change]:
        """Make the links of these owners what was found; returns those that are not what they were."""
        stored = self.of(found)
        changes: list[Change] = []
        new: list[tuple[Any, ...]] = []
        gone: list[tuple[Any, ...]] = []
        for owner, links in found.items():
            known = stored.get(owner, {})
            for link in links:
                before = known.pop(link.key, None)
                id = before.id if before is not None else link_id(*link.key)
                row = Stored(id, link.confidence, link.signals, link.order, _encode(link.evidence))
                if row != before:
                    new.append((owner, *link.key, *row))
                    changes.append((owner, link.key))
                    self.upserted.add(id)
            for key, row in known.items():
                gone.append((owner, *key))
                changes.append((owner, key))
                self.deleted.add(row.id)
        self.raw.executemany(_DELETE, gone)
        self.raw.executemany(_WRITE, new)
        return changes

    def of(self, owners: Iterable[str]) -> dict[str, dict[Key, Stored]]:
        """The links of these owners as they are stored."""
        found: defaultdict[str, dict[Key, Stored]] = defaultdict(dict)
        for owner, source_type, source_id, target_type, target_id, link_type, *rest in select(
            self.connection, _OF_OWNERS, owners
        ):
            key = Key(source_type, source_id, target_type, target_id, cast(t.LinkType, link_type))
            found[owner][key] = Stored(*rest)
        return found

    def settle(self) -> tuple[set[str], set[str]]:
        """Ids of links that came or changed, and of those that nobody gives any more."""
        query = "SELECT DISTINCT id FROM entity_links WHERE id IN ({})"
        left = {id for (id,) in select(self.connection, query, self.deleted)}
        gone = self.deleted - left
        return (self.upserted | left) - gone, gone
