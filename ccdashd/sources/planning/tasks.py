"""Tasks of a document: those of its frontmatter, and boxes and numbered lines of its text. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final, Literal

from ccdashd.sources.planning import fields
from ccdashd.sources.planning.body import Body, Box, Item
from ccdashd.sources.planning.frontmatter import Frontmatter
from ccdashd.sources.planning.model import Criterion, Finding, Status, Task
from ccdashd.sources.planning.status import MARKS, read_status
from ccdashd.sources.planning.yaml import Path, Value, text

STATUS_KEYS: Final = ("status", "state")
TITLE_KEYS: Final = ("title", "name", "description", "task", "summary", "text")
ID_KEYS: Final = ("id", "task_id", "taskId", "key")
EFFORT_KEYS: Final = (
    "estimate",
    "estimated_effort",
    "effort",
    "story_points",
    "estimated_time",
    "estimated_hours",
    "estimate_hours",
    "points",
    "size",
)
_ASSIGNEES: Final = ("assigned_to", "assignee", "assignees", "assigned", "owner", "owners", "agent", "agents")
DEPENDS_KEYS: Final = ("dependencies", "depends_on", "blocked_by", "deps")
_ACCEPTANCE: Final = ("acceptance_criteria", "acceptance", "ac", "ac_refs", "success_criteria")
_NOTES: Final = ("notes", "note", "completion_notes", "deferred_reason")

CRITERIA: Final = re.compile(
    r"\b(?:criteria|criterion|quality gates?|definition of done|dod|success metrics|acceptance|pass(?:es)? when|ac)\b",
    re.IGNORECASE,
)
"""Headings and labels above boxes that are criteria, no tasks."""

_CHECKS: Final = re.compile(
    r"[\W\d]*(?:(?:manual|final|post-?\w+)\s+)?(?:testing|tests?|verification|validation|qa|review)"
    r"(?:\s+(?:checklist|steps|plan|strategy|notes))?\W*",
    re.IGNORECASE,
)
"""Headings that are all of checking the work: boxes below them are no tasks."""

_WORK: Final = tuple(
    re.compile(rf"[\W\d]*(?:{words})(?:\s+(?:list|breakdown|required|needed|overview))?\W*(?:\(.*\)\W*)?", re.IGNORECASE)
    for words in (
        "(?:implementation )?(?:tasks?|to-?dos?)|(?:work|action) items?",
        "(?:implementation )?(?:steps?|order|sequence)",
        "implementation(?: plan| strategy| approach)?|plan|approach",
        "(?:proposed )?(?:changes|fix(?:es)?|solution)",
    )
)
"""Headings above numbered lists that are tasks, the surest first."""

_WORK_HEADING: Final = re.compile(r"(?:(?i:task|step)[- ]|[A-Z]{2,8}-)\d+(?:\.\d+)*\s*[:.\u2013\u2014-]\s*\S")

_ID: Final = re.compile(
    r"(?:\*\*|__|`|\[)?((?i:step|task)\s+\d+(?:\.\d+)*|[A-Z][A-Z0-9]*(?:[-_.][A-Z0-9]+)*[-_]?\d+(?:\.\d+)*[a-z]?)"
    r"(?:\*\*|__|`|\])?\s*(?::|\s[-\u2013\u2014]\s|\.\s)\s*(?:\*\*|__)?\s*"
)
_NUMBER: Final = re.compile(r"\**(\d+(?:\.\d+)+[a-z]?|T\d{3,4})\**[.:)]?\s+")
QUESTIONS: Final = re.compile(
    r"\b(?:open|unresolved|outstanding|remaining)\s+(?:\w+\s+(?:&|and)\s+)?questions?\b", re.IGNORECASE
)
"""Headings above questions."""

_LONGEST_ID: Final = 80
_EFFORT: Final = re.compile(
    r"\((~?\d+(?:[.\-]\d+)*\s*(?:pts?|points?|sp|h|hrs?|hours?|d|days?|min|minutes))\)", re.IGNORECASE
)
_ASSIGNED: Final = re.compile(r"(?:\u2192|->)\s*@([\w-]+)$")
_TICKS: Final = "\u2705\u2714\u2713\u2611\ufe0f"


class Keys:
    """Keys of the tasks of one file, as `Task.key` says."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._repeats: Counter[str] = Counter()
        self._nameless = 0

    def of(self, task_id: str) -> str:
        if not task_id:
            self._nameless += 1
            key = f"@{self._nameless}"
        else:
            key = task_id
        while key in self._taken:  # also an id that looks like the key of another
            self._repeats[task_id] += 1
            key = f"{task_id or '@'}~{self._repeats[task_id] + 1}"
        self._taken.add(key)
        return key


