"""What a transaction changed, for those who are told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ccdashd.protocol import types as t
from ccdashd.store.logs import FileState


@dataclass
class Written:
    """What a transaction changed."""

    sessions: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    projects: set[str] = field(default_factory=set)
    dropped_projects: set[str] = field(default_factory=set)
    superseded: dict[str, FileState] = field(default_factory=dict)
    """Logs that were dropped, as all that they hold stands in others of the same session; what was known, by path."""
    others: dict[str, tuple[set[str], set[str]]] = field(default_factory=dict)
    """Entities of other types: those written, and those deleted."""

    def note(self, type: str, upserted: Iterable[str], deleted: Iterable[str] = ()) -> None:
        """More entities of a type were written and deleted."""
        own = {"session": (self.sessions, self.deleted), "project": (self.projects, self.dropped_projects)}
        known = own.get(type) or self.others.setdefault(type, (set(), set()))
        known[0].update(upserted)
        known[1].update(deleted)

    def add(self, other: Written) -> None:
        """What another step of the same transaction changed."""
        self.sessions |= other.sessions
        self.deleted |= other.deleted
        self.projects |= other.projects
        self.dropped_projects |= other.dropped_projects
        self.superseded |= other.superseded
        for type, (upserted, deleted) in other.others.items():
            self.note(type, upserted, deleted)

    def changes(self) -> list[t.Change]:
        """What to tell subscribers."""
        pairs = {"session": (self.sessions, self.deleted), "project": (self.projects, self.dropped_projects), **self.others}
        found = []
        for type, (upserted, deleted) in pairs.items():
            found += [t.Change(type=type, id=id, op="upsert") for id in sorted(upserted - deleted)]
            found += [t.Change(type=type, id=id, op="delete") for id in sorted(deleted)]
        return found
