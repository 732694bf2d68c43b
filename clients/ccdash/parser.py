"""The command line, read with argparse: the table of commands, and options that all of them share.

A command's own arguments, and the module that runs it, are loaded only when that command is called: most of the time
between the prompt and the answer would otherwise go into building parsers that nobody asked for.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

from ccdash import __version__
from ccdash.context import Context
from ccdash.text import clean_lines


class Handler(NamedTuple):
    """How a command takes its arguments and runs. `run` returns an exit code, None for 0."""

    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Context], int | None]
    examples: Sequence[str]
    failed: int = 1
    """Exit code of every failure, where 1 says something else."""


class Command(NamedTuple):
    """A row of the table of commands: the module in ``ccdash.commands`` whose ``HANDLERS`` has it."""

    name: str
    module: str
    summary: str

    def load(self) -> Handler:
        """Import the command's module."""
        handlers: dict[str, Handler] = import_module(f"ccdash.commands.{self.module}").HANDLERS
        return handlers[self.name]


COMMANDS = (
    Command("up", "up", "start the daemon, say where logs were found, follow the first index"),
    Command("status", "daemon", "say how the daemon is"),
    Command("sessions", "sessions", "list sessions, filtered and sorted"),
    Command("show", "show", "show one session: figures, transcript, tools, files, thread"),
    Command("tail", "tail", "print the end of a transcript, and follow it live"),
    Command("active", "sessions", "list sessions that are being written now"),
    Command("files", "files", "list the sessions that touched a path, and the plans that speak of it"),
    Command("blame", "blame", "tell which session and prompt wrote each line of a file"),
    Command("search", "search", "find words in everything that was said, done and planned"),
    Command("grep", "grep", "find exact text, or a regular expression, in whole logs, also in archived ones"),
    Command("features", "features", "list features: what is planned, and how far it is"),
    Command("feature", "features", "show one feature: phases, open tasks, blockers, mismatches, sessions, cost"),
    Command("tasks", "tasks", "list tasks of planning files, filtered and sorted"),
    Command("task", "tasks", "show one task with all that its file says of it"),
    Command("docs", "docs", "list planning files, filtered and sorted"),
    Command("doc", "docs", "show one planning file with all that was read in it"),
    Command("set-status", "set_status", "set the status of a feature, phase or task in its file, after a preview"),
    Command("link", "links", "link an entity with another one, or with the web"),
    Command("unlink", "unlink", "delete a link of yours, or dismiss one that was found"),
    Command("links", "links", "list what hangs together with an entity, how sure that is, and why"),
    Command("tree", "links", "show the parents and children of an entity"),
    Command("stats", "stats", "show what it cost and how it develops, at a glance"),
    Command("cost", "cost", "tell what it cost: by day, by anything else, the bill of a session, that of a feature"),
    Command("usage", "usage", "tell of tokens by kind and what they cost: daily, weekly, monthly, by session, by window"),
    Command("trends", "trends", "draw any metric over time, by weekday and hour, or its spread over sessions"),
    Command("top", "top", "list what had most of something: sessions, projects, features, files and others"),
    Command("tools", "top", "list tools: calls, errors, and how long they took"),
    Command("models", "top", "list models: what they cost, and tokens by kind"),
    Command("statusline", "statusline", "print one line for the prompt of a shell or the status line of an agent"),
    Command("alerts", "alerts", "list, make and change alert rules; show what fires and what fired; watch"),
    Command("metrics", "metrics", "print all metrics for Prometheus, or say what each metric means"),
    Command("tag", "tags", "give an entity tags"),
    Command("untag", "tags", "take tags from an entity"),
    Command("tags", "tags", "list tags; rename, delete and colour them"),
    Command("note", "notes", "show, write or delete the note on an entity"),
    Command("rate", "notes", "rate an entity from 1 to 5, and how much friction there was"),
    Command("projects", "projects", "list, add, rename, hide and remove projects"),
    Command("doctor", "doctor", "explain what was not understood, and which sessions are hidden and why"),
    Command("rescan", "cache", "compare files with the cache now, and read what differs"),
    Command("rebuild", "cache", "read every file anew"),
    Command("verify", "integrity", "check all that ccdash keeps against files and checksums, and repair it"),
    Command("backup", "integrity", "copy what ccdash keeps into a folder; list backups, put one back"),
    Command("vacuum", "integrity", "give free space of the databases back"),
    Command("migrate", "integrity", "show the version of the cache; go down to an older one, and up again"),
    Command("storage", "storage", "show what ccdash's own files take on disk: by part, table and project"),
    Command("archive", "archive", "show copies of logs; copy now, list them, write the logs of a session back"),
    Command("retention", "prune", "list, set and delete policies by which copies of sessions go"),
    Command("prune", "prune", "list which of ccdash's own copies of sessions go, and delete them"),
    Command("export", "bundles", "write a session, feature, project or everything into one file, redacted when asked"),
    Command("import", "bundles", "take in the sessions of such a file, after all of it was checked"),
    Command("stop", "daemon", "stop the daemon when it has finished what runs"),
    Command("demo", "demo", "make realistic demo logs and show them in a profile of their own"),
    Command("service", "service", "start the daemon by systemd or launchd: install, uninstall, status"),
    Command("lsp", "lsp", "be a language server on standard input and output, for editors"),
    Command("rpc", "rpc", "call any method of the daemon and print its result as JSON"),
    Command("completion", "completion", "print a completion script for a shell"),
)


