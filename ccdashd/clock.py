"""Time as the wire shows it, and the time zone of the machine."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> str:
    """The time now: UTC, ISO 8601 with milliseconds and ``Z``."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso(milliseconds: int | None) -> str | None:
    """A stored time as the wire shows it."""
    if milliseconds is None:
        return None
    moment = EPOCH + timedelta(seconds=milliseconds // 1000)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def milliseconds(text: str) -> int:
    """A time or date that a client gave, UTC unless it says otherwise. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


class MachineZone(tzinfo):
    """The time zone of the machine as the C library knows it, for one that has no name, or is not in a list of zones."""

    key = "local"

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        """Of a local time; of one that is there twice, as `fold` says."""
        return None if moment is None else moment.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, moment: datetime | None) -> timedelta | None:
        """Not known."""
        return None

    def tzname(self, moment: datetime | None) -> str | None:
        """As the machine abbreviates it."""
        return None if moment is None else moment.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, moment: datetime) -> datetime:
        """The local time at a moment of UTC."""
        there = moment.replace(tzinfo=UTC).astimezone()
        local = there.replace(tzinfo=self)
        return local if local.utcoffset() == there.utcoffset() else local.replace(fold=1)


def machine_zone() -> tzinfo:
    """The time zone of the machine: that of the variable ``TZ``, or else of ``/etc/localtime``.

    By its IANA name where it has one, so that it means the same elsewhere.
    """
    given = os.environ.get("TZ")
    name = given.removeprefix(":") if given is not None else os.path.realpath("/etc/localtime")
    try:
        return ZoneInfo(name.rpartition("zoneinfo/")[2])
    except (KeyError, ValueError, OSError):
        written = None
        with suppress(OSError):
            written = os.stat("/etc/localtime").st_mtime_ns
        return _unnamed(given, written)


@lru_cache(maxsize=1)
def _unnamed(given: str | None, written: int | None) -> MachineZone:
    """One object for as long as the machine's rules are the same: what is computed of a zone is kept by the object."""
    return MachineZone()
