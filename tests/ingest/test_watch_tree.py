from __future__ import annotations

import os
from pathlib import Path

from ccdashd.ingest.watching.mounts import is_remote
from ccdashd.ingest.watching.tree import Tree, within


def test_a_folder_that_two_paths_lead_to_has_both_until_the_last_is_dropped() -> None:
    tree = Tree()
    assert tree.bind(1, "/a")
    assert not tree.bind(1, "/a")
    assert tree.bind(1, "/link")
    assert tree.paths(1) == ("/a", "/link")
    tree.drop("/a")
    assert "/a" not in tree
    assert tree.paths(1) == ("/link",)
    assert not tree.take_orphans()
    tree.drop("/link")
    assert tree.take_orphans() == {1}
    assert tree.take_orphans() == set()


def test_another_folder_under_a_known_path_orphans_the_first() -> None:
    tree = Tree()
    tree.bind(1, "/a")
    tree.bind(2, "/a")
    assert tree.paths(1) == ()
    assert tree.paths(2) == ("/a",)
    assert tree.take_orphans() == {1}


def test_an_orphan_that_is_found_again_is_none() -> None:
    tree = Tree()
    tree.bind(1, "/a")
    tree.drop("/a")
    tree.bind(1, "/b")
    assert tree.take_orphans() == set()


def test_drop_tree_takes_what_is_below_and_not_what_only_begins_alike() -> None:
    tree = Tree()
    for wd, path in enumerate(["/a", "/a/b", "/a/b/c", "/ab"]):
        tree.bind(wd, path)
    assert tree.drop_tree("/a")
    assert list(tree) == ["/ab"]
    assert tree.take_orphans() == {0, 1, 2}
    assert not tree.drop_tree("/a")


def test_forget() -> None:
    tree = Tree()
    for wd, path in enumerate(["/a", "/b"]):
        tree.bind(wd, path)
    assert tree.forget(0) == ("/a",)
    assert tree.forget(0) == ()
    assert list(tree) == ["/b"]
    assert tree.take_orphans() == set()


def test_what_is_within_folders() -> None:
    paths = ["/a", "/a/b", "/ab", "/c/d"]
    assert within(paths, ["/a", "/c"]) == ["/a", "/a/b", "/c/d"]
    assert within(paths, ["/"]) == paths
    assert within(paths, []) == []


def test_a_network_file_system_is_told_by_its_device(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    mountinfo = tmp_path / "mountinfo"
    for system, remote in [("nfs4", True), ("ext4", False), ("fuse.sshfs", True)]:
        mountinfo.write_text(
            "21 1 0:0 / /elsewhere rw - nfs host:/x rw\n"
            f"36 35 {os.major(device)}:{os.minor(device)} / /mnt rw,noatime shared:1 - {system} source rw\n"
        )
        assert is_remote(str(tmp_path), str(mountinfo)) is remote
    assert not is_remote(str(tmp_path / "missing"), str(mountinfo))
    mountinfo.unlink()
    assert not is_remote(str(tmp_path), str(mountinfo))
