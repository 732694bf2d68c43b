"""Units are written where the service manager looks, filled in, and taken away again."""

from __future__ import annotations

import json
import os
import plistlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ccdash import service
from ccdash.service import Launchd, Systemd, template
from tests.cli.conftest import Done
from tests.cli.daemon import FakeDaemon

Run = Callable[..., Done]
SYSTEMCTL = """#!/bin/sh
echo "$*" >> {log}
case "$*" in
  *is-enabled*) echo enabled ;;
  *is-active*) echo active ;;
  *"enable --now"*) {enable} ;;
esac
"""


@pytest.fixture(autouse=True)
def linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.fixture
def no_manager(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path without systemctl."""
    (home / "bin").mkdir()
    monkeypatch.setenv("PATH", str(home / "bin"))


@pytest.fixture
def systemctl(home: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """A systemctl that answers as a running manager does; returns what it was told."""
    return _systemctl(home, monkeypatch, ":")


def _systemctl(home: Path, monkeypatch: pytest.MonkeyPatch, enable: str) -> Callable[[], list[str]]:
    told = home / "told"
    program = home / "bin" / "systemctl"
    program.parent.mkdir()
    program.write_text(SYSTEMCTL.format(log=told, enable=enable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return lambda: told.read_text().splitlines() if told.exists() else []


def test_install_without_a_manager_writes_units_and_tells_the_next_step(run: Run, home: Path, no_manager: None) -> None:
    done = run("service", "install")
    assert done.code == 0
    folder = home / ".config/systemd/user"
    for name in Systemd.names:
        text = (folder / name).read_text()
        assert "@" not in text.replace("@system-service", "")
        assert f"wrote {folder / name}\n" in done.out
    assert f"ExecStart={Path(sys.executable).with_name('ccdashd')} serve" in (folder / "ccdashd.service").read_text()
    assert "  systemctl --user daemon-reload\n  systemctl --user enable --now ccdashd.socket\n" in done.out


def test_install_enables_and_uninstall_disables(run: Run, home: Path, systemctl: Callable[[], list[str]]) -> None:
    assert run("service", "install").code == 0
    assert systemctl()[1:] == ["--user daemon-reload", "--user enable --now ccdashd.socket"]
    assert "ccdashd.socket: enabled, active\n" in run("service", "status").out
    assert json.loads(run("service", "status", "--json").out)["states"]["ccdashd.service"] == "enabled, active"
    before = len(systemctl())
    done = run("service", "uninstall")
    assert done.out.count("removed ") == 2
    assert systemctl()[before + 1 :] == [
        "--user disable --now ccdashd.socket ccdashd.service",
        "--user daemon-reload",
    ]
    assert not list((home / ".config/systemd/user").iterdir())
    assert run("service", "uninstall").out == "The service is not installed.\n"


def test_install_stops_a_daemon_that_a_client_started(
    run: Run, fake: FakeDaemon, systemctl: Callable[[], list[str]]
) -> None:
    assert run("service", "install").code == 0
    assert "ccdash/shutdown" in fake.methods()


def test_a_manager_that_refuses_is_quoted(run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _systemctl(home, monkeypatch, "echo 'Failed to enable: no bus' >&2; exit 1")
    done = run("service", "install")
    assert done.code == 1
    assert "`systemctl --user enable --now ccdashd.socket` failed: Failed to enable: no bus." in done.err


def test_status_without_units_and_manager(run: Run, no_manager: None) -> None:
    done = run("service", "status")
    assert done.out.count("not installed") == 2
    assert "No service manager" in done.out


def test_the_service_is_for_the_default_profile(run: Run) -> None:
    done = run("--profile", "work", "service", "install")
    assert done.code == 1 and "'default' only" in done.err


def test_units_follow_the_config_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / "c"))
    assert Systemd().folder == home / "c/systemd/user"
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    assert Systemd().folder == home / ".config/systemd/user"


@pytest.mark.parametrize(
    ("path", "quoted"),
    [("/usr/bin/ccdashd", "/usr/bin/ccdashd"), ("/my tools/c", '"/my tools/c"'), ("/a%b", '"/a%%b"'), ('/a"b', '"/a\\"b"')],
)
def test_paths_in_units_are_quoted(home: Path, path: str, quoted: str) -> None:
    assert Systemd().quoted(path) == quoted


def test_the_launch_agent_is_a_property_list(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_program", lambda: "/my <tools>/ccdashd")
    (path,) = Launchd().install(home / "log & more" / "ccdashd.log")
    agent = plistlib.loads(path.read_bytes())
    assert path == home / "Library/LaunchAgents/io.ccdash.ccdashd.plist"
    assert agent["ProgramArguments"] == ["/my <tools>/ccdashd", "serve"]
    assert agent["StandardErrorPath"] == str(home / "log & more" / "ccdashd.log")
    assert agent["Label"] == path.name.removesuffix(".plist")


def test_a_missing_template_is_told() -> None:
    with pytest.raises(service.Error, match="Install ccdash again"):
        template("nothing.service")


def test_a_manager_that_hangs_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "RUN_LIMIT", 0.05)
    with pytest.raises(service.Error, match="Run it yourself"):
        service.run("sleep", "5")
