"""Edits by file: of those changes of files that count, since roll-ups do not tell them apart by path."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Final

import sqlalchemy as sa

from ccdashd.derive.measures import Measures
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection
from ccdashd.store.filters import Filter, Parameters
from ccdashd.store.slots import slot_of
from ccdashd.store.sums import OWNERS, Sums, owner_key
from ccdashd.store.times import Times

_INDEXED: Final = "INDEXED BY session_file_updates_counted"
_SORTS: Final[Mapping[str, str]] = {
    "edits": "COUNT(*)",
    "additions": "COALESCE(SUM(x.additions), 0)",
    "deletions": "COALESCE(SUM(x.deletions), 0)",
    "churn": "COALESCE(SUM(x.additions), 0) + COALESCE(SUM(x.deletions), 0)",
}
"""What files are sorted by, by the id of the metric."""

_SUMS: Final = ", ".join(_SORTS[name] for name in ("edits", "additions", "deletions"))
_PATH: Final = "COALESCE(x.file_path, '')"


def _edits(filter: Filter) -> str:
    """The edits ``x``: of a few sessions those of their logs, else those of an index by file, so that nothing is sorted."""
    # Unlike `counted`, `+counted` is in no index: what is left is the order of the table, which is that of logs.
    there = f"{_INDEXED} WHERE counted" if filter.sessions is None else "WHERE +counted"
    return f"""
    (SELECT file_id, file_path, additions, deletions,
            {slot_of("time")} AS slot
     FROM session_file_updates {there}) x
    """


def by_file(
    connection: sa.Connection, filter: Filter, metric: str, limit: int, offset: int
) -> tuple[dict[str, Measures], int]:
    """The files with most of `metric`, and how many files there are. Edits without a path have an empty one."""
    where, parameters = filter.where()
    bounds: Parameters = {"limit": limit, "offset": offset}
    grouped = f"FROM {_edits(filter)} WHERE {where} GROUP BY x.file_path"
    statement = f"SELECT {_PATH}, {_SUMS} {grouped} ORDER BY {_SORTS[metric]} DESC, x.file_path LIMIT :limit OFFSET :offset"
    page = dict(_measures(connection, statement, parameters | bounds))
    count: int = raw_connection(connection).execute(f"SELECT COUNT(*) FROM (SELECT 1 {grouped})", parameters).fetchone()[0]
    return page, count


def of_files(connection: sa.Connection, filter: Filter, paths: Collection[str]) -> dict[str, Measures]:
    """Edits and lines of these files."""
    where, parameters = filter.where()
    statement = f"SELECT {_PATH}, {_SUMS} FROM {_edits(filter)} WHERE {_named(paths)} AND {where} GROUP BY x.file_path"
    return dict(_measures(connection, statement, parameters | {"paths": json.dumps(list(paths))}))


def over_time(
    connection: sa.Connection, filter: Filter, paths: Collection[str], times: Times
) -> dict[tuple[str, int | None], Measures]:
    """Edits and lines of these files, by time."""
    where, parameters = filter.where()
    edits = f"{_edits(filter)} WHERE {_named(paths)} AND {where}"
    statement = f"SELECT {_PATH}, {times.key('x.slot')}, {_SUMS} FROM {edits} GROUP BY 1, 2"
    rows = raw_connection(connection).execute(statement, parameters | {"paths": json.dumps(list(paths))})
    return {
        (path, at): Measures(edits=edits, additions=additions, deletions=deletions)
        for path, at, edits, additions, deletions in rows
    }


def others(whole: Measures, files: Measures) -> Measures:
    """What of edits and lines is not of these files."""
    return Measures(
        edits=whole.edits - files.edits,
        additions=whole.additions - files.additions,
        deletions=whole.deletions - files.deletions,
    )


def _named(paths: Collection[str]) -> str:
    """That a row is of one of these files; an empty path is that of edits without one."""
    named = "x.file_path IN (SELECT value FROM json_each(:paths))"
    return f"({named} OR x.file_path IS NULL)" if "" in paths else named


def _measures(connection: sa.Connection, statement: str, parameters: Parameters) -> Iterator[tuple[str, Measures]]:
    for path, edits, additions, deletions in raw_connection(connection).execute(statement, parameters):
        yield path, Measures(edits=edits, additions=additions, deletions=deletions)


def changed(connection: sa.Connection, filter: Filter, by: t.Dimension | None, times: Times | None) -> Sums:
    """Paths of the files that were changed."""
    where, parameters = filter.where()
    key, joined = owner_key(by)
    at = "NULL" if times is None else times.key("x.slot")
    edits = f"{_edits(filter)} {OWNERS if joined else ''} WHERE {where} AND x.file_path IS NOT NULL"
    statement = f"SELECT DISTINCT {key}, {at}, x.file_path FROM {edits}"
    paths: dict[tuple[str, int | None], set[str]] = {}
    for name, moment, path in raw_connection(connection).execute(statement, parameters):
        paths.setdefault((name, moment), set()).add(path)
    for (name, moment), found in paths.items():
        yield name, moment, {"files": frozenset(found)}
