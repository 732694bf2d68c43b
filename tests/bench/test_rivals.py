"""The comparison with other tools: their rules are applied to the truth, and what is left is told."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.bench.rivals import (
    NO_MIRRORS,
    NONE_BESIDE,
    RIVALS,
    NotInstallable,
    Parts,
    Question,
    Rival,
    by_rules,
    days,
    last_days,
    run,
    unexplained,
    windows,
)
from tests.e2e.oracle import Message, read

PROGRAM = """#!/bin/sh
test "$1" != sync || { touch "$HOME/synced"; exit; }
test -e "$HOME/synced" || { echo "sync first" >&2; exit 3; }
cat "$LOGS/answer.json"
"""


@pytest.fixture
def messages(tmp_path: Path) -> list[Message]:
    """Three: of a session, of a sub-agent whose log stands beside, and one that a progress record tells of."""
    folder = tmp_path / ".claude" / "projects" / "-home-dev"
    folder.mkdir(parents=True)

    def record(id: str, at: str, output: int) -> dict[str, object]:
        usage = {"input_tokens": 1, "output_tokens": output}
        message = {"id": id, "model": "claude-opus-4-5-20251101", "usage": usage, "stop_reason": "end_turn"}
        return {"type": "assistant", "timestamp": at, "requestId": f"r{id}", "message": message}

    mirrored = {"type": "agent_progress", "message": record("m3", "2026-03-02T00:00:00Z", 7)}
    lines = [record("m1", "2026-03-01T23:59:59Z", 5), {"type": "progress", "data": mirrored}]
    (folder / "session.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (folder / "agent-a1.jsonl").write_text(json.dumps(record("m2", "2026-03-02T00:00:00Z", 6)))
    return read(folder.glob("*.jsonl")).messages


def rival(program: str) -> Rival:
    def install(folder: Path) -> list[str]:
        path = folder / "program"
        path.write_text(program)
        path.chmod(0o755)
        return [str(path)]

    def read(answer: Any) -> Parts:
        return {day: (*row[:4], Decimal(str(row[4]))) for day, row in answer.items()}

    question = Question("usage by day", ("daily",), read, days)
    return Rival("other", install, ("sync",), (question,), lambda home, folder: {"LOGS": str(home)})


def test_truth_by_day(messages: list[Message]) -> None:
    # 5 dollars a million of input, 25 of output.
    assert by_rules(days(messages)) == {
        "2026-03-01": (1, 5, 0, 0, Decimal("0.000130")),
        "2026-03-02": (2, 13, 0, 0, Decimal("0.000335")),
    }


def test_days_of_the_first_and_of_the_last_record(tmp_path: Path) -> None:
    records = [
        {
            "type": "assistant",
            "timestamp": at,
            "requestId": "r",
            "message": {"id": "m", "model": "x", "usage": {"output_tokens": output}},
        }
        for at, output in (("2026-03-01T23:59:59Z", 1), ("2026-03-02T00:00:01Z", 2))
    ]
    path = tmp_path / "session.jsonl"
    path.write_text("\n".join(map(json.dumps, records)))
    messages = read([path]).messages
    assert (list(days(messages)), list(last_days(messages))) == (["2026-03-01"], ["2026-03-02"])


def test_windows_begin_at_the_hour_after_the_last(messages: list[Message]) -> None:
    times = ("01T23:10", "01T23:20", "02T03:59", "02T04:00", "02T10:30")
    made = [replace(messages[0], time=datetime.fromisoformat(f"2026-03-{time}Z")) for time in times]
    found = {start: len(group) for start, group in windows(reversed(made)).items()}
    assert found == {"2026-03-01T23": 3, "2026-03-02T04": 1, "2026-03-02T10": 1}


def test_rules_leave_messages_out(messages: list[Message]) -> None:
    assert by_rules(days(messages), (NO_MIRRORS, NONE_BESIDE)) == {"2026-03-01": (1, 5, 0, 0, Decimal("0.000130"))}
    assert by_rules(days(messages), (NO_MIRRORS,)).keys() == {"2026-03-01", "2026-03-02"}


def test_each_message_is_rounded_or_the_sum(messages: list[Message]) -> None:
    # Half a millionth.
    one = replace(messages[0], model="claude-3-haiku-20240307", tokens=messages[0].tokens | {"input": 2, "output": 0})
    groups = {"day": [one, one]}
    assert by_rules(groups) == {"day": (4, 0, 0, 0, Decimal("0.000001"))}
    assert by_rules(groups, per_message=True) == {"day": (4, 0, 0, 0, Decimal("0.000002"))}


def test_what_no_rule_explains_is_told() -> None:
    truth = {"2026-03-01": (1, 5, 0, 0, Decimal("0.00013")), "2026-03-02": (1, 1, 1, 1, Decimal(1))}
    assert unexplained(truth, truth) == []
    assert unexplained(truth | {"2026-03-01": (1, 5, 0, 0, Decimal("0.0001300000004"))}, truth) == []
    (other,) = unexplained(truth | {"2026-03-01": (1, 5, 0, 0, Decimal("0.000131"))}, truth)
    assert other.startswith("2026-03-01: ")
    (missing,) = unexplained({"2026-03-01": truth["2026-03-01"]}, truth)
    assert missing.startswith("2026-03-02: ")


def test_a_tool_is_prepared_and_asked(tmp_path: Path) -> None:
    (tmp_path / "answer.json").write_text('{"2026-03-01": [1, 2, 3, 4, 0.5]}')
    own = tmp_path / "own"
    own.mkdir()
    prepared, (answer,) = run(rival(PROGRAM), tmp_path, own)
    assert answer.parts == {"2026-03-01": (1, 2, 3, 4, Decimal("0.5"))}
    assert prepared > 0 and answer.seconds > 0


def test_a_tool_that_fails_is_told(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    with pytest.raises(RuntimeError, match="no such log"):
        run(rival("#!/bin/sh\necho no such log >&2\nexit 1\n"), tmp_path, own)


def test_a_tool_that_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.fspath(tmp_path))
    with pytest.raises(NotInstallable, match="npm"):
        run(RIVALS[0], tmp_path, tmp_path)
