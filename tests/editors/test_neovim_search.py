"""Search in a real Neovim."""

from __future__ import annotations

from typing import Any

import pytest

from tests.editors.conftest import Start
from tests.editors.neovim import Neovim
from tests.editors.test_neovim_sessions import grow, opened, running
from tests.editors.world import ANSWER, PHASE, PROMPT, SECOND_PROMPT, World
from tests.helpers import wait_until

INDEX = {"enabled": True, "complete": True, "logs": 9, "logsMissing": 0, "bytesMissing": 0, "entries": 9, "bytes": 9}


@pytest.fixture(autouse=True)
def _indexed(world: World) -> None:
    wait_until(lambda: world.ask("cache/status")["textIndex"]["complete"], "the index of texts")


def rows(neovim: Neovim, query: str) -> list[str]:
    neovim.command(f"CcdashSearch {query}")
    return neovim.offered(f"Search {query} (")


def test_a_hit_leads_to_its_place_in_the_transcript(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.choose("agent")
    (row,) = [row for row in rows(neovim, 'in:answer "is written"') if "agent" in row]
    assert PROMPT[:29] in row
    assert row.endswith(ANSWER)
    opened(neovim, world.session.id)
    line = neovim.value("vim.fn.line('.')")
    assert neovim.lines()[line - 1].startswith("## agent"), "the heading of the entry"
    assert ANSWER in neovim.lines()[line:]


def test_the_daemon_counts_and_finds_by_filters(start: Start, world: World) -> None:
    neovim = start(world.till)
    (row,) = rows(neovim, "in:prompt cents")
    assert row.split("  ")[1].strip() == "you"
    assert row.endswith(SECOND_PROMPT)
    total = world.ask("search/query", query="till")["total"]
    neovim.command("CcdashSearch till")
    assert neovim.offered(f"Search till ({total} of {total})")


def test_a_plan_is_opened_at_the_line(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.choose("task")
    assert any("task" in row for row in rows(neovim, "in:title Give change"))
    opened(neovim, ".md")
    assert "T2-002" in neovim.value("vim.fn.getline('.')")
    tasks = [
        hit["path"] for hit in world.ask("search/query", query="in:title Give change")["items"] if hit["type"] == "task"
    ]
    assert str(world.shop / PHASE) in tasks
    assert str(world.shop / neovim.value("vim.fn.expand('%:.')")) in tasks


def test_a_query_is_asked_for_and_remembered(start: Start, world: World) -> None:
    neovim = start(world.till)
    for typed in ("in:prompt cents<CR>", "<CR>"):
        # The command waits for what is typed, so that it must not be waited for.
        neovim.lua("vim.schedule(function() vim.cmd('CcdashSearch') end)")
        wait_until(lambda: neovim.request("nvim_get_mode")["mode"] == "c", "the prompt")
        neovim.keys(typed)
        assert len(neovim.offered("Search in:prompt cents (")) == 1
        neovim.lua("asked = {}")
    neovim.lua("vim.schedule(function() vim.cmd('CcdashSearch') end)")
    wait_until(lambda: neovim.request("nvim_get_mode")["mode"] == "c", "the prompt")
    neovim.keys("<Esc>")
    wait_until(lambda: neovim.request("nvim_get_mode")["mode"] == "n", "the end of the prompt")
    assert neovim.value("#asked") == 0


def test_more_hits_are_shown_on_demand(start: Start, world: World) -> None:
    session = running(world, "Find needles.")
    for number in range(60):
        session.say(f"Needle {number} of the haystack.")
    grow(world, session)
    wait_until(lambda: world.ask("search/query", query="haystack")["total"] == 60, "all needles in the index")
    neovim = start(world.till)
    neovim.choose("… more")
    assert len(rows(neovim, "haystack")) == 51
    assert len(neovim.offered("Search haystack (60 of 60)")) == 60


def test_what_is_not_found_or_not_understood_is_told(start: Start, world: World) -> None:
    neovim = start(world.till)
    neovim.command("CcdashSearch zyzzyva")
    assert neovim.note("zyzzyva") == "ccdash: nothing was found for 'zyzzyva'"
    neovim.command('CcdashSearch in:nowhere "x"')
    assert "\n" not in neovim.note("nowhere")


def answered(neovim: Neovim, *hits: dict[str, Any], **index: Any) -> None:
    """Have the daemon's answers be these."""
    hit = {"type": "note", "noteOn": "feature", "id": "f1", "title": "Title", "snippet": [{"text": "words", "match": True}]}
    told = {"items": [{**hit, **other} for other in hits], "total": len(hits), "totalExact": True, "index": INDEX | index}
    neovim.lua("local told = ...; require('ccdash.client').ask = function(_, _, done) done(told) end", told)


@pytest.mark.parametrize(
    ("index", "words"),
    [
        ({"complete": False, "logsMissing": 12}, "Search x (1 of 1; 12 logs not indexed yet)"),
        ({"complete": False}, "Search x (1 of 1; the newest entries are being indexed)"),
        ({"enabled": False}, "Search x (1 of 1; the index of texts is turned off)"),
    ],
)
def test_what_the_index_lacks_is_told(start: Start, world: World, index: dict[str, Any], words: str) -> None:
    neovim = start(world.till)
    answered(neovim, {}, **index)
    neovim.command("CcdashSearch x")
    assert len(neovim.offered(words)) == 1


def test_text_of_others_stays_on_its_line(start: Start, world: World) -> None:
    neovim = start(world.till)
    answered(neovim, {"title": "a\x1b]0;b\x07\nc", "snippet": [{"text": "d\r\ne\x1b[2Jf", "match": False}]})
    neovim.command("CcdashSearch x")
    (row,) = neovim.offered("Search x")
    assert row.isprintable()
