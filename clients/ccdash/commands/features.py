"""``ccdash features`` and ``ccdash feature``: what is planned, how far it is, and what went into it."""

from __future__ import annotations

import argparse

from ccdash.arguments import pages
from ccdash.context import Context
from ccdash.feature_page import feature_page
from ccdash.lists import Listing, Order, order_arguments, project_argument, which_arguments
from ccdash.lookup import elsewhere, lookup
from ccdash.parser import Handler
from ccdash.plan_figures import OPEN
from ccdash.plan_tables import draw_features

SORTS: dict[str, Order] = {
    "modifiedAt": "desc",
    "name": "asc",
    "status": "asc",
    "progress": "desc",
    "tasks": "desc",
    "sessions": "desc",
    "priority": "desc",
}


def configure_features(parser: argparse.ArgumentParser) -> None:
    which = which_arguments(parser, "features")
    which.add_argument("--category", metavar="C", help="of this category")
    which.add_argument("--tag", metavar="TAG", help="with this tag, of yours or of their files")
    which.add_argument("--mismatch", action="store_true", help="whose files contradict each other")
    order_arguments(parser, SORTS)


def run_features(context: Context) -> None:
    args, out = context.args, context.out
    with context.connect() as client:
        listing = Listing(context, client, ("feature", "features"), SORTS)
        listing.add(category=args.category, tag=args.tag, mismatch=args.mismatch)
        page = listing.page("features/list")
        if out.as_json:
            out.result(page)
            return
        if page["items"]:
            draw_features(out, page["items"])
        listing.tell(page)


def configure_feature(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("slug", metavar="SLUG", help="the feature's slug, also without its -v1, or its id")
    project_argument(parser)
    parser.add_argument("--full", action="store_true", help="cut nothing: whole texts, whole lists")


def run_feature(context: Context) -> None:
    args, out = context.args, context.out
    with context.connect() as client:
        feature = lookup(context, client, "features/get", id=args.slug)
        if out.as_json:
            out.result(feature)
            return
        of_it = {"feature": feature["id"], "status": OPEN, "includeHidden": True}
        open_tasks = pages(client, "tasks/list", of_it)["items"] if feature["tasks"]["total"] else []
        feature_page(out, feature, open_tasks, full=args.full, option=elsewhere(client, feature["projectId"]))
        context.note_indexing(client)


HANDLERS = {
    "features": Handler(
        configure_features,
        run_features,
        (
            "ccdash features                        # of the project of this folder",
            "ccdash features --everywhere --open    # of all projects, what is left to do",
            "ccdash features payment --sort name    # with that word in name or slug",
            "ccdash features --status blocked --status review",
            "ccdash features --mismatch --all       # whose files contradict each other",
            "ccdash features --json | jq -r '.items[].slug'",
        ),
    ),
    "feature": Handler(
        configure_feature,
        run_feature,
        (
            "ccdash feature checkout           # phases, open tasks, blockers, sessions",
            "ccdash feature checkout --full    # the same with nothing cut",
            "ccdash feature checkout --project shop --json | jq .tasks",
        ),
    ),
}
