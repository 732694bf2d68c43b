"""What the journal of a daemon would hold that had been there all the time: days of progress, and a rule for alerts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from ccdash.demo.clock import iso
from ccdash.demo.features import Feature
from ccdash.demo.plan_files import CLOSED, Told

TOKENS = 500_000
"""More in one session is what the rule is about."""


def journal(projects: Mapping[str, Sequence[tuple[Feature, Told]]], now: int) -> Iterator[str]:
    """The lines, as `ccdashd.edits.decisions` defines them. `projects` are the features of each, by its root."""
    rule = {"name": "Long session", "metric": "tokens", "scope": "session", "threshold": TOKENS, "resolve": 0.9 * TOKENS}
    first = min(told.created for features in projects.values() for _, told in features)
    yield json.dumps({"type": "alert", "at": f"{first}T08:00:00.000Z", "id": "long-session", "rule": rule})
    today = date.fromisoformat(iso(now)[:10])
    day = date.fromisoformat(first)
    known: dict[str, dict[str, object]] = {}
    while day <= today:
        for root, features in projects.items():
            figures = _figures([(feature, told) for feature, told in features if told.created <= day.isoformat()], day)
            if figures != known.get(root) and figures["features"]:
                known[root] = figures
                at = min(f"{day}T21:00:00.000Z", iso(now))
                yield json.dumps({"type": "day", "at": at, "root": root, "day": str(day), **figures})
        day += timedelta(1)


def _figures(features: Sequence[tuple[Feature, Told]], day: date) -> dict[str, object]:
    """How far the features of a project were at the end of a day."""
    states = {feature: _states(feature, told, day.isoformat()) for feature, told in features}
    shares = [sum(state in CLOSED for state in of) / len(of) for of in states.values()]
    return {
        "tasks": dict(Counter(state for of in states.values() for state in of)),
        # Progress files that list tasks say when each was done.
        "undated": sum(of.count("done") for feature, of in states.items() if feature.form != "list"),
        "features": len(states),
        "features_done": sum(feature.state == "done" and told.updated <= day.isoformat() for feature, told in features),
        "progress": round(sum(shares) / len(shares), 6) if shares else 0.0,
    }


def _states(feature: Feature, told: Told, day: str) -> list[str]:
    states: list[str] = []
    for at, phase in enumerate(feature.phases, 1):
        for row, (state, _) in enumerate(phase.tasks, 1):
            since = told.completed(feature, at, row) if state in CLOSED else told.updated
            states.append(state if since <= day else "todo")
    return states
