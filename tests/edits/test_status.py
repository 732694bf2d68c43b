"""Edits of statuses: what was asked for changes, in the file's own spelling, and every other byte stays."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.edits import status
from ccdashd.edits.frontmatter import EditRefused
from ccdashd.edits.status import Plan, Wanted
from ccdashd.sources.planning import documents
from ccdashd.sources.planning.model import Task
from ccdashd.sources.planning.status import read_status

PROGRESS = ".claude/progress/checkout/phase-1-progress.md"
NOW = datetime(2026, 3, 4, 5, 6, 7, 890123, timezone(timedelta(hours=2)))

FILE = b"""---
type: progress
status: in-progress  # of the phase
updated: 2025-12-31
total_tasks: 9
completed_tasks: 1
in_progress_tasks: "0"
blocked_tasks: 1
overall_progress: 33
progress: 33%
tasks:
  - id: T1
    title: 'First'
    status: completed
  - {id: T2, status: "pending", notes: "status: pending"}  # keep me
  - id: T3
    state: blocked
  - T4 as text
  - id: T5
    title: without a status
  - {id: T6, done: false}
---
# Checkout

status: pending
"""


def plan(
    data: bytes,
    word: str,
    task: str | None = None,
    *,
    counters: bool = False,
    now: datetime | None = None,
    path: str = PROGRESS,
) -> Plan:
    return status.plan(path, data, status.wanted(word, counters=counters, now=now), task)


def changed(before: bytes, after: bytes) -> list[tuple[bytes, bytes]]:
    """Lines that differ."""
    one, other = before.split(b"\n"), after.split(b"\n")
    assert len(one) == len(other)
    return [pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]]


def task_of(data: bytes, key: str, path: str = PROGRESS) -> Task:
    return next(task for task in documents.read(path, data).tasks if task.key == key)


def test_a_task_of_a_list_in_the_files_spelling() -> None:
    made = plan(FILE, "done", "T2")
    assert changed(FILE, made.data) == [
        (
            b'  - {id: T2, status: "pending", notes: "status: pending"}  # keep me',
            b'  - {id: T2, status: "completed", notes: "status: pending"}  # keep me',
        )
    ]
    assert made.raw_status == "completed"
    (change,) = made.changes
    assert (change.line, change.field, change.before, change.after) == (15, "tasks.T2.status", "pending", "completed")


def test_a_word_of_the_users_own_is_written_as_it_is() -> None:
    made = plan(FILE, "Merged", "T1")
    assert changed(FILE, made.data) == [(b"    status: completed", b"    status: Merged")]
    assert task_of(made.data, "T1").status == "done"
    assert plan(FILE, "completed", "T1").changes == []
    assert changed(FILE, plan(FILE, "complete", "T1").data) == [(b"    status: completed", b"    status: complete")]


def test_what_the_file_says_already_changes_nothing() -> None:
    made = plan(FILE, "done", "T1", now=NOW)
    assert (made.data, made.changes, made.raw_status) == (FILE, [], "completed")
    made = plan(FILE, "in_progress")
    assert (made.data, made.changes, made.raw_status) == (FILE, [], "in-progress")


def test_another_key_for_a_status_is_taken_up() -> None:
    assert changed(FILE, plan(FILE, "todo", "T3").data) == [(b"    state: blocked", b"    state: pending")]


def test_a_missing_status_is_added_to_its_task() -> None:
    made = plan(FILE, "blocked", "T5")
    line = b"    status: blocked\n"
    assert made.data.count(line) == 1
    assert made.data.replace(line, b"") == FILE
    assert task_of(made.data, "T5").status == "blocked"
    (change,) = made.changes
    assert made.data.split(b"\n")[change.line - 1] + b"\n" == line
    assert (change.before, change.after) == ("", "blocked")


def test_the_status_of_the_file_keeps_its_comment() -> None:
    made = plan(FILE, "done")
    assert changed(FILE, made.data) == [
        (b"status: in-progress  # of the phase", b"status: completed  # of the phase"),
    ]
    (change,) = made.changes
    assert (change.line, change.field) == (3, "status")
    assert changed(FILE, plan(FILE, "review").data)[0][1] == b"status: review  # of the phase"


PRD = "docs/project_plans/PRDs/checkout.md"
TEXT = b"---\r\ntitle: Checkout\r\n---\r\n# Checkout\r\n - **Status**: Draft  \r\nStatus: Draft"

MAP = b"""---
tasks:
  TASK-1.1: {title: One, status: completed}
  "TASK 2":
    'status': 'in progress'   # half
  TASK-3: pending
  TASK-4: a text
