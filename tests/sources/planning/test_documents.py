from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdashd.sources.planning import documents
from ccdashd.sources.planning.model import STATUSES, Document, Slug

PROGRESS = ".claude/progress/auth-v1/phase-2-progress.md"

FILE = b"""\
---
type: progress
doc_type: progress
schema_version: 2
feature_slug: auth
prd: auth-v1
plan_ref: docs/project_plans/implementation_plans/features/auth-v1.md
phase: 2
phase_title: API
status: in-progress
created: 2026-01-05
updated: '2026-01-06'
owners: [ann, bob]
tags: [api]
priority: high
effort_estimate: 5 pts
total_tasks: 2
completed_tasks: 1
overall_progress: 50%
commit_refs: [4024200, 1234e56]
pr_refs: ['#12']
session_id: 0b5a1c3e-1111-4222-8333-0123456789ab
files_modified: ["src/auth.py (NEW)", {path: src/api.py}]
supersedes: auth-v0
lineage_parent: auth-v0
tasks:
- {id: T-1, title: One, status: completed, commit: abcdef1}
- {id: T-2, title: Two, status: pending}
parallelization:
  batch_1: [T-1, T-2]
success_criteria:
- All tests pass
blockers:
- No network
---
# Phase 2: API

See `docs/adr/one.md`.

- [x] T-1: One
- [ ] **All tests pass**
- [ ] It is fast
"""


def test_a_progress_file_is_read_whole() -> None:
    document = documents.read(PROGRESS, FILE)
    said = msgspec.structs.asdict(document)
    assert {key: said[key] for key in EXPECTED} == EXPECTED
    assert document.slugs == [
        Slug(slug="auth", source="feature_slug"),
        Slug(slug="auth-v1", source="prd"),
    ]
    assert [(task.key, task.status, task.phase, task.batch, task.line) for task in document.tasks] == [
        ("T-1", "done", "2", "batch_1", 27),
        ("T-2", "todo", "2", "batch_1", 28),
    ]
    assert [(criterion.text, criterion.line, criterion.met) for criterion in document.criteria] == [
        ("All tests pass", 32, None),
        ("It is fast", 42, False),
    ]
    assert [blocker.title for blocker in document.blockers] == ["No network"]
    assert [(ref.field, ref.path, ref.line) for ref in document.refs] == [
        ("plan_ref", "docs/project_plans/implementation_plans/features/auth-v1.md", 7),
        ("body", "docs/adr/one.md", 38),
    ]
    assert document.frontmatter["commit_refs"] == [4024200, "1234e56"]
    assert document.findings == []


EXPECTED = {
    "path": PROGRESS,
    "doc_type": "progress",
    "raw_type": "progress",
    "title": "Phase 2: API",
    "raw_status": "in-progress",
    "status": "in_progress",
    "status_line": 10,
    "status_in_text": False,
    "has_frontmatter": True,
    "recovered": False,
    "phase": "2",
    "phase_title": "API",
    "owners": ["ann", "bob"],
    "tags": ["api"],
    "priority": "high",
    "effort": "5 pts",
    "created": "2026-01-05",
    "updated": "2026-01-06",
    "declared_total": 2,
    "declared_completed": 1,
    "declared_progress": 50.0,
    "commits": ["4024200", "1234e56", "abcdef1"],
    "prs": ["#12"],
    "session_ids": ["0b5a1c3e-1111-4222-8333-0123456789ab"],
    "files": ["src/auth.py", "src/api.py"],
    "supersedes": ["auth-v0"],
    "lineage_parent": "auth-v0",
    "headings": [(36, 1, "Phase 2: API")],
}


def test_line_ends_and_a_byte_order_mark_change_no_line() -> None:
    plain = documents.read(PROGRESS, FILE)
    other = documents.read(PROGRESS, b"\xef\xbb\xbf" + FILE.replace(b"\n", b"\r\n"))
    assert msgspec.json.encode(other) == msgspec.json.encode(plain)


def test_tasks_of_a_repaired_file_are_told_apart() -> None:
    document = documents.read(PROGRESS, FILE.replace(b"- All tests pass", b"- `pytest` passes"))
    assert document.recovered
    assert [task.recovered for task in document.tasks] == [True, True]
    assert [finding.line for finding in document.findings] == [32]


