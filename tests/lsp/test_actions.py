"""Quick fixes and actions of planning files: what is offered where, and what becomes of a text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.lsp.plan_fixes import fixes
from ccdashd.lsp.plan_places import read
from ccdashd.sources.planning import documents, frontmatter
from tests.lsp.desk import PROJECT, Desk, capable
from tests.lsp.test_diagnostics import REAL, REPAIRED
from tests.store.plans import cache
from tests.store.shop import BROKEN, FILES, LOOSE, PHASE_1, PHASE_2, PRD, QUICK

CORPUS = os.environ.get("CCDASH_CORPUS")
QUICK_FIX, REFACTOR = "quickfix", "refactor.ccdash"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with cache() as connection:
        desk = Desk(connection, tmp_path / "shop")
        desk.add()
        yield desk


def titles(desk: Desk, path: str, line: int, only: list[str] | None = None) -> list[str]:
    return [action.title for action in desk.actions(path, line, only=only)]


def fixed(desk: Desk, path: str, line: int, title: str) -> str:
    """The text after the quick fix of that title."""
    (action,) = [action for action in desk.actions(path, line, only=[QUICK_FIX]) if action.title == title]
    return desk.applied(path, action.edit)


# --- what is offered ---


def test_statuses_of_a_task_but_the_one_that_it_has(desk: Desk) -> None:
    actions = desk.actions(PHASE_1, 19, only=[REFACTOR])
    statuses = ["in progress", "review", "done", "blocked", "deferred", "archived"]
    assert [action.title for action in actions] == [f"Set status of T1-002 to {status}" for status in statuses]
    assert {action.kind for action in actions} == {REFACTOR}
    entity = {"type": "task", "id": f"{PROJECT}/{PHASE_1}#T1-002"}
    assert actions[0].command.command == "ccdash.setStatus"
    assert actions[0].command.arguments == ({"entity": entity, "status": "in_progress"},)


def test_a_box_can_say_less(desk: Desk) -> None:
    said = [title.removeprefix("Set status of the task to ") for title in titles(desk, QUICK, 8)]
    assert said == ["todo", "in progress", "blocked", "deferred"]


def test_of_numbered_lines_nothing_can_be_set(desk: Desk) -> None:
    desk.open(QUICK, "---\ntype: quick-feature\nstatus: todo\n---\n# X\n\n## Tasks\n\n1. Do it\n2. Do more\n")
    assert titles(desk, QUICK, 8) == []


def test_the_status_of_a_file_is_that_of_what_it_is_about(desk: Desk) -> None:
    assert titles(desk, PRD, 3)[0] == titles(desk, PRD, 0)[0] == "Set status of the feature to todo"
    assert titles(desk, PHASE_1, 5)[0] == "Set status of the phase to todo"
    assert titles(desk, LOOSE, 0)[0] == "Set status of the document to todo"
    assert titles(desk, PRD, 1) == titles(desk, "README.md", 0) == []


@pytest.mark.parametrize(
    ("only", "kinds"),
    [
        (None, {QUICK_FIX, REFACTOR}),
        ([QUICK_FIX], {QUICK_FIX}),
        (["refactor"], {REFACTOR}),
        (["refactor.ccdash", QUICK_FIX], {QUICK_FIX, REFACTOR}),
        (["refactor.extract"], set()),
        (["source.fixAll"], set()),
        (["source"], set()),
        ([""], set()),
        ([], set()),
    ],
)
def test_only_kinds_that_are_wanted(desk: Desk, only: list[str] | None, kinds: set[str]) -> None:
    text = "---\ntype: progress\ntasks:\n- {id: T1, status: compleeted}\n---\n"
    desk.open(PHASE_2, text)
    assert {action.kind for action in desk.actions(PHASE_2, 3, only=only)} == kinds


def test_edits_without_versions_for_editors_that_know_none(desk: Desk) -> None:
    desk.open(BROKEN, FILES[BROKEN], version=7)
    (versioned, *_) = desk.actions(BROKEN, 3)
    assert versioned.edit.document_changes[0].text_document.version == 7
    assert versioned.edit.changes is None
    capable(desk, document_changes=False)
    (plain, *_) = desk.actions(BROKEN, 3)
    assert list(plain.edit.changes) == [desk.uri(BROKEN)]
    assert plain.edit.document_changes is None


# --- quick fixes ---


def test_a_line_that_is_no_yaml_is_written_as_it_was_read(desk: Desk) -> None:
    after = fixed(desk, BROKEN, 3, 'Write: notes: "- `a` is: b"')
    assert after == FILES[BROKEN].replace("notes: - `a` is: b", 'notes: "- `a` is: b"')
    (first, *_) = desk.actions(BROKEN, 3)
    assert first.is_preferred
    assert [(item.code, item.range.start.line) for item in first.diagnostics] == [("unquoted-text", 3)]
    whole = fixed(desk, BROKEN, 3, "Repair all of the frontmatter, in 2 places")
    assert whole == after.replace("bad: [1", "bad: [1]")


def test_lines_end_as_they_did(desk: Desk) -> None:
    desk.open(BROKEN, FILES[BROKEN].replace("\n", "\r\n"))
    after = fixed(desk, BROKEN, 3, 'Write: notes: "- `a` is: b"')
    assert after == FILES[BROKEN].replace("notes: - `a` is: b", 'notes: "- `a` is: b"').replace("\n", "\r\n")


def test_what_was_left_out_becomes_a_comment(desk: Desk) -> None:
    text = "---\nlist:\n  - 🎉\n  key: b\nstatus: done\n---\n"
    desk.open(BROKEN, text)
    assert fixed(desk, BROKEN, 3, "Make a comment of this line") == text.replace("  key", "  # key")


def test_the_markers_of_a_conflict_go_together(desk: Desk) -> None:
    text = "---\n<<<<<<< HEAD\nstatus: draft\n=======\nstatus: done\n>>>>>>> other\ntitle: T\n---\n"
    desk.open(BROKEN, text)
    for line in (1, 3, 5):
        after = fixed(desk, BROKEN, line, "Remove the markers of the merge conflict")
        assert after == "---\nstatus: draft\nstatus: done\ntitle: T\n---\n"
    assert len(desk.actions(BROKEN, 1, 6, only=[QUICK_FIX])) == 1


def test_a_word_that_is_nearly_one(desk: Desk) -> None:
    tasks = "tasks:\n- {id: T1, status: compleeted}\n- {id: T2, status: zzz}\n"
    text = f"---\ntype: progress\nstatus: in progess  # 🎉\n{tasks}---\n"
    desk.open(PHASE_2, text)
    assert fixed(desk, PHASE_2, 2, "Set status to in progress") == text.replace("in progess", "in progress")
    assert fixed(desk, PHASE_2, 4, "Set status to completed") == text.replace("compleeted", "completed")
    assert titles(desk, PHASE_2, 5, [QUICK_FIX]) == []


def test_an_id_that_another_task_has(desk: Desk) -> None:
    text = (
        "---\ntasks:\n- {id: T-01, title: T-01}\n- {id: T-03}\n- title: T-01\n  id: 'T-01' # again\n---\n- [ ] T-01: box\n"
    )
    desk.open(PHASE_2, text)
    assert fixed(desk, PHASE_2, 5, "Rename to T-04") == text.replace("'T-01' # again", "'T-04' # again")
    boxes = "---\ntype: progress\n---\n- [ ] T1: do\n- [ ] T1: do T1 again\n"
    desk.open(PHASE_2, boxes)
    assert fixed(desk, PHASE_2, 4, "Rename to T2") == boxes.replace("T1: do T1", "T2: do T1")


def test_sessions_of_late_can_be_linked(desk: Desk) -> None:
    assert not [title for title in titles(desk, PHASE_1, 19) if "session" in title]


# --- whatever is wrong ---

LINES = [
    "title: Plain",
    "note: 'quoted: text'",
    "tags: [a, b]",
    "owner: {name: ann}",
    "items:",
    "  - one",
    "  - two: 2",
    "nested:",
    "  key: value",
    "number: 3",
]
BREAKS = [
    "summary: - `a` is: b",
    "quote: 'never closed",
    "flow: [1, 2",
    "map: {a: 1",
    "at: @here",
    "tick: `code`",
    'early: "a" and more',
    "colon: a: b: c",
    "\ttabbed: 1",
    "nospace:value",
    "percent: %x",
    "star: *gone: x",
    "  stray: 1",
    "??? !",
    "emoji: 🎉 is: [fun",
    "<<<<<<< HEAD",
    "=======",
]


@given(st.lists(st.sampled_from(BREAKS), min_size=1, max_size=4), st.sampled_from(["\n", "\r\n"]), st.data())
def test_a_fix_takes_its_finding_away_and_nothing_else(breaks: list[str], ending: str, data: st.DataObject) -> None:
    lines = list(LINES)
    for line in breaks:
        lines.insert(data.draw(st.integers(0, len(lines))), line)
    text = ending.join(["---", *lines, "---", "# Text", ""])
    while found := list(fixes(reading := read("docs/x.md", text), 0, text.count("\n"))):
        fix = data.draw(st.sampled_from(found))
        before, after = reading.frontmatter, frontmatter.read(fix.data)
        assert after.values == before.values
        if len(breaks) == 1:  # of several, what one hid may be told in its place: quotes end where others begin
            left = {(finding.code, finding.line) for finding in after.findings}
            assert all((str(item.code), item.range.start.line + 1) not in left for item in fix.diagnostics)
        assert len(after.repairs) < len(before.repairs)
        text = fix.data.decode()
        assert text.endswith(f"---{ending}# Text{ending}")
        assert text.count(ending) == text.count("\n")


@pytest.mark.parametrize("line", BREAKS)
def test_whatever_one_line_breaks_can_be_repaired(line: str) -> None:
    text = "\n".join(["---", *LINES[:6], line, *LINES[6:], "---", ""])
    repairs = read("docs/x.md", text).frontmatter.repairs
    for _ in repairs:
        reading = read("docs/x.md", text)
        found = list(fixes(reading, 0, text.count("\n")))
        if not reading.frontmatter.repairs:
            break
        assert found
        text = found[0].data.decode()
    assert not read("docs/x.md", text).frontmatter.repairs


# --- real files ---


def corpus_text(path: str) -> str:
    return Path(str(CORPUS), "skillmeat", path).read_bytes().decode()


@pytest.mark.corpus
@pytest.mark.skipif(CORPUS is None, reason="CCDASH_CORPUS names no folder of real files")
@pytest.mark.parametrize("path", sorted(REAL))
def test_each_broken_file_of_a_real_project_can_be_repaired(path: str) -> None:
    reading = read(path, corpus_text(path))
    values: dict[str, Any] = reading.frontmatter.values
    found = list(fixes(reading, 0, len(reading.lines)))
    assert found
    for fix in found:
        after = frontmatter.read(fix.data)
        assert after.values == values
        assert len(after.repairs) < len(reading.frontmatter.repairs)
    whole = documents.read(path, found[-1].data)
    assert not REPAIRED & {finding.code for finding in whole.findings}
    assert (len(whole.tasks), whole.status) == (len(reading.document.tasks), reading.document.status)
