"""Encoded answers that are kept while the database does not change."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MAX_AGE = 5.0
"""Seconds: whether a session is active depends on the clock too, not on the database alone."""

MAX_BYTES = 8 * 1024 * 1024
MAX_ANSWER = 1024 * 1024


class Answers:
    """A bounded store of answers, the least recently asked dropped first. Kept by method and the very bytes of its
    parameters: two clients of one kind write them alike, and nothing has to be decoded to find an answer."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[tuple[str, bytes], tuple[int, float, bytes]] = OrderedDict()
        self.size = 0
        """Bytes of all that is kept."""

    def get(self, method: str, params: bytes, revision: int) -> bytes | None:
        """The answer at `revision`, None where there is none or it is too old."""
        key = (method, params)
        kept = self._kept.get(key)
        if kept is None:
            return None
        at, since, answer = kept
        if at != revision or self._clock() - since > MAX_AGE:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return answer

    def put(self, method: str, params: bytes, revision: int, answer: bytes) -> None:
        """Keep an answer that was read at `revision`."""
        key = (method, params)
        if key in self._kept:
            self._drop(key)
        if len(answer) + len(params) > MAX_ANSWER:
            return
        self._kept[key] = (revision, self._clock(), answer)
        self.size += len(answer) + len(params)
        while self.size > MAX_BYTES:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: tuple[str, bytes]) -> None:
        self.size -= len(self._kept.pop(key)[2]) + len(key[1])
