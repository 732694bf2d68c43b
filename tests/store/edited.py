"""Files that agents and people edit in turns: the logs that tell of it, and the truth about each line."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.sources.logs import call, text

START = datetime(2026, 1, 2, 3, tzinfo=UTC)
MODEL = "claude-opus-4-5"
USAGE = {
    "input_tokens": 1000,
    "output_tokens": 500,
    "cache_read_input_tokens": 20_000,
    "cache_creation_input_tokens": 0,
}


class Clock:
    """Times and ids that go up, of all sessions together."""

    def __init__(self, seed: int = 0, start: datetime = START) -> None:
        self._random = random.Random(seed)
        self._now = start
        self._calls = 0

    def time(self) -> str:
        self._now += timedelta(seconds=1)
        return self._now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def uuid(self) -> str:
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def call(self) -> str:
        self._calls += 1
        return f"toolu_{self._random.getrandbits(32):08x}{self._calls:06d}"


@dataclass
class Session:
    """A session that is written: its records, and where they belong. `log` is known once it is saved."""

    clock: Clock
    cwd: str
    id: str = ""
    agent_id: str = ""
    """Of a sub-agent; `id` is that of its main session."""
    records: list[dict[str, Any]] = field(default_factory=list)
    _last: str | None = None

    def __post_init__(self) -> None:
        self.id = self.id or self.clock.uuid()

    def record(self, type: str, **fields: Any) -> dict[str, Any]:
        record = {
            "parentUuid": self._last,
            "isSidechain": bool(self.agent_id),
            "cwd": self.cwd,
            "sessionId": self.id,
            "version": "2.1.30",
            "gitBranch": "main",
            "type": type,
            "uuid": self.clock.uuid(),
            "timestamp": self.clock.time(),
        } | fields
        if self.agent_id:
            record["agentId"] = self.agent_id
        self._last = record["uuid"]
        self.records.append(record)
        return record

    def prompt(self, words: str) -> dict[str, Any]:
        return self.record("user", message={"role": "user", "content": words})

    def assistant(self, *blocks: dict[str, Any], model: str = MODEL) -> dict[str, Any]:
        id = self.clock.uuid()
        message = {"id": f"msg_{id}", "model": model, "role": "assistant", "content": list(blocks), "usage": USAGE}
        return self.record("assistant", message=message | {"stop_reason": "end_turn"}, requestId=f"req_{id}")

    def say(self, words: str) -> dict[str, Any]:
        return self.assistant(text(words))

    def call(self, name: str, answer: Any, *, error: bool = False, model: str = MODEL, **given: Any) -> str:
        """A tool call and its answer; returns the id of the call."""
        id = self.clock.call()
        self.assistant(call(id, name, **given), model=model)
        block = {"type": "tool_result", "tool_use_id": id, "content": "done", "is_error": error}
        self.record("user", message={"role": "user", "content": [block]}, toolUseResult=answer)
        return id

    def write(self, path: str, content: str, before: str | None, **more: Any) -> str:
        answer = {"type": "update" if before else "create", "filePath": path, "content": content, "originalFile": before}
        return self.call("Write", answer, file_path=path, content=content, **more)

    def edit(self, path: str, old: str, new: str, before: str | None, *, all: bool = False, **more: Any) -> str:
        answer = {"filePath": path, "oldString": old, "newString": new, "originalFile": before, "replaceAll": all}
        return self.call("Edit", answer, file_path=path, old_string=old, new_string=new, replace_all=all, **more)

    def data(self) -> bytes:
        return b"".join(
            json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for record in self.records
        )

    def log(self, folder: Path) -> Path:
        """Where its log is below a folder of logs."""
        project = folder / self.cwd.replace("/", "-").replace(".", "-")
        if self.agent_id:
            return project / self.id / "subagents" / f"agent-{self.agent_id}.jsonl"
        return project / f"{self.id}.jsonl"

    def save(self, folder: Path) -> Path:
        """Write the log below ``~/.claude/projects``; returns where it is."""
        path = self.log(folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.data())
        return path


@dataclass
class Edited:
    """A file, and who wrote each of its lines: the id of a call, or None for a person."""

    path: str
    lines: list[str] = field(default_factory=list)
    truth: list[str | None] = field(default_factory=list)
    made: int = 0

    def line(self) -> str:
        """A line so far from every other that none is taken for a changed form of another."""
        self.made += 1
        return f"{'    ' * (self.made % 3)}{chr(0x4E00 + self.made % 20_000) * 6}{self.made:05d}"

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    def written(self, session: Session, keep: int, count: int, *, known: bool = True) -> str:
        """An agent writes the file anew: the first `keep` lines as they are, and `count` others."""
        before = self.text
        new = [self.line() for _ in range(count)]
        self.lines, kept = self.lines[:keep] + new, self.truth[:keep]
        id = session.write(self.path, self.text, before if known else None)
        self.truth = [*kept, *[id] * len(new)]
        return id

    def replaced(self, session: Session, at: int, removed: int, added: int, *, known: bool = True) -> str:
        """An agent puts new lines in the place of others; at least one, since an edit of nothing makes a file."""
        assert removed
        before = self.text
        new = [self.line() for _ in range(added)]
        old = self.lines[at : at + removed]
        self.lines[at : at + removed] = new
        texts = ("".join(f"{line}\n" for line in part) for part in (old, new))
        id = session.edit(self.path, *texts, before if known else None)
        self.truth[at : at + removed] = [id] * len(new)
        return id

    def by_hand(self, at: int, removed: int, added: int) -> None:
        """A person puts new lines in the place of others."""
        self.lines[at : at + removed] = [self.line() for _ in range(added)]
        self.truth[at : at + removed] = [None] * added
