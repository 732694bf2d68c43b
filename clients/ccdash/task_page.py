"""The page of one task: what `ccdash task` writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ccdash.output import Output
from ccdash.plan_figures import place, short_entity, slug, status_style
from ccdash.plan_tables import draw_entities
from ccdash.sections import Page, plain, user_facts
from ccdash.table import fields
from ccdash.text import clean


def task_page(out: Output, task: Mapping[str, Any], *, full: bool = False) -> None:
    """Write a task: facts and description; what it waits for and what waits for it; what else its file says."""
    page, project = Page(out, full=full), task["projectId"]
    out.line(out.paint(clean(task["title"]) or clean(task["taskId"]), "bold"))
    fields(out, _facts(out, task))
    page.text("", task["description"] if clean(task["description"]) != clean(task["title"]) else "")
    page.table("Waits for", task["dependsOn"], lambda rows: draw_entities(out, rows, project))
    page.table("Blocks", task["blocks"], lambda rows: draw_entities(out, rows, project))
    page.bullets("Acceptance", map(clean, task["acceptance"]))
    page.bullets("Notes in the file", map(clean, task["notes"]))
    page.bullets("Files", map(clean, task["files"]))
    shown = {(other["type"], other["id"]) for other in (*task["dependsOn"], *task["blocks"])}
    related = [other for other in task["related"] if (other["type"], other["id"]) not in shown]
    page.table("Related", related, lambda rows: draw_entities(out, rows, project))
    page.user(task)
    if full:
        page.bullets("As written", [f"{clean(key)}: {clean(plain(value))}" for key, value in task["fields"].items()])


def _facts(out: Output, task: Mapping[str, Any]) -> list[tuple[str, str]]:
    status, raw, project = task["status"], clean(task["rawStatus"]), task["projectId"]
    forms = {
        "checkbox": "a box in the text",
        "numbered": "a numbered line in the text",
        "map": "an item of the map `tasks`",
    }
    return [
        ("task", clean(task["taskId"])),
        ("status", out.paint(status, status_style(status)) + (f" ({raw!r})" if raw else "")),
        ("feature", slug(task["featureId"])),
        ("phase", clean(task["phase"])),
        ("project", clean(task["projectName"])),
        ("file", place(task) + ("; readable only after a repair" if task["recovered"] else "")),
        ("form", forms.get(task["form"], "")),
        ("section", clean(task["section"])),
        ("batch", clean(task["batch"])),
        ("parent", short_entity("task", task["parentId"] or "", project)),
        ("parts", "\n".join(short_entity("task", child, project) for child in task["children"])),
        ("priority", clean(task["priority"])),
        ("assignees", ", ".join(map(clean, task["assignees"]))),
        ("model", clean(task["model"])),
        ("effort", clean(task["effort"])),
        ("started", clean(task["started"])),
        ("completed", clean(task["completed"])),
        ("commits", ", ".join(map(clean, task["commits"]))),
        ("sessions", ", ".join(map(clean, task["sessions"]))),
        *user_facts(task),
        ("id", clean(task["id"])),
    ]
