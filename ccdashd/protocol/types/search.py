"""``search/*``: words over everything that was said, done and planned, and exact bytes over the logs themselves."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from ccdashd.protocol.types.base import Params, Wire, WorkParams
from ccdashd.protocol.types.daemon import Problem
from ccdashd.protocol.types.entities import EntityType
from ccdashd.protocol.types.transcript import EntryKind

SearchType = Literal["entry", "session", "document", "task", "feature", "note"]
"""What a hit is: an entry of a transcript, or an entity by its title and text."""

SearchOrder = Literal["relevance", "newest"]


class TextIndex(Wire, frozen=True):
    """How far the index of texts is behind the cache. While it is not `complete`, a search may miss what is in logs that
    are not in it yet, the oldest ones."""

    enabled: bool
    """False where the setting `text_index` is off."""
    complete: bool
    logs: int
    """Logs in the index."""
    logs_missing: int
    bytes_missing: int
    """Of these logs, and of what others grew by."""
    entries: int
    bytes: int
    """Size of the index on disk."""


class SearchParams(Params, frozen=True, kw_only=True):
    """`query` holds words, ``"phrases"``, ``prefix*``, ``-not``, ``a OR b``, parentheses and filters: ``agent:``,
    ``model:``, ``project:``, ``session:``, ``tool:``, ``file:``, ``branch:``, ``before:``, ``after:`` and
    ``in:prompt|answer|thinking|tool|doc|title|note``; a ``-`` before a filter turns it around."""

    query: str
    order: SearchOrder = "relevance"
    types: list[SearchType] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    cursor: str | None = None
    """`nextCursor` of the answer before; with the same `query`, `order` and `types`."""
    facets: bool = False
    """Also count the hits by project, agent, model and so on, which takes longer."""
    snippet: Annotated[int, Meta(ge=40, le=2000)] = 240
    """Characters of a snippet."""
    time_zone: str | None = None
    """IANA name; of the days in ``before:`` and ``after:``; by default the daemon's."""
    min_revision: int | None = None
    """Wait until the cache is at least at this revision, and a few seconds at most until the index has what is in it."""


class SnippetPart(Wire, frozen=True):
    """A piece of a snippet: plain text, to be escaped by whoever shows it as HTML."""

    text: str
    match: bool = False


class SearchHit(Wire, frozen=True):
    """Something that a search found."""

    type: SearchType
    id: str
    """Of the entity; of the session for an entry; of what it is on for a note."""
    entry: str | None
    """Of an entry: its id, as ``sessions/transcript`` and ``sessions/entry`` take it."""
    title: str
    """Of the session or entity."""
    kind: EntryKind | None
    tool: str | None
    timestamp: str | None
    project_id: str | None
    project: str | None
    """Its name."""
    agent: str | None
    model: str | None
    path: str | None
    """Absolute path of the file: the log of an entry, the planning file of a document, task or feature."""
    line: int | None
    """Of a document or task: the line of the first match, counted from 1, where that is known."""
    snippet: list[SnippetPart]
    """The text around the first matches; several pieces of it are joined by an ellipsis."""
    score: float | None
    """Higher is better; null when the newest come first."""
    note_on: EntityType | None = None
    """Of a note: the type of the entity that it is on."""
    copies: int = 0
    """Hits that were left out since they are copies of this one, as forks of a session hold them."""


class FacetValue(Wire, frozen=True):
    value: str
    """As the filter of that name takes it."""
    label: str
    count: int


class Facets(Wire, frozen=True):
    """Hits by what they are of; each list the most frequent first, at most 50."""

    exact: bool
    """False where there were so many hits that only the newest were counted."""
    types: list[FacetValue]
    kinds: list[FacetValue]
    """As the filter ``in:`` takes them."""
    tools: list[FacetValue]
    projects: list[FacetValue]
    agents: list[FacetValue]
    models: list[FacetValue]
    branches: list[FacetValue]


class SearchResult(Wire, frozen=True):
    items: list[SearchHit]
    total: int
    """Hits, copies among them; at least so many where `totalExact` is false."""
    total_exact: bool
    limit: int
    next_cursor: str | None
    facets: Facets | None
    index: TextIndex
    revision: int


class DeepSearchParams(WorkParams, frozen=True, kw_only=True):
    """`pattern` is text as it was written (it is looked for as JSON encodes it too), or with `regex` a regular expression
    of Python's `re` over the bytes of each record, of one line of a log that is. At most 10,000 characters."""

    pattern: str
    regex: bool = False
    ignore_case: bool = False
    """In a regular expression, case of ASCII letters alone."""
    project: str | None = None
    """Its id, root or name. Logs of hidden projects are looked at only where their project or session is named."""
    session: str | None = None
    """With its sub-agents."""
    after: str | None = None
    """Only logs of sessions that ended at or after this time: a day, an ISO 8601 time, or what ``analytics/trends``
    takes."""
    before: str | None = None
    """Only logs of sessions that began before this time."""
    archived: bool = True
    """Also look at archived copies of logs that are gone."""
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 100
    """Matching records after which to stop."""
    context: Annotated[int, Meta(ge=0, le=2000)] = 80
    """Characters shown before and after a match."""


class DeepMatch(Wire, frozen=True):
    """A record with a match, the first of which is shown."""

    session_id: str | None
    entry: str | None
    """Id of the record's first entry in the transcript; null where it has none."""
    path: str
    """Absolute path of the log, or where it was."""
    archived: bool
    """True where it was read from the archive."""
    offset: int
    """First byte of the record in the log."""
    length: int
    line: int
    """Counted from 1."""
    before: str
    match: str
    """At most 2,000 characters of it."""
    after: str
    matches: int
    """Matches in the record."""
    timestamp: str | None


class DeepMatches(Wire, frozen=True):
    """``search/matches``: what a deep search found since the last one, to the connection whose request named the token."""

    token: str | int
    matches: list[DeepMatch]


class DeepSearchResult(Wire, frozen=True):
    """Newest logs first, in the order of each log. With a `workDoneToken`, `matches` is empty: all were sent before."""

    matches: list[DeepMatch]
    found: int
    """Matching records, with those that were sent before."""
    stopped: bool
    """True where `limit` was reached: there may be more."""
    files: int
    """Logs that were looked at."""
    bytes: int
    seconds: float
    problems: list[Problem]
    """Logs and copies that could not be read."""
    revision: int