@pytest.mark.parametrize(
    ("text", "raw", "status", "line"),
    [
        (b"# X\n\n**Status**: Draft - for review\n", "Draft - for review", "todo", 3),
        (b"# X\n- **Status:** COMPLETE \xe2\x9c\x85\n## Y\n", "COMPLETE \u2705", "done", 2),
        (b"# X\n## Status: completed\n", "completed", "done", 2),
        (b"# X\n**Overall Status**: In Progress\n", "In Progress", "in_progress", 2),
        (b"# X\n## Phase 1\n**Status**: done\n", "", None, 0),
        (b"# X\n```\nStatus: done\n```\n", "", None, 0),
        (b"# X\nThe Status: done\n", "", None, 0),
    ],
)
def test_a_status_may_stand_in_the_text(text: bytes, raw: str, status: str | None, line: int) -> None:
    document = documents.read("docs/PRDs/x.md", text)
    assert (document.raw_status, document.status, document.status_line) == (raw, status, line)
    assert document.status_in_text == bool(raw)
    assert documents.read("docs/notes/x.md", text).status is None, "of other documents only their frontmatter has one"


@pytest.mark.parametrize(
    ("front", "status", "codes"),
    [
        (b"status: done", "done", []),
        (b"status: banana", "unknown", [("unknown-status", "warning", 2)]),
        (b"status: [a]", None, [("unknown-status", "warning", 2)]),
        (b"status:", None, []),
        (b"title: x", None, []),
    ],
)
def test_a_status_that_is_not_known_is_told(front: bytes, status: str | None, codes: list[tuple[str, str, int]]) -> None:
    document = documents.read("docs/notes/x.md", b"---\n" + front + b"\n---\n")
    assert document.status == status
    assert [(finding.code, finding.severity, finding.line) for finding in document.findings] == codes


@pytest.mark.parametrize(
    ("front", "title"),
    [
        (b"---\ntitle: Told\nname: n\n---\n## First\n# Top\n", "Told"),
        (b"## Why\n### Now\n## What changes\n", "my-file"),
        (b"### Aside\n## Why\n", "my-file"),
        (b"## All\n### One\n### Two\n", "All"),
        (b"---\nname: pdf\n---\n# Top\n", "pdf"),
        (b"## First\n# **Top**\n", "Top"),
        (b"---\nfeature: The Feature\n---\n## First\n", "The Feature"),
        (b"## First\n", "First"),
        (b"", "my-file"),
    ],
)
def test_a_title_is_found(front: bytes, title: str) -> None:
    assert documents.read("docs/my-file.md", front).title == title


@pytest.mark.parametrize(
    ("front", "slugs"),
    [
        (b"prd: docs/PRDs/auth-v1.md", [("auth-v1", "prd"), ("dark-mode", "path")]),
        (b"prd: null\nfeature: A title of words", [("dark-mode", "path")]),
        (b"feature: Auth-v1\nfeature_slug: auth-v1", [("auth-v1", "feature_slug"), ("dark-mode", "path")]),
        (b"prd_ref: /docs/PRDs/a.md#x\nplan_ref: docs/b.md", [("a", "prd_ref"), ("b", "plan_ref"), ("dark-mode", "path")]),
        (b"prd: '[PRD_ID]'\nfeature_slug: 2026", [("dark-mode", "path")]),
    ],
)
def test_features_are_named_in_order_of_trust(front: bytes, slugs: list[tuple[str, str]]) -> None:
    document = documents.read(".claude/progress/quick-features/dark-mode.md", b"---\n" + front + b"\n---\n")
    assert [(slug.slug, slug.source) for slug in document.slugs] == slugs


@pytest.mark.parametrize(
    ("path", "front", "phase"),
    [
        (PROGRESS, b"phase: 2.5", "2.5"),
        (PROGRESS, b"phase: 1-2", "1-2"),
        (PROGRESS, b"phase: M1", "M1"),
        (PROGRESS, b"phase: all", "all"),
        (PROGRESS, b"phase: Phase 3", "3"),
        (PROGRESS, b"phase: [3, 5]", "3-5"),
        (PROGRESS, b"phase: null", "2"),
        (".claude/progress/auth-v1/all-phases-progress.md", b"a: b", "all"),
        ("docs/PRDs/phase-1-auth.md", b"a: b", ""),
    ],
)
def test_a_phase_is_told_or_follows_from_the_path(path: str, front: bytes, phase: str) -> None:
    assert documents.read(path, b"---\n" + front + b"\n---\n").phase == phase


