"""Planning files of two made-up projects, with something of everything that the pages show."""

from __future__ import annotations

import json
from pathlib import Path

SESSION = "0c0ffee0-1111-4222-8333-444455556666"

PRD = """\
---
title: Checkout
doc_type: prd
status: draft
feature_slug: checkout
priority: high
category: features
owner: ann
tags: [money]
description: "Let people pay. \\e]0;gotcha\\aThey want to."
---
# Checkout

## Open questions
- Which cards do we take?
"""

PLAN = """\
---
title: Checkout plan
doc_type: implementation_plan
status: draft
feature_slug: checkout
prd_ref: docs/project_plans/PRDs/checkout-v1.md
related_documents: [docs/nowhere.md]
---
# Checkout plan
"""

PHASE_1 = """\
---
type: progress
prd: checkout
phase: 1
phase_title: Basket
status: completed
tasks:
  - {id: T1-001, title: Count things, status: completed}
---
"""

PHASE_2 = """\
---
type: progress
prd: checkout
phase: 2
phase_title: Payment
status: in_progress  # since Monday
updated: 2026-01-02
total_tasks: 3
completed_tasks: 2
tasks:
  - id: "T2-001"
    title: Take cards
    description: All of the large ones.
    status: completed
    assigned_to: [ann]
    priority: high
  - id: T2-002
    title: Give change
    status: pending
    dependencies: [T2-001]
    assigned_to: [bob]
    estimate: 2 pts
  - {id: T2-003, title: Print receipts, status: blocked, dependencies: [T2-001]}
blockers:
  - {title: The printer is broken, severity: high, status: open}
success_criteria:
  - {id: SC-1, description: Nobody pays twice, status: pending}
---
"""

BARE = """\
---
title: Refunds
doc_type: prd
status: approved
---
# Refunds
"""

BROKEN = """\
---
title: Notes
type: report
summary: - `backticks` begin: it
---
# Notes
"""

SHOP = {
    "docs/project_plans/PRDs/checkout-v1.md": PRD,
    "docs/project_plans/PRDs/refunds.md": BARE,
    "docs/project_plans/implementation_plans/checkout-v1.md": PLAN,
    "docs/project_plans/reports/notes.md": BROKEN,
    ".claude/progress/checkout/phase-1-progress.md": PHASE_1,
    ".claude/progress/checkout/phase-2-progress.md": PHASE_2,
}


def write(root: Path, files: dict[str, str]) -> None:
    """Put files into a folder, which git knows."""
    (root / ".git").mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)


def feature(slug: str) -> dict[str, str]:
    """The files of another feature: as that of the shop, by another name."""
    files = {path: text for path, text in SHOP.items() if "checkout" in path}
    return {path.replace("checkout", slug): text.replace("checkout", slug) for path, text in files.items()}


def write_session(home: Path, root: Path, session: str = SESSION) -> None:
    """The log of a session that worked on the checkout."""
    log = home / f".claude/projects/-{root.name}" / f"{session}.jsonl"
    log.parent.mkdir(parents=True)
    command = "<command-name>/dev:execute-phase</command-name>\n<command-args>2 {}</command-args>"
    common = {"sessionId": session, "cwd": str(root), "timestamp": "2026-01-02T10:00:00.000Z", "version": "2.1.0"}
    usage = {"input_tokens": 1000, "output_tokens": 500}
    records = [
        {"type": "user", "message": {"role": "user", "content": command.format(next(iter(SHOP)))}},
        {
            "type": "assistant",
            "message": {"id": "m1", "role": "assistant", "model": "model-1", "content": [], "usage": usage},
        },
    ]
    lines = [json.dumps({**common, "uuid": f"u{number}", **record}) for number, record in enumerate(records)]
    log.write_text("\n".join(lines) + "\n")
