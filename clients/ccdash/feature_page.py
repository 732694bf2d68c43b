"""The page of one feature: what `ccdash feature` writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ccdash.analytics_words import cost
from ccdash.figures import ago, count, duration, total_tokens
from ccdash.output import Output
from ccdash.plan_figures import CLOSED, bar, closed, numbers, percent, place, status_style
from ccdash.plan_tables import draw_documents, draw_entities, draw_linked_sessions, draw_phases, draw_tasks
from ccdash.sections import Page, user_facts
from ccdash.table import fields, heading
from ccdash.text import clean

BAR_CELLS = 20
_KINDS = ("prd", "quick_feature", "implementation_plan", "phase_plan", "progress")
"""Types of documents, the ones first that tell most of a feature."""

_URGENT = ("blocked", "in_progress", "review", "todo", "unknown")


def feature_page(
    out: Output,
    feature: Mapping[str, Any],
    open_tasks: Sequence[Mapping[str, Any]],
    *,
    full: bool = False,
    option: str = "",
) -> None:
    """Write a feature: facts and description; then what is left to do, what is wrong, and what went into it. Hints of
    commands have the `option` that names the project, where it is not that of the current folder."""
    page = Page(out, full=full)
    name = clean(feature["slug"])
    out.line(out.paint(clean(feature["name"]) or name, "bold"))
    fields(out, _facts(out, feature))
    page.text("", feature["description"])
    phases = feature["phases"]
    page.table(f"Phases: {_of(sum(phase['status'] in CLOSED for phase in phases), len(phases))} closed", phases,
               lambda rows: draw_phases(out, rows))  # fmt: skip
    _open_tasks(page, f"{name}{option}", phases, open_tasks)
    page.blockers(feature["blockers"])
    page.mismatches([*feature["mismatches"], *(found for phase in phases for found in phase["mismatches"])])
    page.bullets("Open questions", map(clean, feature["questions"]))
    page.table(f"Sessions: {feature['sessionsTotal']:,}", feature["sessions"],
               lambda rows: draw_linked_sessions(out, rows))  # fmt: skip
    shown = {phase["documentId"] for phase in phases}
    documents = sorted((document for document in feature["documents"] if document["id"] not in shown), key=_kind)
    page.table(
        f"{'Other documents' if shown else 'Documents'}: {len(documents):,}",
        documents,
        lambda rows: draw_documents(out, rows, of_feature=True),
        f"`ccdash docs --feature {name}{option} --all`",
    )
    page.criteria(feature["criteria"], feature["criteriaTotal"], feature["criteriaUnmet"])
    project = feature["projectId"]
    page.table("Other versions", feature["versions"], lambda rows: draw_entities(out, rows, project))
    page.table("Related", feature["related"], lambda rows: draw_entities(out, rows, project))
    page.user(feature)


def _facts(out: Output, feature: Mapping[str, Any]) -> list[tuple[str, str]]:
    tasks = feature["tasks"]
    return [
        ("feature", f"{clean(feature['slug'])} in {clean(feature['projectName'])}"),
        ("status", told_status(out, feature)),
        ("progress", _progress(out, feature["progress"], tasks)),
        ("category", clean(feature["category"])),
        ("priority", clean(feature["priority"])),
        ("owners", ", ".join(map(clean, feature["owners"]))),
        *user_facts(feature),
        ("tags", ", ".join(map(clean, feature["fileTags"]))),
        ("sessions", _effort(out, feature)),
        ("commits", ", ".join(clean(commit)[:10] for commit in feature["commits"])),
        ("PRs", ", ".join(map(clean, feature["prs"]))),
        ("changed", ago(feature["modifiedAt"])),
    ]


def told_status(out: Output, feature: Mapping[str, Any]) -> str:
    """The status, and what the document that holds it says, with the place."""
    status = feature["status"]
    shown = out.paint(status, status_style(status))
    holder = (feature["holder"] or "").removeprefix(f"{feature['projectId']}/")
    said = next((found for found in feature["evidence"] if found["path"] == holder and found["raw"]), None)
    if said is None or not feature["rawStatus"]:
        return f"{shown}, as its phases and tasks say"
    where = f"{clean(feature['rawStatus'])!r} in {place(said)}"
    return f"{shown} ({where})" if said["status"] == status else f"{shown}, as its phases and tasks say ({where})"


def _progress(out: Output, share: float, tasks: Mapping[str, int]) -> str:
    if not tasks["total"]:
        return ""
    drawn = f"{out.paint(bar(share, BAR_CELLS), 'green')}  " if out.terminal else ""
    return f"{drawn}{percent(share)}, {_of(closed(tasks), tasks['total'])} tasks: {numbers(tasks)}"


def _effort(out: Output, feature: Mapping[str, Any]) -> str:
    """What its sessions took together."""
    if not feature["sessionsTotal"]:
        return ""
    parts = [duration(feature["seconds"]), f"{count(total_tokens(feature['tokens']))} tokens"]
    if feature["cost"] is not None:
        parts.append(cost(out, feature["cost"]))
    return f"{feature['sessionsTotal']:,} in {', '.join(parts)}"


def _open_tasks(page: Page, feature: str, phases: Sequence[Mapping[str, Any]], tasks: Sequence[Mapping[str, Any]]) -> None:
    """Open tasks by phase, in the order of the phases; in each phase the blocked ones first, then what is being done."""
    if not tasks:
        return
    heading(page.out, f"Open tasks: {len(tasks):,}")
    places = {phase["id"]: at for at, phase in enumerate(phases)}
    titles = {phase["id"]: _phase_title(phase) for phase in phases}

    def order(task: Mapping[str, Any]) -> tuple[int, str, int]:
        return places.get(task["phaseId"], len(places)), task["documentId"], _rank(task["status"], _URGENT)

    shown = sorted(tasks, key=order)[: page.most]
    above = {}
    for at, task in enumerate(shown):
        if titles and (at == 0 or task["phaseId"] != shown[at - 1]["phaseId"]):
            above[at] = titles.get(task["phaseId"], "Without a phase")
    draw_tasks(page.out, shown, above=above)
    page.rest(len(tasks), f"`ccdash tasks --feature {feature} --open --all`")


def _phase_title(phase: Mapping[str, Any]) -> str:
    number, title = clean(phase["phase"]), clean(phase["title"])
    return " ".join(part for part in (f"Phase {number}:" if number else "", title) if part).removesuffix(":")


def _kind(document: Mapping[str, Any]) -> tuple[int, str]:
    return _rank(document["docType"], _KINDS), document["path"]


def _rank(word: str, order: Sequence[str]) -> int:
    return order.index(word) if word in order else len(order)


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,}"
