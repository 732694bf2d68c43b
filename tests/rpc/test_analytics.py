"""``analytics/*`` over a socket, of real logs: a session, its sub-agent, and a fork that holds copies."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Client, RpcError
from tests.rpc.conftest import Served
from tests.sources.logs import OTHER, SESSION, Writer, call, text

MILLION = {"input_tokens": 1_000_000, "output_tokens": 0}
AGENT = {"isSidechain": True, "agentId": "a1"}
CWD = "/home/dev/app"


CASES: list[tuple[str, dict[str, Any], int, str | None]] = [
    ("trends", {"metrics": ["costs"]}, -32602, "metrics"),
    ("trends", {"step": "year"}, -32602, "step"),
    ("trends", {"since": "0000-01-01"}, -32602, "since"),
    ("trends", {"since": "today", "until": "yesterday"}, -32602, "until"),
    ("trends", {"timeZone": "Mars/Olympus"}, -32602, "timeZone"),
    ("trends", {"step": "hour", "since": "1999-01-01"}, -32602, "step"),
    ("breakdown", {"by": "colour"}, -32602, "by"),
    ("breakdown", {"by": "tool"}, -32602, "by"),
    ("breakdown", {"by": "model", "model": "nothing"}, -32602, "model"),
    ("breakdown", {"by": "model", "project": "nowhere"}, -32001, None),
    ("heatmap", {"metric": "cacheHitShare"}, -32602, "metric"),
    ("distribution", {"bins": 0}, -32602, "bins"),
    ("top", {"metric": "tasksDone"}, -32602, "metric"),
    ("top", {"limit": 501}, -32602, "limit"),
]
"""Methods with parameters that are refused, the error's code, and the field that it names."""


def patch(path: str, *lines: str) -> dict[str, Any]:
    """The result of an edit."""
    return {"filePath": path, "structuredPatch": [{"lines": list(lines)}], "originalFile": None}


def logs() -> dict[str, list[dict[str, Any]]]:
    """By path below the folder of logs."""
    w = Writer()
    start = [
        w.user("Change it"),
        w.assistant(call("t1", "Edit", file_path=f"{CWD}/a.py"), id="m1", usage=MILLION),
        w.result("t1", toolUseResult=patch(f"{CWD}/a.py", "+one", "+two", "-three")),
        w.assistant(call("t2", "Bash", command="false"), id="m2", usage=MILLION),
        w.result("t2", "no", error=True),
    ]
    fork = [json.loads(json.dumps(record)) | {"sessionId": OTHER} for record in start]
    return {
        f"-home-dev-app/{SESSION}.jsonl": start,
        f"-home-dev-app/{SESSION}/subagents/agent-a1.jsonl": [
            w.user("Look", **AGENT),
            w.assistant(text("Done"), id="m3", usage=MILLION, timestamp="2026-01-04T12:00:00.000Z", **AGENT),
        ],
        f"-home-dev-app/{OTHER}.jsonl": [
            *fork,
            w.user("And that", sessionId=OTHER),
            w.assistant(call("t3", "Edit", file_path=f"{CWD}/b.py"), id="m4", usage=MILLION, model="mine", sessionId=OTHER),
            w.result("t3", sessionId=OTHER, toolUseResult=patch(f"{CWD}/b.py", "+four")),
        ],
    }


@pytest.fixture
def client(short_folder: Path, serve: Callable[..., Served]) -> Iterator[Client]:
    for place, records in logs().items():
        path = short_folder / ".claude/projects" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    with serve(time_zone="Europe/Berlin").client() as client:
        yield client


def rows(found: dict[str, Any], *metrics: str) -> dict[str, Any]:
    """Values by key."""
    return {row["key"]: tuple(row["values"][metric] for metric in metrics) for row in found["items"]}


def test_what_logs_tell_adds_up_whatever_it_is_told_by(client: Client) -> None:
    metrics = ["cost", "tokens", "messages", "subagentShare"]
    totals = []
    for by in ("project", "model", "agent", "branch", "session", "subagentType", "feature", "task", "day", "hour"):
        found = client.request("analytics/breakdown", {"by": by, "metrics": metrics})
        assert sum(row["values"]["tokens"] for row in found["items"]) == found["total"]["values"]["tokens"]
        totals.append(found["total"])
    assert all(total == totals[0] for total in totals)
    assert totals[0] == {
        "values": {"cost": 15.0, "tokens": 4_000_000, "messages": 4, "subagentShare": 1 / 3},
        "cost": {"usd": 15.0, "provenance": "lower_bound", "unpricedModels": ["mine"]},
    }


