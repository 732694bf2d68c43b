"""Finding, starting and replacing daemons."""

from __future__ import annotations

import fcntl
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ccdash import __version__, autostart
from ccdash.autostart import connect, is_locked, probe, wait_stopped
from ccdash.client import PROTOCOL, dial
from ccdash.errors import ConnectionLost, Error, NotRunning, NotTheProtocol, RpcError, StartFailed, Timeout
from ccdash.spawn import make_private, spawn_environment
from ccdashd.paths import Paths, resolve
from tests.cli.daemon import Failure, FakeDaemon, Raw, Silence


@pytest.fixture
def spawning(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let clients start what a test puts in place of the daemon: a package `ccdashd` in this folder."""
    monkeypatch.delenv("CCDASH_NO_SPAWN")
    package = home / "stand-in" / "ccdashd"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(package.parent))
    return package / "__main__.py"


def _raising(error: Exception) -> Any:
    def answer(params: object) -> None:
        raise error

    return answer


def test_a_running_daemon_is_used(fake: FakeDaemon) -> None:
    with connect() as client:
        assert client.hello["pid"] == 42
    assert fake.params("ccdash/hello") == {
        "client": "ccdash",
        "version": __version__,
        "protocol": PROTOCOL,
        "cwd": os.getcwd(),
    }


def test_without_a_daemon_none_is_started_where_that_is_forbidden(home: Path) -> None:
    with pytest.raises(NotRunning, match="CCDASH_NO_SPAWN"):
        connect()
    with pytest.raises(NotRunning, match="ccdash up"):
        connect(autostart=False)


def test_a_stale_socket_is_no_daemon_and_is_left_alone(paths: Paths) -> None:
    paths.socket.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(paths.socket))
    assert probe(paths, 1) is None
    assert paths.socket.exists()


def test_a_folder_where_the_socket_belongs_is_told(paths: Paths) -> None:
    paths.socket.mkdir(parents=True)
    with pytest.raises((Error, NotRunning)):
        connect(autostart=False)


def test_a_daemon_that_never_answers_is_named(fake: FakeDaemon, paths: Paths) -> None:
    fake.answers["ccdash/hello"] = _raising(Silence())
    paths.daemon_lock.write_text("4711 0.1.0\n")
    with pytest.raises(Timeout, match="4711"):
        probe(paths, 0.2)


def test_something_else_on_the_socket_is_no_reason_to_start_one(fake: FakeDaemon, paths: Paths) -> None:
    fake.answers["ccdash/hello"] = _raising(Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    with pytest.raises(NotTheProtocol):
        probe(paths, 5)


@pytest.mark.parametrize("error", [Failure(-32006, "stopping"), Raw(b"")], ids=["refused", "closed"])
def test_a_daemon_on_its_way_out_is_none(fake: FakeDaemon, paths: Paths, error: Exception) -> None:
    fake.answers["ccdash/hello"] = _raising(error)
    assert probe(paths, 5) is None


def test_a_newer_daemon_that_refuses_asks_for_an_upgrade(fake: FakeDaemon) -> None:
    fake.answers["ccdash/hello"] = _raising(Failure(-32011, "The daemon speaks protocol 9.", {"protocol": 9}))
    with pytest.raises(Error, match="upgrade it"):
        connect()


def test_a_newer_daemon_that_serves_is_used(fake: FakeDaemon) -> None:
    fake.answers["ccdash/hello"]["protocol"] = PROTOCOL + 1
    connect().close()
    assert "ccdash/shutdown" not in fake.methods()


def test_other_errors_of_hello_are_told(fake: FakeDaemon) -> None:
    fake.answers["ccdash/hello"] = _raising(Failure(-32603, "broken"))
    with pytest.raises(RpcError, match="broken"):
        connect()


def test_the_daemon_of_another_profile_is_not_used(fake: FakeDaemon) -> None:
    fake.answers["ccdash/hello"]["profile"] = "work"
    with pytest.raises(Error, match="serves profile 'work'"):
        connect()


def test_an_older_daemon_is_replaced(fake: FakeDaemon, stand_in: Path) -> None:
    fake.answers["ccdash/hello"]["protocol"] = PROTOCOL - 1
    fake.unlink_at_shutdown = True
    with connect() as client:
        assert client.hello["pid"] not in (42, os.getpid())
    assert fake.methods() == ["ccdash/hello", "ccdash/shutdown"]


def test_an_older_daemon_that_comes_back_as_old_is_stopped_once(fake: FakeDaemon) -> None:
    fake.answers["ccdash/hello"]["protocol"] = PROTOCOL - 1
    with pytest.raises(Error, match="too old for this"):
        connect()
    assert fake.methods().count("ccdash/shutdown") == 1


def test_without_autostart_an_older_daemon_is_left_alone(fake: FakeDaemon) -> None:
    fake.answers["ccdash/hello"]["protocol"] = PROTOCOL - 1
    connect(autostart=False).close()
    assert "ccdash/shutdown" not in fake.methods()


def test_a_daemon_that_fails_to_start_tells_why(spawning: Path, paths: Paths) -> None:
    spawning.write_text("import sys\nprint('ccdashd: the disk is on fire', file=sys.stderr)\nsys.exit(1)\n")
    with pytest.raises(StartFailed, match=r"exit code 1\. It says:\n  ccdashd: the disk is on fire") as caught:
        connect()
    assert str(paths.log_file) in str(caught.value)


def test_of_a_traceback_only_its_error_is_told(spawning: Path) -> None:
    spawning.write_text("def start():\n    raise OSError('half\\nan installation')\n\nstart()\n")
    with pytest.raises(StartFailed, match=r"It says:\n  OSError: half\n  an installation\n") as caught:
        connect()
    assert "Traceback" not in str(caught.value) and "line 4" not in str(caught.value)


def test_a_daemon_that_fails_after_it_opened_its_log_tells_its_end(spawning: Path, paths: Paths) -> None:
    paths.log_file.parent.mkdir(parents=True)
    paths.log_file.write_text("an old line\n")
    lines = "".join(f"new line {number}\n" for number in range(7))
    spawning.write_text(f"open({str(paths.log_file)!r}, 'a').write({lines!r})\nraise SystemExit(5)\n")
    with pytest.raises(StartFailed, match="exit code 5") as caught:
        connect()
    assert "  new line 2\n  new line 3\n  new line 4\n  new line 5\n  new line 6\n" in str(caught.value)
    assert "new line 1" not in str(caught.value)
    assert "an old line" not in str(caught.value)


def test_a_daemon_that_never_binds_is_given_up(spawning: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = paths.runtime_dir / "pid"
    spawning.write_text(f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n")
    monkeypatch.setattr(autostart, "START_BUDGET", 1.0)
    waits: list[float] = []
    try:
        with pytest.raises(StartFailed, match="does not answer after 1 s"):
            connect(on_wait=waits.append)
    finally:
        os.kill(int(pid.read_text()), 9)
    assert waits == sorted(waits) and len(waits) > 5


STAND_IN = """
import fcntl, json, os, socketserver, sys
runtime = {runtime!r}
def trace(name, text):
    with open(os.path.join(runtime, name), "a") as file:
        file.write(text)
lock = os.open(os.path.join(runtime, "daemon.lock"), os.O_RDWR | os.O_CREAT)
try:
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    trace("refused", "x")
    sys.exit(3)
trace("started", f"{{sys.argv[1:]}} {{os.getcwd()}} {{os.environ['CCDASH_PROFILE']}}\\n")
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while header := self.rfile.readline():
            self.rfile.readline()
            asked = json.loads(self.rfile.read(int(header.split(b":")[1])))
            result = {{"protocol": {protocol}, "pid": os.getpid(), "profile": "default"}}
            body = json.dumps({{"jsonrpc": "2.0", "id": asked["id"], "result": result}}).encode()
            self.wfile.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body)
            if asked["method"] == "ccdash/shutdown":
                os.unlink({socket!r})
                os._exit(0)
