"""Hits as a client gets them: what they are of, and the text around what was found, read where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import sqlalchemy as sa

from ccdashd.archive import records
from ccdashd.archive.archive import Archive
from ccdashd.clock import iso
from ccdashd.protocol import types as t
from ccdashd.search import matching, tokens
from ccdashd.search.cursor import Cursor
from ccdashd.search.expression import Term
from ccdashd.search.find import Hit
from ccdashd.search.plan import Plan
from ccdashd.search.snippets import Match, snippet
from ccdashd.sources import texts
from ccdashd.sources.model import KINDS
from ccdashd.store import item_sources, logs, search_scope, transcripts
from ccdashd.store.entries import log_tag
from ccdashd.store.item_sources import Item, ItemType, entity_of_note
from ccdashd.store.search_scope import Source
from ccdashd.store.text.entries import Found


class Page(NamedTuple):
    """Hits that are shown, and where the next page begins; None where there is none."""

    hits: list[t.SearchHit]
    cursor: Cursor | None


class Shower:
    """Shows the hits of one plan, within one snapshot of the cache."""

    def __init__(self, cache: sa.Connection, archive: Archive, plan: Plan, *, size: int, cap: int) -> None:
        """`size` is that of a snippet in characters, `cap` the bytes of an entry that are indexed."""
        self._cache = cache
        self._archive = archive
        self._terms: list[Term] = [plan.terms[words] for words in plan.wanted]
        self._needed = plan.needed
        self._size = size
        self._cap = cap

    def page(self, hits: Iterator[Hit], limit: int) -> Page:
        """The first `limit` of these hits that are still what the index says; the others are passed over."""
        shown: list[t.SearchHit] = []
        cursor: Cursor | None = None
        while len(shown) < limit:
            batch = list(islice(hits, limit - len(shown)))
            if not batch:
                return Page(shown, None)
            shown += self._shown(batch)
            cursor = batch[-1].cursor
        return Page(shown, cursor if next(hits, None) is not None else None)

    def _shown(self, hits: Sequence[Hit]) -> Iterator[t.SearchHit]:
        found = [hit.entry for hit in hits if hit.entry is not None]
        sources = search_scope.sources(self._cache, {entry.path for entry in found})
        several = search_scope.of_several_logs(self._cache, {source.session_id for source in sources.values()})
        items = self._items(hits)
        sessions = search_scope.of_sessions(self._cache, [id for type, id in items if type == "session"])
        projects = search_scope.project_names(
            self._cache, {item.project_id for item in items.values() if item.project_id is not None}
        )
        for hit in hits:
            if hit.entry is not None:
                source = sources.get(hit.entry.path)
                one = self._entry(hit, hit.entry, source, source.session_id in several) if source is not None else None
            else:
                assert hit.item is not None
                item = items.get((hit.item.type, hit.item.id))
                one = self._item(hit, item, sessions.get(item.id), projects) if item is not None else None
            if one is not None:
                yield one

    # --- entries ---

    def _entry(self, hit: Hit, entry: Found, source: Source, several: bool) -> t.SearchHit | None:
        read = self._read(entry)
        id = self._id(entry, source, several)
        if read is None or id is None:
            return None
        text, matches = read
        return t.SearchHit(
            type="entry",
            id=source.session_id,
            entry=id,
            title=source.title,
            kind=KINDS[entry.kind],
            tool=entry.tool,
            timestamp=iso(entry.time),
            project_id=source.project_id or None,
            project=source.project or None,
            agent=source.agent,
            model=entry.model,
            path=logs.shown(logs.path_value(entry.path)),
            line=None,
            snippet=snippet(text, matches, self._size),
            score=hit.score,
            copies=hit.copies,
        )

    def _read(self, entry: Found) -> tuple[str, list[Match]] | None:
        """The text of an entry and where the words of the query stand in it; None where it does not fit any more."""
        try:
            data = records.read(self._archive, entry.path, entry.offset, entry.length)
        except OSError:
            # What the cache keeps of a text is its beginning, which need not hold what the whole was found by.
            kept = search_scope.kept_text(self._cache, entry.path, entry.offset, entry.block)
            return None if kept is None else (kept, self._find(kept))
        text = texts.text(data, entry.block).text
        found = self._find(text)
        if found or not self._needed:
            return text, found
        # What is indexed is a little other than the text: binary content, for one, is left out.
        return (text, []) if any(map(self._find, tokens.prepare(text, self._cap))) else None

    def _find(self, text: str) -> list[Match]:
        return matching.find(text, self._terms, tokens.spans, tokens.fold)

    def _id(self, entry: Found, source: Source, several: bool) -> str | None:
        """The id of an entry in its transcript, which shows one of several copies."""
        path = logs.path_value(entry.path)
        record = f"{log_tag(path)}-{entry.offset}"
        if several:
            found = transcripts.ids_at(self._cache, source.session_id, entry.path, [entry.offset])
            if entry.offset not in found:
                return None
            record = "-".join(found[entry.offset].split("-")[:2])
        return f"{record}-{entry.block}" if entry.block else record

    # --- titles and plans ---

    def _items(self, hits: Iterable[Hit]) -> dict[tuple[ItemType, str], Item]:
        wanted: dict[ItemType, list[str]] = {}
        for hit in hits:
            if hit.item is not None:
                wanted.setdefault(hit.item.type, []).append(hit.item.id)
        return {
            (type, item.id): item for type, ids in wanted.items() for item in item_sources.items(self._cache, type, ids)
        }

    def _item(self, hit: Hit, item: Item, session: Source | None, projects: Mapping[str, str]) -> t.SearchHit | None:
        text = item_sources.text_of(item)
        where, matches = self._stands(item, text)
        note = entity_of_note(item.id) if item.type == "note" else None
        return t.SearchHit(
            type=item.type,
            id=item.id if note is None else note[1],
            entry=None,
            title=item.title,
            kind=None,
            tool=None,
            timestamp=iso(item.time),
            project_id=item.project_id,
            project=projects.get(item.project_id or ""),
            agent=session.agent if session is not None else None,
            model=(session.model or None) if session is not None else None,
            path=item_sources.place(item),
            line=_line(where, matches) if where is text and item.type == "document" else item.line,
            snippet=snippet(where, matches, self._size),
            score=hit.score,
            note_on=None if note is None else note[0],
        )

    def _stands(self, item: Item, text: str) -> tuple[str, list[Match]]:
        """Title or text, whichever shows more of what was looked for, with the places."""
        in_text = self._find(text)
        if item.type == "note":
            return text, in_text
        in_title = self._find(item.title)
        more = len({match.term for match in in_text}) - len({match.term for match in in_title})
        # Of a file its text tells more than its title, which is shown anyway.
        return (text, in_text) if text and more >= (item.type != "document") else (item.title, in_title)


def _line(text: str, matches: Sequence[Match]) -> int | None:
    """The line of the first match, counted from 1."""
    return text.count("\n", 0, matches[0].start) + 1 if matches else None
