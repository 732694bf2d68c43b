"""One feature, task or document by what a user calls it: in the project of the current folder first, then in all."""

from __future__ import annotations

import argparse
import os
from typing import Any

from ccdash.arguments import absolute, all_items, project_id
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import INVALID_PARAMS, NOT_FOUND, Error, RpcError, UsageError
from ccdash.text import clean

NEAR = 3
"""Slugs that are proposed at most, where there is no feature of the one that was asked for."""


def lookup(context: Context, client: Client, method: str, **params: Any) -> Any:
    """The answer of a method that takes `id` and `project`, the latter as the user gave it.

    Raises UsageError for a name that several have, and for the slug of a feature that is not there, but nearly;
    RpcError with what else the daemon says.
    """
    wanted = {name: value for name, value in params.items() if value not in (None, False)}
    within = project(context, client)
    if within is None:
        return ask(context, client, method, wanted)
    try:
        return ask(context, client, method, {**wanted, "project": within})
    except RpcError as error:
        if error.code != NOT_FOUND or context.args.project:
            raise
    return ask(context, client, method, wanted)


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


def ask(context: Context, client: Client, method: str, params: dict[str, Any]) -> Any:
    """The answer of the daemon. Raises as `lookup` does."""
    try:
        return context.call(client, method, params)
    except RpcError as error:
        raise explained(client, error, params.get("project")) from error


def explained(client: Client, error: RpcError, within: str | None) -> Error:
    """The error with the options and commands that help, for ids that are not there or that several have."""
    wanted, kind = clean(error.details.get("id")), error.details.get("type")
    if error.code == INVALID_PARAMS and error.details.get("candidates"):
        said, _, remedy = clean(error.details.get("problem")).rpartition("; ")
        for name in ("feature", "project"):
            remedy = remedy.replace(f" {name}", f" --{name}")
        return UsageError(f"{clean(error.details.get('got'))!r} {said}; {remedy}.")
    if error.code == NOT_FOUND and kind == "phase":
        return UsageError(f"There is no phase {wanted!r}. `ccdash feature SLUG` shows the phases of a feature.")
    if error.code == NOT_FOUND and kind == "feature" and (near := near_features(client, wanted, within)):
        return UsageError(f"There is no feature {wanted!r}; did you mean {near}?")
    return error


def near_features(client: Client, wanted: str, within: str | None) -> str:
    """Slugs like the one that was asked for, in a project or in all, as a choice; empty where there is none."""
    import difflib

    params = {"project": within} if within else {}
    slugs = [row["slug"] for row in client.request("features/list", {**params, "limit": 500})["items"]]
    lower = wanted.lower()
    near = [slug for slug in slugs if lower in slug] or difflib.get_close_matches(lower, slugs, NEAR)
    return " or ".join(clean(slug) for slug in near[:NEAR])
