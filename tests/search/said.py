"""Logs of which every entry is known: who says what in which words, when, and where it stands."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from ccdashd.store.entries import log_tag
from tests.search.oracle import FORMS, Form, Text

START = 1_760_000_000_000
"""Milliseconds since the epoch of the first record."""

PROJECTS = ("shop", "till", "secret")
BRANCHES = ("main", "feature/pay")
MODELS = ("claude-opus-4-5", "claude-haiku-4-5")
FILES = tuple(form for form in FORMS if "." in form.text)
KINDS = ("prompt", "assistant", "thinking", "toolCall", "toolResult", "summary")


@dataclass(frozen=True)
class Said:
    """An entry as the logs hold it."""

    session: str
    id: str
    project: str
    branch: str
    kind: str
    text: Text
    time: int | None
    tool: str | None
    model: str | None
    file: Form | None
    copy_of: tuple[str, int] | None
    """The uuid of its record and its block, the same in copies; None where it has none."""


@dataclass
class Logs:
    """Logs below `root`, and all that they say. Made at random, the same for the same seed."""

    root: Path
    seed: int
    said: list[Said] = field(default_factory=list)
    _tools: dict[str, tuple[str, Form | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._count = 0

    def session(self, number: int, records: int, *, agent: str = "") -> Path:
        """Write a session, or a sub-agent of it, with so many records."""
        project, branch = PROJECTS[number % len(PROJECTS)], BRANCHES[number % len(BRANCHES)]
        session = _uuid(number)
        folder = self.root / f"-work-{project}"
        path = folder / session / "subagents" / f"agent-{agent}.jsonl" if agent else folder / f"{session}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        self.grow(path, session, project, branch, records, agent=agent)
        return path

    def grow(self, path: Path, session: str, project: str, branch: str, records: int, *, agent: str = "") -> None:
        """Add so many records to a log."""
        with path.open("ab") as file:
            for _ in range(records):
                offset = file.tell()
                record, said = self._record(session, project, branch, agent)
                file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
                place = f"{log_tag(str(path))}-{offset}"
                name = f"{session}/agent-{agent}" if agent else session
                for block, one in enumerate(said):
                    id = f"{place}-{block}" if block else place
                    self.said.append(Said(session=name, id=id, project=project, branch=branch, **one))

    def fork(self, path: Path, number: int) -> Path:
        """Copy a log as the beginning of another session, as agents do, and add a few records."""
        own = [one for one in self.said if one.id.startswith(log_tag(str(path)) + "-")]
        session, target = _uuid(number), path.with_name(f"{_uuid(number)}.jsonl")
        offsets: dict[int, int] = {}
        with path.open("rb") as source, target.open("wb") as file:
            for line in source:
                start = source.tell() - len(line) if source.seekable() else 0
                record = json.loads(line)
                if "sessionId" in record:
                    record["sessionId"] = session
                offsets[start] = file.tell()
                file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        for one in own:
            _, offset, *block = one.id.split("-")
            id = "-".join([log_tag(str(target)), str(offsets[int(offset)]), *block])
            self.said.append(Said(**{**vars(one), "session": session, "id": id}))
        self.grow(target, session, own[0].project, own[0].branch, 3)
        return target

    def _record(self, session: str, project: str, branch: str, agent: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        self._count += 1
        n = self._count
        # Several records of one time, and times that go back: logs are written beside each other.
        time = START + self._random.randrange(400) * 60_000
        uuid = f"{n:08x}-0000-4000-8000-{self.seed:012x}"
        base: dict[str, Any] = {
            "sessionId": session,
            "cwd": f"/work/{project}",
            "gitBranch": branch,
            "version": "2.1.30",
            "uuid": uuid,
            "parentUuid": None,
            "isSidechain": bool(agent),
            "timestamp": _iso(time),
        }
        if agent:
            base["agentId"] = agent
        kind = self._random.choice(("user", "assistant", "assistant", "tool", "tool", "summary"))
        if kind == "summary":
            text = self._text()
            leaf = {"type": "summary", "summary": text.text, "leafUuid": f"{n:08x}-ffff-4000-8000-000000000000"}
            return leaf, [_said("summary", text, None, None, None, None, None)]
        if kind == "user":
            text = self._text()
            said = [_said("prompt", text, time, None, None, None, (uuid, 0))]
            return base | {"type": "user", "message": {"role": "user", "content": text.text}}, said
        if kind == "tool" and self._tools and self._random.random() < 0.5:
            return self._result(base, time, uuid)
        return self._answer(base, time, uuid, n)

    def _result(self, base: dict[str, Any], time: int, uuid: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        # The last call of the log, so that the reader knows its tool.
        session = base["sessionId"] + base.get("agentId", "")
        call = next((id for id in reversed(self._tools) if id.startswith(session)), None)
        if call is None:
            return self._answer(base, time, uuid, self._count)
        tool, file = self._tools.pop(call)
        text = self._text()
        content = [{"type": "tool_result", "tool_use_id": call, "content": text.text}]
        record = base | {"type": "user", "message": {"role": "user", "content": content}}
        if file is not None:
            record["toolUseResult"] = {"filePath": file.text}
        return record, [_said("toolResult", text, time, tool, None, file, (uuid, 0))]

    def _answer(self, base: dict[str, Any], time: int, uuid: str, n: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        model = self._random.choice(MODELS)
        blocks: list[dict[str, Any]] = []
        said: list[dict[str, Any]] = []
        for block in range(self._random.randint(1, 3)):
            text, key = self._text(), (uuid, block)
            kind = self._random.choice(("assistant", "thinking", "toolCall"))
            if kind == "toolCall":
                tool, file = self._random.choice((("Bash", None), ("Edit", self._random.choice(FILES))))
                call = f"{base['sessionId']}{base.get('agentId', '')}-{n}-{block}"
                self._tools[call] = (tool, file)
                given = {"command": text.text} if file is None else {"file_path": file.text, "new_string": text.text}
                blocks.append({"type": "tool_use", "id": call, "name": tool, "input": given})
                whole = text if file is None else Text((file, *text.forms))
                said.append(_said(kind, whole, time, tool, model, file, key))
            elif kind == "thinking":
                blocks.append({"type": "thinking", "thinking": text.text})
                said.append(_said(kind, text, time, None, model, None, key))
            else:
                blocks.append({"type": "text", "text": text.text})
                said.append(_said(kind, text, time, None, model, None, key))
        message = {"id": f"msg_{n}", "model": model, "role": "assistant", "content": blocks}
        usage = {"input_tokens": 1, "output_tokens": 1}
        record = {
            "type": "assistant",
            "requestId": f"req_{n}",
            "message": {**message, "usage": usage, "stop_reason": "end_turn"},
        }
        return base | record, said

    def _text(self) -> Text:
        return Text(tuple(self._random.choices(FORMS, k=self._random.randint(1, 6))))


def _said(
    kind: str,
    text: Text,
    time: int | None,
    tool: str | None,
    model: str | None,
    file: Form | None,
    copy_of: tuple[str, int] | None,
) -> dict[str, Any]:
    return {"kind": kind, "text": text, "time": time, "tool": tool, "model": model, "file": file, "copy_of": copy_of}


def _uuid(number: int) -> str:
    return f"{number:08x}-1111-4111-8111-111111111111"


def _iso(time: int) -> str:
    from ccdashd.clock import iso

    return str(iso(time))


def distinct(said: Iterable[Said]) -> set[frozenset[str]]:
    """Entries, by session and id, with those that are copies of each other as one."""
    groups: dict[object, set[str]] = {}
    for one in said:
        groups.setdefault(one.copy_of or one.id, set()).add(f"{one.session}#{one.id}")
    return {frozenset(group) for group in groups.values()}


def write(root: Path, seed: int = 1) -> Logs:
    """Logs of six sessions in three projects, two of them forks of another, with two sub-agents."""
    logs = Logs(root, seed)
    paths: Sequence[Path] = [logs.session(number, 25) for number in range(1, 6)]
    logs.session(1, 12, agent="a1")
    logs.session(2, 12, agent="b2")
    logs.fork(paths[0], 6)
    logs.fork(paths[0], 7)
    # Written at times of their own, in no order of what they hold.
    for n, path in enumerate(sorted(root.rglob("*.jsonl"))):
        when = START // 1000 + n * 1000
        os.utime(path, (when, when))
    return logs
