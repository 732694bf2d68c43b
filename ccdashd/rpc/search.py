"""``search/query``: words in everything that was said, done and planned."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial

from ccdashd.derive.periods import zone
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import REVISION_WAIT, Call, handles
from ccdashd.search.answer import answer
from ccdashd.search.threads import Reading
from ccdashd.store.database import get_meta
from ccdashd.store.session_rows import now


@handles(methods.SEARCH_QUERY)
async def search_query(call: Call, params: t.SearchParams) -> t.SearchResult:
    """One page of hits. While the index is not complete, they are those of what is in it."""
    await call.app.ready()
    if params.min_revision is not None:
        with suppress(TimeoutError):
            await asyncio.wait_for(call.app.texts.settled(), REVISION_WAIT)
    seconds = call.app.settings.sql_time_limit_seconds
    return await call.app.texts.search(partial(_answer, call, params), seconds=seconds)


def _answer(call: Call, params: t.SearchParams, reading: Reading) -> t.SearchResult:
    app = call.app
    place = zone(params.time_zone or app.settings.time_zone)
    cap = app.settings.text_index_cap_bytes
    with reading.cache.begin():
        revision = int(get_meta(reading.cache, "revision") or 0)
        # Told before, so that what is missing is at least what the hits miss.
        index = app.texts.state()
        found = answer(reading.cache, reading.view, app.archive, params, place, now(), cap)
        return t.SearchResult(
            items=found.items,
            total=found.total.number,
            total_exact=found.total.exact,
            limit=params.limit,
            next_cursor=found.next_cursor,
            facets=found.facets,
            index=index,
            revision=revision,
        )
