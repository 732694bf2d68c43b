"""inotify(7) through ctypes: the three system calls and the record format, nothing else.

Why no library: docs/decisions/0003-inotify-by-ctypes.md.
"""

from __future__ import annotations

import ctypes
import os
import struct
from typing import NamedTuple

# <sys/inotify.h>
MODIFY = 0x2
ATTRIB = 0x4
MOVED_FROM = 0x40
MOVED_TO = 0x80
CREATE = 0x100
DELETE = 0x200
Q_OVERFLOW = 0x4000
IGNORED = 0x8000
ONLYDIR = 0x0100_0000
DONT_FOLLOW = 0x0200_0000
EXCL_UNLINK = 0x0400_0000
MASK_ADD = 0x2000_0000
ISDIR = 0x4000_0000

_HEADER = struct.Struct("iIII")
_READ_BYTES = 64 * 1024


class Event(NamedTuple):
    """One record. `wd` is -1 on overflow; `name` is None when the event is about the watched folder itself."""

    wd: int
    mask: int
    name: str | None


class Inotify:
    """One inotify instance; `fd` becomes readable when there are events. Raises `OSError` like the system calls."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        # IN_NONBLOCK and IN_CLOEXEC are these two by definition.
        self.fd = _checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), None)

    def add(self, path: str, mask: int) -> int:
        """Watch `path`; its watch descriptor. The same folder by another name has the same descriptor."""
        return _checked(self._libc.inotify_add_watch(self.fd, os.fsencode(path), ctypes.c_uint32(mask)), path)

    def remove(self, wd: int) -> None:
        """No longer watch; a watch that the kernel has already removed is no error."""
        self._libc.inotify_rm_watch(self.fd, wd)

    def read(self) -> list[Event]:
        """The events that are waiting, at most about a thousand; empty when there are none."""
        try:
            data = os.read(self.fd, _READ_BYTES)
        except BlockingIOError:
            return []
        events: list[Event] = []
        at = 0
        while at < len(data):
            wd, mask, _cookie, length = _HEADER.unpack_from(data, at)
            at += _HEADER.size
            name = os.fsdecode(data[at : at + length].rstrip(b"\0")) if length else None
            at += length
            events.append(Event(wd, mask, name))
        return events

    def close(self) -> None:
        """Drops all watches too."""
        os.close(self.fd)


def _checked(result: int, path: str | None) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path)
    return result
