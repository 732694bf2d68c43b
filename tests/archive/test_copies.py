"""What the cache holds of logs that are gone, and of earlier versions of logs, when something happens to them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from ccdashd.archive.archive import Archive
from ccdashd.ingest import backlog, claim
from ccdashd.protocol import types as t
from ccdashd.sources import PARSER
from ccdashd.store import logs, sessions, transcripts
from ccdashd.store.logs import FileState
from tests.archive.caches import ArchivedCache
from tests.ingest.world import PLACES, SESSIONS, World

ONE = PLACES[0]
AGENT = f"-home-a/{SESSIONS[0]}/subagents/agent-a1.jsonl"


class Desk:
    """A cache, and the logs that it sees."""

    def __init__(self, folder: Path) -> None:
        self.world = World(folder / "logs")
        self.cache = ArchivedCache(folder / "cache", self.world.root)

    @property
    def archive(self) -> Archive:
        return self.cache.app.archive

    async def states(self) -> dict[str, FileState]:
        """What is known of logs, by the end of their path."""
        found = await self.cache.app.database.read(lambda connection, _: logs.states(connection))
        return {os.path.relpath(path, self.world.root): state for path, state in found.items()}

    async def session(self, id: str = SESSIONS[0]) -> t.Session:
        return await self.cache.app.database.read(lambda connection, revision: sessions.get(connection, id, revision))

    async def texts(self, id: str = SESSIONS[0]) -> list[str]:
        """The transcript of a session."""
        params = t.TranscriptParams(id=id, limit=1000)
        read = lambda connection, revision: transcripts.chunk(connection, id, params, revision)  # noqa: E731
        return [entry.text for entry in (await self.cache.app.database.read(read)).items]

    def problems(self) -> dict[str, str]:
        return {problem.part: problem.problem for problem in self.cache.app.problems.all()}

    async def look(self, *places: str) -> None:
        await self.cache.app.pipeline.apply(str(self.world.path(place)) for place in places)


Script = Callable[[Desk], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Script], None]:
    """Carries out what happens, on a cache that is open."""

    def play(script: Script) -> None:
        async def run() -> None:
            desk = Desk(tmp_path)
            desk.world.append(ONE, ["prompt", "tool", "result", "answer-ends"])
            await desk.cache.open()
            try:
                await script(desk)
            finally:
                await desk.cache.close()

        asyncio.run(run())

    return play


def test_what_a_rewritten_log_said_stays(play: Callable[[Script], None]) -> None:
    async def script(desk: Desk) -> None:
        before, said = await desk.session(), await desk.texts()
        await desk.cache.copy()
        desk.world.rewrite(ONE, ["prompt", "answer-ends"], in_place=True)
        await desk.look(ONE)
        after = await desk.session()
        assert after.counts.prompts == before.counts.prompts + 1
        assert after.tokens.output > before.tokens.output
        assert not after.source_gone
        assert len(await desk.texts()) == len(said) + 2
        assert set(said) < set(await desk.texts())
        states = await desk.states()
        assert sorted(state.state for state in states.values()) == ["gone", "ok"]
        # Once it is copied too, nothing is another.
        await desk.cache.copy()
        assert await desk.states() == states
        assert (await desk.session()).tokens == after.tokens

    play(script)


def test_without_a_copy_a_rewritten_log_takes_the_place_of_what_it_was(play: Callable[[Script], None]) -> None:
    async def script(desk: Desk) -> None:
        desk.world.rewrite(ONE, ["prompt"], in_place=True)
        await desk.look(ONE)
        assert list(await desk.states()) == [ONE]

    play(script)


def test_what_stands_in_both_versions_counts_once(play: Callable[[Script], None]) -> None:
    async def script(desk: Desk) -> None:
        before, said = await desk.session(), await desk.texts()
        await desk.cache.copy()
        path = desk.world.path(ONE)
        first, *others = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b'{"type":"unheard"}\n' + first + b"".join(others[:-1]))  # all but the last, with other offsets
        os.utime(path, (1_900_000_000,) * 2)
        await desk.look(ONE)
        assert len(await desk.states()) == 2
        assert [text for text in await desk.texts() if text in said] == said
        assert (await desk.session()).tokens == before.tokens

    play(script)


def test_a_log_that_becomes_what_it_was_has_no_earlier_version(play: Callable[[Script], None]) -> None:
    async def script(desk: Desk) -> None:
        await desk.cache.copy()
        path = desk.world.path(ONE)
        data = path.read_bytes()
        desk.world.truncate(ONE, 3)
        await desk.look(ONE)
        assert len(await desk.states()) == 2
        with path.open("ab") as file:
            file.write(data[path.stat().st_size :])
        await desk.look(ONE)
        assert list(await desk.states()) == [ONE]

    play(script)


def test_more_than_was_read_is_read_from_the_copy(play: Callable[[Script], None]) -> None:
    async def script(desk: Desk) -> None:
        seen = await desk.texts()
        desk.world.append(ONE, ["prompt"])
        await desk.cache.copy()  # of what is there, though nobody looked since
        desk.world.delete(ONE)
        await desk.look(ONE)
        assert len(await desk.texts()) == len(seen) + 1

    play(script)


def test_what_was_read_and_never_copied_stays(play: Callable[[Script], None]) -> None:
    async def script(desk: Desk) -> None:
        await desk.cache.copy()
        desk.world.append(ONE, ["prompt"])
        await desk.look(ONE)
        seen = await desk.texts()
        desk.world.delete(ONE)
        await desk.look(ONE)
        await desk.cache.scan()
        await desk.cache.app.pipeline.rebuild()
        assert await desk.texts() == seen

    play(script)


@pytest.mark.parametrize("many", [False, True])
def test_copies_are_read_anew_by_another_reader(
    play: Callable[[Script], None], monkeypatch: pytest.MonkeyPatch, many: bool
) -> None:
    if many:  # by the workers
        monkeypatch.setattr(claim, "FEW", 0)
        monkeypatch.setattr(backlog, "GLANCED", 0)

    async def script(desk: Desk) -> None:
        desk.world.append(AGENT, ["prompt", "answer-ends"])
        desk.world.describe(AGENT, "explore")
        await desk.look(AGENT)
        seen, told = await desk.texts(), await desk.session(f"{SESSIONS[0]}/agent-a1")
        await desk.cache.copy()
        desk.world.rewrite(ONE, ["prompt"], in_place=True)
        await desk.look(ONE)
        for place in (ONE, AGENT):
            desk.world.delete(place)
        desk.world.path(AGENT).with_suffix(".meta.json").unlink()
        await desk.cache.scan()

        def forget(connection: sa.Connection) -> None:
            connection.exec_driver_sql("UPDATE sync_state SET parser = 2")
            connection.exec_driver_sql("DELETE FROM session_messages")

        await desk.cache.app.database.write(forget)
        await desk.cache.scan()
        states = (await desk.states()).values()
        # Of what the log was rewritten to, there is no copy: that cannot be read anew.
        assert sorted((state.state, state.parser) for state in states) == [("gone", 2), ("gone", PARSER), ("gone", PARSER)]
        assert set(seen) < set(await desk.texts())
        now = await desk.session(f"{SESSIONS[0]}/agent-a1")
        assert (now.tokens, now.agent_type, now.title) == (told.tokens, told.agent_type, told.title)

    play(script)


def test_a_damaged_copy_is_told_and_hinders_no_other(play: Callable[[Script], None]) -> None:
    async def script(desk: Desk) -> None:
        desk.world.append(PLACES[1], ["prompt"])
        await desk.look(PLACES[1])
        await desk.cache.copy()
        for place in (ONE, PLACES[1]):
            desk.world.delete(place)
        await desk.look(ONE, PLACES[1])
        manifest = desk.archive.manifest(str(desk.world.path(ONE)))
        assert manifest is not None
        chunk = Path(desk.archive.chunks.path(manifest.newest.chunks[0].hash))
        data = chunk.read_bytes()
        chunk.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        await desk.cache.lose()
        assert list(await desk.states()) == [PLACES[1]]
        assert "is damaged" in desk.problems()["copies"]
        revision = desk.cache.app.revision
        await desk.cache.scan()
        assert desk.cache.app.revision == revision, "what cannot be read is no news"
        chunk.write_bytes(data)
        await desk.cache.scan()
        assert sorted(await desk.states()) == sorted([ONE, PLACES[1]])
        assert "copies" not in desk.problems()

    play(script)


def test_a_copy_that_others_supersede_is_read_once(play: Callable[[Script], None], monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[Any] = []

    async def script(desk: Desk) -> None:
        pipeline = desk.cache.app.pipeline
        await desk.cache.copy()
        to = PLACES[3]
        assert os.path.basename(to) == os.path.basename(ONE), "a log of the same session"
        desk.world.move(ONE, to)
        await desk.look(ONE, to)
        assert list(await desk.states()) == [to]
        carry_out = pipeline.carry_out

        async def counted(claims: claim.Claims) -> None:
            reads.extend(claims.copies)
            await carry_out(claims)

        monkeypatch.setattr(pipeline, "carry_out", counted)
        await desk.cache.scan()
        assert reads == []
        # When the other one is gone too, each stands for itself.
        desk.world.delete(to)
        await desk.look(to)
        assert sorted(await desk.states()) == sorted([ONE, to])

    play(script)
