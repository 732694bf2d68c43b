"""From a request for a search to its hits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.archive.archive import Archive
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from ccdashd.search import cursor as cursors
from ccdashd.search.cursor import Newest, Ranked
from ccdashd.search.facets import facets
from ccdashd.search.find import Finder, Hit, Total, View
from ccdashd.search.plan import Plan, plan
from ccdashd.search.query import parse
from ccdashd.search.shown import Shower


class Answer(NamedTuple):
    """What a search found."""

    items: list[t.SearchHit]
    total: Total
    next_cursor: str | None
    facets: t.Facets | None


def answer(
    cache: sa.Connection, view: View, archive: Archive, params: t.SearchParams, zone: tzinfo, now: int, cap: int
) -> Answer:
    """One page of what fits, at the time `now`; `cap` are the bytes of an entry that are indexed.

    Raises InvalidParams for a query that makes no sense, or a cursor that is not one of it; NotFound for a project or
    session that is not there; `apsw.Error` where the index cannot be read.
    """
    after = cursors.decode(params)
    query = parse(params.query)
    with view.snapshot():
        made = plan(cache, view.text, query, params.types, zone, now)
        finder = Finder(view, made)
        shower = Shower(cache, archive, made, size=params.snippet, cap=cap)
        page = shower.page(_hits(finder, made, params, after), params.limit)
        return Answer(
            items=page.hits,
            total=finder.total(),
            next_cursor=cursors.encode(page.cursor, params) if page.cursor is not None else None,
            facets=facets(cache, finder) if params.facets else None,
        )


def _hits(finder: Finder, made: Plan, params: t.SearchParams, after: cursors.Cursor | None) -> Iterator[Hit]:
    # Without words, nothing fits better than anything else.
    if params.order == "relevance" and made.wanted:
        if isinstance(after, Newest):
            raise InvalidParams("cursor", "is not one that a search gave", params.cursor)
        return finder.ranked(after)
    if isinstance(after, Ranked):
        raise InvalidParams("cursor", "is not one that a search gave", params.cursor)
    return finder.newest(after)
