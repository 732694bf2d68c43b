"""The schema: the same from migrations as from the tables, there and back on a filled database."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa

from ccdashd.derive.retention import Policy
from ccdashd.edits.decisions import AlertFiredEdit, Name, PruneEdit, RetentionEdit
from ccdashd.protocol import types as t
from ccdashd.rpc import alerts, external_links, links, metadata, tags
from ccdashd.rpc.connection import Connection
from ccdashd.rpc.dispatch import Call
from ccdashd.store import SCHEMA, schema, versions
from ccdashd.store.connection import raw_connection
from tests.ingest.caches import Cache
from tests.ingest.plan_world import PLACES as PLANS
from tests.ingest.plan_world import SHAPES, PlanWorld
from tests.ingest.tables import dump
from tests.ingest.world import PLACES as LOGS
from tests.ingest.world import SESSIONS, World


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://", connect_args={"isolation_level": None})
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def shape(raw: sqlite3.Connection) -> dict[str, tuple[str, object]]:
    """Every table and index: its statement without layout, and what SQLite makes of its columns."""
    shapes = {}
    for kind, name, table, sql in raw.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"):
        words = re.sub(r'[\s"]+', " ", sql or "").replace("( ", "(").replace(" )", ")").replace(" ,", ",")
        columns = raw.execute(f"PRAGMA {'table_xinfo' if kind == 'table' else 'index_xinfo'}('{name}')").fetchall()
        keys = raw.execute(f"PRAGMA foreign_key_list('{table}')").fetchall()
        shapes[name] = (re.sub(r"\(.*", "", words) + re.sub(r".*\)", "", words), (table, columns, keys))
    return shapes


def test_migrations_make_the_tables_that_the_daemon_makes(connection: sa.Connection) -> None:
    versions.upgrade(connection, "head")
    migrated = shape(raw_connection(connection))
    assert versions.current(connection) == SCHEMA == versions.known()[-1]
    other = sa.create_engine("sqlite://")
    with other.begin() as fresh:
        schema.metadata.create_all(fresh)
        made = shape(raw_connection(fresh))
    other.dispose()
    version = {name for name in migrated if "alembic_version" in name}
    assert {name: migrated[name] for name in migrated.keys() - version} == made


def test_there_and_back_on_a_filled_database(tmp_path: Path) -> None:
    world = World(tmp_path / "logs")
    for place in LOGS:
        world.append(place, ["prompt", "tool", "result", "task", "task-result", "summary", "mirror", "unknown"])
    plans = PlanWorld(tmp_path)
    for n, place in enumerate(PLANS):
        plans.write(place, SHAPES[n % len(SHAPES)], n)
        plans.work(0, "command", place)
    cache = Cache(tmp_path / "c", world.root, plans.logs)

    async def fill() -> None:
        await cache.open()
        await cache.close()

    async def annotate() -> None:
        await cache.open()
        one, other = (t.EntityRef(type="session", id=id) for id in SESSIONS[:2])
        call = Call(cache.app, cast(Connection, None))
        await links.links_create(call, t.LinkCreate(source=one, target=other))
        await external_links.external_links_create(call, t.ExternalLinkCreate(entity=one, url="https://example.org/"))
        await tags.tags_add(call, t.TagUse(name="keep", entity=one))
        await metadata.metadata_set(call, t.MetadataSet(entity=one, key="note", value="mine"))
        await alerts.alerts_update(call, t.AlertUpdate(id="session-cost", threshold=9.0))
        begun = AlertFiredEdit(op="fired", id="a", rule="session-cost", entity=Name(type="session", key=one.id))
        await cache.app.pipeline.decide(lambda _: (begun, None))
        await cache.app.pipeline.decide(lambda _: (AlertFiredEdit(op="quieted", id="a"), None))
        policy = RetentionEdit(id="old", policy=Policy(max_age_days=90))
        pruned = PruneEdit(op="prune", session=Name(type="session", key=other.id), bytes=1, size=2**40)
        await cache.app.pipeline.decide(lambda _: ([policy, pruned], None))
        await cache.close()

    asyncio.run(annotate())
    with closing(sqlite3.connect(cache.paths.database)) as raw:
        filled = dump(raw)
        assert all(filled.values()), [name for name, rows in filled.items() if not rows]
    engine = sa.create_engine(f"sqlite:///{cache.paths.database}")
    with engine.connect() as connection:
        for target in reversed(["base", *versions.known()[:-1]]):
            versions.downgrade(connection, target)
        assert set(sa.inspect(connection).get_table_names()) <= {"alembic_version"}
        connection.rollback()
        versions.upgrade(connection, "head")
        assert versions.current(connection) == SCHEMA
    engine.dispose()
    asyncio.run(fill())
    with closing(sqlite3.connect(cache.paths.database)) as raw:
        assert dump(raw) == filled


def test_a_new_file_is_ours_and_complete(connection: sa.Connection) -> None:
    assert versions.ensure(connection) is True
    assert versions.ensure(connection) is False
    assert raw_connection(connection).execute("PRAGMA application_id").fetchone() == (0x43434448,)
