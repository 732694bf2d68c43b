"""Service managers that can own the daemon: systemd's user manager, and launchd on macOS.

Their units are templates in the folder ``systemd`` of the sources, installed as ``ccdash/units``: ``@CCDASHD@`` stands for
the daemon's program, ``@LOG@`` for its log file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from xml.sax.saxutils import escape

from ccdash.errors import Error

RUN_LIMIT = 30.0
"""Seconds that the service manager may take for one command."""


class Manager(ABC):
    """A service manager, the units it gets from us, and where they go."""

    names: tuple[str, ...]
    folder: Path
    enable: Sequence[Sequence[str]]
    """Commands that start the service, now and at every login."""
    disable: Sequence[Sequence[str]]

    def files(self) -> list[Path]:
        """Where the units are, or would be."""
        return [self.folder / name for name in self.names]

    def install(self, log: Path) -> list[Path]:
        """Write the units, and return where. Raises `Error`, OSError."""
        program = self.quoted(_program())
        for folder in (self.folder, log.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, path in zip(self.names, self.files(), strict=True):
            text = template(name).replace("@CCDASHD@", program).replace("@LOG@", self.quoted(str(log)))
            fresh = path.with_name(f".{name}.new")
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(path)
        return self.files()

    def uninstall(self) -> list[Path]:
        """Remove the units; returns those that were there."""
        there = [path for path in self.files() if path.exists()]
        for path in there:
            path.unlink()
        return there

    @abstractmethod
    def quoted(self, text: str) -> str:
        """A path as the unit's syntax wants it."""

    @abstractmethod
    def usable(self) -> bool:
        """Whether a manager of this user runs and takes commands."""

    @abstractmethod
    def states(self) -> dict[str, str]:
        """What the manager says of each unit."""


class Systemd(Manager):
    """systemd's user manager (systemd.unit(5))."""

    names = ("ccdashd.socket", "ccdashd.service")
    enable = (("systemctl", "--user", "daemon-reload"), ("systemctl", "--user", "enable", "--now", "ccdashd.socket"))
    disable = (("systemctl", "--user", "disable", "--now", "ccdashd.socket", "ccdashd.service"),)

    def __init__(self) -> None:
        base = os.environ.get("XDG_CONFIG_HOME", "")
        self.folder = (Path(base) if os.path.isabs(base) else Path.home() / ".config") / "systemd" / "user"

    def quoted(self, text: str) -> str:
        """`%` starts a specifier; quotes keep spaces together (systemd.service(5), Command lines)."""
        safe = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
        return f'"{safe}"' if safe != text or " " in text else text

    def usable(self) -> bool:
        """Whether ``systemctl --user`` reaches a manager; in a container or under su there is none."""
        return shutil.which("systemctl") is not None and run("systemctl", "--user", "show-environment").returncode == 0

    def states(self) -> dict[str, str]:
        """``enabled, active`` and the like."""
        return {
            name: ", ".join(
                run("systemctl", "--user", word, name).stdout.strip() or "unknown" for word in ("is-enabled", "is-active")
            )
            for name in self.names
        }


class Launchd(Manager):
    """launchd's domain of the logged-in user (launchctl(1), launchd.plist(5))."""

    names = ("io.ccdash.ccdashd.plist",)

    def __init__(self) -> None:
        self.folder = Path.home() / "Library" / "LaunchAgents"
        domain = f"gui/{os.getuid()}"
        self._target = f"{domain}/{self.names[0].removesuffix('.plist')}"
        self.enable = (("launchctl", "bootstrap", domain, str(self.files()[0])),)
        self.disable = (("launchctl", "bootout", self._target),)

    def quoted(self, text: str) -> str:
        """Escaped for XML."""
        return escape(text)

    def usable(self) -> bool:
        """Whether launchctl is there."""
        return shutil.which("launchctl") is not None

    def states(self) -> dict[str, str]:
        """``loaded`` or ``not loaded``."""
        return {self.names[0]: "loaded" if run("launchctl", "print", self._target).returncode == 0 else "not loaded"}


def here() -> Manager:
    """The manager of this platform."""
    return Launchd() if sys.platform == "darwin" else Systemd()


def template(name: str) -> str:
    """The text of a unit, as it is in the package or, in a checkout, in the folder ``systemd``."""
    packaged = resources.files("ccdash") / "units" / name
    if packaged.is_file():
        return packaged.read_text(encoding="utf-8")
    source = Path(__file__).resolve().parents[2] / "systemd" / name
    try:
        return source.read_text(encoding="utf-8")
    except OSError as error:
        raise Error(f"The unit {name} is missing in this installation. Install ccdash again.") from error


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the service manager. Raises `Error` when it hangs."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=RUN_LIMIT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Error(f"`{' '.join(command)}` failed: {error}. Run it yourself to see why.") from error


def _program() -> str:
    beside = Path(sys.executable).with_name("ccdashd")
    found = str(beside) if beside.is_file() else shutil.which("ccdashd")
    if found is None:
        raise Error("The program ccdashd is not installed beside this `ccdash`. Install ccdash again.")
    return os.path.abspath(found)
