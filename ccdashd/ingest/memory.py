"""Memory that a backlog took is given back to the system when it is over."""

from __future__ import annotations

import ctypes
import gc
import sys


def give_back() -> None:
    """Collect garbage, and let the C library return what it keeps for later (glibc keeps much after a backlog).

    https://man7.org/linux/man-pages/man3/malloc_trim.3.html; elsewhere than on glibc only the first half is done.
    """
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
