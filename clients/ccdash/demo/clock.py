"""Times of generated logs: integers of milliseconds since 1970, and their text."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
DEFAULT_NOW = 1_785_000_000_000
"""The end of generated history where no other is given, so that a seed alone fixes every byte (25 July 2026)."""


@lru_cache(maxsize=4096)
def _minute(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:")


def iso(ms: int) -> str:
    """UTC ISO 8601 with milliseconds and ``Z``."""
    minute, rest = divmod(ms, MINUTE)
    return f"{_minute(minute)}{rest // 1000:02d}.{rest % 1000:03d}Z"
