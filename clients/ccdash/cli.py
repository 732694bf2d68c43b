"""Read the command line, run one command, turn every failure into a sentence."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ccdash.context import Context
from ccdash.errors import BUSY, INVALID_PARAMS, NOT_FOUND, Error, RpcError
from ccdash.output import Output
from ccdash.parser import build, find
from ccdash.text import clean, clean_lines

INTERRUPTED = 130
_LISTS = {
    "session": ("sessions/list", "ccdash sessions --all"),
    "project": ("projects/list", "ccdash projects"),
    "feature": ("features/list", "ccdash features --everywhere --all"),
    "task": ("tasks/list", "ccdash tasks --everywhere --all"),
    "document": ("documents/list", "ccdash docs --everywhere --all"),
    "tag": ("tags/list", "ccdash tags"),
    "link": ("links/list", "ccdash links ENTITY"),
    "alert": ("alerts/list", "ccdash alerts"),
    "policy": ("retention/get", "ccdash retention"),
}
"""Where the daemon sends a client for ids of a kind, and where that is for a user."""

BROKEN_PIPE = 141
"""What a shell reports for a program that SIGPIPE ended."""


def run(argv: Sequence[str]) -> int:
    """Run ``ccdash`` with `argv`; returns the exit code: 0, 1 or what the command has for a failure, 2 for wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        # Text of others may hold what the terminal's encoding lacks; a question mark is better than no answer.
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    out, context, failed = Output(), None, 1
    try:
        parser = build()
        args = parser.parse_args(argv)
        out = Output(as_json=args.json, color=not args.no_color, profile=args.profile)
        if args.command is None:
            parser.print_help()
            return 0
        context = Context(args, out)
        handler = find(args.command).load()
        failed = handler.failed
        code = handler.run(context) or 0
        out.flush()
        return code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output once more at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return BROKEN_PIPE
    except Error as error:
        return _fail(out, _told(error, context), max(failed, error.exit_code))
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error.strerror or error)
        return _fail(out, f"{clean_lines(what)}. Check the path and its permissions.", failed)
    except Exception as error:
        if os.environ.get("CCDASH_DEBUG"):
            raise
        what = clean_lines(f"{type(error).__name__}: {error}")
        return _fail(out, f"A fault of ccdash itself ({what}). Run it again with CCDASH_DEBUG=1 and report it.", failed)


def _fail(out: Output, text: str, code: int) -> int:
    try:
        out.error(text)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return code


def _told(error: Error, context: Context | None) -> str:
    """The error with what to do about it; errors of the client say that themselves."""
    text = clean_lines(error)
    if not isinstance(error, RpcError):
        return text
    data = error.data if isinstance(error.data, dict) else {}
    end = "" if text.endswith((".", "!", "?")) else "."
    if error.code == NOT_FOUND:
        method, command = _LISTS.get(str(data.get("type")), ("", ""))
        text = text.removesuffix(f"; see {method}") + end
        if context is not None and context.is_indexing():
            return f"{text} The first index is not complete: it may come. `ccdash up --wait` waits for it."
        return f"{text} `{command}` lists them." if command else text
    if error.code == BUSY:
        wait = f"{float(data.get('retryAfter', 1)):g} s"
        return f"{text}{end} Try again in {wait}; `ccdash status` tells more."
    if error.code == INVALID_PARAMS and data.get("got") is not None and clean(data["got"]) not in text:
        return f"{text} (got {clean(data['got'])}){end}"
    if error.code == -32601:
        return f"{text}{end} `ccdash rpc` lists the methods."
    if error.code == -32603:
        return f"{text}{end} The daemon's log tells more" + (f" under {data['id']}." if data.get("id") else ".")
    return text + end
