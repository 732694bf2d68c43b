"""The demo's projects with a program that an agent wrote just now, and VS Code looking at them."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ccdash.demo import PRESETS, generate_preset
from tests.editors.vscode.code_server import CodeServer, extension
from tests.helpers import Closed, Daemon, wait_until
from tests.store.edited import Clock, Session

GAUGE = """\
from dataclasses import dataclass

MM_PER_TIP = 0.2


@dataclass
class Gauge:
    tips: int = 0

    def tip(self) -> None:
        self.tips += 1

    def rain(self) -> float:
        return self.tips * MM_PER_TIP
"""
REPAIR = ("self.tips * MM_PER_TIP", "round(self.tips * MM_PER_TIP, 1)")
PROMPT = "Count the tips of the rain gauge."
SECOND_PROMPT = "Round the rain to tenths."
SAID = "A <b>word</b> <img src=x onerror=alert(1)> more"
"""Added while its session is looked at."""
TASK = "Ignore tips within 80 ms of the last o"
LONG = 10_000
LONG_PROMPT = "Count to ten thousand."


class Recent(Clock):
    """A clock that reaches the present with the first sessions."""

    def __init__(self) -> None:
        super().__init__(seed=7)
        self._now = datetime.now(UTC) - timedelta(minutes=3)


class Demo:
    """A home with the demo's projects, and the daemon that knows of them."""

    def __init__(self, folder: Path) -> None:
        self.daemon = Daemon(folder)
        home = self.daemon.home
        generate_preset(home, PRESETS["demo"], seed=1, now=int(time.time() * 1000), work=home / "work")
        self.folder = home / "work/weather-station"
        self.file = self.folder / "firmware/gauge.py"
        self.plan = self.folder / ".claude/progress/rain-gauge/phase-2-progress.md"
        logs = home / ".claude/projects"
        clock = Recent()
        self.live = Session(clock, str(self.folder))
        self.live.prompt(PROMPT)
        self.live.write(str(self.file), GAUGE, None)
        self.live.prompt(SECOND_PROMPT)
        self.live.edit(str(self.file), *REPAIR, GAUGE)
        self.live.say("The rain is rounded:\n\n```python\nreturn round(self.tips * MM_PER_TIP, 1)\n```\n\nShall I go on?")
        self.log = self.live.save(logs)
        self.file.parent.mkdir(exist_ok=True)
        self.file.write_text("# Rain, by hand.\n" + GAUGE.replace(*REPAIR))
        # Long ago, so that it is none of the live ones.
        long = Session(Clock(), str(self.folder))
        long.prompt(LONG_PROMPT)
        for number in range(1, LONG):
            long.say(f"Number {number}." + "\nMore of it." * (number % 7))
        long.save(logs)

    def more(self) -> str:
        """What the live session writes next."""
        self.live.records.clear()
        self.live.say(SAID)
        return self.live.data().decode()

    def start(self) -> None:
        """Start the daemon, and wait until it knows all."""
        self.daemon.start()
        with self.daemon.client() as client:
            wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index", 55)
            wait_until(lambda: client.request("cache/status")["textIndex"]["complete"], "the index of texts", 55)

    def stop(self) -> None:
        """Stop the daemon, also one that the editor started."""
        with suppress(OSError, Closed), self.daemon.client() as client:
            client.request("ccdash/shutdown")
        wait_until(lambda: not self.daemon.paths.socket.exists(), "the end of the daemon")
        self.daemon.close()

    @property
    def environ(self) -> dict[str, str]:
        """As after an installation: the command is on the path."""
        return {
            **self.daemon.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            # The server takes this environment as it is, not that of a login shell.
            "VSCODE_CLI": "1",
            "LC_ALL": "C.UTF-8",
        }


@pytest.fixture(scope="module")
def short() -> Iterator[Path]:
    """A folder with a short path, for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="cc", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def demo(short: Path) -> Iterator[Demo]:
    """The demo's projects."""
    demo = Demo(short)
    try:
        demo.start()
        yield demo
    finally:
        demo.stop()


@pytest.fixture(scope="module")
def vsix() -> Path:
    """The extension as it is given to users."""
    return extension()


@pytest.fixture(scope="module")
def code_server(short: Path, vsix: Path, demo: Demo) -> Iterator[CodeServer]:
    """VS Code with the extension."""
    server = CodeServer(short, demo.environ)
    server.install(vsix)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def tour(code_server: CodeServer, demo: Demo) -> dict[str, Any]:
    """What a tour through all of the extension saw, by step."""
    return code_server.drive(
        "tour.mjs",
        folder=str(demo.folder),
        file=str(demo.file),
        prompt=PROMPT,
        second=SECOND_PROMPT,
        daemon={"pid": demo.daemon.process.pid},
        line="def rain",
        live={"title": PROMPT, "log": str(demo.log), "more": demo.more(), "said": SAID},
        search={"query": "onerror", "hit": "onerror", "plan": f'in:title "{TASK[:24]}"'},
        long={"title": LONG_PROMPT, "last": f"Number {LONG - 1}."},
        plan={
            "path": str(demo.plan),
            "feature": "Rain gauge in the station firmware",
            "phase": "Phase 2: Hold-off against shakes",
            "task": TASK,
            "status": "blocked",
        },
    )
