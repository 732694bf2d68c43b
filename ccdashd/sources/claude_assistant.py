"""``assistant`` records of Claude Code: answers, thoughts, tool calls, and what they cost. Pure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from ccdashd.sources import signals
from ccdashd.sources.claude_events import event, is_copied
from ccdashd.sources.claude_records import Block, Record, ToolInput, tool_input
from ccdashd.sources.log import Log, merge
from ccdashd.sources.model import KIND, Entry, Message, ToolCall

SYNTHETIC = "<synthetic>"
"""The model of messages that the agent writes itself, such as API errors."""

ACTIONS = {
    "Edit": "edit",
    "MultiEdit": "edit",
    "NotebookEdit": "edit",
    "Write": "write",
    "Read": "read",
    "NotebookRead": "read",
}
"""What the tools that act on one file do to it."""
TARGET_CAP = 240

_SAYING = frozenset({"Bash", "SlashCommand", "Skill"})

_ASSISTANT = KIND["assistant"]
_THINKING = KIND["thinking"]
_TOOL_CALL = KIND["toolCall"]
_UNKNOWN = KIND["unknown"]


def assistant(log: Log, record: Record, offset: int, length: int) -> None:
    """One ``assistant`` record: mostly one content block of an API message."""
    message = record.message
    if message is None:
        return
    time = log.time
    counted = count_usage(log, record, time)
    model = message.model
    if model == SYNTHETIC:
        log.stats.synthetic += 1
        if record.isApiErrorMessage is True:
            log.stats.api_errors += 1
            event(log, record, "api_error")
        model = None
    content = message.content
    if isinstance(content, str):
        content = [Block("text", content)]
    elif content is None:
        return
    uuid, parent, sidechain = record.uuid, record.parentUuid, record.isSidechain is True
    cap = log.text_cap
    # Entries are made here at one place, without `Log.add`: there are as many as all other entries together.
    for number, block in enumerate(content):
        tool = call_id = None
        if block.type == "tool_use":
            kind, tool, call_id = _TOOL_CALL, block.name, block.id
            text = _tool_use(log, block, offset, length, number, sidechain, counted)
        elif block.type == "text":
            kind, text = _ASSISTANT, block.text or ""
        elif block.type in ("thinking", "redacted_thinking"):
            kind, text = _THINKING, block.thinking or ""
        else:
            kind, text, tool = _UNKNOWN, block.type, block.name
        cut = len(text) > cap
        if cut:
            text = text[:cap]
        log.entries.append(
            Entry(offset, length, number, kind, time, uuid, parent, text, cut, model, tool, call_id, False, sidechain)
        )


def _tool_use(log: Log, block: Block, offset: int, length: int, number: int, sidechain: bool, message: int | None) -> str:
    """Note a tool call of the message of that number; returns what it acts on."""
    call_id = block.id or f"@{offset}.{number}"
    name = block.name or "?"
    given = tool_input(block.input)
    path = given.file_path or given.notebook_path
    target = path or _target(given)
    call = log.tool_calls.get(call_id)
    if call is None:
        log.tool_calls[call_id] = call = ToolCall(call_id)
    elif call.name is not None:
        return target  # the first record of a call counts
    call.name = name
    call.target = target[:TARGET_CAP]
    call.called_at = log.time
    call.call_offset = offset
    call.call_length = length
    call.sidechain = sidechain
    call.message = message
    if name in _SAYING:
        _signal(log, call_id, name, given, offset)
    action = ACTIONS.get(name) if path else None
    if action is not None:
        update = log.file_update(call_id)
        update.path = path
        update.action = action
        update.time = log.time
    return target


def _signal(log: Log, call_id: str, name: str, given: ToolInput, offset: int) -> None:
    """Note what a shell line or a command that the agent gave says of plans, unless an earlier piece has the call."""
    if name == "Bash":
        if given.command and ".md" in given.command and log.tool_name(call_id) is None:
            signals.shell(log, offset, given.command)
        return
    words = given.command if name == "SlashCommand" else f"{given.skill} {given.args or ''}" if given.skill else None
    if words and log.tool_name(call_id) is None:
        signals.command(log, offset, words if words.startswith("/") else f"/{words}")


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


def count_usage(log: Log, record: Record, time: int | None, *, mirror: bool = False) -> int | None:
    """The usage of the record's API message; returns the message's number, or None where the record has none."""
    message = record.message
    if message is None or message.model == SYNTHETIC:
        return None
    message_id = message.id or (f"@{record.uuid}" if record.uuid else None)
    if message_id is None:
        return None
    fresh = five = hour = written = read = output = searches = 0
    fast = False
    usage = message.usage
    if usage is not None:
        writes = usage.cache_creation
        if writes is not None:
            five = writes.ephemeral_5m_input_tokens or 0
            hour = writes.ephemeral_1h_input_tokens or 0
        total = usage.cache_creation_input_tokens
        written = five + hour if total is None else total
        fresh = usage.input_tokens or 0
        read = usage.cache_read_input_tokens or 0
        output = usage.output_tokens or 0
        fast = usage.speed == "fast"
        if usage.server_tool_use is not None:
            searches = usage.server_tool_use.web_search_requests or 0
    request_id = record.requestId or ""
    sighting = Message(
        message_id,
        request_id,
        time,
        message.model or "",
        fresh,
        output,
        read,
        written,
        five,
        hour,
        message.stop_reason is None,
        mirror,
        is_copied(log, record),
        record.isSidechain is True,
        searches,
        fast,
        _reported(bytes(record.costUSD)) if record.costUSD else None,
    )
    key = (message_id, request_id)
    known = log.messages.get(key)
    if known is None:
        log.messages[key] = sighting
        log.numbers[key] = number = len(log.numbers)
        return number
    log.messages[key] = merge(known, sighting)
    return log.numbers[key]


REPORTED_CAP = 100_000
"""US dollars: no message costs more, so a larger amount is damage."""


def _reported(number: bytes) -> int | None:
    """What the agent says that a message cost, a JSON number of US dollars, in 10^-12 dollars; None for what is none."""
    try:
        dollars = Decimal(number.decode("ascii"))
        if not 0 <= dollars <= REPORTED_CAP:
            return None
    except (InvalidOperation, UnicodeDecodeError):
        return None
    return round(dollars.scaleb(12))
