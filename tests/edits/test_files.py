"""Files are replaced whole or not at all, never outside their project, and only when they are what the caller saw."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ccdashd.edits import files
from ccdashd.edits.files import Replacement
from ccdashd.errors import Busy, Conflict, ReadOnly
from ccdashd.sources.planning.model import digest

FULL = (errno.ENOSPC, errno.EDQUOT)
OLD, NEW = b"old\r\n" * 3000, b"new\n" * 5000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a file at ``docs/plan.md``."""
    (tmp_path / "project/docs").mkdir(parents=True)
    (tmp_path / "project/docs/plan.md").write_bytes(OLD)
    return tmp_path / "project"


def replace(root: Path, path: str = "docs/plan.md", data: bytes = NEW) -> None:
    files.replace(str(root), path, files.read(str(root), path).hash, data)


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_a_file_gets_its_new_bytes(root: Path) -> None:
    before = files.read(str(root), "docs/plan.md")
    assert (before.data, before.hash, before.stat.st_size) == (OLD, digest(OLD), len(OLD))
    files.replace(str(root), "docs/plan.md", before.hash, NEW)
    assert files.read(str(root), "docs/plan.md").data == NEW
    assert names(root / "docs") == ["plan.md"]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_mode_bits_stay(root: Path, mode: int) -> None:
    (root / "docs/plan.md").chmod(mode)
    replace(root)
    assert stat.S_IMODE((root / "docs/plan.md").stat().st_mode) == mode


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_owner_stays(root: Path) -> None:
    os.chown(root / "docs/plan.md", 1234, 4321)
    replace(root)
    status = (root / "docs/plan.md").stat()
    assert (status.st_uid, status.st_gid) == (1234, 4321)


def test_a_file_of_somebody_else_becomes_ours_but_keeps_its_group(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fchown(fd: int, uid: int, gid: int) -> None:
        asked.append((uid, gid))
        if uid != -1:
            raise PermissionError(errno.EPERM, "not yours")

    monkeypatch.setattr(os, "fchown", fchown)
    replace(root)
    status = (root / "docs/plan.md").stat()
    assert asked == [(status.st_uid, status.st_gid), (-1, status.st_gid)]
    assert (root / "docs/plan.md").read_bytes() == NEW


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="Python knows extended attributes on Linux only")
def test_extended_attributes_stay(root: Path) -> None:
    plan = root / "docs/plan.md"
    try:
        os.setxattr(plan, "user.note", b"mine")
    except OSError:
        pytest.skip("this file system has none")
    replace(root)
    assert os.getxattr(plan, "user.note") == b"mine"


def test_only_the_named_one_of_several_hard_links_changes(root: Path) -> None:
    os.link(root / "docs/plan.md", root / "copy.md")
    replace(root)
    assert (root / "copy.md").read_bytes() == OLD


def test_a_file_that_changed_is_left_alone(root: Path) -> None:
    seen = files.read(str(root), "docs/plan.md").hash
    (root / "docs/plan.md").write_bytes(b"theirs")
    with pytest.raises(Conflict, match=r"docs/plan\.md changed since you read it; read it again") as caught:
        files.replace(str(root), "docs/plan.md", seen, NEW)
    assert caught.value.data == {"path": "docs/plan.md", "hash": digest(b"theirs")}
    assert (root / "docs/plan.md").read_bytes() == b"theirs"
    assert names(root / "docs") == ["plan.md"]


def test_a_change_at_the_last_moment_is_noticed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    during(monkeypatch, "fsync", lambda: (root / "docs/plan.md").write_bytes(b"theirs"))
    with pytest.raises(Conflict):
        replace(root)
    assert (root / "docs/plan.md").read_bytes() == b"theirs"
    assert names(root / "docs") == ["plan.md"]


