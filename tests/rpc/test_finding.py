"""How sessions are found: by words, by the start of an id, and by what the doctor says of those that lists leave out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Client, RpcError
from tests.rpc.conftest import Served

FOLDER = ".claude/projects/-work-shop"
TILL, STOCK = "5f3c1d9e-0000-4000-8000-000000000001", "5f3c1d9e-0000-4000-8000-000000000002"
SILENT = "77777777-0000-4000-8000-000000000003"


def log(session: str, *prompts: str) -> str:
    """A log with these prompts; without any, one in which nobody says anything."""
    base = {"sessionId": session, "cwd": "/work/shop", "timestamp": "2026-02-03T04:05:06.000Z", "parentUuid": None}
    records: list[dict[str, Any]] = [
        {**base, "uuid": f"{session[:-3]}{number:03}", "type": "user", "message": {"role": "user", "content": prompt}}
        for number, prompt in enumerate(prompts)
    ]
    records = records or [{**base, "uuid": session, "type": "system", "subtype": "local_command", "content": "hello"}]
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.fixture
def client(short_folder: Path, serve: Callable[..., Served]) -> Iterator[Client]:
    """A client of a daemon that knows three sessions, one of them empty."""
    folder = short_folder / FOLDER
    folder.mkdir(parents=True)
    for session, prompts in ((TILL, ["Fix the till, it eats coins"]), (STOCK, ["Count the stock"]), (SILENT, [])):
        (folder / f"{session}.jsonl").write_text(log(session, *prompts))
    with serve().client() as client:
        yield client


@pytest.mark.parametrize(
    ("text", "found"),
    [("till", [TILL]), ("COINS fix", [TILL]), ("the", [STOCK, TILL]), ("till stock", []), ("  ", [STOCK, TILL])],
)
def test_every_word_is_looked_for(client: Client, text: str, found: list[str]) -> None:
    page = client.request("sessions/list", {"text": text})
    assert sorted(row["id"] for row in page["items"]) == sorted(found)


def test_the_start_of_an_id_is_enough_unless_several_begin_so(client: Client) -> None:
    assert client.request("sessions/get", {"id": "77"})["id"] == SILENT
    with pytest.raises(RpcError, match="several ids begin so") as caught:
        client.request("sessions/get", {"id": "5f3c"})
    assert TILL in str(caught.value) and STOCK in str(caught.value)
    assert sorted(caught.value.data["candidates"]) == sorted([TILL, STOCK])


def test_the_doctor_says_how_to_see_what_lists_leave_out(client: Client) -> None:
    (project,) = client.request("projects/list")["items"]
    client.request("projects/update", {"id": project["id"], "hidden": True})
    report = client.request("ccdash/doctor")
    hints = {finding["code"]: finding["hint"] for finding in report["diagnostics"]}
    assert report["byCode"] == {"empty-session": 1, "hidden-project": 3}
    assert report["hiddenSessions"] == 3
    assert hints == {
        "empty-session": "ccdash sessions --empty lists it as well",
        "hidden-project": f"ccdash projects unhide {project['id']}",
    }
