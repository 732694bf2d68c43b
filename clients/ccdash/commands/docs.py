"""``ccdash docs`` and ``ccdash doc``: planning files."""

from __future__ import annotations

import argparse

from ccdash.arguments import pages
from ccdash.context import Context
from ccdash.document_page import document_page
from ccdash.lists import Listing, Order, order_arguments, project_argument, which_arguments
from ccdash.lookup import elsewhere, lookup, placed
from ccdash.parser import Handler
from ccdash.plan_tables import draw_documents
from ccdash.text import clean_lines

SORTS: dict[str, Order] = {
    "path": "asc",
    "title": "asc",
    "type": "asc",
    "status": "asc",
    "tasks": "desc",
    "modifiedAt": "desc",
}


def configure_docs(parser: argparse.ArgumentParser) -> None:
    which = which_arguments(parser, "planning files")
    which.add_argument(
        "--type", metavar="TYPE", help="of this type, such as prd, implementation_plan, progress, report, adr"
    )
    which.add_argument("--feature", metavar="SLUG", help="of this feature")
    which.add_argument("--tag", metavar="TAG", help="with this tag, of yours or of the file")
    which.add_argument("--path", metavar="PATH", help="at or below this path in the project")
    which.add_argument("--problems", action="store_true", help="in which something was not understood")
    order_arguments(parser, SORTS)


def run_docs(context: Context) -> None:
    args, out = context.args, context.out
    with context.connect() as client:
        listing = Listing(context, client, ("planning file", "planning files"), SORTS)
        listing.add(type=args.type, feature=args.feature, tag=args.tag, path=args.path, problems=args.problems)
        page = listing.page("documents/list")
        if out.as_json:
            out.result(page)
            return
        if page["items"]:
            draw_documents(out, page["items"], of_feature=bool(args.feature))
        listing.tell(page)


def configure_doc(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "path", metavar="PATH", help="the file: its path here or in the project, the end of that, or its id"
    )
    project_argument(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--content", action="store_true", help="print the text of the file alone; with --json, add it")
    what.add_argument("--full", action="store_true", help="cut nothing: whole texts, whole lists")


def run_doc(context: Context) -> None:
    args, out = context.args, context.out
    with context.connect() as client:
        document = lookup(context, client, "documents/get", id=placed(args, args.path), content=args.content)
        if out.as_json:
            out.result(document)
        elif args.content:
            out.line(clean_lines(document["content"] or "").rstrip("\n"))
        else:
            of_it = {"document": document["id"], "includeHidden": True}
            tasks = pages(client, "tasks/list", of_it)["items"] if document["tasks"]["total"] else []
            document_page(out, document, tasks, full=args.full, option=elsewhere(client, document["projectId"]))
            context.note_indexing(client)


HANDLERS = {
    "docs": Handler(
        configure_docs,
        run_docs,
        (
            "ccdash docs --type prd --open          # of the project of this folder",
            "ccdash docs --problems --everywhere    # not understood in all",
            "ccdash docs --feature checkout",
            "ccdash docs --path docs/plans --sort modifiedAt",
        ),
    ),
    "doc": Handler(
        configure_doc,
        run_doc,
        (
            "ccdash doc docs/plans/checkout.md    # what was read in it",
            "ccdash doc checkout.md --content     # its text",
            "ccdash doc checkout.md --json | jq .frontmatter",
        ),
    ),
}