def of_frontmatter(frontmatter: Frontmatter, phase: str, batches: dict[str, str], findings: list[Finding]) -> list[Task]:
    """Tasks below the key `tasks`: a list of them, a mapping by id, or a mapping of groups of them. `phase` is that of the
    file; `batches` has the batch of a task by its id."""
    reader = _Reader(frontmatter, phase, batches, findings)
    reader.read()
    return reader.tasks


def places(frontmatter: Frontmatter) -> dict[str, Path]:
    """Where in the frontmatter each of its tasks stands, by its key."""
    reader = _Reader(frontmatter, "", {}, [])
    reader.read()
    return reader.places


class _Reader:
    def __init__(self, frontmatter: Frontmatter, phase: str, batches: dict[str, str], findings: list[Finding]) -> None:
        self.tasks: list[Task] = []
        self.places: dict[str, Path] = {}
        self._frontmatter = frontmatter
        self._phase = phase
        self._batches = batches
        self._findings = findings
        self._keys = Keys()

    def read(self) -> None:
        value = self._frontmatter.values.get("tasks")
        if isinstance(value, list):
            self.read_list(value, ("tasks",))
        elif isinstance(value, dict):
            self.read_map(value)
        elif fields.has(value):
            self.complain(("tasks",), "tasks-not-read", "`tasks` is neither a list nor a mapping", "warning")

    def read_list(self, items: list[Value], path: Path, phase: str = "", batch: str = "") -> None:
        for n, item in enumerate(items):
            place = (*path, n)
            if isinstance(item, dict):
                self._add(item, "list", place, "", phase, batch)
            elif isinstance(item, list) or not fields.has(item):
                self.complain(place, "tasks-not-read", "an item of `tasks` is no task", "warning")
            else:
                self._add({"title": item}, "list", place, "", phase, batch)

    def read_map(self, values: fields.Values) -> None:
        if values and all(isinstance(value, (int, float, type(None))) for value in values.values()):
            return  # numbers of tasks
        for name, value in values.items():
            place: Path = ("tasks", name)
            if isinstance(value, list):
                phase = re.fullmatch(r"phase[-_ ]?([\w.\-]+)", name, re.IGNORECASE)
                self.read_list(value, place, phase[1] if phase else "", "" if phase else name)
            elif isinstance(value, dict):
                self._add(value, "map", place, name)
            else:
                word = text(value)
                key = "status" if read_status(word) != "unknown" and len(word) < 40 else "title"
                self._add({key: value}, "map", place, name)

    def complain(self, place: Path, code: str, message: str, severity: Literal["warning", "info"]) -> None:
        self._findings.append(Finding(code=code, severity=severity, line=self._frontmatter.line_of(place), message=message))

    def _add(
        self, values: fields.Values, form: Literal["list", "map"], place: Path, name: str, phase: str = "", batch: str = ""
    ) -> None:
        task_id = fields.first_text(values, ID_KEYS) or name
        raw, status = self._status(values, place, task_id)
        title = fields.first_text(values, TITLE_KEYS)
        description = fields.first_text(values, ("description",))
        key = self._keys.of(task_id)
        self.places[key] = place
        self.tasks.append(
            Task(
                key=key,
                form=form,
                line=self._frontmatter.line_of(place),
                task_id=task_id,
                title=" ".join(title.split()),
                description="" if description == title else description,
                raw_status=raw,
                status=status,
                phase=fields.phase(values.get("phase")) or phase or self._phase,
                batch=fields.first_text(values, ("batch", "wave")) or batch or self._batches.get(task_id, ""),
                parent="",
                assignees=fields.names(fields.first(values, _ASSIGNEES)),
                depends_on=fields.task_ids(fields.first(values, DEPENDS_KEYS)),
                effort=fields.first_text(values, EFFORT_KEYS),
                priority=fields.first_text(values, ("priority",)),
                model=fields.first_text(values, ("model", "assigned_model", "agent_model")),
                started=_date(values, fields.STARTED),
                completed=_date(values, fields.COMPLETED),
                session_ids=fields.sessions(*fields.present(values, fields.SESSIONS)),
                commits=fields.commits(*fields.present(values, fields.COMMITS)),
                files=fields.files(*fields.present(values, fields.FILES)),
                acceptance=fields.lines(fields.present(values, _ACCEPTANCE)),
                notes=fields.lines(fields.present(values, _NOTES)),
                recovered=self._frontmatter.recovered,
                fields=values,
            )
        )

    def _status(self, values: fields.Values, place: Path, task_id: str) -> tuple[str, Status]:
        for key in STATUS_KEYS:
            if key in values:
                raw = text(values[key]).strip()
                status = read_status(raw)
                if status == "unknown":
                    said = f"has the status {raw[:60]!r}, which is not known" if raw else "has a status without a word"
                    self.complain((*place, key), "unknown-status", f"task {task_id or '@'} {said}", "warning")
                return raw, status
        for key in ("done", "completed"):
            value = values.get(key)
            if isinstance(value, bool):
                return text(value), "done" if value else "todo"
        self.complain(place, "task-without-status", f"task {task_id or '@'} has no status", "info")
        return "", "unknown"


