"""Made-up Claude Code records, and logs of them as the reader gives them."""

from __future__ import annotations

import json
import random
from typing import Any

from ccdashd.sources.claude_code import ClaudeCodeReader
from ccdashd.sources.log import Log
from ccdashd.sources.model import KINDS, Entry

SESSION = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
USAGE = {
    "input_tokens": 3,
    "output_tokens": 5,
    "cache_read_input_tokens": 7,
    "cache_creation_input_tokens": 11,
    "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 7},
}


class Writer:
    """Makes records whose uuids and times go up."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self.count = 0
        self.last: str | None = None

    def uuid(self) -> str:
        digits = f"{self._random.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def record(self, type: str | None, **fields: Any) -> dict[str, Any]:
        self.count += 1
        minutes, seconds = divmod(self.count, 60)
        common = {
            "parentUuid": self.last,
            "isSidechain": False,
            "cwd": "/home/dev/app",
            "sessionId": SESSION,
            "version": "2.1.30",
            "gitBranch": "main",
            "type": type,
            "uuid": self.uuid(),
            "timestamp": f"2026-01-02T03:{minutes:02}:{seconds:02}.250Z",
        }
        record = {name: value for name, value in (common | fields).items() if value is not ...}
        self.last = record.get("uuid", self.last)
        return record

    def user(self, content: Any, **fields: Any) -> dict[str, Any]:
        return self.record("user", message={"role": "user", "content": content}, **fields)

    def result(self, call: str, content: Any = "done", *, error: bool = False, **fields: Any) -> dict[str, Any]:
        block = {"type": "tool_result", "tool_use_id": call, "content": content, "is_error": error}
        return self.user([block], **fields)

    def assistant(self, *blocks: dict[str, Any], id: str = "msg_1", usage: Any = USAGE, **fields: Any) -> dict[str, Any]:
        message = {"id": id, "model": "claude-opus-4-5", "role": "assistant", "content": list(blocks), "usage": usage}
        message["stop_reason"] = fields.pop("stop_reason", "end_turn")
        message["model"] = fields.pop("model", message["model"])
        return self.record("assistant", message=message, requestId=fields.pop("requestId", "req_1"), **fields)


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def call(id: str, name: str, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": name, "input": given}


def line(record: Any) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def write(*records: Any) -> bytes:
    return b"".join(map(line, records))


class Read:
    """What the reader makes of the bytes of one log."""

    def __init__(self, data: bytes, *, own_id: str | None = SESSION, text_cap: int = 16_384, final: bool = True) -> None:
        kept: list[Entry] = []
        self.entries = kept
        self.log = Log(own_id, text_cap=text_cap, turn=lambda page, entries, keys: kept.extend(entries))
        reader = ClaudeCodeReader(self.log)
        self.end = reader.feed(data, 0, final=final)
        reader.flush()
        self.log.close()
        self.stats = self.log.stats
        self.messages = list(self.log.messages.values())

    @property
    def kinds(self) -> list[str]:
        return [KINDS[entry.kind] for entry in self.entries]

    @property
    def texts(self) -> list[str]:
        return [entry.text for entry in self.entries]

    @property
    def findings(self) -> list[str]:
        return [finding.code for finding in self.log.findings]


def read(*records: Any) -> Read:
    return Read(write(*records))
