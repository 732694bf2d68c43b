"""Writes a corpus below a home folder: one log after the other, streamed, oldest first, with the truth about each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

from ccdash.demo.agents import AgentLog
from ccdash.demo.plan import Origin, Plan
from ccdash.demo.records import Sink
from ccdash.demo.session import Script
from ccdash.demo.text import Texts
from ccdash.demo.truth import Message, Record, SessionTruth, Summary, Tracker

FLUSH_AT = 1 << 20
LONGEST_ORIGIN = 2_000
"""Sessions of more records are not forked, since an origin is kept in memory until then."""

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes wanted."""


class LogFile:
    """A log being written, and its truth. Records are kept on demand only."""

    def __init__(self, path: Path, truth: SessionTruth, borrowed: frozenset[tuple[str, str]] = frozenset()) -> None:
        self.path = path
        self.truth = truth
        self.tracker = Tracker(borrowed)
        self.kept: list[Record] | None = None
        self.size = 0
        self._lines: list[str] = []
        self._waiting = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb", buffering=0)

    def __call__(self, record: Record) -> None:
        self.tracker.add(record)
        if self.kept is not None:
            self.kept.append(record)
            if len(self.kept) > LONGEST_ORIGIN:
                self.kept = None
        self._lines.append(record.line)
        self._waiting += len(record.line)
        if self._waiting > FLUSH_AT:
            self._flush()

    def _flush(self) -> None:
        if self._lines:
            self._lines.append("")
            data = "\n".join(self._lines).encode()
            self._file.write(data)
            self.size += len(data)
        self._lines, self._waiting = [], 0

    def close(self, summary: Summary) -> None:
        """Finish the file, give it the time of its last record, and count it."""
        self._flush()
        self._file.close()
        if self.tracker.last is not None:
            seconds = self.tracker.last / 1000
            os.utime(self.path, (seconds, seconds))
        summary.add(self.tracker.finish(self.truth), self.size)


def project_folder(home: Path, cwd: str) -> Path:
    """Where Claude Code keeps the logs of `cwd`: every character that is not alphanumeric becomes ``-``."""
    return home / ".claude" / "projects" / "".join(c if c.isascii() and c.isalnum() else "-" for c in cwd)


class Corpus:
    """Writes sessions below `home` and keeps what later ones refer to."""

    def __init__(self, home: Path, seed: int, texts: Texts) -> None:
        self.home = home
        self.texts = texts
        self.seed = seed
        self.summary = Summary(seed)
        self.origin: tuple[Plan, Origin] | None = None
        """A session that a later one may fork."""
        self.leaf: tuple[str, str] | None = None
        """Session id and last uuid of a session that a later file may give a title."""
        self._largest = 0

    def write(self, plan: Plan, rng: Random, *, keep: bool = False) -> SessionTruth:
        """Write one session with its sub-agents; `keep` its records so that a later session can fork it."""
        folder = project_folder(self.home, plan.root)
        truth = SessionTruth(
            id=plan.session_id,
            path=str((folder / f"{plan.session_id}.jsonl").relative_to(self.home)),
            cwd=plan.root,
            version=plan.shape.version,
            forked_from=plan.origin.session_id if plan.origin else None,
        )
        log = LogFile(self.home / truth.path, truth, _keys(plan.origin))
        log.kept = [] if keep else None
        script = Script(plan, rng, self.texts, log, lambda agent: self._agent(folder, truth, agent))
        script.run()
        log.close(self.summary)
        if log.size > self._largest:
            self._largest, self.summary.largest = log.size, plan.session_id
        self.leaf = None
        if plan.shape.number <= (2, 1, 22) and truth.title_source == "prompt" and script.author.last and not plan.origin:
            self.leaf = (plan.session_id, script.author.last)
        if log.kept and len(script.turn_ends) > 1:
            self.origin = (plan, _origin(plan, log.kept, script))
            self.leaf = None
        return truth

    @contextmanager
    def _agent(self, folder: Path, parent: SessionTruth, agent: AgentLog) -> Iterator[Sink]:
        path = folder / agent.file
        truth = SessionTruth(
            id=agent.agent_id,
            path=str(path.relative_to(self.home)),
            cwd=agent.cwd,
            version=agent.version,
            parent_id=agent.session_id,
            agent_id=agent.agent_id,
            parent_tool_use_id=agent.tool_use_id,
        )
        log = LogFile(path, truth)
        yield log
        log.close(self.summary)
        parent.subagents.append(f"{agent.session_id}/{agent.agent_id}")
        for name, text in agent.side:
            (folder / name).write_text(text, encoding="utf-8")

    def name_leaf(self, text: str) -> tuple[str, str] | None:
        """Give the remembered session the title `text`; returns the summary that the next log has to hold."""
        if self.leaf is None:
            return None
        session_id, uuid = self.leaf
        truth = self.summary.sessions[session_id]
        truth.title, truth.title_source = text, "summary"
        self.leaf = None
        return uuid, text

    def fork(self, plan: Plan, *, renamed: bool) -> Plan:
        """`plan` as a fork of the remembered session, or as it is when there is none."""
        if self.origin is None:
            return plan
        source, origin = self.origin
        self.origin = None
        return replace(
            plan,
            root=source.root,
            branch=source.branch,
            shape=source.shape,
            summaries=[],
            origin=replace(origin, renamed=renamed),
        )


def _keys(origin: Origin | None) -> frozenset[tuple[str, str]]:
    if origin is None:
        return frozenset()
    facts = (fact for record in origin.records for fact in record.facts)
    return frozenset((fact.id, fact.request) for fact in facts if isinstance(fact, Message))


def _origin(plan: Plan, records: list[Record], script: Script) -> Origin:
    """The part of a session that a fork repeats: whole turns, so that no API message is cut."""
    cut = script.turn_ends[len(script.turn_ends) // 2]
    kept = tuple(records[:cut])
    uuids = (record.line.rpartition('"uuid":"')[2][:36] for record in reversed(kept) if '"parentUuid"' in record.line)
    return Origin(plan.session_id, kept, next(uuids), True)
