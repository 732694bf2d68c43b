"""The real daemon with two made-up projects, for tests of commands."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.cli import plans
from tests.helpers import Daemon, RpcError, wait_until


class World(NamedTuple):
    """The daemon, and the roots of its projects: the shop, whose files stay as they are, and the depot."""

    daemon: Daemon
    shop: Path
    depot: Path

    def ask(self, method: str, **params: Any) -> Any:
        with self.daemon.client() as client:
            return client.request(method, params)

    def plan(self, slug: str) -> None:
        """Add a feature to the depot, and wait until the daemon knows all of it."""
        plans.write(self.depot, plans.feature(slug))

        def known() -> bool:
            try:
                feature = self.ask("features/get", id=slug)
            except RpcError:
                return False
            return len(feature["documents"]) == 4 and feature["tasks"]["total"] == 4

        wait_until(known, f"the feature {slug}")

    def enter(self, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Make commands of this process talk to the daemon, from the folder of the shop; returns the daemon's home."""
        for name, value in {**self.daemon.environ, "CCDASH_NO_SPAWN": "1", "COLUMNS": "120", "TERM": "xterm"}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.chdir(self.shop)
        return self.daemon.home


@contextmanager
def serve() -> Iterator[World]:
    """A daemon that knows both projects, and the session that worked on the checkout of the shop."""
    folder = Path(tempfile.mkdtemp(prefix="cc", dir="/tmp"))
    daemon = Daemon(folder)
    world = World(daemon, folder / "shop", folder / "depot")
    plans.write(world.shop, plans.SHOP)
    plans.write(world.depot, plans.feature("loading"))
    plans.write_session(daemon.home, world.shop)
    try:
        daemon.start()
        for root in (world.shop, world.depot):
            world.ask("projects/add", root=str(root))
        wait_until(lambda: world.ask("features/get", id="checkout")["sessions"], "the session of the checkout")
        yield world
    finally:
        daemon.close()
        shutil.rmtree(folder, ignore_errors=True)