---
"""


@pytest.mark.parametrize(
    ("key", "word", "line"),
    [
        ("TASK-1.1", "deferred", b"  TASK-1.1: {title: One, status: deferred}"),
        ("TASK 2", "done", b"    'status': 'completed'   # half"),
        ("TASK-3", "in_progress", b"  TASK-3: in progress"),
    ],
)
def test_tasks_of_a_map(key: str, word: str, line: bytes) -> None:
    ((_, after),) = changed(MAP, plan(MAP, word, key).data)
    assert after == line


def test_tasks_with_the_same_id_are_told_apart() -> None:
    data = b"---\ntasks:\n- {id: A, status: pending}\n- {id: A, status: pending}\n- {status: pending}\n---\n"
    assert changed(data, plan(data, "completed", "A~2").data)[0][1] == b"- {id: A, status: completed}"
    assert plan(data, "completed", "A~2").changes[0].line == 4
    assert plan(data, "completed", "@1").changes[0].line == 5


def test_tasks_in_groups() -> None:
    data = b"---\ntasks:\n  phase_1:\n    - {id: A, status: pending}\n  phase_2:\n    - {id: B, status: pending}\n---\n"
    assert changed(data, plan(data, "done", "B").data)[0][1] == b"    - {id: B, status: completed}"


BOXES = b"\xef\xbb\xbf---\r\nstatus: active\r\n---\r\n## Tasks\r\n- [ ] One\r\n  - [x] Two\r\n* [/]\tThree\r\n1. [ ] Four"


@pytest.mark.parametrize(
    ("key", "word", "line"),
    [
        ("@1", "done", b"- [x] One\r"),
        ("@2", "todo", b"  - [ ] Two\r"),
        ("@3", "blocked", b"* [!]\tThree\r"),
        ("@4", "merged", b"1. [x] Four"),
        ("@1", "in_progress", b"- [/] One\r"),
    ],
)
def test_boxes(key: str, word: str, line: bytes) -> None:
    made = plan(BOXES, word, key)
    ((_, after),) = changed(BOXES, made.data)
    assert after == line
    assert made.raw_status == task_of(made.data, key).raw_status


@pytest.mark.parametrize(
    ("data", "task", "word", "says"),
    [
        (FILE, "T9", "done", "there is no task T9 any more"),
        (FILE, "@1", "done", r"task @1 \(line 18\) is a text alone"),
        (FILE, "T6", "done", r"task T6 \(line 21\) has no `status`, but another key that tells it \(false\)"),
        (MAP, "TASK-4", "done", "is a text alone"),
        (BOXES, "@1", "review", "a box cannot say 'review'; it can say: todo"),
        (b"# Title\n\nText\n", None, "done", "the file has no frontmatter"),
        (
            TEXT.replace(b"Draft", b"Draft (until May)"),
            None,
            "done",
            r"stands in the text, in line 5, and is more than a word",
        ),
        (
            TEXT.replace(b"Draft", b"Quick fixes"),
            None,
            "done",
            r"and is more than a word \('Quick fixes'\); edit it by hand",
        ),
        (b"---\nstatus: [a, b]\n---\n", None, "done", "it is a list or a mapping"),
        (b"---\nstatus: a\nstatus: draft\n---\n", None, "done", "the key status is there more than once, in lines 2 and 3"),
        (b"---\nstatus: &s draft\nother: *s\n---\n", None, "done", "shared with another place by an anchor"),
        (b"---\nstatus: >-\n  draft\n---\n", None, "done", "its text has several lines"),
    ],
)
def test_what_cannot_be_edited_without_guessing_is_refused(data: bytes, task: str | None, word: str, says: str) -> None:
    with pytest.raises(EditRefused, match=says):
        plan(data, word, task)


def test_lines_of_a_numbered_list_have_no_place_for_a_status() -> None:
    data, path = b"---\nstatus: draft\n---\n## Implementation\n\n1. One\n2. Two\n", ".claude/progress/quick-features/x.md"
    assert [task.form for task in documents.read(path, data).tasks] == ["numbered", "numbered"]
    with pytest.raises(EditRefused, match=r"task @2 is a line of a numbered list \(line 7\).*make it an item with a box"):
        plan(data, "done", "@2", path=path)


@pytest.mark.parametrize(
    "word", ["", "nonsense", "unknown", "done\nstatus: x", "done # no", "'done'", "{done}", "x" * 100, "\0"]
)
def test_a_word_that_means_nothing_is_refused_with_the_choices(word: str) -> None:
    with pytest.raises(ValueError, match="choose one of: todo, in_progress, review, done, blocked, deferred, archived"):
        status.wanted(word)


@pytest.mark.parametrize(
    ("old", "word", "new"),
    [
        ("Draft", "done", "Completed"),
        ("completed", "todo", "draft"),
        ("`COMPLETED`", "in_progress", "`IN_PROGRESS`"),
        ("**In Progress**", "merged", "**merged**"),
    ],
)
def test_a_status_in_the_text(old: str, word: str, new: str) -> None:
    data = TEXT.replace(b"Draft", old.encode(), 1)
    made = plan(data, word, path=PRD)
    assert made.data == TEXT.replace(b"Draft", new.encode(), 1)
    assert [(change.line, change.before, change.after) for change in made.changes] == [(5, old, new)]
    assert plan(made.data, word, path=PRD).changes == []
    assert documents.read(PRD, made.data).status == status.wanted(word).status


BROKEN = b"""---
status: pending
tasks:
  - id: A
    status: pending
  - id: B
    title: broken: by a colon
    status: pending
    note: `also broken`
  - id: C
    title: next: to it
