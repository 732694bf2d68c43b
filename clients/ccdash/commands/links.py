"""``ccdash link``, ``links`` and ``tree``: how entities hang together, and links of the user's own."""

from __future__ import annotations

import argparse
import re
from typing import Any

from ccdash.arguments import all_items, natural
from ccdash.client import Client
from ccdash.context import Context
from ccdash.entities import TYPES, Entity, Finder, entity_argument, within_argument
from ccdash.errors import NOT_FOUND, RpcError, UsageError
from ccdash.link_tables import draw_external, draw_links, sentence, write_reasons
from ccdash.lists import ALL_HINT, number_told, page_arguments, wanted_page
from ccdash.parser import Handler
from ccdash.table import heading
from ccdash.text import clean
from ccdash.trees import draw_tree

LINK_TYPES = ("related", "child", "parent", "blocks", "implements", "references")
CATEGORIES = ("vcs", "issue_tracker", "docs", "chat", "ci", "design", "other")
LIMIT = 100
DEPTH = 3

_URL = re.compile(r"[a-z][a-z0-9+.-]*://|mailto:", re.IGNORECASE)


def is_url(text: str) -> bool:
    """Whether a URL is meant, be it a good one or not."""
    return _URL.match(text) is not None


def configure_link(parser: argparse.ArgumentParser) -> None:
    entity_argument(parser, "a")
    parser.add_argument("b", metavar="B", help="another entity, named likewise; or a URL")
    within_argument(parser)
    between = parser.add_argument_group("between two entities")
    between.add_argument(
        "--type", choices=LINK_TYPES, help="what A does to B, or what B is to A: its child or parent (related)"
    )
    between.add_argument("--note", metavar="TEXT", help="why, for yourself")
    web = parser.add_argument_group("to the web")
    web.add_argument("--label", metavar="TEXT", help="what to call it; by default made of the URL")
    web.add_argument("--category", choices=CATEGORIES, help="what is there; by default recognised from the URL")


def run_link(context: Context) -> None:
    args, out = context.args, context.out
    web = {name: value for name in ("label", "category") if (value := getattr(args, name)) is not None}
    between = {wire: value for name, wire in (("type", "linkType"), ("note", "note")) if (value := getattr(args, name))}
    if is_url(args.b) and between:
        raise UsageError("--type and --note are for links between entities; a link to the web has --label and --category.")
    if web and not is_url(args.b):
        raise UsageError(f"--label and --category are for links to the web, and {clean(args.b)} is no URL.")
    with context.connect() as client:
        finder = Finder(context, client)
        entity = finder.find(args.a)
        if is_url(args.b):
            link = context.call(client, "externalLinks/create", {"entity": entity.ref, "url": args.b, **web})
            what = f"{clean(link['label'])}, {clean(link['category'])}"
            said = f"{finder.name(entity)} is linked to {clean(link['url'])}: {what}"
        else:
            other = finder.find(args.b)
            link = context.call(client, "links/create", {"source": entity.ref, "target": other.ref, **between})
            said = sentence(finder, link)
    if out.as_json:
        out.result(link)
    else:
        out.line(f"{said} (link {clean(link['id'])}).")


def configure_links(parser: argparse.ArgumentParser) -> None:
    entity_argument(parser)
    within_argument(parser)
    which = parser.add_argument_group("which links")
    which.add_argument(
        "--type", choices=LINK_TYPES, help="of this type; child and parent: with children, or parents, of it"
    )
    which.add_argument("--with", dest="other", choices=tuple(TYPES), metavar="TYPE", help=f"with a {', '.join(TYPES)}")
    way = which.add_mutually_exclusive_group()
    way.add_argument("--out", dest="direction", action="store_const", const="out", help="from ENTITY to others")
    way.add_argument("--in", dest="direction", action="store_const", const="in", help="from others to ENTITY")
    which.add_argument("--min-confidence", type=float, metavar="X", help="at least so sure: from 0 to 1")
    which.add_argument("--dismissed", action="store_true", help="also those that you dismissed")
    parser.add_argument("--why", action="store_true", help="show the evidence of each, with its places")
    page_arguments(parser, LIMIT)


