"""Each answer is what a naive reading of all logs gives: for any words and filters, in both orders, page by page."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import re
from collections import Counter
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
from ccdashd.errors import InvalidParams, NotFound
from ccdashd.protocol import types as t
from ccdashd.search import cursor as cursors
from ccdashd.search import find
from ccdashd.search.answer import Answer, answer
from ccdashd.search.cursor import Newest
from ccdashd.search.threads import Reading
from ccdashd.store import transcripts
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
    assert set(keys) <= groups.keys()
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
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


@pytest.mark.parametrize("order", ["newest", "relevance"])
@pytest.mark.parametrize(
    "query", ["the", "user OR name -the", "in:tool", "日 in:answer OR x*", "user after:2025-10-09T12:00"]
)
def test_more_than_is_ranked_or_counted_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch, query: str, order: str
) -> None:
    whole = world.pages(query, order=order, limit=100)
    assert len(whole) == 1
    monkeypatch.setattr(find, "WINDOW", 10)
    monkeypatch.setattr(find, "COUNTED", 15)
    monkeypatch.setattr(find, "_CHUNK", 4)
    pages = world.pages(query, order=order, limit=9)
    found = [f"{hit.id}#{hit.entry}" for page in pages for hit in page.items]
    expected = [f"{hit.id}#{hit.entry}" for hit in whole[0].items]
    assert {page.total for page in pages} == {(15, False)}
    if order == "newest" or "in:" in query[:3]:
        assert found == expected
    else:
        # Copies are looked for within a window; here a window holds few entries.
        groups = {member: group for group in distinct(world.logs.said) for member in group}
        assert len(set(found)) == len(found)
        assert {groups[key] for key in found} == {groups[key] for key in expected}


@pytest.mark.parametrize("order", ["newest", "relevance"])
def test_what_grows_meanwhile_changes_no_page(tmp_path: Path, order: str) -> None:
    with opened(tmp_path) as world:
        query, known = "user OR the OR 日", list(world.logs.said)
        asked = Asked(query, lambda text: bool({"user", "the", "日"} & {*text.words, *sum(text.identifiers, ())}))
        page = world.search(query, order=order, limit=12)
        pages = [page]
        path = next(path for path in sorted((tmp_path / "logs").rglob("*.jsonl")) if path.name.startswith("00000001"))
        while page.next_cursor is not None:
            world.logs.grow(path, path.stem, "till", "feature/pay", 3)
            world.settle()
            page = world.search(query, order=order, limit=12, cursor=page.next_cursor)
            pages.append(page)
        found = [f"{hit.id}#{hit.entry}" for page in pages for hit in page.items]
        groups = {member: group for group in distinct(fitting(known, asked, [])) for member in group}
        assert len({groups.get(key, key) for key in found}) == len(found)
        assert {groups[key] for key in found if key in groups} == set(groups.values())


def test_facets_count_what_fits(world: World) -> None:
    query = "user OR the OR name"
    facets = world.search(query, facets=True).facets
    assert facets is not None
    asked = Asked(query, lambda text: bool({"user", "the", "name"} & {*text.words, *sum(text.identifiers, ())}))
    expected = fitting(world.logs.said, asked, [])
    assert facets.exact
    names = {"project": lambda one: one.project, "branch": lambda one: one.branch, "model": lambda one: one.model}
    names |= {"tool": lambda one: one.tool}
    lists = {"project": facets.projects, "branch": facets.branches, "model": facets.models, "tool": facets.tools}
    for name, of in names.items():
        counted = Counter(of(one) for one in expected if of(one) is not None)
        assert {value.label: value.count for value in lists[name]} == counted
        for value in lists[name]:
            assert world.search(f"({query}) {name}:{value.value}").total.number == value.count
    assert {value.value: value.count for value in facets.types} == {"entry": len(expected)}
    places = Counter(place for one in expected for place, kinds in PLACES.items() if one.kind in kinds)
    assert {value.value: value.count for value in facets.kinds} == places
    assert [value.count for value in facets.kinds] == sorted(places.values(), reverse=True)


def test_a_hit_says_what_it_is_of_and_shows_what_was_found(world: World) -> None:
    said = next(one for one in world.logs.said if one.kind == "toolCall" and one.tool == "Bash" and one.project != "secret")
    word = next(form for form in said.text.forms if form.words)
    (hit,) = (
        hit
        for page in world.pages(f'"{word.text.strip(chr(34))}" tool:Bash in:tool session:{said.session}', limit=100)
        for hit in page.items
        if hit.entry == said.id
    )
    assert (hit.id, hit.kind, hit.tool, hit.model) == (said.session, "toolCall", "Bash", said.model)
    assert (hit.project, hit.timestamp) == (said.project, iso(said.time))
    assert hit.path is not None
    assert Path(hit.path).exists()
    assert "".join(part.text for part in hit.snippet) == said.text.text
    assert any(part.match for part in hit.snippet)


def test_a_record_that_is_another_one_now_is_passed_over(tmp_path: Path) -> None:
    with opened(tmp_path) as world:
        before = [hit.entry for page in world.pages("--no-verify", limit=50) for hit in page.items]
        hit = world.search("--no-verify", order="newest", limit=1).items[0]
        assert hit.path is not None
        path, record = Path(hit.path), str(hit.entry).split("-")[:2]
        data, offset = path.read_bytes(), int(record[1])
        end = data.index(b"\n", offset)
        path.write_bytes(data[:offset] + data[offset:end].replace(b"--no-verify", b"--xx-xxxxxx") + data[end:])
        after = [hit.entry for page in world.pages("--no-verify", limit=50) for hit in page.items]
        assert after == [entry for entry in before if str(entry).split("-")[:2] != record] != before


def test_what_was_said_in_a_log_that_is_gone_is_found(tmp_path: Path) -> None:
    with opened(tmp_path) as world:
        before = world.pages("user session:00000005", order="newest", limit=50)
        for path in (tmp_path / "logs").rglob("00000005*.jsonl"):
            path.unlink()
        world.settle()
        after = world.pages("user session:00000005", order="newest", limit=50)
        assert before[0].items
        assert [hit.entry for page in after for hit in page.items] == [hit.entry for page in before for hit in page.items]
        assert any(part.match for page in after for hit in page.items for part in hit.snippet)


def test_what_stands_in_two_logs_of_a_session_is_one_entry_of_its_transcript(tmp_path: Path) -> None:
    with opened(tmp_path) as world:
        path = next((tmp_path / "logs").rglob("00000005*.jsonl"))
        other = tmp_path / "logs/-work-moved" / path.name
        other.parent.mkdir()
        lines = path.read_bytes().splitlines(keepends=True)
        other.write_bytes(b"".join(lines[:20]))
        path.write_bytes(b"".join(lines[5:]))
        world.settle()
        hits = [hit for page in world.pages("in:tool session:00000005", limit=50) for hit in page.items]
        assert any(hit.copies for hit in hits)
        assert {hit.path for hit in hits} == {str(path), str(other)}

        def shown(connection: sa.Connection, revision: int) -> list[str]:
            asked = [t.TranscriptParams(id=hit.id, from_=hit.entry, limit=1) for hit in hits]
            return [transcripts.chunk(connection, one.id, one, revision).items[0].id for one in asked]

        assert world.runner.run(world.cache.app.database.read(shown)) == [hit.entry for hit in hits]
        assert len({hit.entry for hit in hits}) == len(hits)


@pytest.mark.parametrize(
    ("query", "column", "told"),
    [
        ("user tool:Nope", 6, "nothing is called 'Nope'; there are Bash, Edit"),
        ("model:nope", 1, "nothing is called"),
        ("agent:codex x", 1, "claude-code"),
        ("branch:nope", 1, "feature/pay, main"),
        ("x file:=>", 3, "file: holds no letter"),
        ("after:soon", 1, "after: is no time"),
        ("x before:9999-99-99", 3, "before: is no time"),
        ("=> 😀", 1, "no letter and no digit"),
    ],
)
def test_a_filter_that_means_nothing_is_told(world: World, query: str, column: int, told: str) -> None:
    with pytest.raises(InvalidParams, match=re.escape(told)) as caught:
        world.search(query)
    assert caught.value.data["column"] == column


def test_what_is_left_out_need_not_be_there(world: World) -> None:
    assert world.search("user -tool:Nope -branch:nope -agent:nope").total == world.search("user").total


@pytest.mark.parametrize("query", ["x project:nope", "-project:nope x", "session:ffff x"])
def test_projects_and_sessions_must_be_there(world: World, query: str) -> None:
    with pytest.raises(NotFound):
        world.search(query)


def test_days_are_those_of_the_time_zone(world: World) -> None:
    day = "2025-10-09"  # begins two hours earlier in Helsinki, and START is 08:53 UTC
    whole = world.search(f"after:{day} in:prompt").total.number
    assert whole == world.search("in:prompt").total.number
    assert world.search("after:2025-10-10 in:prompt").total.number == 0
    assert world.search(f"before:{day} in:prompt").total.number == 0


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "ä", "W10=", "WyJhIl0=", "bnVsbA==", "WzEsMiwzLDRd", "WyIiLDFlOTk5LDEsMl0=", "WyIiLDEsMiwzLDQsNSxbXV0="],
)
@pytest.mark.parametrize("order", ["newest", "relevance"])
def test_a_cursor_that_is_none(world: World, cursor: str, order: str) -> None:
    with pytest.raises(InvalidParams) as caught:
        world.search("user", cursor=cursor, order=order)
    assert caught.value.data["field"] == "cursor"


def test_a_cursor_is_one_of_its_own_query(world: World) -> None:
    cursor = world.search("user OR the", limit=1, order="newest").next_cursor
    for query, order in (("the OR user", "newest"), ("user OR the", "relevance")):
        with pytest.raises(InvalidParams, match="another query"):
            world.search(query, order=order, cursor=cursor)


@given(st.binary(max_size=40), st.lists(st.integers() | st.floats() | st.text(max_size=3), max_size=8), st.booleans())
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_forged_cursors_are_no_internal_error(world: World, data: bytes, parts: list[Any], listed: bool) -> None:
    params = t.SearchParams(query="user", order="relevance", types=["entry"])
    about = json.loads(base64.urlsafe_b64decode(cursors.encode(Newest(1, 1, 1), params)))[0]
    raw = json.dumps([about, *parts]).encode() if listed else data
    with contextlib.suppress(InvalidParams):
        world.search("user", order="relevance", cursor=base64.urlsafe_b64encode(raw).decode())
