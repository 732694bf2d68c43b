"""Changes of files as Claude Code records them."""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ccdashd.derive.blame import replayed
from ccdashd.sources.claude_code import ClaudeCodeReader
from ccdashd.sources.claude_edits import recorded
from ccdashd.sources.edits import Edit, Replacement
from ccdashd.sources.log import Log
from tests.sources.logs import Writer, call, line


def change(name: str, given: dict[str, Any], answer: Any = None) -> Edit | None:
    w = Writer()
    record = w.assistant(call("c1", name, **given))
    result = w.result("c1", **({} if answer is None else {"toolUseResult": answer}))
    return recorded(line(record), "c1", whole(line(result)))


def whole(record: bytes) -> Callable[[int | None], bytes]:
    return lambda size: record[:size]


def test_an_edit_as_it_was_called() -> None:
    found = change("Edit", {"file_path": "/a", "old_string": "x\r\n", "new_string": "y\n", "replace_all": True})
    assert found is not None
    assert found.replacements == (Replacement("x\n", "y\n", True),)
    assert found.before() is None


def test_the_answer_says_what_was_carried_out() -> None:
    answer = {"oldString": "x", "newString": "z", "replaceAll": False, "originalFile": "x\r\n", "userModified": True}
    found = change("Edit", {"file_path": "/a", "old_string": "x", "new_string": "y"}, answer)
    assert found is not None
    assert found.replacements == (Replacement("x", "z", False),)
    assert found.before() == "x\n"


def test_an_answer_that_repeats_the_call_is_not_read_to_its_end() -> None:
    asked: list[int | None] = []
    w = Writer()
    record = line(w.assistant(call("c1", "Edit", file_path="/a", old_string='x "1"\n', new_string="y")))
    answer = {"filePath": "/a", "oldString": 'x "1"\n', "newString": "y", "originalFile": 'x "1"\n' + "é" * 40_000}
    result = line(w.result("c1", toolUseResult=answer))

    def given(size: int | None) -> bytes:
        asked.append(size)
        return result[:size]

    found = recorded(record, "c1", given)
    assert found is not None
    assert found.replacements == (Replacement('x "1"\n', "y"),)
    assert None not in asked
    assert found.before() == answer["originalFile"]
    assert None in asked


def test_several_edits_in_one_call() -> None:
    pieces = [{"old_string": "a", "new_string": "b"}, {"old_string": "c", "new_string": "d", "replace_all": True}]
    found = change("MultiEdit", {"file_path": "/a", "edits": pieces}, {"originalFileContents": "ac"})
    assert found is not None
    assert found.replacements == (Replacement("a", "b"), Replacement("c", "d", True))
    assert found.before() == "ac"
    assert change("MultiEdit", {"file_path": "/a", "edits": []}) is None


def test_a_file_that_is_made_was_empty() -> None:
    made = change(
        "Write", {"file_path": "/a", "content": "a\n"}, {"type": "create", "content": "a\n", "originalFile": None}
    )
    assert made is not None
    assert (made.content, made.before()) == ("a\n", "")
    edited = change("Edit", {"file_path": "/a", "old_string": "", "new_string": "a\n"})
    assert edited is not None
    assert (edited.content, edited.before()) == ("a\n", "")


def test_a_file_written_anew() -> None:
    found = change("Write", {"file_path": "/a", "content": "b\n"}, {"type": "update", "originalFile": "a\n"})
    assert found is not None
    assert (found.content, found.before()) == ("b\n", "a\n")


def test_cells_of_notebooks() -> None:
    found = change("NotebookEdit", {"notebook_path": "/a.ipynb", "new_source": 'x = 1\nprint("é")', "edit_mode": "insert"})
    assert found is not None
    assert found.replacements == (Replacement("", '"x = 1\\n",\n"print(\\"é\\")"'),)
    whole = change("NotebookEdit", {"new_source": "x"}, {"original_file": "{}", "updated_file": "{1}"})
    assert whole is not None
    assert (whole.content, whole.before()) == ("{1}", "{}")
    assert change("NotebookEdit", {"notebook_path": "/a.ipynb", "new_source": "", "edit_mode": "delete"}) is None


@pytest.mark.parametrize("answer", ["Error: no such file", ["x"], 3, {"originalFile": 4}, {"edits": "x"}])
def test_odd_answers_leave_what_was_called(answer: Any) -> None:
    found = change("Edit", {"file_path": "/a", "old_string": "x", "new_string": "y"}, answer)
    assert found is not None
    assert found.replacements == (Replacement("x", "y"),)
    assert found.before() is None


@pytest.mark.parametrize("record", [b"", b"{", b"[]", b"{}", b'{"message":{"content":"x"}}', b'{"message":{"content":[]}}'])
def test_records_without_a_call_tell_nothing(record: bytes) -> None:
    assert recorded(record, "c1", whole(b"")) is None


def test_other_tools_change_nothing_that_is_known() -> None:
    assert change("Bash", {"command": "echo x > a"}) is None
    assert change("Edit", {"file_path": "/a", "old_string": 3, "new_string": "y"}) is None


def test_calls_without_id_are_told_by_their_place() -> None:
    record = Writer().assistant(call("", "Read"), call("", "Write", content="a"))
    found = recorded(line(record), "@0.1", whole(b""))
    assert found is not None
    assert found.content == "a"


@pytest.mark.corpus
@pytest.mark.skipif("CCDASH_CORPUS" not in os.environ, reason="CCDASH_CORPUS names no folder of real logs")
def test_replay_gives_the_file_that_the_next_record_shows() -> None:
    """Where it does not, somebody else changed the file between two records: seldom."""
    equal = other = 0
    for path in sorted(Path(os.environ["CCDASH_CORPUS"], "sessions").rglob("*.jsonl")):
        for edits in _edits(path.read_bytes()).values():
            for n in range(1, len(edits)):
                known, shown = replayed(edits[:n]), edits[n].before()
                if known is not None and shown is not None:
                    equal += known == shown
                    other += known != shown
    assert equal > 100
    assert other < equal / 20


def _edits(data: bytes) -> dict[str, list[Edit]]:
    log = Log()
    reader = ClaudeCodeReader(log)
    reader.feed(data, 0)
    found: dict[str, list[Edit]] = defaultdict(list)
    for update in log.file_updates.values():
        made = log.tool_calls[update.tool_use_id]
        if update.path is None or update.action == "read" or made.status != "success" or made.call_offset is None:
            continue
        records = [
            data[offset : offset + length]
            for offset, length in ((made.call_offset, made.call_length), (made.result_offset, made.result_length))
            if offset is not None and length is not None
        ]
        edit = recorded(records[0], update.tool_use_id, whole(records[1]))
        if edit is not None:
            found[update.path].append(edit)
    return found


def test_a_call_and_its_id_are_found_among_several() -> None:
    record = Writer().assistant(call("c0", "Write", content="a"), call("c1", "Write", content="b"))
    found = recorded(json.dumps(record).encode(), "c1", whole(b""))
    assert found is not None
    assert found.content == "b"
