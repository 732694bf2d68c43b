"""``ccdash top``, ``ccdash tools`` and ``ccdash models``: what had most of something."""

from __future__ import annotations

import argparse

from ccdash.analytics import ask, broken_down, limit_arguments, limit_of, note_nothing, title
from ccdash.analytics_records import tool_records, top_records
from ccdash.analytics_tables import draw_tools, draw_top
from ccdash.arguments import PAGE
from ccdash.client import Client
from ccdash.context import Context
from ccdash.export import Export, export_arguments
from ccdash.parser import Handler
from ccdash.scope import Registry, scope, scope_arguments

WHAT = {
    "sessions": "session",
    "projects": "project",
    "features": "feature",
    "tasks": "task",
    "models": "model",
    "tools": "tool",
    "files": "file",
    "branches": "branch",
    "skills": "skill",
    "subagents": "subagentType",
}
METRIC = {"tools": "toolCalls", "skills": "toolCalls", "files": "edits"}
"""What is counted unless the user says; else cost."""

BESIDE = ("cost", "tokens", "activeSeconds", "sessions", "toolCalls", "toolErrors", "additions", "deletions")
"""What is told beside that, where it can be; of sessions the first three."""

MODEL_METRICS = ("cost", "tokens", "inputTokens", "outputTokens", "cacheWriteTokens", "cacheReadTokens", "cacheHitShare",
                 "messages")  # fmt: skip
SESSIONS = 10


def configure_top(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", choices=tuple(WHAT), default="sessions", metavar="WHAT",
                        help=f"{', '.join(WHAT)} (sessions)")  # fmt: skip
    parser.add_argument("--metric", metavar="M", help="most of what: cost, or of tools, skills and files how often; "
                        "`ccdash trends --list` lists what there is")  # fmt: skip
    limit_arguments(parser, SESSIONS)
    scope_arguments(parser)
    export_arguments(parser)


def run_top(context: Context) -> None:
    args, export = context.args, Export(context)
    with context.connect() as client:
        registry = Registry.of(client)
        by = WHAT[args.what]
        first = registry.find(args.metric or METRIC.get(args.what, "cost"))
        registry.hold(first, by)
        beside = [metric for metric in registry.beside(BESIDE, by) if metric["id"] != first["id"]]
        limit = limit_of(context, export, SESSIONS)
        if by == "session" and not args.compare:
            _top_sessions(context, client, export, first["id"], limit)
            return
        params = {**scope(context, client), "by": by}
        broken_down(context, client, export, [first, *beside[:4]], params, limit)


def _top_sessions(context: Context, client: Client, export: Export, metric: str, limit: int | None) -> None:
    params = scope(context, client)
    answer = ask(context, client, "analytics/top", {**params, "metric": metric, "limit": min(PAGE, limit or PAGE)})
    known = answer["items"][0]["values"] if answer["items"] else {}
    metrics = Registry.of(client).by([metric, *(name for name in ("cost", "tokens", "activeSeconds")
                                                if name in known and name != metric)])  # fmt: skip
    if limit != len(answer["items"]) == PAGE:
        context.out.note(f"These are the first {PAGE}; `ccdash cost --by session --all` has every one.")
    if export.write(answer, lambda: top_records(answer, metrics)):
        return
    if not answer["items"]:
        note_nothing(context, client, params)
        return
    draw_top(context.out, answer["items"], metrics)
    context.note_indexing(client)


def configure_tools(parser: argparse.ArgumentParser) -> None:
    limit_arguments(parser)
    scope_arguments(parser, compare=False)
    export_arguments(parser)


def run_tools(context: Context) -> None:
    export = Export(context)
    with context.connect() as client:
        params = scope(context, client)
        limit = min(PAGE, limit_of(context, export) or PAGE)
        answer = ask(context, client, "analytics/tools", {**params, "limit": limit})
        if export.write(answer, lambda: tool_records(answer)):
            return
        if not answer["items"]:
            note_nothing(context, client, params)
            return
        title(context, answer, "Tools")
        draw_tools(context.out, answer)
        context.note_indexing(client)


def configure_models(parser: argparse.ArgumentParser) -> None:
    limit_arguments(parser)
    scope_arguments(parser)
    export_arguments(parser)


def run_models(context: Context) -> None:
    export = Export(context)
    with context.connect() as client:
        metrics = Registry.of(client).by(MODEL_METRICS, "model")
        params = {**scope(context, client), "by": "model"}
        broken_down(context, client, export, metrics, params, limit_of(context, export))


HANDLERS = {
    "top": Handler(
        configure_top,
        run_top,
        (
            "ccdash top                                  # the dearest sessions",
            "ccdash top --metric activeSeconds --since week",
            "ccdash top projects --metric tokens",
            "ccdash top files --project . --since 30d    # most edited",
            "ccdash top skills --metric toolErrors",
            "ccdash top features --all --csv",
        ),
    ),
    "tools": Handler(
        configure_tools,
        run_tools,
        (
            "ccdash tools",
            "ccdash tools --since 7d --project .",
            "ccdash tools --json | jq '.items[] | select(.successRate < 0.9)'",
        ),
    ),
    "models": Handler(
        configure_models,
        run_models,
        ("ccdash models", "ccdash models --since month --compare", "ccdash models --csv"),
    ),
}