def test_what_a_fork_copies_counts_once(client: Client) -> None:
    found = client.request("analytics/breakdown", {"by": "session", "metrics": ["toolCalls", "toolErrors", "churn"]})
    assert rows(found, "toolCalls", "toolErrors", "churn") == {SESSION: (2, 1, 3), OTHER: (1, 0, 1)}
    files = client.request("analytics/breakdown", {"by": "file", "metrics": ["edits", "churn"]})
    assert rows(files, "edits", "churn") == {f"{CWD}/a.py": (1, 3), f"{CWD}/b.py": (1, 1)}
    assert files["total"]["values"] == {"edits": 2, "churn": 4}


def test_metrics_of_one_session_hold_its_subagents(client: Client) -> None:
    params = {"by": "model", "metrics": ["messages"]}
    assert client.request("analytics/breakdown", params | {"session": SESSION})["total"]["values"] == {"messages": 3}
    only = client.request("analytics/breakdown", params | {"subagents": "only"})
    assert rows(only, "messages") == {"claude-opus-4-5": (1,)}


def test_days_are_those_of_the_setting_or_of_what_is_asked(client: Client) -> None:
    params = {"metrics": ["messages"], "since": "2026-01-02", "until": "2026-01-04"}
    found = client.request("analytics/trends", params)
    assert found["timeZone"] == "Europe/Berlin"
    assert [(point["label"], point["values"]["messages"]) for point in found["series"][0]["points"]] == [
        ("2026-01-02", 3),
        ("2026-01-03", 0),
        ("2026-01-04", 1),
    ]
    assert found["period"] == {"start": "2026-01-01T23:00:00.000Z", "end": "2026-01-04T23:00:00.000Z"}
    elsewhere = client.request("analytics/trends", params | {"timeZone": "America/New_York", "since": "2026-01-01"})
    assert [point["values"]["messages"] for point in elsewhere["series"][0]["points"]] == [3, 0, 0, 1]


def test_heat_map_distribution_and_top(client: Client) -> None:
    heat = client.request("analytics/heatmap", {"metric": "messages"})
    assert (heat["cells"][4][4], heat["cells"][6][13], heat["total"], heat["undated"]) == (3, 1, 4, 0)
    spread = client.request("analytics/distribution", {"metric": "tokens", "bins": 1})
    assert (spread["count"], spread["minimum"], spread["median"], spread["maximum"]) == (2, 1e6, 2e6, 3e6)
    top = client.request("analytics/top", {"metric": "tokens", "limit": 1})
    assert [item["session"]["id"] for item in top["items"]] == [SESSION]


def test_the_registry_says_what_can_be_asked(client: Client) -> None:
    for metric in client.request("analytics/metrics")["items"]:
        for dimension in metric["dimensions"]:
            client.request("analytics/breakdown", {"by": dimension, "metrics": [metric["id"], *metric["aliases"]]})
        client.request("analytics/trends", {"metrics": [metric["id"]], "step": "week"})


def test_hidden_projects_are_left_out(client: Client) -> None:
    id = client.request("projects/list")["items"][0]["id"]
    client.request("projects/update", {"id": id, "hidden": True})
    params = {"by": "project", "metrics": ["messages"]}
    assert client.request("analytics/breakdown", params)["total"]["values"] == {"messages": 0}
    assert client.request("analytics/breakdown", params | {"includeHidden": True})["total"]["values"] == {"messages": 4}
    assert client.request("analytics/breakdown", params | {"project": id})["total"]["values"] == {"messages": 4}


def test_what_cannot_be_told_is_said(client: Client) -> None:
    for method, params, code, field in CASES:
        with pytest.raises(RpcError) as caught:
            client.request(f"analytics/{method}", params)
        assert (caught.value.code, caught.value.data.get("field")) == (code, field), params
