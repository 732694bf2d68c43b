"""What git says of a file. Runs the user's ``git``; nothing is written."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import NamedTuple

from ccdashd.clock import iso

PATIENCE = 10.0
"""Seconds that git may take."""


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
    # A repository of somebody else must not have programs run, as its configuration could.
    safe = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]
    arguments = [git, *safe, "blame", "--porcelain", f"-L{start},{end}", "--", os.path.basename(path)]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C.UTF-8"}
    try:
        result = subprocess.run(
            arguments,
            cwd=os.path.dirname(path),
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return _parsed(result.stdout.decode("utf-8", "replace")) if result.returncode == 0 else None


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
                time = iso(int(about.get("author-time", "0")) * 1000) or ""
                found.append(Lines(line, line, commit, about.get("author", ""), time, about.get("summary", "")))
            continue
        name, _, value = text.partition(" ")
        if len(name) in (40, 64) and set(name) <= set("0123456789abcdef"):
            commit, line = name, int(value.split(" ")[1])
            about = known.setdefault(commit, {})
        elif name:
            about[name] = value
    return found
