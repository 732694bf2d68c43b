"""Arguments that several commands take: ids, projects, paths, numbers."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from ccdash.client import Client
from ccdash.errors import NotThere, UsageError
from ccdash.text import clean

PAGE = 500
"""Most rows that the daemon gives at once."""


def positive(text: str) -> int:
    """An argparse type: a whole number above 0."""
    return _whole(text, 1)


def seconds(text: str) -> float:
    """An argparse type: a number of seconds above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return number


def natural(text: str) -> int:
    """An argparse type: a whole number, 0 included."""
    return _whole(text, 0)


def absolute(path: str) -> str:
    """An absolute path without ``..``; links are kept, as logs name them the way the agent saw them."""
    return os.path.abspath(os.path.expanduser(path))


def known_path(client: Client, path: str) -> str:
    """The absolute path of a log, a planning file, or a folder with such, which need not exist any more.

    Raises `UsageError`.
    """
    given = absolute(path)
    logs = [root["path"] for root in client.request("ccdash/status")["roots"]]
    projects = [project["root"] for project in all_items(client, "projects/list", {"includeHidden": True})]
    if not logs or any(_within(given, root) or _within(root, given) for root in (*logs, *projects)):
        return given
    raise UsageError(
        f"{clean(path)} is in no project and in no folder of logs. Logs are looked for in {', '.join(map(clean, logs))}; "
        "`ccdash projects` lists the projects."
    )


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def session_id(client: Client, text: str) -> str:
    """The id to ask for: prefixes are resolved by the daemon, the halves of ``PARENT/agent-PREFIX`` here.

    Raises `UsageError` for a sub-agent that is not there, or whose log is not.
    """
    parent, slash, agent = text.partition("/")
    if not slash:
        return text
    session = client.request("sessions/get", {"id": parent})
    found = [below for below in session["subagents"] if below.startswith(f"{session['id']}/{agent}")]
    if len(found) == 1:
        return str(found[0])
    if not found:
        nodes = client.request("sessions/thread", {"id": session["id"]})["nodes"]
        if any(node["missing"] and node["id"].startswith(f"{session['id']}/{agent}") for node in nodes):
            raise UsageError(f"The log of {text} is missing, so nothing is known of it but that it was started.")
        raise UsageError(f"Session {parent} has no sub-agent {agent!r}. `ccdash show {parent} --thread` lists them.")
    raise UsageError(f"{agent!r} fits {len(found)} sub-agents of {parent}: {', '.join(sorted(found)[:5])}. Type more.")


def project_id(client: Client, text: str, *, path_in: bool = False) -> str:
    """The id of the project that `text` names by id, by name (whatever its case) or by the start of its id.

    With `path_in`, a path inside a project is as good, and is returned as absolute path. Raises
    `UsageError` where several fit, `NotThere` where none does.
    """
    if path_in and (text in (".", "..") or "/" in text or text.startswith("~")):
        return absolute(text)
    projects = all_items(client, "projects/list", {"includeHidden": True})
    given = absolute(text)
    for fits in (
        [project for project in projects if text == project["id"] or given == project["root"]],
        [project for project in projects if text.lower() == project["name"].lower()],
        [project for project in projects if project["id"].startswith(text)],
    ):
        if len(fits) == 1:
            return str(fits[0]["id"])
        if fits:
            choices = ", ".join(f"{clean(project['root'])} ({project['id']})" for project in fits[:5])
            more = f" and {len(fits) - 5} more" if len(fits) > 5 else ""
            raise UsageError(f"{text!r} fits {len(fits)} projects: {choices}{more}. Use the id, in parentheses here.")
    if path_in and Path(given).is_dir():
        return given
    raise NotThere(f"There is no project {text!r}. `ccdash projects` lists them.")


def all_items(client: Client, method: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    """The items of all pages of a list."""
    items: list[dict[str, Any]] = pages(client, method, params)["items"]
    return items


def pages(client: Client, method: str, params: dict[str, Any], offset: int = 0, most: int | None = None) -> dict[str, Any]:
    """Several pages of a list put together as one: `most` items from `offset` on, or all."""
    items: list[dict[str, Any]] = []
    more: dict[str, Any] = {"offset": offset}
    while True:
        limit = PAGE if most is None else min(PAGE, most - len(items))
        page: dict[str, Any] = client.request(method, {**params, **more, "limit": limit})
        items += page["items"]
        if not page["items"] or offset + len(items) >= page["total"] or len(items) == most:
            return {**page, "items": items, "offset": offset, "limit": most or len(items)}
        more = {"cursor": page["nextCursor"]} if page.get("nextCursor") else {"offset": offset + len(items)}


def _whole(text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} on")
    return number
