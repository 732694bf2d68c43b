"""Memory while much is read and written at once, and after it."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """For what is over in a few seconds and makes very many rows, of which none is garbage before its end: the collector
    would only walk them again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def give_back() -> None:
    """Collect garbage, and let the C library return what it keeps for later (glibc keeps much after a backlog).

    https://man7.org/linux/man-pages/man3/malloc_trim.3.html; elsewhere than on glibc only the first half is done.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
