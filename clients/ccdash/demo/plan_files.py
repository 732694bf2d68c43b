"""The planning files of the made-up projects: PRDs, plans, progress, quick features and notes, as people have them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from posixpath import basename

from ccdash.demo.features import PLANS, Feature, Phase, State

WORDS: dict[State, str] = {
    "todo": "pending",
    "in_progress": "in_progress",
    "review": "review",
    "done": "completed",
    "blocked": "blocked",
    "deferred": "deferred",
}
"""What progress files say."""

MARKS: dict[State, str] = {"todo": " ", "in_progress": "/", "done": "x", "blocked": "!", "deferred": ">"}
"""What boxes say; they have no sign for a review."""

CLOSED = ("done", "deferred")
BROKEN = "`just sync-test` passes on two devices"
"""A plain text that YAML does not take: it begins with a backtick."""


@dataclass(frozen=True)
class Told:
    """What happened to a feature, for its files to tell: days as ISO dates, the session that executed its current phase,
    and its commit; empty where nothing did."""

    created: str
    updated: str
    session_id: str = ""
    commit: str = ""

    def completed(self, feature: Feature, phase: int, number: int) -> str:
        """When a task that is done or deferred became so: they did one after the other."""
        closed = [
            (at, row)
            for at, each in enumerate(feature.phases, 1)
            for row, (state, _) in enumerate(each.tasks, 1)
            if state in CLOSED
        ]
        first, last = date.fromisoformat(self.created), date.fromisoformat(self.updated)
        passed = (last - first).days * (1 + closed.index((phase, number))) // len(closed)
        return (first + timedelta(passed)).isoformat()


@dataclass(frozen=True)
class PlanFile:
    """A file of a project, by its path there. `slug` is the feature that it belongs to, empty where to none."""

    path: str
    text: str
    slug: str = ""


def of_feature(feature: Feature, told: Told) -> Iterator[PlanFile]:
    """All files of a feature. Quick features have one."""
    if feature.form == "quick":
        yield PlanFile(feature.prd, _quick(feature, told), feature.slug)
        return
    yield PlanFile(feature.prd, _prd(feature, told), feature.slug)
    yield PlanFile(feature.plan, _plan(feature, told), feature.slug)
    if feature.form == "map":
        yield PlanFile(feature.progress(1), _all_phases(feature, told), feature.slug)
        return
    for number, phase in enumerate(feature.phases, 1):
        yield PlanFile(feature.progress(number), _progress(feature, phase, number, told), feature.slug)
        if feature.phase_plans:
            name = phase.title.lower().replace(" ", "-")
            path = f"{feature.plan.removesuffix('.md')}/phase-{number}-{name}.md"
            yield PlanFile(path, _phase_plan(feature, phase, number, told), feature.slug)


def task(feature: Feature, phase: int, number: int, state: State, told: Told) -> str:
    """The lines of one task in the frontmatter of a progress file."""
    title, task_id = feature.phases[phase - 1].tasks[number - 1][1], feature.task_id(phase, number)
    if feature.form == "map":
        return f'  {task_id}: {{title: "{title}", phase: {phase}, status: {WORDS[state]}, estimate: {number} pts}}\n'
    text = f'- id: "{task_id}"\n  title: "{title}"\n  status: {WORDS[state]}\n  estimate: {1 + number % 3} pts\n'
    if number > 1:
        text += f'  dependencies: ["{feature.task_id(phase, number - 1)}"]\n'
    if number == 1 and phase == feature.current and told.session_id:
        text += f"  session_id: {told.session_id}\n"
    if state == "done":
        text += f"  completed_at: '{told.completed(feature, phase, number)}'\n"
    return text


def _head(feature: Feature, told: Told, kind: str, word: str, title: str, more: str = "") -> str:
    return (
        f'---\ntitle: "{title}"\nschema_version: 2\ndoc_type: {kind}\nstatus: {word}\ncreated: {told.created}\n'
        f"updated: {told.updated}\nfeature_slug: {feature.slug}\n{more}---\n\n"
    )


def _prd(feature: Feature, told: Told) -> str:
    more = f"plan_ref: {feature.plan}\npriority: {feature.priority}\ncategory: {feature.category}\n"
    more += f"tags: [{basename(feature.root)}, {feature.category}]\n"
    wanted = "".join(
        f"- [{'x' if state in CLOSED else ' '}] {title}\n" for phase in feature.phases for state, title in phase.tasks
    )
    text = _head(feature, told, "prd", feature.word, f"PRD: {feature.title}", more)
    text += f"# {feature.title}\n\n## Goal\n\n{feature.goal}\n\n## Acceptance criteria\n\n{wanted}"
    return text + (f"\n## Open questions\n\n- {feature.question}\n" if feature.question else "")


def _plan(feature: Feature, told: Told) -> str:
    text = _head(
        feature, told, "implementation_plan", _plan_word(feature), f"Plan: {feature.title}", f"prd_ref: {feature.prd}\n"
    )
    text += f"# Plan: {feature.title}\n\n{feature.goal}\n"
    for number, phase in enumerate(feature.phases, 1):
        rows = "".join(f"| {feature.task_id(number, row)} | {title} |\n" for row, (_, title) in enumerate(phase.tasks, 1))
        text += f"\n## Phase {number}: {phase.title}\n\n| Task | What |\n|---|---|\n{rows}"
    return text


def _plan_word(feature: Feature) -> str:
    return "completed" if feature.state == "done" else "draft" if feature.state == "todo" else "approved"


def _phase_plan(feature: Feature, phase: Phase, number: int, told: Told) -> str:
    more = f'phase: {number}\nphase_title: "{phase.title}"\n'
    text = _head(feature, told, "phase_plan", WORDS[phase.state], f"Phase {number}: {phase.title}", more)
    steps = "".join(f"{row}. {title}\n" for row, (_, title) in enumerate(phase.tasks, 1))
    return f"{text}# Phase {number}: {phase.title}\n\n## Steps\n\n{steps}"


def _progress(feature: Feature, phase: Phase, number: int, told: Told) -> str:
    states = [state for state, _ in phase.tasks]
    done, total = states.count("done"), len(states)
    if phase.flaw == "open":  # they ticked it off without looking
        done = total
    commits = f"[{told.commit}]" if told.commit and number == feature.current else "[]"
    text = (
        f'---\ntype: progress\nprd: "{feature.slug}-v1"\nfeature_slug: {feature.slug}\nphase: {number}\n'
        f'title: "{phase.title}"\nstatus: {WORDS[phase.state]}   # of the phase\nupdated: {told.updated}\n'
        f"total_tasks: {total}\ncompleted_tasks: {done}\nprd_ref: {feature.prd}\nplan_ref: {feature.plan}\n"
        f"commit_refs: {commits}\ntasks:\n"
    )
    text += "".join(task(feature, number, row, state, told) for row, state in enumerate(states, 1))
    ids = ", ".join(f'"{feature.task_id(number, row)}"' for row in range(1, total + 1))
    text += f"parallelization:\n  batch_1: [{ids}]\nsuccess_criteria:\n"
    text += f"- {BROKEN if phase.flaw == 'broken' else 'All tests pass'}\n- Documented in README.md\n---\n\n"
    return f"{text}# {feature.title}: phase {number}\n\n{feature.goal}\n"


def _all_phases(feature: Feature, told: Told) -> str:
    tasks = [
        (number, row, state)
        for number, phase in enumerate(feature.phases, 1)
        for row, (state, _) in enumerate(phase.tasks, 1)
    ]
    done = sum(state == "done" for _, _, state in tasks)
    text = (
        f'---\ntype: progress\nprd: "{feature.slug}-v1"\nfeature_slug: {feature.slug}\nphase: all\n'
        f'title: "{feature.title}"\nstatus: {WORDS[feature.phases[-1].state]}\nupdated: {told.updated}\n'
        f"total_tasks: {len(tasks)}\ncompleted_tasks: {done}\ncommit_refs: [{told.commit}]\n"
    )
    if feature.blocker:
        last = feature.task_id(len(feature.phases), 2)
        text += f'blockers:\n- id: B-1\n  title: "{feature.blocker}"\n  severity: high\n  status: open\n'
        text += f'  blocking: ["{last}"]\n'
    text += "tasks:\n" + "".join(task(feature, number, row, state, told) for number, row, state in tasks)
    return f"{text}---\n\n# {feature.title}\n\n{feature.goal}\n"


def _quick(feature: Feature, told: Told) -> str:
    boxes = "".join(f"- [{MARKS[state]}] {title}\n" for phase in feature.phases for state, title in phase.tasks)
    text = f"---\ntype: quick-feature\nstatus: {feature.word}\nfeature: {feature.slug}\npriority: {feature.priority}\n"
    text += f"created: {told.created}\nupdated: {told.updated}\n"
    if told.commit:
        text += f"commit_refs: [{told.commit}]\n"
    return f"{text}---\n\n# Quick Feature: {feature.title}\n\n{feature.goal}\n\n## Tasks\n\n{boxes}"


_NOTES = (
    (
        "weather-station",
        PlanFile(
            ".claude/worknotes/rain-gauge/context.md",
            "---\ntype: context\nprd: rain-gauge\nstatus: active\ngotchas:\n"
            "- The reed switch bounces for up to 3 ms\n---\n\n# Rain gauge: context\n\n"
            "Shakes come below 60 ms, real tips at least 200 ms apart.\n",
            "rain-gauge",
        ),
    ),
    (
        "bike-shop",
        PlanFile(
            f"{PLANS}/reports/flaky-checkout-tests.md",
            "---\ndoc_type: report\nstatus: completed\nfeature_slug: checkout-tests\n---\n\n"
            "# Why tests/cart.test.ts fails\n\nIt reads the clock twice."
            " Around midnight of the server's zone the second reading is of the next day.\n",
            "checkout-tests",
        ),
    ),
    (
        "field-notes",
        PlanFile(
            "docs/adr/0001-three-way-merge.md",
            "---\ntype: adr\nstatus: accepted\nfeature_slug: offline-sync\n---\n\n# 1. Merge three ways\n\n"
            "## Context\n\nTwo devices edit the same note offline.\n\n## Decision\n\nNotes stay plain files. One base"
            " version per note is kept, and both sides are merged against it.\n",
            "offline-sync",
        ),
    ),
)
"""By project."""


def notes(root: str) -> Iterator[PlanFile]:
    """Files of the project that was at `root` in the stories which plan nothing: a README, and what was noted beside."""
    name = basename(root)
    yield PlanFile("README.md", f"# {name}\n\nA made-up project. `ccdash demo --remove` deletes it.\n")
    for at, file in _NOTES:
        if at == name:
            yield file
