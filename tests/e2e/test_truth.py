"""What the daemon answers about whole corpora, against what is known of them without it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from ccdash.demo import SessionTruth, generate
from tests.e2e.genuine import install
from tests.helpers import Client, Daemon, wait_until

CORPUS = os.environ.get("CCDASH_CORPUS")
TOKEN_KINDS = ("input", "output", "cacheRead", "cacheWrite")


def sessions(client: Client) -> Iterator[dict[str, Any]]:
    """Every session, as `sessions/get` tells it."""
    wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index", 55)
    params = {"limit": 500, "includeSubagents": True, "includeEmpty": True, "includeHidden": True, "cursor": None}
    while True:
        page = client.request("sessions/list", params)
        for row in page["items"]:
            session = client.request("sessions/get", {"id": row["id"]})
            assert {
                name: session[name] for name in ("title", "titleSource", "model", "startedAt", "endedAt", "tokens")
            } == {name: row[name] for name in ("title", "titleSource", "model", "startedAt", "endedAt", "tokens")}
            yield session
        params["cursor"] = page.get("nextCursor")
        if params["cursor"] is None:
            return


def answered(session: dict[str, Any]) -> dict[str, Any]:
    """What `sessions/get` says of what a `SessionTruth` tells."""
    counts = session["counts"]
    return {
        "records": counts["records"],
        "prompts": counts["prompts"],
        "commands": counts["commands"],
        "bash_inputs": counts["bashInputs"],
        "interrupts": counts["interrupts"],
        "steering": counts["steering"],
        "compactions": counts["compactions"],
        "sidechain_prompts": counts["sidechainPrompts"],
        "api_errors": counts["apiErrors"],
        "assistant_messages": counts["assistantMessages"],
        "output_lower_bound_messages": session["outputLowerBoundMessages"],
        "models": session["models"],
        "tools": session["tools"],
        "tool_calls": counts["toolCalls"],
        "tool_errors": counts["toolErrors"],
        "tokens": {kind: session["tokens"][kind] for kind in TOKEN_KINDS},
        "files_edited": sorted(session["filesEdited"]),
        "files_changed": sorted(session["filesChanged"]),
        "started_at": session["startedAt"],
        "ended_at": session["endedAt"],
        "subagents": sorted(session["subagents"]),
        "parent_id": session["parentId"],
        "parent_tool_use_id": session["parentToolUseId"],
    }


def stated(truth: SessionTruth) -> dict[str, Any]:
    """The same figures, as the generator states them."""
    ids = sorted("/agent-".join(key.split("/")) for key in truth.subagents)
    return {**asdict(truth), "subagents": ids}


@pytest.mark.parametrize("seed", [1, 2])
def test_generated_logs(idle_daemon: Daemon, seed: int) -> None:
    summary = generate(idle_daemon.home, sessions=80, bytes_target=12_000_000, seed=seed, faults=True)
    truths = {truth.path: truth for truth in (*summary.sessions.values(), *summary.agents.values())}
    idle_daemon.start()
    with idle_daemon.client() as client:
        found = {session["sourceFiles"][0]: session for session in sessions(client)}
        status = client.request("cache/status")
    named = {str(path): answered(session) for path, session in found.items()}
    wanted = {str(idle_daemon.home / path): stated(truth) for path, truth in truths.items() if truth.records}
    assert named.keys() == wanted.keys()
    for path, truth in wanted.items():
        assert named[path] == {name: truth[name] for name in named[path]}, path
    assert {kind: status["tokens"][kind] for kind in TOKEN_KINDS} == {kind: summary.totals[kind] for kind in TOKEN_KINDS}
    assert status["messages"] == summary.totals["messages"]
    assert (status["sourceFiles"], status["sourceBytes"]) == (summary.files, summary.bytes)
    assert status["recordsParsed"] == summary.records
    own = {kind: sum(session["tokensOwn"][kind] for session in found.values()) for kind in TOKEN_KINDS}
    assert own == {kind: summary.totals[kind] for kind in TOKEN_KINDS}


def figures(session: dict[str, Any]) -> dict[str, Any]:
    """What `sessions/get` says of what the truth of real logs tells."""
    counts = session["counts"]
    tokens = session["tokens"]
    return {
        "records": counts["records"],
        "prompts": counts["prompts"],
        "prompts_with_commands": counts["prompts"] + counts["commands"],
        "commands": session["commands"],
        "assistant_messages": counts["assistantMessages"],
        "tool_calls": session["tools"],
        "tool_calls_total": counts["toolCalls"],
        "tool_errors": counts["toolErrors"],
        "sidechain_prompts": counts["sidechainPrompts"],
        "tokens": {
            "input": tokens["input"],
            "output": tokens["output"],
            "cache_read": tokens["cacheRead"],
            "cache_creation": tokens["cacheWrite"],
        },
        "models": session["models"],
        "files_edited": sorted(session["filesEdited"]),
        "files_edited_ok": sorted(session["filesChanged"]),
        "ts_min": session["startedAt"],
        "ts_max": session["endedAt"],
        "output_lower_bound_messages": session["outputLowerBoundMessages"],
        "cwds": session["cwds"],
        "versions": session["versions"],
        "git_branches": session["gitBranches"],
        "record_types": session["recordTypes"],
    }


@pytest.mark.corpus
@pytest.mark.skipif(not CORPUS, reason="CCDASH_CORPUS names no folder of real logs")
def test_genuine_logs(idle_daemon: Daemon) -> None:
    installed = {str(path): known for path, known in install(Path(CORPUS or ""), idle_daemon.home).items()}
    assert installed
    idle_daemon.start()
    with idle_daemon.client() as client:
        found = {path: session for session in sessions(client) for path in session["sourceFiles"]}
    wrong = [path for path in installed if path not in found]
    for path, session in found.items():
        for name, value in figures(session).items():
            readings = [installed[path][reading][name] for reading in ("strict", "lenient") if reading in installed[path]]
            expected = [sorted(reading) if name.startswith("files_") else reading for reading in readings]
            if value not in expected:
                wrong.append(f"{path}: {name} is {value!r}, expected {expected!r}")
    assert not wrong, "\n".join(wrong)
