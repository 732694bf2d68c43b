"""What is known of a file as a whole: who touched it, when, at what cost, and which features it belongs to."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.derive.pricing import Prices
from ccdashd.protocol import types as t
from ccdashd.store import file_edits, file_touches
from ccdashd.store.file_blame import Blames
from ccdashd.store.file_edits import Recorded
from ccdashd.store.file_touches import Feature, Touch

KEPT = 2_000
"""Files that are remembered, the last asked for: as many as an editor may have open."""


class Touched(NamedTuple):
    """What is known of a file; nothing of it depends on what the file holds."""

    touches: list[Touch]
    """Main sessions, the last first."""
    changes: list[Recorded]
    features: list[Feature]
    cost: t.Cost | None
    """Of the turns in which it was changed; None where that is not known."""


UNTOUCHED = Touched([], [], [], None)


class TouchedFiles:
    """What is known of files, as long as the cache is as it was. Safe to use from several threads."""

    def __init__(self, blames: Blames, prices: Prices) -> None:
        self._blames = blames
        self._prices = prices
        self._kept: OrderedDict[str, tuple[int, Touched]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, connection: sa.Connection, revision: int, path: str) -> Touched:
        """What is known of the file at an absolute path; `revision` is that of the connection's snapshot."""
        with self._lock:
            known = self._kept.get(path)
        if known is not None and known[0] == revision:
            return known[1]
        touched = self._found(connection, path)
        with self._lock:
            self._kept[path] = revision, touched
            self._kept.move_to_end(path)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return touched

    def state(self, connection: sa.Connection, revision: int, path: str) -> bytes:
        """Differs where an editor would show something else above the file or its lines, whatever the file holds and
        however late it is."""
        touched = self.of(connection, revision, path)
        if not touched.touches:
            return b""
        titles = sorted(
            (id, worker) for id, worker in file_edits.workers(connection, {x.session_id for x in touched.changes}).items()
        )
        told = (touched.touches, touched.features, touched.cost, [x.tool_use_id for x in touched.changes], titles)
        return hashlib.blake2b(repr(told).encode("utf-8", "surrogateescape"), digest_size=16).digest()

    def _found(self, connection: sa.Connection, path: str) -> Touched:
        try:
            path.encode()
        except UnicodeEncodeError:
            return UNTOUCHED  # no log can name it
        paths = file_edits.known_paths(connection, path)
        touches = file_touches.of_paths(connection, paths)
        if not touches:
            return UNTOUCHED
        changes = file_edits.of_path(connection, paths)
        features = file_touches.features(connection, path, touches)
        return Touched(touches, changes, features, self._blames.cost(connection, changes, self._prices))
