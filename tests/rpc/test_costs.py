"""``analytics/*`` of money at hand over a socket: answers of real logs, and clear refusals."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers import Client, RpcError
from tests.rpc.test_analytics import CWD, client
from tests.sources.logs import OTHER, SESSION

__all__ = ["client"]

CASES: list[tuple[str, dict[str, Any], int, str | None]] = [
    ("sessionCost", {"id": "nobody"}, -32001, None),
    ("sessionCost", {}, -32602, "id"),
    ("tools", {"model": "claude"}, -32602, "model"),
    ("tools", {"since": "soon"}, -32602, "since"),
    ("tools", {"limit": 0}, -32602, "limit"),
    ("windows", {"kind": "day"}, -32602, "kind"),
    ("windows", {"limit": 501}, -32602, "limit"),
    ("windows", {"since": "today", "until": "yesterday"}, -32602, "until"),
    ("windows", {"timeZone": "Mars/Olympus"}, -32602, "timeZone"),
    ("overview", {"feature": "nothing"}, -32001, None),
    ("overview", {"model": "nothing"}, -32602, "model"),
    ("overview", {"until": "0000-00-00"}, -32602, "until"),
    ("statusline", {"cwd": "here"}, -32602, "cwd"),
    ("statusline", {"timeZone": "Mars/Olympus"}, -32602, "timeZone"),
]
"""Methods with parameters that are refused, the error's code, and the field that it names."""


def test_the_bill_of_a_session_with_its_subagent(client: Client) -> None:
    found = client.request("analytics/sessionCost", {"id": SESSION[:8]})
    assert (found["id"], found["cost"]["usd"], found["own"]["usd"], found["messages"]) == (SESSION, 15.0, 10.0, 3)
    assert found["lines"] == [
        {"model": "claude-opus-4-5", "kind": "input", "amount": 3_000_000, "usd": 15.0, "prices": [5.0]}
    ]
    assert [(row["key"], row["values"]["cost"]) for row in found["bySubagentType"]] == [("unknown", 5.0)]
    fork = client.request("analytics/sessionCost", {"id": OTHER, "withSubagents": False})
    assert [(line["model"], line["usd"]) for line in fork["lines"]] == [("mine", None)]


def test_tools_count_what_a_fork_copies_once(client: Client) -> None:
    found = client.request("analytics/tools")
    assert {tool["name"]: (tool["calls"], tool["errors"]) for tool in found["items"]} == {"Edit": (2, 0), "Bash": (1, 1)}
    assert (found["total"]["calls"], found["total"]["seconds"], found["total"]["median"]) == (3, 3.0, 1.0)
    assert found["period"] == {"start": None, "end": None}
    assert client.request("analytics/tools", {"since": "2026-02-01", "until": "2026-03-01"})["items"] == []


def test_windows_and_weeks(client: Client) -> None:
    later, earlier = client.request("analytics/windows")["items"]
    assert (earlier["start"], earlier["values"]["messages"], earlier["sessions"]) == ("2026-01-02T03:00:00.000Z", 3, 2)
    assert (later["start"], later["cost"]["usd"], later["burn"]) == ("2026-01-04T12:00:00.000Z", 5.0, None)
    (week,) = client.request("analytics/windows", {"kind": "week"})["items"]
    assert (week["start"], week["values"]["messages"]) == ("2025-12-28T23:00:00.000Z", 4)


def test_the_overview(client: Client) -> None:
    found = client.request("analytics/overview")
    assert (found["timeZone"], found["total"]["cost"]["usd"], found["unpricedModels"]) == ("Europe/Berlin", 15.0, ["mine"])
    assert [row["label"] for row in found["projects"]] == ["app"]
    assert [item["session"]["id"] for item in found["top"]] == [SESSION, OTHER]
    assert len(found["daily"]) == 30
    assert found["undated"] is found["window"] is None


def test_the_status_line(client: Client) -> None:
    found = client.request("analytics/statusline", {"session": SESSION, "cwd": CWD})
    assert (found["project"], found["session"], found["model"]) == ("app", SESSION, "claude-opus-4-5")
    assert (found["contextTokens"], found["contextLimit"], found["sessionCost"]["usd"]) == (1_000_000, 1_000_000, 15.0)
    assert client.request("analytics/statusline", {"cwd": f"{CWD}/src"})["project"] == "app"


def test_what_cannot_be_told_is_said(client: Client) -> None:
    for method, params, code, field in CASES:
        with pytest.raises(RpcError) as caught:
            client.request(f"analytics/{method}", params)
        assert (caught.value.code, caught.value.data.get("field")) == (code, field), (method, params)
