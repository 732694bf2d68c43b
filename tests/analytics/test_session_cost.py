"""The bill of a session adds up to its cost, to the last millionth of a dollar, whatever happened to its logs."""

from __future__ import annotations

import asyncio
import csv
import os
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from ccdashd.analytics.session_cost import session_cost
from ccdashd.derive.measures import usd
from ccdashd.derive.periods import ALL
from ccdashd.derive.pricing import Prices
from ccdashd.errors import NotFound
from ccdashd.protocol import types as t
from ccdashd.store import costs, facts, tool_times
from ccdashd.store.connection import raw_connection
from ccdashd.store.filters import Filter
from tests.ingest.caches import Cache
from tests.ingest.world import World
from tests.sources.logs import OTHER, SESSION
from tests.store.plans import cache
from tests.store.test_costs import AGENT, FORK, MAIN, OPUS, OWN, OWN_PRICES, PRICES, SONNET, Shop, computed

CORPUS = os.environ.get("CCDASH_CORPUS")


@pytest.fixture
def shop(tmp_path: Path) -> Any:
    with cache() as connection:
        yield Shop(connection, tmp_path)


def bill(shop: Shop, id: str = SESSION, *, with_subagents: bool = True) -> t.SessionCost:
    params = t.SessionCostParams(id=id, with_subagents=with_subagents)
    return session_cost(shop.connection, params, PRICES, 7)


def lines(found: t.SessionCost) -> list[tuple[str, str, int, float | None, list[float]]]:
    return [(line.model, line.kind, line.amount, line.usd, line.prices) for line in found.lines]


def test_lines_tell_models_kinds_and_the_prices_that_held(shop: Shop) -> None:
    days = ["2026-03-12T12:00:00.000Z", "2026-03-13T12:00:00.000Z"]  # until then long prompts cost twice as much
    shop.write(
        MAIN,
        [
            shop.prompt(),
            *(shop.answer(f"m{day}", timestamp=day, output=1_000) for day in days),
            shop.answer("m3", SONNET, usage={"input_tokens": 0, "cache_read_input_tokens": 2_000_000}),
            shop.answer("m4", "mine", output=5),
        ],
    )
    found = bill(shop, SESSION[:8])
    assert lines(found) == [
        (OPUS, "input", 2_000_000, 15.0, [5.0, 10.0]),
        (SONNET, "cacheRead", 2_000_000, 1.2, [0.6]),
        (OPUS, "output", 2_000, 0.0625, [25.0, 37.5]),
        ("mine", "input", 1_000_000, None, []),
        ("mine", "output", 5, None, []),
    ]
    assert found.cost == found.own == t.Cost(usd=16.2625, provenance="lower_bound", unpriced_models=["mine"])
    assert (found.id, found.messages, found.revision, found.by_subagent_type) == (SESSION, 4, 7, [])
    assert (found.tokens.input, found.tokens.output, found.tokens.cache_read) == (3_000_000, 2_005, 2_000_000)


def test_subagents_are_told_by_type(shop: Shop) -> None:
    agent: dict[str, Any] = {"isSidechain": True, "agentId": "a1"}
    shop.write(MAIN, [shop.prompt(), shop.answer("m1")])
    shop.write(AGENT, [shop.prompt(**agent), shop.answer("m2", SONNET, usage={"input_tokens": 100_000}, **agent)])
    found = bill(shop)
    assert (found.cost, found.own) == (computed(10.3), computed(10.0))
    (row,) = found.by_subagent_type
    assert (row.key, row.values, row.sessions) == ("unknown", {"cost": 0.3, "tokens": 100_000, "messages": 1}, 1)
    assert row.share == pytest.approx(0.3 / 10.3)
    alone = bill(shop, with_subagents=False)
    assert (alone.cost, alone.messages, alone.by_subagent_type) == (computed(10.0), 1, [])
    assert [line[0] for line in lines(alone)] == [OPUS]
    raw_connection(shop.connection).execute("UPDATE sessions SET agent_type = 'Explore' WHERE agent_id = 'a1'")
    assert [row.key for row in bill(shop).by_subagent_type] == ["Explore"]


