"""A project that is edited in tests of editors: a program that agents wrote, plans, and the daemon that knows of both."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli import plans
from tests.helpers import Daemon, RpcError, wait_until
from tests.store.edited import Clock, Session

TILL = """\
def total(items):
    return sum(item.price for item in items)


def change(given, items):
    return given - total(items)
"""
REPAIR = ("given - total(items)", "round(given - total(items), 2)")
PROMPT = "Write a till that gives change."
SECOND_PROMPT = "Round the change to cents."
ANSWER = "The till is written, see `src/till.py`."
PHASE = ".claude/progress/checkout/phase-2-progress.md"
BROKEN = "docs/project_plans/reports/notes.md"


class World:
    """The daemon and the project. `session` wrote the till, `second` repaired it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shop = folder / "shop"
        self.daemon = Daemon(folder)
        self.environ = {
            **self.daemon.environ,
            # As after an installation: the command is on the path.
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "CCDASH_NO_SPAWN": "1",
            "LC_ALL": "C.UTF-8",
            "TERM": "xterm",
        }
        plans.write(self.shop, plans.SHOP)
        plans.write_session(self.daemon.home, self.shop)
        self.till = self.shop / "src/till.py"
        self.phase = self.shop / PHASE
        clock = Clock()
        self.session, self.second = self._write(clock), self._repair(clock)

    def _write(self, clock: Clock) -> Session:
        session = Session(clock, str(self.shop))
        session.prompt(PROMPT)
        session.write(str(self.till), TILL, None)
        session.say(ANSWER)
        session.save(self.daemon.home / ".claude/projects")
        return session

    def _repair(self, clock: Clock) -> Session:
        session = Session(clock, str(self.shop))
        session.prompt(SECOND_PROMPT)
        session.edit(str(self.till), *REPAIR, TILL)
        session.save(self.daemon.home / ".claude/projects")
        self.till.parent.mkdir()
        self.till.write_text("import sys\n" + TILL.replace(*REPAIR))
        return session

    def ask(self, method: str, **params: Any) -> Any:
        with self.daemon.client() as client:
            return client.request(method, params)

    def start(self) -> None:
        """Start the daemon, and wait until it knows all."""
        self.daemon.start()
        self.ask("projects/add", root=str(self.shop))
        wait_until(self._known, "the shop")

    def _known(self) -> bool:
        try:
            linked = self.ask("features/get", id="checkout")["sessions"]
        except RpcError:
            return False
        return bool(linked) and self.ask("files/context", path=str(self.till))["total"] == 2

    def copy(self, slug: str) -> Path:
        """A feature of its own, which a test may change; returns the file of its second phase."""
        plans.write(self.shop, plans.feature(slug))

        def known() -> bool:
            try:
                return len(self.ask("features/get", id=slug)["documents"]) == 4
            except RpcError:
                return False

        wait_until(known, f"the feature {slug}")
        return self.shop / PHASE.replace("checkout", slug)


@contextmanager
def serve() -> Iterator[World]:
    """The world, with its daemon running."""
    folder = Path(tempfile.mkdtemp(prefix="cc", dir="/tmp"))
    world = World(folder)
    try:
        world.start()
        yield world
    finally:
        world.daemon.close()
        shutil.rmtree(folder, ignore_errors=True)
