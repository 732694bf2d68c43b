"""The units, and the two protocols of the service manager, with its own tools where they are installed."""

from __future__ import annotations

import os
import plistlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ccdashd.systemd import Notifier, listen_fds
from tests.helpers import Client, Daemon, wait_until

UNITS = Path(__file__).parents[1] / "systemd"


def render(folder: Path) -> list[Path]:
    """The units as they are installed, with a program that exists."""
    rendered = []
    for template in (UNITS / "ccdashd.service", UNITS / "ccdashd.socket"):
        path = folder / template.name
        path.write_text(template.read_text().replace("@CCDASHD@", shutil.which("true") or "/bin/true"))
        rendered.append(path)
    return rendered


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_every_line_of_the_units(tmp_path: Path) -> None:
    units = render(tmp_path)
    runtime = tmp_path / "rt"
    runtime.mkdir(mode=0o700)
    environ = {**os.environ, "XDG_RUNTIME_DIR": str(runtime)}
    command = ["systemd-analyze", "--user", "--man=no", "verify", *map(str, units)]
    result = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    # The check can fail: an unknown key is told.
    units[0].write_text(units[0].read_text() + "\n[Service]\nLockPersonalityy=yes\n")
    assert "LockPersonalityy" in subprocess.run(command, env=environ, capture_output=True, text=True, check=False).stderr


def test_the_units_have_no_other_placeholders() -> None:
    for unit in UNITS.iterdir():
        words = {word for word in unit.read_text().replace("<", " ").replace(">", " ").split() if word.startswith("@")}
        assert words <= {"@CCDASHD@", "@LOG@"}, unit.name


def test_the_socket_unit_binds_where_clients_look(idle_daemon: Daemon) -> None:
    text = (UNITS / "ccdashd.socket").read_text()
    listen = next(line.split("=", 1)[1] for line in text.splitlines() if line.startswith("ListenStream="))
    runtime = idle_daemon.environ["XDG_RUNTIME_DIR"]
    assert Path(listen.replace("%t", runtime)) == idle_daemon.paths.socket
    assert "SocketMode=0600" in text and "DirectoryMode=0700" in text


def test_the_launchd_agent_is_a_property_list() -> None:
    agent = plistlib.loads((UNITS / "io.ccdash.ccdashd.plist").read_bytes())
    assert agent["ProgramArguments"] == ["@CCDASHD@", "serve"]
    assert agent["KeepAlive"] == {"SuccessfulExit": False}


class Manager:
    """A service manager's end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.socket.settimeout(20)
        self.heard: list[str] = []

    def hear(self, wanted: str) -> str:
        """Wait for a line that starts with `wanted`."""
        while True:
            lines = self.socket.recv(4096).decode().splitlines()
            self.heard += lines
            for line in lines:
                if line.startswith(wanted):
                    return line


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, short_folder: Path) -> Iterator[Manager]:
    manager = Manager(str(short_folder / "n") if request.param == "path" else f"@ccdash-test-{os.getpid()}")
    yield manager
    manager.socket.close()


def test_the_service_manager_hears_of_the_whole_life(manager: Manager, idle_daemon: Daemon) -> None:
    idle_daemon.start(environ={"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "300000"})
    manager.hear("READY=1")
    manager.hear("STATUS=")
    with idle_daemon.client() as client:
        wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index")
        for _ in range(3):
            manager.hear("WATCHDOG=1")
        idle_daemon.process.terminate()
        manager.hear("STOPPING=1")
    assert idle_daemon.process.wait(20) == 0


def test_a_watchdog_of_another_process_is_not_fed(short_folder: Path) -> None:
    manager = Manager(str(short_folder / "n"))
    environ = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}
    try:
        notifier = Notifier(environ)
        assert notifier.watchdog_seconds is None
        assert environ == {}, "children must not speak for us"
        notifier.status("a")
        notifier.status("a")
        notifier.status("b")
        manager.hear("STATUS=b")
        assert manager.heard == ["STATUS=a", "STATUS=b"]
    finally:
        manager.socket.close()


def test_no_service_manager_no_trouble(short_folder: Path) -> None:
    for environ in ({}, {"NOTIFY_SOCKET": str(short_folder / "nobody"), "WATCHDOG_USEC": "x"}):
        notifier = Notifier(environ)
        notifier.ready()
        notifier.stopping()
        assert notifier.watchdog_seconds is None


def test_passed_sockets_are_taken_by_the_process_they_are_for() -> None:
    other = {"LISTEN_PID": "1", "LISTEN_FDS": "1"}
    assert listen_fds(other) == []
    assert other == {}
    assert listen_fds({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "many"}) == []
    assert listen_fds({}) == []


@pytest.mark.skipif(shutil.which("systemd-socket-activate") is None, reason="systemd is not installed")
def test_socket_activation(idle_daemon: Daemon) -> None:
    path = idle_daemon.paths.socket
    path.parent.mkdir(mode=0o700)
    activator = subprocess.Popen(
        ["systemd-socket-activate", "-l", str(path), *environment(idle_daemon), sys.executable, "-m", "ccdashd", "serve"],
        env=idle_daemon.environ,
        cwd="/",
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(path.exists, "the socket")
        inode = path.lstat().st_ino
        with Client(path) as client:
            assert client.request("ccdash/hello")["pid"] == activator.pid
            client.request("ccdash/shutdown")
        assert activator.wait(20) == 0
        assert path.lstat().st_ino == inode, "the socket belongs to the service manager"
    finally:
        activator.kill()
        activator.wait()


def environment(daemon: Daemon) -> list[str]:
    """systemd-socket-activate passes only what it is told to."""
    return [part for name, value in daemon.environ.items() for part in ("-E", f"{name}={value}")]
