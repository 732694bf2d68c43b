"""Every damage is really in its file, and its truth is that of the whole records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ccdash.demo import SessionTruth, Summary, generate
from ccdash.demo.faults import DAMAGES

WHOLE = 3
"""Prompts of an undamaged session of this kind."""


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, SessionTruth]]:
    home = tmp_path_factory.mktemp("home")
    summary = generate(home, sessions=1, bytes_target=20_000, seed=2, faults=True)
    return home, {truth.fault: truth for truth in summary.sessions.values() if truth.fault}


def _rejected(data: bytes) -> int:
    """Lines that a strict reader cannot use: not UTF-8, not JSON, or no object."""
    count = 0
    for line in data.split(b"\n")[: -1 if data.endswith(b"\n") else None]:
        try:
            count += not isinstance(json.loads(line.decode()), dict)
        except ValueError:
            count += 1
    return count


REJECTED = {
    "glued": 1,
    "two_on_a_line": 1,
    "torn_then_whole": 1,
    "torn_tail": 1,
    "byte_order_mark": 1,
    "bad_utf8": 1,
    "nul_run": 1,
    "comment_lines": 2,
    "blank_lines": 4,
    "empty_file": 1,
    "not_objects": 5,
}


@pytest.mark.parametrize("fault", [damage.__name__ for damage in DAMAGES])
def test_damage_is_there(damaged: tuple[Path, dict[str, SessionTruth]], fault: str) -> None:
    home, truths = damaged
    assert _rejected((home / truths[fault].path).read_bytes()) == REJECTED.get(fault, 0)


def test_careful_reader_loses_nothing(damaged: tuple[Path, dict[str, SessionTruth]]) -> None:
    _, truths = damaged
    assert truths.keys() == {damage.__name__ for damage in DAMAGES}
    for fault, truth in truths.items():
        prompts = 0 if fault == "empty_file" else WHOLE
        assert (truth.prompts, bool(truth.assistant_messages)) == (prompts, bool(prompts)), fault
        assert fault == "empty_file" or truth.title == f"What is wrong with this log: {fault.replace('_', ' ')}?"


def test_special_bytes(damaged: tuple[Path, dict[str, SessionTruth]]) -> None:
    home, truths = damaged
    data = {fault: (home / truth.path).read_bytes() for fault, truth in truths.items()}
    assert data["byte_order_mark"].startswith(b"\xef\xbb\xbf{")
    assert data["crlf"].count(b"\r\n") == data["crlf"].count(b"\n") == truths["crlf"].records
    assert b"\0" * 4096 in data["nul_run"]
    assert rb'"\ud83d \udc4d\ud83d ' in data["lone_surrogates"]
    assert max(map(len, data["huge_line"].split(b"\n"))) > 20_000_000
    assert not data["no_final_newline"].endswith(b"\n")
    assert data["empty_file"] == b""


def test_doubled_tail_counts_once(damaged: tuple[Path, dict[str, SessionTruth]]) -> None:
    home, truths = damaged
    truth = truths["doubled_tail"]
    lines = (home / truth.path).read_bytes().splitlines()
    assert len(lines) == truth.records == len(set(lines)) + 8
    calls = [block for line in set(lines) for block in _blocks(json.loads(line)) if block["type"] == "tool_use"]
    assert len(calls) == truth.tool_calls


def test_reversed_records_keep_their_last_usage(damaged: tuple[Path, dict[str, SessionTruth]]) -> None:
    home, truths = damaged
    truth = truths["reversed_records"]
    output: dict[str, int] = {}
    for line in (home / truth.path).read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        if record["type"] == "assistant":
            message = record["message"]
            output[message["id"]] = max(output.get(message["id"], 0), message["usage"]["output_tokens"])
    assert sum(output.values()) == truth.tokens["output"]


def test_faults_do_not_change_the_rest(tmp_path: Path) -> None:
    plain = generate(tmp_path / "a", sessions=2, bytes_target=40_000, seed=5)
    more: Summary = generate(tmp_path / "b", sessions=2, bytes_target=40_000, seed=5, faults=True)
    assert more.sessions.keys() > plain.sessions.keys()
    for truth in plain.sessions.values():
        assert (tmp_path / "a" / truth.path).read_bytes() == (tmp_path / "b" / truth.path).read_bytes()


def _blocks(record: dict[str, object]) -> list[dict[str, str]]:
    message = record.get("message")
    content = message["content"] if isinstance(message, dict) else []
    return content if isinstance(content, list) else []
