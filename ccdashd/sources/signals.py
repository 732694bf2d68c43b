"""What a log says of plans and commits: slash commands, Markdown files that are named, commits that were made. Pure."""

from __future__ import annotations

import re

from ccdashd.sources.log import Log
from ccdashd.sources.model import Signal

COMMAND_CAP = 2048
"""Characters kept of a slash command with its arguments."""

PATHS_CAP = 40
"""Paths noted of one prompt or one shell line."""

_PATH_CAP = 400
_COMMITS_CAP = 20

_BREAK = re.compile(r"[\s\"'`<>|;&(){}\[\],=]+")
_WHOLE = re.compile(r"@?[^*?$%^!\\:#]+")
_GOES_ON = re.compile(r"[\w-]|\.\w")
_TYPED_COMMAND = re.compile(r"/[a-z][\w-]*(?::[\w-]+)*(?=\s|$)", re.ASCII)

# As git tells of a commit, here within an encoded JSON string: ``[branch abc1234] Subject`` begins a line, and a line below
# it counts what changed (https://git-scm.com/docs/git-commit).
_COMMIT = re.compile(rb'(?:^|["\n]|\\n)\[[^\[\]"\\]{1,200} ([0-9a-f]{7,40})\] ')
_CHANGED = b" changed, "


def command(log: Log, offset: int, text: str) -> None:
    """Note a slash command with its arguments."""
    log.signals.append(Signal("command", " ".join(text[: 2 * COMMAND_CAP].split())[:COMMAND_CAP], offset, log.time))


def prompt(log: Log, offset: int, text: str) -> None:
    """Note the Markdown files that a prompt names, or the slash command that it is."""
    if text[:1] == "/" and _TYPED_COMMAND.match(text):
        command(log, offset, text)
    elif ".md" in text:
        _note(log, "mention", offset, text)


def shell(log: Log, offset: int, line: str) -> None:
    """Note the Markdown files that a shell line names."""
    _note(log, "shell", offset, line)


def _note(log: Log, kind: str, offset: int, text: str) -> None:
    log.signals.extend(Signal(kind, path, offset, log.time) for path in markdown_paths(text))


def markdown_paths(text: str) -> list[str]:
    """Paths of Markdown files in a text, each once, as written; the first `PATHS_CAP`. Patterns and variables are none."""
    found: dict[str, None] = {}
    place = text.find(".md")
    while place >= 0 and len(found) < PATHS_CAP:
        end = place + 3
        if not _GOES_ON.match(text, end):
            # Backwards from each ".md", so that the time does not grow with the length of what stands between.
            path = _BREAK.split(text[max(0, place - _PATH_CAP) : place])[-1] + ".md"
            if path[-4:-3] not in ("", "/", "@") and len(path) < _PATH_CAP and _WHOLE.fullmatch(path):
                found[path.removeprefix("@")] = None
        place = text.find(".md", end)
    return list(found)


def commits(log: Log, offset: int, output: bytes) -> None:
    """Note the commits that the (encoded) output of a shell tool tells of."""
    if _CHANGED in output:
        digests = dict.fromkeys(_COMMIT.findall(output))
        log.signals.extend(Signal("commit", digest.decode(), offset, log.time) for digest in list(digests)[:_COMMITS_CAP])
