"""How many hits there are by what they are of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.search.find import COUNTED, Finder
from ccdashd.search.plan import BODIES, PLACE_OF
from ccdashd.sources.model import KINDS
from ccdashd.store import search_scope
from ccdashd.store.search_scope import Source
from ccdashd.store.text.entries import Found
from ccdashd.store.text.items import Found as Item

MOST = 50
"""Values of one list."""


def facets(cache: sa.Connection, finder: Finder) -> t.Facets:
    """The facets of all hits; of the newest entries, where there are more than are counted."""
    return _Counted(cache).facets(finder)


class _Counted:
    def __init__(self, cache: sa.Connection) -> None:
        self._cache = cache
        self._counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("types", "kinds", "tools", "projects", "agents", "models", "branches")
        }

    def facets(self, finder: Finder) -> t.Facets:
        found = finder.counted
        self._entries(finder.places(found[:COUNTED]))
        self._items(finder.items)
        names = search_scope.project_names(self._cache, self._counts["projects"])
        lists = {name: _values(counts, names if name == "projects" else {}) for name, counts in self._counts.items()}
        return t.Facets(exact=len(found) <= COUNTED, **lists)

    def _count(self, name: str, value: str | None) -> None:
        if value:
            self._counts[name][value] += 1

    def _entries(self, found: Iterable[Found]) -> None:
        entries = list(found)
        sources = search_scope.sources(self._cache, {entry.path for entry in entries})
        for entry in entries:
            source = sources.get(entry.path)
            if source is None:
                continue
            self._count("types", "entry")
            self._count("kinds", PLACE_OF.get(KINDS[entry.kind]))
            self._count("tools", entry.tool)
            self._count("models", entry.model)
            self._session(source)

    def _session(self, source: Source) -> None:
        self._count("projects", source.project_id)
        self._count("agents", source.agent)
        self._count("branches", source.branch)

    def _items(self, items: Iterable[Item]) -> None:
        found = list(items)
        sessions = search_scope.of_sessions(self._cache, [item.id for item in found if item.type == "session"])
        for item in found:
            self._count("types", item.type)
            self._count("kinds", BODIES.get(item.type, "title"))
            source = sessions.get(item.id) if item.type == "session" else None
            if source is not None:
                self._session(source)
            else:
                self._count("projects", item.project_id)


def _values(counts: Counter[str], labels: Mapping[str, str]) -> list[t.FacetValue]:
    """The most frequent first, in the order of their values where they are as frequent."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [t.FacetValue(value=value, label=labels.get(value, value), count=count) for value, count in ordered[:MOST]]
