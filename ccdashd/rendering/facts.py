"""What stands at the head of a transcript: the figures of its session. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ccdashd.protocol import types as t
from ccdashd.rendering import words
from ccdashd.rendering.markdown import moment


class Fact(NamedTuple):
    """A figure with its name."""

    name: str
    value: str


_COUNTS = (
    ("prompts", "prompt"),
    ("assistant_messages", "answer"),
    ("tool_calls", "tool call"),
    ("tool_errors", "tool error"),
    ("subagents", "sub-agent"),
    ("compactions", "compaction"),
)
_KINDS = ("input", "output", "cache_read", "cache_write")


def title(session: t.Session) -> str:
    """The session's title, or its id."""
    return session.title or session.id


def facts(session: t.Session, cost: t.Cost | None) -> list[Fact]:
    """What is known of a session."""
    return [Fact(name, value) for name, value in _facts(session, cost) if value]


def agent(row: t.SessionRow | None) -> str:
    """What a sub-agent is, on a line; empty where nothing is known of it."""
    if row is None:
        return ""
    spent = words.number(sum(getattr(row.tokens, kind) for kind in _KINDS), "token")
    return words.joined(row.title or row.id, words.model(row.model), spent)


def _facts(session: t.Session, cost: t.Cost | None) -> Iterator[tuple[str, str]]:
    yield "Session", session.id
    yield "Project", session.project_name
    yield "Folder", session.cwd
    yield "Branch", session.git_branch
    yield "Agent", " ".join(part for part in (session.agent, session.version, session.agent_type or "") if part)
    yield "Models", _models(session.models) or session.model
    yield "Started", moment(session.started_at)
    yield "Ended", moment(session.ended_at)
    counts = ((getattr(session.counts, name), noun) for name, noun in _COUNTS)
    yield "Counts", ", ".join(words.number(count, noun) for count, noun in counts if count)
    yield "Tokens", _tokens(session.tokens)
    yield "Cost", words.cost(cost)
    yield "Pull requests", ", ".join(session.pr_links)


def _models(models: Mapping[str, int]) -> str:
    ordered = sorted(models.items(), key=lambda model: (-model[1], model[0]))
    return ", ".join(f"{name} ({words.number(count, 'message')})" for name, count in ordered)


def _tokens(tokens: t.Tokens) -> str:
    return ", ".join(f"{getattr(tokens, kind):,} {kind.replace('_', ' ')}" for kind in _KINDS if getattr(tokens, kind))
