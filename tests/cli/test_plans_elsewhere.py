"""What commands about files, logs and the daemon tell of planning files, on two made-up projects and the real daemon."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli import plans
from tests.cli.conftest import Done
from tests.cli.world import World
from tests.helpers import wait_until

Run = Callable[..., Done]
NOTES = "docs/project_plans/reports/notes.md"
PRD = "docs/project_plans/PRDs/checkout-v1.md"
PHASE_2 = ".claude/progress/checkout/phase-2-progress.md"


@pytest.fixture
def home(world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The daemon's home in place of an empty one; the current folder is the shop."""
    return world.enter(monkeypatch)


def test_files_of_a_planning_file_has_its_feature_and_tasks(run: Run, world: World) -> None:
    first, features, tasks = run("files", PHASE_2).out.split("\n\n")
    assert first == "A planning file of shop: phase-2-progress (progress, in_progress)."
    assert features.splitlines()[0] == "Features" and "checkout" in features
    assert [line.split()[1] for line in tasks.splitlines()[2:]] == ["T2-001", "T2-002", "T2-003"]
    assert json.loads(run("files", PHASE_2, "--json").out)["path"] == str(world.shop / PHASE_2)


def test_files_of_a_path_that_plans_name(run: Run, world: World) -> None:
    plans.write(world.depot, {"docs/brief.md": "---\ntitle: Brief\nfiles_affected: [src/crane.py]\n---\n"})
    path = str(world.depot / "src/crane.py")
    done = wait_until(lambda: (found := run("files", path)).out and found, "the brief")
    assert re.search(r"^-? *\S* +docs/brief\.md +Brief ", done.out, re.MULTILINE)
    assert done.err == ""


def test_doctor_takes_paths_of_projects(run: Run, world: World) -> None:
    everything, below = (json.loads(run("doctor", *arguments, "--json").out) for arguments in ((), ("--path", "docs")))
    (finding,) = below["diagnostics"]
    assert finding in everything["diagnostics"] and finding["path"] == str(world.shop / NOTES)
    text = run("doctor", "--path", NOTES).out
    assert f"    {world.shop / NOTES}:{finding['line']}\n" in text and f"    {finding['hint']}\n" in text
    assert run("doctor", "--path", PRD).out.endswith("Everything was understood.\n")


def test_rescan_takes_paths_of_projects(run: Run) -> None:
    done = run("rescan", "docs/project_plans/PRDs")
    assert done.out.splitlines()[1:] == [
        "logs            0: 0 read whole, 0 read on, 0 gone",
        "planning files  2: 2 read, 0 gone",
    ]
    done = run("rescan")
    assert done.out.splitlines()[1].startswith("logs            1: 0 read whole")
    assert re.match(r"planning files  1\d: 0 read, 0 gone", done.out.splitlines()[2])


def test_verify_and_rebuild_know_planning_files(run: Run) -> None:
    assert re.match(r"All is as it should be: 1\d files checked in ", run("verify").out)
    assert re.search(r"planning files  1\d: 1\d read, 0 gone\n", run("rebuild").out)


def test_projects_and_status_count_plans(run: Run, world: World) -> None:
    heading, *lines = [line.split() for line in run("projects").out.splitlines()]
    row = dict(zip(heading, next(line for line in lines if line[1] == "shop"), strict=False))
    assert (row["SESSIONS"], row["FEATURES"], row["DOCS"]) == ("1", "2", "6")
    assert run("projects", "add", str(world.shop)).out.endswith("shop): 1 session, 2 features, 6 planning files\n")
    for command in ("status", "up"):
        assert re.search(r"1 session, 2 projects, 1 log, 1\d planning files, \d+ tasks, 3 features", run(command).out)
