"""Real logs, against figures that were counted independently of this reader.

`CCDASH_CORPUS` names a folder with ``sessions/MANIFEST.tsv``, which lists logs, and ``sessions/truth.json``, which tells of
each log its figures by a strict reading (only plain lines) and, where it differs, by a lenient one.
"""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.sources.logs import Read

pytestmark = pytest.mark.corpus

CORPUS = os.environ.get("CCDASH_CORPUS")


def figures(log: Read) -> dict[str, Any]:
    stats = log.stats
    messages = [message for message in log.messages if not message.mirror]
    calls = log.log.tool_calls.values()
    edited = {update.path for update in log.log.file_updates.values() if update.path and update.action in ("edit", "write")}
    return {
        "records": stats.records,
        "lines": stats.lines,
        "prompts": stats.prompts,
        "commands": stats.command_names,
        "prompts_with_commands": stats.prompts + stats.commands,
        "assistant_messages": len(messages),
        "tool_calls": dict(Counter(call.name for call in calls if call.name)),
        "tool_errors": sum(call.status == "error" and call.name is not None for call in calls),
        "tokens": {
            "input": sum(message.input for message in messages),
            "output": sum(message.output for message in messages),
            "cache_read": sum(message.cache_read for message in messages),
            "cache_creation": sum(message.cache_write for message in messages),
        },
        "models": dict(Counter(message.model for message in messages)),
        "files_edited": sorted(edited),
        "ts_min": iso(stats.started_at),
        "ts_max": iso(stats.ended_at),
        "output_lower_bound_messages": sum(message.lower_bound for message in messages),
        "sidechain_prompts": stats.sidechain_prompts,
        "cwds": stats.cwds,
        "versions": stats.versions,
        "git_branches": stats.git_branches,
        "session_ids": stats.session_ids,
        "synthetic_messages": stats.synthetic,
    }


def iso(time: int | None) -> str | None:
    if time is None:
        return None
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.skipif(not CORPUS, reason="CCDASH_CORPUS names no folder of real logs")
def test_genuine_logs() -> None:
    sessions = Path(CORPUS or "") / "sessions"
    truth = json.loads((sessions / "truth.json").read_text(encoding="utf-8"))["files"]
    with (sessions / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file, delimiter="\t"))
    genuine = [row["path"] for row in listed if row["agent"].startswith("claude") and row["genuine"].startswith("genuine")]
    assert genuine
    wrong = []
    for path in genuine:
        told = truth[path]
        for name, value in figures(Read((sessions / path).read_bytes(), own_id=None)).items():
            expected = [told[reading][name] for reading in ("strict", "lenient") if reading in told]
            if name == "files_edited":
                expected = [sorted(paths) for paths in expected]
            if value not in expected:
                wrong.append(f"{path}: {name} is {value!r}, expected {expected!r}")
    assert wrong == []
