from __future__ import annotations

import pytest

from ccdashd.sources.planning import frontmatter, progress
from ccdashd.sources.planning.body import scan
from ccdashd.sources.planning.frontmatter import Frontmatter
from ccdashd.sources.planning.model import Batch


def front(yaml: str) -> Frontmatter:
    return frontmatter.read(f"---\n{yaml}---\n".encode())


def test_batches() -> None:
    values = front("""\
parallelization:
  batch_1: [A, B]
  batch_2: {phase: 2, tasks: [C, D], max_parallel: 2, blocked_by: [batch_1]}
  batch_2_1: [[E, F], {rationale: because}]
  phase_3_batch_1: [G]
  wave2_ui: [A]
  chain: [H]
  critical_path: [A, C]
  estimated_total_time: 5 days
  strategy: all at once
  batch_9: later
""").values
    found = progress.batches(values)
    assert found == [
        Batch(name="batch_1", tasks=["A", "B"]),
        Batch(name="batch_2", tasks=["C", "D"], phase="2", blocked_by=["batch_1"]),
        Batch(name="batch_2_1", tasks=["E", "F"]),
        Batch(name="phase_3_batch_1", tasks=["G"], phase="3"),
        Batch(name="wave2_ui", tasks=["A"]),
        Batch(name="chain", tasks=["H"]),
    ]
    assert progress.by_task(found)["A"] == "batch_1"
    assert progress.batches({"parallelization": "none"}) == []


def test_phases_that_a_plan_announces() -> None:
    data = b"""\
---
wave_plan:
  phases:
  - {id: P1, title: Base, depends_on: []}
  - {id: P2, depends_on: [P1]}
phases:
- phase: 3
  name: Third
- "Phase 4: Fourth"
- 5
- see below
---
# Phase 2 of the plan
## Phase 4: other words
## Phase 6: Sixth
#### Phase 6 Risks
"""
    found = frontmatter.read(data)
    phases = progress.planned_phases(found, scan(data, found.body_start, found.body_line))
    assert [(phase.phase, phase.line, phase.title, phase.depends_on) for phase in phases] == [
        ("P1", 4, "Base", []),
        ("P2", 5, "", ["P1"]),
        ("3", 7, "Third", []),
        ("4", 9, "Fourth", []),
        ("5", 10, "", []),
        ("6", 15, "Sixth", []),
    ]


def test_blockers_in_all_forms() -> None:
    found = progress.blockers(
        front("""\
blockers:
- No network
- {id: B-1, title: Needs auth, severity: high, blocking: [T-1, T-2], resolution: TBD, created: 2026-01-01}
- {id: B-2, title: Needs a key, resolution: Key was given}
- {description: Phase 1 first, blocking_tasks: [T-3], status: active}
- {description: Phase 0 first, status: Resolved}
- Waiting for: the other team
- {title: Gone, resolved: true}
- none
- {title: Reopened, status: open, resolution: Tried a mirror}
- {title: Being solved, resolution: in progress}
""")
    )
    assert [
        (blocker.line, blocker.title, blocker.severity, blocker.raw_status, blocker.open, blocker.tasks)
        for blocker in found
    ] == [
        (3, "No network", "", "", True, []),
        (4, "Needs auth", "high", "", True, ["T-1", "T-2"]),
        (5, "Needs a key", "", "", False, []),
        (6, "Phase 1 first", "", "active", True, ["T-3"]),
        (7, "Phase 0 first", "", "Resolved", False, []),
        (8, "Waiting for: the other team", "", "", True, []),
        (9, "Gone", "", "", False, []),
        (11, "Reopened", "", "open", True, []),
        (12, "Being solved", "", "", True, []),
    ]


@pytest.mark.parametrize(
    ("yaml", "titles"),
    [
        ("blockers: []\n", []),
        ("blockers: none\n", []),
        ("blockers: 0\n", []),
        ("blockers: No network\n", ["No network"]),
        ("blockers: {title: One, severity: low}\n", ["One"]),
        ("blockers:\n  B-1: {title: One}\n  B-2: Two\n", ["One", "B-2: Two"]),
    ],
)
def test_blockers_that_are_no_list(yaml: str, titles: list[str]) -> None:
    found = progress.blockers(front(yaml))
    assert [blocker.title for blocker in found] == titles
    assert all(blocker.open for blocker in found)


def test_criteria_in_all_forms() -> None:
    found = progress.criteria(
        front("""\
success_criteria:
- All tests pass
- {id: SC-1, description: Fast, status: met}
- {id: SC-2, description: Small, status: pending}
- {criterion: Shown, verified: false}
- Coverage: 80 %
quality_gates:
  lint_pass: true
  phase_1:
  - Typed
  speed: below 1 s
quality_gate:
  owner: ann
  passed: true
  criteria: [Renders]
exit_criteria: Merged
""")
    )
    assert [(criterion.line, criterion.text, criterion.id, criterion.raw_status, criterion.met) for criterion in found] == [
        (3, "All tests pass", "", "", None),
        (4, "Fast", "SC-1", "met", True),
        (5, "Small", "SC-2", "pending", False),
        (6, "Shown", "", "false", False),
        (7, "Coverage: 80 %", "", "", None),
        (9, "lint_pass", "", "true", True),
        (11, "Typed", "", "", None),
        (12, "speed: below 1 s", "", "", None),
        (16, "Renders", "", "", True),
        (17, "Merged", "", "", None),
    ]


def test_questions_that_are_open() -> None:
    data = b"""\
---
open_questions:
- Why so?
- {id: OQ-1, question: Which one?, status: open}
- {id: OQ-2, question: Decided?, status: resolved}
---
## Open Questions
- [ ] **Q1**: Is it fast?
- [x] Was it good?
- ~~Is it old?~~
- **A**: Maybe?
- Words alone
- Q2 Name it
- Q3: How many? **Decision**: ten.
- Q4: How long? Decision: TBD
  - inner?
```
- in code?
```
### More
1. And this?
## Other
- Not here?
## Assumptions & Open Questions
- It is so
- Is it so?
"""
    found = frontmatter.read(data)
    assert progress.questions(found.values, scan(data, found.body_start, found.body_line)) == [
        "Why so?",
        "Which one?",
        "Q1: Is it fast?",
        "Q2 Name it",
        "Q4: How long? Decision: TBD",
        "And this?",
        "Is it so?",
    ]


@pytest.mark.parametrize(
    ("yaml", "declared"),
    [
        ("total_tasks: 5\ncompleted_tasks: 3\noverall_progress: 60\n", (5, 3, 60.0)),
        ("total_tasks: '5'\nprogress: 45%\n", (5, None, 45.0)),
        ("completion: '14%'\n", (None, None, 14.0)),
        ("progress: 62.5\n", (None, None, 62.5)),
        ("task_counts: {total_tasks: 3, completed_tasks: 0}\n", (3, 0, None)),
        ("total_tasks: [COUNT]\ncompleted_tasks: many\nprogress: 140\n", (None, None, None)),
        ("total_tasks: -1\nprogress: {phase_1: done}\n", (None, None, None)),
        ("total_tasks: true\n", (None, None, None)),
    ],
)
def test_counters_that_a_file_declares(yaml: str, declared: tuple[int | None, int | None, float | None]) -> None:
    assert progress.declared(front(yaml).values) == declared
