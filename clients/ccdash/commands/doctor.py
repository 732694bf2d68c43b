"""``ccdash doctor``: every log and planning file that was not understood, every session that a user might miss, and why."""

from __future__ import annotations

import argparse
from itertools import groupby
from typing import Any

from ccdash.arguments import PAGE, known_path, positive
from ccdash.context import Context
from ccdash.output import Output
from ccdash.parser import Handler
from ccdash.table import Column, draw, heading
from ccdash.text import clean, sentences

SEVERITIES = {"error": "red", "warning": "yellow", "info": "dim"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--severity", choices=tuple(SEVERITIES), default="info", help="the least severe to list (info)")
    parser.add_argument("--path", metavar="PATH", help="only what concerns this log, planning file or folder")
    parser.add_argument("--limit", type=positive, default=PAGE, metavar="N", help=f"at most N findings ({PAGE})")
    parser.add_argument("--types", action="store_true", help="also count every record type")


def run(context: Context) -> None:
    args, out = context.args, context.out
    params: dict[str, Any] = {"severity": args.severity, "limit": min(args.limit, PAGE)}
    with context.connect() as client:
        if args.path:
            params["path"] = known_path(client, args.path)
        report = context.call(client, "ccdash/doctor", params, label="Examining", timeout=None)
        if out.as_json:
            out.result(report)
            return
        _problems(out, report["problems"])
        _findings(out, report)
        _types(out, report, args.types)
        hidden = report["hiddenSessions"]
        if hidden:
            out.line()
            verb = "session is" if hidden == 1 else "sessions are"
            out.line(out.hint(f"{hidden:,} {verb} not in lists; `ccdash sessions --hidden --empty --all` shows every one."))
        context.note_indexing(client)


def _problems(out: Output, problems: list[dict[str, Any]]) -> None:
    if not problems:
        out.line("The daemon is well.")
    for problem in problems:
        out.line(f"{out.paint(clean(problem['part']), 'red')}: {sentences(problem['problem'], problem['hint'])}")


def _findings(out: Output, report: dict[str, Any]) -> None:
    found = report["diagnostics"]
    if not found:
        out.line("Everything was understood.")
        return
    heading(out, f"Findings: {report['total']:,}")
    columns = (Column("KIND"), Column("NUMBER", right=True))
    draw(out, columns, [(clean(code), f"{number:,}") for code, number in sorted(report["byCode"].items())])
    out.line()
    for (severity, code, message, hint), same in groupby(found, _kind):
        places = [place for place in map(_where, same) if place]
        out.line(f"{out.paint(severity, SEVERITIES.get(severity, ''))} {clean(code)}: {clean(message)}")
        for line in [clean(hint), *places]:
            if line:
                out.line(f"    {line}")
    if len(found) < report["total"]:
        out.line(
            out.paint(f"… {report['total'] - len(found):,} more; --severity, --path or --limit narrow the list", "dim")
        )


def _kind(finding: dict[str, Any]) -> tuple[str, str, str, str]:
    """What neighbouring findings share that are told once, with all their places."""
    return finding["severity"], finding["code"], finding["message"], finding["hint"]


def _where(finding: dict[str, Any]) -> str:
    times = f" ({finding['count']:,} times)" if finding["count"] > 1 else ""
    if finding["path"]:
        line = f":{finding['line']}" if finding["line"] else ""
        offset = f" (byte {finding['offset']:,})" if finding["offset"] is not None else ""
        return f"{clean(finding['path'])}{line}{offset}{times}"
    return f"session {clean(finding['sessionId'])}{times}" if finding["sessionId"] else times.strip()


def _types(out: Output, report: dict[str, Any], every: bool) -> None:
    unknown = report["unknownRecordTypes"]
    if unknown:
        heading(out, "Record types that are not known (kept and counted, not shown as text)")
        draw(out, (Column("TYPE"), Column("RECORDS", right=True)), _by_number(unknown))
    if every and report["recordTypes"]:
        heading(out, "Record types")
        draw(out, (Column("TYPE"), Column("RECORDS", right=True)), _by_number(report["recordTypes"]))


def _by_number(numbers: dict[str, int]) -> list[tuple[str, str]]:
    ordered = sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(clean(name) or "(none)", f"{number:,}") for name, number in ordered]


HANDLERS = {
    "doctor": Handler(
        configure,
        run,
        (
            "ccdash doctor                       # all of it",
            "ccdash doctor --severity warning    # what may matter",
            "ccdash doctor --path ~/.claude/projects/-home-me-shop",
            "ccdash doctor --path docs/plans     # planning files below that folder",
        ),
    ),
}
