"""``ccdash grep``: exact text, or a regular expression, in whole logs, also in archived ones."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from ccdash.arguments import natural, positive, project_id, session_id
from ccdash.client import Client, Notification
from ccdash.context import Context
from ccdash.figures import local, short_id, size
from ccdash.output import Output
from ccdash.parser import Handler
from ccdash.text import clean, clean_part, clip, clip_start, width

NOTHING_FOUND = 1
FAILED = 2
"""Exit codes, as grep has them; where not all could be looked at, it is not said that nothing is there."""

_TOLD = 5
"""Problems that are told one by one."""

_ROOM_MIN = 30
"""Cells that a match is given, however narrow the terminal."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pattern", metavar="PATTERN", help="text as it was written, whatever characters it has")
    how = parser.add_argument_group("how to look")
    how.add_argument(
        "-E",
        "--regex",
        action="store_true",
        help="PATTERN is a regular expression of Python; it is held to each line of a log, which is JSON",
    )
    how.add_argument("-i", "--ignore-case", action="store_true", help="take upper and lower case for the same")
    which = parser.add_argument_group("which logs")
    which.add_argument("--project", metavar="P", help="of a project: its name, id, or a path in it (`.` for here)")
    which.add_argument("--session", metavar="ID", help="of this session and its sub-agents")
    which.add_argument("--after", metavar="TIME", help="of sessions that ended since: a date or time, yesterday, 24h, 7d")
    which.add_argument("--before", metavar="TIME", help="of sessions that began before: a date or time")
    which.add_argument("--no-archive", action="store_true", help="not the copies of logs that are gone")
    show = parser.add_argument_group("what is shown")
    show.add_argument("--limit", type=positive, default=100, metavar="N", help="stop after N records (100, at most 10,000)")
    show.add_argument("--context", type=natural, default=80, metavar="N", help="N characters before and after a match (80)")


def run(context: Context) -> int:
    out = context.out
    with context.connect() as client:
        params = _params(context, client)
        if out.as_json:
            result = context.call(client, "search/deep", params, timeout=None)
            out.result(result)
        else:
            writer = Writer(out)
            result = context.work_call(client, "search/deep", params, label="Searching", told=writer.told)
            _tell(out, result)
            if not result["found"]:
                context.note_indexing(client)
    if result["found"]:
        return 0
    return FAILED if result["problems"] else NOTHING_FOUND


def _params(context: Context, client: Client) -> dict[str, Any]:
    args = context.args
    params = {
        "pattern": args.pattern,
        "regex": args.regex,
        "ignoreCase": args.ignore_case,
        "after": args.after,
        "before": args.before,
        "archived": not args.no_archive,
        "limit": args.limit,
        "context": args.context,
    }
    if args.project:
        params["project"] = project_id(client, args.project, path_in=True)
    if args.session:
        params["session"] = session_id(client, args.session)
    return params


class Writer:
    """Writes matches as they come: below the log that they are in where somebody looks, else each with all of its place."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._path: str | None = None

    def told(self, notification: Notification) -> None:
        """Write the matches of a notification."""
        if notification.method == "search/matches":
            self.write(notification.params["matches"])

    def write(self, matches: Sequence[Mapping[str, Any]]) -> None:
        """Write some more, at once."""
        for match in matches:
            path = clean(match["path"])
            if not self._out.terminal:
                before, found, after = _parts(match)
                self._out.line(f"{path}:{match['line']}:{before}{found}{after}".rstrip())
                continue
            if path != self._path:
                self._heading(match, path)
            self._match(match)
        self._out.flush()

    def _heading(self, match: Mapping[str, Any], path: str) -> None:
        out = self._out
        if self._path is not None:
            out.line()
        self._path = path
        session = clean(short_id(match["sessionId"])) if match["sessionId"] else "no session"
        facts = [out.paint(session, "cyan"), out.paint(local(match["timestamp"]), "dim") if match["timestamp"] else ""]
        facts.append(out.paint("from the archive", "yellow") if match["archived"] else "")
        room = (out.columns or 80) - 40
        facts.append(out.paint(clip_start(path, max(room, _ROOM_MIN)), "magenta"))
        out.line("  ".join(fact for fact in facts if fact))

    def _match(self, match: Mapping[str, Any]) -> None:
        out = self._out
        more = f"  ({match['matches']:,} times)" if match["matches"] > 1 else ""
        place = f"{match['line']:>6}  "
        before, found, after = _fitted(*_parts(match), max((out.columns or 80) - width(place + more), _ROOM_MIN))
        out.line(
            f"{out.paint(place, 'green')}{before}{out.paint(found, 'bold red')}{after}{out.paint(more, 'dim')}".rstrip()
        )


def _parts(match: Mapping[str, Any]) -> tuple[str, str, str]:
    """What stands before the match, the match, and what stands behind it, each safe and on one line."""
    before, found, after = (clean_part(str(match[part])) for part in ("before", "match", "after"))
    return before.lstrip(), found, after


def _fitted(before: str, found: str, after: str, cells: int) -> tuple[str, str, str]:
    """The same in at most so many cells, the match first of all."""
    found = clip(found, cells)
    before = clip_start(before, min(width(before), max((cells - width(found)) // 3, cells - width(found) - width(after))))
    return before, found, clip(after, cells - width(before) - width(found))


def _tell(out: Output, result: Mapping[str, Any]) -> None:
    """Say beside the matches how many there are, where they were looked for, and what could not be read."""
    found, files = result["found"], result["files"]
    logs = f"{files:,} {'log' if files == 1 else 'logs'} ({size(result['bytes'])}) in {result['seconds']:.1f} s"
    if result["stopped"]:
        out.note(f"Stopped at {found:,} {_records(found)}; `--limit` shows more.")
    elif found:
        out.note(f"{found:,} {_records(found)}; looked at {logs}.")
    else:
        out.note(f"Nothing was found; looked at {logs}.")
    problems = result["problems"]
    for problem in problems[:_TOLD]:
        out.note(f"{clean(problem['part'])}: {clean(problem['problem'])}.")
    if len(problems) > _TOLD:
        out.note(f"{len(problems) - _TOLD:,} more could not be read; `--json` lists them.")


def _records(number: int) -> str:
    return "record" if number == 1 else "records"


HANDLERS = {
    "grep": Handler(
        configure,
        run,
        (
            "ccdash grep 'connection reset by peer'          # in all logs, newest first",
            "ccdash grep -i deadlock --project . --after 7d  # here, of late",
            "ccdash grep -E 'E[0-9]{4}: .*timeout'           # a regular expression",
            'ccdash grep \'"model":"claude-opus-4-5"\'         # JSON, as it is in the log',
            "ccdash grep password --limit 10000 | wc -l      # how many records",
            "ccdash grep TODO --json | jq -r '.matches[].entry'",
        ),
        FAILED,
    ),
}