def during(monkeypatch: pytest.MonkeyPatch, name: str, action: Callable[[], Any]) -> None:
    """Carry out `action` when the function `name` of `os` is called for the first time, just before it."""
    real = getattr(os, name)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(os, name, real)
        action()
        return real(*arguments, **named)

    monkeypatch.setattr(os, name, wrapped)


@pytest.mark.parametrize(
    "path",
    ["", ".", "..", "../outside.md", "docs/../../outside.md", "/etc/passwd", "docs//plan.md", "docs/./plan.md", "a\0b"],
)
def test_a_path_that_is_none_inside_the_project_is_refused(root: Path, path: str) -> None:
    (root.parent / "outside.md").write_bytes(OLD)
    with pytest.raises(ReadOnly, match="is no path inside the project"):
        files.read(str(root), path)
    with pytest.raises(ReadOnly, match="is no path inside the project"):
        files.replace(str(root), path, digest(OLD), NEW)
    assert (root.parent / "outside.md").read_bytes() == OLD


def test_symbolic_links_that_lead_out_are_refused(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "plan.md").write_bytes(OLD)
    (root.parent / "project-2").symlink_to(outside)
    (root / "absolute.md").symlink_to(outside / "plan.md")
    (root / "relative.md").symlink_to("../outside/plan.md")
    (root / "folder").symlink_to(outside)
    (root / "sibling").symlink_to("../project-2")
    (root / "itself").symlink_to(".")
    for path in ("absolute.md", "relative.md", "folder/plan.md", "sibling/plan.md", "itself"):
        with pytest.raises(ReadOnly, match="leads out of the project, by a symbolic link"):
            files.replace(str(root), path, digest(OLD), NEW)
    assert (outside / "plan.md").read_bytes() == OLD
    assert names(outside) == ["plan.md"]


def test_symbolic_links_inside_are_followed_and_stay(root: Path) -> None:
    (root / "link.md").symlink_to("docs/plan.md")
    (root / "folder").symlink_to("docs")
    (root.parent / "way").symlink_to("project")
    replace(root, "link.md", b"one")
    replace(root, "folder/plan.md", b"two")
    replace(root.parent / "way", "link.md", b"three")
    assert (root / "link.md").is_symlink()
    assert (root / "docs/plan.md").read_bytes() == b"three"
    assert not (root / "docs/plan.md").is_symlink()


@pytest.mark.parametrize("moment", ["open", "fchmod", "fsync", "rename"])
@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_link_that_is_swapped_in_does_not_lead_out(
    root: Path, monkeypatch: pytest.MonkeyPatch, moment: str, what: str
) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "plan.md").write_bytes(OLD)
    seen = files.read(str(root), "docs/plan.md").hash

    def swap() -> None:
        if what == "folder":
            (root / "docs").rename(root / "moved")
            (root / "docs").symlink_to(outside)
        else:
            (root / "docs/plan.md").unlink()
            (root / "docs/plan.md").symlink_to(outside / "plan.md")

    during(monkeypatch, moment, swap)
    try:
        files.replace(str(root), "docs/plan.md", seen, NEW)
    except ReadOnly:
        assert moment != "rename"
    assert (outside / "plan.md").read_bytes() == OLD
    assert names(outside) == ["plan.md"]


def test_what_is_no_regular_file_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / "pipe.md")
    (root / "folder.md").mkdir()
    for path in ("pipe.md", "folder.md"):
        with pytest.raises(ReadOnly, match=f"{path} is no regular file"):
            files.read(str(root), path)
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(root)  # the path of a socket must be short
        listener.bind("socket.md")
        with pytest.raises(ReadOnly, match=r"socket\.md cannot be read or written"):
            files.read(str(root), "socket.md")


