"""VS Code for a browser with the extension in it, and what a browser saw there."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import wait_until

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
EXTENSION = ROOT / "clients/vscode"
INSTALL = 300
"""Seconds that fetching and building may take; past that, what is missing is taken as not to be had."""
DRIVE = 120
"""Seconds that one browser may take."""

NODE = "20"
"""The version of node that this code-server runs on, and on no other."""

SETTINGS = {
    "extensions.autoCheckUpdates": False,
    "git.enabled": False,
    "security.workspace.trust.enabled": False,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.welcomePage.walkthroughs.openOnInstall": False,
}


def needed(program: str, *others: str) -> str:
    """The path of a program, by the first name that it has here. Skips the test where it is not installed."""
    for name in (program, *others):
        if path := shutil.which(name):
            return path
    pytest.skip(f"there is no {program}: install the package {program}")


def node() -> str:
    """The path of node. Skips the test where it is not installed, or another version."""
    path = needed("node", "nodejs")
    needed("npm")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if version.removeprefix("v").partition(".")[0] != NODE:
        pytest.skip(f"{path} is {version}, and node {NODE} is needed")
    return path


def fetched(command: list[str], what: str) -> None:
    """Run what fetches from npm's registry. Skips the test where that cannot be reached."""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=INSTALL, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip(f"{what} could not be fetched in {INSTALL} s")
    if done.returncode:
        said = done.stderr + done.stdout
        network = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "E403", "ERR_SOCKET_TIMEOUT")
        if any(code in said for code in network):
            pytest.skip(f"{what} could not be fetched: {said.strip().splitlines()[-1]}")
        raise AssertionError(f"{' '.join(command)} failed:\n{said}")


def installed() -> Path:
    """The folder that holds code-server and playwright-core, which stay there for the next time."""
    folder = Path(os.environ.get("CCDASH_CODE_SERVER", ROOT / "build/code-server"))
    if not (folder / ".complete").exists():
        needed("g++")
    fetched([str(HERE / "install.sh"), str(folder)], "code-server")
    return folder / "node_modules"


def extension() -> Path:
    """The extension as it is given to users."""
    node()
    fetched(["make", "--silent", "vscode"], "the extension's dependencies")
    return EXTENSION / "ccdash.vsix"


class CodeServer:
    """code-server, with folders of its own below `folder`."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.node = node()
        self.modules = installed()
        self.folder = folder
        self.environ = dict(environ)
        self.data = folder / "data"
        self.port = _free_port()
        self._log = folder / "code-server.log"
        self._process: subprocess.Popen[bytes] | None = None
        entry = self.modules / "code-server/out/node/entry.js"
        folders = ["--user-data-dir", str(self.data), "--extensions-dir", str(folder / "extensions")]
        self._command = [self.node, str(entry), *folders]

    def install(self, vsix: Path) -> None:
        """Install an extension."""
        subprocess.run(
            [*self._command, "--install-extension", str(vsix)], env=self.environ, check=True, capture_output=True
        )

    def start(self, **settings: Any) -> None:
        """Start it, and wait until it answers."""
        (self.data / "User").mkdir(parents=True, exist_ok=True)
        (self.data / "User/settings.json").write_text(json.dumps(SETTINGS | settings))
        options = [
            "--auth",
            "none",
            "--bind-addr",
            f"127.0.0.1:{self.port}",
            "--disable-telemetry",
            "--disable-update-check",
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*self._command, *options, "--disable-telemetry", "--disable-update-check", "--disable-workspace-trust"],
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._answers, "code-server")

    def set_machine(self, **settings: Any) -> None:
        """Set settings of the machine, which those of folders cannot change."""
        (self.data / "Machine").mkdir(parents=True, exist_ok=True)
        (self.data / "Machine/settings.json").write_text(json.dumps(settings))

    def drive(self, script: str, **given: Any) -> dict[str, Any]:
        """Run a script with a browser; returns what it saw, by name."""
        given |= {
            "address": f"http://127.0.0.1:{self.port}/",
            "chromium": needed("chromium", "chromium-browser", "google-chrome"),
            "playwright": str(self.modules / "playwright-core/index.mjs"),
            "screenshots": os.environ.get("CCDASH_SCREENSHOTS"),
        }
        task = self.folder / "task.json"
        task.write_text(json.dumps(given))
        command = [self.node, str(HERE / script), str(task)]
        environ = self.environ | {"HOME": str(self.folder)}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=DRIVE, check=False)
        assert done.returncode == 0, f"{done.stderr}\n{self._log.read_text()}"
        seen: dict[str, Any] = json.loads(done.stdout)
        return seen

    def stop(self) -> None:
        """End it and what it started."""
        if self._process is not None:
            # It starts children that it does not outlive by long, but that a signal to itself would not reach at once.
            os.killpg(self._process.pid, 15)
            self._process.wait(20)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log.read_text()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
