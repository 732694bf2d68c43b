"""Folders, lock and socket of the only daemon."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ccdashd import __version__
from ccdashd.paths import SUN_PATH_MAX, resolve
from ccdashd.rpc.server import peer_uid
from ccdashd.runtime import AlreadyRunning, Holder, Lock, RuntimeProblem, Socket, lock_holder, memory_bytes, private_folder
from tests.helpers import wait_until


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_private_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    private_folder(folder)
    assert mode(folder) == 0o700
    private_folder(folder)


@pytest.mark.parametrize("bits", [0o750, 0o701, 0o777])
def test_a_folder_that_others_can_enter_is_refused_with_what_to_do(tmp_path: Path, bits: int) -> None:
    tmp_path.chmod(bits)
    with pytest.raises(RuntimeProblem, match=f"{bits:04o}.*chmod 700"):
        private_folder(tmp_path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    os.chown(folder, 12345, -1)
    with pytest.raises(RuntimeProblem, match="belongs to user id 12345"):
        private_folder(folder)


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f").touch()
    with pytest.raises(RuntimeProblem, match="not a folder"):
        private_folder(tmp_path / "f")
    with pytest.raises(RuntimeProblem, match="cannot be made"):
        private_folder(tmp_path / "f" / "below")


def test_one_lock_one_holder(tmp_path: Path) -> None:
    path = tmp_path / "daemon.lock"
    assert lock_holder(path) is None
    first, second = Lock(path), Lock(path)
    first.take()
    assert mode(path) == 0o600
    assert path.read_text() == f"{os.getpid()} {__version__}\n"
    assert lock_holder(path) == Holder(os.getpid(), __version__)
    with pytest.raises(AlreadyRunning, match=f"pid {os.getpid()}, version {__version__}"):
        second.take()
    first.release()
    assert path.exists(), "the file stays"
    assert lock_holder(path) is None
    second.take()
    second.release()


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "daemon.lock"
    code = f"""
import pathlib, time
from ccdashd.runtime import Lock
lock = Lock(pathlib.Path({str(path)!r}))
lock.take()
time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", code])
    try:
        wait_until(lambda: lock_holder(path) == Holder(process.pid, __version__), "the lock")
    finally:
        process.kill()
        process.wait()
    assert lock_holder(path) is None
    lock = Lock(path)
    lock.take()
    lock.release()


def test_asking_who_holds_the_lock_hinders_nobody(tmp_path: Path) -> None:
    path = tmp_path / "daemon.lock"
    path.touch()
    asker = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import pathlib; from ccdashd.runtime import lock_holder\nprint('go', flush=True)\n"
            f"while True: lock_holder(pathlib.Path({str(path)!r}))",
        ],
        stdout=subprocess.PIPE,
    )
    try:
        assert asker.stdout is not None
        asker.stdout.readline()
        for _ in range(50):
            lock = Lock(path)
            lock.take()
            lock.release()
    finally:
        asker.kill()
        asker.communicate()


def test_a_lock_whose_file_was_replaced_is_not_in_place(tmp_path: Path) -> None:
    path = tmp_path / "daemon.lock"
    lock = Lock(path)
    lock.take()
    assert lock.in_place
    path.unlink()
    assert not lock.in_place
    path.touch()
    assert not lock.in_place
    lock.take()
    assert lock.in_place
    lock.release()


def test_a_link_in_the_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "daemon.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RuntimeProblem):
        Lock(tmp_path / "daemon.lock").take()
    assert not (tmp_path / "elsewhere").exists()


def test_the_socket_is_private_and_unlinked_at_the_end(short_folder: Path) -> None:
    entry = Socket(short_folder / "s")
    with entry.bind():
        assert mode(entry.path) == 0o600
        assert entry.ours and entry.in_place
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(entry.path))
    entry.unlink()
    assert not entry.path.exists()


def test_a_stale_socket_is_replaced_and_a_living_one_is_not(short_folder: Path) -> None:
    path = short_folder / "s"
    with Socket(path).bind(), pytest.raises(RuntimeProblem, match="another program listens"):
        Socket(path).bind()
    assert path.exists()
    with Socket(path).bind() as listener, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        listener.setblocking(True)
        listener.accept()[0].close()


def test_a_file_or_link_in_the_place_of_the_socket_is_left_alone(short_folder: Path) -> None:
    path = short_folder / "s"
    path.write_text("mine")
    with pytest.raises(RuntimeProblem, match="not a socket"):
        Socket(path).bind()
    assert path.read_text() == "mine"


def test_a_socket_that_is_not_ours_any_more_is_not_unlinked(short_folder: Path) -> None:
    path = short_folder / "s"
    first = Socket(path)
    with first.bind():
        path.unlink()
        second = Socket(path)
        with second.bind():
            assert not first.in_place
            first.unlink()
            assert second.in_place


def test_a_socket_path_that_is_too_long_is_told(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 120)
    folder.mkdir(mode=0o700)
    with pytest.raises(RuntimeProblem, match="cannot listen"):
        Socket(folder / "s").bind()


def test_the_short_fallback_folder_must_be_ours(short_folder: Path) -> None:
    paths = resolve(environ={"HOME": str(short_folder / ("h" * 120))})
    assert len(os.fsencode(paths.socket)) <= SUN_PATH_MAX
    folder = paths.socket.parent
    folder.mkdir(mode=0o755)
    try:
        with pytest.raises(RuntimeProblem, match="chmod 700"):
            Socket(paths.socket).bind()
    finally:
        folder.rmdir()


def test_a_socket_in_a_shared_sticky_folder_is_allowed() -> None:
    path = Path(f"/tmp/cctest-{os.getpid()}")
    entry = Socket(path)
    with entry.bind():
        assert mode(path) == 0o600
    entry.unlink()


def test_touch_makes_the_socket_young(short_folder: Path) -> None:
    entry = Socket(short_folder / "s")
    with entry.bind():
        os.utime(entry.path, (1, 1))
        entry.touch()
        assert entry.path.lstat().st_mtime > time.time() - 3600
    entry.unlink()


def test_the_peer_s_user_is_known() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert peer_uid(one) == os.getuid()
    with socket.socket(socket.AF_INET) as unrelated:
        assert peer_uid(unrelated) != os.getuid() or os.getuid() == 0


def test_memory_is_measured() -> None:
    assert 1_000_000 < memory_bytes() < 100_000_000_000