def test_what_is_gone_is_refused(root: Path) -> None:
    (root / "dangling.md").symlink_to("nowhere.md")
    (root / "loop.md").symlink_to("loop.md")
    for path in ("docs/other.md", "other/plan.md", "docs/plan.md/plan.md", "dangling.md"):
        with pytest.raises(ReadOnly, match="is not there any more"):
            files.replace(str(root), path, "", NEW)
    with pytest.raises(ReadOnly, match="symbolic link"):
        files.read(str(root), "loop.md")
    with pytest.raises(ReadOnly, match="is not there any more"):
        files.read(str(root / "gone"), "plan.md")


def test_a_write_protected_file_is_refused(root: Path) -> None:
    (root / "docs/plan.md").chmod(0o444)
    with pytest.raises(ReadOnly, match=r"docs/plan\.md is write-protected"):
        replace(root)
    assert (root / "docs/plan.md").read_bytes() == OLD


@pytest.mark.parametrize(
    ("function", "number", "says"),
    [
        ("write", errno.ENOSPC, "the disk is full"),
        ("write", errno.EDQUOT, "quota"),
        ("fsync", errno.EIO, "cannot be read or written: "),
        ("fchmod", errno.EPERM, "change the permissions"),
        ("rename", errno.EACCES, "change the permissions"),
        ("rename", errno.EROFS, "read-only"),
        ("listdir", errno.EACCES, "change the permissions"),
    ],
)
def test_a_failure_leaves_the_old_file_and_nothing_else(
    root: Path, monkeypatch: pytest.MonkeyPatch, function: str, number: int, says: str
) -> None:
    def fail(*arguments: Any, **named: Any) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, function, fail)
        with pytest.raises(Busy if number in FULL else ReadOnly, match=says) as caught:
            replace(root)
    assert caught.value.message.startswith("docs/plan.md ")
    assert str(root) not in caught.value.message
    assert (root / "docs/plan.md").read_bytes() == OLD
    assert names(root / "docs") == ["plan.md"]


def test_a_folder_that_cannot_be_confirmed_is_told_after_the_write(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, number = os.fsync, errno.EIO

    def fsync(fd: int) -> None:
        if stat.S_ISDIR(os.fstat(fd).st_mode):
            raise OSError(number, os.strerror(number))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(ReadOnly, match="is written, but the disk did not confirm it"):
        replace(root)
    assert (root / "docs/plan.md").read_bytes() == NEW
    number = errno.EINVAL  # a file system that knows no such thing
    replace(root, data=OLD)
    assert (root / "docs/plan.md").read_bytes() == OLD


FILLS = """
import resource, sys
from ccdashd.edits import files
from ccdashd.errors import ReadOnly
root, seen = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))
try:
    files.replace(root, "docs/plan.md", seen, b"x" * 100000)
except ReadOnly as error:
    print(error)
"""


def test_a_file_that_does_not_fit_leaves_the_old_one(root: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FILLS, str(root), digest(OLD)], capture_output=True, text=True, check=True)
    assert done.stdout == "docs/plan.md cannot be read or written: File too large\n"
    assert (root / "docs/plan.md").read_bytes() == OLD
    assert names(root / "docs") == ["plan.md"]


KILLED = """
import itertools, json, os, signal, sys
from ccdashd.edits import files
from ccdashd.sources.planning.model import digest

root, old, new = sys.argv[1], b"old" * 9000, b"new" * 9999
plan = os.path.join(root, "docs/plan.md")
steps = ("open", "write", "fsync", "rename", "unlink", "fchmod", "fchown", "close", "listdir", "fstat", "access")

def kill_at(last):
    count = itertools.count()
    def wrap(name, real):
        def step(*arguments, **named):
            if next(count) == last:
                if name == "write":  # half of it gets to the file
                    real(arguments[0], arguments[1][: len(arguments[1]) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)
        return step
    for name in steps:
        setattr(os, name, wrap(name, getattr(os, name)))

for last in itertools.count():
    for name in os.listdir(os.path.dirname(plan)):
        os.unlink(os.path.join(os.path.dirname(plan), name))
    with open(plan, "wb") as file:
        file.write(old)
    child = os.fork()
    if not child:
        kill_at(last)
        files.replace(root, "docs/plan.md", digest(old), new)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    with open(plan, "rb") as file:
        data = file.read()
    state = "old" if data == old else "new" if data == new else "torn"
    print(json.dumps([os.waitstatus_to_exitcode(status), state, sorted(os.listdir(os.path.dirname(plan)))]))
    if not status:
        break
"""


