"""``ccdash statusline``: one line for the prompt of a shell or the status line of an agent.

It is run at every prompt, so it is a path of its own that imports little, asks the daemon once and never waits long.
Whatever is wrong, it prints what it knows, or nothing: a broken status line would stand in the user's way all day.

Claude Code gives such a command a JSON object on standard input (https://code.claude.com/docs/en/statusline); what it says
of its model and its context window is newer than any log, and is taken first.
"""

from __future__ import annotations

import json
import os
import select
import stat
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from ccdash.amounts import cost, money
from ccdash.errors import UsageError
from ccdash.figures import count, duration, parse_time, short_id, short_model

DEFAULT = "{model} | {project} | {context} | {session} | {today} today | {window} block, {left} left | {burn} | {alerts}"
FIELDS = {
    "model": "the session's model",
    "project": "the project of the folder",
    "feature": "the feature that the session works on",
    "id": "the session's id, as commands take it",
    "context": "tokens in the context window and their share: 45.2k (23 %)",
    "percent": "that share alone: 23 %",
    "session": "what the session cost, with its sub-agents",
    "today": "what was spent today, in all projects",
    "window": "what was spent in the running window of five hours",
    "left": "how long that window lasts yet: 1h 12m",
    "burn": "how fast it goes: $2.10/h",
    "active": "sessions that are being written: 2 live",
    "alerts": "alerts that are firing: 1 alert",
}
"""What a template may name."""

ANSWER = 0.25
"""Seconds that the daemon may take. It needs a few milliseconds; more than this is felt at a prompt."""

INPUT = 0.05
"""Seconds that may pass until standard input says something, where it is a pipe."""

INPUT_MAX = 1 << 20
START_PAUSE = 30.0
"""Seconds between two starts of a daemon that does not come."""

_STYLES = {"model": "36", "session": "32", "alerts": "31;1", "feature": "35"}
_DIM, _WARN, _FULL = "2", "33", "31"
WARN_PERCENT, FULL_PERCENT = 70, 90
"""Shares of the context window from which on it is shown in yellow and in red."""


class Options(NamedTuple):
    """What the command line says."""

    template: str = DEFAULT
    color: bool | None = None
    """None: where standard output is a terminal."""
    start: bool = True
    profile: str | None = None


def quick(arguments: Sequence[str]) -> int | None:
    """Run with the arguments after ``statusline``; None where they need the parser: help, JSON, and what is wrong."""
    options = _read(arguments)
    return None if options is None else run(options)


def run(options: Options) -> int:
    """Write the line; returns the exit code, which is 0 but for options that make no sense."""
    from ccdashd.paths import socket_path

    try:
        parts, socket = parse(options.template), socket_path(options.profile)
    except (UsageError, ValueError) as error:
        sys.stderr.write(f"ccdash: {error}\n")
        return UsageError.exit_code
    try:
        said = read_input()
        told = ask(socket, params(said))
        if told is None and options.start:
            _start(options.profile)
        line = render(parts, values(said, told or {}, time.time(), ascii_only=not _shows("≥")), _colored(options.color))
    except Exception:
        if os.environ.get("CCDASH_DEBUG"):
            raise
        return 0
    _write(line)
    return 0


