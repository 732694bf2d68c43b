"""``ccdash projects``: the folders that sessions belong to."""

from __future__ import annotations

import argparse
import os
from typing import Any

from ccdash.arguments import absolute, pages, project_id
from ccdash.commands.daemon import counts_line
from ccdash.context import Context
from ccdash.errors import UsageError
from ccdash.figures import ago, count, total_tokens
from ccdash.parser import Handler, shared
from ccdash.table import Column, draw
from ccdash.text import clean


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hidden", action="store_true", help="list hidden ones as well")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", description="by default: list")
    listing = actions.add_parser("list", help="list projects, last active first")
    listing.add_argument("--hidden", action="store_true", default=argparse.SUPPRESS, help="hidden ones as well")
    add = actions.add_parser("add", help="make a folder a project; sessions below it join it")
    add.add_argument("path", metavar="PATH", help="the folder")
    add.add_argument("--name", metavar="NAME", help="what to call it; by default the folder's name")
    rename = actions.add_parser("rename", help="give a project another name")
    rename.add_argument("project", metavar="PROJECT", help="its name, id or path")
    rename.add_argument("name", metavar="NAME", help="the new name")
    for action, what in (
        ("hide", "leave a project and its sessions out of lists"),
        ("unhide", "show a hidden project again"),
        ("remove", "undo add, rename and hide; no session is removed"),
    ):
        actions.add_parser(action, help=what).add_argument("project", metavar="PROJECT", help="its name, id or path")
    for below in actions.choices.values():
        shared(below)


def run(context: Context) -> None:
    args, out = context.args, context.out
    action = args.action or "list"
    if action == "add" and not os.path.isdir(absolute(args.path)):
        raise UsageError(f"{args.path} is no folder. Name the top folder of the project.")
    with context.connect() as client:
        if action == "list":
            page = pages(client, "projects/list", {"includeHidden": args.hidden})
            if out.as_json:
                out.result(page)
            elif page["items"]:
                _draw(context, page["items"])
                context.note_indexing(client)
            else:
                out.note("There is no project yet. `ccdash up` says where logs are looked for.")
            return
        if action == "add":
            params: dict[str, Any] = {"root": absolute(args.path)}
            if args.name:
                params["name"] = args.name
            result = context.call(client, "projects/add", params)
        else:
            identifier = project_id(client, args.project)
            if action == "remove":
                result = context.call(client, "projects/remove", {"id": identifier})
            else:
                change = {"name": args.name} if action == "rename" else {"hidden": action == "hide"}
                result = context.call(client, "projects/update", {"id": identifier, **change})
        if out.as_json:
            out.result(result)
        elif action == "remove":
            out.line(f"{clean(args.project)}: as it was found, without name or setting of yours.")
        else:
            hidden = ", hidden" if result["hidden"] else ""
            held = counts_line({name: result[name] for name in ("sessions", "features", "documents")})
            out.line(f"{clean(result['name'])} ({clean(result['root'])}): {held}{hidden}")


def _draw(context: Context, projects: list[dict[str, Any]]) -> None:
    columns = (
        Column("ID", style="cyan", drop=4),
        Column("NAME", flexible=True, least=12),
        Column("FOLDER", flexible=True, style="dim", path=True, least=28),
        Column("SESSIONS", right=True),
        Column("FEATURES", right=True, drop=2),
        Column("DOCS", right=True, drop=3),
        Column("SUB-AGENTS", right=True, drop=5),
        Column("TOKENS", right=True, drop=1),
        Column("LAST", right=True),
    )
    rows = [
        (
            clean(project["id"]),
            clean(project["name"]) + (" [hidden]" if project["hidden"] else ""),
            clean(project["root"]),
            f"{project['sessions']:,}",
            f"{project['features']:,}",
            f"{project['documents']:,}",
            f"{project['subagents']:,}",
            count(total_tokens(project["tokens"])),
            ago(project["lastActivityAt"]),
        )
        for project in projects
    ]
    draw(context.out, columns, rows)


HANDLERS = {
    "projects": Handler(
        configure,
        run,
        (
            "ccdash projects                       # last active first",
            "ccdash projects add ~/work/shop --name Shop",
            "ccdash projects rename shop 'Web shop'",
            "ccdash projects hide scratch",
            "ccdash projects list --hidden",
        ),
    ),
}
