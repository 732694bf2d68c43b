"""``ccdash statusline``: its options, for the parser; `ccdash.statusline` does the work, mostly without the parser."""

from __future__ import annotations

import argparse

from ccdash.context import Context
from ccdash.parser import Handler
from ccdash.statusline import DEFAULT, FIELDS, Options, params, read_input, run

_FIELDS = "\n".join(f"  {{{name}}}{' ' * (10 - len(name))}{text}" for name, text in FIELDS.items())
_DESCRIPTION = f"""\
Print one line for the prompt of a shell, or for the status line of an agent.

It takes the session and folder from the JSON that Claude Code gives its status
line, else the current folder. It never waits long: where no daemon runs, one is
started in the background, and only what is known without it is shown.

fields of a template:
{_FIELDS}

Between two | stands a part. A part is left out where one of its fields is not
known. The default:
  {DEFAULT[: DEFAULT.index(" | {window}")]}
  {DEFAULT[DEFAULT.index("| {window}") :]}

In ~/.claude/settings.json:
  "statusLine": {{"type": "command", "command": "ccdash statusline --color"}}"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = _DESCRIPTION
    parser.add_argument("--format", metavar="TEMPLATE", default=DEFAULT, help="what the line shows")
    parser.add_argument("--color", action="store_true", help="colour also where no terminal is, as for Claude Code")
    parser.add_argument("--no-start", action="store_true", help="start no daemon")


def run_statusline(context: Context) -> int:
    args, out = context.args, context.out
    if out.as_json:
        with context.connect(autostart=not args.no_start) as client:
            out.result(context.call(client, "analytics/statusline", params(read_input())))
        return 0
    color = False if args.no_color else args.color or None
    return run(Options(args.format, color, not args.no_start, args.profile))


HANDLERS = {
    "statusline": Handler(
        configure,
        run_statusline,
        (
            "ccdash statusline",
            "ccdash statusline --color    # as a command of Claude Code's settings",
            "ccdash statusline --format '{project} | {today} today | {active}'",
            "PS1='$(ccdash statusline --no-start --format \"{today}\") \\$ '",
        ),
    ),
}
