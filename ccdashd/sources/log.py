"""What a reader gathers from one log: the rows, and the helpers that make them. Pure."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

from ccdashd.sources.model import PAGE, Entry, FileUpdate, Finding, Message, ParsedLog, Stats, Summary, ToolCall

TITLE_CAP = 300
FINDINGS_CAP = 50
"""Findings of one kind kept per piece of a log; the last one counts the rest."""

_BLANKS = re.compile(r"\s+")


class Log:
    """The rows of one log, or of a piece of it.

    `own_id` is the session that the log belongs to by its name, if that says so. `stats` and `seen` (keys of uuids, see
    `key`) carry on from an earlier piece. `text_cap` bounds the text kept of one prompt or answer, in characters.
    """

    def __init__(
        self,
        own_id: str | None = None,
        stats: Stats | None = None,
        seen: set[str] | None = None,
        text_cap: int = 16_384,
    ) -> None:
        self.own_id = own_id
        self.stats = stats if stats is not None else Stats()
        self.seen = seen if seen is not None else set()
        # A piece compares with keys that were stored, so it needs them in their stored form.
        self.key = canonical_key if self.seen else fast_key
        self.text_cap = text_cap
        self.time: int | None = None
        """Time of the record at hand."""
        self.entries: list[Entry] = []
        self.first = self.stats.entries
        """Index of the first new entry."""
        self.keys: dict[int, list[str]] = {}
        """Keys of the new records by the page of the transcript that they fall on."""
        self.messages: dict[tuple[str, str], Message] = {}
        self.tool_calls: dict[str, ToolCall] = {}
        self.file_updates: dict[str, FileUpdate] = {}
        self.summaries: list[Summary] = []
        self.findings: list[Finding] = []
        self._found: dict[str, list[Finding]] = {}
        self._minute = ""
        self._base = 0

    def milliseconds(self, timestamp: str | None) -> int | None:
        """As the function of that name; consecutive records mostly share the minute, which is then not parsed again."""
        if timestamp is None:
            return None
        if timestamp[:17] == self._minute and timestamp[19:20] == "." and timestamp[23:] == "Z":
            try:
                return self._base + int(timestamp[17:19]) * 1000 + int(timestamp[20:23])
            except ValueError:
                return None
        value = milliseconds(timestamp)
        if value is not None and len(timestamp) == 24 and timestamp[19] == "." and timestamp[23] == "Z":
            self._minute = timestamp[:17]
            self._base = value // 60_000 * 60_000
        return value

    def add(
        self,
        offset: int,
        length: int,
        block: int,
        kind: int,
        uuid: str | None,
        parent: str | None,
        sidechain: bool | None,
        text: str,
        cut: bool = False,
        model: str | None = None,
        tool: str | None = None,
        tool_use_id: str | None = None,
        is_error: bool = False,
    ) -> None:
        """One entry of the transcript, its text cut to `text_cap`."""
        if len(text) > self.text_cap:
            text = text[: self.text_cap]
            cut = True
        self.entries.append(
            Entry(
                offset,
                length,
                block,
                kind,
                self.time,
                uuid,
                parent,
                text,
                cut,
                model,
                tool,
                tool_use_id,
                is_error,
                bool(sidechain),
            )
        )

    def note(self, key: str) -> bool:
        """Remember the key of a record; False when it was known."""
        if key in self.seen:
            return False
        self.seen.add(key)
        page = (self.first + len(self.entries)) // PAGE
        keys = self.keys.get(page)
        if keys is None:
            self.keys[page] = [key]
        else:
            keys.append(key)
        return True

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

    def count(self, message: Message) -> None:
        """The usage of an API message, which may have been seen before in this log."""
        key = (message.message_id, message.request_id)
        known = self.messages.get(key)
        self.messages[key] = message if known is None else merge(known, message)

    def find(self, code: str, severity: str, offset: int, length: int, message: str) -> None:
        """Note something that was not understood. At most `FINDINGS_CAP` places of a kind are kept."""
        kept = self._found.setdefault(code, [])
        if len(kept) < FINDINGS_CAP:
            kept.append(Finding(code, severity, offset, length, self.stats.lines, message))
            self.findings.append(kept[-1])
        else:
            kept[-1].count += 1

    def result(self, start: int, end: int) -> ParsedLog:
        """All rows since this was made."""
        self.stats.entries += len(self.entries)
        return ParsedLog(
            start,
            end,
            self.stats,
            self.entries,
            {page: pack_keys(keys) for page, keys in self.keys.items()},
            list(self.messages.values()),
            [call for call in self.tool_calls.values() if call.tool_use_id],
            list(self.file_updates.values()),
            self.summaries,
            self.findings,
        )


def merge(known: Message, new: Message) -> Message:
    """Two sightings of one message in one log: the larger output, the earlier time; complete if either is."""
    larger = new if (new.output, not new.lower_bound) >= (known.output, not known.lower_bound) else known
    if new.time is not None and (known.time is None or new.time < known.time):
        larger.time = new.time
    else:
        larger.time = known.time
    larger.model = larger.model or known.model or new.model
    larger.lower_bound = known.lower_bound and new.lower_bound
    larger.mirror = known.mirror and new.mirror
    larger.copied = known.copied and new.copied
    larger.sidechain = known.sidechain and new.sidechain
    return larger


def milliseconds(timestamp: str | None) -> int | None:
    """An ISO 8601 time as milliseconds since the epoch; None for what is none (some logs have placeholders)."""
    if not timestamp:
        return None
    try:
        moment = datetime.fromisoformat(timestamp)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (OverflowError, ValueError):
        return None


def title(text: str) -> str:
    """The text on one line, short enough for a list."""
    return _BLANKS.sub(" ", text[: 4 * TITLE_CAP]).strip()[:TITLE_CAP]


# --- keys of uuids: the first half, 16 hexadecimal digits, stored as eight bytes ---


def fast_key(uuid: str) -> str:
    """The key of a uuid as it is compared within one piece."""
    return uuid[:18] if len(uuid) == 36 else canonical_key(uuid)


def canonical_key(uuid: str) -> str:
    """The key of a uuid as it comes back from `unpack_keys`; a hash where it is no uuid."""
    half = uuid[:18] if len(uuid) == 36 else uuid
    if len(half) == 18 and half[8] == half[13] == "-":
        try:
            return _dashed(bytes.fromhex(half[:8] + half[9:13] + half[14:18]).hex())
        except ValueError:
            pass
    return _dashed(hashlib.blake2b(half.encode("utf-8", "replace"), digest_size=8).hexdigest())


def pack_key(key: str) -> bytes:
    """Eight bytes for a uuid or for the key of one."""
    return bytes.fromhex(canonical_key(key).replace("-", ""))


def pack_keys(keys: list[str]) -> bytes:
    """Eight bytes for each key."""
    try:
        packed = bytes.fromhex("".join(keys).replace("-", ""))
    except ValueError:
        packed = b""
    return packed if len(packed) == 8 * len(keys) else b"".join(map(pack_key, keys))


def unpack_keys(packed: bytes) -> set[str]:
    """The keys in the form that `canonical_key` gives."""
    text = packed.hex()
    return {_dashed(text[i : i + 16]) for i in range(0, len(text), 16)}


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}"
