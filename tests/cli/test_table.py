"""Tables keep to the window, and are whole in a pipe."""

from __future__ import annotations

from typing import Any

import pytest

from ccdash.table import PIPE_MAX, Column, draw, fields
from ccdash.text import width
from tests.cli.conftest import Window

COLUMNS = (
    Column("ID", style="cyan"),
    Column("TITLE", flexible=True),
    Column("TOKENS", right=True, drop=1),
    Column("MODEL", drop=2),
)
ROWS = [("5f3c1d9e", "Fix the till " * 20, "1.2M", "sonnet"), ("0a", "日本語のタイトル", "7", "opus")]


@pytest.mark.parametrize("cells", [30, 40, 80, 200])
def test_a_table_fits_the_window(cells: int) -> None:
    out = Window(cells)
    draw(out, COLUMNS, ROWS)
    assert len(out.text) == 3
    assert all(width(line) <= cells for line in out.text)


def test_columns_that_matter_least_go_first() -> None:
    shown = {}
    for cells in (80, 40, 30):
        out = Window(cells)
        draw(out, COLUMNS, ROWS)
        shown[cells] = out.text[0].split()
    assert shown == {80: ["ID", "TITLE", "TOKENS", "MODEL"], 40: ["ID", "TITLE", "TOKENS"], 30: ["ID", "TITLE"]}


def test_columns_are_aligned_by_cells() -> None:
    out = Window(None)
    draw(out, (Column("A"), Column("N", right=True)), [("日本", "1"), ("abcd", "10"), ("x", "7")])
    assert out.text == ["A      N", "日本   1", "abcd  10", "x      7"]


def test_a_pipe_limits_nothing_but_endless_titles() -> None:
    out = Window(None)
    draw(out, COLUMNS, ROWS)
    assert out.text[0].split() == ["ID", "TITLE", "TOKENS", "MODEL"]
    assert len(out.text[1]) == 8 + 2 + PIPE_MAX + 2 + 6 + 2 + 6
    assert "\t" not in "".join(out.text)


def test_colour_takes_no_room() -> None:
    plain, colored = Window(60), Window(60, color=True)
    for out in (plain, colored):
        draw(out, COLUMNS, ROWS)
    assert "\x1b[36m5f3c1d9e\x1b[0m" in colored.text[1]
    strip: dict[str, Any] = {"\x1b[36m": "", "\x1b[1m": "", "\x1b[0m": ""}
    text = "\n".join(colored.text)
    for code, nothing in strip.items():
        text = text.replace(code, nothing)
    assert [line.rstrip() for line in text.splitlines()] == [line.rstrip() for line in plain.text]


def test_a_table_without_rows_is_its_heading() -> None:
    out = Window(80)
    draw(out, COLUMNS, [])
    assert out.text == ["ID  TITLE  TOKENS  MODEL"]


def test_fields_leave_out_what_is_empty_and_indent_lines() -> None:
    out = Window(80)
    fields(out, [("id", "x"), ("kind", ""), ("logs", "/a\n/b")])
    assert out.text == ["id    x", "logs  /a", "      /b"]


def test_paths_lose_their_start_and_are_whole_in_a_pipe() -> None:
    path = "/home/me/a/folder/with/many/more/below/it/" * 4 + "till.py"
    columns = (Column("PATH", flexible=True, path=True), Column("N", right=True))
    narrow, pipe = Window(30), Window(None)
    for out in (narrow, pipe):
        draw(out, columns, [(path, "7")])
    assert narrow.text[1].startswith("…") and narrow.text[1].endswith("till.py  7") and width(narrow.text[1]) == 30
    assert pipe.text[1] == f"{path}  7"


def test_columns_shrink_to_their_least_before_others_go() -> None:
    columns = (
        Column("PROJECT", flexible=True, least=8),
        Column("TITLE", flexible=True, least=24),
        Column("TOKENS", right=True, drop=1),
    )
    out = Window(42)
    draw(out, columns, [("a-project-of-a-long-name", "A title that is long as well, and goes on", "1.2M")])
    assert out.text[1] == "a-proje…  A title that is long as…    1.2M"


def test_fields_break_long_values_where_there_is_a_window() -> None:
    pairs = [("id", "x"), ("counts", "thirty prompts, two commands, one answer")]
    window, pipe = Window(30), Window(None)
    for out in (window, pipe):
        fields(out, pairs)
    assert window.text == ["id      x", "counts  thirty prompts, two", "        commands, one answer"]
    assert pipe.text[1] == "counts  thirty prompts, two commands, one answer"


def test_fields_break_values_that_begin_with_something_painted() -> None:
    plain, colored = Window(40), Window(40, color=True)
    for out in (plain, colored):
        fields(out, [("status", out.paint("in_progress", "cyan") + ", as its phases and tasks say")])
    assert plain.text == ["status  in_progress, as its phases and", "        tasks say"]
    assert [colored.text[0].count("\x1b[36min_progress\x1b[0m"), colored.text[1]] == [1, plain.text[1]]
    whole = Window(40, color=True)
    fields(whole, [("status", "said to be " + whole.paint("done", "green") + " by all that its files have to tell")])
    assert len(whole.text) == 1
