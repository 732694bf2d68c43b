"""Which project a working directory belongs to."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ccdashd.ingest.projects import Roots


def test_a_folder_of_a_repository(tmp_path: Path) -> None:
    (tmp_path / "app/.git").mkdir(parents=True)
    (tmp_path / "app/src").mkdir()
    assert Roots().root(f"{tmp_path}/app/src/../src/") == f"{tmp_path}/app"
    assert Roots().root(f"{tmp_path}/app/gone") == f"{tmp_path}/app"
    assert Roots().root(f"{tmp_path}/other") == f"{tmp_path}/other"


def test_a_worktree_belongs_to_its_repository(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    subprocess.run([*git, "worktree", "add", "-q", str(tmp_path / "trees/one")], check=True, stderr=subprocess.DEVNULL)
    assert Roots().root(f"{tmp_path}/trees/one") == str(tmp_path)


def test_a_worktree_that_is_gone() -> None:
    assert Roots().root("/no/such/app/.claude/worktrees/one/src") == "/no/such/app"


@pytest.mark.parametrize("cwd", ["", "~/app", "src", "C:\\work", "/a\0b", "/" + "x" * 5000])
def test_what_is_no_folder_of_this_machine(cwd: str) -> None:
    assert Roots().root(cwd) == cwd


def test_dotfiles_in_the_home_folder_own_nothing_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".git").mkdir()
    assert Roots().root(f"{tmp_path}/app") == f"{tmp_path}/app"
    assert Roots().root(str(tmp_path)) == str(tmp_path)


@pytest.mark.parametrize(
    ("repository", "added", "expected"),
    [
        ("a/b", [], "a/b"),
        ("a/b", ["a"], "a/b"),
        ("a/b", ["a/b/c"], "a/b/c"),
        ("a/b", ["a/b/cd", "a/b/d"], "a/b"),
        ("other", ["a", "a/b"], "a/b"),
        (None, [], "a/b/c"),
        (None, ["a"], "a"),
        (None, ["a", "a/b"], "a/b"),
        (None, ["a/b/cd"], "a/b/c"),
    ],
)
def test_the_longest_root_owns_and_the_user_where_no_repository_says(
    tmp_path: Path, repository: str | None, added: list[str], expected: str
) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    if repository is not None:
        (tmp_path / repository / ".git").mkdir(parents=True)
    roots = Roots()
    assert roots.owner(str(tmp_path / "a/b/c"), [str(tmp_path / root) for root in added]) == str(tmp_path / expected)
