"""What a query asks of the index: expressions, the sessions that are meant, and the time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final, Literal, NamedTuple

import apsw
import sqlalchemy as sa

from ccdashd.derive.periods import bounds
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from ccdashd.search import tokens
from ccdashd.search.expression import (
    ENTRIES,
    ITEMS,
    PATHS,
    TITLES,
    Columns,
    Expression,
    Terms,
    expression,
    fits_without,
    is_steady,
    joined,
    leaves,
    phrase,
    sought,
    term,
    without,
)
from ccdashd.search.query import Filter, Query, Words, wrong
from ccdashd.sources.model import KINDS
from ccdashd.store import search_scope
from ccdashd.store.item_sources import TYPES, ItemType
from ccdashd.store.search_scope import Scope, Wanted
from ccdashd.store.text import entries, items, tags
from ccdashd.store.text.overview import Times

PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "prompt": ("prompt", "command", "steering", "queued", "bash", "teammate"),
    "answer": ("assistant", "compactSummary", "summary"),
    "thinking": ("thinking",),
    "tool": ("toolCall", "toolResult"),
}
"""Kinds of entries by the value of ``in:``. What else an agent's host writes has none."""

PLACE_OF: Final = {kind: place for place, kinds in PLACES.items() for kind in kinds}

BODIES: Final[Mapping[ItemType, str]] = {"document": "doc", "task": "doc", "feature": "doc", "note": "note"}
"""The value of ``in:`` for the text of items; a session has only its title."""

_TEXTS: Final = Columns("{text path}", "{text parts path}")
_NAMED: Final = 10
"""Values that an error names at most."""


class ItemQuery(NamedTuple):
    """What is asked of items of some types; without an expression, all of them fit."""

    types: tuple[ItemType, ...]
    expression: Expression | None


@dataclass(frozen=True)
class Plan:
    """A query, ready to be asked. Where `entries` is None, no entry can fit."""

    query: Query
    terms: Terms
    """How the words are read."""
    wanted: tuple[Words, ...]
    """Words that a hit is found by, and is ranked and shown by; those that say something."""
    needed: bool
    """Whether a hit has to hold one of them at least."""
    steady: bool
    """Whether the same text has the same score wherever it stands; see `expression.is_steady`."""
    entries: Expression | None
    items: tuple[ItemQuery, ...]
    titles: Expression | None
    """That an item has the words in its title."""
    scope: Scope
    times: Times


def plan(
    cache: sa.Connection,
    text: apsw.Connection,
    query: Query,
    types: Collection[t.SearchType] | None,
    zone: tzinfo,
    now: int,
) -> Plan:
    """How to answer a query at the time `now`, with hits of these types.

    Raises InvalidParams that says where a filter names nothing, NotFound for a project or session that is not there.
    """
    terms = {words: term(words, tokens.words, tokens.parts) for words in leaves(query.node)}
    if query.node is not None and not any(terms.values()):
        first = next(iter(terms))
        wrong(query.text, first.column, "there is no letter and no digit to look for; search/deep finds other characters")
    asked = _Asked(cache, text, query, terms)
    wanted_types = set(types or ("entry", *TYPES))
    return Plan(
        query=query,
        terms=terms,
        wanted=tuple(words for words in sought(query.node) if terms[words]),
        needed=fits_without(query.node, terms) is False,
        steady=is_steady(query.node),
        entries=asked.entries() if "entry" in wanted_types else None,
        items=tuple(asked.items(type for type in TYPES if type in wanted_types)),
        titles=asked.of_words(TITLES, _ALL_ITEMS),
        scope=search_scope.resolve(cache, asked.sessions()),
        times=_times(query, zone, now),
    )


_ALL_ENTRIES: Final = Expression(tags.any_of(tags.kind(number) for number in range(len(KINDS))), (None,) * len(KINDS))
_ALL_ITEMS: Final = Expression(items.EVERYTHING, (None,))


def _times(query: Query, zone: tzinfo, now: int) -> Times:
    """The time of ``after:`` and ``before:``; turned around, each is the other."""
    times = Times()
    for one in query.filters:
        if one.name in ("after", "before"):
            try:
                moment = bounds("query", one.value, zone, now)[0]
            except InvalidParams as error:
                wrong(query.text, one.column, f"{one.name}: {error.data['problem']}")
            begins = (one.name == "after") != one.negated
            times = times._replace(begin=moment) if begins else times._replace(end=moment)
    return times


