"""Reader of Claude Code's session logs (``~/.claude/projects/<slug>/<session>.jsonl``). Pure.

The format has no specification; what is read here was seen in logs of versions 1.0.24 to 2.1.237. Rules that count:

- An API message is written as several records, one per content block, each with the usage known at that moment. One usage
  counts per (message id, request id): the largest, which is that of the last record.
- A record that stands twice (same uuid) counts once. So does what a ``progress`` record mirrors from a sub-agent's log.
- A tool call and its result are joined by id; either may come first or be missing.
- ``<synthetic>`` messages are written by the agent itself: they have neither model nor usage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec

from ccdashd.sources import lines, prompts, signals
from ccdashd.sources.claude_assistant import assistant, count_usage
from ccdashd.sources.claude_events import event
from ccdashd.sources.claude_records import AgentMeta, Record, decode_meta, decode_progress, decode_record, lenient
from ccdashd.sources.claude_user import user
from ccdashd.sources.feed import Feed
from ccdashd.sources.log import Log, milliseconds, pack_key, title
from ccdashd.sources.model import KIND, PAGE, Summary

AGENT = "claude-code"

STATE_TYPES = frozenset(
    {
        "agent-name",
        "agent-setting",
        "atis-latch",
        "bridge-session",
        "file-history-delta",
        "file-history-snapshot",
        "last-prompt",
        "mode",
        "permission-mode",
        "relocated",
        "worktree-state",
    }
)
"""State that the agent keeps in its log for itself: counted by type, not shown in transcripts."""

ATTACHMENT_CAP = 400
"""Bytes kept of an attachment's text; the whole is read from the log."""


class ClaudeCodeReader(Feed[Record]):
    """Reads the bytes of one log into the rows of a `Log`."""

    def __init__(self, log: Log) -> None:
        super().__init__(log, decode_record, lenient)
        self._place: tuple[str | None, str | None, str | None, str | None] = (None, None, None, None)
        self._place_count = 0
        self._foreign = False
        """Whether the record at hand names another session than the log's own."""
        self._minute = -1

    def record(self, record: Record, offset: int, length: int) -> None:
        """One record: its time and place, whether it stood in the log before, then what its type means.

        This runs for every line of every log, so steps of one use stand here and not in functions of their own.
        """
        log = self.log
        stats = log.stats
        kind = record.type or ""
        name = f"system/{record.subtype}" if kind == "system" and record.subtype else kind
        types = stats.record_types
        types[name] = types.get(name, 0) + 1
        time = log.time = milliseconds(record.timestamp)
        if time is not None:
            if stats.ended_at is None or stats.started_at is None:
                stats.started_at = stats.ended_at = time
            elif time > stats.ended_at:
                stats.ended_at = time
            elif time < stats.started_at:
                stats.started_at = time
        place = (record.sessionId, record.cwd, record.gitBranch, record.version)
        if place != self._place:
            self.flush()
            self._place = place
            self._foreign = bool(log.own_id and record.sessionId and record.sessionId != log.own_id)
        self._place_count += 1
        if time is not None:
            minute = time // 60_000
            if minute != self._minute and not self._foreign and record.forkedFrom is None:
                self._minute = minute
                log.minutes.add(minute)

        if kind == "progress":
            _progress(log, record, offset, length)
            return
        key: str | None
        uuid = record.uuid
        if uuid is not None:
            key = uuid[:8] + uuid[28:] if log.fast and len(uuid) == 36 else log.key(uuid)
        else:
            key = _queue_key(log, record) if record.operation == "enqueue" else None
        if key is not None:
            if key in log.seen:
                stats.duplicates += 1
                if kind == "assistant":
                    # A later copy may hold the larger usage; nothing else of it counts.
                    count_usage(log, record, time)
                return
            log.seen.add(key)
            log.keys.append(key)
        if kind in ("user", "assistant") and uuid is not None and not stats.root_uuid:
            stats.root_uuid = uuid

        handler = _HANDLERS.get(kind)
        if handler is not None:
            handler(log, record, offset, length)
        elif kind not in STATE_TYPES:
            _unknown(log, record, kind, offset, length)
        if len(log.entries) >= PAGE:
            log.turn_pages()

    def flush(self) -> None:
        """Count the records since the last flush and their place, which consecutive ones mostly share; due at the end."""
        count, self._place_count = self._place_count, 0
        if not count:
            return
        stats = self.log.stats
        stats.records += count
        session_id, cwd, branch, version = self._place
        if session_id:
            stats.session_ids[session_id] = stats.session_ids.get(session_id, 0) + count
        if cwd:
            stats.cwd = stats.cwd or cwd
            stats.cwds[cwd] = stats.cwds.get(cwd, 0) + count
        if branch:
            stats.git_branch = branch
            stats.git_branches[branch] = stats.git_branches.get(branch, 0) + count
        if version:
            stats.version = version
            stats.versions[version] = stats.versions.get(version, 0) + count


def _queue_key(log: Log, record: Record) -> str:
    """The key of what was queued, which has no uuid: a hash of its time and words."""
    words = f"{record.timestamp}{bytes(record.content)!r}"
    return log.key(hashlib.blake2b(words.encode("utf-8", "replace"), digest_size=16).hexdigest())


