"""Each answer is what a naive reading of all logs gives: for any words and filters, in both orders, page by page."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ccdashd.clock import iso
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from ccdashd.search.answer import Answer, answer
from ccdashd.search.threads import Reading
from ccdashd.store.schema import projects
from tests.ingest.caches import Cache
from tests.search import said as logs_said
from tests.search.oracle import Asked, queries
from tests.search.said import BRANCHES, FILES, MODELS, START, Logs, Said, distinct

NOW = START + 10**9
CAP = 256 * 1024
PLACES = {
    "prompt": {"prompt"},
    "answer": {"assistant", "summary"},
    "thinking": {"thinking"},
    "tool": {"toolCall", "toolResult"},
}


class World(NamedTuple):
    """A cache and an index of logs that are known."""

    runner: asyncio.Runner
    cache: Cache
    logs: Logs

    def __repr__(self) -> str:
        return "world"

    def search(self, query: str, **params: Any) -> Answer:
        asked = t.SearchParams(query=query, types=["entry"], **params)

        def find(reading: Reading) -> Answer:
            with reading.cache.begin():
                return answer(reading.cache, reading.view, self.cache.app.archive, asked, UTC, NOW, CAP)

        return self.runner.run(self.cache.app.texts.search(find))

    def pages(self, query: str, **params: Any) -> list[Answer]:
        """All pages of an answer."""
        found = [self.search(query, **params)]
        while (cursor := found[-1].next_cursor) is not None:
            found.append(self.search(query, **params, cursor=cursor))
        return found

    def settle(self) -> None:
        """Look at the logs, and wait until all that they say is in the index."""

        async def settle() -> None:
            await self.cache.scan()
            await self.cache.app.texts.settled()

        self.runner.run(settle())


@contextmanager
def opened(folder: Path) -> Iterator[World]:
    logs = logs_said.write(folder / "logs")
    with asyncio.Runner() as runner:
        cache = Cache(folder, folder / "logs", texts=True)
        runner.run(cache.open())
        world = World(runner, cache, logs)
        hide = sa.update(projects).where(projects.c.name == "secret").values(hidden=True)
        runner.run(cache.app.database.write(lambda connection: connection.execute(hide)))
        world.settle()
        yield world
        runner.run(cache.close())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with opened(tmp_path_factory.mktemp("w")) as world:
        yield world


class Filter(NamedTuple):
    typed: str
    name: str
    fits: Callable[[Said], bool]


def _negated(one: Filter) -> Filter:
    return Filter(f"-{one.typed}", f"-{one.name}", lambda said: not one.fits(said))


def _in_file(said: Said, words: tuple[str, ...]) -> bool:
    path = said.file.words if said.file is not None else ()
    return any(path[at : at + len(words)] == words for at in range(len(path) - len(words) + 1))


def _sessions(said: Said, number: int) -> bool:
    return said.session.startswith(f"{number:08x}-")


FILTERS = [
    *(Filter(f"in:{place}", "in", lambda said, kinds=kinds: said.kind in kinds) for place, kinds in PLACES.items()),
    *(Filter(f"project:{name}", "project", lambda said, name=name: said.project == name) for name in logs_said.PROJECTS),
    *(Filter(f'branch:"{name}"', "branch", lambda said, name=name: said.branch == name) for name in BRANCHES),
    *(Filter(f"session:{n:08x}", "session", lambda said, n=n: _sessions(said, n)) for n in (1, 2, 6)),
    *(Filter(f"model:{name}", "model", lambda said, name=name: said.model == name) for name in MODELS),
    Filter("model:OPUS", "model", lambda said: said.model == MODELS[0]),
    Filter("tool:bash", "tool", lambda said: said.tool == "Bash"),
    Filter("tool:Edit", "tool", lambda said: said.tool == "Edit"),
    *(Filter(f"file:{form.text}", "file", lambda said, form=form: _in_file(said, form.words)) for form in FILES),
    Filter("agent:claude-code", "agent", lambda said: True),
]
MOMENTS = [START + minutes * 60_000 for minutes in (0, 100, 200, 399, 500)]
TIMES = [
    *(Filter(f"after:{iso(at)}", "after", lambda said, at=at: said.time is not None and said.time >= at) for at in MOMENTS),
    *(
        Filter(f"before:{iso(at)}", "before", lambda said, at=at: said.time is not None and said.time < at)
        for at in MOMENTS
    ),
]

filters = st.lists(st.sampled_from(FILTERS) | st.sampled_from(FILTERS).map(_negated), max_size=3)
times = st.lists(st.sampled_from(TIMES), max_size=2, unique_by=lambda one: one.name)


def fitting(said: Iterator[Said] | list[Said], asked: Asked | None, chosen: list[Filter]) -> list[Said]:
    """What fits: the words, and of the filters of each name one at least, or none of those with a ``-``."""
    by_name: dict[str, list[Filter]] = {}
    for one in chosen:
        by_name.setdefault(one.name, []).append(one)
    named = "project" in by_name or "session" in by_name

    def fits(one: Said) -> bool:
        if asked is not None and asked.says and not asked.fits(one.text):
            return False
        if one.project == "secret" and not named:
            return False
        for name, some in by_name.items():
            each = [filter.fits(one) for filter in some]
            if not (all(each) if name.startswith("-") else any(each)):
                return False
        return True

    return [one for one in said if fits(one)]


def check(pages: list[Answer], expected: list[Said], order: str) -> None:
    hits = [hit for page in pages for hit in page.items]
    keys = [f"{hit.id}#{hit.entry}" for hit in hits]
    groups = {member: group for group in distinct(expected) for member in group}
    assert {key for key in keys} <= groups.keys()
    found = [groups[key] for key in keys]
    assert len(found) == len(set(found)), "a hit was given twice"
    assert set(found) == set(groups.values())
    assert [hit.copies + 1 for hit in hits] == [len(group) for group in found]
    assert {page.total for page in pages} == {(len(expected), True)}
    if order == "newest":
        given_times = [hit.timestamp or "" for hit in hits]
        assert given_times == sorted(given_times, reverse=True)
    else:
        scores = [hit.score for hit in hits]
        assert None in scores or scores == sorted(scores, key=lambda score: -(score or 0.0))


@given(queries, filters, times, st.sampled_from(["newest", "relevance"]), st.integers(4, 40))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_give_what_fits_each_once(
    world: World, asked: Asked, chosen: list[Filter], when: list[Filter], order: Any, limit: int
) -> None:
    query = " ".join([asked.typed, *(one.typed for one in [*chosen, *when])])
    if not asked.says:
        with pytest.raises(InvalidParams, match="no letter and no digit"):
            world.search(query)
        return
    pages = world.pages(query, order=order, limit=limit, snippet=200)
    check(pages, fitting(world.logs.said, asked, [*chosen, *when]), order)


@given(filters.filter(bool), times, st.integers(5, 60))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_filters_alone_give_the_newest(world: World, chosen: list[Filter], when: list[Filter], limit: int) -> None:
    query = " ".join(one.typed for one in [*chosen, *when])
    pages = world.pages(query, limit=limit)
    check(pages, fitting(world.logs.said, None, [*chosen, *when]), "newest")
