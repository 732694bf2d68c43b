"""Transcripts as documents, piece by piece: put together, the pieces are the document, whatever its length.

begin    the head, with the figures of the session, in the first piece
entry    entries in their order, each with its whole text; sub-agents are opened and closed around theirs
end      in the last piece
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol, TypeVar

import msgspec
import sqlalchemy as sa

from ccdashd.analytics.session_cost import session_cost
from ccdashd.archive.archive import Archive
from ccdashd.derive.pricing import Prices
from ccdashd.errors import InvalidParams
from ccdashd.protocol import types as t
from ccdashd.redact import Redactor
from ccdashd.rendering import html, json_document, markdown_page
from ccdashd.store import sessions
from ccdashd.store.reading_order import Order, order
from ccdashd.store.session_rows import rows_of
from ccdashd.store.whole_entries import WholeEntry, entries

PIECE: Final = 1024 * 1024
"""Characters after which a piece ends; a single entry may be longer."""

T = TypeVar("T")


class Format(Protocol):
    """What a format makes of the parts of a transcript."""

    def begin(self, session: t.Session, cost: t.Cost | None) -> str: ...

    def entry(self, whole: WholeEntry) -> str: ...

    def open_agent(self, agent: t.SessionRow | None, depth: int) -> str: ...

    def close_agent(self, depth: int) -> str: ...

    def end(self) -> str: ...


FORMATS: Final[Mapping[str, Format]] = {"markdown": markdown_page, "html": html, "json": json_document}


def piece(
    connection: sa.Connection, params: t.RenderParams, revision: int, *, archive: Archive, prices: Prices, home: str
) -> t.RenderedPiece:
    """The piece that begins with entry `params.start`. `home` is the folder that redaction takes out of paths. Raises
    NotFound, and InvalidParams for a start beyond the end."""
    id = sessions.find(connection, params.id)
    shown = order(connection, id, None, with_subagents=params.subagents)
    if params.start > len(shown):
        raise InvalidParams("start", f"is beyond the end: the transcript has {len(shown):,} entries", params.start)
    format = FORMATS[params.format]
    redaction = _Redaction(home) if params.redact else None
    agents = _Agents(connection, format, redaction)
    parts: list[str] = []
    if params.start == 0:
        session = sessions.get(connection, id, revision)
        cost = session_cost(connection, t.SessionCostParams(id=id, with_subagents=params.subagents), prices, revision).cost
        parts.append(format.begin(session if redaction is None else redaction.of(session), cost))
    agents.skip(shown, params.start)
    size, next = 0, None
    for whole in entries(connection, archive, shown, params.start):
        parts += agents.turn(whole.entry.session_id, whole.entry.depth)
        parts.append(format.entry(whole if redaction is None else redaction.entry(whole)))
        size += len(parts[-1])
        if size >= PIECE and whole.entry.index + 1 < len(shown):
            next = whole.entry.index + 1
            break
    if next is None:
        parts += [*agents.turn(id, 0), format.end()]
    return t.RenderedPiece(
        text="".join(parts),
        next=next,
        total=len(shown),
        redactions=None if redaction is None else redaction.told(),
        revision=revision,
    )


class _Agents:
    """Which sub-agents are open at a place: each is within the one before."""

    def __init__(self, connection: sa.Connection, format: Format, redaction: _Redaction | None) -> None:
        self._connection = connection
        self._format = format
        self._redaction = redaction
        self._open: list[str] = []

    def skip(self, shown: Order, start: int) -> None:
        """Go to a place without telling of what comes before."""
        for part in shown.between(0, start):
            self._turn(part.session_id, part.depth)

    def turn(self, session_id: str, depth: int) -> list[str]:
        """What leads to the next entry, one of that session at that depth."""
        closed, opened = self._turn(session_id, depth)
        parts = [self._format.close_agent(level) for level in closed]
        for level, id in opened:
            row = rows_of(self._connection, [id]).get(id)
            if row is not None and self._redaction is not None:
                row = self._redaction.of(row)
            parts.append(self._format.open_agent(row, level))
        return parts

    def _turn(self, session_id: str, depth: int) -> tuple[list[int], list[tuple[int, str]]]:
        closed, opened = [], []
        while len(self._open) > depth or (self._open and len(self._open) == depth and self._open[-1] != session_id):
            closed.append(len(self._open))
            self._open.pop()
        while len(self._open) < depth:
            # A sub-agent may stand before all that the one says which called it.
            self._open.append(session_id if len(self._open) + 1 == depth else "")
            opened.append((len(self._open), self._open[-1]))
        return closed, opened


class _Redaction:
    """Takes secrets out of what is shown, string by string, and images as a whole: nobody knows what they show."""

    def __init__(self, home: str) -> None:
        self._redactor = Redactor(home)
        self._images = 0
        self._logs: set[str] = set()

    def of(self, value: T) -> T:
        """The same value without secrets."""
        data = self._redactor.bytes(msgspec.json.encode(value))
        return msgspec.json.decode(data, type=type(value))

    def entry(self, whole: WholeEntry) -> WholeEntry:
        """The same entry without secrets."""
        found = sum(self._redactor.counts.values())
        log = whole.entry.file
        self._images += len(whole.data)
        clean = self.of(WholeEntry(whole.entry, whole.input, whole.blobs, []))
        if whole.data or sum(self._redactor.counts.values()) > found:
            self._logs.add(log)
        return clean

    def told(self) -> t.Redactions:
        """What was taken out."""
        counts = dict(self._redactor.counts)
        if self._images:
            counts["image"] = self._images
        return t.Redactions(counts=counts, files=len(self._logs))
