"""Tables about one session: tools, calls, files, relatives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ccdash.figures import NOTHING, ago, clock, count, duration, local, short_id, total_tokens
from ccdash.output import Output
from ccdash.table import Column, draw
from ccdash.text import clean

Rows = Sequence[Mapping[str, Any]]


def draw_usage(out: Output, usage: Rows, most: int | None = None) -> None:
    """Write how often each tool was called and how it went."""
    columns = (
        Column("TOOL", style="cyan", flexible=True),
        Column("CALLS", right=True),
        Column("SUCCESS", right=True),
        Column("ERRORS", right=True),
        Column("PENDING", right=True, drop=1),
        Column("TIME", right=True, drop=2),
    )
    rows = [
        (
            clean(tool["name"]),
            f"{tool['calls']:,}",
            _share(tool["success"], tool["calls"] - tool["pending"]),
            f"{tool['errors']:,}",
            f"{tool['pending']:,}",
            duration(tool["totalSeconds"]),
        )
        for tool in usage
    ]
    draw(out, columns, rows[:most])


def _share(part: int, whole: int) -> str:
    return f"{100 * part // whole} %" if whole else NOTHING


def draw_calls(out: Output, calls: Rows, *, full: bool) -> None:
    """Write tool calls, one a line; `full` leaves their targets uncut."""
    columns = (
        Column("TIME", style="dim"),
        Column("STATUS"),
        Column("SECONDS", right=True),
        Column("TOOL", style="cyan"),
        Column("TARGET", flexible=not full),
    )
    rows = [
        (
            clock(call["startedAt"]),
            call["status"],
            NOTHING if call["seconds"] is None else f"{call['seconds']:.1f}",
            clean(call["name"]),
            clean(call["target"]),
        )
        for call in calls
    ]
    draw(out, columns, rows)


def draw_files(out: Output, changes: Rows, most: int | None = None) -> None:
    """Write what was done to each path."""
    columns = (
        Column("PATH", flexible=True, path=True, least=24),
        Column("READS", right=True, drop=2),
        Column("EDITS", right=True),
        Column("FAILED", right=True, drop=3),
        Column("+", right=True, style="green"),
        Column("-", right=True, style="red"),
        Column("LAST", right=True, drop=1),
    )
    rows = [
        (
            clean(change["path"]) + (" (new)" if change["created"] else ""),
            str(change["reads"]),
            str(change["edits"]),
            str(change["failed"]),
            str(change["additions"]),
            str(change["deletions"]),
            ago(change["lastAt"]),
        )
        for change in changes
    ]
    draw(out, columns, rows[:most])


def draw_thread(out: Output, nodes: Rows, most: int | None = None) -> None:
    """Write the relatives of a session."""
    columns = (
        Column("RELATION"),
        Column("ID", style="cyan"),
        Column("TITLE", flexible=True),
        Column("KIND", drop=1),
        Column("STARTED", drop=2),
        Column("TOKENS", right=True),
    )
    rows = [
        (
            node["relation"],
            clean(short_id(node["id"])),
            "(its log is missing)" if node["missing"] else clean(node["title"]),
            clean(node["agentType"] or ""),
            local(node["startedAt"]),
            count(total_tokens(node["tokens"])),
        )
        for node in nodes
    ]
    draw(out, columns, rows[:most])


def draw_branches(out: Output, branches: Rows) -> None:
    """Write the branches of a transcript; the one that is current has a star."""
    columns = (
        Column(""),
        Column("ID", style="cyan"),
        Column("KIND"),
        Column("LEAVES", drop=1),
        Column("ENTRIES", right=True),
        Column("STARTED", drop=2),
        Column("PROMPT", flexible=True),
    )
    rows = [
        (
            "*" if branch["current"] else "",
            branch["id"],
            branch["kind"],
            branch["parentEntry"] or NOTHING,
            f"{branch['entries']:,}",
            local(branch["startedAt"]),
            clean(branch["prompt"] or ""),
        )
        for branch in branches
    ]
    draw(out, columns, rows)
