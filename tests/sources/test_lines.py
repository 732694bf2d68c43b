from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ccdashd.sources import lines

RECORD = b'{"type":"user","uuid":"u","message":{"content":"a \\" {b"}}'
words = st.text(max_size=80) | st.text(alphabet='\\"nu\n\U0001f600é0aDd', max_size=80)
encodings = st.sampled_from([json.dumps, lambda text: json.dumps(text, ensure_ascii=False)])


def raw(data: bytes) -> msgspec.Raw:
    """A value as it stands inside a record."""
    return msgspec.json.decode(b'{"a":%b}' % data, type=dict[str, msgspec.Raw])["a"]


@given(
    words,
    encodings,
    st.integers(0, 90),
)
@example("a\U0001f600", json.dumps, 7)
@example("\\" * 9, json.dumps, 4)
def test_head_is_a_prefix(text: str, encode: object, cap: int) -> None:
    data = encode(text).encode()  # type: ignore[operator]
    for given_data in (data, memoryview(data)):
        head, cut = lines.head(given_data, cap)
        assert text.startswith(head)
        assert cut == (len(data) > cap + 2)
        if not cut:
            assert head == text
        else:
            # At most an escaped pair is missing at the end.
            assert len(encode(head).encode()) - 2 > cap - 13  # type: ignore[operator]


def test_head_replaces_lone_surrogates() -> None:
    assert lines.head(b'"a\\ud800b"', 99) == ("a\ufffdb", False)


@given(words, encodings)
@example("a\\\nb", json.dumps)
@example("C:\\new", json.dumps)
@example("ends with \\n", json.dumps)
def test_count_lines(text: str, encode: object) -> None:
    expected = text.count("\n") + (text != "" and not text.endswith("\n"))
    assert lines.count_lines(raw(encode(text).encode())) == expected  # type: ignore[operator]


@pytest.mark.parametrize(("data", "expected"), [(b'"a"', True), (b'""', True), (b"[]", False), (b"null", False)])
def test_is_string(data: bytes, expected: bool) -> None:
    assert lines.is_string(raw(data)) is expected


def test_is_string_of_nothing() -> None:
    assert not lines.is_string(msgspec.Raw())


@pytest.mark.parametrize(
    ("line", "places"),
    [
        (RECORD + RECORD, [0, len(RECORD)]),
        (RECORD[:20] + RECORD, [20]),
        (b"\x00" * 9 + RECORD, [9]),
        (RECORD + b" \r" + RECORD + b"\x00", [0, len(RECORD) + 2]),
        (RECORD[:-1], []),
        (b'{"message":' + RECORD + b',"torn', []),
        (b'{"type":"no envelope"}{"x', []),
        (b"\xff\xfe" + RECORD, [2]),
        (b"", []),
    ],
)
def test_recover(line: bytes, places: list[int]) -> None:
    found = lines.recover(line)
    assert [position for position, _, _ in found] == places
    for position, length, record in found:
        assert json.loads(line[position : position + length]) == record


def test_recover_counts_bytes_that_were_replaced() -> None:
    bad = RECORD.replace(b"a ", b"\xff\xe2\x82 ")
    (_, first, record), (position, second, _) = lines.recover(bad + RECORD)
    assert (first, position, second) == (len(bad), len(bad), len(RECORD))
    assert record["message"]["content"] == '\ufffd\ufffd " {b'
    assert [length for _, length, _ in lines.recover(bad)] == [len(bad)]


@given(
    st.lists(
        st.sampled_from([RECORD, RECORD[:17], RECORD[30:], b"\xff", b"\x00\x00", b'{"type":', b"[[", b'"\\ud800"']),
        max_size=9,
    )
)
def test_recover_takes_places_that_do_not_overlap(pieces: list[bytes]) -> None:
    line = b"".join(pieces)
    end = 0
    for position, length, record in lines.recover(line):
        assert position >= end
        assert isinstance(record, dict)
        end = position + length
    assert end <= len(line)


@given(st.binary(max_size=200))
def test_recover_never_raises(line: bytes) -> None:
    lines.recover(line)
    lines.recover(b'{"type":' + line)


def test_deep_nesting_is_an_error_of_values() -> None:
    with pytest.raises(ValueError):
        lines.loads(b"[" * 100_000)
    assert lines.recover(b'{"type":' + b"[" * 100_000) == []


def test_clean() -> None:
    assert lines.clean({"\ud800": ["a\udc00", 1, None, "\U0001f600"]}) == {"\ufffd": ["a\ufffd", 1, None, "\U0001f600"]}
