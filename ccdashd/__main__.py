"""``ccdashd``: arguments → serve | stop | status.

Exit codes: 0 done; 1 failed, or ``status`` of a daemon that does not run; 2 wrong arguments; 3 another daemon of this
profile holds the lock.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from ccdashd import __version__, paths
from ccdashd.paths import Paths

FAILED = 1
RUNNING_ALREADY = 3

ANSWER = 5.0
"""Seconds that a running daemon has to answer."""

STOP = 20.0
"""Seconds that a daemon has to end after it was asked to."""

_EXAMPLES = """\
examples:
  ccdashd serve                                 run in the foreground, log to the journal or the log file
  ccdashd serve --foreground-log                the same, log to the terminal
  ccdashd serve --set log_level=debug --set watch=polling
  ccdashd status --json                         how the daemon is
  ccdashd stop                                  finish what runs, then stop

Every setting can also stand in config.toml or in CCDASH_<NAME>. Usually `ccdash` starts the daemon when it needs it.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    arguments = _parser().parse_args(argv)
    try:
        where = paths.resolve(arguments.profile)
        if arguments.command == "serve":
            return _serve(where, arguments)
        return _stop(where) if arguments.command == "stop" else _status(where, arguments.json)
    except ValueError as error:
        # A wrong profile or setting: the message says which and why.
        return _fail(str(error))
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ccdashd",
        description="The ccdash daemon: indexes agent session logs and answers on a Unix socket.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ccdashd {__version__}")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--profile", metavar="NAME", help="the profile; its cache and socket are its own")
    commands = parser.add_subparsers(dest="command", required=True, metavar="serve | stop | status")
    serve = commands.add_parser("serve", parents=[common], help="run the daemon")
    serve.add_argument("--auto", action="store_true", help="started by a client: exit after idle_exit_minutes without one")
    serve.add_argument(
        "--set", action="append", default=[], type=_pair, metavar="NAME=VALUE", dest="settings", help="a setting"
    )
    serve.add_argument("--foreground-log", action="store_true", help="log to standard error")
    commands.add_parser("stop", parents=[common], help="stop the running daemon")
    status = commands.add_parser("status", parents=[common], help="show how the running daemon is")
    status.add_argument("--json", action="store_true", help="the whole status as JSON")
    return parser


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _serve(where: Paths, arguments: argparse.Namespace) -> int:
    from ccdashd.log import note_failure
    from ccdashd.runtime import AlreadyRunning, RuntimeProblem
    from ccdashd.serve import serve
    from ccdashd.settings import SettingsError

    try:
        return serve(
            where,
            dict(arguments.settings),
            auto_started=arguments.auto,
            foreground_log=arguments.foreground_log,
        )
    except AlreadyRunning as error:
        _fail(str(error))
        return RUNNING_ALREADY
    except (RuntimeProblem, SettingsError) as error:
        if arguments.auto:
            # Nobody sees the output of a daemon that a client started; the client shows the end of the log.
            note_failure(where.log_file, str(error))
        return _fail(str(error))


def _stop(where: Paths) -> int:
    from ccdashd.control import Refused, Unreachable, request
    from ccdashd.runtime import lock_holder

    holder = lock_holder(where.daemon_lock)
    if holder is None:
        print("ccdashd is not running")  # noqa: T201 - the command's output
        return 0
    try:
        request(where.socket, "ccdash/shutdown", ANSWER)
    except Refused:
        pass  # It is stopping already.
    except Unreachable as error:
        # The lock is held, so the process that wrote its number there lives.
        if holder.pid is None:
            return _fail(f"{error}, and the lock does not tell which process it is")
        with suppress(ProcessLookupError):
            os.kill(holder.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP
    while lock_holder(where.daemon_lock) == holder:
        if time.monotonic() > deadline:
            return _fail(f"the daemon ({holder}) still runs after {STOP:g} s; its log says why: {where.log_file}")
        time.sleep(0.02)
    print(f"ccdashd stopped ({holder})")  # noqa: T201
    return 0


def _status(where: Paths, as_json: bool) -> int:
    import json

    from ccdashd.control import Refused, Unreachable, request
    from ccdashd.runtime import lock_holder

    try:
        status = request(where.socket, "ccdash/status", ANSWER)
    except (Unreachable, Refused) as error:
        holder = lock_holder(where.daemon_lock)
        return _fail(f"{error}; a daemon runs ({holder})" if holder else "ccdashd is not running")
    if as_json:
        print(json.dumps(status, indent=2))  # noqa: T201
        return 0
    indexing = status["indexing"]
    lines = [
        f"ccdashd {status['version']}: {status['state']}, pid {status['pid']}, profile {status['profile']}",
        f"socket    {status['socket']}",
        f"database  {status['database']}, {status['databaseBytes'] / 1e6:.1f} MB, revision {status['revision']}",
        f"holds     {', '.join(f'{count} {name}' for name, count in status['counts'].items()) or 'nothing yet'}",
        f"indexing  {indexing['phase']}, {indexing['filesDone']} of {indexing['filesTotal']} files",
    ]
    lines += [f"problem   {one['part']}: {one['problem']} {one['hint']}".rstrip() for one in status["problems"]]
    print("\n".join(lines))  # noqa: T201
    return 0


def _fail(message: str) -> int:
    print(f"ccdashd: {message}", file=sys.stderr)  # noqa: T201
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
