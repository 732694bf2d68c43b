"""The page of one planning file: what `ccdash doc` writes."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from ccdash.figures import ago, local, size
from ccdash.output import Output
from ccdash.plan_figures import closed, numbers, slug, status_style
from ccdash.plan_tables import draw_entities, draw_tasks
from ccdash.sections import Page, user_facts
from ccdash.table import Column, draw, fields
from ccdash.text import clean


def document_page(
    out: Output, document: Mapping[str, Any], tasks: Sequence[Mapping[str, Any]], *, full: bool = False, option: str = ""
) -> None:
    """Write a planning file: facts; tasks, blockers, criteria and questions; what is wrong; what it refers to. Hints of
    commands have the `option` that names the project, where it is not that of the current folder."""
    page, path = Page(out, full=full), clean(document["path"])
    out.line(out.paint(clean(document["title"]) or path, "bold"))
    fields(out, _facts(out, document))
    page.table(f"Tasks: {len(tasks):,}", tasks, lambda rows: draw_tasks(out, rows, above={}),
               f"`ccdash tasks --document {shlex.quote(path)}{option} --all`")  # fmt: skip
    page.blockers(document["blockers"])
    page.mismatches(document["mismatches"])
    page.findings(document["diagnostics"])
    page.bullets("Open questions", map(clean, document["questions"]))
    page.criteria(document["criteria"])
    page.table("References", document["refs"], lambda rows: _draw_refs(out, rows))
    page.bullets("Files", map(clean, document["files"]))
    project = document["projectId"]
    shown = {task["id"] for task in tasks}
    related = [other for other in document["related"] if other["id"] not in shown]
    page.table("Related", related, lambda rows: draw_entities(out, rows, project))
    page.user(document)
    if full:
        page.bullets("Headings", map(clean, document["headings"]))


def _facts(out: Output, document: Mapping[str, Any]) -> list[tuple[str, str]]:
    tasks, kind, written = document["tasks"], clean(document["docType"]), clean(document["rawType"])
    done = f"{closed(tasks):,} of {tasks['total']:,} closed: {numbers(tasks)}" if tasks["total"] else ""
    return [
        ("file", clean(document["absolutePath"])),
        ("project", clean(document["projectName"])),
        ("type", kind if written in ("", kind) else f"{kind} ({written!r})"),
        ("status", _status(out, document)),
        ("feature", slug(document["featureId"])),
        ("phase", clean(document["phase"])),
        ("tasks", done),
        ("category", clean(document["category"])),
        ("priority", clean(document["priority"])),
        ("effort", clean(document["effort"])),
        ("owners", ", ".join(map(clean, document["owners"]))),
        *user_facts(document),
        ("tags", ", ".join(map(clean, document["fileTags"]))),
        ("created", clean(document["created"])),
        ("updated", clean(document["updated"])),
        ("commits", ", ".join(map(clean, document["commits"]))),
        ("PRs", ", ".join(map(clean, document["prs"]))),
        ("sessions", ", ".join(map(clean, document["sessions"]))),
        ("written", f"{local(document['modifiedAt'])} ({ago(document['modifiedAt'])}), {size(document['size'])}"),
        ("repaired", "its frontmatter was readable only after a repair" if document["recovered"] else ""),
    ]


def _status(out: Output, document: Mapping[str, Any]) -> str:
    status = document["status"]
    if status is None:
        return ""
    line = f", line {document['statusLine']}" if document["statusLine"] else ""
    return f"{out.paint(status, status_style(status))} ({clean(document['rawStatus'])!r}{line})"


def _draw_refs(out: Output, refs: Sequence[Mapping[str, Any]]) -> None:
    columns = (
        Column("LINE", right=True, style="dim"),
        Column("FIELD", flexible=True, least=10),
        Column("", style="red"),
        Column("PATH", flexible=True, path=True, least=32),
    )
    rows = [
        (
            str(ref["line"] or ""),
            clean(ref["field"]),
            "" if ref["exists"] else "missing",
            clean(ref["path"]) or clean(ref["raw"]),
        )
        for ref in refs
    ]
    draw(out, columns, rows)
