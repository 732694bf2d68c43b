"""Transcripts of any logs: each entry once, in every order that can be asked for, and kept outlines as good as new ones."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from ccdashd.protocol import types as t
from ccdashd.sources.model import KINDS, Entry
from ccdashd.store import branches, entries, logs, outlines, transcripts
from ccdashd.store.schema import sessions
from tests.derive.test_branches import check
from tests.ingest.caches import Cache
from tests.ingest.world import World

LIMIT = 10_000
CHANGES = 64


@pytest.mark.parametrize("seed", range(8))
def test_transcripts_of_any_logs(tmp_path: Path, seed: int) -> None:
    """After each of some changes every session's transcript is looked at, mostly with outlines that were kept."""

    async def run() -> None:
        rng = Random(seed)
        world = World(tmp_path / "logs")
        cache = Cache(tmp_path / "c", world.root)
        await cache.open()
        looked = 0
        for step in range(CHANGES):
            world.any_change(rng)
            if step % 16 == 15:
                await cache.scan()
                looked += await cache.app.database.read(look)
        await cache.close()
        assert looked > 10

    asyncio.run(run())


def look(connection: sa.Connection, revision: int) -> int:
    ids = list(connection.execute(sa.select(sessions.c.id)).scalars())
    for id in ids:
        own = outlines.outline(connection, id)
        new = outlines.Outline(own.logs, outlines._placed(connection, own.logs))
        assert {**vars(own), "_paths": {}} == vars(new)
        whole = own.read(connection, 0, len(own))
        assert [(entry.offset, entry.block, entry.uuid) for entry in whole] == naive(connection, id)
        check(whole, own.branches)
        told(connection, id, own, whole)
        with_subagents(connection, id, ids)
    return len(ids)


def shown(connection: sa.Connection, id: str, **order: Any) -> list[t.Entry]:
    """The whole transcript, which is what chunks of it are."""
    whole = ask(connection, id, **order).items
    for limit in (3, 7):
        pieces = [ask(connection, id, start=start, limit=limit, **order).items for start in range(0, len(whole), limit)]
        assert [item for piece in pieces for item in piece] == whole
    return whole


def ask(connection: sa.Connection, id: str, **params: Any) -> t.Transcript:
    found = transcripts.chunk(connection, id, t.TranscriptParams(id=id, **{"limit": LIMIT, **params}), 1)
    assert found.next is None or "limit" in params
    return found


def naive(connection: sa.Connection, id: str) -> list[tuple[int, int, str | None]]:
    """Log by log, the one that begins first coming first, what stood in an earlier one left out."""
    read = [entries.read(connection, log, 0, log.entries) for log in entries.logs_of(connection, [id])[id]]

    def begin(log: list[Entry]) -> int:
        return min((entry.time for entry in log if entry.time is not None), default=0)

    found: list[tuple[int, int, str | None]] = []
    known: set[tuple[str, int]] = set()
    for log in sorted(read, key=lambda log: (begin(log), -len(log))):
        for entry in log:
            if entry.uuid is None or (entry.uuid, entry.block) not in known:
                found.append((entry.offset, entry.block, entry.uuid))
                known |= {(entry.uuid, entry.block)} if entry.uuid is not None else set()
    return found


def told(connection: sa.Connection, id: str, own: outlines.Outline, whole: list[Entry]) -> None:
    """Branches as the wire has them; what is on each of them; each entry found by its id and its uuid."""
    found = branches.of_session(connection, id, 1).items
    items = shown(connection, id)
    assert [item.branch for item in items] == [own.branch(n) for n in range(len(items))]
    assert sum(branch.entries for branch in found) == len(items)
    for number, branch in enumerate(found):
        path = shown(connection, id, branch=branch.id)
        assert len(path) == branch.total
        assert [item.id for item in path] == [own.id(n) for part in own.branches.path(number) for n in part]
        assert branch.prompt is None or branch.prompt in [" ".join(item.text.split()) for item in path]
    assert len({item.id for item in items}) == len(items)
    for item, entry in zip(items, whole, strict=True):
        assert item.kind == KINDS[entry.kind]
        assert own.find(connection, item.id) == item.index
        if item.uuid is not None:
            first = own.find(connection, item.uuid)
            assert first is not None and items[first].uuid == item.uuid and first <= item.index
    for log in own.logs:
        copies(connection, id, log, items)
        for entry in entries.read(connection, log, 0, log.entries):
            place = own.find(connection, entries.entry_id(log, entry.offset, entry.block))
            assert place is not None
            assert (whole[place].uuid, whole[place].block) == (entry.uuid, entry.block)


def copies(connection: sa.Connection, id: str, log: entries.Log, items: list[t.Entry]) -> None:
    """Each record of a log is found by its offset, or as the copy of it that is shown."""
    expected: dict[int, str] = {}
    file = logs.shown(logs.path_value(log.path))
    for entry in entries.read(connection, log, 0, log.entries):
        here = (item.id for item in items if (item.file, item.offset) == (file, entry.offset))
        same = (item.id for item in items if item.uuid == entry.uuid)
        expected.setdefault(entry.offset, next(here, "") or next(same))
    assert transcripts.ids_at(connection, id, log.path, [*expected, 10**9]) == expected


def with_subagents(connection: sa.Connection, id: str, ids: list[str]) -> None:
    """Every session once, in its own order."""
    items = shown(connection, id, subagents=True)
    assert [item.index for item in items] == list(range(len(items)))
    by_session: dict[str, list[str]] = {}
    for item in items:
        by_session.setdefault(item.session_id, []).append(item.id)
        assert (item.depth == 0) == (item.session_id == id)
    if "/agent-" not in id:
        below = {other for other in ids if other.startswith(f"{id}/agent-")}
        assert {other for other in below if ask(connection, other).total} | {id} >= by_session.keys()
        assert below & by_session.keys() == {other for other in below if ask(connection, other).total}
    for session_id, found in by_session.items():
        assert found == [item.id for item in ask(connection, session_id).items]
