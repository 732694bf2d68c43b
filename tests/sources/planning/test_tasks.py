from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.sources.planning import frontmatter
from ccdashd.sources.planning.body import scan
from ccdashd.sources.planning.model import Finding, Status, Task
from ccdashd.sources.planning.tasks import Keys, criteria_of_boxes, of_boxes, of_frontmatter, of_numbers, places


def read(yaml: str, phase: str = "1", batches: dict[str, str] | None = None) -> tuple[list[Task], list[Finding]]:
    findings: list[Finding] = []
    return of_frontmatter(frontmatter.read(f"---\n{yaml}---\n".encode()), phase, batches or {}, findings), findings


def test_a_list_of_tasks() -> None:
    tasks, findings = read("""\
title: x
tasks:
  - id: T-1
    name: "Parser"
    description: Reads it
    status: in_progress
    assigned_to: ["python-backend-engineer", "ann"]
    assigned_model: sonnet
    estimate: "0.75 pt"
    priority: High
    dependencies: [T-0, 'none']
    files_affected: ["src/parser.py (NEW)"]
    commit: abc1234
    session_id: 0b5a1c3e-1111-4222-8333-0123456789ab
    started: 2026-01-05
    completed_at: '2026-01-06T10:00:00Z'
    acceptance_criteria: [it parses]
    notes: all well
    phase: 2.5
  # a comment
  - {id: 1.10, title: Flow, status: Completed}
  - Just a text
""")
    first, second, third = tasks
    assert first == Task(
        key="T-1",
        form="list",
        line=4,
        task_id="T-1",
        title="Parser",
        description="Reads it",
        raw_status="in_progress",
        status="in_progress",
        phase="2.5",
        assignees=["python-backend-engineer", "ann"],
        depends_on=["T-0"],
        effort="0.75 pt",
        priority="High",
        model="sonnet",
        started="2026-01-05",
        completed="2026-01-06T10:00:00Z",
        session_ids=["0b5a1c3e-1111-4222-8333-0123456789ab"],
        commits=["abc1234"],
        files=["src/parser.py"],
        acceptance=["it parses"],
        notes=["all well"],
        fields=first.fields,
    )
    assert first.fields["dependencies"] == ["T-0", "none"]
    assert (second.key, second.line, second.title, second.raw_status, second.status, second.phase) == (
        "1.10",
        22,
        "Flow",
        "Completed",
        "done",
        "1",
    )
    assert (third.key, third.line, third.title, third.status) == ("@1", 23, "Just a text", "unknown")
    assert [(finding.code, finding.line) for finding in findings] == [("task-without-status", 23)]


def test_a_mapping_of_tasks() -> None:
    tasks, findings = read("""\
tasks:
  TASK-1.1: {title: Utility, phase: 1, estimate: 15 min, assigned_to: ann, status: completed}
  TASK-1.2: pending
  TASK-1.3: Write the docs
""")
    assert [(task.key, task.form, task.line, task.title, task.raw_status, task.status) for task in tasks] == [
        ("TASK-1.1", "map", 3, "Utility", "completed", "done"),
        ("TASK-1.2", "map", 4, "", "pending", "todo"),
        ("TASK-1.3", "map", 5, "Write the docs", "", "unknown"),
    ]
    assert [(finding.code, finding.line) for finding in findings] == [("task-without-status", 5)]


def test_the_phase_of_a_task_is_its_own_else_that_of_the_file() -> None:
    tasks, _ = read("tasks: [{id: A, phase: Phase-4}, {id: B, phase: none}, {id: C, phase: 2.5}, {id: D}]\n")
    assert [task.phase for task in tasks] == ["4", "1", "2.5", "1"]


def test_a_mapping_of_groups() -> None:
    tasks, _ = read("""\
tasks:
  phase_2:
    - {id: A, status: done}
  later:
    - {id: B, status: future}
""")
    assert [(task.key, task.phase, task.batch, task.status) for task in tasks] == [
        ("A", "2", "", "done"),
        ("B", "1", "later", "deferred"),
    ]


@pytest.mark.parametrize("yaml", ["tasks:\n", "tasks: []\n", "tasks: {}\n", "tasks: {total: 5, done: 3}\n", "title: x\n"])
def test_no_tasks(yaml: str) -> None:
    assert read(yaml) == ([], [])