def _date(values: fields.Values, keys: tuple[str, ...]) -> str:
    return next(
        (found for key in keys if not isinstance(values.get(key), bool) and (found := fields.first_text(values, (key,)))),
        "",
    )


def of_boxes(body: Body, phase: str, *, checks: bool) -> tuple[list[Task], list[Criterion]]:
    """Tasks and criteria of a text in which boxes are tasks. `phase` is that of the file.

    Criteria are boxes that a heading or label calls so, boxes below headings of `checks`, and in a file whose tasks have
    ids those of sections without any. A task has the criteria that it is indented above.
    """
    tasks: list[Task] = []
    criteria: list[Criterion] = []
    keys = Keys()
    with_ids = {box.heading for box in body.boxes if _split(box.text)[0]}
    above: list[tuple[int, Task]] = []
    heading, is_check = -1, False
    for box in body.boxes:
        if box.heading != heading:
            heading = box.heading
            is_check = bool(with_ids and heading not in with_ids) or _is_check(body, heading, checks=checks)
            above.clear()
        while above and above[-1][0] >= box.indent:
            above.pop()
        if is_check or CRITERIA.search(box.label):
            criterion = _criterion(box)
            criteria.append(criterion)
            if above:
                above[-1][1].acceptance.append(criterion.text)
            continue
        task = _boxed(body, box, keys, phase, above[-1][1].key if above else "")
        tasks.append(task)
        above.append((box.indent, task))
    return tasks, criteria


def criteria_of_boxes(body: Body, tasks: list[Task]) -> list[Criterion]:
    """Boxes of a text in which they are criteria; those that tell the `tasks` once more are none, nor are questions."""
    ids = {task.task_id.casefold() for task in tasks if task.task_id}
    asking = {n for n, heading in enumerate(body.headings) if QUESTIONS.search(heading.text)}
    return [
        _criterion(box)
        for box in body.boxes
        if box.heading not in asking and (not ids or _split(box.text)[0].casefold() not in ids)
    ]


