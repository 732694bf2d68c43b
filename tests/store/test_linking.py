"""Links that are found: step by step the same as anew, and only what changed is written and told."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from ccdashd.sources.planning.model import PlanningFile
from ccdashd.store.linking import Linked
from ccdashd.store.projects import project_id
from tests.store.link_world import APP, PATHS, PLACES, SUB, Cache, Logs, logs_below, some_document
from tests.store.plans import cache

Files = dict[tuple[str, str], PlanningFile]


def step(one: Cache, logs: Logs, files: Files, choose: Random) -> Linked:
    """One random change."""
    root, path = choose.choice([APP, APP, APP, SUB]), choose.choice(list(PATHS))
    kind = choose.choice(["write", "write", "write", "delete", "append", "append", "append", "append", "remove", "many"])
    if kind == "write":
        files[root, path] = some_document(path, choose)
        return one.write(root, [files[root, path]])
    if kind == "delete":
        gone = choose.sample(list(PATHS), choose.choice([1, 1, len(PATHS)]))
        for name in gone:
            files.pop((root, name), None)
        return one.write(root, gone=gone)
    if kind == "many":
        some = [some_document(name, choose) for name in choose.sample(list(PATHS), 4)]
        files |= {(root, file.path): file for file in some}
        return one.write(root, some)
    place = choose.choice(list(PLACES))
    if kind == "remove":
        logs.path(place).unlink(missing_ok=True)
    else:
        for _ in range(choose.randrange(1, 4)):
            logs.append(place, logs.some_records(place, choose))
    return one.read([logs.path(place)])


def anew(other: Cache, logs: Logs, files: Files, choose: Random) -> None:
    """A cache that finds all there is, sessions or planning files first, linked as they come or all at the end."""
    every = logs_below(logs.folder)
    choose.shuffle(every)
    roots = choose.sample([APP, SUB], 2)
    sessions_first, together = choose.random() < 0.5, choose.random() < 0.5
    if sessions_first:
        other.read(every)
    for root in roots:
        of_it = [file for (where, _), file in files.items() if where == root]
        choose.shuffle(of_it)
        if of_it:
            other.write(root, of_it)
    if not sessions_first:
        for path in every:
            other.read([path], link=not together)
        if together:
            query = "SELECT id FROM sessions"
            other.link_sessions({id for (id,) in other.connection.exec_driver_sql(query)})


def told(before: dict[Any, Any], after: dict[Any, Any]) -> tuple[set[str], set[str]]:
    """Ids of links that are other ones than before, and of those that are gone."""
    ids_before, ids_after = ({id for _, id in links} for links in (before, after))
    other = {key[1] for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    return other & ids_after, ids_before - ids_after


@pytest.mark.parametrize("seed", range(12))
def test_links_are_those_of_a_new_cache(tmp_path: Path, seed: int) -> None:
    choose = Random(seed)
    logs = Logs(tmp_path / "logs")
    files: Files = {}
    with cache() as first:
        one = Cache(first)
        for number in range(40):
            before, counts = one.links(), one.sessions_of_features()
            linked = step(one, logs, files, choose)
            after, now = one.links(), one.sessions_of_features()
            assert (linked.upserted, linked.deleted) == told(before, after)
            assert linked.features == {id for id in now if now[id] != counts.get(id, 0)}
            if number % 8 == 7:
                with cache() as second:
                    other = Cache(second)
                    anew(other, logs, files, choose)
                    assert one.refs() == other.refs()
                    assert after == other.links()
                    assert now == other.sessions_of_features()


def test_the_random_script_finds_links_of_all_kinds(tmp_path: Path) -> None:
    kinds: set[tuple[str, str, str]] = set()
    signals: set[str] = set()
    for seed in range(3):
        choose = Random(seed)
        logs = Logs(tmp_path / f"logs{seed}")
        with cache() as connection:
            one = Cache(connection)
            files: Files = {}
            for _ in range(40):
                step(one, logs, files, choose)
                for row in one.links().values():
                    kinds.add((row[0], row[2], row[4]))
                    signals.update(row[6].split(","))
    assert {
        ("session", "feature", "implements"),
        ("session", "feature", "references"),
        ("session", "document", "references"),
        ("session", "task", "implements"),
        ("session", "phase", "implements"),
        ("session", "commit", "related"),
        ("document", "document", "references"),
        ("document", "document", "implements"),
        ("document", "file", "references"),
        ("document", "commit", "references"),
        ("document", "task", "child"),
        ("task", "file", "references"),
        ("task", "commit", "references"),
        ("task", "task", "child"),
        ("task", "task", "blocks"),
        ("feature", "document", "child"),
        ("feature", "phase", "child"),
        ("feature", "feature", "related"),
        ("feature", "feature", "references"),
        ("phase", "task", "child"),
    } <= kinds
    assert {
        "command",
        "write",
        "read",
        "mention",
        "shell",
        "commit",
        "branch",
        "worktree",
        "frontmatter",
        "inherited",
    } <= signals


def test_projects_without_planning_files_have_no_links(tmp_path: Path) -> None:
    logs = Logs(tmp_path / "logs")
    choose = Random(1)
    with cache() as connection:
        one = Cache(connection)
        for place in PLACES:
            logs.append(place, logs.some_records(place, choose))
        assert one.read(logs_below(logs.folder)) == (set(), set(), set())
        assert one.refs() == set()
        # The first document of their project makes sessions refer to it; with the last one, that ends.
        file = some_document("README.md", choose)
        one.write(APP, [file])
        assert {row[1] for row in one.refs()} == {project_id(APP)}
        one.write(APP, gone=["README.md"])
        assert (one.refs(), one.links()) == (set(), {})
