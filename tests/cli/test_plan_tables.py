"""How shares, costs and tables of planning files look, in windows of any width and in a pipe."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdash.feature_page import feature_page
from ccdash.plan_figures import bar, numbers, percent, short_entity, slug
from ccdash.plan_tables import draw_documents, draw_features, draw_tasks
from ccdash.sections import SHORT_LIST, Page
from ccdash.text import width
from tests.cli.conftest import Window
from tests.protocol.samples import RESULTS

LONG = "a word and another and " * 20


def sample(method: str) -> Any:
    return json.loads(msgspec.json.encode(RESULTS[method]))


@pytest.fixture
def feature() -> dict[str, Any]:
    row: dict[str, Any] = sample("features/list")["items"][0]
    counts = dict.fromkeys(row["tasks"], 0) | {"total": 4, "done": 2, "deferred": 1, "todo": 1}
    return {**row, "status": "in_progress", "slug": "checkout", "name": "Checkout", "tasks": counts, "progress": 0.75}


@given(st.floats(0, 1), st.integers(2, 30))
def test_a_bar_is_full_or_empty_only_where_all_or_nothing_is_done(share: float, cells: int) -> None:
    drawn = bar(share, cells)
    assert len(drawn) == cells and drawn == "█" * drawn.count("█") + "░" * drawn.count("░")
    assert ("░" not in drawn) == (share == 1) and ("█" not in drawn) == (share == 0)
    assert (percent(share) == "100 %") == (share == 1) and (percent(share) == "0 %") == (share == 0)


def test_ids_are_shown_as_commands_take_them() -> None:
    assert slug("p1/checkout") == "checkout" and slug(None) == ""
    assert short_entity("document", "p1/docs/a.md", "p1") == "docs/a.md"
    assert short_entity("document", "p2/docs/a.md", "p1") == "p2/docs/a.md"
    assert short_entity("file", "p1/docs/a.md", "p1") == "p1/docs/a.md"
    assert short_entity("session", "5f3c1d9e-8a53-4f0e-9a55-0c1a4f6f5b0e", "p1") == "5f3c1d9e"


def test_tasks_are_counted_by_status(feature: dict[str, Any]) -> None:
    assert numbers(feature["tasks"]) == "1 todo, 2 done, 1 deferred"
    assert numbers({**feature["tasks"], "inProgress": 1000}) == "1 todo, 1,000 in_progress, 2 done, 1 deferred"


def test_the_slug_of_a_feature_stays_longest(feature: dict[str, Any]) -> None:
    feature |= {"name": LONG, "slug": "a-slug-of-forty-characters-which-is-long", "sessions": 3, "openBlockers": 1}
    shown = {}
    for cells in (200, 120, 80, 66):
        out = Window(cells)
        draw_features(out, [feature])
        assert all(width(line) <= cells for line in out.text)
        assert feature["slug"] in out.text[1]
        shown[cells] = out.text[0].split()
    assert shown[200][:4] == ["STATUS", "NAME", "SLUG", "PHASES"]
    assert "NAME" not in shown[80] and {"STATUS", "SLUG", "TASKS"} <= set(shown[66])


def test_a_terminal_shows_a_bar_and_no_column_without_content(feature: dict[str, Any]) -> None:
    feature |= {"sessions": 0, "openBlockers": 0, "mismatches": 0}
    terminal, pipe = Window(200), Window(None)
    for out in (terminal, pipe):
        draw_features(out, [feature])
    assert "3/4  ████████░░" in terminal.text[1] and "3/4  75 %" in pipe.text[1]
    assert "BLOCKERS" in pipe.text[0] and not {"BLOCKERS", "SESSIONS", "!"} & set(terminal.text[0].split())


def test_a_status_has_its_colour(feature: dict[str, Any]) -> None:
    out = Window(200, color=True)
    draw_features(out, [feature, {**feature, "status": "done"}, {**feature, "status": "todo"}])
    assert out.text[1].startswith("\x1b[36min_progress\x1b[0m  ")
    assert out.text[2].startswith("\x1b[32mdone       \x1b[0m  ")
    assert out.text[3].startswith("todo         ")


@pytest.mark.parametrize("method", ["tasks/list", "documents/list"])
def test_lists_of_several_projects_name_them(method: str) -> None:
    (row, *_), draw = sample(method)["items"], {"tasks/list": draw_tasks, "documents/list": draw_documents}[method]
    for rows, named in (([row], False), ([row, {**row, "projectId": "p2", "projectName": "depot"}], True)):
        out = Window(None)
        draw(out, rows)
        assert ("PROJECT" in out.text[0]) == named == ("depot" in out.text[-1])


@pytest.mark.parametrize("cells", [40, 80, 140])
def test_the_page_of_a_feature_fits_but_for_its_places(cells: int) -> None:
    feature = sample("features/get")
    feature |= {"description": LONG, "questions": [LONG], "name": "Checkout"}
    feature["blockers"] = [{**blocker, "title": LONG, "open": True} for blocker in feature["blockers"]]
    out = Window(cells)
    feature_page(out, feature, [{**task, "status": "blocked"} for task in sample("tasks/list")["items"]])
    places = (".claude/", "docs/", "status ")
    assert all(width(line) <= cells or line.strip().startswith(places) for line in out.text)
    assert sum("a word and another" in line for line in out.text) >= 3 * len(LONG) // max(cells, 100)


def test_lists_are_cut_unless_all_is_wanted() -> None:
    items = [f"item {number}" for number in range(SHORT_LIST + 3)]
    short, full = Window(80), Window(80)
    Page(short, full=False).bullets("Items", items)
    Page(full, full=True).bullets("Items", items)
    assert short.text[-2:] == [f"- {items[SHORT_LIST - 1]}", "… 3 more; --full lists them"]
    assert full.text == ["", "Items", *(f"- {item}" for item in items)]


def test_texts_are_one_paragraph_unless_all_is_wanted() -> None:
    text = "First\x1b[2J line\r\n\r\nsecond line\n" + "more " * 300
    short, full = Window(None), Window(None)
    Page(short, full=False).text("Note", text)
    Page(full, full=True).text("Note", text)
    assert short.text[2].startswith("First line second line more ") and short.text[2].endswith("…")
    assert full.text[2:5] == ["First line", "", "second line"] and full.text[5].count("more") == 300