def of_numbers(body: Body, phase: str, status: Status | None) -> list[Task]:
    """Numbered lines, and items with an id, below the headings that speak of work the surest; else headings that are
    numbered tasks. They say nothing of how far they are: those of a document that is done are done."""
    for pattern in _WORK:
        tasks: list[Task] = []
        keys = Keys()
        end = 0
        for n, heading in enumerate(body.headings):
            if heading.level == 1 or heading.end < end or not pattern.fullmatch(heading.text):
                continue
            end = body.end_of(n)
            for item in body.items(heading.end, end):
                if item.indent <= 3 and (item.number or _split(item.text)[0]):
                    tasks += [_numbered(item, keys, heading.text, heading.phase or phase, status)]
        if tasks:
            return tasks
    keys = Keys()
    return [
        _numbered(
            Item(line=heading.line, indent=0, number=True, text=heading.text), keys, "", heading.phase or phase, status
        )
        for heading in body.headings
        if heading.level > 1 and _WORK_HEADING.match(heading.text)
    ]


def _is_check(body: Body, heading: int, *, checks: bool) -> bool:
    while heading >= 0:
        found = body.headings[heading]
        if CRITERIA.search(found.text) or (checks and _CHECKS.fullmatch(found.text)):
            return True
        heading = found.parent
    return False


def _criterion(box: Box) -> Criterion:
    return Criterion(
        text=box.text.replace("**", ""), line=box.line, raw_status=box.mark.strip(), met=MARKS[box.mark] == "done"
    )


def _boxed(body: Body, box: Box, keys: Keys, phase: str, parent: str) -> Task:
    task_id, title, effort, assignees = _read_text(box.text)
    heading = body.headings[box.heading] if box.heading >= 0 else None
    return Task(
        key=keys.of(task_id),
        form="checkbox",
        line=box.line,
        task_id=task_id,
        title=title,
        raw_status=box.mark,
        status=MARKS[box.mark],
        phase=(heading.phase if heading else "") or phase,
        parent=parent,
        section=heading.text if heading else "",
        assignees=assignees,
        effort=effort,
    )


def _numbered(item: Item, keys: Keys, section: str, phase: str, status: Status | None) -> Task:
    tick = next((sign for sign in (item.text[:1], item.text.rstrip("\ufe0f")[-1:]) if sign and sign in _TICKS), "")
    task_id, title, effort, assignees = _read_text(item.text)
    return Task(
        key=keys.of(task_id),
        form="numbered",
        line=item.line,
        task_id=task_id,
        title=title,
        raw_status=tick,
        status="done" if tick else status if status in ("done", "deferred", "archived") else "todo",
        phase=phase,
        section=section,
        assignees=assignees,
        effort=effort,
    )


def _split(raw: str) -> tuple[str, str]:
    """The id that a text begins with, if any, and the rest."""
    begin = raw[:_LONGEST_ID]
    match = _NUMBER.match(begin) or _ID.match(begin)
    return (match[1], raw[match.end() :]) if match else ("", raw)


def _read_text(raw: str) -> tuple[str, str, str, list[str]]:
    """Id, title, effort and assignees of a task that is one line of text."""
    plain = raw.strip(_TICKS + " ")
    assigned = _ASSIGNED.search(plain)
    if assigned:
        plain = plain[: assigned.start()].rstrip()
    task_id, title = _split(plain)
    effort = _EFFORT.search(title)
    if effort:
        title = f"{title[: effort.start()].rstrip()} {title[effort.end() :].lstrip()}"
    title = title.replace("**", "").strip()
    return task_id, title or plain, effort[1] if effort else "", [assigned[1]] if assigned else []
