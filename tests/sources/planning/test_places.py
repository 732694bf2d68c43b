from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.sources.planning.places import Places

PLACES = Places((".claude", "docs", "team/plans", "./specs/"))


@pytest.mark.parametrize(
    "folder",
    [
        "",
        ".claude",
        ".claude/progress/auth-v1",
        ".claude/commands/build",
        ".claude/plans",
        "docs",
        "docs/project_plans/PRDs/features",
        "docs/worktrees",
        "team",
        "team/plans",
        "team/plans/2026",
        "specs",
        "docs/Build notes",
    ],
)
def test_enters_planning_folders_and_what_leads_there(folder: str) -> None:
    assert PLACES.enters(folder)


@pytest.mark.parametrize(
    "folder",
    [
        "src",
        "team/members",
        "docs-old",
        ".git",
        "docs/.git",
        "docs/.vitepress/cache",
        "docs/node_modules",
        "docs/site/node_modules/left-pad/docs",
        "docs/build",
        "docs/_build/html",
        "docs/venv/lib/python3/site-packages",
        ".claude/worktrees",
        ".claude/worktrees/fix/docs",
        ".claude/projects",
        ".claude/plugins/cache/x/skills",
        ".claude/todos",
        ".claude/shell-snapshots",
        ".claude/skills/pdf/node_modules",
    ],
)
def test_enters_nothing_else(folder: str) -> None:
    assert not PLACES.enters(folder)


@pytest.mark.parametrize("path", ["README.md", "TODO.MD", "docs/a.markdown", ".claude/rules/web.mdc", "team/plans/x/y.Md"])
def test_accepts_markdown_at_the_root_and_below_planning_folders(path: str) -> None:
    assert PLACES.accepts(path)


@pytest.mark.parametrize(
    "path",
    [
        "README",
        "main.py",
        "src/README.md",
        "team/notes.md",
        "docs/a.md.bak",
        "docs/.drafts/a.md",
        ".claude/worktrees/x/README.md",
    ],
)
def test_accepts_nothing_else(path: str) -> None:
    assert not PLACES.accepts(path)


def test_a_planning_folder_may_have_any_name() -> None:
    places = Places((".plans", "vendor/build", "notes/.private"))
    assert places.accepts(".plans/a.md")
    assert places.accepts("vendor/build/a.md")
    assert places.accepts("notes/.private/deep/a.md")
    assert not places.accepts("notes/a.md")


def test_no_planning_folder_leaves_the_files_of_the_root() -> None:
    places = Places(("", "."))
    assert places.accepts("PLAN.md")
    assert not places.accepts("docs/PLAN.md")
    assert not places.enters("docs")


def test_takes_paths_of_any_depth() -> None:
    assert PLACES.accepts("docs/" + "d/" * 2000 + "a.md")
    assert not PLACES.accepts("src/" + "d/" * 2000 + "a.md")


NAMES = st.sampled_from(["docs", ".claude", "team", "plans", "node_modules", ".git", "build", "src", "a", "worktrees"])


@given(st.lists(NAMES, max_size=6))
def test_a_walk_that_enters_meets_each_file_that_is_accepted(names: list[str]) -> None:
    accepted = PLACES.accepts("/".join([*names, "x.md"]))
    reached = all(PLACES.enters("/".join(names[:n])) for n in range(len(names) + 1))
    assert reached or not accepted
