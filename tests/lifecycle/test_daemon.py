"""The daemon as a process: the only one, reachable, hard to kill by accident, gone when told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ccdashd import __version__
from ccdashd.runtime import Holder, Lock, lock_holder
from tests.helpers import Closed, Daemon, RpcError, framed, wait_until


def test_hello_tells_who_answers(daemon: Daemon) -> None:
    with daemon.client() as client:
        hello = client.request("ccdash/hello", {"client": "test", "version": "1", "protocol": 1, "cwd": "/"})
    assert hello["pid"] == daemon.process.pid
    assert (hello["version"], hello["protocol"], hello["profile"]) == (__version__, 1, "default")
    assert hello["startedAt"].endswith("Z")


def test_a_client_that_is_too_old_is_told_to_upgrade(daemon: Daemon) -> None:
    with daemon.client() as client, pytest.raises(RpcError) as caught:
        client.request("ccdash/hello", {"protocol": 0})
    assert caught.value.code == -32011
    assert caught.value.data == {"protocol": 1}


def test_everything_it_makes_is_private(daemon: Daemon) -> None:
    with daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index")
    paths = daemon.paths
    for folder in (paths.runtime_dir, paths.cache_dir, paths.log_file.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    for file in (paths.socket, paths.daemon_lock, paths.database, paths.log_file):
        assert stat.S_IMODE(file.lstat().st_mode) == 0o600, file


def test_twenty_at_once_are_one(idle_daemon: Daemon) -> None:
    for _ in range(20):
        idle_daemon.spawn("serve")
    losers = wait_until(
        lambda: len(done) == 19 and done if (done := [p for p in idle_daemon.processes if p.poll() is not None]) else None,
        "the end of nineteen",
        60,
    )
    (winner,) = (process for process in idle_daemon.processes if process.poll() is None)
    assert [process.returncode for process in losers] == [3] * 19
    for process in losers:
        assert "running already (pid " in process.communicate()[1]
    assert lock_holder(idle_daemon.paths.daemon_lock) == Holder(winner.pid, __version__)
    wait_until(idle_daemon.paths.socket.exists, "the socket")
    with idle_daemon.client() as client:
        assert client.request("ccdash/hello")["pid"] == winner.pid


def test_a_killed_daemon_is_followed_by_the_next(daemon: Daemon) -> None:
    for _ in range(3):
        first = daemon.process.pid
        daemon.kill()
        assert daemon.paths.socket.exists(), "SIGKILL leaves the socket behind"
        daemon.start()
        assert daemon.process.pid != first
    with daemon.client() as client:
        assert wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the state ok")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(daemon: Daemon, number: int) -> None:
    with daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index")
        assert daemon.kill(number) == 0
        with pytest.raises(Closed):
            client.message()
    assert not daemon.paths.socket.exists()
    assert daemon.paths.daemon_lock.exists()
    assert lock_holder(daemon.paths.daemon_lock) is None
    assert f"reason={signal.Signals(number).name}" in daemon.log
    daemon.start()
    assert "unclean=False" in wait_until(lambda: daemon.log.count("cache open") == 2 and daemon.log, "the cache")
    assert "unclean=True" not in daemon.log


def test_a_second_signal_ends_it_at_once(idle_daemon: Daemon) -> None:
    idle_daemon.start("--set", "subscriber_backlog=16384")
    with idle_daemon.client() as client:
        # Requests whose answers are not read are still running when the daemon drains.
        client.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                client.socket.sendall(framed({"jsonrpc": "2.0", "id": os.urandom(8).hex(), "method": "ccdash/status"}))
        idle_daemon.process.terminate()
        wait_until(lambda: "stopping reason=SIGTERM" in idle_daemon.log, "the drain")
        assert idle_daemon.process.poll() is None
        assert idle_daemon.kill(signal.SIGTERM) == 1
    assert "stopped at once" in idle_daemon.log
    idle_daemon.start()


def test_a_terminal_that_closes_does_not_end_it(daemon: Daemon) -> None:
    os.kill(daemon.process.pid, signal.SIGHUP)
    with daemon.client() as client:
        assert client.request("ccdash/hello")["pid"] == daemon.process.pid


def test_shutdown_is_answered_first(daemon: Daemon) -> None:
    with daemon.client() as client:
        assert client.request("ccdash/shutdown")["ok"] is True
        with pytest.raises(Closed):
            client.message()
    assert daemon.process.wait(20) == 0


def test_a_vanished_runtime_folder_is_made_again(daemon: Daemon) -> None:
    with daemon.client() as old:
        shutil.rmtree(daemon.paths.runtime_dir)
        wait_until(daemon.paths.socket.exists, "a new socket")
        with daemon.client() as client:
            assert client.request("ccdash/hello")["pid"] == daemon.process.pid
        assert old.request("ccdash/hello")["pid"] == daemon.process.pid
    assert daemon.run("serve").returncode == 3


def test_a_daemon_whose_lock_was_taken_over_leaves(daemon: Daemon) -> None:
    daemon.paths.socket.unlink()
    daemon.paths.daemon_lock.unlink()
    other = Lock(daemon.paths.daemon_lock)
    other.take()
    try:
        assert daemon.process.wait(20) == 0
        assert "another daemon took over" in daemon.log
    finally:
        other.release()


def test_garbage_half_frames_and_huge_lengths_harm_no_one(daemon: Daemon) -> None:
    hostile = [daemon.client() for _ in range(5)]
    hostile[0].raw(os.urandom(10_000))
    hostile[1].raw(b"Content-Length: 1000\r\n\r\n{")
    hostile[2].raw(b"Content-Length: 4294967296\r\n\r\n")
    hostile[3].raw(b"Content-Le")
    hostile[4].raw(framed({"jsonrpc": "2.0", "id": 1, "method": "ccdash/status"}) * 2000)
    try:
        with daemon.client() as client:
            for _ in range(100):
                assert client.request("ccdash/hello")["pid"] == daemon.process.pid
            assert client.request("ccdash/status")["memoryBytes"] < 150_000_000
    finally:
        for one in hostile:
            one.close()
    assert daemon.kill(signal.SIGTERM) == 0
    assert "Traceback" not in daemon.log


def test_sixty_four_clients(daemon: Daemon) -> None:
    clients = [daemon.client() for _ in range(64)]
    try:
        for client in clients:
            for number in range(20):
                client.send("sessions/list", {"limit": 50}, id=number)
        for client in clients:
            for number in range(20):
                assert client.result(number)["items"] == []
        assert clients[0].request("ccdash/status")["clients"] == 64
    finally:
        for client in clients:
            client.close()


def test_an_auto_started_daemon_leaves_when_nobody_came_back(idle_daemon: Daemon) -> None:
    idle_daemon.start("--auto", "--set", "idle_exit_minutes=0.01")
    with idle_daemon.client() as client:
        assert client.request("ccdash/status")["autoStarted"] is True
        time.sleep(1.5)  # Longer than the limit: with a client it must not leave.
        assert client.request("ccdash/hello")
    assert idle_daemon.process.wait(20) == 0
    assert "no client for 0.01 minutes" in idle_daemon.log


def test_a_daemon_that_was_started_by_hand_stays(idle_daemon: Daemon) -> None:
    idle_daemon.start("--set", "idle_exit_minutes=0.0001")
    with pytest.raises(subprocess.TimeoutExpired):
        idle_daemon.process.wait(3)


def test_stop_and_status(idle_daemon: Daemon) -> None:
    result = idle_daemon.run("status")
    assert (result.returncode, result.stderr) == (1, "ccdashd: ccdashd is not running\n")
    assert idle_daemon.run("stop").stdout == "ccdashd is not running\n"
    idle_daemon.start()
    pid = idle_daemon.process.pid
    shown = idle_daemon.run("status")
    assert shown.returncode == 0 and f"pid {pid}" in shown.stdout and shown.stderr == ""
    assert json.loads(idle_daemon.run("status", "--json").stdout)["pid"] == pid
    stopped = idle_daemon.run("stop")
    assert (stopped.returncode, stopped.stdout) == (0, f"ccdashd stopped (pid {pid}, version {__version__})\n")
    assert idle_daemon.process.wait(20) == 0


def test_stop_reaches_a_daemon_whose_socket_is_gone(daemon: Daemon) -> None:
    daemon.paths.socket.unlink()
    assert daemon.run("stop").returncode == 0
    assert daemon.process.wait(20) == 0
    assert "reason=SIGTERM" in daemon.log


def test_stop_sends_no_signal_where_the_lock_is_free(idle_daemon: Daemon) -> None:
    idle_daemon.paths.runtime_dir.mkdir(mode=0o700)
    idle_daemon.paths.daemon_lock.write_text(f"{os.getpid()} 0.0.1\n")
    assert idle_daemon.run("stop").stdout == "ccdashd is not running\n"


def test_errors_of_the_start_are_sentences(idle_daemon: Daemon) -> None:
    for arguments, said in [
        (["--set", "workers=many"], "--set: workers: must be a whole number"),
        (["--set", "nope=1"], "nope: is no setting"),
        (["--profile", "a/b"], "profile 'a/b'"),
    ]:
        result = idle_daemon.run("serve", *arguments)
        assert result.returncode == 1
        assert said in result.stderr
        assert "Traceback" not in result.stderr
    idle_daemon.paths.runtime_dir.mkdir(mode=0o755)
    result = idle_daemon.run("serve", "--auto")
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert "chmod 700" in result.stderr
    assert "chmod 700" in idle_daemon.log, "the client that started it shows the log"


def test_profiles_do_not_meet(idle_daemon: Daemon) -> None:
    idle_daemon.start()
    other = Daemon(idle_daemon.folder, {"CCDASH_PROFILE": "other"})
    try:
        other.start()
        with other.client() as client:
            assert client.request("ccdash/hello")["profile"] == "other"
        assert idle_daemon.process.poll() is None
    finally:
        other.close()


def test_it_answers_before_the_cache_can_be_opened(idle_daemon: Daemon) -> None:
    idle_daemon.home.joinpath(".cache").write_text("a file in the place of the folder")
    idle_daemon.start()
    with idle_daemon.client() as client:
        status = wait_until(
            lambda: status if (status := client.request("ccdash/status"))["problems"] else None, "the problem"
        )
        assert status["state"] == "degraded"
        assert status["problems"][0]["part"] == "cache"
        with pytest.raises(RpcError) as caught:
            client.request("sessions/list")
        assert caught.value.code == -32004
        idle_daemon.home.joinpath(".cache").unlink()
        wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "recovery")
        assert client.request("sessions/list")["items"] == []


def test_a_damaged_cache_is_moved_aside_and_made_anew(daemon: Daemon) -> None:
    with daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index")
    daemon.kill(signal.SIGTERM)
    daemon.paths.database.write_bytes(b"this is no database" * 1000)
    daemon.start()
    with daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["state"] == "ok", "the rebuild")
        assert client.request("sessions/list")["items"] == []
    assert list(daemon.paths.cache_dir.glob("cache.db.corrupt-*"))


def test_a_log_that_cannot_be_written_does_not_stop_it(idle_daemon: Daemon) -> None:
    idle_daemon.home.joinpath(".local").write_text("a file in the place of the folder")
    idle_daemon.start()
    with idle_daemon.client() as client:
        parts = [problem["part"] for problem in client.request("ccdash/status")["problems"]]
    assert "log" in parts


def test_it_does_not_hold_the_folder_of_its_caller(daemon: Daemon) -> None:
    assert Path(f"/proc/{daemon.process.pid}/cwd").resolve() == Path("/")


def test_hello_comes_before_the_heavy_imports(idle_daemon: Daemon) -> None:
    code = (
        "import sys, ccdashd.serve\n"
        "heavy = {'sqlalchemy', 'alembic', 'rich', 'platformdirs', 'multiprocessing'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False).stderr == "\n"
