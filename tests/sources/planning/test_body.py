from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.sources.planning.body import MAX_TEXT, phase_heading, scan

TEXT = b"""\
# Plan  #

Intro with [ ] no box and #no heading.

```python
# a comment
- [ ] an example
```

## Phase 1: Build
- [ ] first
  * [x] nested
\t+ [X] by a tab
1. [~] numbered

~~~~
```
## still code
~~~
~~~~
### Details
**Acceptance Criteria**:
- [ ] it works <!-- or not -->
<!--
- [ ] hidden
-->
   ## Phase 2
- [?] no sign that is known
- [ ]
- [x](link.md) is a link
- \xe2\x9c\x85 no box
- [\xe2\x9c\x93] ticked
"""


def test_finds_headings_with_their_lines_and_parents() -> None:
    body = scan(TEXT)
    assert [(h.line, h.level, h.text, h.parent, h.phase) for h in body.headings] == [
        (1, 1, "Plan", -1, ""),
        (10, 2, "Phase 1: Build", 0, "1"),
        (21, 3, "Details", 1, "1"),
        (27, 2, "Phase 2", 0, "2"),
    ]


def test_finds_boxes_but_not_in_code_and_comments() -> None:
    body = scan(TEXT, labels=True)
    assert [(box.line, box.indent, box.mark, box.text, box.heading, box.label) for box in body.boxes] == [
        (11, 0, " ", "first", 1, ""),
        (12, 2, "x", "nested", 1, ""),
        (13, 4, "X", "by a tab", 1, ""),
        (14, 0, "~", "numbered", 1, ""),
        (23, 0, " ", "it works", 2, "Acceptance Criteria"),
        (32, 0, "x", "ticked", 3, ""),
    ]


def test_lines_and_places_are_those_of_the_file() -> None:
    data = b"---\r\na: 1\r\n---\r\n" + TEXT.replace(b"\n", b"\r\n")
    body = scan(data, 16, 4)
    assert [box.line for box in body.boxes] == [line + 3 for line in (11, 12, 13, 14, 23, 32)]
    assert [heading.text for heading in body.headings] == ["Plan", "Phase 1: Build", "Details", "Phase 2"]
    assert body.line_at(body.text.index(b"an example")) == 10
    assert body.is_code(body.text.index(b"an example"))
    assert not body.is_code(body.text.index(b"first"))


def test_code_that_is_never_closed_lasts_to_the_end() -> None:
    body = scan(b"- [ ] a\n```\n- [ ] b\n# c\n")
    assert [box.text for box in body.boxes] == ["a"]
    assert body.headings == []


def test_code_within_a_line_opens_nothing() -> None:
    assert [box.text for box in scan(b"```a``` b\n- [ ] c\n").boxes] == ["c"]


def test_a_label_holds_for_what_is_indented_below_it() -> None:
    text = (
        b"- [x] task\n  Criteria:\n  - [x] one\n  - [ ] two\n- [ ] next\n\n**Done when**\n- [ ] three\n## New\n- [ ] four\n"
    )
    assert [(box.text, box.label) for box in scan(text, labels=True).boxes] == [
        ("task", ""),
        ("one", "Criteria"),
        ("two", "Criteria"),
        ("next", ""),
        ("three", "Done when"),
        ("four", ""),
    ]


def test_items_of_a_section() -> None:
    body = scan(b"# A\n1. one\n   - inner\n```\n- code\n```\n## B\n* two\n# C\n- three\n")
    items = list(body.items(body.headings[0].end, body.end_of(0)))
    assert [(item.line, item.indent, item.number, item.text) for item in items] == [
        (2, 0, True, "one"),
        (3, 3, False, "inner"),
        (8, 0, False, "two"),
    ]


@pytest.mark.parametrize(
    ("title", "phase"),
    [
        ("Phase 1: Build", ("1", "Build")),
        ("Phase 2 - Test it", ("2", "Test it")),
        ("**Phase 2.5** \u2014 More", ("2.5", "More")),
        ("3. Phase 3: Third", ("3", "Third")),
        ("Phase 3-5: Rest", ("3-5", "Rest")),
        ("Phase M1: Milestone", ("M1", "Milestone")),
        ("\u2705 Phase 4 (Week 3)", ("4", "Week 3")),
        ("Phase 4 (A) or (B)", ("4", "(A) or (B)")),
        ("PHASE 6", ("6", "")),
        ("phase-7", ("7", "")),
        ("Phases 1 & 2: Both", ("1-2", "Both")),
        ("Phase 1 Risks", ("1", None)),
        ("Phases", None),
        ("Overview of Phase 1", None),
        ("Phased rollout", None),
    ],
)
def test_headings_name_phases(title: str, phase: tuple[str, str | None] | None) -> None:
    assert phase_heading(title) == phase


LINES = st.sampled_from(
    [
        b"# A",
        b"## Phase 2: B",
        b"- [ ] a",
        b"  - [x] b",
        b"```",
        b"~~~",
        b"<!--",
        b"-->",
        b"text",
        b"**Label:**",
        b"",
        b"1. c",
        b"\xff",
    ]
)


@given(st.lists(LINES), st.sampled_from([b"\n", b"\r\n"]))
def test_what_is_found_stands_in_its_line(lines: list[bytes], end: bytes) -> None:
    body = scan(end.join(lines), labels=True)
    for heading in body.headings:
        assert lines[heading.line - 1].lstrip(b"# ").decode() == heading.text
    for box in body.boxes:
        assert lines[box.line - 1].endswith(box.text.encode())
    for item in body.items(0, len(body.text)):
        assert lines[item.line - 1].endswith(item.text.encode())


@given(st.binary(), st.booleans())
def test_any_bytes_are_read(data: bytes, labels: bool) -> None:
    body = scan(data, labels=labels)
    last = data.count(b"\n") + 1
    assert all(1 <= item.line <= last for item in body.items(0, len(body.text)))
    assert all(0 <= body.end_of(n) <= len(body.text) for n in range(len(body.headings)))


@pytest.mark.parametrize(
    "data",
    [
        b"- [ ] " + b"<!--" * 500_000,
        b"# " + b"1." * 1_000_000,
        b"\n" * 1_000_000 + b"- [ ] a",
        b" " * 2_000_000 + b"- [ ] a",
        b"# open questions\n" * 50_000,
        b"- [ ] a\n" * 100_000,
        b"```\n" * 300_000,
        b"<!--\n" * 300_000,
        b"".join(b"`" * n + b"\n" + b"`" * n + b"\n" for n in range(3, 700)),
    ],
)
def test_a_hostile_text_takes_no_more_time_than_its_size_asks_for(data: bytes) -> None:
    """What is quadratic in the size takes minutes, and runs into the timeout."""
    body = scan(data, labels=True)
    assert all(body.end_of(n) >= heading.end for n, heading in enumerate(body.headings))
    assert all(len(box.text) <= MAX_TEXT for box in body.boxes)
    assert all(len(item.text) <= MAX_TEXT for item in body.items(0, len(body.text)))
