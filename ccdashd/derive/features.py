"""Features: all documents, progress files and tasks of one name, and what follows from them together. Pure.

Which document belongs to which feature is told by `ccdashd.derive.slugs`, its phases by `ccdashd.derive.phases`, what
statuses say together by `ccdashd.derive.statuses`, where files contradict each other by `ccdashd.derive.mismatches`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import msgspec

from ccdashd.derive import mismatches, phases, statuses
from ccdashd.derive.phases import Phase
from ccdashd.derive.slugs import canonical
from ccdashd.protocol import types as t
from ccdashd.sources.planning.model import Outline, Status

_HOLDERS = ("prd", "implementation_plan", "quick_feature")
"""Types of documents whose status is that of their feature, the first that there is."""

_PLANS = ("prd", "implementation_plan")

CRITERIA_CAP = 50
"""Criteria kept of a feature: its files may have a thousand, which are read there."""

_MET = (False, None, True)
"""What is left first."""

_KIND = r"(?:PRD|Product Requirements(?: Document)?|(?:(?:Implementation|Remediation) )?Plan|Quick Feature|Feature|Bug Fix)"
_SET_OFF = r"(?:PRD Addendum|Spike|(?:Change )?Proposal|Change|Feature Spec(?:ification)?|Tasks|Progress)"
"""Kinds only before a colon or dash, as they may be words of a name."""
_BEFORE = re.compile(
    rf"^(?:(?:{_KIND}|{_SET_OFF})(?:[ -]?\d+)?(?:\s*[:\u2013\u2014]\s*|\s+-\s+)|{_KIND}(?:[ -]?\d+)?\s+(?={_KIND}\b))+",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"(?:\s*[:\u2013\u2014]\s*|\s+(?:-\s*)?)(?:PRD|Product Requirements(?: Document)?|Implementation Plan"
    r"|All Phases Progress|Progress Track(?:ing|er))$",
    re.IGNORECASE,
)
"""Words in titles for what kind of document it is."""


class Details(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What columns do not show of a feature; JSON in `features.data`."""

    description: str = ""
    holder: str | None = None
    """Id of the document whose status is that of the feature."""
    evidence: list[t.StatusEvidence] = []
    mismatches: list[t.Mismatch] = []
    """Its own and those of its documents; phases have theirs."""
    owners: list[str] = []
    file_tags: list[str] = []
    """As written, each once."""
    blockers: list[t.Blocker] = []
    criteria: list[t.Criterion] = []
    """The `CRITERIA_CAP` first by `_MET`."""
    criteria_total: int = 0
    criteria_unmet: int = 0
    questions: list[str] = []
    commits: list[str] = []
    prs: list[str] = []
    versions: list[str] = []
    """Ids of features: other versions of it, and those that it supersedes or comes from."""


class FeatureData(msgspec.Struct, kw_only=True):
    """What a feature's documents come to."""

    slug: str
    name: str
    status: Status
    raw_status: str
    category: str
    priority: str
    phases: list[Phase]
    counts: list[int]
    """Tasks by status, in the order of `STATUSES`."""
    progress: float
    open_blockers: int
    mismatches: int
    details: Details


def blockers_of(document: Outline) -> list[t.Blocker]:
    """The blockers of a document as the wire has them."""
    return [
        t.Blocker(
            title=item.title,
            description=item.description,
            severity=item.severity,
            raw_status=item.raw_status,
            open=item.open,
            tasks=item.tasks,
            path=document.path,
            line=item.line,
        )
        for item in document.blockers
    ]


def build(project_id: str, slug: str, documents: Sequence[Outline], relatives: Sequence[str] = ()) -> FeatureData:
    """The feature of that slug. `documents` are all of it, with their tasks; `relatives` slugs of related versions."""
    documents = sorted(documents, key=lambda document: (_rank(slug, document), document.path))
    of_it = phases.of_feature(documents)
    holder = _holder(documents)
    followed = _followed(documents, of_it)
    status = statuses.furthest(holder.status if holder is not None else None, followed)
    counts = statuses.counts(task.status for document in documents for task in document.tasks)
    found = _mismatches(slug, documents, of_it, holder, followed)
    blockers = [blocker for document in documents for blocker in blockers_of(document)]
    criteria = [(document.path, item) for document in documents for item in document.criteria]
    details = Details(
        description=_first(documents, lambda document: document.description),
        holder=f"{project_id}/{holder.path}" if holder is not None else None,
        evidence=_evidence(documents),
        mismatches=found,
        owners=_all(documents, lambda document: document.owners),
        file_tags=_all(documents, lambda document: document.tags),
        blockers=blockers,
        criteria=[
            t.Criterion(text=item.text, raw_status=item.raw_status, met=item.met, path=path, line=item.line)
            for path, item in sorted(criteria, key=lambda found: _MET.index(found[1].met))[:CRITERIA_CAP]
        ],
        criteria_total=len(criteria),
        criteria_unmet=sum(item.met is False for _, item in criteria),
        questions=_all(documents, lambda document: document.questions),
        commits=_all(documents, lambda document: document.commits),
        prs=_all(documents, lambda document: document.prs),
        versions=[f"{project_id}/{other}" for other in relatives],
    )
    return FeatureData(
        slug=slug,
        name=_name(slug, documents),
        status=status,
        raw_status=holder.raw_status if holder is not None else "",
        category=_first(documents, lambda document: document.category),
        priority=_first(documents, lambda document: document.priority),
        phases=of_it,
        counts=counts,
        progress=statuses.progress(counts, status),
        open_blockers=sum(blocker.open for blocker in blockers),
        mismatches=len(found) + sum(len(phase.row.mismatches) for phase in of_it),
        details=details,
    )


