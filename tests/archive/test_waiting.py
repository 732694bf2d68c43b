"""What keeps logs out of the archive, and which wait to be copied."""

from __future__ import annotations

import pytest

from ccdashd import paths, settings
from ccdashd.archive import manifest as manifests
from ccdashd.archive.chunks import Chunk
from ccdashd.archive.manifest import Manifest, Version
from ccdashd.archive.waiting import DAY_NS, Rules, waiting
from ccdashd.store.archived import Log

NOW = 1_000 * DAY_NS


def rules(*pruned: str, **given: str) -> Rules:
    environ = {"HOME": "/h", "XDG_RUNTIME_DIR": "/r"}
    return Rules(settings.load(paths.resolve(environ=environ), given, environ), pruned)


def log(path: str = "/l/a.jsonl", *, size: int = 10, age_days: float = 1.0, root: str = "/p/app", **given: object) -> Log:
    known = Log(path, size, NOW - int(age_days * DAY_NS), False, "s", "s", "", root, "id", "app", root)
    return known._replace(**given)


def copy(log: Log) -> Manifest:
    version = Version(size=log.size, mtime_ns=log.mtime_ns, guard=b"", archived_at="", chunks=(Chunk("0" * 64, log.size),))
    return manifests.of(log.path, (version,))


@pytest.mark.parametrize(
    ("pattern", "folder", "excluded"),
    [
        ("/p/app", "/p/app", True),
        ("/p/app/", "/p/app", True),
        ("/p/app", "/p/app/part", True),
        ("/p/app", "/p/apple", False),
        ("/p/*", "/p/deep/down", True),
        ("*secret*", "/p/my-secrets/x", True),
        ("/p/ap?", "/p/app", True),
        ("/p/a*", "/p/app/part", True),
        ("/p/[a]pp", "/p/app", False),
        ("/p/[a]pp", "/p/[a]pp", True),
        ("/", "/p/app", True),
        ("/q", "/p/app", False),
    ],
)
def test_folders_of_projects_are_excluded(pattern: str, folder: str, excluded: bool) -> None:
    assert rules(archive_exclude=pattern).excludes(log(root=folder), NOW) is excluded
    # A worktree elsewhere belongs to its project.
    assert rules(archive_exclude=pattern).excludes(log(root=folder, cwd="/elsewhere"), NOW) is excluded
    assert rules(archive_exclude=f"/none:{pattern}").excludes(log(root=folder), NOW) is excluded


def test_logs_that_are_old_or_pruned_are_excluded() -> None:
    assert not rules(archive_max_age_days="5").excludes(log(age_days=4.9), NOW)
    assert rules(archive_max_age_days="5").excludes(log(age_days=5.1), NOW)
    assert rules("s").excludes(log(), NOW)
    assert rules("s").excludes(log(session_id="s/agent-a", main_id="s"), NOW)
    assert not rules("t").excludes(log(), NOW)


def test_what_is_other_than_its_copy_waits_the_oldest_first() -> None:
    same, grown, new = log("/l/same.jsonl"), log("/l/grown.jsonl", age_days=2), log("/l/new.jsonl", age_days=3)
    gone, empty, old = log("/l/gone.jsonl", gone=True), log("/l/empty.jsonl", size=0), log("/l/old.jsonl", age_days=400)
    touched = log("/l/touched.jsonl", age_days=0.001)
    copies = [copy(same), copy(grown._replace(size=5)), copy(touched._replace(mtime_ns=0))]
    everything = [same, grown, new, gone, empty, old, touched]
    found = waiting(everything, copies, rules(archive_max_age_days="365"), NOW)
    assert found.logs == [new, grown, touched]
    assert (found.bytes, found.excluded) == (30, 1)
    assert found.quiet(300, NOW) == [new, grown]
    assert found.quiet(0, NOW) == [new, grown, touched]


def test_a_log_of_a_time_to_come_is_quiet() -> None:
    """The clock was set back since; else it would wait until that time."""
    later = log(age_days=-30)
    assert waiting([later], [], rules(), NOW).quiet(300, NOW) == [later]


def test_a_log_of_no_folder_is_not_excluded() -> None:
    assert not rules(archive_exclude="/").excludes(log(root="", cwd=""), NOW)
    assert not rules(archive_exclude="").excludes(log(), NOW)
