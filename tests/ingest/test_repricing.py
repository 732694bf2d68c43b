"""Other prices: roll-ups are made anew from rows, of all logs, also of those that are gone, and no log is read for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from ccdashd.derive import pricing
from ccdashd.ingest import repricing
from ccdashd.protocol import types as t
from ccdashd.rpc import ccdash
from ccdashd.rpc.connection import Connection
from ccdashd.rpc.dispatch import Call
from ccdashd.settings import ModelPrice
from ccdashd.sources import PARSER
from ccdashd.store import rollups, versions
from ccdashd.store.connection import raw_connection
from tests.ingest.caches import Cache
from tests.ingest.tables import Tables, same
from tests.ingest.world import KINDS, PLACES, World
from tests.integrity.checking import faults

CHEAP = {"claude-a": ModelPrice(input=1.0, output=1.0), "claude-b": ModelPrice(input=2.0, output=2.0)}
DEAR = {"claude-a": ModelPrice(input=3.0, output=30.0), "claude-b": ModelPrice(input=2.0, output=2.0)}


class Shop:
    """Logs of every kind, and a cache of them at some prices."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = World(folder / "logs")
        choose = Random(1)
        for place in PLACES:
            self.world.append(place, choose.choices(KINDS, k=20))
        self.cache = self.at(CHEAP, "c")

    def at(self, prices: dict[str, ModelPrice], name: str) -> Cache:
        cache = Cache(self.folder / name, self.world.root)
        cache.settings = msgspec.structs.replace(cache.settings, prices=prices)
        return cache

    def delete(self, place: str) -> str:
        self.world.delete(place)
        return str(self.world.path(place))

    async def visit(self, then: Callable[[], Awaitable[Any]] | None = None) -> Tables:
        """Open the cache, wait until the prices are settled, and close it; returns what it held then."""
        await self.cache.open()
        await asyncio.wait_for(self.cache.app.pipeline.repricing.settled(), 20)
        if then is not None:
            await then()
        tables = await self.cache.dump()
        await self.cache.close()
        return tables

    def read(self, query: str) -> list[tuple[Any, ...]]:
        engine = sa.create_engine(f"sqlite:///{self.cache.paths.database}")
        with engine.connect() as connection:
            found = raw_connection(connection).execute(query).fetchall()
        engine.dispose()
        return found

    def prices(self) -> str:
        return str(self.read("SELECT value FROM meta WHERE key = 'prices'")[0][0])


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_other_prices_give_the_roll_ups_of_a_new_cache(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repricing, "SLICE", 2)
    old, new = shop.cache, shop.at(DEAR, "d")
    before = asyncio.run(shop.visit())
    assert shop.prices() == pricing.fingerprint(CHEAP)
    shop.cache = new
    asyncio.run(shop.visit())
    shop.delete(PLACES[0])
    fresh = asyncio.run(shop.visit())

    async def nothing_was_read() -> None:
        assert shop.cache.app.pipeline.files_parsed == 0

    shop.cache = old
    old.settings = msgspec.structs.replace(old.settings, prices=DEAR)
    after = asyncio.run(shop.visit(nothing_was_read))
    assert shop.prices() == pricing.fingerprint(DEAR)
    assert "gone" in {row["state"] for row in after["sync_state"].values()}
    assert before["usage_slots"] != after["usage_slots"]
    same(after, fresh, "a cache that began with these prices holds something else")


def test_the_same_prices_are_left_alone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    first = asyncio.run(shop.visit())

    def refuse(*args: object) -> None:
        raise AssertionError("rolled up again")

    monkeypatch.setattr(rollups, "roll_up", refuse)
    assert asyncio.run(shop.visit()) == first


@pytest.mark.parametrize("then", [DEAR, CHEAP], ids=["at the same prices", "at those of before"])
def test_what_failed_is_done_at_the_next_start(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, then: dict[str, ModelPrice]
) -> None:
    asyncio.run(shop.visit())
    shop.cache.settings = msgspec.structs.replace(shop.cache.settings, prices=DEAR)
    with monkeypatch.context() as broken:
        broken.setattr(repricing, "SLICE", 1)
        calls = []

        def fail_later(*args: Any) -> None:
            calls.append(args)
            if len(calls) > 2:
                raise RuntimeError("broken")

        broken.setattr(rollups, "roll_up", fail_later)
        asyncio.run(shop.visit())
    (problem,) = shop.cache.app.problems.all()
    assert problem.part == "prices" and "RuntimeError" in problem.problem and "broken" not in problem.problem
    assert shop.prices() not in (pricing.fingerprint(CHEAP), pricing.fingerprint(DEAR))
    shop.cache.settings = msgspec.structs.replace(shop.cache.settings, prices=then)
    repaired = asyncio.run(shop.visit())
    assert shop.prices() == pricing.fingerprint(then)
    assert not shop.cache.app.problems.all()
    shop.cache = shop.at(then, "d")
    same(repaired, asyncio.run(shop.visit()), "a new cache holds something else")