class Parser(argparse.ArgumentParser):
    """A parser that is configured when it is first used."""

    def __init__(self, *args: Any, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        options.setdefault("allow_abbrev", False)
        super().__init__(*args, **options)
        self.pending: Callable[[], None] | None = None

    def ready(self) -> None:
        """Configure now what is pending."""
        if self.pending is not None:
            pending, self.pending = self.pending, None
            pending()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self.ready()
        namespace, unknown = super().parse_known_args(args, namespace)
        if unknown:
            # Told here and not by the parser above, which would send the user to the help of another command.
            self.error(f"unknown: {' '.join(unknown)}")
        return namespace, unknown

    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong, and where the help is; exit with 2."""
        text = clean_lines(_nearest(message))
        self.exit(2, f"{self.prog}: {text}{'' if text.endswith('?') else '.'} `{self.prog} --help` explains.\n")


def build(*, whole: bool = False) -> Parser:
    """The parser of ``ccdash``; with `whole`, every command is configured (for completions and the reference)."""
    parser = Parser(
        prog="ccdash",
        description="Everything you do with AI coding agents, at hand.",
        epilog="`ccdash COMMAND --help` explains a command and gives examples.",
    )
    parser.add_argument("--version", action="version", version=f"ccdash {__version__}")
    shared(parser, top=True)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands", parser_class=Parser)
    for command in COMMANDS:
        below = commands.add_parser(command.name, help=command.summary, description=_sentence(command.summary))
        below.pending = _configure(command, below)
        if whole:
            below.ready()
    return parser


def find(name: str) -> Command:
    """The command of that name."""
    return next(command for command in COMMANDS if command.name == name)


def _configure(command: Command, parser: Parser) -> Callable[[], None]:
    def configure() -> None:
        handler = command.load()
        handler.configure(parser)
        shared(parser)
        parser.epilog = "examples:\n" + "\n".join(f"  {example}" for example in handler.examples)

    return configure


def shared(parser: argparse.ArgumentParser, *, top: bool = False) -> None:
    """Options that may stand before or after the command; the one after it wins."""

    def default(value: object) -> object:
        return value if top else argparse.SUPPRESS

    group = parser.add_argument_group("everywhere")
    group.add_argument("--json", action="store_true", default=default(False), help="print the raw result as JSON")
    group.add_argument("--profile", metavar="NAME", default=default(None), help="use the daemon and data of this profile")
    group.add_argument(
        "--no-color", action="store_true", default=default(False), help="no colour, as the variable NO_COLOR does"
    )


def _nearest(message: str) -> str:
    """argparse's words for a choice that is none, with the one that was probably meant."""
    found = re.fullmatch(r"argument (.+): invalid choice: '(.*)' \(choose from (.+)\)", message, re.DOTALL)
    if found is None:
        return message
    import difflib

    what, given, choices = found[1], found[2], [choice.strip("' ") for choice in found[3].split(",")]
    near = difflib.get_close_matches(given, choices, 1)
    meant = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(choices)}"
    return f"{what}: there is no {given!r}; {meant}"


def _sentence(summary: str) -> str:
    return summary[0].upper() + summary[1:] + "."
