"""``ccdash rescan`` and ``rebuild``: the cache made what logs and planning files say."""

from __future__ import annotations

import argparse
from typing import Any

from ccdash.arguments import known_path
from ccdash.context import Context
from ccdash.parser import Handler
from ccdash.table import fields


def configure_rescan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="*", help="logs, planning files or folders; by default all")


def configure(parser: argparse.ArgumentParser) -> None:
    """Rebuild has no arguments of its own."""


def run_rescan(context: Context) -> None:
    with context.connect() as client:
        given = [known_path(client, path) for path in context.args.paths]
        _tell(context, context.long_call(client, "cache/rescan", {"paths": given} if given else {}, label="Comparing"))


def run_rebuild(context: Context) -> None:
    with context.connect() as client:
        _tell(context, context.long_call(client, "cache/rebuild", label="Reading every file"))


def _tell(context: Context, result: Any) -> None:
    out = context.out
    if out.as_json:
        out.result(result)
        return
    out.line(f"Compared with the cache in {result['seconds']:.2f} s.")
    logs = f"{result['files']:,}: {result['parsed']:,} read whole, {result['appended']:,} read on, {result['gone']:,} gone"
    plans = f"{result['documents']:,}: {result['documentsRead']:,} read, {result['documentsGone']:,} gone"
    fields(out, [("logs", logs), ("planning files", plans)])


HANDLERS = {
    "rescan": Handler(
        configure_rescan,
        run_rescan,
        ("ccdash rescan", "ccdash rescan ~/.claude/projects/-home-me-shop", "ccdash rescan docs/plans"),
    ),
    "rebuild": Handler(configure, run_rebuild, ("ccdash rebuild    # sessions whose log is gone stay",)),
}
