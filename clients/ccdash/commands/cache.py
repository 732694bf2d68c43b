"""``ccdash rescan``, ``rebuild`` and ``verify``: cache and logs compared."""

from __future__ import annotations

import argparse

from ccdash.arguments import absolute
from ccdash.context import Context
from ccdash.parser import Handler
from ccdash.text import clean


def configure_rescan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="*", help="logs or folders; by default all that are looked at")


def configure(parser: argparse.ArgumentParser) -> None:
    """Rebuild and verify have no arguments of their own."""


def run_rescan(context: Context) -> None:
    given = [absolute(path) for path in context.args.paths]
    _reread(context, "cache/rescan", {"paths": given} if given else {}, "Comparing")


def run_rebuild(context: Context) -> None:
    _reread(context, "cache/rebuild", None, "Reading every log")


def _reread(context: Context, method: str, params: object, label: str) -> None:
    out = context.out
    with context.connect() as client:
        result = context.long_call(client, method, params, label=label)
    if out.as_json:
        out.result(result)
        return
    out.line(
        f"{result['files']:,} files compared in {result['seconds']:.2f} s: {result['parsed']:,} read whole, "
        f"{result['appended']:,} read on, {result['gone']:,} gone."
    )


def run_verify(context: Context) -> int:
    out = context.out
    with context.connect() as client:
        result = context.long_call(client, "cache/verify", label="Verifying")
    if out.as_json:
        out.result(result)
        return 0 if result["ok"] else 1
    verdict = out.paint("The cache says what the logs say", "green") if result["ok"] else "The cache differs from the logs"
    out.line(f"{verdict}: {result['checkedFiles']:,} files checked in {result['seconds']:.2f} s.")
    for problem in result["problems"]:
        hint = f" {clean(problem['hint'])}" if problem["hint"] else ""
        out.line(f"{out.paint(clean(problem['part']), 'red')}: {clean(problem['problem'])}{hint}")
    return 0 if result["ok"] else 1


HANDLERS = {
    "rescan": Handler(
        configure_rescan,
        run_rescan,
        ("ccdash rescan", "ccdash rescan ~/.claude/projects/-home-me-shop"),
    ),
    "rebuild": Handler(configure, run_rebuild, ("ccdash rebuild    # sessions whose log is gone stay",)),
    "verify": Handler(configure, run_verify, ("ccdash verify     # exit code 1 when something differs",)),
}
