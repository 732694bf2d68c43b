"""``ccdash/*``: the daemon itself and subscriptions. Answered without the cache, so also while it cannot be used."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import suppress

from ccdashd import __version__
from ccdashd.errors import Busy, ClientOutdated
from ccdashd.log import get
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import Call, handles
from ccdashd.runtime import memory_bytes
from ccdashd.store import SCHEMA

COUNT_WAIT = 1.0
"""Seconds that ``ccdash/status`` waits for the counts; without them it still tells how the daemon is."""

logger = get(__name__)


@handles(methods.HELLO)
def hello(call: Call, params: t.Hello) -> t.HelloResult:
    """Introduce a client and the daemon to each other."""
    if params.protocol < methods.MIN_PROTOCOL:
        raise ClientOutdated(
            f"this client speaks protocol {params.protocol}, the daemon {methods.MIN_PROTOCOL} to {methods.PROTOCOL}: "
            "upgrade the client",
            protocol=methods.PROTOCOL,
        )
    call.connection.client = f"{params.client} {params.version}".strip()[:100]
    app = call.app
    return t.HelloResult(
        version=__version__,
        protocol=methods.PROTOCOL,
        schema=SCHEMA,
        pid=os.getpid(),
        started_at=app.started_at,
        revision=app.revision,
        profile=app.paths.profile,
        indexing=app.indexing,
    )


@handles(methods.STATUS)
async def status(call: Call, params: t.NoParams) -> t.Status:
    """How the daemon is, whatever state it is in."""
    app = call.app
    counts: dict[str, int] = {}
    if app.is_open:
        from ccdashd.store.counts import counts as count

        with suppress(TimeoutError, Busy):
            async with asyncio.timeout(COUNT_WAIT):
                counts = await app.database.read(count)
    app.review()
    problems = app.problems.all()
    indexing = app.indexing
    repricing = app.is_open and app.pipeline.repricing.under_way
    return t.Status(
        state="degraded"
        if problems
        else "ok"
        if indexing.complete and indexing.phase == "idle" and not repricing
        else "indexing",
        version=__version__,
        pid=os.getpid(),
        profile=app.paths.profile,
        started_at=app.started_at,
        uptime=time.monotonic() - app.started,
        revision=app.revision,
        clients=app.server.clients,
        indexing=indexing,
        watch=app.watch_status(),
        roots=app.roots(),
        counts=counts,
        problems=problems,
        socket=str(app.paths.socket),
        database=str(app.paths.database),
        database_bytes=_size(app.paths.database),
        memory_bytes=memory_bytes(),
        auto_started=app.auto_started,
        metrics_url=app.metrics_url,
        repricing=repricing,
    )


@handles(methods.SUBSCRIBE)
def subscribe(call: Call, params: t.SubscribeParams) -> t.SubscribeResult:
    """Follow topics; answers all that this connection follows now."""
    topics = call.app.events.subscribe(call.connection, params.topics)
    return t.SubscribeResult(topics=topics, revision=call.app.revision)


@handles(methods.UNSUBSCRIBE)
def unsubscribe(call: Call, params: t.SubscribeParams) -> t.SubscribeResult:
    """Follow topics no more; answers those that are left."""
    topics = call.app.events.unsubscribe(call.connection, params.topics)
    return t.SubscribeResult(topics=topics, revision=call.app.revision)


@handles(methods.CHANGES)
def changes(call: Call, params: t.ChangesParams) -> t.Changes:
    """What changed since a revision."""
    return call.app.events.since(params.since)


@handles(methods.SHUTDOWN)
def shutdown(call: Call, params: t.NoParams) -> t.Ok:
    """Stop the daemon, after what runs now."""
    call.app.stop_soon(f"asked by {call.connection.client or 'a client'}")
    return t.Ok(revision=call.app.revision)


def _size(path: os.PathLike[str]) -> int:
    # The database may only be stat-ed: closing any other descriptor of it would drop SQLite's locks.
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
