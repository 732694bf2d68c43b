"""What sessions cost, from the rows of their logs: each message once, and at once where nothing changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from ccdashd.derive.pricing import Prices, Spent, Usage, total
from ccdashd.protocol import types as t
from ccdashd.settings import ModelPrice
from ccdashd.store import assemble, costs, logs, once, rollups
from ccdashd.store.connection import raw_connection
from tests.ingest.caches import Cache as AppCache
from tests.ingest.world import World
from tests.sources.logs import OTHER, SESSION, Writer, text
from tests.store.link_world import Cache, owner
from tests.store.plans import cache

MAIN, FORK, AGENT = f"app/{SESSION}.jsonl", f"app/{OTHER}.jsonl", f"app/{SESSION}/subagents/agent-a1.jsonl"
PRICES = Prices()
OPUS, SONNET = "claude-opus-4-6", "claude-sonnet-4-5"


class Shop:
    """A cache and the logs in it."""

    def __init__(self, connection: sa.Connection, folder: Path) -> None:
        self.connection = connection
        self._folder = folder
        self._cache = Cache(connection)
        self._writer = Writer()

    def answer(self, id: str, model: str = OPUS, *, output: int = 0, **fields: Any) -> dict[str, Any]:
        """The record of a message that has 1 000 000 tokens of input, or as `usage` says."""
        usage = {"input_tokens": 1_000_000, "output_tokens": output} | fields.pop("usage", {})
        return self._writer.assistant(text("So"), id=id, requestId=f"r-{id}", model=model, usage=usage, **fields)

    def prompt(self, **fields: Any) -> dict[str, Any]:
        return self._writer.user("Go on", **fields)

    def write(self, place: str, records: Iterable[dict[str, Any]], mode: str = "a") -> None:
        """Append to a log, or write it anew, and read it."""
        path = self._folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode) as file:
            file.writelines(json.dumps(record) + "\n" for record in records)
        self._cache.read([path])
        raw = raw_connection(self.connection)
        ids = {row[0] for row in raw.execute("SELECT message_id FROM session_messages")}
        changed = logs.sessions_of(self.connection, once.recount(self.connection, once.MESSAGES, ids))
        assemble.build(self.connection, changed, owner)
        for (file_id,) in raw.execute("SELECT id FROM sync_state").fetchall():
            rollups.roll_up(self.connection, PRICES, file_id)

    def cost(self, id: str, *, with_subagents: bool = False) -> t.Cost | None:
        return costs.session_costs(self.connection, [id], with_subagents=with_subagents).get(id)


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    with cache() as connection:
        yield Shop(connection, tmp_path)


def computed(usd: float) -> t.Cost:
    return t.Cost(usd=usd, provenance="computed", unpriced_models=[])


def test_messages_are_priced_each_by_its_model_and_size(shop: Shop) -> None:
    # At that day prompts of more than 200 000 tokens cost twice as much.
    shop.write(MAIN, [shop.prompt(), shop.answer("m1"), shop.answer("m2", usage={"input_tokens": 100_000})])
    assert shop.cost(SESSION) == computed(10 + 0.5)
    shop.write(MAIN, [shop.answer("m3", SONNET, usage={"input_tokens": 200_000}, output=10)])
    assert shop.cost(SESSION) == computed(10 + 0.5 + 0.6 + 0.00015)


def test_messages_are_priced_each_by_its_date(shop: Shop) -> None:
    days = ["2026-03-12T12:00:00.000Z", "2026-03-13T12:00:00.000Z"]
    shop.write(MAIN, [shop.prompt(), *(shop.answer(f"m{day}", timestamp=day) for day in days)])
    assert shop.cost(SESSION) == computed(10 + 5)


def test_every_kind_of_token_has_its_price(shop: Shop) -> None:
    writes = {"ephemeral_5m_input_tokens": 20_000, "ephemeral_1h_input_tokens": 30_000}
    usage = {
        "input_tokens": 10_000,
        "cache_read_input_tokens": 40_000,
        "cache_creation_input_tokens": 60_000,  # 10 000 of unknown lifetime
        "cache_creation": writes,
    }
    shop.write(MAIN, [shop.prompt(), shop.answer("m1", usage=usage, output=1_000)])
    assert shop.cost(SESSION) == computed(0.05 + 0.02 + 30_000 * 6.25e-6 + 0.3 + 0.025)


def test_what_is_not_known_is_said(shop: Shop) -> None:
    shop.write(MAIN, [shop.prompt(), shop.answer("m1", "mine")])
    assert shop.cost(SESSION) == t.Cost(usd=0, provenance="unpriced", unpriced_models=["mine"])
    shop.write(MAIN, [shop.answer("m2"), shop.answer("m3", "her own")])
    assert shop.cost(SESSION) == t.Cost(usd=10, provenance="lower_bound", unpriced_models=["her own", "mine"])
    shop.write(FORK, [shop.prompt(sessionId=OTHER), shop.answer("m4", stop_reason=None, sessionId=OTHER)])
    assert shop.cost(OTHER) == t.Cost(usd=10, provenance="lower_bound", unpriced_models=[])


def test_without_usage_no_cost_is_known(shop: Shop) -> None:
    shop.write(MAIN, [shop.prompt()])
    assert shop.cost(SESSION) is shop.cost("nobody") is None


def test_subagents_belong_to_their_parent_and_count_once(shop: Shop) -> None:
    shop.write(MAIN, [shop.prompt(), shop.answer("m1")])
    shop.write(AGENT, [shop.prompt(isSidechain=True, agentId="a1"), shop.answer("m2", isSidechain=True, agentId="a1")])
    ids = [row[0] for row in raw_connection(shop.connection).execute("SELECT id FROM sessions WHERE agent_id = 'a1'")]
    assert len(ids) == 1
    assert shop.cost(SESSION) == shop.cost(ids[0]) == shop.cost(ids[0], with_subagents=True) == computed(10)
    assert shop.cost(SESSION, with_subagents=True) == computed(20)
    both = {SESSION: computed(20), ids[0]: computed(10)}
    assert costs.session_costs(shop.connection, [*ids, SESSION, SESSION], with_subagents=True) == both


def test_a_fork_does_not_cost_what_was_before_it(shop: Shop) -> None:
    start = [shop.prompt(), shop.answer("m1")]
    shop.write(MAIN, start)
    assert shop.cost(SESSION) == computed(10)
    shop.write(FORK, [record | {"sessionId": OTHER} for record in start] + [shop.answer("m2", sessionId=OTHER)])
    each = costs.session_costs(shop.connection, [SESSION, OTHER], with_subagents=False)
    assert sum(cost.usd for cost in each.values()) == 20


def test_a_log_that_was_rewritten_is_priced_anew(shop: Shop) -> None:
    days = [f"2026-03-{day}T12:00:00.000Z" for day in (11, 12, 14)]
    records = [shop.prompt(), *(shop.answer(f"m{day}", timestamp=day) for day in days)]
    shop.write(MAIN, records)
    assert shop.cost(SESSION) == computed(10 + 10 + 5)
    records[2]["timestamp"] = "2026-03-13T12:00:00.000Z"
    shop.write(MAIN, records, "w")
    assert shop.cost(SESSION) == computed(10 + 5 + 5), "though no sum of tokens is another"


OWN_PRICES = {
    "claude-a": ModelPrice(input=3, output=15, cache_read=0.3, cache_write_5m=3.75, cache_write_1h=6),
    "claude-b": ModelPrice(input=1.000001, output=7, since=date(2026, 1, 14)),
}
OWN = Prices(OWN_PRICES)


def priced_one_by_one(connection: sa.Connection) -> Spent:
    """All messages in the cache, each once, without any of what the store does."""
    query = """
    SELECT m.model, m.time, m.input, m.output, m.cache_read, m.cache_write, m.cache_write_5m, m.cache_write_1h,
           m.web_searches, m.lower_bound OR m.mirror, m.fast, m.reported
    FROM session_messages m JOIN sync_state f ON f.id = m.file_id JOIN sessions s ON s.id = f.session_id WHERE m.counted
    """
    return total(
        OWN.message(
            model,
            time,
            Usage(fresh, output, read, five + max(written - five - hour, 0), hour, searches),
            lower_bound=bool(bound),
            fast=bool(fast),
            reported=reported,
        )
        for model, time, fresh, output, read, written, five, hour, searches, bound, fast, reported in raw_connection(
            connection
        ).execute(query)
    )


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_to_logs_costs_are_those_of_their_messages(tmp_path: Path, seed: int) -> None:
    choose = Random(seed)
    world = World(tmp_path / "logs")
    seen: set[float] = set()

    def check(connection: sa.Connection, _: int) -> None:
        raw = raw_connection(connection)
        mains = "SELECT id FROM sessions WHERE agent_id IS NULL OR parent_id NOT IN (SELECT id FROM sessions)"
        groups = costs.spent(connection, [id for (id,) in raw.execute(mains)], with_subagents=True)
        each = costs.spent(connection, [id for (id,) in raw.execute("SELECT id FROM sessions")], with_subagents=False)
        everything = priced_one_by_one(connection)
        if groups:
            whole = total(groups.values())
            assert (whole.pico, whole.unpriced) == (everything.pico, everything.unpriced)
            assert whole.provenance == everything.provenance
            assert total(each.values()).pico <= everything.pico
            seen.add(whole.usd)

    async def run() -> None:
        app = AppCache(tmp_path / "c", world.root)
        app.settings = msgspec.structs.replace(app.settings, prices=OWN_PRICES)
        await app.open()
        for _ in range(60):
            world.any_change(choose)
            await app.scan()
            await app.app.database.read(check)
        await app.close()

    asyncio.run(run())
    assert len(seen) > 3
