"""One feature, task or document by what a user calls it: in the project of the current folder first, then in all."""

from __future__ import annotations

import argparse
import os
from typing import Any

from ccdash.arguments import absolute, project_id
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import INVALID_PARAMS, NOT_FOUND, RpcError, UsageError
from ccdash.lists import here, holding
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
    identifier = project_id(client, named, path_in=True)
    if not identifier.startswith("/"):
        return identifier
    found = holding(client, identifier)
    if found is None:
        raise UsageError(f"{clean(named)} is in no project. `ccdash projects` lists them, `ccdash projects add` makes one.")
    return str(found["id"])


def placed(args: argparse.Namespace, text: str | None) -> str | None:
    """A path, or a path and what is in that file after ``#``, as the daemon takes it: absolute where there is such a file
    here; else as given, since it may be one in a project."""
    path, mark, within = (text or "").partition("#")
    if args.project or not path or not os.path.isfile(os.path.expanduser(path)):
        return text
    return absolute(path) + mark + within


def ask(context: Context, client: Client, method: str, params: dict[str, Any]) -> Any:
    """The answer of the daemon. Raises as `lookup` does."""
    try:
        return context.call(client, method, params)
    except RpcError as error:
        data = error.data if isinstance(error.data, dict) else {}
        if error.code == INVALID_PARAMS and "means several" in error.message:
            raise UsageError(f"{clean(data.get('got'))!r} {_options(str(data.get('problem')))}.") from error
        if (
            error.code == NOT_FOUND
            and data.get("type") == "feature"
            and (near := near_features(client, str(data["id"]), params.get("project")))
        ):
            raise UsageError(f"There is no feature {clean(data['id'])!r}; did you mean {near}?") from error
        raise


def _options(problem: str) -> str:
    """What the daemon says of a name that several have, with the names of options in place of parameters."""
    said, _, remedy = clean(problem).rpartition("; ")
    for name in ("feature", "project"):
        remedy = remedy.replace(f" {name}", f" --{name}")
    return f"{said}; {remedy}"


def near_features(client: Client, wanted: str, within: str | None) -> str:
    """Slugs like the one that was asked for, in a project or in all, as a choice; empty where there is none."""
    import difflib

    params = {"project": within} if within else {}
    slugs = [row["slug"] for row in client.request("features/list", {**params, "limit": 500})["items"]]
    lower = wanted.lower()
    near = [slug for slug in slugs if lower in slug] or difflib.get_close_matches(lower, slugs, NEAR)
    return " or ".join(clean(slug) for slug in near[:NEAR])
