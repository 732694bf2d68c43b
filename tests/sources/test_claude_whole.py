"""The whole of an entry, from its record, is what a reader that cuts nothing gives, and more where readers keep less."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ccdashd.sources import lines
from ccdashd.sources.claude_whole import Whole, whole
from ccdashd.sources.model import KIND, KINDS, Entry
from tests.sources.logs import Read, Writer, call, text, write

LONG = "word " * 5000
PARTLY = ("toolCall", "toolResult", "attachment", "unknown")
"""Kinds of which readers keep less than all, whatever they are told."""


def wholes(*records: Any, text_cap: int = 100) -> list[tuple[str, Whole]]:
    data = write(*records)
    read = Read(data, text_cap=text_cap)
    return [(KINDS[e.kind], whole(lines.loads(data[e.offset : e.offset + e.length]), e)) for e in read.entries]


def test_texts_are_whole() -> None:
    writer = Writer()
    found = wholes(
        writer.user(LONG),
        writer.assistant(text(LONG), {"type": "thinking", "thinking": LONG}),
        writer.user([text("<system-reminder>no</system-reminder>"), text(LONG)]),
        writer.user(LONG, isMeta=True),
        writer.user(LONG, isCompactSummary=True),
        writer.record("system", subtype="local_command", content=LONG),
        writer.record("queue-operation", operation="enqueue", content=LONG),
        {"type": "summary", "summary": LONG, "leafUuid": "l"},
    )
    assert [kind for kind, _ in found] == [
        "prompt", "assistant", "thinking", "prompt", "meta", "compactSummary", "system", "queued", "summary"
    ]  # fmt: skip
    assert {made.text.strip() for _, made in found} == {LONG.strip()}
    assert all(made.input is None for _, made in found)


def test_a_call_has_its_input_and_a_result_its_output() -> None:
    writer = Writer()
    given = {"command": "npm test", "timeout": 5}
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    found = wholes(
        writer.assistant(call("c", "Bash", **given)),
        writer.result("c", LONG),
        writer.result("d", [text("one"), image, text("two"), {"type": "odd"}]),
        writer.user([{"type": "tool_result", "tool_use_id": "e", "content": "done"}, text(LONG)]),
    )
    assert [(kind, made.text.strip(), made.input) for kind, made in found] == [
        ("toolCall", "npm test", given),
        ("toolResult", LONG.strip(), None),
        ("toolResult", "one\n[image]\ntwo\n[odd]", None),
        ("toolResult", "done", None),
        ("steering", LONG.strip(), None),
    ]
    assert found[2][1].part[1] == image


def test_what_is_not_text_comes_as_it_is() -> None:
    writer = Writer()
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    odd = {"type": "server_tool_use", "name": "web_search", "input": {"query": "x"}}
    attachment = {"type": "file", "filename": "a.py", "content": {"lines": 3}}
    unknown = {"type": "future", "uuid": "u", "field": [1, 2]}
    found = wholes(
        writer.user([image]),
        writer.assistant(odd),
        writer.record("attachment", attachment=attachment),
        writer.record("attachment", attachment={"type": "hook_success", "content": LONG}),
        unknown,
    )
    assert [(kind, made.text.strip(), made.input) for kind, made in found] == [
        ("prompt", "[image]", None),
        ("unknown", "server_tool_use", odd),
        ("attachment", "", {"filename": "a.py", "content": {"lines": 3}}),
        ("attachment", LONG.strip(), None),
        ("unknown", "future", unknown),
    ]
    assert found[0][1].part == [image]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "record",
    [None, [], {}, {"message": 1}, {"message": {"content": None}}, {"message": {"content": [1, None]}}, {"content": 7}],
)
def test_of_an_odd_record_what_is_kept_stays(kind: str, record: Any) -> None:
    entry = Entry(0, 9, 3, KIND[kind], None, None, None, "kept")
    assert whole(record, entry).text == "kept"


@pytest.mark.corpus
@pytest.mark.skipif("CCDASH_CORPUS" not in os.environ, reason="CCDASH_CORPUS names no folder of real logs")
def test_entries_of_real_logs_are_whole() -> None:
    longer: Counter[str] = Counter()
    for path in sorted(Path(os.environ["CCDASH_CORPUS"], "sessions").rglob("*.jsonl")):
        data = path.read_bytes()
        cut, uncut = Read(data, text_cap=120), Read(data, text_cap=1 << 40)
        for entry, other in zip(cut.entries, uncut.entries, strict=True):
            made = whole(lines.loads(data[entry.offset : entry.offset + entry.length]), entry)
            kind = KINDS[entry.kind]
            if kind not in PARTLY:
                assert made.text == other.text, (path, entry.offset)
            elif kind == "toolResult":
                assert made.text == other.text or (other.truncated and made.text.startswith(other.text[:90]))
            longer[kind] += len(made.text) > len(other.text) or made.input is not None
    assert longer["toolCall"] > 1000
    assert longer["toolResult"] > 300