def test_what_is_no_task_is_told() -> None:
    tasks, findings = read("tasks:\n- null\n- [a]\n- {id: A, status: done}\n")
    assert [task.key for task in tasks] == ["A"]
    assert [(finding.code, finding.severity, finding.line) for finding in findings] == [
        ("tasks-not-read", "warning", 3),
        ("tasks-not-read", "warning", 4),
    ]
    assert [finding.message for finding in read("tasks: see below\n")[1]] == ["`tasks` is neither a list nor a mapping"]


def test_a_status_that_is_not_known_is_kept_and_told() -> None:
    tasks, findings = read(
        "tasks:\n- id: A\n  status: banana\n- id: B\n  status:\n- {id: C, done: true}\n- {id: D, completed: false}\n"
    )
    assert [(task.raw_status, task.status) for task in tasks] == [
        ("banana", "unknown"),
        ("", "unknown"),
        ("true", "done"),
        ("false", "todo"),
    ]
    assert [(finding.code, finding.line, finding.message) for finding in findings] == [
        ("unknown-status", 4, "task A has the status 'banana', which is not known"),
        ("unknown-status", 6, "task B has a status without a word"),
    ]


def test_batches_are_told_by_the_file_where_the_task_does_not() -> None:
    tasks, _ = read(
        "tasks: [{id: A, status: done}, {id: B, status: done, batch: 7}]\n", batches={"A": "batch_1", "B": "batch_2"}
    )
    assert [task.batch for task in tasks] == ["batch_1", "7"]


def test_places_lead_to_the_tasks() -> None:
    front = frontmatter.read(b"---\ntasks:\n- {id: A}\n- {id: A}\n- {title: x}\n---\n")
    assert places(front) == {"A": ("tasks", 0), "A~2": ("tasks", 1), "@1": ("tasks", 2)}


@given(st.lists(st.sampled_from(["", "A", "A~2", "A~3", "@1", "@~2", "~2", "B"])))
def test_keys_are_unique(ids: list[str]) -> None:
    keys = Keys()
    given = [keys.of(name) for name in ids]
    assert len(set(given)) == len(given)
    assert all(given)
    if ids and ids[0]:
        assert given[0] == ids[0]


BOXES = """\
# Progress
## Phase 1: Build
### Tasks
- [x] **API-001: Endpoints** (5 pts) \u2705
  - **Acceptance Criteria:**
    - [x] returns 200
    - [ ] documented
- [ ] `API-002`: Validation \u2192 @python-backend-engineer
  - [/] the small part
- [-] 1.3 Dotted
### Success Criteria
- [ ] fast
### Files
- [ ] a.py
"""


def test_boxes_are_tasks_with_what_belongs_to_them() -> None:
    tasks, criteria = of_boxes(scan(BOXES.encode(), labels=True), "all", checks=True)
    assert [
        (task.key, task.line, task.title, task.raw_status, task.status, task.parent, task.effort, task.assignees)
        for task in tasks
    ] == [
        ("API-001", 4, "Endpoints", "x", "done", "", "5 pts", []),
        ("API-002", 8, "Validation", " ", "todo", "", "", ["python-backend-engineer"]),
        ("@1", 9, "the small part", "/", "in_progress", "API-002", "", []),
        ("1.3", 10, "Dotted", "-", "in_progress", "", "", []),
    ]
    assert tasks[0].acceptance == ["returns 200", "documented"]
    assert {(task.phase, task.section, task.form) for task in tasks} == {("1", "Tasks", "checkbox")}
    assert [(criterion.line, criterion.text, criterion.met) for criterion in criteria] == [
        (6, "returns 200", True),
        (7, "documented", False),
        (12, "fast", False),
        (14, "a.py", False),
    ]


def test_checks_are_tasks_where_all_boxes_are() -> None:
    body = scan(b"## 1. Code\n- [ ] write\n## 2. Verification\n- [ ] look\n")
    assert [task.title for task in of_boxes(body, "", checks=True)[0]] == ["write"]
    assert [task.title for task in of_boxes(body, "", checks=False)[0]] == ["write", "look"]


