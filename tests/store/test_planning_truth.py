"""Features of a real project, against figures that were counted in its files by other means."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
import sqlalchemy as sa

from ccdashd.settings import Settings
from ccdashd.sources.planning import documents as reader
from ccdashd.sources.planning.model import Document, PlanningFile
from ccdashd.sources.planning.places import Places
from ccdashd.store.schema import documents, feature_phases, features, tasks
from tests.ingest.tables import same
from tests.store.plans import PROJECT, cache, file, tables, write

pytestmark = pytest.mark.corpus

CORPUS = os.environ.get("CCDASH_CORPUS")


@pytest.fixture(scope="module")
def files() -> list[PlanningFile]:
    if not CORPUS:
        pytest.skip("CCDASH_CORPUS names no folder")
    root = Path(CORPUS, "skillmeat")
    places = Places(Settings().planning_folders)
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.md") if path.is_file())
    return [file(reader.read(path, (root / path).read_bytes())) for path in paths if places.accepts(path)]


def _read(files: list[PlanningFile]) -> dict[str, Document]:
    return {file.path: file.document for file in files if file.document is not None}


def test_every_task_is_in_one_feature_or_in_a_document_without_one(files: list[PlanningFile]) -> None:
    in_files = sum(len(document.tasks) for document in _read(files).values())
    with cache() as connection:
        write(connection, files)
        of_features = connection.execute(sa.select(sa.func.sum(features.c.tasks))).scalar_one()
        query = sa.select(sa.func.sum(documents.c.tasks)).where(documents.c.feature_id.is_(None))
        loose = connection.execute(query).scalar_one()
        rows = connection.execute(sa.select(sa.func.count()).select_from(tasks)).scalar_one()
    assert of_features + loose == rows == in_files
    assert in_files >= 2960, "2,925 in lists and 35 in maps, and those in the text"


def test_features_are_what_people_would_call_so(files: list[PlanningFile]) -> None:
    with cache() as connection:
        write(connection, files)
        of = {row.path: row.feature_id for row in connection.execute(sa.select(documents.c.path, documents.c.feature_id))}
        slugs = set(connection.execute(sa.select(features.c.slug)).scalars())
        query = sa.select(feature_phases.c.document_id).where(
            feature_phases.c.feature_id == f"{PROJECT}/collections-navigation"
        )
        told = {id.split("/")[3] for id in connection.execute(query).scalars() if "/progress/" in id}
    quick = [path for path in of if "/quick-features/" in path]
    assert len({of[path] for path in quick}) == len(quick) == 74
    assert told == {"collections-navigation", "collections-navigation-v1"}
    assert {"deployment-sets", "deployment-sets-v2", "memory-context-system", "memory-context-system-v1-1"} <= slugs
    assert not any(slug.endswith("-v1") for slug in slugs)
    assert 200 <= len(slugs) <= 240
    folders = {path.split("/")[2] for path in of if path.startswith(".claude/progress/") and path.count("/") > 2}
    for folder in folders - {"quick-features"}:
        inside = {of[path] for path in of if path.startswith(f".claude/progress/{folder}/")}
        assert len(inside) == 1 and None not in inside, folder


def test_files_that_say_done_with_open_tasks_are_all_told(files: list[PlanningFile]) -> None:
    """Eleven by the raw words of their frontmatter, one of which has nothing left but tasks for the future."""
    contradicting = {
        path
        for path, document in _read(files).items()
        if "/progress/" in path
        and document.raw_status in ("completed", "complete")
        and any(task.form in ("list", "map") and task.raw_status in ("pending", "in-progress") for task in document.tasks)
    }
    assert len(contradicting) == 10
    with cache() as connection:
        write(connection, files)
        query = sa.select(feature_phases.c.document_id, feature_phases.c.data.label("data"))
        query = query.union_all(sa.select(features.c.id, features.c.data))
        stored = b"".join(row.data for row in connection.execute(query))
    for path in contradicting:
        assert f'"{path} says'.encode() in stored, path


def test_batches_in_any_order_come_to_the_same(files: list[PlanningFile]) -> None:
    shuffled = files.copy()
    random.Random(5).shuffle(shuffled)
    with cache() as connection, cache() as fresh:
        for begin in range(0, len(shuffled), 400):
            write(connection, shuffled[begin : begin + 400])
        gone = [file.path for file in shuffled[::7]]
        write(connection, gone=gone)
        write(fresh, [file for file in files if file.path not in set(gone)])
        same(tables(connection), tables(fresh), "batches")
