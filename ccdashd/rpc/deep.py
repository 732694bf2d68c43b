"""``search/deep``: bytes and regular expressions over whole logs, told as they are found."""

from __future__ import annotations

import time
from functools import partial

import sqlalchemy as sa

from ccdashd.clock import iso
from ccdashd.derive.periods import zone
from ccdashd.events import Event
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import Call, handles
from ccdashd.rpc.progress import own_progress
from ccdashd.search import deep
from ccdashd.search.deep import Outcome
from ccdashd.search.deep_worker import Match
from ccdashd.search.patterns import pattern
from ccdashd.store.deep import Log, pick
from ccdashd.store.logs import path_value, shown
from ccdashd.store.session_rows import now
from ccdashd.store.transcripts import ids_at


@handles(methods.SEARCH_DEEP)
async def search_deep(call: Call, params: t.DeepSearchParams) -> t.DeepSearchResult:
    """Find bytes, or a regular expression, in the logs."""
    began = time.monotonic()
    app, connection, token = call.app, call.connection, params.work_done_token
    pattern(params.pattern, regex=params.regex, ignore_case=params.ignore_case)
    logs = await app.database.read(partial(pick, params, zone(app.settings.time_zone), now()))
    total = sum(log.size for log in logs)
    answered: list[t.DeepMatch] = []

    async def take(log: Log, found: list[Match]) -> None:
        offsets = [match.offset for match in found]
        ids = {}
        if log.session_id is not None:
            ids = await app.database.read(partial(_entries, log.session_id, log.path, offsets), heavy=True)
        matches = [_wire(log, match, ids.get(match.offset)) for match in found]
        if token is None:
            answered.extend(matches)
            return
        # A client that is behind must not lose any of them.
        await connection.writable()
        params = t.DeepMatches(token=token, matches=matches)
        connection.notify(Event(f"matches:{token}", methods.SEARCH_MATCHES.name, params))

    with own_progress(connection, params, methods.SEARCH_DEEP.name) as report:

        def tell(outcome: Outcome) -> None:
            report(outcome.bytes, total, f"{outcome.files:,} of {len(logs):,} logs, {outcome.found:,} found")

        async with app.deep_searches:
            outcome = await deep.search(
                logs, params, archive=str(app.paths.archive), workers=app.settings.workers, take=take, tell=tell
            )
    return t.DeepSearchResult(
        matches=answered,
        found=outcome.found,
        stopped=outcome.stopped,
        files=outcome.files,
        bytes=outcome.bytes,
        seconds=time.monotonic() - began,
        problems=outcome.problems,
        revision=app.revision,
    )


def _entries(session_id: str, path: str, offsets: list[int], conn: sa.Connection, revision: int) -> dict[int, str]:
    return ids_at(conn, session_id, path, offsets)


def _wire(log: Log, match: Match, entry: str | None) -> t.DeepMatch:
    return t.DeepMatch(
        session_id=log.session_id,
        entry=entry,
        path=shown(path_value(log.path)),
        archived=match.archived,
        offset=match.offset,
        length=match.length,
        line=match.line,
        before=match.before,
        match=match.match,
        after=match.after,
        matches=match.matches,
        timestamp=iso(match.time),
    )
