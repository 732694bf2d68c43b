from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.sources.log import (
    FINDINGS_CAP,
    Log,
    canonical_key,
    fast_key,
    merge,
    milliseconds,
    pack_key,
    pack_keys,
    title,
    unpack_keys,
)
from ccdashd.sources.model import PAGE, Entry, Message, Stats

uuids = st.uuids().map(str)
keys = uuids | st.text(max_size=40)


@given(st.lists(keys, unique_by=canonical_key))
def test_keys_come_back_as_they_were_packed(given_keys: list[str]) -> None:
    packed = pack_keys([fast_key(key) for key in given_keys])
    assert len(packed) == 8 * len(given_keys)
    assert packed == b"".join(map(pack_key, given_keys))
    assert unpack_keys(packed) == {canonical_key(key) for key in given_keys}


@given(keys)
def test_a_key_is_the_key_of_itself(key: str) -> None:
    assert canonical_key(canonical_key(key)) == canonical_key(key)
    assert canonical_key(fast_key(key)) == canonical_key(key)


@given(uuids)
def test_the_fast_key_of_a_uuid_is_the_stored_one(uuid: str) -> None:
    assert fast_key(uuid) == canonical_key(uuid) == uuid[:8] + uuid[28:]
    assert canonical_key(uuid.upper()) == canonical_key(uuid)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"),
        ("00000001-0000-4000-8000-000000000000", "00000002-0000-4000-8000-000000000000"),
        ("01979a5e-7c00-7abc-8def-0123456789ab", "01979a5e-7c00-7abc-8def-0123456789ac"),
    ],
    ids=["counted up at the end", "counted up at the start", "of one moment"],
)
def test_uuids_that_are_not_random_have_keys_of_their_own(one: str, other: str) -> None:
    assert fast_key(one) != fast_key(other)
    assert canonical_key(one) != canonical_key(other)


times = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda time: time.replace(tzinfo=UTC))


@given(times, st.sampled_from(["milliseconds", "microseconds", "seconds"]), st.integers(-14, 14))
def test_milliseconds(time: datetime, precision: str, hours: int) -> None:
    expected = (time - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1)
    text = time.isoformat(timespec=precision)
    tolerance = {"milliseconds": 1, "microseconds": 0.5, "seconds": 1000}[precision]
    for written in (text, text.replace("+00:00", "Z"), text.removesuffix("+00:00")):
        assert abs(milliseconds(written) - expected) <= tolerance  # type: ignore[operator]
    shifted = text.replace("+00:00", f"{hours:+03}:00")
    assert milliseconds(shifted) == milliseconds(text) - hours * 3_600_000  # type: ignore[operator]


def test_milliseconds_are_exact() -> None:
    assert milliseconds("2026-01-02T03:04:05.678Z") == 1_767_323_045_678


@pytest.mark.parametrize("text", [None, "", "TIMESTAMP", "2026-13-01T00:00:00.000Z", "2026-01-01T00:00:70.000Z", "2026"])
def test_no_time(text: str | None) -> None:
    assert milliseconds(text) is None


def test_title() -> None:
    assert title(" a\n\t b  c ") == "a b c"
    assert len(title("word " * 1000)) <= 300


def message(
    output: int, time: int | None = 5, *, lower_bound: bool = False, flag: bool = False, model: str = "m"
) -> Message:
    return Message("i", "r", time, model, 0, output, 0, 0, 0, 0, lower_bound, flag, flag, flag)


def test_merge_takes_the_larger_output_and_the_earlier_time() -> None:
    for first, second in ((message(9, 7), message(5, 3)), (message(5, 3), message(9, 7))):
        merged = merge(first, second)
        assert (merged.output, merged.time) == (9, 3)


def test_merge_of_equal_outputs_takes_what_is_complete() -> None:
    one, two = message(9, model="complete"), message(9, lower_bound=True, model="torn")
    assert merge(one, two).model == "complete"
    one, two = message(9, lower_bound=True, model="torn"), message(9, model="complete")
    merged = merge(one, two)
    assert (merged.model, merged.lower_bound) == ("complete", False)


def test_merge_keeps_a_flag_that_all_sightings_have() -> None:
    assert merge(message(1, flag=True), message(2, flag=True)).mirror
    assert not merge(message(1, flag=True), message(2)).mirror
    assert merge(message(1, None), message(2, None)).time is None
    assert merge(message(1, None), message(2, 4)).time == 4


def test_pages_are_turned_when_full() -> None:
    turned: list[tuple[int, int, list[str]]] = []
    tail = [Entry(0, 0, 0, 0, None, None, None, "") for _ in range(3)]
    log = Log(
        stats=Stats(entries=PAGE + 3), tail=tail, turn=lambda page, entries, keys: turned.append((page, len(entries), keys))
    )
    log.keys.append("k")
    for _ in range(2 * PAGE):
        log.add(0, 0, 0, None, None, None, "text")
    log.turn_pages()
    assert turned == [(1, PAGE, ["k"]), (2, PAGE, [])]
    log.close()
    assert turned[2:] == [(3, 3, [])]
    assert log.stats.entries == 3 * PAGE + 3


def test_findings_of_one_kind_are_capped() -> None:
    log = Log()
    for place in range(FINDINGS_CAP + 5):
        log.find("odd", "info", place, 1, "odd")
    log.find("other", "info", 0, 1, "other")
    assert len(log.findings) == FINDINGS_CAP + 1
    assert sum(finding.count for finding in log.findings) == FINDINGS_CAP + 6
