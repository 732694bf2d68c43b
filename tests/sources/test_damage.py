"""Logs that crashes, races, editors and other programs left behind."""

from __future__ import annotations

import gc
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.logs import OTHER, SESSION, Read, Writer, call, line, read, text, write

W = Writer()
PROMPT = line(W.user("Fix it"))
ANSWER = line(W.assistant(text("Done"), call("t1", "Write", file_path="/a", content="x")))
RESULT = line(W.result("t1", "written"))
WHOLE = PROMPT + ANSWER + RESULT
KINDS = ["prompt", "assistant", "toolCall", "toolResult"]


def test_the_undamaged_log() -> None:
    log = Read(WHOLE)
    assert (log.kinds, log.findings, log.end) == (KINDS, [], len(WHOLE))


@pytest.mark.parametrize(
    ("data", "findings"),
    [
        (b"\xef\xbb\xbf" + WHOLE, ["bom"]),
        (WHOLE.replace(b"\n", b"\r\n"), []),
        (b"\n \r\n" + WHOLE + b"\n\n", []),
        (b"\x00" * 99 + b"\n" + WHOLE, ["nul"]),
        (PROMPT + b"\x00" * 99 + ANSWER + RESULT, ["nul"]),
        (PROMPT + ANSWER.rstrip() + b"\x00\n" + RESULT, ["nul"]),
        (WHOLE + b"\x00" * 4096, []),
        (b"// a comment\n# another\n" + WHOLE, ["comment", "comment"]),
        (PROMPT + b"[1]\n" + ANSWER + b"null\n5\n" + RESULT, ["not-an-object"] * 3),
        (PROMPT.rstrip() + ANSWER + RESULT, ["glued"]),
        (PROMPT.rstrip() + ANSWER.rstrip() + RESULT, ["glued"]),
        (PROMPT + b'{"parentUuid":null,"isSide' + ANSWER + RESULT, ["torn"]),
        (PROMPT + ANSWER.rstrip() + b'{"type":"user","mess\n' + RESULT, ["torn"]),
        (PROMPT + b"garbage\n" + ANSWER + b'{"type":"us\n' + RESULT, ["broken-line"] * 2),
        (WHOLE + PROMPT + ANSWER + RESULT, []),
        (WHOLE.rstrip(b"\n"), []),
    ],
)
def test_all_records_are_saved(data: bytes, findings: list[str]) -> None:
    log = Read(data)
    assert log.kinds == KINDS
    assert log.findings == findings
    for entry in log.entries:
        assert json.loads(data[entry.offset : entry.offset + entry.length].strip(b"\x00"))["uuid"] == entry.uuid
    assert (log.stats.prompts, len(log.messages), len(log.log.tool_calls)) == (1, 1, 1)


def test_a_repeated_tail_counts_once() -> None:
    assert Read(WHOLE + ANSWER + RESULT).stats.duplicates == 2


def test_reversed_order() -> None:
    log = Read(RESULT + ANSWER + PROMPT)
    assert log.kinds == ["toolResult", "assistant", "toolCall", "prompt"]
    straight = Read(WHOLE)
    assert (log.stats.started_at, log.stats.ended_at) == (straight.stats.started_at, straight.stats.ended_at)
    assert log.log.tool_calls["t1"].status == "success"


def test_bytes_that_are_not_utf8() -> None:
    log = Read(PROMPT.replace(b"Fix", b"F\xffx"))
    assert (log.texts, log.findings) == (["F\ufffdx it"], ["bad-utf8"])


def test_lone_surrogates() -> None:
    log = Read(PROMPT.replace(b"Fix", b"F\\ud800x"))
    assert (log.texts, log.findings) == (["F\ufffdx it"], [])


def test_two_session_ids() -> None:
    w = Writer()
    log = read(w.assistant(text("a"), id="m1", sessionId=OTHER), w.assistant(text("b"), id="m2"))
    assert log.stats.session_ids == {OTHER: 1, SESSION: 1}
    assert [message.copied for message in log.messages] == [True, False]


@pytest.mark.parametrize("cut", [1, 20, len(RESULT) - 2])
def test_a_torn_tail_is_left_for_later(cut: int) -> None:
    log = Read(PROMPT + ANSWER + RESULT[:cut])
    assert log.kinds == KINDS[:3]
    assert (log.end, log.stats.lines, log.findings) == (len(PROMPT + ANSWER), 2, [])


