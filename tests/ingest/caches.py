"""Caches in this process: the app without watcher and socket, whose logs are looked at when a test says so."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from ccdashd import paths, settings
from ccdashd.app import App
from ccdashd.logfile import guard
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection
from tests.ingest.tables import Tables, dump
from tests.ingest.world import World

NOTED = {"progress_days"}


class Cache:
    """The cache of the logs below `roots`, kept below `folder`; with an index of texts where `texts`."""

    def __init__(self, folder: Path, *roots: Path, texts: bool = False) -> None:
        logs = os.pathsep.join(map(str, roots))
        self.environ = {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder), "CCDASH_CLAUDE_DIRS": logs}
        self.paths = paths.resolve(environ=self.environ)
        given = {"watch": "off", "reconcile_seconds": "100000", "text_index": str(texts).lower()}
        self.settings = settings.load(self.paths, given, self.environ)
        self.app: App

    async def open(self) -> None:
        """Open it, and wait for the first scan."""
        self.app = App(self.settings, self.paths)
        self.app.start()
        await self.app.ready()
        # The app's own scan is on its way; this one comes after it, whichever of them is first.
        await self.scan()

    async def close(self) -> None:
        await self.app.stop()

    async def scan(self) -> t.RescanResult:
        return await self.app.pipeline.reconcile("test")

    async def dump(self) -> Tables:
        """All that it holds, but for what it noted in its journal by itself: that depends on when it looked."""
        tables = await self.app.database.read(lambda connection, _: dump(raw_connection(connection)))
        return {name: rows for name, rows in tables.items() if name not in NOTED}


async def expected(folder: Path, world: World, known: Tables, cache: Cache | None = None) -> Tables:
    """What a new cache holds that saw the world's logs and, for a moment, those that `known` keeps though they are gone."""
    ghosts = {row["path"]: row for row in known["sync_state"].values() if row["state"] == "gone"}
    undo = [_install(path, row, world) for path, row in ghosts.items()]
    cache = cache or Cache(folder, world.root)
    await cache.open()
    for path, described in zip(ghosts, undo, strict=True):
        os.unlink(path)
        if described is not None:
            meta, content = described
            _restore(meta, content)
    if ghosts:
        await cache.scan()
    tables = await cache.dump()
    await cache.close()
    shutil.rmtree(folder)
    return tables


def _install(path: str, row: dict[str, object], world: World) -> tuple[Path, bytes | None] | None:
    """Write a log as it was when it was last read. Returns what stood in its description, for a sub-agent's log."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(_content(row, world))
    if not Path(path).name.startswith("agent-"):
        return None
    meta = Path(path).with_suffix(".meta.json")
    before = meta.read_bytes() if meta.exists() else None
    stats = row["stats"]
    assert isinstance(stats, dict)
    names = {"agentType": "agent_type", "description": "agent_description", "toolUseId": "parent_tool_use_id"}
    meta.write_text(json.dumps({name: stats[field] for name, field in names.items() if field in stats}))
    return meta, before


def _restore(meta: Path, content: bytes | None) -> None:
    if content is None:
        meta.unlink()
    else:
        meta.write_bytes(content)


def _content(row: dict[str, object], world: World) -> bytes:
    for content in reversed(world.contents):
        if len(content) == row["size"] and seal(content, int(str(row["parsed_to"]))) == row["guard"]:
            return content
    raise AssertionError(f"no log ever had the content that is kept of {row['path']}")


def seal(content: bytes, end: int) -> bytes:
    """The guard of a log with this content."""
    fd = os.memfd_create("log")
    try:
        os.write(fd, content)
        return guard(fd, end)
    finally:
        os.close(fd)
