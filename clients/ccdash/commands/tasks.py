"""``ccdash tasks`` and ``ccdash task``: what planning files have to be done."""

from __future__ import annotations

import argparse

from ccdash.context import Context
from ccdash.lists import Listing, Order, order_arguments, project_argument, which_arguments
from ccdash.lookup import lookup, placed, placed_task
from ccdash.parser import Handler
from ccdash.plan_tables import draw_tasks
from ccdash.task_page import task_page

SORTS: dict[str, Order] = {
    "path": "asc",
    "status": "asc",
    "priority": "desc",
    "title": "asc",
    "feature": "asc",
    "modifiedAt": "desc",
}


def configure_tasks(parser: argparse.ArgumentParser) -> None:
    which = which_arguments(parser, "tasks")
    which.add_argument("--feature", metavar="SLUG", help="of this feature")
    which.add_argument("--phase", metavar="PHASE", help="of this phase, as files write it, such as 2 or M1")
    which.add_argument(
        "--document", metavar="PATH", help="in this planning file: its path here or in the project, or its end"
    )
    which.add_argument("--assignee", metavar="NAME", help="given to this one")
    which.add_argument("--priority", metavar="WORD", help="of this priority, as files write it")
    which.add_argument("--tag", metavar="TAG", help="with this tag of yours")
    order_arguments(parser, SORTS)


def run_tasks(context: Context) -> None:
    args, out = context.args, context.out
    with context.connect() as client:
        listing = Listing(context, client, ("task", "tasks"), SORTS)
        listing.add(feature=args.feature, phase=args.phase, document=args.document and placed(args, args.document))
        listing.add(assignee=args.assignee, priority=args.priority, tag=args.tag)
        page = listing.page("tasks/list")
        if out.as_json:
            out.result(page)
            return
        if page["items"]:
            draw_tasks(out, page["items"], of_feature=bool(args.feature))
        listing.tell(page)


def configure_task(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="the task's id as its file has it, or FILE#ID where several have it")
    parser.add_argument("--feature", metavar="SLUG", help="the feature it is of, to tell tasks of one id apart")
    project_argument(parser)
    parser.add_argument("--full", action="store_true", help="cut nothing, and show all keys as they are written")


def run_task(context: Context) -> None:
    args, out = context.args, context.out
    with context.connect() as client:
        task = lookup(context, client, "tasks/get", id=placed_task(args, args.id), feature=args.feature)
        if out.as_json:
            out.result(task)
        else:
            task_page(out, task, full=args.full)
            context.note_indexing(client)


HANDLERS = {
    "tasks": Handler(
        configure_tasks,
        run_tasks,
        (
            "ccdash tasks --open    # of the project of this folder, what is left to do",
            "ccdash tasks --feature checkout --phase 2",
            "ccdash tasks --everywhere --status blocked --all",
            "ccdash tasks --assignee backend --sort priority",
            "ccdash tasks migration --json | jq -r '.items[].id'",
        ),
    ),
    "task": Handler(
        configure_task,
        run_task,
        (
            "ccdash task T2-001",
            "ccdash task T2-001 --feature checkout    # where several tasks have that id",
            "ccdash task phase-2-progress.md#T2-001 --full",
        ),
    ),
}
