"""The codec: any cut of a stream gives the same messages."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from ccdashd.errors import InvalidParams, InvalidRequest, ParseError
from ccdashd.protocol import frames
from ccdashd.protocol.frames import HEADER_CAP, FrameError, FrameReader


def read_all(reader: FrameReader) -> list[bytes]:
    return list(iter(reader.next, None))


@given(bodies=st.lists(st.binary(max_size=300), max_size=8), cuts=st.lists(st.integers(1, 400), min_size=1, max_size=50))
def test_every_cut_of_the_stream_gives_the_same_bodies(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(frames.frame(body) for body in bodies)
    reader = FrameReader(1000)
    found: list[bytes] = []
    at = 0
    for turn in range(len(stream) + 1):
        step = cuts[turn % len(cuts)]
        reader.feed(stream[at : at + step])
        found += read_all(reader)
        at += step
        if at >= len(stream):
            break
    assert found == bodies


def test_a_reader_holds_no_more_than_the_unfinished_frame() -> None:
    reader = FrameReader(1 << 20)
    frame = frames.frame(b"x" * 10_000)
    for _ in range(500):
        reader.feed(frame[:5000])
        assert reader.next() is None
        reader.feed(frame[5000:])
        assert reader.next() == b"x" * 10_000
        assert reader.next() is None
    assert len(reader._buffer) == 0


@pytest.mark.parametrize(
    "header", ["Content-Length: 2", "content-length:2", "CONTENT-LENGTH :\t2 ", "A: b\r\nContent-Length: 2"]
)
def test_headers_that_are_read(header: str) -> None:
    reader = FrameReader(100)
    reader.feed(header.encode() + b"\r\n\r\n{}")
    assert reader.next() == b"{}"


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("Content-Length: +2", "no number"),
        ("Content-Length: 1_0", "no number"),
        ("Content-Length: ٢", "no number"),
        ("Content-Length:", "no number"),
        ("Content-Length: " + "1" * 20, "no number"),
        ("Content-Length: 2\r\nContent-Length: 3", "twice"),
        ("Content-Type: json", "no Content-Length"),
        ("{}", "colon"),
        ("Content-Length: 101", "101 bytes is refused; the limit is 100"),
    ],
)
def test_headers_that_are_refused(header: str, problem: str) -> None:
    reader = FrameReader(100)
    reader.feed(header.encode() + b"\r\n\r\n")
    with pytest.raises(FrameError, match=problem):
        reader.next()


def test_a_header_without_end_is_refused_at_the_cap() -> None:
    reader = FrameReader(100)
    reader.feed(b"x" * (HEADER_CAP - 1))
    assert reader.next() is None
    reader.feed(b"x")
    with pytest.raises(FrameError, match=str(HEADER_CAP)):
        reader.next()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_decoded_or_refused_with_a_typed_error(value: Any) -> None:
    try:
        frames.decode(json.dumps(value).encode())
    except (InvalidRequest, ParseError):
        return
    assert isinstance(value, dict) and value.get("jsonrpc") == "2.0"


@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused_with_a_typed_error(body: bytes) -> None:
    with pytest.raises((InvalidRequest, ParseError)):
        frames.decode(body)


def test_a_notification_has_no_id_and_a_null_id_is_one() -> None:
    assert frames.decode(b'{"jsonrpc":"2.0","method":"m"}').id is UNSET
    assert frames.decode(b'{"jsonrpc":"2.0","id":null,"method":"m"}').id is None


@pytest.mark.parametrize("id", [0, -1, 1.5, "", "ü", None, 10**30])
def test_ids_are_given_back_as_they_came(id: Any) -> None:
    body = json.dumps({"jsonrpc": "2.0", "id": id, "method": "m"}).encode()
    message = frames.decode(body)
    assert message.id is not UNSET
    for frame in (frames.response(message.id, b"1"), frames.error_response(message.id, InvalidRequest("x"))):
        assert json.loads(frame.split(b"\r\n\r\n", 1)[1])["id"] == id


@pytest.mark.parametrize("half", [b"\\ud800", b"\\udfff", b"\\uD83d\\u0041", b"\\udc00\\ud800"])
def test_half_of_a_surrogate_pair_is_told_to_who_sent_it(half: bytes) -> None:
    body = b'{"jsonrpc":"2.0","id":"\\ud83d\\ude00","method":"m","params":{"id":"%s"}}' % half
    with pytest.raises(InvalidRequest, match="half of a surrogate pair"):
        frames.decode(body)
    assert frames.id_of(body) == "\N{GRINNING FACE}"
    with pytest.raises(ParseError):
        frames.decode(body[:-1])


def test_the_id_of_a_broken_request_is_found_where_there_is_one() -> None:
    assert frames.id_of(b'{"id":7,"method":5}') == 7
    assert frames.id_of(b'{"id":[7]}') is None
    assert frames.id_of(b"[7]") is None
    assert frames.id_of(b"{") is None


def test_an_error_carries_its_data() -> None:
    frame = frames.error_response(1, InvalidParams("limit", "must be smaller", 9000))
    assert json.loads(frame.split(b"\r\n\r\n", 1)[1]) == {
        "jsonrpc": "2.0",
        "id": 1,
        "error": {
            "code": -32602,
            "message": "limit: must be smaller",
            "data": {"field": "limit", "problem": "must be smaller", "got": 9000},
        },
    }


def test_a_notification_is_a_whole_message() -> None:
    head, body = frames.notification("m/n", {"a": "ü"}).split(b"\r\n\r\n", 1)
    assert head == b"Content-Length: %d" % len(body)
    assert json.loads(body) == {"jsonrpc": "2.0", "method": "m/n", "params": {"a": "ü"}}
