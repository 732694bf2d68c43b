"""Binary content inside records."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive.blobs import UNKNOWN, Blob, take

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
TEXT = base64.b64encode(PNG).decode()


def name(number: int) -> str:
    return f"blob:{number}"


@pytest.mark.parametrize(
    ("holder", "field"),
    [
        ({"type": "base64", "media_type": "image/png", "data": TEXT}, "data"),
        ({"type": "base64", "data": TEXT}, "data"),
        ({"type": "image", "mimeType": "image/png", "data": TEXT}, "data"),
        ({"type": "image/png", "base64": TEXT, "originalSize": 264}, "base64"),
        ({"base64": TEXT}, "base64"),
        ({"uri": "a:b", "mimeType": "application/x-odd", "blob": TEXT}, "blob"),
        ({"url": f"data:image/png;charset=x;base64,{TEXT}"}, "url"),
        ({"type": "base64", "data": "\n".join(TEXT[i : i + 76] for i in range(0, len(TEXT), 76))}, "data"),
        ({"type": "x", "mimeType": "text/html", "data": TEXT}, "data"),
    ],
)
def test_content_is_taken_out_wherever_agents_and_servers_put_it(holder: dict[str, Any], field: str) -> None:
    record = {"message": {"content": [{"source": holder}]}}
    (blob,) = take(record, name)
    assert blob.data == PNG
    assert blob.media_type == "image/png"
    assert record == {"message": {"content": [{"source": {**holder, field: "blob:0"}}]}}


@pytest.mark.parametrize(
    "value",
    [
        {"data": TEXT},
        {"type": "text", "media_type": "text/plain", "data": "abcd"},
        {"type": "x", "mimeType": "text/plain", "data": "abcd"},
        {"type": "base64", "data": "not base64!"},
        {"type": "base64", "data": ""},
        {"type": "base64", "data": {"n": 1}},
        {"type": "base64", "media_type": 1, "signature": TEXT},
        ["data:", "data:text/html,<b>", "data:image/png;base64,é"],
        "data",
        None,
    ],
)
def test_what_is_no_content_stays(value: Any) -> None:
    before = json.dumps(value)
    assert take(value, name) == []
    assert json.dumps(value) == before


def test_equal_content_is_told_once_and_the_order_is_that_of_the_record() -> None:
    other = base64.b64encode(b"%PDF-1").decode()
    record = [{"base64": TEXT, "in": [{"base64": other}]}, {"base64": TEXT}]
    assert [blob.media_type for blob in take(record, name)] == ["image/png", "application/pdf"]
    assert record == [{"base64": "blob:0", "in": [{"base64": "blob:1"}]}, {"base64": "blob:0"}]


@pytest.mark.parametrize(
    ("data", "declared", "media_type"),
    [
        (b"<html><script>", "text/html", UNKNOWN),
        (b"<svg onload='x'>", "image/svg+xml", UNKNOWN),
        (b"<html>", "image/png", UNKNOWN),
        (b"\xff\xd8\xff\xe0", "text/html", "image/jpeg"),
        (b"GIF89a", None, "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", None, "image/webp"),
        (b"\x00\x00\x00\x18ftypheic", None, "image/heic"),
        (b"\x00\x00\x00\x18ftypisom", None, "video/mp4"),
        (b"", None, UNKNOWN),
    ],
)
def test_the_type_is_what_the_bytes_are(data: bytes, declared: str | None, media_type: str) -> None:
    assert Blob(data, declared).media_type == media_type


values = st.recursive(
    st.none()
    | st.text(max_size=9)
    | st.binary(min_size=1, max_size=9).map(lambda data: {"base64": base64.b64encode(data).decode()}),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "type", "a"]), inner, max_size=3),
)


@given(values)
def test_putting_content_back_gives_the_record(value: Any) -> None:
    before = json.loads(json.dumps(value))
    taken = take(value, name)
    texts = {name(n): base64.b64encode(blob.data).decode() for n, blob in enumerate(taken)}

    def back(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: back(inner) for key, inner in item.items()}
        if isinstance(item, list):
            return [back(inner) for inner in item]
        return texts.get(item, item) if isinstance(item, str) else item

    assert back(value) == before


@pytest.mark.corpus
@pytest.mark.skipif("CCDASH_CORPUS" not in os.environ, reason="CCDASH_CORPUS names no folder of real logs")
def test_records_of_real_logs_hold_no_encoded_images_after() -> None:
    count = 0
    for path in sorted(Path(os.environ["CCDASH_CORPUS"], "sessions").rglob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            if b"base64" not in line:
                continue
            try:
                record = json.loads(line)
            except ValueError:
                continue
            blobs = take(record, name)
            assert all(blob.media_type.startswith(("image/", "application/pdf")) for blob in blobs)
            assert "iVBORw0KGgo" not in json.dumps(record)
            count += len(blobs)
    assert count > 2
