"""What a reader gathers from one log: the rows, and the helpers that make them. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from ccdashd.sources.model import PAGE, Entry, Event, FileUpdate, Finding, Message, Signal, Stats, Summary, ToolCall

TITLE_CAP = 300
FINDINGS_CAP = 50
"""Findings of one kind kept per piece of a log; the last one counts the rest."""

_BLANKS = re.compile(r"\s+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_parse = datetime.fromisoformat

Turn = Callable[[int, list[Entry], list[str]], None]
"""Takes a page of a transcript: its number, its entries, and the keys of the records that fall on it."""


def _unknown(call_id: str) -> str | None:
    return None


def _drop(page: int, entries: list[Entry], keys: list[str]) -> None:
    """A reader that only wants figures turns pages to nowhere."""


class Log:
    """The rows of one log, or of a piece of it.

    `own_id` is the session that the log belongs to by its name, if that says so. `text_cap` bounds the text kept of one
    prompt or answer, in characters. `turn` takes each page when it is full, so that a long log is never held whole.

    A piece carries on from an earlier one: from its `stats`, the keys that were `seen` (see `canonical_key`), the entries
    of the page that is not full (`tail`), and `tool_name`, which tells the tool of a call by its id.
    """

    def __init__(
        self,
        own_id: str | None = None,
        stats: Stats | None = None,
        seen: set[str] | None = None,
        text_cap: int = 16_384,
        tail: Iterable[Entry] = (),
        tool_name: Callable[[str], str | None] = _unknown,
        turn: Turn = _drop,
    ) -> None:
        self.own_id = own_id
        self.stats = stats if stats is not None else Stats()
        self.seen = seen if seen is not None else set()
        self.fast = not self.seen
        """Whether keys are compared as `fast_key` gives them. A piece compares with keys in their stored form."""
        self.text_cap = text_cap
        self.time: int | None = None
        """Time of the record at hand."""
        self.entries = list(tail)
        """Entries of the page at hand."""
        self.keys: list[str] = []
        """Keys of the new records on the page at hand: that of the entry that would come next when a record is met."""
        self.messages: dict[tuple[str, str], Message] = {}
        self.numbers: dict[tuple[str, str], int] = {}
        """Number of each message among `messages`."""
        self.tool_calls: dict[str, ToolCall] = {}
        self.tool_name = tool_name
        self.file_updates: dict[str, FileUpdate] = {}
        self.summaries: list[Summary] = []
        self.signals: list[Signal] = []
        self.events: list[Event] = []
        self.minutes: set[int] = set()
        """Minutes since the epoch in which a record was written that is not copied."""
        self.findings: list[Finding] = []
        self._found: dict[str, list[Finding]] = {}
        self._page = self.stats.entries // PAGE
        self._turn = turn

    def key(self, uuid: str) -> str:
        """The key of a uuid as this log compares it."""
        return fast_key(uuid) if self.fast else canonical_key(uuid)

    def add(
        self,
        offset: int,
        length: int,
        kind: int,
        uuid: str | None,
        parent: str | None,
        sidechain: bool | None,
        text: str,
        cut: bool = False,
        tool: str | None = None,
        block: int = 0,
    ) -> None:
        """One entry of the transcript, its text cut to `text_cap`."""
        if len(text) > self.text_cap:
            text = text[: self.text_cap]
            cut = True
        self.entries.append(
            Entry(
                offset, length, block, kind, self.time, uuid, parent, text, cut, None, tool, None, False, sidechain is True
            )
        )

    def turn_pages(self) -> None:
        """Give away the pages that are full."""
        while len(self.entries) >= PAGE:
            self._turn(self._page, self.entries[:PAGE], self.keys)
            self._page += 1
            del self.entries[:PAGE]
            self.keys = []

    def close(self) -> None:
        """Give away the last page, and count the entries of all."""
        self.stats.entries = self._page * PAGE + len(self.entries)
        self._turn(self._page, self.entries, self.keys)

    def call(self, call_id: str) -> ToolCall:
        """The tool call of that id, which may be known from its result alone."""
        call = self.tool_calls.get(call_id)
        if call is None:
            call = self.tool_calls[call_id] = ToolCall(call_id)
        return call

    def file_update(self, call_id: str) -> FileUpdate:
        update = self.file_updates.get(call_id)
        if update is None:
            update = self.file_updates[call_id] = FileUpdate(call_id)
        return update

    def find(self, code: str, severity: str, offset: int, length: int, message: str) -> None:
        """Note something that was not understood. At most `FINDINGS_CAP` places of a kind are kept."""
        kept = self._found.setdefault(code, [])
        if len(kept) < FINDINGS_CAP:
            kept.append(Finding(code, severity, offset, length, self.stats.lines, message))
            self.findings.append(kept[-1])
        else:
            kept[-1].count += 1


def merge(known: Message, new: Message) -> Message:
    """Two sightings of one message in one log: the larger figures, the earlier time; complete if either is."""
    if new.output != known.output:
        larger = new if new.output > known.output else known
    else:
        larger = known if new.lower_bound and not known.lower_bound else new
    if new.time is not None and (known.time is None or new.time < known.time):
        larger.time = new.time
    else:
        larger.time = known.time
    larger.model = larger.model or known.model or new.model
    larger.lower_bound = known.lower_bound and new.lower_bound
    larger.mirror = known.mirror and new.mirror
    larger.copied = known.copied and new.copied
    larger.sidechain = known.sidechain and new.sidechain
    larger.web_searches = max(known.web_searches, new.web_searches)
    larger.fast = known.fast or new.fast
    if known.reported is not None and new.reported is not None:
        larger.reported = max(known.reported, new.reported)
    else:
        larger.reported = new.reported if known.reported is None else known.reported
    return larger


def milliseconds(timestamp: str | None) -> int | None:
    """An ISO 8601 time as milliseconds since the epoch; None for what is none (some logs have placeholders)."""
    if not timestamp:
        return None
    try:
        moment = _parse(timestamp)
        since = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)) - _EPOCH
    except (OverflowError, ValueError):
        return None
    if len(timestamp) == 24:
        # As agents write it, with whole milliseconds: no need of a float.
        return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000
    return round(since.total_seconds() * 1000)


def title(text: str) -> str:
    """The text on one line, short enough for a list."""
    return _BLANKS.sub(" ", text[: 4 * TITLE_CAP]).strip()[:TITLE_CAP]


# --- keys of uuids: their first and last eight hexadecimal digits, stored as eight bytes ---
# Random uuids differ in either, those made from a clock in the last, those that a hand or a test counts up in one of them.


def fast_key(uuid: str) -> str:
    """The key of a uuid as it is compared within one piece."""
    return uuid[:8] + uuid[28:] if len(uuid) == 36 else canonical_key(uuid)


def canonical_key(uuid: str) -> str:
    """The key of a uuid, or of its key, as it comes back from `unpack_keys`; a hash where it is no uuid."""
    ends = uuid[:8] + uuid[28:] if len(uuid) == 36 else uuid
    if len(ends) == 16:
        try:
            digits = bytes.fromhex(ends)
        except ValueError:
            digits = b""
        if len(digits) == 8:
            return digits.hex()
    return hashlib.blake2b(ends.encode("utf-8", "replace"), digest_size=8).hexdigest()


def pack_key(key: str) -> bytes:
    """Eight bytes for a uuid or for the key of one."""
    return bytes.fromhex(canonical_key(key))


def pack_keys(keys: list[str]) -> bytes:
    """Eight bytes for each key."""
    try:
        packed = bytes.fromhex("".join(keys))
    except ValueError:
        packed = b""
    return packed if len(packed) == 8 * len(keys) else b"".join(map(pack_key, keys))


def unpack_keys(packed: bytes) -> set[str]:
    """The keys in the form that `canonical_key` gives."""
    text = packed.hex()
    return {text[i : i + 16] for i in range(0, len(text), 16)}


class StoredKeys(set[str]):
    """Keys of which most are left packed: an append asks for few, so unpacking all would cost more than it saves."""

    def __init__(self, packed: bytes) -> None:
        super().__init__()
        self._packed = packed

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (isinstance(key, str) and self._stored(pack_key(key)))

    def __bool__(self) -> bool:
        return bool(self._packed) or len(self) > 0

    def _stored(self, key: bytes) -> bool:
        place = self._packed.find(key)
        while place > 0 and place % 8:
            place = self._packed.find(key, place + 1)
        return place >= 0
