"""Which part of the work analytics are about: the options for it, and what the daemon is asked; and metrics by name."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from ccdash.arguments import project_id, session_id
from ccdash.client import Client
from ccdash.context import Context
from ccdash.errors import NotThere, UsageError
from ccdash.text import clean

STEPS = ("hour", "day", "week", "month")
DAYS = 30
"""Days that a daily report tells of unless the user says since when; an hourly one tells of today."""

ALL = "all"


def scope_arguments(parser: argparse.ArgumentParser, *, compare: bool = True) -> argparse._ArgumentGroup:
    """Add the filters that all analytics have; returns their group for more."""
    which = parser.add_argument_group("which work")
    which.add_argument(
        "--since",
        metavar="TIME",
        help="from then on: a date or time, today, yesterday, week, month, year, 24h, 7d, 4w, all",
    )
    which.add_argument("--until", metavar="TIME", help="before then; a date is included to its end")
    which.add_argument("--project", metavar="P", help="of a project: its name, id, or a path inside it (`.` for here)")
    which.add_argument("--model", metavar="NAME", help="of this model")
    which.add_argument("--agent", metavar="NAME", help="of this agent, such as claude-code")
    which.add_argument("--branch", metavar="NAME", help="on this git branch")
    which.add_argument("--feature", metavar="SLUG", help="of sessions linked with this feature, each whole")
    which.add_argument("--session", metavar="ID", help="of this session and its sub-agents")
    which.add_argument("--subagents", choices=("include", "exclude", "only"), help="what sub-agents did: with it (include)")
    which.add_argument("--hidden", action="store_true", help="also of hidden projects")
    which.add_argument("--time-zone", metavar="ZONE", help="days of this zone, such as Europe/Berlin (this machine's)")
    if compare:
        which.add_argument("--compare", action="store_true", help="also compare with the same time before")
    return which


def scope(context: Context, client: Client, *, since: str | None = None) -> dict[str, Any]:
    """The filters that were given, as the daemon takes them; `since` holds where the user said nothing of it.

    Raises `UsageError` and `NotThere` for projects and sub-agents.
    """
    args = context.args
    given = args.since or (None if args.until else since)
    params: dict[str, Any] = {
        "since": None if given == ALL else given,
        "until": args.until,
        "timeZone": args.time_zone,
        "model": args.model,
        "agent": args.agent,
        "branch": args.branch,
        "feature": args.feature,
        "subagents": args.subagents,
        "includeHidden": args.hidden or None,
        "compare": getattr(args, "compare", False) or None,
    }
    if args.project:
        params["project"] = project_id(client, args.project, path_in=True)
    if args.session:
        params["session"] = session_id(client, args.session)
    return {name: value for name, value in params.items() if value is not None}


def first_day(step: str, today: date | None = None) -> str | None:
    """Since when a report by `step` tells, unless the user says; None for all time.

    A date and no age, since an age would cut the first day.
    """
    if step not in ("hour", "day"):
        return None
    return ((today or date.today()) - timedelta(days=DAYS - 1 if step == "day" else 0)).isoformat()


class Registry:
    """The metrics that the daemon has, by name."""

    def __init__(self, items: Sequence[Mapping[str, Any]]) -> None:
        self.items = items
        self._names = {_plain(name): metric for metric in items for name in (metric["id"], *metric["aliases"])}

    @classmethod
    def of(cls, client: Client) -> Registry:
        """Ask for it."""
        return cls(client.request("analytics/metrics")["items"])

    def find(self, name: str) -> Mapping[str, Any]:
        """The metric of that id or alias, whatever its case, ``-`` and ``_``. Raises `NotThere`."""
        found = self._names.get(_plain(name))
        if found is None:
            import difflib

            near = [self._names[one]["id"] for one in difflib.get_close_matches(_plain(name), self._names, 2)]
            meant = f"; did you mean {' or '.join(dict.fromkeys(near))}?" if near else "."
            raise NotThere(f"There is no metric {clean(name)!r}{meant} `ccdash trends --list` lists them.")
        return found

    def by(self, names: Sequence[str], dimension: str | None = None) -> list[Mapping[str, Any]]:
        """The metrics of these names that there are, and that can be told by `dimension`."""
        found = [self._names[_plain(name)] for name in names if _plain(name) in self._names]
        return [metric for metric in found if dimension is None or dimension in metric["dimensions"]]

    def beside(self, names: Sequence[str], dimension: str) -> list[Mapping[str, Any]]:
        """The same without the number of sessions by session."""
        return [metric for metric in self.by(names, dimension) if (metric["id"], dimension) != ("sessions", "session")]

    def hold(self, metric: Mapping[str, Any], dimension: str) -> None:
        """Raises `UsageError` where the metric cannot be told by `dimension`."""
        if dimension not in metric["dimensions"]:
            raise UsageError(
                f"{metric['name']} cannot be told by {dimension}. It can by {', '.join(metric['dimensions'])}; "
                "`ccdash trends --list` tells of all metrics."
            )


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