---
"""


def test_a_file_that_is_no_yaml_is_edited_where_its_line_is_sound() -> None:
    assert documents.read(PROGRESS, BROKEN).recovered
    for key, line in ((None, 2), ("A", 5), ("B", 8)):
        made = plan(BROKEN, "completed", key)
        assert len(changed(BROKEN, made.data)) == 1
        assert made.changes[0].line == line


def fields(made: Plan) -> dict[str, tuple[str, str]]:
    return {change.field: (change.before, change.after) for change in made.changes}


def test_counters_follow_where_they_are_there() -> None:
    made = plan(FILE, "in_progress", "T3", counters=True)
    assert fields(made) == {
        "tasks.T3.status": ("blocked", "in-progress"),
        "total_tasks": ("9", "6"),
        "in_progress_tasks": ("0", "1"),
        "blocked_tasks": ("1", "0"),
        "overall_progress": ("33", "17"),
        "progress": ("33%", "17%"),
    }
    assert b'in_progress_tasks: "1"\n' in made.data
    assert len(changed(FILE, made.data)) == 6


def test_counters_are_set_right_though_the_status_is_so_already() -> None:
    made = plan(FILE, "done", "T1", counters=True)
    assert fields(made) == {"total_tasks": ("9", "6"), "overall_progress": ("33", "17"), "progress": ("33%", "17%")}
    right = made.data
    assert plan(right, "done", "T1", counters=True, now=NOW).changes == []


def counted(total: int, completed: str, progress: str, statuses: str) -> bytes:
    tasks = "".join(f"- {{id: T{n}, status: {word}}}\n" for n, word in enumerate(statuses.split()))
    return f"---\ntotal_tasks: {total}\ncompleted_tasks: {completed}\nprogress: {progress}\ntasks:\n{tasks}---\n".encode()


@pytest.mark.parametrize(
    ("completed", "progress", "statuses", "becomes"),
    [
        ("1", "25", "completed deferred todo todo", ("2", "50")),  # counts what is done
        ("2", "50", "completed deferred todo todo", ("3", "75")),  # counts what is closed
        ("1", "50", "completed deferred todo todo", ("2", "75")),  # each its own way
        ("2", "66", "completed done todo", ("3", "100")),
        ("7", "66.67", "completed todo todo", ("2", "66.67")),
        ("0", "0.5", "todo todo todo todo", ("1", "0.5")),  # a fraction, or half a percent
        ("many", "n/a", "todo todo", ("many", "n/a")),
        ("[1, 2]", "", "todo todo", ("[1, 2]", "")),
        ("true", "-5", "todo todo", ("true", "-5")),
    ],
)
def test_completed_is_counted_as_the_file_does(
    completed: str, progress: str, statuses: str, becomes: tuple[str, str]
) -> None:
    words = statuses.split()
    last = len(words) - 1
    made = plan(counted(len(words), completed, progress, statuses), "completed", f"T{last}", counters=True)
    assert made.data == counted(len(words), *becomes, " ".join([*words[:last], "completed"]))


def test_a_file_without_tasks_keeps_its_counters() -> None:
    data = b"---\nstatus: draft\nprogress: 10\ntotal_tasks: 3\n---\n"
    assert fields(plan(data, "done", counters=True)) == {"status": ("draft", "completed")}


def test_counters_count_boxes_where_there_are_no_other_tasks() -> None:
    data = b"---\ncompleted_tasks: 0\n---\n- [ ] A\n- [ ] B\n"
    assert fields(plan(data, "done", "@2", counters=True)) == {"tasks.@2.status": (" ", "x"), "completed_tasks": ("0", "1")}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2025-12-31", "2026-03-04"),
        ("'2025-12-31'", "'2026-03-04'"),
        ('"2025-12-31T10:00:00Z"', '"2026-03-04T03:06:07Z"'),
        ("2025-12-31T10:00:00.123Z", "2026-03-04T03:06:07.890Z"),
        ("2025-12-31 10:00", "2026-03-04 05:06"),
        ("2025-12-31T10:00:00", "2026-03-04T05:06:07"),
        ("2025-12-31T10:00:00.000001-05:30", "2026-03-03T21:36:07.890123-05:30"),
        ("2025-12-31 10:00:00 +0000", "2026-03-04 03:06:07 +0000"),
        ("2025-12-31 10:00:00+24:00", "2025-12-31 10:00:00+24:00"),
        ("YYYY-MM-DD", "YYYY-MM-DD"),
        ("yesterday", "yesterday"),
        ("", ""),
        ("[2025-12-31]", "[2025-12-31]"),
    ],
)
def test_updated_is_written_as_it_was(old: str, new: str) -> None:
    def file(word: str, moment: str) -> bytes:
        return f"---\nstatus: {word}\nupdated: {moment}\n---\n".encode()

    assert plan(file("draft", old), "done", now=NOW).data == file("completed", new)
    assert plan(file("draft", old), "done").data == file("completed", old)


def test_updated_is_not_added() -> None:
    data = b"---\nstatus: draft\nlast_updated: 2025-12-31\n---\n"
    assert plan(data, "done", now=NOW).data == data.replace(b"draft", b"completed")


# --- any document ---

WORDS = ["pending", "in-progress", "In Progress", "done", "completed", "COMPLETE", "deferred", "blocked", "needs review"]
WANTED = [
    "todo",
    "in_progress",
    "review",
    "done",
    "blocked",
    "deferred",
    "archived",
    "merged",
    "on hold",
    "Signed-Off",
    "50%",
]
QUOTES = ["", "'", '"']
REST = ["", "  # why: not", " #", "   ", "\t# tab"]
MARKS = [" ", "x", "X", "/", "-", "~", ">", "!"]


@st.composite
def progress_files(draw: st.DrawFn) -> tuple[bytes, list[tuple[str, int, int]]]:
    """A progress file, and of each status in it the key of its task (``""`` for that of the file), where it begins and
    where it ends."""

    def pick(values: list[str]) -> str:
        return draw(st.sampled_from(values))

    eol, bom, style = (
        pick(["\n", "\r\n"]),
        pick(["", "\ufeff"]),
        pick(["list", "flow", "one line", "map", "flow map", "box"]),
    )
    keys = draw(st.lists(st.sampled_from(["T1", "TASK-2.1", "a b", "Ü3", "4.2x"]), min_size=1, max_size=4, unique=True))

    def value() -> str:
        quote = pick(QUOTES)
        return f"{quote}\ue000{pick(WORDS)}\ue001{quote}"

    def key(name: str) -> str:
        quote = pick(QUOTES)
        return f"{quote}{name}{quote}"

    def flow(name: str = "") -> str:
        entries = [f"{key('id')}: {name}"] if name else []
        entries += draw(st.sampled_from([[], ["title: 'it''s, {so}'"], ['note: "status: pending # \\u00e4"']]))
        entries.insert(draw(st.integers(bool(name), len(entries))), f"{key('status')}: {value()}")
        return pick(["{%s}", "{ %s }", "{%s,}"]) % ", ".join(entries)

    def block(indent: str) -> list[str]:
        lines = [[f"{indent}{key('status')}:{pick([' ', '   '])}{value()}{pick(REST)}"]]
        lines += draw(
            st.lists(
                st.sampled_from(
                    [
                        [f"{indent}title: Žluťoučký 🚀"],
                        [f"{indent}notes: |", f"{indent}  status: pending", f"{indent}  # no comment"],
                        [f"{indent}depends_on: [A, B]  # flow"],
                        [f"{indent}# status: done"],
                        [""],
                    ]
                ),
                max_size=3,
                unique_by=lambda entry: entry[0],
            )
        )
        return [line for entry in draw(st.permutations(lines)) for line in entry]

    lines = ["---", "type: progress"]
    order = [""]
    lines.append(f"{key('status')}: {value()}{pick(REST)}")
    if style == "list":
        dash = pick(["-", "  -", "    -  "])
        lines.append("tasks:")
        for name in keys:
            lines += [f"{dash} {key('id')}: {name}", *block(" " * (len(dash) + 1))]
    elif style == "flow":
        lines += ["tasks:", *(f"  - {flow(name)}{pick(REST)}" for name in keys)]
    elif style == "one line":
        lines.append(f"tasks: [{', '.join(map(flow, keys))}]{pick(REST)}")
    elif style == "map":
        lines.append("tasks:   # by id")
        for name in keys:
            lines += [f"  {key(name)}:", *block("     ")]
    elif style == "flow map":
        lines.append(f"tasks: {{{', '.join(f'{key(name)}: {flow()}' for name in keys)}}}")
    lines += ["more: |2", "   text", "---" + pick(["", "  "]), "# Title", "status: pending", "----"]
    if style == "box":
        keys = [f"@{n}" for n in range(1, len(keys) + 1)]
        lines += [
            f"{'  ' * (n % 2)}{pick(['-', '*', '+', '1.'])} [\ue000{pick(MARKS)}\ue001] Text" for n in range(len(keys))
        ]
    text = bom + eol.join(lines) + pick(["", eol])
    places = []
    while "\ue000" in text:
        start, end = text.index("\ue000"), text.index("\ue001") - 1
        text = text.replace("\ue000", "", 1).replace("\ue001", "", 1)
        places.append((len(text[:start].encode()), len(text[:end].encode())))
    return text.encode(), [(name, *place) for name, place in zip(order + keys, places, strict=True)]


@given(progress_files(), st.data())
def test_only_the_value_changes_in_any_file(file: tuple[bytes, list[tuple[str, int, int]]], data: st.DataObject) -> None:
    before, places = file
    key, start, end = data.draw(st.sampled_from(places))
    word = data.draw(st.sampled_from(WANTED))
    old = before[start:end].decode()
    try:
        made = plan(before, word, key or None)
    except EditRefused as error:
        assert error.message.startswith("a box cannot say")
        assert key.startswith("@")
        return
    assert made.data == before[:start] + made.raw_status.encode() + before[end:]
    after = documents.read(PROGRESS, made.data)
    asked = status.wanted(word)
    assert (task_of(made.data, key).status if key else after.status) == asked.status
    assert [change.after for change in made.changes] == ([made.raw_status] if made.raw_status != old else [])
    if not key.startswith("@"):
        assert made.raw_status == (asked.word or made.raw_status)
        assert status.plan(PROGRESS, made.data, Wanted(read_status(old), old), key or None).data == before


# --- real files ---


@pytest.mark.corpus
def test_tasks_of_a_real_project_can_be_set_and_set_back() -> None:
    corpus = os.environ.get("CCDASH_CORPUS")
    if not corpus:
        pytest.skip("CCDASH_CORPUS names no folder")
    root = Path(corpus) / "skillmeat"
    words = ["blocked", "done", "in_progress", "todo", "deferred"]
    tried = refused = 0
    for path in sorted(path for path in root.rglob("*.md") if path.is_file()):
        name, data = path.relative_to(root).as_posix(), path.read_bytes()
        tasks = documents.read(name, data).tasks
        # All forms and all files, but of each file a few: others in each of them, over all files every place in a list.
        for task in tasks[tried % (len(tasks) // 3 + 1) :: len(tasks) // 3 + 1]:
            tried += 1
            try:
                made = plan(data, words[tried % len(words)], task.key, path=name)
            except EditRefused as error:
                assert task.form == "numbered", error
                refused += 1
                continue
            assert len(changed(data, made.data)) == len(made.changes) <= 1
            if made.changes and tried % 4 == 0 and task.form != "checkbox":
                back = status.plan(name, made.data, Wanted(task.status, task.raw_status), task.key)
                assert back.data == data
    assert tried > 900
    assert refused < tried * 0.1
