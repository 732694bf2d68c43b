"""``files/blame`` on real logs, against another replay of the same records: by whole files, and with another diff."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.helpers import wait_until
from tests.rpc.blame_world import lines_of
from tests.rpc.conftest import Served

CORPUS = os.environ.get("CCDASH_CORPUS", "")

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not CORPUS, reason="CCDASH_CORPUS names no folder of real logs"),
]


class Change(NamedTuple):
    """A call that changed a file, and what its answer says."""

    id: str
    time: str
    path: str
    name: str
    given: dict[str, Any]
    answer: dict[str, Any]


def changes() -> dict[str, list[Change]]:
    """The calls that succeeded, by path, in their order."""
    calls: dict[str, tuple[str, str, dict[str, Any]]] = {}
    found: dict[str, Change] = {}
    for log in sorted(Path(CORPUS, "sessions").rglob("*.jsonl")):
        for record in records(log):
            message = record.get("message")
            blocks = message.get("content") if isinstance(message, dict) else None
            for block in blocks if isinstance(blocks, list) else ():
                if not isinstance(block, dict):
                    continue
                if block.get("type") == "tool_use" and block.get("name") in ("Write", "Edit", "MultiEdit"):
                    calls[block["id"]] = record.get("timestamp", ""), block["name"], block["input"]
                elif block.get("type") == "tool_result" and block.get("tool_use_id") in calls:
                    id, answer = block["tool_use_id"], record.get("toolUseResult")
                    if not block.get("is_error") and isinstance(answer, dict) and id not in found:
                        time, name, given = calls[id]
                        found[id] = Change(id, time, given["file_path"], name, given, answer)
    by_path: dict[str, list[Change]] = {}
    for change in sorted(found.values(), key=lambda change: change.time):
        by_path.setdefault(change.path, []).append(change)
    return by_path


def records(log: Path) -> Iterator[dict[str, Any]]:
    for line in log.read_bytes().splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record


class Replayed(NamedTuple):
    """The lines of a file at its end, who wrote each by one diff, and who may have by any: a call that wrote the line, from
    which on it always stood in the file. Where a line was replaced by itself, diffs differ."""

    lines: list[str]
    truth: list[str | None]
    possible: dict[str, set[str | None]]


def replay(path: list[Change]) -> Replayed | None:
    """The file after all changes; None where the records do not tell all of it."""
    text = "" if path[0].answer.get("type") == "create" else original(path[0])
    if text is None:
        return None
    lines = text.split("\n")
    truth: list[str | None] = [None] * len(lines)
    possible: dict[str, set[str | None]] = {line: {None} for line in lines}
    for change in path:
        shown = original(change)
        if shown is not None and shown != text:
            return None
        after = applied(text, change)
        if after is None:
            return None
        text = after.replace("\r\n", "\n")
        new = text.split("\n")
        origins: list[str | None] = [change.id] * len(new)
        for kind, a, a_end, b, b_end in SequenceMatcher(None, lines, new, autojunk=False).get_opcodes():
            if kind == "equal":
                origins[b:b_end] = truth[a:a_end]
        written, before = words(change), set(lines)
        possible = {line: possible.get(line, set()) for line in new}
        for line, calls in possible.items():
            if line not in before or line.strip() in written:
                calls.add(change.id)
        lines, truth = new, origins
    return Replayed(lines, truth, possible)


def original(change: Change) -> str | None:
    """The file before a change, where the answer tells it."""
    shown = change.answer.get("originalFile", change.answer.get("originalFileContents"))
    return shown.replace("\r\n", "\n") if isinstance(shown, str) else None


def words(change: Change) -> str:
    """All that a change wrote."""
    given, answer = change.given, change.answer
    edits = given.get("edits", [given])
    return "\n".join(
        [answer.get("newString") or "", answer.get("content") or "", given.get("content") or ""]
        + [edit.get("new_string") or "" for edit in edits]
    )


def applied(text: str, change: Change) -> str | None:
    """The text after a change; None where it does not fit."""
    given, answer = change.given, change.answer
    if change.name == "Write":
        content: str = answer.get("content", given["content"])
        return content
    edits = given["edits"] if change.name == "MultiEdit" else [given]
    for edit in edits:
        old, new = edit["old_string"], edit["new_string"]
        if change.name == "Edit":
            old, new = answer.get("oldString", old), answer.get("newString", new)
        if not old or old not in text:
            return None
        text = text.replace(old, new) if edit.get("replace_all") else text.replace(old, new, 1)
    return text


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with tempfile.TemporaryDirectory(prefix="cc", dir="/tmp") as folder:
        shutil.copytree(Path(CORPUS, "sessions"), Path(folder, ".claude", "projects"))
        served = Served(Path(folder))
        try:
            served.start()
            with served.client() as client:
                wait_until(lambda: client.request("ccdash/status")["indexing"]["complete"], "the index", 55)
            yield served
        finally:
            served.stop()


def test_every_line_of_an_agent_is_told_with_the_right_call(served: Served) -> None:
    files = lines = same = 0
    with served.client() as client:
        for path, made in changes().items():
            replayed = replay(made)
            if replayed is None:
                continue
            found = client.request("files/blame", {"path": path, "text": "\n".join(replayed.lines)})
            told = lines_of(found)
            assert found["unread"] == 0
            assert len(told) == len(replayed.lines) - (replayed.lines[-1] == "")
            files += 1
            own = {change.id for change in made}
            # What was there before may be known from another working copy of the project.
            told = [call if call in own else None for call in told]
            for line, ours, theirs in zip(replayed.lines, told, replayed.truth, strict=False):
                lines += 1
                same += ours == theirs
                assert ours in replayed.possible[line], (path, line)
    assert files > 100
    assert same > 0.995 * lines
