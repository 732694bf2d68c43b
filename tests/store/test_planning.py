"""The rows of planning files: however they got there, they are those of a new cache; what is told to change, changed."""

from __future__ import annotations

import random
from typing import Any

import pytest
import sqlalchemy as sa

from ccdashd.sources.planning.model import STATUSES, PlanningFile
from ccdashd.store import planning
from ccdashd.store.connection import raw_connection
from ccdashd.store.schema import documents, features, task_names, tasks
from tests.ingest.tables import Tables, same
from tests.store.plans import PROJECT, cache, document, file, tables, write

PRD = "docs/PRDs/x-v1.md"
PROGRESS = ".claude/progress/x/phase-1-progress.md"


_TYPES = {"PRDs": "prd", "plans": "implementation_plan", "progress": "progress"}


def _some_file(choose: random.Random, path: str) -> PlanningFile:
    mtime = choose.randrange(5)
    if choose.random() < 0.05:
        return PlanningFile(path=path, size=1, mtime_ns=mtime * 10**9, inode=1, problem="it may not be read")
    doc_type = _TYPES.get(path.split("/")[1]) or choose.choice(["report", "phase_plan", "skill", "context"])
    made = document(
        path,
        "quick_feature" if "quick-features" in path else doc_type,
        choose.choice([None, *STATUSES]),
        tasks=choose.choices(STATUSES, k=choose.randrange(4)),
        phases=choose.choice([(), ("1", "2"), ("all", "")]),
        phase=choose.choice(["", "1", "1-2", "all"]),
        feature_slug=choose.choice(["", "", "x", "y-v2", "new"]),
        prd=choose.choice(["", "", "x", "y"]),
        prd_ref=choose.choice(["", PRD]),
        findings=choose.randrange(2),
        supersedes=choose.choice([(), ("y",), (PRD,), (PROGRESS,)]),
    )
    return file(made, mtime=mtime)


_PATHS = (
    PRD,
    "docs/PRDs/x-v2.md",
    "docs/PRDs/y.md",
    "docs/plans/y-v2.md",
    "docs/plans/y-v2/phase-1.md",
    "docs/plans/x.md",
    PROGRESS,
    ".claude/progress/x/phase-2-progress.md",
    ".claude/progress/x-v1/all-phases-progress.md",
    ".claude/progress/y/phase-1-progress.md",
    ".claude/progress/quick-features/x.md",
    ".claude/progress/quick-features/z.md",
    "docs/notes/x-v2/context.md",
    "docs/notes/y/context.md",
    "docs/notes/report.md",
)


@pytest.mark.parametrize("seed", range(15))
def test_changes_one_by_one_come_to_what_a_new_cache_holds(seed: int) -> None:
    choose = random.Random(seed)
    there: dict[str, PlanningFile] = {}
    with cache() as connection:
        before = tables(connection)
        for step in range(20):
            paths = choose.sample(_PATHS, choose.randrange(1, 4))
            gone = [path for path in paths if path in there and choose.random() < 0.4]
            new = [_some_file(choose, path) for path in paths if path not in gone]
            changes = write(connection, new, gone)
            there = {path: file for path, file in there.items() if path not in gone} | {file.path: file for file in new}
            after = tables(connection)
            _told(changes, before, after)
            before = after
            if step % 5 == 4:
                with cache() as fresh:
                    write(fresh, choose.sample(list(there.values()), len(there)))
                    same(after, tables(fresh), f"seed {seed}, step {step}")
        assert not write(connection, there.values()), "nothing is told to change that does not"
        write(connection, gone=list(there))
        assert not any(tables(connection)[table] for table in ("documents", "tasks", "features", "feature_phases"))
        assert not any(tables(connection)[table] for table in ("task_names", "document_diagnostics"))


def _told(changes: planning.Changes, before: Tables, after: Tables) -> None:
    """What is told is what rows say, and no more."""
    for table, upserted, gone in (
        ("documents", changes.documents, changes.gone_documents),
        ("tasks", changes.tasks, changes.gone_tasks),
    ):
        old, new = before[table], after[table]
        assert gone == {id for (id,) in old.keys() - new.keys()}, table
        assert upserted == {id for (id,) in new if old.get((id,)) != new[(id,)]}, table
    old, new = before["features"], after["features"]
    assert changes.gone_features == {id for (id,) in old.keys() - new.keys()}
    phases = [{feature: _phases_of(feature, tables) for (feature,) in new} for tables in (before, after)]
    different = {id for (id,) in new if old.get((id,)) != new[(id,)] or phases[0][id] != phases[1][id]}
    assert changes.features == different


def _phases_of(feature: str, tables: Tables) -> list[dict[str, Any]]:
    return [row for row in tables["feature_phases"].values() if row["feature_id"] == feature]


def test_tasks_are_conserved() -> None:
    files = [
        file(document(PRD, "prd", "done", tasks=["done"])),
        file(document(PROGRESS, "progress", "todo", tasks=["todo", "done", "blocked"], phase="1")),
        file(document("docs/loose.md", "report", tasks=["todo", "todo"])),
    ]
    with cache() as connection:
        write(connection, files)
        of_features = connection.execute(sa.select(sa.func.sum(features.c.tasks))).scalar_one()
        loose = sa.select(sa.func.sum(documents.c.tasks)).where(documents.c.feature_id.is_(None))
        assert of_features == 4
        assert connection.execute(loose).scalar_one() == 2
        assert connection.execute(sa.select(sa.func.count()).select_from(tasks)).scalar_one() == 6


