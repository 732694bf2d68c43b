"""Alerts of a daemon of its own, from the log of an agent to a client, a terminal and the user's command."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.analytics.alert_world import DOLLAR, stamp
from tests.helpers import Daemon, wait_until

HOOK = """#!{python} -S
import os, sys
with open({out!r}, "a") as file:
    file.write(sys.stdin.read())
"""


@pytest.fixture
def spender(idle_daemon: Daemon) -> Daemon:
    """A daemon, not started, that knows what the model costs and runs a command for alerts, which notes them."""
    hook = idle_daemon.folder / "hook"
    hook.write_text(HOOK.format(python=sys.executable, out=str(idle_daemon.folder / "noted")))
    hook.chmod(0o755)
    config = idle_daemon.paths.config_file
    config.parent.mkdir(parents=True)
    config.write_text(f"alert_command = ['{hook}']\n\n[prices.m]\ninput = 0.0\noutput = 5.0\n")
    return idle_daemon


def spend(daemon: Daemon, session: str, usd: float) -> None:
    """Append a message to the log of a session, that costs so much."""
    path = daemon.home / ".claude/projects/-work" / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    number = len(path.read_text().splitlines()) if path.exists() else 0
    usage = {"input_tokens": 0, "output_tokens": round(usd * DOLLAR)}
    message = {"id": f"{session}-{number}", "role": "assistant", "model": "m", "content": [], "usage": usage}
    record = {"type": "assistant", "uuid": f"{session}-{number}", "sessionId": session, "cwd": "/work", "message": message}
    with path.open("a") as file:
        file.write(json.dumps({**record, "requestId": f"r{number}", "timestamp": stamp(round(time.time() * 1000))}) + "\n")


def noted(folder: Path) -> list[dict[str, Any]]:
    """What the user's command got."""
    path = folder / "noted"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_from_a_log_to_everybody_once(spender: Daemon) -> None:
    spend(spender, "old", 1)
    spender.start()
    watch = [sys.executable, "-m", "ccdash", "alerts", "watch", "--json"]
    environ = {**spender.environ, "CCDASH_NO_SPAWN": "1"}
    with (
        spender.client() as client,
        subprocess.Popen(watch, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as watcher,
    ):
        try:
            client.request("ccdash/subscribe", {"topics": ["alerts"]})
            client.request("alerts/update", {"id": "session-cost", "command": True})
            wait_until(lambda: client.request("ccdash/status")["clients"] >= 2, "the watcher")
            spend(spender, "old", 5)
            told = client.notification("alerts/fired")
            assert watcher.stdout is not None
            assert json.loads(watcher.stdout.readline()) == told
        finally:
            watcher.terminate()
    alert = told["alert"]
    assert (alert["rule"], alert["value"], alert["subject"]) == ("session-cost", 6.0, {"type": "session", "id": "old"})
    wait_until(lambda: noted(spender.folder) == [alert], "the user's command")
    spender.kill()
    spender.start()
    with spender.client() as client:
        client.request("ccdash/subscribe", {"topics": ["alerts"]})
        assert client.request("alerts/list")["firing"] == [alert]
        spend(spender, "old", 3)
        spend(spender, "new", 7)
        assert client.notification("alerts/fired")["alert"]["subject"]["id"] == "new"
        assert client.request("alerts/history")["total"] == 2
        wait_until(lambda: len(noted(spender.folder)) == 2, "the user's command")
        assert client.request("ccdash/status")["problems"] == []
