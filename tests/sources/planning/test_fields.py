from __future__ import annotations

import pytest

from ccdashd.sources.planning import fields
from ccdashd.sources.planning.yaml import Value


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, []),
        ("one", ["one"]),
        (["one", 2, 2.5, True, None, "none", ""], ["one", "2", "2.5", "true"]),
        ([{"title": "T", "id": "1"}, {"id": "2"}], ["T", "2"]),
        ([{"Tests pass": "all of them"}], ["Tests pass: all of them"]),
        ([["a", ["b"]]], ["a", "b"]),
        ({"What": None}, ["What"]),
    ],
)
def test_lines_of_any_value(value: Value, found: list[str]) -> None:
    assert fields.lines(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("ann", ["ann"]),
        ("ann, bob + eve", ["ann", "bob", "eve"]),
        ("ann and bob & ann", ["ann", "bob"]),
        (["ann, the first", {"name": "bob"}], ["ann, the first", "bob"]),
        ("none", []),
    ],
)
def test_names(value: Value, found: list[str]) -> None:
    assert fields.names(value) == found


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (["A-1", ["A-2", "A-3"], {"rationale": "why"}, {"task": "A-4"}], ["A-1", "A-2", "A-3", "A-4"]),
        ("A-1, A-2; A-1", ["A-1", "A-2"]),
        ("none", []),
        ([1.1, 2], ["1.1", "2"]),
        (None, []),
    ],
)
def test_ids_of_tasks(value: Value, found: list[str]) -> None:
    assert fields.task_ids(value) == found


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("src/a.py", "src/a.py"),
        ("src/a.py (NEW)", "src/a.py"),
        ("`src/a.py` - add a thing", "src/a.py"),
        ("src/a.py: NEW - does it", "src/a.py"),
        ("src/a.py \u2014 does it", "src/a.py"),
        ("src/a.py:120-130", "src/a.py"),
        ("./src/../src/a.py", "src/a.py"),
        ("'src/[id]/page.tsx'", "src/[id]/page.tsx"),
        ("docs/Design Principles/a.md", "docs/Design Principles/a.md"),
        ("", ""),
        ("two\nlines", ""),
    ],
)
def test_paths_without_what_people_add(raw: str, path: str) -> None:
    assert fields.clean_path(raw) == path


def test_files_of_texts_and_mappings() -> None:
    value: Value = ["a.py (NEW)", {"path": "b.py", "status": "created"}, "a.py", 5, {"file": "c.py"}]
    assert fields.files(value, "d.py") == ["a.py", "b.py", "c.py", "d.py"]


def test_commits() -> None:
    value: Value = ["ABCDEF1", 4024200, "1234e56 (fix)", "a date 2025-01-05", "deadbeef-not", {"sha": "0" * 40, "n": "12"}]
    assert fields.commits(value) == ["abcdef1", "4024200", "1234e56", "0" * 40]


def test_sessions() -> None:
    one = "0B5A1C3E-1111-4222-8333-0123456789ab"
    assert fields.sessions([f"session {one}", "no", f"{one}0"], one.lower()) == [one.lower()]


@pytest.mark.parametrize(
    ("value", "phase"),
    [
        (1, "1"),
        (2.5, "2.5"),
        ("Phase 2", "2"),
        ("phase_3", "3"),
        ("phase-1-2", "1-2"),
        ("M1", "M1"),
        ("Phase One", "Phase One"),
        ([1, 2], "1-2"),
        ("none", ""),
        (None, ""),
        ({"a": 1}, ""),
    ],
)
def test_a_phase_is_what_stands_behind_the_word(value: Value, phase: str) -> None:
    assert fields.phase(value) == phase


def test_a_value_that_says_nothing() -> None:
    nothing: list[Value] = [None, "", " ", "none", "N/A", "TBD", "null", [], {}]
    assert not any(fields.has(value) for value in nothing)
    something: list[Value] = [0, False, "no", ["x"]]
    assert all(fields.has(value) for value in something)
    assert fields.first({"a": "none", "b": 0}, ("a", "b")) == 0
    assert fields.first_text({"a": ["x"], "b": 1.5}, ("a", "b")) == "1.5"