def _write(line: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    with suppress(OSError, ValueError):
        if line:
            sys.stdout.write(line.encode(encoding, "replace").decode(encoding) + "\n")
        sys.stdout.flush()
        return
    # Nobody reads. Python would flush once more at its exit, and complain.
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _read(arguments: Sequence[str]) -> Options | None:
    options, rest = Options(), list(arguments)
    flags: dict[str, Callable[[], Options]] = {
        "--no-start": lambda: options._replace(start=False),
        "--color": lambda: options._replace(color=True),
        "--no-color": lambda: options._replace(color=False),
    }
    while rest:
        name, has_value, value = rest.pop(0).partition("=")
        if name in flags and not has_value:
            options = flags[name]()
        elif name in ("--format", "--profile") and (has_value or rest):
            value = value if has_value else rest.pop(0)
            options = options._replace(template=value) if name == "--format" else options._replace(profile=value)
        else:
            return None
    return options


def read_input() -> dict[str, Any]:
    """The object that an agent gives on standard input; empty where there is none in time."""
    try:
        kind = os.fstat(0).st_mode
    except OSError:
        return {}
    if stat.S_ISCHR(kind):  # a terminal, or /dev/null
        return {}
    said, deadline = b"", time.monotonic() + INPUT
    while len(said) < INPUT_MAX:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([0], [], [], left)[0]:
            break
        chunk = os.read(0, 1 << 16)
        if not chunk:
            break
        said += chunk
    with suppress(ValueError):
        found = json.loads(said)
        if isinstance(found, dict):
            return found
    return {}


def ask(path: str, asked: Mapping[str, str]) -> dict[str, Any] | None:
    """What the daemon at a socket knows; empty where it does not answer in time, None where nobody listens.

    One request and its answer, by hand: to import `ccdash.client` takes longer than all that is done here.
    """
    from socket import AF_UNIX, socket

    request = {"jsonrpc": "2.0", "id": 1, "method": "analytics/statusline", "params": asked}
    body, deadline = json.dumps(request).encode(), time.monotonic() + ANSWER
    with socket(AF_UNIX) as connection, suppress(OSError, ValueError):
        connection.settimeout(ANSWER)
        try:
            connection.connect(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        connection.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        said = b""
        while (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            chunk = connection.recv(1 << 16)
            said += chunk
            head, _, rest = said.partition(b"\r\n\r\n")
            length = head.lower().partition(b"content-length:")[2].strip()
            if length.isdigit() and len(rest) >= int(length):
                # A connection that asked for nothing else is sent nothing else.
                told = json.loads(rest[: int(length)]).get("result")
                return told if isinstance(told, dict) else {}
            if not chunk:
                break
    return {}


def params(said: Mapping[str, Any]) -> dict[str, str]:
    """What the daemon is asked: of the session and folder that the agent names, else of the current folder."""
    given = {"session": _text(said, "session_id"), "cwd": _text(said, "workspace", "current_dir") or _text(said, "cwd")}
    if not given["cwd"]:
        with suppress(OSError):
            given["cwd"] = os.getcwd()
    return {name: value for name, value in given.items() if value}


def _start(profile: str | None) -> None:
    """Start a daemon in the background, unless one is coming, or was started in vain a moment ago."""
    import fcntl

    from ccdash.autostart import is_locked
    from ccdash.spawn import make_private, spawn
    from ccdashd.paths import resolve

    paths = resolve(profile)
    if os.environ.get("CCDASH_NO_SPAWN", "") not in ("", "0"):
        return
    if is_locked(paths.daemon_lock):
        return
    make_private(paths.runtime_dir)
    descriptor = os.open(paths.startup_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The content of the lock file says when a status line last started a daemon; all others only lock it.
        tried = os.read(descriptor, 64)
        if not tried.isdigit() or not 0 <= time.time() - int(tried) < START_PAUSE:
            os.pwrite(descriptor, b"%d" % time.time(), 0)
            with spawn(paths):
                pass
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)


def values(said: Mapping[str, Any], told: Mapping[str, Any], now: float, *, ascii_only: bool = False) -> dict[str, str]:
    """Each field as text, empty where nothing is known. `said` is what the agent says, `told` what the daemon tells."""

    def spent(name: str) -> str:
        return cost(told.get(name), ascii_only=ascii_only)

    session, live, alerts = told.get("session") or "", told.get("active") or 0, told.get("alerts") or 0
    own_cost = _number(said, "cost", "total_cost_usd")
    pace = told.get("usdPerHour")
    used, limit = _context(said, told)
    share = _number(said, "context_window", "used_percentage")
    share = used / limit if share is None and used is not None and limit else share and share / 100
    percent = "" if share is None else f"{100 * share:.0f} %"
    window = told.get("window") if told.get("windowEndsAt") else None
    return {
        "model": _clean(_text(said, "model", "display_name") or (short_model(told["model"]) if told.get("model") else "")),
        "project": _clean(told.get("project") or ""),
        "feature": _clean(told.get("feature") or ""),
        "id": _clean(short_id(session or _text(said, "session_id"))),
        "context": f"{count(used)} ({percent})" if used and percent else count(used) if used else percent,
        "percent": percent,
        "session": spent("sessionCost") or ("" if own_cost is None else money(own_cost)),
        "today": spent("today"),
        "window": cost(window, ascii_only=ascii_only),
        "left": _left(told.get("windowEndsAt"), now),
        "burn": f"{money(pace)}/h" if pace else "",
        "active": f"{live} live" if live else "",
        "alerts": f"{alerts} alert{'' if alerts == 1 else 's'}" if alerts else "",
    }


def _context(said: Mapping[str, Any], told: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Tokens in the context window, and how many it takes. A prompt is what was not cached, read and written of it."""
    limit = _number(said, "context_window", "context_window_size")
    parts = [
        _number(said, "context_window", "current_usage", name)
        for name in ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    ]
    used = sum(part for part in parts if part is not None) if any(part is not None for part in parts) else None
    return (
        int(used) if used is not None else told.get("contextTokens"),
        int(limit) if limit else told.get("contextLimit"),
    )


def _left(end: str | None, now: float) -> str:
    moment = parse_time(end)
    seconds = 0.0 if moment is None else moment.timestamp() - now
    return duration(seconds) if seconds > 0 else ""


Part = Sequence[tuple[str, str]]
"""Pairs of a literal text and the field after it, which is empty at the end."""


def parse(template: str) -> list[Part]:
    """The parts of a template, which stand between ``|``. Raises `UsageError` for a field that there is not."""
    return [_fields(part.strip()) for part in template.split("|")]


def _fields(text: str) -> Part:
    pairs = []
    while text:
        literal, brace, after = text.partition("{")
        name, closing, text = after.partition("}")
        if brace and (not closing or name not in FIELDS):
            there = ", ".join(FIELDS)
            raise UsageError(f"There is no field {{{name}}}. There are {there}; `ccdash statusline --help` tells more.")
        pairs.append((literal, name))
    return pairs


def render(parts: Sequence[Part], known: Mapping[str, str], color: bool = False) -> str:
    """The line: every part whose fields are all known, with ``|`` between them."""
    shown = ["".join(_shown(literal, name, known, color) for literal, name in part)
             for part in parts if all(known[name] for _, name in part if name)]  # fmt: skip
    between = "\x1b[2m | \x1b[0m" if color else " | "
    return between.join(text for text in shown if text)


def _shown(literal: str, name: str, known: Mapping[str, str], color: bool) -> str:
    text = known.get(name, "")
    return _paint(literal, _DIM, color) + _paint(text, _style(name, text), color)


def _style(name: str, text: str) -> str:
    """The style of a field: a context window that is nearly full warns."""
    if name not in ("context", "percent"):
        return _STYLES.get(name, "")
    share = text.rpartition("(")[2].partition(" %")[0]
    full = int(share) if share.isdigit() else 0
    return _FULL if full >= FULL_PERCENT else _WARN if full >= WARN_PERCENT else ""


def _paint(text: str, style: str, color: bool) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if color and style and text.strip() else text


def _clean(text: str) -> str:
    """Text of others without what could act on the terminal."""
    if text.isascii() and text.isprintable():
        return text
    from ccdash.text import clean

    return clean(text)


def _shows(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _colored(wanted: bool | None) -> bool:
    if wanted is not None:
        return wanted
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _at(said: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        said = said.get(name) if isinstance(said, dict) else None
    return said


def _text(said: Mapping[str, Any], *path: str) -> str:
    found = _at(said, path)
    return found if isinstance(found, str) else ""


def _number(said: Mapping[str, Any], *path: str) -> float | None:
    found = _at(said, path)
    # The comparison leaves out what is no number or infinite, which Python takes for JSON.
    return found if isinstance(found, int | float) and not isinstance(found, bool) and -1e15 < found < 1e15 else None
