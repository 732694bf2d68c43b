"""Typed shapes of Claude Code's records: only the fields that are used; msgspec skips the rest without building it.

A record whose fields have other types than these is read again by `lenient`, which drops the fields that do not fit
and keeps the rest.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec

from ccdashd.sources import lines

S = TypeVar("S", bound=msgspec.Struct)

TOKENS_CAP = 10**12
"""Most tokens that one message can have used: a damaged number must not overflow the sums of a database."""

SEARCHES_CAP = 10**6
"""The same of searches."""

TokenCount = Annotated[int, msgspec.Meta(ge=0, le=TOKENS_CAP)]


class CacheCreation(msgspec.Struct, gc=False):
    ephemeral_5m_input_tokens: TokenCount | None = None
    ephemeral_1h_input_tokens: TokenCount | None = None


class ServerToolUse(msgspec.Struct, gc=False):
    web_search_requests: Annotated[int, msgspec.Meta(ge=0, le=SEARCHES_CAP)] | None = None


class Usage(msgspec.Struct, gc=False):
    input_tokens: TokenCount | None = None
    output_tokens: TokenCount | None = None
    cache_read_input_tokens: TokenCount | None = None
    cache_creation_input_tokens: TokenCount | None = None
    cache_creation: CacheCreation | None = None
    server_tool_use: ServerToolUse | None = None
    speed: str | None = None


class Block(msgspec.Struct, gc=False):
    """A content block. `input` and `content` stay encoded: they are large and rarely needed whole."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw()
    tool_use_id: str | None = None
    is_error: bool | None = None
    content: msgspec.Raw = msgspec.Raw()


class ApiMessage(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    content: str | list[Block] | None = None
    stop_reason: str | None = None
    usage: Usage | None = None


class Hunk(msgspec.Struct, gc=False):
    lines: list[str] = []


class ToolUseResult(msgspec.Struct, rename="camel", gc=False):
    """The fields of interest among all tools' results."""

    structured_patch: list[Hunk] | None = None
    agent_id: str | None = None
    agent_type: str | None = None
    file_path: str | None = None
    type: str | None = None
    content: msgspec.Raw = msgspec.Raw()


class ProgressMessage(msgspec.Struct, gc=False):
    """The record that an ``agent_progress`` mirrors."""

    type: str | None = None
    message: ApiMessage | None = None
    timestamp: str | None = None
    requestId: str | None = None


class AgentProgress(msgspec.Struct, gc=False):
    type: str | None = None
    agentId: str | None = None
    message: ProgressMessage | None = None


class Attachment(msgspec.Struct, gc=False):
    type: str | None = None
    prompt: str | None = None
    content: msgspec.Raw = msgspec.Raw()
    origin: dict[str, Any] | None = None


class ForkedFrom(msgspec.Struct, gc=False):
    sessionId: str | None = None


class Record(msgspec.Struct, gc=False):
    """One line of a log, in the writer's own names, and first in its order: the decoder looks for each from the last on."""

    parentUuid: str | None = None
    isSidechain: bool | None = None
    cwd: str | None = None
    sessionId: str | None = None
    version: str | None = None
    gitBranch: str | None = None
    slug: str | None = None
    agentId: str | None = None
    type: str | None = None
    message: ApiMessage | None = None
    requestId: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    uuid: str | None = None
    timestamp: str | None = None
    toolUseResult: ToolUseResult | str | list[msgspec.Raw] | int | float | bool | None = None
    parentToolUseID: str | None = None
    logicalParentUuid: str | None = None
    isMeta: bool | None = None
    isCompactSummary: bool | None = None
    isVisibleInTranscriptOnly: bool | None = None
    isApiErrorMessage: bool | None = None
    subtype: str | None = None
    content: msgspec.Raw = msgspec.Raw()
    operation: str | None = None
    summary: str | None = None
    leafUuid: str | None = None
    customTitle: str | None = None
    aiTitle: str | None = None
    prUrl: str | None = None
    attachment: Attachment | None = None
    forkedFrom: ForkedFrom | None = None
    costUSD: msgspec.Raw = msgspec.Raw()


class ToolInput(msgspec.Struct, gc=False):
    """The fields of tool inputs that say what a call acts on."""

    file_path: str | None = None
    notebook_path: str | None = None
    path: str | None = None
    filePath: str | None = None
    command: str | None = None
    pattern: str | None = None
    description: str | None = None
    subagent_type: str | None = None
    skill: str | None = None
    args: str | None = None
    url: str | None = None
    query: str | None = None
    subject: str | None = None
    taskId: str | None = None
    recipient: str | None = None


class AgentMeta(msgspec.Struct, gc=False):
    """``agent-<id>.meta.json`` beside a sub-agent's log."""

    agentType: str | None = None
    description: str | None = None
    toolUseId: str | None = None
    model: str | None = None


decode_record = msgspec.json.Decoder(Record).decode
decode_progress = msgspec.json.Decoder(AgentProgress).decode
_decode_input = msgspec.json.Decoder(ToolInput).decode
decode_meta = msgspec.json.Decoder(AgentMeta).decode


def lenient(value: dict[str, Any]) -> Record:
    """A record from a decoded object, without those fields whose type is another than expected."""
    return _fit(value, Record)


def tool_input(raw: msgspec.Raw) -> ToolInput:
    """What a tool call acts on; empty where the input is no object."""
    try:
        return _decode_input(raw)
    except msgspec.DecodeError:
        try:
            value = lines.loads(bytes(raw))
        except ValueError:
            return ToolInput()
        return _fit(value, ToolInput) if isinstance(value, dict) else ToolInput()


def _fit(value: dict[str, Any], shape: type[S]) -> S:
    fitted: dict[str, Any] = {}
    for field in msgspec.structs.fields(shape):
        if field.encode_name not in value:
            continue
        item = value[field.encode_name]
        if field.type is msgspec.Raw:
            fitted[field.name] = msgspec.Raw(msgspec.json.encode(item))
            continue
        try:
            fitted[field.name] = msgspec.convert(item, field.type)
        except (msgspec.ValidationError, TypeError):
            nested = _NESTED.get(field.name)
            if nested is not None and isinstance(item, dict):
                fitted[field.name] = _fit(item, nested)
            elif field.name == "content" and isinstance(item, list):
                fitted[field.name] = [_fit(block, Block) for block in item if isinstance(block, dict)]
            elif field.name.endswith("_tokens") and isinstance(item, float) and 0 <= item <= TOKENS_CAP:
                fitted[field.name] = int(item)
    return shape(**fitted)


_NESTED: dict[str, type[msgspec.Struct]] = {
    "message": ApiMessage,
    "usage": Usage,
    "cache_creation": CacheCreation,
    "server_tool_use": ServerToolUse,
    "toolUseResult": ToolUseResult,
    "attachment": Attachment,
}
