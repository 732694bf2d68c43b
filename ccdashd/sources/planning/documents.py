"""One Markdown file to a `Document`: what its path, its frontmatter and its text say together. Pure, and never raises."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, Literal

from ccdashd.sources.planning import body as bodies
from ccdashd.sources.planning import fields, frontmatter, kinds, progress, refs, tasks
from ccdashd.sources.planning.body import Body
from ccdashd.sources.planning.frontmatter import Frontmatter
from ccdashd.sources.planning.kinds import Kind
from ccdashd.sources.planning.model import Criterion, Document, Finding, Slug, SlugSource
from ccdashd.sources.planning.status import read_status
from ccdashd.sources.planning.yaml import text

MAX_HEADINGS: Final = 200

_TYPE_KEYS: Final = ("doc_type", "document_type", "type")
_OWNERS: Final = ("owners", "owner", "author", "authors", "assigned_to")
_EFFORT: Final = (
    "effort_estimate",
    "estimated_effort",
    "effort",
    "total_effort",
    "story_points",
    "total_story_points",
    "estimate",
)
_DESCRIPTION: Final = ("description", "summary", "overview", "problem_statement", "scope", "architecture_summary", "goal")
_PRS: Final = ("pr_refs", "prs", "pr", "pr_ref", "pull_requests", "pull_request")
_SLUG: Final = re.compile(r"(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9][A-Za-z0-9._\-]{0,199}")

_STATED: Final = frozenset(
    {
        "prd",
        "implementation_plan",
        "phase_plan",
        "progress",
        "quick_feature",
        "adr",
        "spike",
        "design_spec",
        "feature_contract",
        "report",
    }
)
"""Types of documents whose status is looked for in the text, where the frontmatter has none."""

_STATUS: Final = re.compile(
    rb"\n[ \t]*(?:#{1,3}[ \t]+)?(?:[-*][ \t]+)?(?:\*\*)?(?:(?:Current|Overall|Document)[ \t]+)?"
    rb"Status(?:\*\*)?:(?:\*\*)?[ \t]*([^\r\n]{1,200})",
    re.IGNORECASE,
)
_TABLE: Final = re.compile(rb"\n[ \t]*\|([^\r\n]{1,1000})\r?\n[ \t]*\|[ \t:]*-[-| \t:]*(?=\r?\n|\Z)")
_COLUMNS: Final = frozenset({b"task", b"id", b"task id", b"task name"})
_PLANS: Final = frozenset({"implementation_plan", "phase_plan", "meta_plan"})
_PHASED: Final = frozenset({"progress", "phase_plan", "context", "report", "worknote"})
_TASK_FILES: Final = frozenset({"progress", "quick_feature", "task_list"})
_UNCLEAR: Final = frozenset({"worknote", "context", "report", "idea", "bug", "refactor", "document"})
"""Types in which boxes could be tasks, or could not."""


def read(path: str, data: bytes) -> Document:
    """Read the file at `path`, relative to the project, with the bytes `data`."""
    return read_below(path, data, frontmatter.read(data))


def read_below(path: str, data: bytes, front: Frontmatter) -> Document:
    """The same, where its frontmatter was read already."""
    values = front.values
    kind = kinds.classify(path)
    raw_type = fields.first_text(values, _TYPE_KEYS)
    doc_type = kinds.type_of(kind, [fields.first_text(values, (key,)) for key in _TYPE_KEYS])
    policy = kinds.boxes_of(kind, doc_type)
    body = bodies.scan(data, front.body_start, front.body_line, labels=policy == "tasks")
    total, completed, done = progress.declared(values)
    document = Document(
        path=path,
        doc_type=doc_type,
        title=_title(values, body, path),
        description=fields.first_text(values, _DESCRIPTION)[:2000],
        raw_type=raw_type,
        has_frontmatter=front.exists,
        recovered=front.recovered,
        slugs=[] if kind.fixed else _slugs(values, kind),
        phase=_phase(values, path, doc_type),
        phase_title=fields.first_text(values, ("phase_title", "phase_name")),
        version=fields.first_text(values, ("feature_version", "version")),
        owners=fields.names(fields.first(values, _OWNERS)),
        tags=fields.names(fields.first(values, ("tags", "labels"))),
        category=fields.first_text(values, ("category",)),
        priority=fields.first_text(values, ("priority",)),
        effort=fields.first_text(values, _EFFORT),
        created=fields.first_text(values, ("created", "created_at", "date_created", "date")),
        updated=fields.first_text(values, ("updated", "updated_at", "last_updated", "date_updated")),
        started=fields.first_text(values, fields.STARTED),
        completed=fields.first_text(values, fields.COMPLETED),
        declared_total=total,
        declared_completed=completed,
        declared_progress=done,
        batches=progress.batches(values),
        blockers=progress.blockers(front),
        criteria=progress.criteria(front),
        questions=progress.questions(values, body),
        files=fields.files(*fields.present(values, fields.FILES)),
        prs=fields.lines(fields.present(values, _PRS), ("url", "number", "id")),
        session_ids=fields.sessions(*fields.present(values, fields.SESSIONS)),
        supersedes=fields.lines(values.get("supersedes")),
        lineage_parent=", ".join(fields.lines(values.get("lineage_parent"))),
        headings=[(heading.line, heading.level, heading.text[:300]) for heading in body.headings[:MAX_HEADINGS]],
        frontmatter=values,
        findings=list(front.findings),
    )
    if doc_type in _PLANS or (doc_type == "progress" and not document.phase.isdigit()):
        document.phases = progress.planned_phases(front, body)
    _read_status(document, front, body)
    _read_tasks(document, front, body, kind, policy)
    document.commits = fields.commits(
        *fields.present(values, fields.COMMITS), [commit for task in document.tasks for commit in task.commits]
    )
    document.refs = refs.of_frontmatter(front, path)
    document.refs += refs.of_body(body, path, refs.MAX_REFS - len(document.refs))
    return document


def _title(values: fields.Values, body: Body, path: str) -> str:
    title = (
        fields.first_text(values, ("title", "name"))
        or next((heading.text for heading in body.headings if heading.level == 1 and heading.text), "")
        or fields.first_text(values, ("feature",))
        or _only_top(body)
        or path.rpartition("/")[2].rpartition(".")[0]
    )
    return (" ".join(title.split()).strip("*") or path)[:300]


def _only_top(body: Body) -> str:
    """The heading that all others are below; several beside each other are sections of something without a title."""
    top = [heading.text for heading in body.headings if heading.parent < 0]
    return top[0] if len(top) == 1 else ""


def _slugs(values: fields.Values, kind: Kind) -> list[Slug]:
    found: dict[str, Slug] = {}

    def add(raw: str, source: SlugSource) -> None:
        slug = raw.strip()
        if _SLUG.fullmatch(slug):
            found.setdefault(slug.lower(), Slug(slug=slug, source=source))

    add(fields.first_text(values, ("feature_slug",)), "feature_slug")
    add(_stem(fields.first_text(values, ("prd",))), "prd")
    add(fields.first_text(values, ("feature",)), "feature")
    add(_stem(fields.first_text(values, fields.PRD_REFS)), "prd_ref")
    add(_stem(fields.first_text(values, fields.PLAN_REFS)), "plan_ref")
    add(kind.slug, "path")
    return list(found.values())


def _stem(raw: str) -> str:
    """A slug as it is; of a path, the name of the file."""
    name = fields.clean_path(raw).partition("#")[0].rstrip("/").rpartition("/")[2]
    return name[: name.rindex(".")] if name.lower().endswith((".md", ".markdown", ".mdc")) else name


def _phase(values: fields.Values, path: str, doc_type: str) -> str:
    return fields.phase(values.get("phase")) or (kinds.phase_of(path) if doc_type in _PHASED else "")


def _read_status(document: Document, front: Frontmatter, body: Body) -> None:
    value = front.values.get("status")
    if value is not None:
        document.raw_status = text(value).strip()
        document.status_line = front.line_of(("status",))
    elif document.doc_type in _STATED:
        end = next((heading.end for heading in body.headings if heading.level == 2), len(body.text))
        match = _STATUS.search(body.text, 0, end)
        if match is not None and not body.is_code(match.start() + 1):
            document.raw_status = bodies.decode(match[1])
            document.status_line = body.line_at(match.start(1))
            document.status_in_text = True
    if not document.raw_status:
        if value is not None:
            _find(document, "unknown-status", "warning", document.status_line, "`status` has no word")
        return
    document.status = read_status(document.raw_status, document.doc_type)
    if document.status == "unknown":
        message = f"the status {document.raw_status[:60]!r} is not known"
        _find(document, "unknown-status", "info" if document.status_in_text else "warning", document.status_line, message)


def _read_tasks(document: Document, front: Frontmatter, body: Body, kind: Kind, policy: kinds.Boxes) -> None:
    if kind.fixed:
        if isinstance(front.values.get("tasks"), (list, dict)):
            message = f"the tasks of a {document.doc_type} are examples: they are not counted"
            _find(document, "tasks-not-read", "info", front.line_of(("tasks",)), message)
        return
    by_task = progress.by_task(document.batches)
    document.tasks = tasks.of_frontmatter(front, document.phase, by_task, document.findings)
    if document.tasks or policy == "criteria":
        if policy != "none":
            _add_criteria(document, tasks.criteria_of_boxes(body, document.tasks))
    elif policy == "tasks":
        document.tasks, criteria = tasks.of_boxes(body, document.phase, checks=document.doc_type != "task_list")
        _add_criteria(document, criteria)
        if document.doc_type == "quick_feature" and not document.tasks:
            document.tasks = tasks.of_numbers(body, document.phase, document.status)
    elif body.boxes and document.doc_type in _UNCLEAR:
        message = f"{len(body.boxes)} boxes are not read as tasks: this is a {document.doc_type.replace('_', ' ')}"
        _find(document, "boxes-not-read", "info", body.boxes[0].line, message)
    if not document.tasks and document.doc_type in _TASK_FILES:
        for table in _TABLE.finditer(body.text):
            columns = {column.strip().lower() for column in table[1].split(b"|")}
            if b"status" in columns and not _COLUMNS.isdisjoint(columns) and not body.is_code(table.start(1)):
                message = "tasks of a table are not read: only those of the frontmatter, boxes and numbered lines are"
                _find(document, "tasks-not-read", "info", body.line_at(table.start(1)), message)
                break


def _add_criteria(document: Document, found: Iterable[Criterion]) -> None:
    """Add criteria of the text, but those that the frontmatter tells too."""
    known = {_words(criterion.text) for criterion in document.criteria}
    document.criteria += [criterion for criterion in found if not known or _words(criterion.text) not in known]


def _words(raw: str) -> str:
    return " ".join(re.findall(r"\w+", raw.casefold()))


def _find(document: Document, code: str, severity: Literal["warning", "info"], line: int, message: str) -> None:
    document.findings.append(Finding(code=code, severity=severity, line=line, message=message))
