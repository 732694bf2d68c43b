"""The planning files of a real project, in a cache."""

from __future__ import annotations

import os
from pathlib import Path

import sqlalchemy as sa

from ccdashd.derive.plan_rows import rows_of
from ccdashd.sources.planning import documents
from ccdashd.sources.planning.model import PlanningFile
from ccdashd.store import feature_rows, planning
from ccdashd.store.planning import Changes
from ccdashd.store.schema import projects
from tests.lsp.desk import PROJECT, Desk


def paths(root: Path) -> list[str]:
    """The planning files of a project, sorted."""
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.md") if path.is_file())


def real_desk(connection: sa.Connection) -> Desk:
    """An editor over the project below `CCDASH_CORPUS`, which it only reads."""
    root = Path(os.environ["CCDASH_CORPUS"], "skillmeat").resolve()
    values = {"id": PROJECT, "root": str(root), "name": "real", "origin": "discovered", "hidden": False}
    connection.execute(sa.insert(projects).values(**values))
    changes = Changes()
    planning.store(connection, PROJECT, [rows_of(PROJECT, _read(root, path)) for path in paths(root)], changes)
    feature_rows.rebuild(connection, PROJECT, changes)
    return Desk(connection, root)


def _read(root: Path, path: str) -> PlanningFile:
    data = (root / path).read_bytes()
    return PlanningFile(path=path, size=len(data), inode=1, hash="00", document=documents.read(path, data))