class _Asked:
    """The parts of one plan."""

    def __init__(self, cache: sa.Connection, text: apsw.Connection, query: Query, terms: Terms) -> None:
        self._cache = cache
        self._text = text
        self._query = query
        self._terms = terms

    def of_words(self, columns: Columns, everything: Expression) -> Expression | None:
        """The words of the query in some columns; None where there are none."""
        return expression(self._query.node, self._terms, columns, everything)

    def entries(self) -> Expression | None:
        """What entries fit; None where none can."""
        kinds = self._kinds()
        found: list[Expression | None] = [self.of_words(ENTRIES, _ALL_ENTRIES), self._files(negated=False)]
        left_out: list[Expression | None] = [self._files(negated=True)]
        if self._query.values("in"):
            found.append(_any(map(tags.kind, kinds)))
        else:
            left_out.append(_any(tags.kind(kind) for kind in range(len(KINDS)) if kind not in kinds))
        for name, tag in _TAGS.items():
            known = entries.names(self._text, name)
            found.append(_any(map(tag, self._ids(name, known))))
            left_out.append(_any(map(tag, self._ids(name, known, negated=True))))
            if self._query.values(name) and found[-1] is None:
                return None
        if not kinds:
            return None
        all_of = joined("AND", found) or _ALL_ENTRIES
        return without(all_of, joined("OR", left_out)) or all_of

    def _kinds(self) -> list[int]:
        """Places in `KINDS` of what ``in:`` leaves."""
        given = {one.value for one in self._query.values("in")} or {*PLACES, ""}
        places = given - {one.value for one in self._query.values("in", negated=True)}
        return [number for number, kind in enumerate(KINDS) if PLACE_OF.get(kind, "") in places]

    def _ids(self, name: str, known: Mapping[str, int], *, negated: bool = False) -> list[int]:
        filters = self._query.values(name, negated=negated)
        return sorted({known[value] for one in filters for value in self._named(one, known)})

    def _named(self, one: Filter, known: Collection[str]) -> list[str]:
        """What of the known a filter names: that value, or else those that hold it, whatever the case.

        Raises InvalidParams where it names none, though there are some; what is left out may be none.
        """
        value = one.value.casefold()
        found = [name for name in known if name.casefold() == value] or [name for name in known if value in name.casefold()]
        if not found and known and not one.negated:
            some = ", ".join(sorted(known)[:_NAMED]) + (", …" if len(known) > _NAMED else "")
            wrong(self._query.text, one.column, f"{one.name}: nothing is called {one.value!r}; there are {some}")
        return found

    def _files(self, *, negated: bool) -> Expression | None:
        paths: list[Expression | None] = []
        for one in self._query.values("file", negated=negated):
            prefix = one.value.endswith("*") and one.value[-2:-1].isalnum()
            words = tokens.words(one.value)
            if not words:
                wrong(self._query.text, one.column, "file: holds no letter and no digit; give a path, or a part of one")
            paths.append(Expression(phrase(words, PATHS.words, prefix=prefix), (None,)))
        return joined("OR", paths)

    def items(self, types: Iterable[ItemType]) -> Iterator[ItemQuery]:
        """What is asked of items. What entries alone have, no item has."""
        if self._query.values("tool") or self._query.values("model"):
            return
        columns: dict[Columns, list[ItemType]] = {}
        for type in types:
            where = self._columns(type)
            if where is not None:
                columns.setdefault(where, []).append(type)
        for where, those in columns.items():
            found = joined("AND", [self.of_words(where, _ALL_ITEMS), self._files(negated=False)])
            left_out = self._files(negated=True)
            if left_out is not None:
                found = without(found or _ALL_ITEMS, left_out)
            yield ItemQuery(tuple(those), found)

    def _columns(self, type: ItemType) -> Columns | None:
        """Where items of a type are looked at; None where they are not."""
        given = {one.value for one in self._query.values("in")}
        left_out = {one.value for one in self._query.values("in", negated=True)}
        body = BODIES.get(type)
        bodies = body is not None and body not in left_out and (not given or body in given)
        titles = "title" not in left_out and body not in left_out and (not given or "title" in given or bodies)
        if bodies:
            return ITEMS if titles else _TEXTS
        return TITLES if titles else None

    def sessions(self) -> Wanted:
        """What filters say of sessions."""
        wanted: dict[str, list[str]] = {}
        for negated, before in ((False, ""), (True, "not_")):
            for name, field in (("project", "projects"), ("session", "sessions")):
                wanted[before + field] = [one.value for one in self._query.values(name, negated=negated)]
            for name, field, column in (("agent", "agents", "agent"), ("branch", "branches", "git_branch")):
                filters = self._query.values(name, negated=negated)
                known = search_scope.known(self._cache, column) if filters else []
                wanted[before + field] = [value for one in filters for value in self._named(one, known)]
        return Wanted(**wanted)


_TAGS: Final[Mapping[Literal["tool", "model"], Callable[[int], str]]] = {"tool": tags.tool, "model": tags.model}


def _any(words: Iterable[str]) -> Expression | None:
    """That an entry has any of these tags; None where there are none."""
    given = list(words)
    return Expression(tags.any_of(given), (None,) * len(given)) if given else None
