"""``cache/*``: what the cache holds, and how it is made anew."""

from __future__ import annotations

import os

from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import Call, ReadCall, handles
from ccdashd.store import SCHEMA, counts


@handles(methods.CACHE_STATUS)
def cache_status(call: ReadCall, params: t.NoParams) -> t.CacheStatus:
    """What the cache holds, and how much work it did."""
    app = call.app
    messages, tokens, mirrored, lower_bounds = counts.totals(call.conn)
    files, size, gone = counts.sources(call.conn)
    entities = counts.counts(call.conn, call.revision)
    return t.CacheStatus(
        revision=call.revision,
        schema=SCHEMA,
        database=str(app.paths.database),
        database_bytes=_size(str(app.paths.database)),
        wal_bytes=_size(f"{app.paths.database}-wal"),
        source_bytes=size,
        source_files=files,
        files_gone=gone,
        sessions=entities["sessions"],
        subagents=entities["subagents"],
        messages=messages,
        tokens=tokens,
        tokens_mirrored=mirrored,
        output_lower_bound_messages=lower_bounds,
        files_parsed=app.pipeline.files_parsed,
        records_parsed=app.pipeline.records_parsed,
        rows_written=app.database.rows_written,
        indexing=app.indexing,
        text_index=app.texts.state(),
    )


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


@handles(methods.CACHE_RESCAN)
async def cache_rescan(call: Call, params: t.RescanParams) -> t.RescanResult:
    """Compare every file with the cache now; read what differs."""
    return await call.app.pipeline.reconcile("asked by a client", params.paths)


@handles(methods.CACHE_REBUILD)
async def cache_rebuild(call: Call, params: t.WorkParams) -> t.RescanResult:
    """Read every file anew."""
    return await call.app.pipeline.rebuild()