def run_links(context: Context) -> None:
    args, out = context.args, context.out
    filters = _filters(args)
    with context.connect() as client:
        finder = Finder(context, client)
        entity = finder.find(args.entity, gone=True)
        page = wanted_page(context, client, "links/list", {**entity.ref, **filters})
        external = [] if filters.keys() - {"includeDismissed"} else _external(client, entity)
        if args.why:
            audits = [context.call(client, "links/audit", {"id": link["id"]}) for link in page["items"]]
            page = {**page, "items": [{**audit["link"], "evidence": audit["evidence"]} for audit in audits]}
        if out.as_json:
            out.result({**page, "externalLinks": external})
            return
        _write(context, finder, entity, page, external)
        if not (page["total"] or external or filters):
            out.note(f"Nothing is linked with {finder.name(entity)}.")
        elif page["total"] or not external:
            said = number_told(page, ("link", "links"), filtered=True, of=f" of {finder.name(entity)}")
            if said:
                out.note(f"{said}; {ALL_HINT}." if page["items"] else f"{said}.")
        context.note_indexing(client)


def _external(client: Client, entity: Entity) -> list[dict[str, Any]]:
    """Links to the web of an entity, which may be known by its other links alone."""
    try:
        return all_items(client, "externalLinks/list", entity.ref)
    except RpcError as error:
        if error.code != NOT_FOUND:
            raise
        return []


def _filters(args: argparse.Namespace) -> dict[str, Any]:
    """The filters that were given. Children are those that links lead to, parents those that they come from."""
    direction = {"child": "out", "parent": "in"}.get(args.type, args.direction)
    if args.direction not in (None, direction):
        raise UsageError(f"Links with a {args.type} have one direction only; leave out --in and --out.")
    filters = {
        "linkType": "child" if args.type == "parent" else args.type,
        "otherType": args.other and TYPES[args.other],
        "direction": direction,
        "minConfidence": args.min_confidence,
        "includeDismissed": args.dismissed or None,
    }
    return {name: value for name, value in filters.items() if value is not None}


def _write(context: Context, finder: Finder, entity: Entity, page: dict[str, Any], external: list[dict[str, Any]]) -> None:
    out = context.out
    if context.args.why:
        write_reasons(out, finder, page["items"])
    elif page["items"]:
        draw_links(out, finder, entity, page["items"])
    if external:
        if page["items"]:
            heading(out, "On the web")
        draw_external(out, external)


def configure_tree(parser: argparse.ArgumentParser) -> None:
    entity_argument(parser)
    within_argument(parser)
    parser.add_argument("--depth", type=natural, default=DEPTH, metavar="N", help=f"so many levels of children ({DEPTH})")


def run_tree(context: Context) -> None:
    args, out = context.args, context.out
    with context.connect() as client:
        finder = Finder(context, client)
        tree = context.call(client, "links/tree", {**finder.find(args.entity, gone=True).ref, "depth": args.depth})
        if out.as_json:
            out.result(tree)
            return
        draw_tree(out, tree, finder.name)
        if not (tree["parents"] or tree["node"]["children"] or tree["node"]["more"]):
            out.note("It has neither parents nor children.")
        context.note_indexing(client)


HANDLERS = {
    "link": Handler(
        configure_link,
        run_link,
        (
            "ccdash link session:0f3c feature:checkout --type implements",
            "ccdash link checkout refunds --type blocks --note 'money first'",
            "ccdash link checkout payments --type parent    # payments becomes its parent",
            "ccdash link task:T1-001 https://github.com/me/shop/pull/42",
            "ccdash link checkout https://example.com/1 --label Sketch --category design",
        ),
    ),
    "links": Handler(
        configure_links,
        run_links,
        (
            "ccdash links checkout                             # the surest first",
            "ccdash links session:0f3c --with feature --why    # and what says so",
            "ccdash links file:src/till.py --min-confidence 0.8",
            "ccdash links checkout --dismissed --json | jq '.items[].id'",
        ),
    ),
    "tree": Handler(
        configure_tree,
        run_tree,
        (
            "ccdash tree checkout",
            "ccdash tree checkout --depth 1",
            "ccdash tree task:T1-001    # below its phase and feature",
        ),
    ),
}
