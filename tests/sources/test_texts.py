"""The whole text of every entry that the reader makes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.sources.texts import Text, text, texts
from tests.sources.logs import Read, Writer, call, line
from tests.sources.logs import text as said

CORPUS = os.environ.get("CCDASH_CORPUS")
LONG = "word " * 50_000


def entries(*records: Any) -> list[tuple[str, Text]]:
    """Kind and text of each entry of some records."""
    data = b"".join(record if isinstance(record, bytes) else line(record) for record in records)
    read = Read(data)
    found = [text(data[entry.offset : entry.offset + entry.length], entry.block) for entry in read.entries]
    return list(zip(read.kinds, found, strict=True))


def test_what_a_person_says_is_whole_and_without_what_the_host_put_there() -> None:
    w = Writer()
    reminder = "<system-reminder>not this</system-reminder>"
    assert entries(w.user(f"{LONG}{reminder}")) == [("prompt", Text(LONG.strip()))]
    parts = [said("one"), {"type": "image", "source": {"type": "base64", "data": "QUJD" * 100}}, said("two")]
    assert entries(w.user(parts)) == [("prompt", Text("one\ntwo"))]
    assert entries(w.user([parts[1]])) == [("prompt", Text(""))]
    assert entries(w.user(reminder)) == [("meta", Text(reminder))]


def test_every_block_of_an_answer_is_an_entry() -> None:
    answer = Writer().assistant(
        {"type": "thinking", "thinking": LONG},
        said("the answer"),
        call("c1", "Edit", file_path="/a/b.py", edits=[{"old_string": "x\ny", "count": 1}, {"new_string": "z"}], on=True),
        {"type": "server_tool_use", "name": "search"},
    )
    assert entries(answer) == [
        ("thinking", Text(LONG)),
        ("assistant", Text("the answer")),
        ("toolCall", Text("/a/b.py\nx\ny\nz", "/a/b.py")),
        ("unknown", Text("server_tool_use")),
    ]


def test_an_answer_may_be_a_plain_text() -> None:
    record = Writer().assistant()
    record["message"]["content"] = "as it is"
    assert entries(record) == [("assistant", Text("as it is"))]


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        ({"type": "text", "file": {"filePath": "/a.py", "content": LONG}}, "/a.py"),
        ({"filePath": "/b.py", "oldString": "x"}, "/b.py"),
        ({"notebook_path": "/c.ipynb"}, "/c.ipynb"),
        ({"stdout": "x"}, ""),
        ("Error: no", ""),
        ([{"type": "text", "text": "x"}], ""),
        (None, ""),
    ],
)
def test_the_output_of_a_tool_is_whole(answer: Any, path: str) -> None:
    w = Writer()
    assert entries(w.result("c1", LONG, toolUseResult=answer)) == [("toolResult", Text(LONG, path))]
    blocks = [said("one"), {"type": "image", "source": {"data": "QUJD"}}, said("two"), {"type": "text"}]
    assert entries(w.result("c1", blocks, toolUseResult=answer)) == [("toolResult", Text("one\ntwo", path))]


def test_what_was_typed_while_the_agent_worked() -> None:
    result = {"type": "tool_result", "tool_use_id": "c1", "content": "done"}
    found = entries(Writer().user([result, said("no, stop")]))
    assert found == [("toolResult", Text("done")), ("steering", Text("no, stop"))]


def test_records_that_nobody_said() -> None:
    w = Writer()
    assert entries(
        w.record("system", subtype="api_error"),
        w.record("system", subtype="compact_boundary", content=LONG),
        w.record("queue-operation", operation="enqueue", content="later", uuid=...),
        {"type": "summary", "summary": "All done", "leafUuid": "x"},
        w.record("attachment", attachment={"type": "queued_command", "prompt": "and this"}),
        w.record("attachment", attachment={"type": "hook", "content": "said the hook"}),
        w.record("attachment", attachment={"type": "file", "content": {"file": {"path": "/x", "lines": ["a", 1, "b"]}}}),
        w.record("hologram"),
    ) == [
        ("system", Text("api_error")),
        ("compaction", Text(LONG)),
        ("queued", Text("later")),
        ("summary", Text("All done")),
        ("steering", Text("and this")),
        ("attachment", Text("said the hook")),
        ("attachment", Text("/x\na\nb")),
        ("unknown", Text("hologram")),
    ]


def test_what_is_not_well_formed_is_read_as_the_reader_reads_it() -> None:
    w = Writer()
    bad = line(w.user("caf")).replace(b"caf", b"caf\xe9 here")
    assert entries(bad) == [("prompt", Text("caf\ufffd here"))]
    odd = w.result("c1", [said("whole"), 7], toolUseResult={"filePath": 7})
    assert entries(odd) == [("toolResult", Text("whole"))]
    lone = line(w.result("c1", "x")).replace(b'"x"', b'"a\\ud800b"')
    assert entries(lone) == [("toolResult", Text("a\ufffdb"))]
    glued = line(w.user("one")).strip() + line(w.user("two"))
    assert entries(glued) == [("prompt", Text("one")), ("prompt", Text("two"))]


def test_there_may_be_no_such_entry() -> None:
    record = line(Writer().user("hello"))
    assert texts(b"no record", [0, 1]) == [Text(""), Text("")]
    assert text(record[:40], 0) == Text("")
    assert text(b"[1]", 0) == Text("")
    assert text(b'{"type":"user"}', 3) == Text("")


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode), st.integers(0, 3))
def test_nothing_breaks_it(data: bytes, block: int) -> None:
    assert isinstance(text(data, block), Text)
    assert isinstance(
        text(b'{"type":"user","message":{"content":[{"type":"tool_result","content":%s}]}}' % data, block), Text
    )


@pytest.mark.corpus
@pytest.mark.skipif(CORPUS is None, reason="CCDASH_CORPUS names no folder of real logs")
def test_texts_of_real_logs_begin_as_their_transcripts_do() -> None:
    assert CORPUS is not None
    seen = 0
    for path in Path(CORPUS, "sessions").rglob("*.jsonl"):
        data = path.read_bytes()
        for entry, kind in zip((read := Read(data, own_id=None)).entries, read.kinds, strict=True):
            found = text(data[entry.offset : entry.offset + entry.length], entry.block).text
            if kind == "toolCall":
                assert entry.text in found, (path, entry.offset)
            else:
                shown = entry.text
                for mark in ("[image]", "[document]", "[tool_reference]"):
                    shown = shown.replace(f"\n{mark}", "").replace(mark, "")
                # Of an output in several blocks, a transcript shows the beginning of each.
                most = 100 if kind == "toolResult" and entry.truncated else len(shown)
                assert found.startswith(shown[:most]), (path, entry.offset)
            seen += len(found)
    assert seen
