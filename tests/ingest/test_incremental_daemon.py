"""The same as `test_incremental`, with the real daemon, its watcher and its workers, killed now and then."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from tests.helpers import Client, Daemon, wait_until
from tests.ingest.caches import NOTED, expected
from tests.ingest.tables import dump_file, same
from tests.ingest.world import World


def settle(client: Client) -> None:
    """Wait until a scan finds nothing to do, and nothing was written since the one before."""

    def settled() -> bool:
        before = client.request("ccdash/status")["revision"]
        found = client.request("cache/rescan")
        return found["revision"] == before and not found["parsed"] + found["appended"] + found["gone"]

    wait_until(settled, "a scan that finds nothing")


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_changes(idle_daemon: Daemon, short_folder: Path, seed: int) -> None:
    rng = Random(seed)
    world = World(idle_daemon.home / ".claude/projects")
    idle_daemon.start()
    for _ in range(3):
        for _ in range(25):
            world.any_change(rng)
            if rng.random() < 0.05:
                world.flood(rng.randint(3, 40))
            if rng.random() < 0.08:
                idle_daemon.kill()
                if rng.random() < 0.5:
                    world.any_change(rng)
                idle_daemon.start()
            if rng.random() < 0.1:
                with idle_daemon.client() as client:
                    settle(client)
        with idle_daemon.client() as client:
            settle(client)
        # The comparison brings logs back for a moment, which the daemon must not see.
        idle_daemon.kill()
        tables = {name: rows for name, rows in dump_file(idle_daemon.paths.database).items() if name not in NOTED}
        same(tables, asyncio.run(expected(short_folder / "f", world, tables)), "a new cache holds something else")
        idle_daemon.start()
        with idle_daemon.client() as client:
            settle(client)
            assert client.request("cache/verify")["faults"] == []
