"""``cache/*``: what the cache holds, and how it is made anew."""

from __future__ import annotations

import os
import time
from functools import partial

from ccdashd.ingest import verify
from ccdashd.ingest.verify_plans import plan_problems
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


@handles(methods.CACHE_VERIFY)
async def cache_verify(call: Call, params: t.VerifyParams) -> t.VerifyResult:
    """Check the database, and read every file again to compare: log by log and project by project, so that nothing waits
    for it long."""
    began = time.monotonic()
    app = call.app
    database, cap = app.database, app.settings.text_cap_bytes
    problems = await database.read(verify.database_problems, heavy=True)
    await app.pipeline.repricing.settled()  # until then, some roll-ups are those of other prices
    problems += await database.read(partial(verify.gone_problems, app.prices), heavy=True)
    states = await database.read(verify.to_check, heavy=True)
    done, total = 0, sum(state.size for state in states)
    for number, state in enumerate(states):
        app.events.indexing(_verifying(done, total, number, len(states), began))
        problems += await database.read(partial(verify.log_problems, state.path, cap, app.prices), heavy=True)
        done += state.size
    plans = 0
    for project_id, root in app.pipeline.plans.territory.projects.items():
        check = partial(plan_problems, project_id, root, app.settings.planning_file_cap_bytes)
        number, wrong = await database.read(check, heavy=True)
        plans += number
        problems += wrong
    app.events.indexing(app.indexing)
    return t.VerifyResult(
        ok=not problems,
        checked_files=len(states) + plans,
        checked_copies=0,
        faults=[t.Fault(part="cache", where=p.part, problem=p.problem, repair=p.hint) for p in problems],
        seconds=time.monotonic() - began,
        revision=database.revision,
    )


def _verifying(done: int, total: int, files_done: int, files_total: int, began: float) -> t.Indexing:
    rate = done / max(time.monotonic() - began, 1e-6)
    return t.Indexing(
        phase="verify",
        done=done,
        total=total,
        files_done=files_done,
        files_total=files_total,
        rate=rate,
        eta=(total - done) / rate if rate else None,
        complete=True,
    )