@pytest.mark.parametrize(
    ("text", "task_id", "title"),
    [
        ("1.1 Create it", "1.1", "Create it"),
        ("T001 [P] Create it", "T001", "[P] Create it"),
        ("**Step 1: Write the test**", "Step 1", "Write the test"),
        ("**TASK-1.2**: Do", "TASK-1.2", "Do"),
        ("[P0-T3] - Do", "P0-T3", "Do"),
        ("QF-1: Do", "QF-1", "Do"),
        ("Task 3: Do", "Task 3", "Do"),
        ("Use Python 3: it is there", "", "Use Python 3: it is there"),
        ("**bold** words", "", "bold words"),
        ("Add 1.5 to it", "", "Add 1.5 to it"),
        ("API-001:", "API-001", "API-001:"),
    ],
)
def test_a_text_may_begin_with_an_id(text: str, task_id: str, title: str) -> None:
    (task,) = of_boxes(scan(f"- [ ] {text}\n".encode()), "", checks=False)[0]
    assert (task.task_id, task.title) == (task_id, title)


def test_criteria_are_not_the_tasks_once_more() -> None:
    body = scan(b"- [x] T-1: again\n- [ ] all tests pass\n")
    task = Task(key="T-1", form="list", line=3, task_id="t-1")
    assert [criterion.text for criterion in criteria_of_boxes(body, [task])] == ["all tests pass"]
    assert len(criteria_of_boxes(body, [])) == 2


def test_boxes_of_questions_are_no_criteria() -> None:
    body = scan(b"## Done when\n- [ ] **All** tests pass\n## Open Questions\n- [ ] Which ones?\n")
    assert [criterion.text for criterion in criteria_of_boxes(body, [])] == ["All tests pass"]


NUMBERS = """\
# Fix it
1. no task
## Solution
1. not this
## Implementation Steps
1. **First** thing \u2192 @ann
   - a detail
2. \u2705 Second thing
```
3. an example
```
- TASK-9: Third
- no id
## Testing
1. run it
"""


@pytest.mark.parametrize(
    ("status", "told"), [(None, "todo"), ("in_progress", "todo"), ("done", "done"), ("deferred", "deferred")]
)
def test_numbered_lines_below_headings_of_work_are_tasks(status: Status | None, told: Status) -> None:
    tasks = of_numbers(scan(NUMBERS.encode()), "", status)
    assert [(task.key, task.line, task.title, task.raw_status, task.status, task.section) for task in tasks] == [
        ("@1", 6, "First thing", "", told, "Implementation Steps"),
        ("@2", 8, "Second thing", "\u2705", "done", "Implementation Steps"),
        ("TASK-9", 12, "Third", "", told, "Implementation Steps"),
    ]


def test_a_line_below_two_headings_of_work_is_one_task() -> None:
    tasks = of_numbers(scan(b"## Tasks\n1. one\n### Tasks\n2. two\n## Tasks\n3. three\n"), "", None)
    assert [task.title for task in tasks] == ["one", "two", "three"]


def test_headings_that_are_numbered_tasks_are_the_last_resort() -> None:
    tasks = of_numbers(
        scan(b"# Task 0: title\n## Tasks\n### Phase-3: No\n### TASK-1: One\n### Task 2: Two\n### Details\n"), "", None
    )
    assert [(task.key, task.line, task.title) for task in tasks] == [("TASK-1", 4, "One"), ("Task 2", 5, "Two")]


@given(st.text(alphabet=st.sampled_from("aZ1.-_*`[]():\u2705 x@>~"), max_size=40))
def test_any_text_of_a_box_is_a_task(text: str) -> None:
    body = scan(f"- [ ] {text}\n".encode())
    tasks, criteria = of_boxes(body, "", checks=False)
    assert len(tasks) + len(criteria) == len(body.boxes)
    assert all(task.key and task.status == "todo" and not re.search(r"\*\*", task.title[:-2]) for task in tasks)


@pytest.mark.parametrize(
    "word", ["1" * 2000, "1." * 1000, "A" * 2000, "A-" * 1000, " " * 1990 + "x", "(1" * 1000, "\u2705" * 600]
)
def test_a_long_word_is_read_at_once(word: str) -> None:
    """What backtracks takes minutes, and runs into the timeout."""
    body = scan(f"- [ ] {word}\n".encode() * 200)
    assert len(of_boxes(body, "", checks=True)[0]) == len(body.boxes)
