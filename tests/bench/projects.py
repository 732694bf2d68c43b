"""A project of planning files, made up: the same bytes for the same number of features.

Its shapes, their share and their sizes follow a real project of 1,540 files: for each feature a PRD, a plan, plans of
phases and a folder of progress files; quick features, notes, and many files without frontmatter.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

FEATURES = 112
"""Features of a project of full size: 1,540 files of 18 MB."""

STATUSES = ("completed",) * 15 + ("pending",) * 4 + ("in-progress", "deferred", "complete", "blocked", "Ready for Phase 1")
PEOPLE = ("backend", "frontend", "docs", "tests")
_THINGS = "till stock voucher rental route ticket sensor shelf ledger invoice map photo queue label season"
_DEEDS = "search import export sync history report editor filter cache dialog sharing alerts"
_WORDS = """a the of to and each every no one all when before after where which list row file user page test field date
button order answer query table server folder change name value check draft error message reader writer index entry
begins ends holds shows keeps loses opens closes reads writes finds counts sends waits fails works slowly twice again
later offline small large empty broken plain known unknown sorted"""
THINGS, DEEDS, WORDS = _THINGS.split(), _DEEDS.split(), _WORDS.split()
BROKEN = (
    "note: the answer: it is not quoted",
    "checks:\n  - `make check` passes",
    'summary: "Offline" sync of all shelves',
)
"""What people write that is no YAML; each is repaired when it is read, and loses no task."""


@dataclass
class Project:
    """What was written, and the truth about it."""

    root: Path
    files: list[Path] = field(default_factory=list)
    bytes: int = 0
    frontmatter: int = 0
    """Files with frontmatter."""
    tasks: Counter[str] = field(default_factory=Counter)
    """How many, by the form that they have in their file."""
    broken: int = 0
    progress: list[Path] = field(default_factory=list)
    """Whole files of one phase, whose first line with a status is that of the file."""


def generate(root: Path, features: int = FEATURES) -> Project:
    """Write a project with that many features, and others of its files in proportion, to a folder that is made anew."""
    shutil.rmtree(root, ignore_errors=True)
    return _Writer(Project(root), Random(features)).write(features)


class _Writer:
    def __init__(self, project: Project, dice: Random) -> None:
        self._project = project
        self._dice = dice
        self._text = "".join(self._paragraph() for _ in range(400))

    def write(self, features: int) -> Project:
        for number in range(features):
            self._feature(number, number < max(1, features * 9 // FEATURES))
        for number in range(features * 62 // FEATURES):
            self._quick_feature(number, plain=number % 3 == 0)
        folders = (
            ".claude/context",
            ".claude/skills/stock",
            "docs/guides",
            "docs/project_plans/reports",
            ".claude/worknotes",
        )
        for number in range(features * 610 // FEATURES):
            folder = folders[number % len(folders)]
            self._file(f"{folder}/part-{number // 40}/{self._name(number)}.md", None, self._body(self._size(11_500)))
        for name in ("README", "CLAUDE", "CHANGELOG"):
            self._file(f"{name}.md", None, self._body(5_000))
        return self._project

    def _feature(self, number: int, broken: bool) -> None:
        slug, dice = f"{self._name(number)}-{number}", self._dice
        plans = "docs/project_plans/implementation_plans/features"
        prd, plan = f"docs/project_plans/PRDs/features/{slug}-v1.md", f"{plans}/{slug}.md"
        about = [f"feature_slug: {slug}", f"priority: {dice.choice(('high', 'medium', 'low'))}", "owners: [ada]"]
        if number % 5:
            refs = [f"plan_ref: {plan}", f"related_documents: [{plan}]", "created: 2026-01-0" + str(number % 9 + 1)]
            self._file(
                prd, ["doc_type: prd", self._title(slug), self._status(), *about, *refs], self._body(self._size(20_000))
            )
        refs = [f"prd_ref: {prd}", "commit_refs: [4024200, 1a2b3c4]", "effort_estimate: 8 pts"]
        head = ["doc_type: implementation_plan", self._title(slug), self._status(), *about, *refs]
        self._file(plan, head, self._body(self._size(16_000), boxes=60))
        phases = dice.randint(1, 7)
        for phase in range(1, phases + 1):
            if phase % 3 == 1 and number % 2:
                head = ["doc_type: phase_plan", self._title(slug), self._status(), f"phase: {phase}", f"plan_ref: {plan}"]
                self._file(f"{plans}/{slug}/phase-{phase}-work.md", head, self._body(self._size(14_000), boxes=60))
            large = phase == 1 and number % 40 == 0
            self._progress(slug, prd, phase, 140 if large else dice.randint(2, 8), broken and phase == 1)
        head = ["type: context", f"prd: {slug}", "status: active", "gotchas:", *(f"  - {self._line()}" for _ in range(4))]
        self._file(f".claude/worknotes/{slug}/context.md", head, self._body(self._size(9_000)))

    def _progress(self, slug: str, prd: str, phase: int, count: int, broken: bool) -> None:
        dice, ids = self._dice, [f"T{phase}-{n:03}" for n in range(1, count + 1)]
        statuses = [dice.choice(STATUSES) for _ in ids]
        done = sum(status.startswith("complete") for status in statuses)
        head = ["type: progress", "schema_version: 2", "doc_type: progress", f'prd: "{slug}"', f"feature_slug: {slug}"]
        head += [f"prd_ref: {prd}", f"phase: {phase}", self._title(slug), self._status(), "started: 2026-01-05"]
        head += [f"total_tasks: {count}", f"completed_tasks: {done}", f"overall_progress: {100 * done // count}"]
        form = dice.choices(("list", "flow", "map"), (30, 5, 1))[0] if count < 100 else "list"
        head.append("tasks:")
        for name, status in zip(ids, statuses, strict=True):
            if form == "list":
                head += [f'  - id: "{name}"', f'    title: "{self._line()}"', f'    status: "{status}"']
                head.append(f'    description: "{self._line()}: {self._line()}"')
                head += [f'    assigned_to: ["{dice.choice(PEOPLE)}"]', f'    dependencies: ["{dice.choice(ids)}"]']
                head += [f'    estimated_effort: "{dice.randint(1, 8)}h"', "    priority: high"]
            else:
                what = f'{{title: "{self._line()}", status: {status}, estimate: 2h}}'
                head.append(f"  {name}: {what}" if form == "map" else f"  - {{id: {name}, {what[1:]}")
        self._project.tasks["map" if form == "map" else "list"] += count
        head += ["parallelization:", f"  batch_1: [{', '.join(ids)}]", "blockers: []", "success_criteria:"]
        head += [f'  - "{self._line()}"' for _ in range(5)]
        head += ["files_modified:", *(f"  - src/{dice.choice(THINGS)}/{dice.choice(DEEDS)}.py (NEW)" for _ in range(4))]
        if broken:
            head.append(BROKEN[self._project.broken % len(BROKEN)])
            self._project.broken += 1
        path = self._file(f".claude/progress/{slug}/phase-{phase}-progress.md", head, self._body(self._size(6_000)))
        if not broken and count < 100:
            self._project.progress.append(path)

    def _quick_feature(self, number: int, plain: bool) -> None:
        boxes = number % 2 == 0
        steps = [f"- [{'x' if n < 3 else ' '}] {self._line()}" if boxes else f"{n}. {self._line()}" for n in range(1, 7)]
        self._project.tasks["checkbox" if boxes else "numbered"] += len(steps)
        text = "\n".join(
            [f"# {self._name(number)}", "", "## Tasks" if boxes else "## Implementation Steps", "", *steps, ""]
        )
        head = None if plain else ["type: quick-feature", self._status(), f"files_affected: [src/{number}.py]"]
        self._file(f".claude/progress/quick-features/quick-{self._name(number)}-{number}.md", head, text)

    def _file(self, place: str, head: list[str] | None, body: str) -> Path:
        path = self._project.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        front = "" if head is None else "\n".join(["---", *head, "---", "", ""])
        data = (front + body).encode()
        path.write_bytes(data)
        self._project.files.append(path)
        self._project.bytes += len(data)
        self._project.frontmatter += head is not None
        return path

    def _size(self, mean: int) -> int:
        return int(mean * self._dice.choice((0.3, 0.6, 0.8, 1.0, 1.1, 2.2)))

    def _body(self, size: int, boxes: int = 0) -> str:
        begin = self._dice.randrange(len(self._text))
        parts = [f"# {self._line()}\n\n", *(f"- [ ] {self._line()}\n" for _ in range(boxes))]
        parts.append(self._text[begin : begin + size])
        return "".join(parts) + self._text[: size - len(parts[-1])] + "\n"

    def _paragraph(self) -> str:
        lines = [f"\n## {self._line()}\n"] + [f"{self._line()} {self._line()}" for _ in range(6)]
        lines += [f"| {self._line()} | {self._line()} |", "", f"- {self._line()}", f"- {self._line()}", ""]
        if self._dice.random() < 0.1:
            lines += [f"See [the guide](docs/guides/part-0/{self._name(self._dice.randrange(40))}.md).", ""]
        if self._dice.random() < 0.2:
            lines += ["```python", f"{self._dice.choice(THINGS)} = {self._dice.randint(1, 99)}", "```", ""]
        return "\n".join(lines)

    def _line(self) -> str:
        return " ".join(self._dice.choices(WORDS, k=9)).capitalize()

    def _name(self, number: int) -> str:
        return f"{THINGS[number % len(THINGS)]}-{DEEDS[number // len(THINGS) % len(DEEDS)]}"

    def _title(self, slug: str) -> str:
        return f'title: "{slug.replace("-", " ").capitalize()}"'

    def _status(self) -> str:
        return f"status: {self._dice.choice(STATUSES)}"


def change(path: Path, data: bytes, *, rename: bool) -> None:
    """Write a file as editors do: in place, or another one that takes its name."""
    target = path.with_name(path.name + ".new") if rename else path
    target.write_bytes(data)
    if rename:
        os.replace(target, path)