def test_boxes_are_what_the_kind_of_document_makes_of_them() -> None:
    boxes = b"# X\n- [x] one\n- [ ] two\n"
    for path in (
        PROGRESS,
        ".claude/plans/x.md",
        "TODO.md",
        "docs/superpowers/plans/2026-08-09-x.md",
        "openspec/changes/x/tasks.md",
    ):
        document = documents.read(path, boxes)
        assert ([task.status for task in document.tasks], document.criteria) == (["done", "todo"], []), path
    for path in ("docs/PRDs/x.md", "docs/implementation_plans/x.md", "specs/001-x/spec.md"):
        document = documents.read(path, boxes)
        assert ([criterion.met for criterion in document.criteria], document.tasks) == ([True, False], []), path
    document = documents.read("docs/notes/x.md", boxes)
    assert (document.tasks, document.criteria) == ([], [])
    assert [(finding.code, finding.severity, finding.line) for finding in document.findings] == [
        ("boxes-not-read", "info", 2)
    ]
    assert documents.read(".claude/skills/x/SKILL.md", boxes).findings == []


def test_examples_in_templates_are_no_tasks() -> None:
    document = documents.read(".claude/skills/plan/templates/progress-template.md", FILE)
    assert (document.doc_type, document.tasks, document.slugs) == ("template", [], [])
    assert [(finding.code, finding.line) for finding in document.findings] == [("tasks-not-read", 26)]


def test_tables_of_tasks_are_told_not_read() -> None:
    table = b"# X\n| ID | Task | Status |\n|----|:----:|--------|\n| T-1 | One | done |\n"
    document = documents.read(PROGRESS, table)
    assert [(finding.code, finding.line) for finding in document.findings] == [("tasks-not-read", 2)]
    assert documents.read(PROGRESS, table + b"- [ ] T-1: One\n").findings == []
    assert documents.read(PROGRESS, b"```\n" + table + b"```\n").findings == []


def test_a_small_feature_has_numbered_tasks_where_it_has_no_boxes() -> None:
    path = ".claude/progress/quick-features/dark-mode.md"
    document = documents.read(path, b"**Status**: completed\n## Steps\n1. One\n## Completion Criteria\n- [x] It works\n")
    assert [(task.form, task.key, task.status) for task in document.tasks] == [("numbered", "@1", "done")]
    assert [criterion.text for criterion in document.criteria] == ["It works"]
    document = documents.read(path, b"## Steps\n1. One\n## Tasks\n- [ ] Two\n")
    assert [(task.form, task.title) for task in document.tasks] == [("checkbox", "Two")]


PIECES = st.sampled_from(
    [
        "---\n",
        "tasks:\n",
        "- id: A\n",
        "  status: done\n",
        "status: x\n",
        "phase: [1, 2]\n",
        "blockers: {a: b}\n",
        "success_criteria:\n- a: b\n",
        "parallelization: {batch_1: [A]}\n",
        "related: [x.md]\n",
        "wave_plan: {phases: [{id: 1}]}\n",
        "open_questions: [why?]\n",
        "# Phase 1: A\n",
        "## Tasks\n",
        "## Open Questions\n",
        "- [ ] T-1: a\n",
        "  - [x] b\n",
        "1. c\n",
        "```\n",
        "| id | status |\n|--|--|\n",
        "[a](b.md) `c.md`\n",
        "**Status**: done\n",
        "\u2028\x85\x00\ud7ff\U0010ffff\n",
    ]
)
PATHS = st.sampled_from(
    [PROGRESS, ".claude/progress/quick-features/x.md", "docs/PRDs/x.md", "TODO.md", "x.md", "specs/001-x/plan.md"]
)


@settings(max_examples=300)
@given(PATHS, st.lists(PIECES, max_size=25).map("".join))
def test_any_text_is_read(path: str, text: str) -> None:
    check(documents.read(path, text.encode()), text.count("\n") + 1)


@given(PATHS | st.text(min_size=1), st.binary(max_size=300), st.booleans())
def test_any_bytes_are_read(path: str, data: bytes, front: bool) -> None:
    data = b"---\n" + data + b"\n---\n" if front else data
    check(documents.read(path, data), data.count(b"\n") + 1)


def check(document: Document, lines: int) -> None:
    """What holds for every document that was read."""
    keys = [task.key for task in document.tasks]
    assert len(set(keys)) == len(keys)
    known = {*keys, ""}
    for task in document.tasks:
        assert task.parent in known
        assert task.status in STATUSES
        assert 1 <= task.line <= lines
    for found in (*document.criteria, *document.blockers, *document.refs, *document.phases, *document.findings):
        assert 1 <= found.line <= lines
    assert document.title
    assert 0 <= document.status_line <= lines
    encoded = msgspec.json.encode(document)
    assert msgspec.json.encode(msgspec.json.decode(encoded, type=Document)) == encoded
