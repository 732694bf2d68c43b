"""A daemon in this process without watcher, whose alerts look when a test says so, at the time that the test says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from ccdashd import paths, settings
from ccdashd.analytics import alerting
from ccdashd.app import App
from ccdashd.events import Event
from ccdashd.protocol import types as t
from ccdashd.rpc import alerts
from ccdashd.rpc.connection import Connection
from ccdashd.rpc.dispatch import Call, ReadCall
from tests.helpers import PATIENCE

MINUTE = 60_000
HOUR = 60 * MINUTE
NOON = round(datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp() * 1000)

DOLLAR = 200_000
"""Tokens of output that cost a dollar: the model has a price in the settings."""


def stamp(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class World:
    """Logs below `folder`, and the daemon that reads them."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, *, settle: float = 10 * PATIENCE) -> None:
        environ = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        self.folder = folder
        self.paths = paths.resolve(environ=environ)
        self.paths.config_file.parent.mkdir(parents=True, exist_ok=True)
        self.paths.config_file.write_text("[prices.m]\ninput = 0.0\noutput = 5.0\n")
        given = {"watch": "off", "reconcile_seconds": "100000", "time_zone": "UTC"}
        self._settings = settings.load(self.paths, given, environ)
        self.now = NOON
        self.told: list[t.AlertFired] = []
        self.app: App
        self._count = 0
        # By default nothing is looked at by itself.
        patch.setattr(alerting, "SETTLE", settle)
        patch.setattr(alerting, "now", lambda: self.now)

    def notify(self, event: Event) -> None:
        if isinstance(event.params, t.AlertFiredNotification):
            self.told.append(event.params.alert)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[World]:
        await self.open()
        try:
            yield self
        finally:
            await self.app.stop()

    async def open(self) -> None:
        self.app = App(self._settings, self.paths)
        self.app.start()
        await self.app.ready()
        await self.app.pipeline.reconcile("test")
        while not self.app.scanned:
            await asyncio.sleep(0)
        await self.app.pipeline.repricing.settled()
        self.app.events.subscribe(self, ["alerts"])

    @property
    def call(self) -> Call:
        return Call(self.app, cast(Connection, None))

    def log(self, session: str) -> Path:
        main, _, agent = session.partition("/")
        below = f"{main}/subagents/agent-{agent}.jsonl" if agent else f"{main}.jsonl"
        return self.folder / ".claude/projects/-work-shop" / below

    async def work(
        self, session: str = "s1", *, usd: float = 0.0, errors: int = 0, good: int = 0, project: str = "/work/shop"
    ) -> None:
        """Let a session, or a sub-agent ``session/agent``, spend money and call tools now."""
        records = [self._answer(usd, errors + good), *self._results(errors, good)]
        main, _, agent = session.partition("/")
        path = self.log(session)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as file:
            for record in records:
                whole = {"sessionId": main, "cwd": project, "timestamp": stamp(self.now), "version": "2.0.0", **record}
                if agent:
                    whole |= {"agentId": agent, "isSidechain": True}
                file.write(json.dumps(whole) + "\n")
        await self.app.pipeline.apply([str(path)])

    def _answer(self, usd: float, calls: int) -> dict[str, Any]:
        self._count += 1
        content: list[dict[str, Any]] = [{"type": "text", "text": "done"}]
        content += [
            {"type": "tool_use", "id": f"t{self._count}-{n}", "name": "Read", "input": {"file_path": "/x"}}
            for n in range(calls)
        ]
        usage = {"input_tokens": 0, "output_tokens": round(usd * DOLLAR)}
        message = {"id": f"m{self._count}", "role": "assistant", "model": "m", "content": content, "usage": usage}
        uuid = f"00000000-0000-4000-8000-{self._count:012d}"
        return {"type": "assistant", "uuid": uuid, "requestId": f"r{self._count}", "message": message}

    def _results(self, errors: int, good: int) -> list[dict[str, Any]]:
        return [
            {
                "type": "user",
                "uuid": f"1{n:07d}-0000-4000-8000-{self._count:012d}",
                "message": {
                    "role": "user",
                    "content": [
                        {
                            "type": "tool_result",
                            "tool_use_id": f"t{self._count}-{n}",
                            "content": "?",
                            "is_error": n < errors,
                        }
                    ],
                },
            }
            for n in range(errors + good)
        ]

    async def look(self) -> list[t.AlertFired]:
        """Look at the rules now; returns what was told."""
        self.told.clear()
        await asyncio.sleep(0)  # what changed is told at the end of a turn of the loop
        await self.app.alerting.look()
        return list(self.told)

    async def rule(self, **params: Any) -> t.AlertRule:
        return await alerts.alerts_create(self.call, t.AlertCreate(**params))

    async def only(self, **params: Any) -> t.AlertRule:
        """Make a rule, the only one that is on."""
        for id, known in (await self.rules()).items():
            if known.active:
                await alerts.alerts_update(self.call, t.AlertUpdate(id=id, active=False))
        return await self.rule(**params)

    async def listed(self) -> t.Alerts:
        return await self.app.database.read(
            lambda connection, revision: alerts.alerts_list(
                ReadCall(self.app, cast(Connection, None), connection, revision), t.AlertsListParams()
            )
        )

    async def rules(self) -> dict[str, t.AlertRule]:
        return {rule.id: rule for rule in (await self.listed()).items}

    async def history(self, rule: str | None = None) -> list[t.AlertFired]:
        page = await self.app.database.read(
            lambda connection, revision: alerts.alerts_history(
                ReadCall(self.app, cast(Connection, None), connection, revision), t.AlertHistoryParams(rule=rule)
            )
        )
        return page.items

    def journal(self) -> list[dict[str, Any]]:
        """The lines of the journal that tell of alerts."""
        lines = [json.loads(line) for line in self.paths.journal.read_bytes().splitlines()]
        return [line for line in lines if line["type"] == "alerted"]