class Server(socketserver.ThreadingUnixStreamServer):
    request_queue_size = 64
with Server({socket!r}, Handler) as server:
    server.serve_forever()
"""


@pytest.fixture
def stand_in(spawning: Path, paths: Paths) -> Iterator[Path]:
    """A process in place of the daemon, with its lock and socket; yields the folder with the traces of what started."""
    runtime, socket_path = str(paths.runtime_dir), str(paths.socket)
    spawning.write_text(STAND_IN.format(runtime=runtime, socket=socket_path, protocol=PROTOCOL))
    yield paths.runtime_dir
    with connect(autostart=False) as client:
        client.request("ccdash/shutdown")
        assert wait_stopped(client, paths)


def test_many_clients_that_start_at_once_start_one_daemon(stand_in: Path) -> None:
    pids: list[int] = []

    def ask() -> None:
        with connect() as client:
            pids.append(client.hello["pid"])

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 8 and len(set(pids)) == 1
    assert (stand_in / "started").read_text() == "['serve', '--auto'] / default\n"
    assert not (stand_in / "refused").exists()
    assert os.stat(stand_in).st_mode & 0o777 == 0o700


def test_a_start_waits_for_a_daemon_that_is_on_its_way_out(stand_in: Path, paths: Paths) -> None:
    paths.runtime_dir.mkdir(parents=True)
    held = os.open(paths.daemon_lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)

    def release(waited: float) -> None:
        if (stand_in / "refused").exists() and waited:
            fcntl.flock(held, fcntl.LOCK_UN)

    try:
        with connect(on_wait=release) as client:
            assert client.hello["pid"] > 0
    finally:
        os.close(held)
    assert (stand_in / "refused").exists()


def test_a_start_lock_that_nobody_gives_back_is_told(spawning: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autostart, "START_BUDGET", -0.9)
    paths.runtime_dir.mkdir(parents=True)
    held = os.open(paths.startup_lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(StartFailed, match=r"startup\.lock"):
            autostart._start(paths)
    finally:
        os.close(held)


def test_a_runtime_folder_that_cannot_be_made_is_told(spawning: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").touch()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "file"))
    with pytest.raises(Error, match="file"):
        connect()


def test_folders_above_the_runtime_folder_are_private_as_well(home: Path) -> None:
    make_private(resolve("work").runtime_dir)
    for name in ("ccdash", "ccdash/profiles", "ccdash/profiles/work"):
        assert (home / "run" / name).stat().st_mode & 0o777 == 0o700


def test_is_locked(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_locked(path)
    path.touch()
    assert not is_locked(path)
    with path.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert is_locked(path)
    assert not is_locked(path)


def test_wait_stopped_waits_for_the_lock(fake: FakeDaemon, paths: Paths) -> None:
    with paths.daemon_lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        client = dial(paths.socket, 5)
        with pytest.raises(ConnectionLost):
            client.request("ccdash/shutdown")
            client.request("ccdash/status")
        assert not wait_stopped(client, paths, 0.2)
    client = dial(paths.socket, 5)
    client.request("ccdash/shutdown")
    assert wait_stopped(client, paths, 5)


def test_the_demo_never_sees_the_users_logs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CCDASH_CLAUDE_DIRS", "/real/logs")
    assert spawn_environment(resolve())["CCDASH_CLAUDE_DIRS"] == "/real/logs"
    demo = resolve("demo")
    environment = spawn_environment(demo)
    assert environment["CCDASH_CLAUDE_DIRS"] == str(demo.data_dir / "home/.claude/projects")
    assert environment["CCDASH_PROFILE"] == "demo"
