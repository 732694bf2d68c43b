"""What raw logs of Claude Code hold and cost, by an arithmetic of its own: the standard library for the logs, and for the
money the price table's calculator, message by message. Shares no code with the daemon, reads everything whole, and is slow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from genai_prices import Usage, calc_price

KINDS = ("input", "output", "cacheRead", "cacheWrite")
Json = dict[str, Any]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass
class Message:
    """One API message as one log knows it: the figures of its record with the largest output, the earliest time.

    `told` is the time of the record that the figures are from.
    """

    log: str
    key: tuple[str, str]
    model: str
    time: datetime | None
    told: datetime | None
    tokens: dict[str, int]
    write_1h: int
    searches: int
    fast: bool
    stopped: bool
    copied: bool
    mirror: bool
    reported: Decimal | None
    calls: set[str]

    @cached_property
    def cost(self) -> Decimal | None:
        """US dollars, unrounded: what the agent told, or else by the price table; None where that has no price."""
        if self.reported is not None:
            return self.reported
        if not any(self.tokens.values()) and not self.searches:
            return Decimal(0)
        usage = Usage(
            input_tokens=self.tokens["input"] + self.tokens["cacheRead"] + self.tokens["cacheWrite"],
            output_tokens=self.tokens["output"],
            cache_read_tokens=self.tokens["cacheRead"],
            cache_write_tokens=self.tokens["cacheWrite"],
            cache_write_1h_tokens=min(self.write_1h, self.tokens["cacheWrite"]),
            web_searches=self.searches,
        )
        context = {"speed": "fast"} if self.fast else None
        model = self.model.removesuffix("[1m]")
        try:
            return calc_price(usage, model, genai_request_timestamp=self.time, price_context=context).total_price
        except LookupError:
            return None


@dataclass
class Call:
    """A tool call, joined with its result."""

    name: str = ""
    at: datetime | None = None
    error: bool | None = None
    ended: datetime | None = None


@dataclass
class Logs:
    """All logs of a home folder. What stands in several of them, or several times in one, is here once."""

    messages: list[Message] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


def day(time: datetime | None, zone: str) -> str:
    """The local day; empty without a time."""
    return "" if time is None else time.astimezone(ZoneInfo(zone)).date().isoformat()


def tokens(messages: Iterable[Message]) -> dict[str, int]:
    listed = list(messages)
    return {kind: sum(message.tokens[kind] for message in listed) for kind in KINDS}


def cost(messages: Iterable[Message]) -> Decimal:
    """US dollars, rounded once to a millionth, half to even."""
    return sum((message.cost or Decimal(0) for message in messages), Decimal(0)).quantize(Decimal("0.000001"))


def read(paths: Iterable[Path]) -> Logs:
    """These logs, as one body."""
    sightings: list[Message] = []
    calls: dict[tuple[str, str], Call] = {}
    for path in sorted(paths):
        messages, called = read_log(path)
        sightings += messages
        calls |= {(str(path), id): call for id, call in called.items() if call.name}
    held = {message.key[0] for message in sightings if not message.mirror}
    best: dict[tuple[str, str], Message] = {}
    for message in sightings:
        if not message.mirror or message.key[0] not in held:
            # A mirror may carry another request id than the message itself.
            key = (message.key[0], "") if message.mirror else message.key
            best[key] = min(best.get(key, message), message, key=rank)
    counted = list(best.values())
    copies = {(m.log, id) for m in sightings for id in m.calls} - {(m.log, id) for m in counted for id in m.calls}
    return Logs(counted, [call for key, call in calls.items() if key not in copies])


def rank(message: Message) -> tuple[int, bool, str]:
    """Of the same message in several logs the least counts: the one that knows most, that was not copied, by path."""
    return (-message.tokens["output"], message.copied, message.log)


def read_log(path: Path) -> tuple[list[Message], dict[str, Call]]:
    """The messages and tool calls of one log."""
    messages: dict[tuple[str, str], Message] = {}
    calls: dict[str, Call] = {}
    for record in records(path.read_bytes()):
        data = record.get("data")
        if record.get("type") == "progress" and isinstance(data, dict) and data.get("type") == "agent_progress":
            mirrored = data.get("message")
            if isinstance(mirrored, dict) and isinstance(mirrored.get("message"), dict) and mirrored["type"] == "assistant":
                see(messages, {"timestamp": record.get("timestamp")} | mirrored, path, mirror=True)
        elif record.get("type") in ("assistant", "user") and isinstance(record.get("message"), dict):
            if record["type"] == "assistant":
                see(messages, record, path, mirror=False)
            act(calls, record)
    return list(messages.values()), calls


def records(data: bytes) -> Iterator[Json]:
    """The objects of a log, also such as stand glued on one line, or whole behind a torn one."""
    decoder = json.JSONDecoder()
    for line in data.decode("utf-8", "replace").split("\n"):
        rest = line.strip("\0\ufeff \r\t")
        while rest.startswith("{"):
            try:
                value, end = decoder.raw_decode(rest)
            except ValueError:
                rest = rest[start:] if (start := rest.rfind('{"parentUuid"')) > 0 else ""
            else:
                yield value
                rest = rest[end:].lstrip()


def see(messages: dict[tuple[str, str], Message], record: Json, path: Path, *, mirror: bool) -> None:
    """Fold one record of a message into what is known of it."""
    inner = record["message"]
    id = inner.get("id") or (f"@{record['uuid']}" if record.get("uuid") else None)
    if id is None or inner.get("model") == "<synthetic>":
        return
    usage = inner.get("usage") or {}
    writes = usage.get("cache_creation") or {}
    hour, five = writes.get("ephemeral_1h_input_tokens") or 0, writes.get("ephemeral_5m_input_tokens") or 0
    total, told = usage.get("cache_creation_input_tokens"), record.get("costUSD")
    given = (
        usage.get("input_tokens") or 0,
        usage.get("output_tokens") or 0,
        usage.get("cache_read_input_tokens") or 0,
        hour + five if total is None else total,
    )
    own = path.parent.parent.name if path.parent.name == "subagents" else path.stem
    foreign = _UUID.fullmatch(own) is not None and record.get("sessionId") not in (None, "", own)
    new = Message(
        log=str(path),
        key=(id, record.get("requestId") or ""),
        model=inner.get("model") or "",
        time=moment(record.get("timestamp")),
        told=moment(record.get("timestamp")),
        tokens=dict(zip(KINDS, given, strict=True)),
        write_1h=hour,
        searches=(usage.get("server_tool_use") or {}).get("web_search_requests") or 0,
        fast=usage.get("speed") == "fast",
        stopped=inner.get("stop_reason") is not None,
        copied=record.get("forkedFrom") is not None or foreign,
        mirror=mirror,
        reported=Decimal(str(told)) if isinstance(told, int | float) else None,
        calls={block["id"] for block in blocks(record) if block.get("type") == "tool_use" and block.get("id")},
    )
    known = messages.get(new.key, new)
    larger = new if new.tokens["output"] >= known.tokens["output"] else known
    larger.time = min((one.time for one in (known, new) if one.time is not None), default=None)
    larger.calls = known.calls | new.calls
    larger.stopped, larger.copied = known.stopped or new.stopped, known.copied and new.copied
    larger.mirror = known.mirror and new.mirror
    larger.reported = known.reported if new.reported is None else new.reported
    messages[new.key] = larger


def act(calls: dict[str, Call], record: Json) -> None:
    """Note the tool calls and results of a record."""
    at = moment(record.get("timestamp"))
    for block in blocks(record):
        if block.get("type") == "tool_use" and block.get("id"):
            call = calls.setdefault(block["id"], Call())
            if not call.name:
                call.name, call.at = block.get("name") or "?", at
        elif block.get("type") == "tool_result" and block.get("tool_use_id"):
            call = calls.setdefault(block["tool_use_id"], Call())
            call.error, call.ended = block.get("is_error") is True or bool(call.error), at


def blocks(record: Json) -> list[Json]:
    content = record["message"].get("content")
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def logs(home: Path) -> list[Path]:
    """Every log of a home folder."""
    return [path for path in (home / ".claude" / "projects").rglob("*.jsonl") if path.name != "journal.jsonl"]
