"""Caches with an index of texts, and logs with more to say than other tests need."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ccdashd.store.text import entries, matches
from tests.archive.caches import ArchivedCache
from tests.sources.logs import Writer, call, text, write

EVERYWHERE = [entries.Span(-(2**62), 2**62)]


def log_path(folder: Path, number: int = 1) -> Path:
    """Where the log of a session is."""
    return folder / "logs/-home-a" / f"{number}0000000-0000-4000-8000-000000000000.jsonl"


def put(path: Path, *records: dict[str, Any]) -> None:
    """Make a log hold these records."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(write(*records))


def talk(path: Path, count: int, words: int, seed: int = 0) -> None:
    """A log with so many outputs of a tool, of so many words each: ``out<n>`` once in each, and numbers."""
    w = Writer(seed)
    records = [w.user(f"begin {path.stem[0]}")]
    for n in range(count):
        records.append(w.assistant(call(f"c{n}", "Bash", command=f"run {n}"), text(f"answer{n}")))
        numbers = " ".join(f"{seed}x{n}y{k}" for k in range(words - 1))
        records.append(w.result(f"c{n}", f"out{n} {numbers}"))
    put(path, *records)


@asynccontextmanager
async def opened(folder: Path, **changes: str) -> AsyncIterator[ArchivedCache]:
    """A cache of the logs below ``logs``, open, with an index of texts that is up to it."""
    (folder / "logs").mkdir(exist_ok=True)
    cache = ArchivedCache(folder / "c", folder / "logs", texts=True)
    await cache.open()
    try:
        yield cache
    finally:
        await cache.close()


async def found(cache: ArchivedCache, words: str) -> list[tuple[str, int]]:
    """Number of the session, and offset, of each entry that holds some words; the newest rowid first."""

    def find(connection: Any) -> list[tuple[str, int]]:
        rowids = matches.newest(connection, f'{{text parts}} : "{words}"', EVERYWHERE, 1000)
        return [(Path(entry.path).stem[0], entry.offset) for entry in entries.entries(connection, rowids)]

    return await cache.app.texts.read(find)


def first_offset(path: Path, needle: str) -> int:
    """Where the record begins that first holds some bytes."""
    offset = 0
    for line in path.read_bytes().splitlines(keepends=True):
        if json.dumps(needle, ensure_ascii=False)[1:-1].encode() in line:
            return offset
        offset += len(line)
    raise AssertionError(f"{needle!r} is not in {path}")
