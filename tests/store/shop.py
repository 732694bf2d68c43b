"""A small project with planning files of most kinds, and another one with some of the same names."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from ccdashd.derive.plan_rows import rows_of
from ccdashd.sources.planning import documents
from ccdashd.sources.planning.model import PlanningFile
from ccdashd.store import feature_rows, planning
from ccdashd.store.planning import Changes
from ccdashd.store.schema import entity_tags, projects, tags
from tests.store.plans import cache

SHOP, TILL = "shop-000001", "till-000002"
"""Ids of the projects in a `filled` cache; their roots are ``/work/shop`` and ``/work/shop/till``."""

PRD = "docs/project_plans/PRDs/enhancements/checkout-v1.md"
PLAN = "docs/project_plans/implementation_plans/enhancements/checkout-v1.md"
PHASE_1 = ".claude/progress/checkout/phase-1-progress.md"
PHASE_2 = ".claude/progress/checkout/phase-2-progress.md"
QUICK = ".claude/progress/quick-features/empty-till.md"
LOOSE = "docs/loose.md"
BROKEN = "docs/broken.md"

FILES = {
    "README.md": "# Shop\n\nSells things.\n",
    PRD: """\
---
title: "PRD: Checkout"
doc_type: prd
status: in-progress
feature_slug: checkout-v1
priority: High
category: enhancements
tags: [UI, Payment]
owners: [ada]
related_documents:
  - docs/project_plans/implementation_plans/enhancements/checkout-v1.md
  - docs/gone.md
  - ../outside.md
files_affected: [src/till.py]
---

# Checkout

## Open questions

- Which coins?
""",
    PLAN: """\
---
title: Checkout Plan
doc_type: implementation_plan
status: draft
feature_slug: checkout-v1
prd_ref: docs/project_plans/PRDs/enhancements/checkout-v1.md
---

# Checkout Plan

## Phase 1: Count

## Phase 2: Pay

## Phase 3: Refund
""",
    PHASE_1: """\
---
type: progress
prd: checkout-v1
phase: 1
phase_title: Count
status: completed
started: 2026-02-01
completed_tasks: 2
total_tasks: 2
tasks:
  - id: T1-001
    title: Count the coins
    description: All of them, also pennies
    status: completed
    priority: critical
    assigned_to: [ada, bob]
    estimate: 2 pts
    files: [src/till.py]
  - id: T1-002
    title: Count the notes
    status: pending
    priority: low
    dependencies: [T1-001, T9-999]
success_criteria:
  - {id: S1, description: Sums are right, status: met}
---

# Phase 1
""",
    PHASE_2: """\
---
type: progress
prd: checkout-v1
phase: 2
status: in_progress
tasks:
  - id: T2-001
    title: Pay
    status: blocked
    priority: high
    dependencies: [T1-002]
  - id: T1-001
    title: The same id again
    status: in_progress
    priority: medium
blockers:
  - title: No card reader
    severity: high
    blocking_tasks: [T2-001]
---

# Phase 2
""",
    QUICK: """\
---
type: quick-feature
status: completed
feature: empty-till
---

# Empty the till

- [x] Open it
  - [x] Find the key
- [ ] Count it
""",
    LOOSE: "---\ntype: report\ntasks:\n  - title: Sweep the floor 100%\n    status: someday\n---\n\n# Loose ends\n",
    BROKEN: "---\ntitle: Broken\nstatus: deferred\nnotes: - `a` is: b\nbad: [1\n---\n\n# Broken\n",
}


OTHER = {
    "README.md": "# Till\n",
    "docs/project_plans/PRDs/checkout.md": "---\ntitle: Other checkout\nstatus: deferred\npriority: P3\n---\n",
}


def write(root: Path, files: Mapping[str, str] = FILES) -> Path:
    """Make a project at `root`."""
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


@contextmanager
def filled() -> Iterator[sa.Connection]:
    """A connection of a cache with both projects. Files were written a second after each other."""
    with cache() as connection:
        for id, root, files in ((SHOP, "/work/shop", FILES), (TILL, "/work/shop/till", OTHER)):
            values = {"id": id, "root": root, "name": os.path.basename(root), "origin": "discovered", "hidden": False}
            connection.execute(sa.insert(projects).values(**values))
            store(connection, id, files)
        yield connection


def tag(connection: sa.Connection, type: str, id: str) -> None:
    """Give an entity the tag ``Later``."""
    connection.execute(sa.insert(tags).values(name="Later", color=""))
    connection.execute(sa.insert(entity_tags).values(entity_type=type, entity_id=id, tag="Later"))


def store(connection: sa.Connection, project_id: str, files: Mapping[str, str], seconds: int = 0) -> None:
    """Read files of a project, the first of them written so many seconds after the epoch."""
    changes = Changes()
    planning.store(
        connection,
        project_id,
        [rows_of(project_id, _read(path, text, seconds + place)) for place, (path, text) in enumerate(files.items())],
        changes,
    )
    feature_rows.rebuild(connection, project_id, changes)


def _read(path: str, text: str, seconds: int) -> PlanningFile:
    data = text.encode()
    document = documents.read(path, data)
    return PlanningFile(path=path, size=len(data), mtime_ns=seconds * 10**9, inode=1, hash="00", document=document)
