"""``$/progress``: begin, reports, end, to the one who asked and to nobody else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ccdashd.rpc import progress
from tests.rpc.conftest import Served

LINE = '{"type":"user","uuid":"%08d-0000-4000-8000-000000000000","message":{"content":"hello"}}\n'


@pytest.fixture
def logs(short_folder: Path) -> None:
    folder = short_folder / ".claude/projects/-p"
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"{number:08d}-0000-4000-8000-000000000000.jsonl").write_text(LINE % number)


def of_progress(notifications: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message["params"] for message in notifications if message["method"] == "$/progress"]


def test_a_rebuild_tells_how_far_it_is(logs: None, serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "AFTER", 0.0)
    monkeypatch.setattr(progress, "EVERY", 0.0)
    served = serve()
    with served.client() as other, served.client() as client:
        other.request("ccdash/status")
        assert client.request("cache/rebuild", {"workDoneToken": "mine"})["parsed"] == 40
        told = of_progress(client.notifications)
        other.request("ccdash/status")
        assert of_progress(other.notifications) == []
    assert {params["token"] for params in told} == {"mine"}
    values = [params["value"] for params in told]
    assert [value["kind"] for value in values[:1]] == ["begin"]
    assert values[0]["title"] == "cache/rebuild"
    assert [value["kind"] for value in values if value["kind"] == "end"] == ["end"]
    assert any(value["kind"] == "report" and "40 logs" in value["message"] for value in values)
    assert all(0 <= value["percentage"] <= 100 for value in values if "percentage" in value)


def test_what_is_quick_tells_nothing(logs: None, serve: Callable[..., Served]) -> None:
    with serve().client() as client:
        client.request("cache/rescan", {"workDoneToken": 7})
        client.request("ccdash/status")
        assert of_progress(client.notifications) == []


def test_without_a_token_nothing_is_told(logs: None, serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "AFTER", 0.0)
    with serve().client() as client:
        client.request("cache/rebuild")
        client.request("ccdash/status")
        assert of_progress(client.notifications) == []
