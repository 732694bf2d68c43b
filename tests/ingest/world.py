"""A small world of logs for random scripts: everything that can happen to a log, and every content it ever had."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

SESSIONS = [f"{n}0000000-0000-4000-8000-00000000000{n}" for n in range(1, 4)]
SLUGS = ("-home-a", "-home-b")
PLACES = tuple(
    [f"{slug}/{session}.jsonl" for slug in SLUGS for session in SESSIONS]
    + [f"{SLUGS[0]}/agent-a1.jsonl", f"{SLUGS[1]}/agent-a2.jsonl", f"{SLUGS[0]}/notes.jsonl"]
    + [f"{SLUGS[0]}/{SESSIONS[0]}/subagents/agent-{agent}.jsonl" for agent in ("a1", "a2")]
    + [f"{SLUGS[1]}/{SESSIONS[1]}/subagents/workflows/run/agent-a1.jsonl"]
    + [os.fsdecode(b"%s/n\xff.jsonl" % SLUGS[1].encode())]
)
"""Where logs may be: main logs of three sessions in two folders, sub-agents in each layout, a name that is no id, and one
that is not even UTF-8."""

AGENT_PLACES = tuple(place for place in PLACES if "agent-" in place)

KINDS = (
    "prompt",
    "command",
    "bash",
    "interrupt",
    "steering",
    "api-error",
    "answer",
    "answer-ends",
    "tool",
    "result",
    "error",
    "task",
    "task-result",
    "mirror",
    "summary",
    "title",
    "queued",
    "compact",
    "unknown",
    "broken",
    "repeat",
    "sidechain",
    "blank",
)
"""Kinds of lines."""

ENDINGS = ("\n", "", "torn", "\r\n", "glued", "half")


class World:
    """Logs below `root`. Every operation returns the logs that it touched."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        self.contents: list[bytes] = []
        """Every content that any log had, the last one last."""
        self._count = 0
        self._at = 1_750_000_000
        self._uuids: list[str] = ["ffffffff-0000-4000-8000-000000000000"]
        self._messages: list[str] = []
        self._calls: list[str] = []
        self._lines: list[bytes] = [b"{}"]
        self._halves: dict[str, bytes] = {}
        self._ticks = 0

    # --- what happens to logs ---

    def append(self, place: str, kinds: list[str], ending: str = "\n") -> set[str]:
        """Add lines; `ending` is that of the last one, which may be torn, and is then completed by the next append."""
        data = self._halves.pop(place, b"") + self._records(place, kinds)
        if ending == "":
            data = data.removesuffix(b"\n")
        elif ending == "torn":
            data = data[: -len(data.rsplit(b"\n", 2)[-2]) // 2 - 1]
        elif ending == "half":
            cut = len(data) * 2 // 3
            data, self._halves[place] = data[:cut], data[cut:]
        elif ending == "\r\n":
            data = data.replace(b"\n", b"\r\n")
        elif ending == "glued":
            data = data.replace(b"\n", b"", 1) if data.count(b"\n") > 1 else data
        path = self.path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(data)
        return self._changed(place)

    def rewrite(self, place: str, kinds: list[str], *, in_place: bool) -> set[str]:
        """Give a log another content, by a rename over it or in place."""
        path = self.path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = self._records(place, kinds)
        if in_place:
            path.write_bytes(data)
        else:
            temporary = path.with_suffix(".tmp")
            temporary.write_bytes(data)
            temporary.replace(path)
        self._halves.pop(place, None)
        self._later(path)
        return self._changed(place)

    def change_bytes(self, place: str) -> set[str]:
        """Change a log without changing its size."""
        path = self.path(place)
        if not path.exists():
            return set()
        data = path.read_bytes()
        path.write_bytes(data.translate(bytes.maketrans(b"123456789", b"234567891")) if data else data)
        self._later(path)
        return self._changed(place)

    def truncate(self, place: str, tenths: int) -> set[str]:
        path = self.path(place)
        if not path.exists():
            return set()
        os.truncate(path, path.stat().st_size * tenths // 10)
        self._halves.pop(place, None)
        return self._changed(place)

    def move(self, place: str, to: str) -> set[str]:
        """Rename a log, over another one where there is one."""
        if place == to or not self.path(place).exists():
            return set()
        self.path(to).parent.mkdir(parents=True, exist_ok=True)
        self.path(place).replace(self.path(to))
        self._halves.pop(to, None)
        if place in self._halves:
            self._halves[to] = self._halves.pop(place)
        return self._changed(place) | self._changed(to)

    def move_folder(self) -> set[str]:
        """Exchange the two project folders."""
        one, other = (self.root / slug for slug in SLUGS)
        for folder in (one, other):
            folder.mkdir(exist_ok=True)
        before = set(self.logs())
        aside = self.root / "aside"
        one.rename(aside)
        other.rename(one)
        aside.rename(other)
        self._halves.clear()
        return before | set(self.logs())

    def fork(self, place: str, to: str, tenths: int) -> set[str]:
        """Copy the beginning of a log as that of another session: the same uuids and message ids, another session's id."""
        path = self.path(place)
        if place == to or not path.exists():
            return set()
        lines = path.read_bytes().split(b"\n")
        data = b"\n".join(lines[: max(1, len(lines) * tenths // 10)]) + b"\n"
        data = data.replace(self.session(place).encode(), self.session(to).encode())
        self.path(to).parent.mkdir(parents=True, exist_ok=True)
        self.path(to).write_bytes(data)
        self._halves.pop(to, None)
        self._later(self.path(to))
        return self._changed(to)

    def delete(self, place: str) -> set[str]:
        self.path(place).unlink(missing_ok=True)
        self._halves.pop(place, None)
        return self._changed(place)

    def restore(self, place: str, number: int) -> set[str]:
        """Write a content that some log had."""
        if not self.contents:
            return set()
        path = self.path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.contents[-1 - number % len(self.contents)])
        self._halves.pop(place, None)
        self._later(path)
        return self._changed(place)

    def touch(self, place: str) -> set[str]:
        path = self.path(place)
        if path.exists():
            self._later(path)
        return self._changed(place)

    def describe(self, place: str, kind: str) -> set[str]:
        """Write, or with an empty kind delete, the description beside a sub-agent's log."""
        path = self.path(place).with_suffix(".meta.json")
        if kind:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"agentType": kind, "description": f"To {kind}", "toolUseId": f"toolu_{kind}"}))
            self._later(path)
        else:
            path.unlink(missing_ok=True)
        return {str(self.path(place))}

    def flood(self, count: int) -> set[str]:
        """Many new logs at once."""
        self._count += 1
        places = [f"-home-c/{self._count:08x}-0000-4000-8000-{n:012x}.jsonl" for n in range(count)]
        return set().union(*(self.append(place, ["prompt", "answer", "repeat", "tool", "summary"]) for place in places))

    def replace_root(self) -> set[str]:
        """All logs vanish at once."""
        shutil.rmtree(self.root)
        self.root.mkdir()
        self._halves.clear()
        return {str(self.path(place)) for place in PLACES}

    def any_change(self, rng: Random) -> set[str]:
        """One of the above, at random."""
        place, log, other = rng.choice(PLACES), self.there(rng.randrange(100)), rng.choice(PLACES)
        kinds = rng.choices(KINDS, k=rng.randint(1, 6))
        changes: list[Callable[[], set[str]]] = [
            *4 * [lambda: self.append(place, kinds, rng.choice(ENDINGS))],
            *2 * [lambda: self.append(log, kinds)],
            lambda: self.rewrite(place, kinds, in_place=rng.random() < 0.5),
            lambda: self.change_bytes(log),
            lambda: self.truncate(log, rng.randint(0, 10)),
            *2 * [lambda: self.move(log, other)],
            self.move_folder,
            *2 * [lambda: self.fork(log, other, rng.randint(0, 10))],
            lambda: self.delete(log),
            lambda: self.restore(place, rng.randint(0, 50)),
            lambda: self.touch(log),
            lambda: self.describe(rng.choice(AGENT_PLACES), rng.choice(["", "plan", "explore"])),
        ]
        return rng.choice(changes)()

    # --- what is there ---

    def path(self, place: str) -> Path:
        return self.root / place

    def logs(self) -> dict[str, bytes]:
        """Every log by path."""
        return {str(path): path.read_bytes() for path in sorted(self.root.rglob("*.jsonl"))}

    def there(self, number: int) -> str:
        """The place of one of the logs that are there; any place when there is none."""
        there = [place for place in PLACES if self.path(place).exists()] or PLACES
        return there[number % len(there)]

    def session(self, place: str) -> str:
        """The session that a log's records name."""
        return next((session for session in SESSIONS if session in place), SESSIONS[2])

    def _changed(self, place: str) -> set[str]:
        path = self.path(place)
        if path.exists():
            self.contents.append(path.read_bytes())
        return {str(path)}

    def _later(self, path: Path) -> None:
        """A new time, however coarse the clock of the file system is."""
        self._ticks += 1
        seconds = self._at + self._ticks
        os.utime(path, (seconds, seconds))

    # --- records ---

    def _records(self, place: str, kinds: list[str]) -> bytes:
        lines = [self._line(place, kind) for kind in kinds]
        self._lines += [line for line in lines if line.startswith(b"{")]
        return b"".join(line + b"\n" for line in lines)

    def _line(self, place: str, kind: str) -> bytes:
        self._count += 1
        n = self._count
        if kind == "blank":
            return b"  "
        if kind == "broken":
            return b'{"type":"user","message":{"role"'
        if kind == "repeat":
            return self._lines[(n * 7) % len(self._lines)]
        return json.dumps(self._record(place, kind, n), separators=(",", ":")).encode()

    def _record(self, place: str, kind: str, n: int) -> dict[str, Any]:
        if kind == "summary":
            return {"type": "summary", "summary": f"Summary {n}", "leafUuid": self._uuids[(n * 5) % len(self._uuids)]}
        if kind == "title":
            return {"type": "custom-title", "customTitle": f"Title {n}", "sessionId": self.session(place)}
        if kind == "unknown":
            return {"type": "hologram", "n": n, "sessionId": self.session(place)}
        time = f"2026-01-{n % 27 + 1:02}T10:{n % 60:02}:{n * 7 % 60:02}.{n % 1000:03}Z"
        if kind == "queued":
            return {"type": "queue-operation", "operation": "enqueue", "content": f"later {n}", "timestamp": time}
        record: dict[str, Any] = {
            "parentUuid": self._uuids[-1] if n % 3 else None,
            "isSidechain": "agent-" in place or kind == "sidechain",
            "sessionId": self.session(place),
            "cwd": f"/home/{'ab'[n % 2]}/p{n % 3}" if n % 4 else "/home/a",
            "gitBranch": f"b{n % 2}",
            "version": "2.1.63",
            "uuid": f"{n:08x}-0000-4000-8000-000000000000",
            "timestamp": time,
        }
        self._uuids.append(record["uuid"])
        record |= self._body(kind, n)
        return record

    def _body(self, kind: str, n: int) -> dict[str, Any]:
        if kind in ("prompt", "sidechain"):
            return {"type": "user", "message": {"role": "user", "content": f"Prompt {n}"}}
        if kind == "command":
            return {"type": "user", "message": {"role": "user", "content": "<command-name>/go</command-name>"}}
        if kind == "bash":
            return {"type": "user", "message": {"role": "user", "content": f"<bash-input>ls {n}</bash-input>"}}
        if kind == "interrupt":
            return {"type": "user", "message": {"role": "user", "content": "[Request interrupted by user]"}}
        if kind == "steering":
            result = {"type": "tool_result", "tool_use_id": self._calls[-1] if self._calls else "toolu_none"}
            return {"type": "user", "message": {"role": "user", "content": [result, {"type": "text", "text": f"No {n}"}]}}
        if kind == "api-error":
            return {"type": "system", "subtype": "api_error"}
        if kind == "compact":
            return {"type": "system", "subtype": "compact_boundary", "content": f"Compacted {n}"}
        if kind in ("result", "error", "task-result"):
            call = self._calls[(n * 3) % len(self._calls)] if self._calls else "toolu_none"
            block = {"type": "tool_result", "tool_use_id": call, "content": "done", "is_error": kind == "error"}
            details: dict[str, Any] = {"structuredPatch": [{"lines": ["+a", "-b", " c"] * (n % 4)}], "filePath": "/x"}
            if kind == "task-result":
                details = {"agentId": f"a{n % 3}", "status": "completed"}
            return {"type": "user", "message": {"role": "user", "content": [block]}, "toolUseResult": details}
        if kind == "mirror":
            message = {"type": "assistant", "message": self._message(n, False, []), "requestId": f"req_{n}"}
            data = {"type": "agent_progress", "agentId": f"a{n % 3}", "message": message}
            return {"type": "progress", "data": data, "parentToolUseID": self._calls[-1] if self._calls else "toolu_none"}
        content: list[dict[str, Any]] = [{"type": "text", "text": f"Answer {n}"}]
        if kind in ("tool", "task"):
            self._calls.append(f"toolu_{n}")
            name = "Task" if kind == "task" else ("Edit", "Read", "Bash", "SlashCommand")[n % 4]
            given = {"file_path": f"/home/a/f{n % 3}", "command": f"/go {n}"}
            content = [{"type": "tool_use", "id": self._calls[-1], "name": name, "input": given}]
        message = self._message(n, kind == "answer-ends", content)
        told = {"costUSD": n / 7_000} if n % 11 == 0 else {}
        return {"type": "assistant", "message": message, "requestId": f"req_{message['id']}", **told}

    def _message(self, n: int, ends: bool, content: list[dict[str, Any]]) -> dict[str, Any]:
        """Records of one message share its id and tell growing figures."""
        if not self._messages or n % 3 == 0:
            self._messages.append(f"msg_{n}")
        usage = {
            "input_tokens": 3,
            "output_tokens": n,
            "cache_read_input_tokens": 1000,
            "cache_creation_input_tokens": 20,
            "cache_creation": {"ephemeral_5m_input_tokens": 5, "ephemeral_1h_input_tokens": 15},
            "server_tool_use": {"web_search_requests": n % 3 if n % 5 == 0 else 0},
            "speed": "fast" if n % 7 == 0 else "standard",
        }
        return {
            "id": self._messages[-1],
            "model": ("claude-a", "claude-b")[n % 2],
            "role": "assistant",
            "content": content,
            "stop_reason": "end_turn" if ends else None,
            "usage": usage,
        }
