"""``assistant`` records of Claude Code: answers, thoughts, tool calls, and what they cost. Pure."""

from __future__ import annotations

from ccdashd.sources.claude_records import Block, Record, ToolInput, tool_input
from ccdashd.sources.log import Log
from ccdashd.sources.model import KIND, Message

SYNTHETIC = "<synthetic>"
"""The model of messages that the agent writes itself, such as API errors."""

EDIT_TOOLS = frozenset({"Edit", "Write", "MultiEdit", "NotebookEdit"})
READ_TOOLS = frozenset({"Read", "NotebookRead"})
TARGET_CAP = 240

_ASSISTANT = KIND["assistant"]
_THINKING = KIND["thinking"]
_TOOL_CALL = KIND["toolCall"]


def assistant(log: Log, record: Record, offset: int, length: int) -> None:
    """One ``assistant`` record: mostly one content block of an API message."""
    message = record.message
    if message is None:
        return
    count_usage(log, record, log.time)
    model = message.model
    if model == SYNTHETIC:
        log.stats.synthetic += 1
        log.stats.api_errors += bool(record.isApiErrorMessage)
        model = None
    content = message.content
    uuid, parent, sidechain = record.uuid, record.parentUuid, record.isSidechain
    if isinstance(content, str):
        log.add(offset, length, 0, _ASSISTANT, uuid, parent, sidechain, content, False, model)
        return
    for number, block in enumerate(content or ()):
        kind = block.type
        if kind == "text":
            log.add(offset, length, number, _ASSISTANT, uuid, parent, sidechain, block.text or "", False, model)
        elif kind == "tool_use":
            target = _tool_use(log, record, block, offset, length, number)
            name, call_id = block.name, block.id
            log.add(offset, length, number, _TOOL_CALL, uuid, parent, sidechain, target, False, model, name, call_id)
        elif kind in ("thinking", "redacted_thinking"):
            log.add(offset, length, number, _THINKING, uuid, parent, sidechain, block.thinking or "", False, model)
        else:
            log.add(offset, length, number, KIND["unknown"], uuid, parent, sidechain, kind, False, model, block.name)


def _tool_use(log: Log, record: Record, block: Block, offset: int, length: int, number: int) -> str:
    call_id = block.id or f"@{offset}.{number}"
    name = block.name or "?"
    given = tool_input(block.input)
    path = given.file_path or given.notebook_path
    target = path or _target(given)
    call = log.call(call_id)
    if call.name is None:
        call.name = name
        call.target = target[:TARGET_CAP]
        call.called_at = log.time
        call.call_offset = offset
        call.call_length = length
        call.sidechain = bool(record.isSidechain)
        if path and (name in EDIT_TOOLS or name in READ_TOOLS):
            update = log.file_update(call_id)
            update.path = path
            update.action = "write" if name == "Write" else "edit" if name in EDIT_TOOLS else "read"
    return target


def _target(given: ToolInput) -> str:
    """What a call acts on, in the order of what says most."""
    return (
        given.command
        or given.pattern
        or given.skill
        or given.url
        or given.query
        or given.description
        or given.path
        or given.filePath
        or given.subject
        or given.taskId
        or given.recipient
        or ""
    )


def count_usage(log: Log, record: Record, time: int | None, *, mirror: bool = False) -> None:
    """The usage of the record's API message, if it has one."""
    message = record.message
    if message is None or message.model == SYNTHETIC:
        return
    message_id = message.id or (f"@{record.uuid}" if record.uuid else None)
    if message_id is None:
        return
    fork = record.forkedFrom is not None
    copied = fork or bool(log.own_id and record.sessionId and record.sessionId != log.own_id)
    usage = message.usage
    if usage is None:
        figures = (0, 0, 0, 0, 0, 0)
    else:
        writes = usage.cache_creation
        five = (writes.ephemeral_5m_input_tokens or 0) if writes is not None else 0
        hour = (writes.ephemeral_1h_input_tokens or 0) if writes is not None else 0
        total = usage.cache_creation_input_tokens
        figures = (
            usage.input_tokens or 0,
            usage.output_tokens or 0,
            usage.cache_read_input_tokens or 0,
            five + hour if total is None else total,
            five,
            hour,
        )
    log.count(
        Message(
            message_id,
            record.requestId or "",
            time,
            message.model or "",
            *figures,
            message.stop_reason is None,
            mirror,
            copied,
            bool(record.isSidechain),
        )
    )