def test_a_whole_tail_is_read_when_final() -> None:
    data = PROMPT + ANSWER.rstrip()
    assert Read(data).end == len(data)
    assert Read(data, final=False).end == len(PROMPT)


def test_a_glued_tail_is_read_as_far_as_it_is_whole() -> None:
    log = Read(PROMPT + ANSWER.rstrip() + RESULT[:30])
    assert (log.kinds, log.end) == (KINDS[:3], len(PROMPT + ANSWER) - 1)


def test_a_line_number_tells_where() -> None:
    log = Read(PROMPT + b"garbage\n" + ANSWER)
    assert [(finding.line, finding.offset, finding.length) for finding in log.log.findings] == [(2, len(PROMPT), 7)]


def test_nesting_without_end() -> None:
    log = Read(PROMPT + b'{"type":"user","message":' + b"[" * 200_000 + b"\n" + ANSWER)
    assert log.kinds == KINDS[:3]
    assert log.findings == ["broken-line"]


@pytest.mark.parametrize("depth", [100, 400, 700])
@pytest.mark.parametrize("before", [b'{"type":5,"uuid":"u","data":', b'{"type":"user","mess{"type":5,"uuid":"u","data":'])
def test_nesting_near_the_limit_of_recursion(depth: int, before: bytes) -> None:
    log = Read(PROMPT + before + b"[" * depth + b"]" * depth + b"}\n" + ANSWER)
    assert log.kinds in (KINDS[:3], [KINDS[0], "unknown", *KINDS[1:3]])


@pytest.mark.parametrize("count", ["1e300", "-1", "9" * 25, "Infinity", "NaN", '"7"', "[]"])
def test_a_number_of_tokens_that_is_none(count: str) -> None:
    data = ANSWER.replace(b'"input_tokens":3', b'"input_tokens":' + count.encode())
    (message,) = Read(PROMPT + data).messages
    assert (message.input, message.output) == (0, 5)


DAMAGE = st.one_of(
    st.tuples(st.just("insert"), st.integers(0, len(WHOLE)), st.binary(min_size=1, max_size=6)),
    st.tuples(
        st.just("insert"), st.integers(0, len(WHOLE)), st.sampled_from([b"\n", b"\x00" * 9, b"\\ud800", b'{"type":', WHOLE])
    ),
    st.tuples(st.just("delete"), st.integers(0, len(WHOLE)), st.integers(1, 400).map(bytes)),
)
SWAPS = st.tuples(
    st.sampled_from(
        [b'"Fix it"', b'"Done"', b"null", b"false", b"11", b'"t1"', b'"text"', b"[", b'"user"', b'"/a"', b'"msg_1"']
    ),
    st.sampled_from(
        [b"1e999", b"-1", b"{}", b"[[]]", b"null", b'""', b"true", b"1.5", b'{"content":7}', b'"\\ud800"', b"9" * 40]
    ),
)


@given(st.lists(DAMAGE, max_size=4), st.lists(SWAPS, max_size=3), st.booleans())
def test_no_damage_stops_the_reader(
    damage: list[tuple[str, int, bytes]], swaps: list[tuple[bytes, bytes]], final: bool
) -> None:
    data = WHOLE
    for old, new in swaps:
        data = data.replace(old, new, 1)
    for how, place, what in damage:
        data = data[:place] + (what + data[place:] if how == "insert" else data[place + len(what) :])
    log = Read(data, final=final)
    assert log.end <= len(data)
    assert log.stats.entries == len(log.entries)
    assert log.stats.records == sum(log.stats.record_types.values())
    for entry in log.entries:
        assert 0 <= entry.offset < entry.offset + entry.length <= log.end
        entry.text.encode()  # fit to be stored and sent


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_reader(data: bytes) -> None:
    assert Read(data).end <= len(data)
    assert Read(PROMPT + data + b"\n" + ANSWER).stats.records >= 1


def test_nothing_is_left_for_the_cycle_collector() -> None:
    """Parse workers run without it."""
    Read(WHOLE)
    gc.collect()
    gc.disable()
    try:
        Read(WHOLE + b"garbage\n")
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_write_makes_lines() -> None:
    assert write({"a": 1}, {"b": 2}) == b'{"a":1}\n{"b":2}\n'