def test_what_was_before_a_fork_is_on_one_bill(shop: Shop) -> None:
    start = [shop.prompt(), shop.answer("m1")]
    shop.write(MAIN, start)
    shop.write(FORK, [record | {"sessionId": OTHER} for record in start] + [shop.answer("m2", sessionId=OTHER)])
    both = [bill(shop, id) for id in (SESSION, OTHER)]
    assert sorted(found.messages for found in both) == [1, 1]
    assert sum(line.amount for found in both for line in found.lines) == 2_000_000


def test_a_session_without_usage_and_one_that_is_not_there(shop: Shop) -> None:
    shop.write(MAIN, [shop.prompt()])
    found = bill(shop)
    assert (found.cost, found.own, found.lines, found.messages) == (None, None, [], 0)
    with pytest.raises(NotFound, match="nobody"):
        bill(shop, "nobody")


def conserved(connection: sa.Connection, prices: Prices) -> int:
    """Check the bill of every session; returns how many have one."""
    ids = [row[0] for row in raw_connection(connection).execute("SELECT id FROM sessions")]
    billed = 0
    for id in ids:
        for with_subagents in (True, False):
            found = session_cost(connection, t.SessionCostParams(id=id, with_subagents=with_subagents), prices, 0)
            assert found.cost == costs.session_costs(connection, [id], with_subagents=with_subagents).get(id)
            if found.cost is None:
                assert not found.lines
                continue
            micros = [round(line.usd * 10**6) for line in found.lines if line.usd is not None]
            assert sum(micros) == round(found.cost.usd * 10**6)
            amounts = Counter[str]()
            for line in found.lines:
                amounts[line.kind] += line.amount
            if "reported" not in amounts:
                used = found.tokens
                assert (amounts["input"], amounts["output"], amounts["cacheRead"]) == (
                    used.input,
                    used.output,
                    used.cache_read,
                )
            own = found.own.usd if found.own else 0.0
            assert own + sum(row.values["cost"] or 0 for row in found.by_subagent_type) == pytest.approx(
                found.cost.usd, abs=2e-6 * (1 + len(found.by_subagent_type))
            )
            billed += 1
    return billed


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_to_logs_bills_are_those_of_their_messages(tmp_path: Path, seed: int) -> None:
    choose = Random(seed)
    world = World(tmp_path / "logs")
    billed: list[int] = []

    async def run() -> None:
        app = Cache(tmp_path / "c", world.root)
        app.settings = msgspec.structs.replace(app.settings, prices=OWN_PRICES)
        await app.open()
        for _ in range(30):
            world.any_change(choose)
            await app.scan()
            billed.append(await app.app.database.read(lambda connection, _: conserved(connection, OWN)))
        await app.close()

    asyncio.run(run())
    assert max(billed) > 1


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS, reason="CCDASH_CORPUS names no folder of real logs")
def test_genuine_logs(tmp_path: Path) -> None:
    """Bills, and durations of tools, which come from rows and not from sums."""
    sessions = Path(CORPUS or "") / "sessions"
    with (sessions / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["agent"].startswith("claude") and row["install_as"].endswith(".jsonl"):
                path = tmp_path / row["install_as"]
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(sessions / row["path"], path)

    def check(connection: sa.Connection, _: int) -> tuple[int, float]:
        billed = conserved(connection, Prices())
        calls = tool_times.calls(connection, Filter().during(ALL))
        times = tool_times.durations(connection, Filter().during(ALL))
        assert {tool: sum(ms) for tool, ms in times.items() if sum(ms)} == {
            tool: found.ms for tool, found in calls.items() if found.ms
        }
        return billed, usd(facts.total(connection, Filter(), frozenset({"cost"})).cost)

    async def run(read: Callable[[sa.Connection, int], tuple[int, float]]) -> tuple[int, float]:
        app = Cache(tmp_path / "c", tmp_path / ".claude/projects")
        await app.open()
        found = await app.app.database.read(read, heavy=True)
        await app.close()
        return found

    billed, spent = asyncio.run(run(check))
    assert billed > 50
    assert spent > 0
