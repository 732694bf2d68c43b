"""``ccdash search``: what is asked, and what is shown of hits."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdash.hits import draw_hits
from tests.cli.conftest import Done, Window, run_in_terminal
from tests.cli.daemon import Failure, FakeDaemon
from tests.cli.world import World

Run = Callable[..., Done]
INDEX = {"enabled": True, "complete": True, "logs": 8, "logsMissing": 0, "bytesMissing": 0, "entries": 9, "bytes": 9}


def hit(fake: FakeDaemon, **fields: Any) -> dict[str, Any]:
    return {**fake.answers["search/query"]["items"][0], "copies": 0, **fields}


def answer(fake: FakeDaemon, *hits: dict[str, Any], **fields: Any) -> None:
    one = {"items": list(hits), "total": len(hits), "nextCursor": None, "facets": None, "index": INDEX}
    fake.answers["search/query"] |= one | fields


def parts(text: str) -> list[dict[str, Any]]:
    """A snippet, of a text with its matches in brackets."""
    return [{"text": part, "match": n % 2 == 1} for n, part in enumerate(re.split(r"[\[\]]", text)) if part]


@pytest.fixture
def three(fake: FakeDaemon) -> FakeDaemon:
    """Two hits of one session and a document."""
    answer(
        fake,
        hit(fake, snippet=parts("the [index] is used"), tool="Bash", copies=2),
        hit(fake, kind="prompt", tool=None, model=None, snippet=parts("an [index], please")),
        hit(fake, type="document", id="p1/a.md", kind=None, title="The index", path="/work/shop/a.md", line=7, entry=None),
    )
    return fake


def test_hits_stand_below_their_session(run: Run, three: FakeDaemon) -> None:
    done = run("search", "index")
    assert (done.code, done.out.splitlines()) == (
        0,
        [
            "5f3c1d9e  Search takes 900 ms  shop",
            "1  result     2026-02-03 Bash opus-4-6 +2 in forks",
            "   the index is used",
            "2  you        2026-02-03",
            "   an index, please",
            "",
            "document  The index  shop  /work/shop/a.md:7",
            "3  document   2026-02-03 Bash opus-4-6",
            "   the index is used",
        ],
    )
    assert done.err == "3 hits; `--open N` shows the transcript around a hit.\n"


def test_in_a_terminal_matches_are_marked_and_lines_broken() -> None:
    snippet = parts("words " * 12 + "then [an index] and " + "more " * 12)
    one = {"type": "entry", "id": "x", "title": "T", "kind": "prompt", "tool": None, "model": None, "copies": 0}
    one |= {"timestamp": None, "project": None, "snippet": snippet, "path": None, "line": None}
    window = Window(50, color=True)
    draw_hits(window, [one], in_order=False)
    text = window.text[2:]
    assert len(text) > 2
    assert "\x1b[1;33man index\x1b[0m" in " ".join(line.strip() for line in text).replace("\x1b[0m \x1b[1;33m", " ")
    assert all(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) <= 50 for line in window.text)


@pytest.mark.parametrize(("in_order", "numbers"), [(False, ["1", "3", "2"]), (True, ["1", "2", "3"])])
def test_hits_of_a_session_stand_together_unless_time_is_what_matters(in_order: bool, numbers: list[str]) -> None:
    common = {"type": "entry", "title": "T", "kind": "prompt", "tool": None, "model": None, "copies": 0, "snippet": []}
    hits = [{**common, "id": id, "timestamp": None, "project": None, "path": None, "line": None} for id in "aba"]
    window = Window(50)
    draw_hits(window, hits, in_order=in_order)
    assert [line.split()[0] for line in window.text if "you" in line] == numbers


def test_what_others_wrote_cannot_act(run: Run, fake: FakeDaemon) -> None:
    answer(fake, hit(fake, title="\x1b]0;x\x07T", snippet=parts("a\x1b[2J [b\x07] c"), project="\x1b[1mp"))
    done = run("search", "b")
    assert "\x1b" not in done.out
    assert "\x07" not in done.out
    assert done.out.splitlines()[0].endswith("T  p")


def test_options_are_filters_at_the_end_of_the_query(run: Run, three: FakeDaemon) -> None:
    run(
        "search",
        "two",
        '"a phrase"',
        "--in",
        "tool",
        "--in",
        "answer",
        "--project",
        "/work/shop",
        "--newest",
        "--context",
        "80",
    )
    assert three.params("search/query") == {
        "query": 'two "a phrase" in:tool in:answer project:"/work/shop"',
        "order": "newest",
        "snippet": 80,
        "facets": False,
        "limit": 20,
    }


def test_more_hits_than_the_daemon_gives_at_once(run: Run, three: FakeDaemon) -> None:
    pages = {None: ("k1", 100), "k1": ("k2", 100), "k2": (None, 30)}
    made = three.answers["search/query"]

    def page(params: dict[str, Any]) -> Any:
        cursor, number = pages[params.get("cursor")]
        return {**made, "items": made["items"][:1] * min(number, params["limit"]), "nextCursor": cursor, "total": 230}

    three.answers["search/query"] = page
    done = run("search", "index", "--limit", "220", "--json")
    assert len(json.loads(done.out)["items"]) == 220
    asked = [params for name, params in three.asked if name == "search/query"]
    assert [(params["limit"], params.get("cursor")) for params in asked] == [(100, None), (100, "k1"), (20, "k2")]
    assert run("search", "index", "--limit", "120").err.startswith("120 of 230 hits; `--limit` shows more;")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"items": [], "total": 0}, "Nothing fits.\n"),
        ({"total": 10_000, "totalExact": False, "nextCursor": "k"}, "3 of more than 10,000 hits; `--limit` shows more"),
        ({"index": INDEX | {"complete": False, "logsMissing": 2, "bytesMissing": 4096}}, "2 logs are missing (4.10 kB)"),
        ({"index": INDEX | {"complete": False}}, "The index is not complete: more may be found. `--wait` waits for it."),
    ],
)
def test_what_is_said_beside_the_hits(run: Run, three: FakeDaemon, fields: dict[str, Any], said: str) -> None:
    three.answers["search/query"] |= fields
    assert said in run("search", "index", "--limit", "3").err


def test_facets_are_the_filters_that_leave_them(run: Run, three: FakeDaemon) -> None:
    def values(*names: str) -> list[dict[str, Any]]:
        return [{"value": name, "label": name, "count": 1000 - n} for n, name in enumerate(names)]

    facets = {name: [] for name in ("types", "kinds", "tools", "projects", "agents", "models", "branches")}
    facets |= {"tools": values("Bash", "Edit"), "projects": values("my shop"), "models": values(*map(str, range(12)))}
    three.answers["search/query"] |= {"facets": {"exact": False, **facets}}
    out = run("search", "index", "--facets").out.splitlines()
    assert out[out.index("By (of the newest hits)") + 1 :] == [
        "  tools     tool:Bash 1,000, tool:Edit 999",
        '  projects  project:"my shop" 1,000',
        f"  models    {', '.join(f'model:{n} {1000 - n:,}' for n in range(10))}, … 2 more",
    ]
    assert three.params("search/query")["facets"] is True


def test_an_error_shows_the_place(run: Run, fake: FakeDaemon) -> None:
    def wrong(params: dict[str, Any]) -> Any:
        problem = "column 5: this parenthesis is never closed"
        raise Failure(-32602, f"query: {problem}", {"field": "query", "problem": problem, "column": 5})

    fake.answers["search/query"] = wrong
    done = run("search", "foo (bar", "--in", "doc")
    assert done.code == 2
    assert done.err == "ccdash: this parenthesis is never closed.\n    foo (bar in:doc\n        ^\n"


@pytest.mark.parametrize("arguments", [(), ("x", "--context", "39"), ("x", "--in", "nowhere"), ("x", "--limit", "0")])
def test_wrong_usage(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("search", *arguments).code == 2


def test_waiting_for_the_index(run: Run, three: FakeDaemon) -> None:
    states = iter([INDEX | {"complete": False}, INDEX | {"complete": False}, INDEX, INDEX])
    answer = three.answers["search/query"]
    three.answers["search/query"] = lambda params: {**answer, "index": next(states)}
    done = run("search", "index", "--wait")
    assert (done.code, three.methods().count("search/query")) == (0, 4)
    assert "not complete" not in done.err
    assert next(states, None) is None


# --- --open ---


def test_the_transcript_around_a_hit(run: Run, three: FakeDaemon) -> None:
    entry = three.answers["sessions/transcript"]["items"][0]
    items = [
        {**entry, "id": f"e{n}", "index": n, "text": f"said {n}", "kind": "prompt", "truncated": False} for n in range(5)
    ]
    first = three.answers["search/query"]["items"][0]
    first["entry"] = "e2"

    whole = three.answers["sessions/transcript"]

    def chunk(params: dict[str, Any]) -> Any:
        return {**whole, "items": items[:3] if params.get("direction") == "backward" else items[2:]}

    three.answers["sessions/transcript"] = chunk
    out = run("search", "index", "--open", "1").out
    assert re.findall(r"said \d|the hit", out) == ["said 0", "said 1", "the hit", "said 2", "said 3", "said 4"]
    shown = json.loads(run("search", "index", "--open", "1", "--json").out)
    assert [item["id"] for item in shown["items"]] == ["e0", "e1", "e2", "e3", "e4"]


def test_what_is_no_transcript_is_shown_by_another_command(run: Run, three: FakeDaemon) -> None:
    assert run("search", "index", "--open", "3").err == "That is a document: `ccdash doc p1/a.md` shows it.\n"
    three.answers["search/query"]["items"][2] |= {"type": "note", "id": "p1/x", "noteOn": "feature"}
    assert "`ccdash note feature:p1/x`" in run("search", "index", "--open", "3").err


def test_a_hit_that_is_not_there(run: Run, three: FakeDaemon) -> None:
    done = run("search", "index", "--open", "9")
    assert (done.code, done.err) == (1, "ccdash: There is no hit 9: 3 fit.\n")


# --- the real daemon ---


@pytest.fixture
def shop(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world.enter(monkeypatch)
    yield world


def test_words_of_plans_and_sessions(run: Run, shop: World) -> None:
    done = run("search", "checkout", "--wait", "--project", ".", "--json")
    found = json.loads(done.out)
    assert {hit["type"] for hit in found["items"]} >= {"document", "feature", "entry"}
    assert found["index"]["complete"]
    assert {hit["project"] for hit in found["items"]} == {"shop"}
    shown = run("search", "execute-phase", "--in", "prompt").out
    assert "execute-phase" in shown
    assert "the hit" in run("search", "execute-phase", "--in", "prompt", "--open", "1").out


def test_a_terminal_gets_a_pager(shop: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pager = tmp_path / "pager"
    pager.write_text("#!/bin/sh\nsed 's/^/| /'\n")
    pager.chmod(pager.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PAGER", str(pager))
    done = run_in_terminal("search", "execute-phase", "--in", "prompt", "--open", "1")
    lines = done.out.splitlines()
    assert done.code == 0
    assert any(re.match(r"\| .*the hit", line) for line in lines)
    for useless in ("no-such-pager-anywhere", "less 'x"):
        monkeypatch.setenv("PAGER", useless)
        assert "the hit" in run_in_terminal("search", "execute-phase", "--in", "prompt", "--open", "1").out
