"""``ccdash rescan``, ``rebuild`` and ``verify``: the cache compared with logs and planning files."""

from __future__ import annotations

import argparse
from typing import Any

from ccdash.arguments import known_path
from ccdash.context import Context
from ccdash.parser import Handler
from ccdash.table import fields
from ccdash.text import clean, sentences


def configure_rescan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="*", help="logs, planning files or folders; by default all")


def configure(parser: argparse.ArgumentParser) -> None:
    """Rebuild and verify have no arguments of their own."""


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


def run_verify(context: Context) -> int:
    out = context.out
    with context.connect() as client:
        result = context.long_call(client, "cache/verify", label="Verifying")
    if out.as_json:
        out.result(result)
        return 0 if result["ok"] else 1
    verdict = (
        out.paint("The cache says what the files say", "green") if result["ok"] else "The cache differs from the files"
    )
    out.line(f"{verdict}: {result['checkedFiles']:,} files checked in {result['seconds']:.2f} s.")
    for problem in result["problems"]:
        out.line(f"{out.paint(clean(problem['part']), 'red')}: {sentences(problem['problem'], problem['hint'])}")
    return 0 if result["ok"] else 1


HANDLERS = {
    "rescan": Handler(
        configure_rescan,
        run_rescan,
        ("ccdash rescan", "ccdash rescan ~/.claude/projects/-home-me-shop", "ccdash rescan docs/plans"),
    ),
    "rebuild": Handler(configure, run_rebuild, ("ccdash rebuild    # sessions whose log is gone stay",)),
    "verify": Handler(configure, run_verify, ("ccdash verify     # exit code 1 when something differs",)),
}
