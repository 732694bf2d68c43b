"""Numbers and times as people read and write them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ccdash import figures
from ccdash.errors import UsageError

NOW = datetime(2026, 2, 3, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A zone with daylight saving, so that local time is not UTC by chance."""
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0"), (950, "950"), (1000, "1.00k"), (12_345, "12.3k"), (4_560_000, "4.56M"), (123e9, "123G"), (5e15, "5000T")],
)
def test_count(number: float, text: str) -> None:
    assert figures.count(number) == text


@pytest.mark.parametrize(("number", "text"), [(0, "0 B"), (999, "999 B"), (4096, "4.10 kB"), (2.8e9, "2.80 GB")])
def test_size(number: float, text: str) -> None:
    assert figures.size(number) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-1, "0s"), (0.4, "0s"), (59.6, "1m 00s"), (200, "3m 20s"), (7500, "2h 05m"), (273_600, "3d 4h")],
)
def test_duration(seconds: float, text: str) -> None:
    assert figures.duration(seconds) == text


@pytest.mark.parametrize(
    ("stamp", "text"),
    [
        (None, "-"),
        ("no time", "-"),
        ("2026-02-03T11:59:30.000Z", "now"),
        ("2026-02-03T11:00:00.000Z", "1h ago"),
        ("2026-02-03T11:42:00.000Z", "18m ago"),
        ("2026-01-30T12:00:00.000Z", "4d ago"),
        ("2025-12-24T23:30:00.000Z", "2025-12-25"),
        ("2026-02-03T13:00:00.000Z", "2026-02-03 14:00:00"),
    ],
)
def test_ago(stamp: str | None, text: str) -> None:
    assert figures.ago(stamp, NOW) == text


@pytest.mark.parametrize(
    ("text", "end", "stamp"),
    [
        ("2h", False, "2026-02-03T10:00:00.000Z"),
        ("1.5d", False, "2026-02-02T00:00:00.000Z"),
        ("now", False, "2026-02-03T12:00:00.000Z"),
        ("today", False, "2026-02-02T23:00:00.000Z"),
        ("today", True, "2026-02-03T23:00:00.000Z"),
        ("Yesterday", False, "2026-02-01T23:00:00.000Z"),
        ("2025-06-30", False, "2025-06-29T22:00:00.000Z"),
        ("2025-06-30", True, "2025-06-30T22:00:00.000Z"),
        ("2025-03-30", True, "2025-03-30T22:00:00.000Z"),
        ("2025-06-30T14:00", True, "2025-06-30T12:00:00.000Z"),
        ("2025-06-30T14:00:00.5Z", False, "2025-06-30T14:00:00.500Z"),
    ],
)
def test_read_time(text: str, end: bool, stamp: str) -> None:
    assert figures.read_time(text, end=end, now=NOW) == stamp


@pytest.mark.parametrize("text", ["", "soon", "3x", "99999999999d", "2025-13-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        figures.read_time(text, now=NOW)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86_400)])
def test_read_seconds(text: str, seconds: float) -> None:
    assert figures.read_seconds(text) == seconds


def test_what_is_no_length_of_time_is_refused() -> None:
    with pytest.raises(UsageError, match="length of time"):
        figures.read_seconds("a while")


@pytest.mark.parametrize(
    ("identifier", "text"),
    [
        ("5f3c1d9e-8a53-4f0e-9a55-0c1a4f6f5b0e", "5f3c1d9e"),
        ("5f3c1d9e-8a53-4f0e-9a55-0c1a4f6f5b0e/agent-a1b2c3d4e5f6", "5f3c1d9e/agent-a1b2c3d4"),
        ("session-of-another-kind", "session-of-another-kind"),
    ],
)
def test_short_id(identifier: str, text: str) -> None:
    assert figures.short_id(identifier) == text
    assert identifier.startswith(text.split("/")[0])


@pytest.mark.parametrize(
    ("model", "text"),
    [("claude-sonnet-4-20250514", "sonnet-4"), ("claude-opus-4-1", "opus-4-1"), ("gpt-5", "gpt-5"), ("", "-")],
)
def test_short_model(model: str, text: str) -> None:
    assert figures.short_model(model) == text


def test_total_tokens_counts_each_kind_once() -> None:
    tokens = {"input": 1, "output": 2, "cacheRead": 4, "cacheWrite": 8, "cacheWrite5m": 5, "cacheWrite1h": 3}
    assert figures.total_tokens(tokens) == 15