def test_a_kill_at_any_step_leaves_the_old_or_the_new_file_whole(root: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(root)], capture_output=True, text=True, check=True)
    *killed, last = (json.loads(line) for line in done.stdout.splitlines())
    assert last == [0, "new", ["plan.md"]]
    assert {code for code, _, _ in killed} == {-signal.SIGKILL}
    states = [state for _, state, _ in killed]
    assert states == ["old"] * states.count("old") + ["new"] * states.count("new")
    assert states.count("old") > 10
    assert "new" in states
    left = {name for _, _, found in killed for name in found} - {"plan.md"}
    assert left
    for name in left:
        assert name.startswith(".") and not name.endswith(".md")


def test_what_a_crash_left_behind_is_removed_by_a_later_write(root: Path) -> None:
    stale, fresh, theirs = ".ccdash-0123456789abcdef.tmp", ".ccdash-fedcba9876543210.tmp", ".ccdash-notes.tmp"
    for name in (stale, fresh, theirs):
        (root / "docs" / name).write_bytes(b"half")
    before = time.time() - files.STALE - 60
    for name in (stale, theirs):
        os.utime(root / "docs" / name, (before, before))
    replace(root)
    assert names(root / "docs") == sorted([fresh, theirs, "plan.md"])


def test_all_files_are_looked_at_before_the_first_is_written(root: Path) -> None:
    (root / "docs/other.md").write_bytes(OLD)
    wanted = [Replacement(str(root), path, digest(OLD), NEW) for path in ("docs/plan.md", "docs/other.md")]
    (root / "docs/other.md").write_bytes(b"theirs")
    with pytest.raises(Conflict, match=r"docs/other\.md changed"):
        files.replace_all(wanted)
    assert (root / "docs/plan.md").read_bytes() == OLD
    (root / "docs/other.md").write_bytes(OLD)
    files.replace_all(wanted)
    assert (root / "docs/plan.md").read_bytes() == (root / "docs/other.md").read_bytes() == NEW
    assert names(root / "docs") == ["other.md", "plan.md"]


def test_a_failure_between_two_files_names_what_is_written(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.md", "c.md"):
        (root / "docs" / name).write_bytes(OLD)
    paths = ["docs/plan.md", "docs/b.md", "docs/c.md"]
    during(monkeypatch, "rename", lambda: (root / "docs/b.md").write_bytes(b"theirs"))
    with pytest.raises(Conflict) as caught:
        files.replace_all([Replacement(str(root), path, digest(OLD), NEW) for path in paths])
    assert caught.value.message.startswith("docs/b.md changed since you read it")
    assert caught.value.message.endswith("(written before that: docs/plan.md)")
    assert caught.value.data["written"] == ["docs/plan.md"]
    assert [(root / path).read_bytes() for path in paths] == [NEW, b"theirs", OLD]
    assert names(root / "docs") == ["b.md", "c.md", "plan.md"]


def test_of_many_who_write_at_once_one_wins(root: Path) -> None:
    seen = files.read(str(root), "docs/plan.md").hash
    barrier = threading.Barrier(8)
    won: list[int] = []
    lost: list[int] = []

    def write(number: int) -> None:
        barrier.wait()
        try:
            files.replace(str(root), "docs/plan.md", seen, b"%d" % number)
            won.append(number)
        except Conflict:
            lost.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1 and len(lost) == 7
    assert (root / "docs/plan.md").read_bytes() == b"%d" % won[0]
