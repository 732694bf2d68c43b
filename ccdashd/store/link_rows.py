"""Rows of links that were found, by owner: the session, document or feature whose data gave them. Only what differs is
written."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from ccdashd.derive.links import Found, Key
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection, select

_COLUMNS = "owner, id, source_type, source_id, target_type, target_id, link_type, confidence, signals, sort_order, evidence"
_OF_OWNERS = f"SELECT {_COLUMNS} FROM entity_links WHERE owner IN ({{}})"
_WRITE = f"INSERT OR REPLACE INTO entity_links ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM entity_links WHERE owner = ? AND id = ?"

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
        for owner, links in sorted(found.items()):  # in the order of the primary key, which writes fewer pages
            known = stored.get(owner, {})
            for link in links:
                before = known.pop(link.key, None)
                id = before[0] if before is not None else link.key.id
                row = (id, link.confidence, link.signals, link.order, _encode(link.evidence))
                if row != before:
                    new.append((owner, id, *link.key, *row[1:]))
                    changes.append((owner, link.key))
                    self.upserted.add(id)
            for key, row in known.items():
                gone.append((owner, row.id))
                changes.append((owner, key))
                self.deleted.add(row.id)
        self.raw.executemany(_DELETE, gone)
        self.raw.executemany(_WRITE, new)
        return changes

    def of(self, owners: Iterable[str]) -> dict[str, dict[Key, Stored]]:
        """The links of these owners as they are stored."""
        found: defaultdict[str, dict[Key, Stored]] = defaultdict(dict)
        for owner, id, *row in select(self.connection, _OF_OWNERS, owners):
            found[owner][Key(*row[:5])] = Stored(id, *row[5:])
        return found

    def settle(self) -> tuple[set[str], set[str]]:
        """Ids of links that came or changed, and of those that nobody gives any more."""
        query = "SELECT DISTINCT id FROM entity_links WHERE id IN ({})"
        left = {id for (id,) in select(self.connection, query, self.deleted)}
        gone = self.deleted - left
        return (self.upserted | left) - gone, gone