def test_a_document_that_changes_hands_takes_its_tasks_along() -> None:
    with cache() as connection:
        write(connection, [file(document(PROGRESS, "progress", "todo", tasks=["todo"], phase="1", prd="y"))])
        assert _places(connection) == [(f"{PROJECT}/x", f"{PROJECT}/{PROGRESS}#phase-1")]
        changes = write(connection, [file(document("docs/PRDs/y.md", "prd"))])
        assert _places(connection) == [(f"{PROJECT}/y", f"{PROJECT}/{PROGRESS}#phase-1")]
        assert changes.tasks == {f"{PROJECT}/{PROGRESS}#T0"}
        assert changes.gone_features == {f"{PROJECT}/x"}
        write(connection, gone=["docs/PRDs/y.md"])
        assert _places(connection) == [(f"{PROJECT}/x", f"{PROJECT}/{PROGRESS}#phase-1")]


def _places(connection: sa.Connection) -> list[tuple[str, str]]:
    return [(row.feature_id, row.phase_id) for row in connection.execute(sa.select(tasks.c.feature_id, tasks.c.phase_id))]


def test_a_version_that_comes_or_goes_renews_the_others() -> None:
    with cache() as connection:
        write(connection, [file(document(PRD, "prd"))])
        changes = write(connection, [file(document("docs/PRDs/x-v2.md", "prd"))])
        assert changes.features == {f"{PROJECT}/x", f"{PROJECT}/x-v2"}
        changes = write(connection, gone=["docs/PRDs/x-v2.md"])
        assert changes.features == {f"{PROJECT}/x"}


def test_a_document_that_another_feature_comes_from_may_go() -> None:
    successor = document("docs/PRDs/y.md", "prd", supersedes=[PROGRESS])
    with cache() as connection:
        write(connection, [file(document(PRD, "prd")), file(document(PROGRESS, "progress")), file(successor)])
        changes = write(connection, gone=[PROGRESS])
        assert changes.features == {f"{PROJECT}/x", f"{PROJECT}/y"}
        with cache() as fresh:
            write(fresh, [file(document(PRD, "prd")), file(successor)])
            same(tables(connection), tables(fresh), "gone")


def test_a_change_that_does_not_reach_the_feature_is_not_told_of_it() -> None:
    with cache() as connection:
        write(connection, [file(document(PRD, "prd", "todo"))])
        changes = write(connection, [file(document(PRD, "prd", "todo", findings=1))])
        assert (changes.documents, changes.features) == ({f"{PROJECT}/{PRD}"}, set())


def test_a_feature_keeps_the_sessions_linked_with_it() -> None:
    with cache() as connection:
        write(connection, [file(document(PRD, "prd", "todo"))])
        connection.execute(sa.update(features).values(sessions=3))
        write(connection, [file(document(PRD, "prd", "done"))])
        assert connection.execute(sa.select(features.c.status, features.c.sessions)).one() == ("done", 3)


def test_a_touched_file_renews_times_alone() -> None:
    with cache() as connection:
        write(connection, [file(document(PRD, "prd", "todo"), mtime=5)])
        planning.touch(connection, PROJECT, [file(document(PRD, "prd", "todo"), mtime=9)])
        with cache() as fresh:
            write(fresh, [file(document(PRD, "prd", "todo"), mtime=9)])
            same(tables(connection), tables(fresh), "touched")


def test_states_tell_what_is_known_of_files() -> None:
    with cache() as connection:
        many = [file(document(f"docs/{n}.md", "report")) for n in range(1200)]
        write(connection, [*many, PlanningFile(path="docs/secret.md", problem="it may not be read")])
        known = planning.states(connection, PROJECT)
        assert len(known) == 1201
        assert known["docs/secret.md"].problem == "it may not be read"
        assert known["docs/7.md"].id == f"{PROJECT}/docs/7.md"
        some = planning.states(connection, PROJECT, [*(file.path for file in many), "docs/none.md"])
        assert some == {path: state for path, state in known.items() if path != "docs/secret.md"}
        assert planning.states(connection, "other", ["docs/7.md"]) == {}
        assert planning.strangers({"other"}, connection, 1) == [PROJECT]
        assert planning.strangers({PROJECT}, connection, 1) == []


def test_tasks_are_found_by_whom_and_what_they_name() -> None:
    with cache() as connection:
        write(connection, [file(document(PROGRESS, "progress", tasks=["todo"] * 3))])
        query = sa.select(task_names.c.task_id, task_names.c.name).where(task_names.c.kind == "assignee")
        found = {(row.task_id.rpartition("#")[2], row.name) for row in connection.execute(query)}
        assert found == {("T1", "ada"), ("T2", "ada"), ("T2", "bob")}


def test_files_without_a_row_are_forgotten_without_a_trace() -> None:
    with cache() as connection:
        write(connection, [file(document(PRD, "prd"))])
        total = raw_connection(connection).total_changes
        assert not write(connection, gone=["docs/none.md"])
        assert raw_connection(connection).total_changes == total
