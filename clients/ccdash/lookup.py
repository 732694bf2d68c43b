"""One feature, task or document by what a user calls it: in the project of the current folder first, then in all."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ccdash.arguments import absolute, all_items, project_id
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import INVALID_PARAMS, NOT_FOUND, Error, NotThere, RpcError, UsageError
from ccdash.text import clean

NEAR = 3
"""Slugs that are proposed at most, where there is no feature of the one that was asked for."""


def lookup(context: Context, client: Client, method: str, **params: Any) -> Any:
    """The answer of a method that takes `id` and `project`, the latter as the user gave it.

    Raises UsageError for a name that several have, NotThere for the slug of a feature that is not there, but nearly;
    RpcError with what else the daemon says.
    """
    named = context.args.project
    wanted = {name: value for name, value in params.items() if value not in (None, False)}
    within, missing = project(context, client), None
    for place in places(str(params["id"]), within, there_only=bool(named)):
        try:
            return context.call(client, method, {**wanted, **place})
        except RpcError as error:
            if error.code != NOT_FOUND:
                raise explained(client, error, within) from error
            missing = missing or error
    assert missing is not None
    raise explained(client, missing, within if named else None) from missing


def places(name: str, within: str | None, *, there_only: bool) -> Iterator[dict[str, str]]:
    """Where something of that name is looked for, as parameters: in the project `within`; then, unless `there_only`, in
    all, and in the one that the name begins with, as in ``shop/checkout``."""
    if within:
        yield {"id": name, "project": within}
    if there_only:
        return
    yield {"id": name}
    head, _, rest = name.partition("/")
    if head and rest:
        yield {"id": rest, "project": head}


def elsewhere(client: Client, project: str) -> str:
    """The option that a hint needs to name a project; empty where the current folder does."""
    found = here(client)
    return "" if found is not None and found["id"] == project else f" --project {clean(project)}"


def phases_called(feature: str, phases: Sequence[Mapping[str, Any]], name: str) -> list[str]:
    """The ids of the phases of a feature that are called so: several, where several of its files tell of one.

    Raises NotThere where there is none.
    """
    found = [str(phase["id"]) for phase in phases if name.lower() == phase["phase"].lower()]
    if not found:
        there = ", ".join(dict.fromkeys(clean(phase["phase"]) for phase in phases)) or "none"
        raise NotThere(f"{clean(feature)} has no phase {clean(name)!r}. Its phases: {there}.")
    return found


def project(context: Context, client: Client) -> str | None:
    """The id of the project that the user named, else of that of the current folder. Raises UsageError."""
    named = context.args.project
    if not named:
        found = here(client)
        return None if found is None else str(found["id"])
    return named_project(client, named)


def named_project(client: Client, name: str) -> str:
    """The id of the project of that name or id, or of the one that a path lies in. Raises UsageError."""
    identifier = project_id(client, name, path_in=True)
    if not identifier.startswith("/"):
        return identifier
    found = holding(client, identifier)
    if found is None:
        raise UsageError(f"{clean(name)} is in no project. `ccdash projects` lists them, `ccdash projects add` makes one.")
    return str(found["id"])


def here(client: Client) -> dict[str, Any] | None:
    """The project of the current folder."""
    try:
        return holding(client, os.getcwd())
    except FileNotFoundError:  # the folder was removed under the shell
        return None


def holding(client: Client, path: str) -> dict[str, Any] | None:
    """The project that an absolute path lies in: the innermost, where several hold it."""
    projects = all_items(client, "projects/list", {"includeHidden": True})
    return max(
        (project for project in projects if f"{path}/".startswith(project["root"].rstrip("/") + "/")),
        key=lambda project: len(project["root"]),
        default=None,
    )


def placed(args: argparse.Namespace, path: str) -> str:
    """A path as the daemon takes it: absolute where there is such a file here; else as given, since it may be one in a
    project."""
    if args.project or not os.path.isfile(os.path.expanduser(path)):
        return path
    return absolute(path)


def placed_task(args: argparse.Namespace, task: str) -> str:
    """The id of a task, with the path before ``#`` as `placed` gives it."""
    path, mark, key = task.partition("#")
    return f"{placed(args, path)}#{key}" if mark and path else task


def explained(client: Client, error: RpcError, within: str | None) -> Error:
    """The error with the options and commands that help, for ids that are not there or that several have."""
    wanted, kind = clean(error.details.get("id")), error.details.get("type")
    if error.code == INVALID_PARAMS and error.details.get("candidates"):
        said, _, remedy = clean(error.details.get("problem")).rpartition("; ")
        for name in ("feature", "project"):
            remedy = remedy.replace(f" {name}", f" --{name}")
        said, _, named = said.partition(": ")
        ids = [*map(clean, error.details["candidates"]), *(["…"] if named.endswith("…") else [])]
        return UsageError("\n    ".join([f"{clean(error.details.get('got'))!r} {said}; {remedy}:", *ids]))
    if error.code == NOT_FOUND and kind == "phase":
        return NotThere(f"There is no phase {wanted!r}. `ccdash feature SLUG` shows the phases of a feature.")
    if error.code == NOT_FOUND and kind == "feature" and (near := near_features(client, wanted, within)):
        return NotThere(f"There is no feature {wanted!r}; did you mean {near}?")
    return error


def near_features(client: Client, wanted: str, within: str | None) -> str:
    """Slugs like the one that was asked for, in a project or in all, as a choice; empty where there is none."""
    import difflib

    params = {"project": within} if within else {}
    slugs = [row["slug"] for row in client.request("features/list", {**params, "limit": 500})["items"]]
    lower = wanted.lower()
    near = [slug for slug in slugs if lower in slug] or difflib.get_close_matches(lower, slugs, NEAR)
    return " or ".join(clean(slug) for slug in near[:NEAR])
