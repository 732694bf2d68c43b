"""Whatever happens to logs, archive, cache and index: what the index finds is what a naive reading of every entry finds."""

from __future__ import annotations

from collections import defaultdict

import apsw
import pytest
import sqlalchemy as sa
from hypothesis import settings
from hypothesis.stateful import rule

from ccdashd.search import builder
from ccdashd.sources.model import KINDS, Entry
from ccdashd.store import logs, pages
from ccdashd.store.schema import session_logs, sync_state
from ccdashd.store.text import entries, matches, tags, writer
from ccdashd.store.text.connection import delete
from tests.archive.caches import ArchivedCache
from tests.ingest.caches import seal
from tests.ingest.test_incremental import Changes
from tests.ingest.world import World
from tests.search import naive
from tests.search.world import TextWorld

Place = tuple[str, int, int]
"""Path of the log, offset of the record, block."""


class SearchedChanges(Changes):
    """Logs change, are copied and deleted; cache and index are lost."""

    cache: ArchivedCache

    def begin(self) -> ArchivedCache:
        self.world = TextWorld(self.base / "logs")
        return ArchivedCache(self.base / "c", self.world.root, texts=True)

    @rule()
    def copy(self) -> None:
        self.runner.run(self.cache.copy())

    @rule()
    def lose_the_database(self) -> None:
        self.runner.run(self.cache.lose())
        self.changed.clear()

    @rule()
    def lose_the_index(self) -> None:
        self.runner.run(self._lose_the_index())
        self.changed.clear()

    @rule()
    def index(self) -> None:
        self.runner.run(self.cache.app.texts.settled())

    async def _lose_the_index(self) -> None:
        await self.cache.close()
        delete(self.cache.paths.text_index)
        await self.cache.open()

    async def _compare(self, rebuild: bool) -> None:
        await self._look()
        await self.cache.scan()
        if rebuild:
            await self.cache.app.pipeline.rebuild()
        await self.cache.app.texts.settled()
        known = await self.cache.app.database.read(_known)
        await self.cache.app.texts.read(lambda text: same(text, known, self.world))


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The index is brought up to the cache while the scripts go on, too."""
    monkeypatch.setattr(builder, "SETTLE", 0.0)


TestSearchedChanges = SearchedChanges.TestCase
TestSearchedChanges.settings = settings(max_examples=8, stateful_step_count=40, deadline=None)


class Log:
    """A log as the cache knows it."""

    def __init__(self, row: sa.Row[tuple[object, ...]], found: list[Entry]) -> None:
        self.path = logs.path_from(row.path)
        self.size, self.parsed_to, self.guard = row.size, row.parsed_to, row.guard
        self.entries = found


def _known(connection: sa.Connection, revision: int) -> list[Log]:
    found = []
    for row in connection.execute(sa.select(sync_state)).all():
        query = sa.select(session_logs.c.data).where(session_logs.c.file_id == row.id).order_by(session_logs.c.page)
        found.append(Log(row, [entry for data in connection.execute(query).scalars() for entry in pages.unpack(data)]))
    return found


def same(text: apsw.Connection, known: list[Log], world: World) -> None:
    """Fails where the index does not find what the logs that are `known` say, or finds anything else."""
    states = writer.states(text)
    assert states.keys() == {log.path for log in known}
    stated: dict[Place, Entry] = {}
    by_word: defaultdict[str, set[Place]] = defaultdict(set)
    by_pair: defaultdict[tuple[str, str], set[Place]] = defaultdict(set)
    for log in known:
        assert states[log.path].entries == len(log.entries)
        content = _content(log, world) if states[log.path].whole else None
        for entry in log.entries:
            place = (log.path, entry.offset, entry.block)
            stated[place] = entry
            record = content[entry.offset : entry.offset + entry.length] if content is not None else b""
            for row in naive.rows(naive.said(record, entry) if content is not None else entry.text):
                for word, following in zip(row, [*row[1:], ""], strict=False):
                    by_word[word].add(place)
                    by_pair[word, following].add(place)
    placed = _placed(text)
    assert sorted((found.path, found.offset, found.block) for found in placed.values()) == sorted(stated)
    for found in placed.values():
        entry = stated[found.path, found.offset, found.block]
        assert (found.length, found.kind, found.time) == (entry.length, entry.kind, entry.time)
        assert (found.tool, found.model) == (entry.tool, entry.model)

    def find(expression: str) -> set[Place]:
        rows = matches.newest(text, expression, [entries.Span(-(2**62), 2**62)], 10**6)
        assert len(rows) == len(set(rows))
        return {(placed[n].path, placed[n].offset, placed[n].block) for n in rows}

    for word in by_word:
        assert find(f'{{text parts}} : "{word}"') == by_word[word], word
    for start in {word[:2] for word in by_word}:
        begun = set().union(*(places for word, places in by_word.items() if word.startswith(start)))
        assert find(f'{{text parts}} : "{start}" *') == begun, start
    for (word, following), places in by_pair.items():
        if following:
            assert find(f'{{text parts}} : "{word} {following}"') == places, (word, following)
    for kind in range(len(KINDS)):
        assert find(tags.any_of([tags.kind(kind)])) == {place for place, entry in stated.items() if entry.kind == kind}
    for name, id in entries.names(text, "tool").items():
        assert find(tags.any_of([tags.tool(id)])) == {place for place, entry in stated.items() if entry.tool == name}
    for log in known:
        in_log = {rowid for span in entries.spans(text, [log.path]) for rowid in range(span.first, span.last + 1)}
        assert in_log == {rowid for rowid, found in placed.items() if found.path == log.path}


def _placed(text: apsw.Connection) -> dict[int, entries.Found]:
    spans = entries.spans(text, writer.states(text))
    rowids = [rowid for span in spans for rowid in range(span.first, span.last + 1)]
    return {found.rowid: found for found in entries.entries(text, rowids)}


def _content(log: Log, world: World) -> bytes:
    for content in reversed(world.contents):
        if len(content) >= log.parsed_to and seal(content, log.parsed_to) == log.guard:
            return content
    raise AssertionError(f"no log ever had the content that is known of {log.path}")