def _unknown(log: Log, record: Record, kind: str, offset: int, length: int) -> None:
    unknown = log.stats.unknown_types
    unknown[kind] = unknown.get(kind, 0) + 1
    if unknown[kind] == 1:
        name = f"of unknown type {kind!r}" if kind else "without a type"
        log.find("unknown-type", "info", offset, length, f"a record {name}; it is counted and shown as it is")
    _add(log, record, offset, length, "unknown", kind)


def _add(
    log: Log, record: Record, offset: int, length: int, kind: str, text: str, cut: bool = False, tool: str | None = None
) -> None:
    parent = record.parentUuid or record.logicalParentUuid
    log.add(offset, length, KIND[kind], record.uuid, parent, record.isSidechain, text, cut, tool)


def _progress(log: Log, record: Record, offset: int, length: int) -> None:
    """Only what mirrors a sub-agent's message: its usage is the one source where the sub-agent's log is gone."""
    data = bytes(record.data)
    # Progress of other kinds begins with its type, and may be large. In that of agents the type stands behind the message,
    # before a prompt of any length.
    if b'"agent_progress"' not in (data[:256] if data.startswith(b'{"type":') else data):
        return
    try:
        progress = decode_progress(data)
    except msgspec.DecodeError:
        log.find("odd-progress", "info", offset, length, "an agent_progress record has an unknown shape")
        return
    if progress.type != "agent_progress":
        return
    if progress.agentId:
        log.stats.agent_ids[progress.agentId] = log.stats.agent_ids.get(progress.agentId, 0) + 1
        if record.parentToolUseID:
            call = log.call(record.parentToolUseID)
            call.agent_id = call.agent_id or progress.agentId
    mirrored = progress.message
    if mirrored is not None and mirrored.type == "assistant" and mirrored.message is not None:
        time = milliseconds(mirrored.timestamp) or log.time
        mirror = Record(message=mirrored.message, requestId=mirrored.requestId, isSidechain=True)
        count_usage(log, mirror, time, mirror=True)


def _system(log: Log, record: Record, offset: int, length: int) -> None:
    subtype = record.subtype or "system"
    text, cut = lines.head(memoryview(record.content), log.text_cap) if lines.is_string(record.content) else ("", False)
    if subtype == "compact_boundary":
        log.stats.compactions += 1
        event(log, record, "compaction")
        _add(log, record, offset, length, "compaction", text, cut)
        return
    if subtype == "api_error":
        log.stats.api_errors += 1
        event(log, record, "api_error")
    _add(log, record, offset, length, "system", text or subtype, cut, subtype)


def _attachment(log: Log, record: Record, offset: int, length: int) -> None:
    attachment = record.attachment
    if attachment is None:
        return
    kind = attachment.type or "attachment"
    if kind == "queued_command":
        human = (attachment.origin or {}).get("kind") in (None, "human")
        log.stats.steering += human
        if human:
            event(log, record, "steering")
            signals.prompt(log, offset, attachment.prompt or "")
        _add(log, record, offset, length, "steering" if human else "attachment", attachment.prompt or "")
        return
    content = attachment.content
    text, cut = lines.head(memoryview(content), ATTACHMENT_CAP) if lines.is_string(content) else ("", False)
    _add(log, record, offset, length, "attachment", text, cut, kind)


def _queue(log: Log, record: Record, offset: int, length: int) -> None:
    if record.operation == "enqueue" and lines.is_string(record.content):
        text, cut = lines.head(memoryview(record.content), log.text_cap)
        kind = prompts.classify(prompts.typed(text))
        _add(log, record, offset, length, "queued" if kind == "prompt" else kind, text, cut)


def _summary(log: Log, record: Record, offset: int, length: int) -> None:
    if record.summary:
        leaf = pack_key(record.leafUuid) if record.leafUuid else b""
        log.summaries.append(Summary(offset, leaf, title(record.summary)))
        _add(log, record, offset, length, "summary", record.summary)


def _title(log: Log, record: Record, offset: int, length: int) -> None:
    if record.customTitle is not None:
        log.stats.custom_title = title(record.customTitle)
    if record.aiTitle is not None:
        log.stats.ai_title = title(record.aiTitle)


def _pr_link(log: Log, record: Record, offset: int, length: int) -> None:
    if record.prUrl:
        log.stats.pr_links[record.prUrl] = log.stats.pr_links.get(record.prUrl, 0) + 1


_HANDLERS: dict[str, Callable[[Log, Record, int, int], None]] = {
    "user": user,
    "assistant": assistant,
    "system": _system,
    "attachment": _attachment,
    "queue-operation": _queue,
    "summary": _summary,
    "custom-title": _title,
    "ai-title": _title,
    "pr-link": _pr_link,
}


def agent_meta(data: bytes) -> AgentMeta:
    """What ``agent-<id>.meta.json`` says; empty where it is unreadable."""
    try:
        return decode_meta(data)
    except msgspec.DecodeError:
        return AgentMeta()
