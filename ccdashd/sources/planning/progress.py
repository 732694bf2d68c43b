"""What progress files and plans say beside tasks: batches, phases, blockers, criteria, questions, counters. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from ccdashd.sources.planning import fields
from ccdashd.sources.planning.body import Body, phase_heading
from ccdashd.sources.planning.frontmatter import Frontmatter
from ccdashd.sources.planning.model import Batch, Blocker, Criterion, PlannedPhase
from ccdashd.sources.planning.status import read_status
from ccdashd.sources.planning.tasks import QUESTIONS
from ccdashd.sources.planning.yaml import Path, Value, as_float, as_int, text

_BATCH: Final = re.compile(
    r"(?:.*_)?(?:batch|wave|phase|chain|group|stage|step|parallel|sequential|track|round)[\w\- ]*", re.IGNORECASE
)
_CRITERIA_KEYS: Final = (
    "success_criteria",
    "acceptance_criteria",
    "quality_gates",
    "quality_gate",
    "exit_criteria",
    "milestone_criteria",
    "completion_criteria",
    "definition_of_done",
)
_MET_KEYS: Final = ("met", "verified", "passed", "done", "completed", "checked")
_QUESTION: Final = re.compile(r"(?!~~|\[[^ ]\]|\W*A\d*\W*:)(?:\W*O?Q[-\s]?\d|.*\?)")
"""Items that ask: neither struck out nor ticked off, nor the answer."""
_ANSWERED: Final = re.compile(
    r"\b(?:decision|decided|answer|answered|resolution|resolved)\b\W{0,4}?:\W{0,8}"
    r"(?!tbd|pending|open|needed|unknown|to be)\w",
    re.IGNORECASE,
)

_RESOLVED: Final = frozenset({"resolved", "closed", "fixed", "done", "mitigated", "cleared", "unblocked"})
MAX_QUESTIONS: Final = 100


def batches(values: fields.Values) -> list[Batch]:
    """Of `parallelization`: keys that name a batch, with ids of tasks or a mapping that has them."""
    value = values.get("parallelization")
    found = []
    for name, item in value.items() if isinstance(value, dict) else ():
        if len(name) > 200 or not _BATCH.fullmatch(name) or not isinstance(item, (list, dict)):
            continue
        inner = item if isinstance(item, dict) else {}
        tasks = fields.task_ids(fields.first(inner, ("tasks", "items", "ids")) if inner else item)
        if tasks:
            phase = re.match(r"phase[-_ ]?(\d+(?:\.\d+)?)", name, re.IGNORECASE)
            found.append(
                Batch(
                    name=name,
                    tasks=tasks,
                    phase=fields.first_text(inner, ("phase",)) or (phase[1] if phase else ""),
                    blocked_by=fields.task_ids(fields.first(inner, ("blocked_by", "depends_on", "dependencies"))),
                )
            )
    return found


def by_task(found: Iterable[Batch]) -> dict[str, str]:
    """The batch of each task, by its id; the first that names it."""
    names: dict[str, str] = {}
    for batch in found:
        for task in batch.tasks:
            names.setdefault(task, batch.name)
    return names


def planned_phases(frontmatter: Frontmatter, body: Body) -> list[PlannedPhase]:
    """Phases as a plan announces them: in `wave_plan.phases`, in `phases`, by headings; each phase once."""
    found: dict[str, PlannedPhase] = {}
    plan = frontmatter.values.get("wave_plan")
    announced: list[tuple[Path, Value]] = [
        (("wave_plan", "phases"), plan.get("phases") if isinstance(plan, dict) else None)
    ]
    announced.append((("phases",), frontmatter.values.get("phases")))
    for path, value in announced:
        for n, item in enumerate(value if isinstance(value, list) else ()):
            phase = _planned(item, frontmatter.line_of((*path, n)))
            if phase is not None:
                found.setdefault(phase.phase, phase)
    for heading in body.headings:
        named = phase_heading(heading.text) if heading.level <= 4 else None
        if named is not None and named[1] is not None:
            known = found.setdefault(named[0], PlannedPhase(phase=named[0], line=heading.line, title=named[1]))
            known.title = known.title or named[1]
    return list(found.values())


def _planned(item: Value, line: int) -> PlannedPhase | None:
    if isinstance(item, dict):
        phase = fields.first_text(item, ("phase", "id", "number"))
        named = phase_heading(phase)
        title = fields.first_text(item, ("title", "name", "description"))
        depends_on = fields.task_ids(fields.first(item, ("depends_on", "dependencies", "blocked_by")))
        phase = named[0] if named else phase
        return PlannedPhase(phase=phase, line=line, title=title, depends_on=depends_on) if phase else None
    raw = text(item).strip()
    named = phase_heading(raw) or ((raw, "") if re.fullmatch(r"[A-Z]?\d+(?:\.\d+)?", raw) else None)
    return PlannedPhase(phase=named[0], line=line, title=named[1] or "") if named else None


def blockers(frontmatter: Frontmatter) -> list[Blocker]:
    value = frontmatter.values.get("blockers")
    if isinstance(value, dict) and not any(key in value for key in fields.TITLE_KEYS):
        items: list[tuple[Path, Value]] = [
            (("blockers", key), {"id": key, **item} if isinstance(item, dict) else {key: item})
            for key, item in value.items()
        ]
    elif isinstance(value, list):
        items = [(("blockers", n), item) for n, item in enumerate(value)]
    else:
        items = [(("blockers",), value)] if fields.has(value) and not isinstance(value, (bool, int, float)) else []
    return [found for path, item in items if (found := _blocker(item, frontmatter.line_of(path))) is not None]


def _blocker(item: Value, line: int) -> Blocker | None:
    if not isinstance(item, dict):
        title = ", ".join(fields.lines(item))
        return Blocker(title=title, line=line) if title else None
    title = fields.first_text(item, ("title", "description", "name", "issue", "blocker", "text", "summary", "reason", "id"))
    description = fields.first_text(item, ("description", "details", "reason", "impact"))
    raw = fields.first_text(item, ("status", "state"))
    resolution = fields.first_text(item, ("resolution", "resolved_at", "resolved_date"))
    closed = (
        raw.lower() in _RESOLVED
        or read_status(raw) in ("done", "deferred", "archived")
        or item.get("resolved") is True
        or (not raw and bool(resolution) and read_status(resolution) not in ("todo", "in_progress", "blocked"))
    )
    return Blocker(
        title=title or fields.as_line(item),
        line=line,
        description="" if description == title else description,
        severity=fields.first_text(item, ("severity", "priority", "impact_level")),
        raw_status=raw,
        open=not closed,
        tasks=fields.task_ids(
            fields.first(item, ("blocking", "blocking_tasks", "blocks", "tasks", "affects", "affected_tasks"))
        ),
    )


def criteria(frontmatter: Frontmatter) -> list[Criterion]:
    found: list[Criterion] = []
    for key in _CRITERIA_KEYS:
        _add_criteria(frontmatter, (key,), frontmatter.values.get(key), found, None)
    return found


def _add_criteria(frontmatter: Frontmatter, path: Path, value: Value, found: list[Criterion], met: bool | None) -> None:
    if isinstance(value, list):
        for n, item in enumerate(value):
            _add_criterion(frontmatter, (*path, n), item, found, met)
    elif isinstance(value, dict):
        named = next((key for key in ("criteria", "gates", "checks") if fields.has(value.get(key))), None)
        if named is not None:
            _add_criteria(frontmatter, (*path, named), value[named], found, _met(value))
            return
        for name, item in value.items():
            if isinstance(item, list) and len(path) < 4:
                _add_criteria(frontmatter, (*path, name), item, found, met)
            elif isinstance(item, dict):
                _add_criterion(frontmatter, (*path, name), {"id": name, **item}, found, met)
            else:
                raw = text(item)
                told = item if isinstance(item, bool) else _is_met(raw)
                criterion = Criterion(
                    text=name if told is not None else f"{name}: {raw}", line=frontmatter.line_of((*path, name))
                )
                criterion.raw_status, criterion.met = (raw, told) if told is not None else ("", met)
                found.append(criterion)
    elif fields.has(value) and not isinstance(value, (bool, int, float)):
        _add_criterion(frontmatter, path, value, found, met)


def _add_criterion(frontmatter: Frontmatter, path: Path, item: Value, found: list[Criterion], met: bool | None) -> None:
    line = frontmatter.line_of(path)
    if not isinstance(item, dict):
        found += [Criterion(text=words, line=line, met=met) for words in fields.lines(item)]
        return
    raw = fields.first_text(item, ("status", "state", "result"))
    told = _met(item)
    words = fields.first_text(
        item, ("description", "criterion", "text", "title", "name", "gate", "check", "criteria", "id")
    )
    found.append(
        Criterion(
            text=words or fields.as_line(item),
            line=line,
            id=fields.first_text(item, ("id",)),
            raw_status=raw or next((text(item[key]) for key in _MET_KEYS if isinstance(item.get(key), bool)), ""),
            met=told if told is not None else met,
        )
    )


def _met(values: fields.Values) -> bool | None:
    for key in _MET_KEYS:
        value = values.get(key)
        if isinstance(value, bool):
            return value
    return _is_met(fields.first_text(values, ("status", "state")))


def _is_met(raw: str) -> bool | None:
    status = read_status(raw)
    return None if status == "unknown" else status == "done"


def questions(values: fields.Values, body: Body) -> list[str]:
    """Questions that are open: of the frontmatter, and items of lists below a heading that says so."""
    found: dict[str, None] = {}
    value = values.get("open_questions")
    for asked in value if isinstance(value, list) else [value]:
        state = fields.first_text(asked, ("status", "state")) if isinstance(asked, dict) else ""
        if read_status(state) not in ("done", "deferred", "archived"):
            found |= dict.fromkeys(fields.lines(asked, ("question", *fields.TITLE_KEYS)))
    for n, heading in enumerate(body.headings):
        if not QUESTIONS.search(heading.text):
            continue
        for item in body.items(heading.end, body.end_of(n)):
            if item.indent <= 1 and _QUESTION.match(item.text) and not _ANSWERED.search(item.text):
                found[item.text.removeprefix("[ ]").replace("**", "").strip()[:500]] = None
    return list(found)[:MAX_QUESTIONS]


def declared(values: fields.Values) -> tuple[int | None, int | None, float | None]:
    """What a file says of itself: the number of its tasks, of those that are done, and how much is done, from 0 to 100."""
    inner = values.get("task_counts")
    counts = inner if isinstance(inner, dict) else {}

    def number(*keys: str) -> float | None:
        return next(
            (found for key in keys for source in (values, counts) if (found := as_float(source.get(key))) is not None), None
        )

    total, completed = (_count(number(key)) for key in ("total_tasks", "completed_tasks"))
    progress = number("overall_progress", "progress", "completion", "completion_percentage")
    return total, completed, progress if progress is not None and 0 <= progress <= 100 else None


def _count(number: float | None) -> int | None:
    return as_int(number) if number is not None and number >= 0 else None
