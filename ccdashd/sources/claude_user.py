"""``user`` records of Claude Code: what a person typed, what tools answered, and what the agent's host put there. Pure."""

from __future__ import annotations

import msgspec

from ccdashd.sources import lines, prompts, signals
from ccdashd.sources.claude_events import event
from ccdashd.sources.claude_records import Block, Record, ToolUseResult
from ccdashd.sources.log import Log, title
from ccdashd.sources.model import KIND, Entry

RESULT_CAP = 400
"""Bytes kept of a tool's output: enough for a line in a list; the whole is read from the log."""

_TOOL_RESULT = KIND["toolResult"]
_EVENTS = frozenset({"prompt", "command", "bash", "interrupt"})


def user(log: Log, record: Record, offset: int, length: int) -> None:
    """One ``user`` record; nine of ten hold tool results."""
    message = record.message
    content = message.content if message is not None else None
    if isinstance(content, list):
        _blocks(log, record, content, offset, length)
    elif content is not None:
        _said(log, record, content, [], offset, length)


def _blocks(log: Log, record: Record, content: list[Block], offset: int, length: int) -> None:
    texts: list[str] = []
    marks: list[str] = []
    results = False
    for number, block in enumerate(content):
        kind = block.type
        if kind == "tool_result":
            results = True
            _tool_result(log, record, block, offset, length, number)
        elif kind == "text":
            texts.append(block.text or "")
        elif kind in ("image", "document"):
            marks.append(f"[{kind}]")
    if results:
        # Text that rides in a tool result's record was typed while the agent worked.
        steering = prompts.typed("\n".join(texts)) if texts else ""
        if steering and not record.isMeta and not record.isSidechain:
            log.stats.steering += 1
            event(log, record, "steering")
            number = len(content)
            uuid, parent = record.uuid, record.parentUuid
            signals.prompt(log, offset, steering)
            log.add(offset, length, KIND["steering"], uuid, parent, False, steering, block=number)
    elif texts or marks:
        _said(log, record, "\n".join(texts), marks, offset, length)


def _said(log: Log, record: Record, text: str, marks: list[str], offset: int, length: int) -> None:
    """What was said, with marks for images and documents that came along."""
    words = prompts.typed(text)
    if record.isCompactSummary or record.isVisibleInTranscriptOnly:
        kind = "compactSummary"
    elif record.isMeta:
        kind = "meta"
    elif not words and not marks:
        kind, words = "meta", text
    else:
        kind = prompts.classify(words)
    if kind == "prompt":
        signals.prompt(log, offset, words)
    if kind == "prompt" and record.isSidechain:
        stats = log.stats
        stats.sidechain_prompts += 1
        stats.sidechain_roots += record.parentUuid is None
        stats.agent_prompt = stats.agent_prompt or title(words)
    else:
        _count(log, kind, words, offset)
        if kind in _EVENTS:
            event(log, record, kind)
    parent = record.parentUuid
    said = "\n".join(filter(None, (words, *marks)))
    log.add(offset, length, KIND[kind], record.uuid, parent, record.isSidechain, said)


def _count(log: Log, kind: str, words: str, offset: int) -> None:
    stats = log.stats
    if kind == "prompt":
        stats.prompts += 1
        time = log.time
        earlier = time is not None and stats.first_prompt_at is not None and time < stats.first_prompt_at
        if not stats.first_prompt or earlier:
            stats.first_prompt = title(words) or "[image]"
            stats.first_prompt_at = time
    elif kind == "command":
        stats.commands += 1
        name, arguments = prompts.command(words)
        stats.command_names[name] = stats.command_names.get(name, 0) + 1
        stats.first_command = stats.first_command or title(f"{name} {arguments}")
        if name:
            signals.command(log, offset, f"{name} {arguments}")
    elif kind == "meta":
        stats.meta += 1
    elif kind == "bash":
        stats.bash_inputs += 1
    elif kind == "interrupt":
        stats.interrupts += 1
    elif kind == "notification":
        stats.notifications += 1
    elif kind == "teammate":
        stats.teammate_messages += 1


def _tool_result(log: Log, record: Record, block: Block, offset: int, length: int, number: int) -> None:
    call_id = block.tool_use_id or ""
    is_error = block.is_error is True
    call = log.call(call_id)
    if call.status is None:
        call.status = "error" if is_error else "success"
        call.ended_at = log.time
        call.result_offset = offset
        call.result_length = length
    elif is_error:
        call.status = "error"
    result = record.toolUseResult
    if isinstance(result, ToolUseResult):
        if result.agent_id:
            call.agent_id = call.agent_id or result.agent_id
            log.stats.agent_ids[result.agent_id] = log.stats.agent_ids.get(result.agent_id, 0) + 1
        if result.structured_patch is not None or result.type == "create":
            _patch(log, call_id, result)
    text, cut = _result_text(block.content)
    if len(text) > log.text_cap:
        text = text[: log.text_cap]
        cut = True
    tool = call.name or log.tool_name(call_id)
    if tool == "Bash":
        signals.commits(log, offset, bytes(block.content))
    sidechain = record.isSidechain is True
    log.entries.append(
        Entry(
            offset,
            length,
            number,
            _TOOL_RESULT,
            log.time,
            record.uuid,
            record.parentUuid,
            text,
            cut,
            None,
            tool,
            call_id,
            is_error,
            sidechain,
        )
    )


def _patch(log: Log, call_id: str, result: ToolUseResult) -> None:
    """Lines of the recorded patch. A file that was created has none: its lines are those of its content."""
    additions = deletions = 0
    for hunk in result.structured_patch or ():
        for line in hunk.lines:
            first = line[:1]
            if first == "+":
                additions += 1
            elif first == "-":
                deletions += 1
    update = log.file_update(call_id)
    update.created = result.type == "create"
    if update.created and not additions:
        additions = lines.count_lines(result.content) if lines.is_string(result.content) else 0
    update.additions = additions
    update.deletions = deletions


class _TextBlock(msgspec.Struct, gc=False):
    type: str = ""
    text: msgspec.Raw = msgspec.Raw()


_decode_blocks = msgspec.json.Decoder(list[_TextBlock]).decode


def _result_text(raw: msgspec.Raw) -> tuple[str, bool]:
    """The beginning of a tool's output: a string, or the text among a list of blocks."""
    data = memoryview(raw)
    first = bytes(data[:1])
    if first == b'"':
        return lines.head(data, RESULT_CAP)
    if first != b"[":
        return "", False
    try:
        blocks = _decode_blocks(raw)
    except msgspec.DecodeError:
        return "", True
    text = ""
    cut = False
    for block in blocks:
        piece, more = lines.head(memoryview(block.text), RESULT_CAP) if block.type == "text" else (f"[{block.type}]", True)
        text = f"{text}\n{piece}" if text else piece
        cut = cut or more
    return text[: 2 * RESULT_CAP], cut
