"""What metrics for Prometheus need beside `ccdashd.store.facts`: usage by two dimensions at once, and names."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.derive.measures import Measures
from ccdashd.derive.pricing import PICO_PER_MICRO
from ccdashd.store.connection import raw_connection
from ccdashd.store.sums import OWNERS

_SUMMED = (
    "messages",
    "lower_bounds",
    "unpriced",
    "input",
    "output",
    "cache_read",
    "cache_write",
    "cache_write_1h",
    "web_searches",
)
# Rows of one log and model are added up before they are joined: there are ten times as many.
_USAGE = f"""
SELECT COALESCE(s.project_id, ''), x.model, SUM(micro), SUM(pico), {", ".join(f"SUM(x.{name})" for name in _SUMMED)}
FROM (SELECT file_id, model, SUM(cost_micro) AS micro, SUM(cost_pico) AS pico,
             {", ".join(f"SUM({name}) AS {name}" for name in _SUMMED)}
      FROM usage_slots GROUP BY 1, 2) x {OWNERS} GROUP BY 1, 2
"""
_NAMES = "SELECT id, name, hidden FROM projects"


class ProjectName(NamedTuple):
    """What a project is called, and whether the user hides it."""

    name: str
    hidden: bool


def usage(connection: sa.Connection) -> dict[tuple[str, str], Measures]:
    """Usage of all time by project and model, hidden projects included; what is of no session has no project."""
    return {
        (project, model): Measures(cost=micro * PICO_PER_MICRO + pico, **dict(zip(_SUMMED, sums, strict=True)))
        for project, model, micro, pico, *sums in raw_connection(connection).execute(_USAGE)
    }


def names(connection: sa.Connection) -> dict[str, ProjectName]:
    """Projects by id."""
    return {id: ProjectName(name, bool(hidden)) for id, name, hidden in raw_connection(connection).execute(_NAMES)}
