"""All that a daemon tells of its sessions, in a form in which two daemons can be compared."""

from __future__ import annotations

import os
from typing import Any

from tests.helpers import Client, RpcError, wait_until

CHANGED = {"revision", "sourceGone", "fresh"}
"""What is not the same when logs are gone."""


def told(client: Client, files: list[str], every: int = 1) -> dict[str, Any]:
    """Every answer about every session, with every entry in full, or one of so many; and who wrote these files."""
    found: dict[str, Any] = {}
    everything = {"limit": 500, "includeSubagents": True, "includeEmpty": True, "includeHidden": True}
    listed = client.request("sessions/list", everything)
    found["list"] = sorted(listed["items"], key=lambda row: row["id"])
    for row in listed["items"]:
        id = row["id"]
        for method in ("get", "files", "thread", "tools", "branches"):
            found[f"{id} {method}"] = _request(client, f"sessions/{method}", {"id": id})
        pages = _transcript(client, id)
        found[f"{id} transcript"] = pages
        for entry in [entry for page in pages for entry in page["items"]][::every]:
            payload = _request(client, "sessions/entry", {"id": id, "entry": entry["id"]})
            found[f"{id} {entry['id']}"] = payload
            for blob in payload.get("blobs", ()):
                found[f"{id} {blob['id']}"] = _request(client, "sessions/blob", {"id": id, "blob": blob["id"]})
    for path in files:
        found[f"blame {path}"] = _request(client, "files/blame", {"path": path})
    found["usage"] = client.request(
        "analytics/breakdown", {"by": "model", "since": "2020-01-01", "metrics": ["tokens", "cost"]}
    )
    return {name: _same(answer) for name, answer in found.items()}


def _request(client: Client, method: str, params: dict[str, Any]) -> Any:
    try:
        return client.request(method, params)
    except RpcError as error:
        return {"error": str(error)}


def _transcript(client: Client, id: str) -> list[Any]:
    pages, start = [], 0
    while True:
        page = client.request("sessions/transcript", {"id": id, "start": start, "limit": 200})
        pages.append(page)
        if page["next"] is None:
            return pages
        start = page["next"]


def _same(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {name: _same(value) for name, value in answer.items() if name not in CHANGED}
    return [_same(value) for value in answer] if isinstance(answer, list) else answer


def indexed(client: Client) -> None:
    """Wait until all logs were read."""
    wait_until(lambda: client.request("cache/status")["indexing"]["complete"] or None, "the first index")


def gone(client: Client, paths: list[str]) -> None:
    """Wait until the daemon knows that these logs are gone."""
    count = sum(not os.path.exists(path) for path in paths)
    wait_until(lambda: client.request("cache/status")["filesGone"] == count or None, "the deletion of logs")