def _rank(slug: str, document: Outline) -> tuple[int, bool, int]:
    """The most telling documents first: by type, then those of the feature's own name, then those high up."""
    kind = _HOLDERS.index(document.doc_type) if document.doc_type in _HOLDERS else len(_HOLDERS)
    return (kind, not _is_named(slug, document), document.path.count("/"))


def _is_named(slug: str, document: Outline) -> bool:
    return canonical(_file_name(document)) == slug


def _file_name(document: Outline) -> str:
    return document.path.rpartition("/")[2].rpartition(".")[0]


def _holder(documents: Sequence[Outline]) -> Outline | None:
    """The document whose status is that of the feature: PRD, else plan, else quick feature, else its progress file, where
    that is one for all phases, else the only one that has a status. One without a status holds it where no other does."""
    main = [document for document in documents if document.doc_type in _HOLDERS]
    progress = [document for document in documents if document.doc_type == "progress"]
    if len(progress) == 1 and "all" in phases.tokens(progress[0].phase):
        main += progress
    with_status = [document for document in documents if document.status is not None and document not in progress]
    if not main and len(with_status) == 1:
        main = with_status
    return next((document for document in main if document.status is not None), main[0] if main else None)


def _followed(documents: Sequence[Outline], of_it: Sequence[Phase]) -> Status | None:
    """What phases, and tasks that are in none, say of the feature."""
    parts = [phase.followed for phase in of_it]
    if not of_it:
        main = [document for document in documents if document.doc_type != "prd"]
        parts = [statuses.together(task.status for document in main for task in document.tasks)]
    return statuses.together(status for status in parts if status is not None and status != "unknown")


def _mismatches(
    slug: str, documents: Sequence[Outline], of_it: Sequence[Phase], holder: Outline | None, followed: Status | None
) -> list[t.Mismatch]:
    alone = {phase.path for phase in of_it if phase.row.raw_status}
    own = {document.path: mismatches.of_document(document) for document in documents if document.path not in alone}
    plans = [document for document in documents if document.doc_type in _PLANS and _is_named(slug, document)]
    found = mismatches.of_feature(holder, plans, followed, "its phases" if of_it else "its tasks")
    if holder is not None and not of_it and own[holder.path]:
        # Its own tasks are all that the status of a quick feature can contradict: that is told once.
        found = [item for item in found if item.code != "status"]
    return [*found, *(item for items in own.values() for item in items)]


def _evidence(documents: Iterable[Outline]) -> list[t.StatusEvidence]:
    """What each document with a status or tasks says."""
    found = []
    for document in documents:
        if document.status is not None:
            line, raw = document.status_line, document.raw_status
            found.append(_said(document.doc_type, document.path, line, raw, document.status))
        of_tasks = statuses.together(task.status for task in document.tasks)
        if of_tasks is not None:
            closed = statuses.closed(statuses.counts(task.status for task in document.tasks))
            left = next((task for task in document.tasks if task.status in statuses.OPEN), document.tasks[0])
            found.append(_said("tasks", document.path, left.line, f"{closed} of {len(document.tasks)} closed", of_tasks))
    return found


def _said(role: str, path: str, line: int, raw: str, status: Status) -> t.StatusEvidence:
    return t.StatusEvidence(role=role, path=path, line=line, raw=raw, status=status)


def _name(slug: str, documents: Sequence[Outline]) -> str:
    """The title of the document that tells most of it, without words for what kind of document that is."""
    titled = [document for document in documents if document.doc_type in _HOLDERS]
    if not titled and len(documents) == 1:
        titled = list(documents)
    for document in titled:
        if document.title == _file_name(document):
            continue  # It has none but the name of its file, such as proposal.md.
        name = _AFTER.sub("", _BEFORE.sub("", document.title.strip())).strip()
        if name:
            return name
    return slug.replace("-", " ").capitalize()


def _all(documents: Iterable[Outline], values: Callable[[Outline], Iterable[str]]) -> list[str]:
    """Each value once, in the order of the documents."""
    return list(dict.fromkeys(value for document in documents for value in values(document)))


def _first(documents: Iterable[Outline], value: Callable[[Outline], str]) -> str:
    return next(filter(None, map(value, documents)), "")
