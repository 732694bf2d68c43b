"""Policies of retention as people write and read them."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from typing import Any

from ccdash.arguments import natural, project_id
from ccdash.client import Client
from ccdash.errors import UsageError
from ccdash.figures import read_seconds, size
from ccdash.text import clean

STATUSES = {
    "linked": "linked with a feature",
    "unlinked": "linked with nothing",
    "done": "of features that are done",
}
"""What a policy can be for, and how that is told."""

_SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,6})?)\s*([kMGT]?)(i?)B?", re.IGNORECASE)
_DAY = 86_400


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the limits of a policy, and which sessions it is for."""
    limits = parser.add_argument_group("limits")
    limits.add_argument("--older-than", metavar="TIME", help="sessions whose last record is older: 90d, 12w")
    limits.add_argument("--max-size", metavar="SIZE", help="the oldest, while copies take more on disk: 500MB, 2GB")
    limits.add_argument("--max-sessions", metavar="N", type=natural, help="the oldest, while there are more")
    which = parser.add_argument_group("which sessions")
    which.add_argument("--project", metavar="P", help="of this project only: its name, id, or a path in it")
    which.add_argument(
        "--status", choices=tuple(STATUSES), help="; ".join(f"{key}: {what}" for key, what in STATUSES.items())
    )


def is_given(args: argparse.Namespace) -> bool:
    """Whether any of these arguments was given."""
    given = (args.older_than, args.max_size, args.max_sessions, args.project, args.status)
    return any(value is not None for value in given)


def read(args: argparse.Namespace, client: Client) -> dict[str, Any]:
    """The policy that the arguments stand for, as the wire has it. Raises `UsageError` or `NotThere`."""
    policy: dict[str, Any] = {}
    if args.older_than is not None:
        policy["maxAgeDays"] = read_days(args.older_than)
    if args.max_size is not None:
        policy["maxBytes"] = read_size(args.max_size)
    if args.max_sessions is not None:
        policy["maxSessions"] = args.max_sessions
    if not policy:
        raise UsageError("Which limit? Give --older-than, --max-size or --max-sessions.")
    if args.project is not None:
        policy["project"] = project_id(client, args.project, path_in=True)
    if args.status is not None:
        policy["status"] = args.status
    return policy


def read_size(text: str) -> int:
    """Bytes from ``2GB``, ``500 MB``, ``1.5GiB``, ``1000``. Raises `UsageError`."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or (match[3] and not match[2]):
        raise UsageError(f"{text!r} is no size. Use 500MB, 2GB or 1.5GiB.")
    power = " kmgt".index(match[2].lower() or " ")
    unit: int = (1024 if match[3] else 1000) ** power
    return round(float(match[1]) * unit)


def read_days(text: str) -> int:
    """Whole days from ``90d``, ``12w`` or ``48h``. Raises `UsageError`."""
    seconds = read_seconds(text) if not text.strip().isdigit() else 0
    if seconds < _DAY or seconds % _DAY:
        raise UsageError(f"{text!r} are no whole days. Use 90d or 12w.")
    return int(seconds // _DAY)


def limits_told(policy: Mapping[str, Any]) -> str:
    """What a policy lets go: ``older than 90 days, more than 2 GB``."""
    told = []
    if policy["maxAgeDays"] is not None:
        told.append(f"older than {policy['maxAgeDays']:,} {'day' if policy['maxAgeDays'] == 1 else 'days'}")
    if policy["maxBytes"] is not None:
        told.append(f"more than {size(policy['maxBytes'])}")
    if policy["maxSessions"] is not None:
        told.append(f"more than {policy['maxSessions']:,} sessions")
    return ", ".join(told)


def scope_told(policy: Mapping[str, Any]) -> str:
    """Which sessions a policy is for: ``all``, ``of shop, linked with nothing``."""
    told = []
    if policy["project"] is not None:
        told.append(f"of {clean(os.path.basename(policy['project'].rstrip('/')) or policy['project'])}")
    if policy["status"] is not None:
        told.append(STATUSES[policy["status"]])
    return ", ".join(told) or "all"