def test_the_status_tells_of_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = asyncio.Event()

    async def compare(run: repricing.Repricing) -> None:
        await go_on.wait()

    async def ask() -> t.Status:
        app = shop.cache.app
        status: t.Status = await ccdash.status(Call(app, Connection(app, app.server)), t.NoParams())
        return status

    async def visit() -> None:
        await shop.cache.open()
        before = await ask()
        assert before.repricing and before.state == "indexing"
        go_on.set()
        await shop.cache.app.pipeline.repricing.settled()
        after = await ask()
        assert not after.repricing and after.state == "ok"
        await shop.cache.close()

    monkeypatch.setattr(repricing.Repricing, "_compare", compare)
    asyncio.run(visit())


def test_who_waits_for_prices_does_not_wait_for_a_closed_cache(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait() -> None:
        await shop.cache.open()
        run = shop.cache.app.pipeline.repricing
        waits = asyncio.create_task(run.settled())
        await asyncio.sleep(0)
        assert run.under_way and not waits.done()
        await shop.cache.close()
        await asyncio.wait_for(waits, 20)

    never = asyncio.Event()
    monkeypatch.setattr(repricing.Repricing, "_compare", lambda self: never.wait())
    asyncio.run(wait())


def test_a_new_way_to_compute_is_other_prices(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(shop.visit())
    known = shop.prices()
    monkeypatch.setattr(pricing, "VERSION", pricing.VERSION + 1)
    asyncio.run(shop.visit())
    assert shop.prices() != known


def downgrade(database: Path) -> None:
    """Make it the cache of the version that had no roll-ups."""
    engine = sa.create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        versions.downgrade(connection, "0002")
        raw_connection(connection).execute("UPDATE sync_state SET parser = 2")
        raw_connection(connection).execute("DELETE FROM meta WHERE key = 'prices'")
        raw_connection(connection).commit()
    engine.dispose()


@pytest.mark.parametrize("known", [False, True])
def test_an_older_cache_keeps_its_logs_that_are_gone(shop: Shop, known: bool) -> None:
    """Whether it was the older version that noticed, or the first scan of this one."""
    expected_rows = asyncio.run(shop.visit())
    path = shop.delete(PLACES[0])
    if known:
        asyncio.run(shop.visit())
    downgrade(shop.cache.paths.database)
    tables = asyncio.run(shop.visit())
    assert {row["parser"] for row in tables["sync_state"].values()} == {2, PARSER}

    def of_log(table: str, found: Tables) -> dict[Any, Any]:
        return {key: row for key, row in found[table].items() if key[0] == path}

    for table in ("tool_slots", "session_minutes"):
        assert of_log(table, tables) == of_log(table, expected_rows), table
    for table in ("usage_slots", "session_events"):
        assert of_log(table, tables), table
    shown = ("prompts", "steering", "commands", "bash", "interrupts", "compactions")
    activity = [
        [sum(row[name] for row in of_log("activity_slots", found).values()) for name in shown]
        for found in (expected_rows, tables)
    ]
    assert activity[0] == activity[1] != [0] * len(shown)
    tokens = [sum(row["output"] for row in of_log("usage_slots", found).values()) for found in (expected_rows, tables)]
    assert tokens[0] == tokens[1] > 0


@pytest.mark.parametrize("gone", [False, True])
def test_roll_ups_that_drifted_are_told_and_repaired_by_a_rebuild(shop: Shop, gone: bool) -> None:
    def check() -> list[str]:
        return [fault.where for fault in faults(shop.cache.paths, shop.cache.settings)]

    def spoil(connection: sa.Connection) -> None:
        raw_connection(connection).execute("UPDATE usage_slots SET output = output + 1")
        raw_connection(connection).execute("DELETE FROM activity_slots")

    async def run() -> None:
        app = shop.cache.app
        before = await shop.cache.dump()
        assert check() == []
        await app.database.write(spoil)
        assert sorted(check()) == ["cache.db: activity_slots", "cache.db: usage_slots"]
        await app.pipeline.rebuild()
        assert check() == []
        same(before, await shop.cache.dump(), "the rebuild did not repair it")

    if gone:
        asyncio.run(shop.visit())
        shop.delete(PLACES[0])
    asyncio.run(shop.visit(run))
