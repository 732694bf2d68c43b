"""What git says of a file. Runs the user's ``git``; nothing is written."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import NamedTuple

from ccdashd.clock import iso

PATIENCE = 10.0
"""Seconds that git may take."""

_FILTERS = r"^filter\..*\.(clean|process|required)$"
"""Settings that have programs read the files of a repository, by their name."""


class Lines(NamedTuple):
    """Lines that stand together and come from one commit; from 1, the last included."""

    start: int
    end: int
    hash: str
    """Zeros for what is not committed."""
    author: str
    time: str
    summary: str


def blame(path: str, start: int, end: int) -> list[Lines] | None:
    """The commits of lines `start` to `end`. None where there is no git, no repository, or the file is not in it.

    Format: ``--porcelain`` of https://git-scm.com/docs/git-blame.
    """
    git = shutil.which("git")
    if git is None or end < start:
        return None
    folder, name = os.path.split(path)
    filters = _filters(git, folder)
    if filters is None:
        return None
    # A repository of somebody else must not have programs run, as its configuration could.
    safe = ["core.fsmonitor=false", "core.hooksPath=/dev/null"]
    safe += [f"{name}={'false' if name.endswith('.required') else ''}" for name in filters]
    options = [part for setting in safe for part in ("-c", setting)]
    output = _run([git, *options, "blame", "--no-textconv", "--porcelain", f"-L{start},{end}", "--", name], folder)
    return _parsed(output) if output is not None else None


def _filters(git: str, folder: str) -> list[str] | None:
    """The filters that a repository sets, and not the user for all; None where they cannot be turned off."""
    wanted = ["--null", "--show-scope", "--name-only", "--get-regexp", _FILTERS]
    output = _run([git, "config", *wanted], folder)
    if output is None:
        return None
    parts = output.split("\0")
    names = [name for scope, name in zip(parts[::2], parts[1::2], strict=False) if scope not in ("system", "global")]
    return names if not any("=" in name for name in names) else None


def _run(arguments: list[str], folder: str) -> str | None:
    """What git says; None where it fails. That a setting is not there is no failure."""
    # Which repository it is, the folder alone says; objects that are not here are fetched from nowhere.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_ALLOW_PROTOCOL": "none", "LC_ALL": "C.UTF-8"}
    try:
        result = subprocess.run(
            arguments,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None
    is_fine = result.returncode == 0 or (result.returncode == 1 and "config" in arguments)
    return result.stdout.decode("utf-8", "surrogateescape") if is_fine else None


def _parsed(output: str) -> list[Lines]:
    known: dict[str, dict[str, str]] = {}
    found: list[Lines] = []
    commit, line = "", 0
    about: dict[str, str] = {}
    for text in output.split("\n"):
        if text.startswith("\t"):
            if found and found[-1].hash == commit and found[-1].end == line - 1:
                found[-1] = found[-1]._replace(end=line)
            else:
                author, summary = about.get("author", ""), about.get("summary", "")
                found.append(Lines(line, line, commit, author, _time(about.get("author-time", "")), summary))
            continue
        name, _, value = text.partition(" ")
        if len(name) in (40, 64) and set(name) <= set("0123456789abcdef"):
            commit, line = name, int(value.split(" ")[1])
            about = known.setdefault(commit, {})
        elif name:
            about[name] = value
    return found


def _time(seconds: str) -> str:
    """When a commit was made; empty for a time that is none, or beyond the calendar: git takes what it is given."""
    try:
        return iso(int(seconds) * 1000) or ""
    except (OverflowError, ValueError):
        return ""
