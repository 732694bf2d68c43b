"""Hits of a search as text: sessions and entities, and below each what was found in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from ccdash.figures import ago, short_id, short_model
from ccdash.output import Output
from ccdash.text import clean, clean_part, clip_start, pad, width, wrap
from ccdash.transcripts import TEXT_MIN, look

_MATCH = "bold yellow"
_LABEL = 10
_TIME = 10

_FACETS = ("types", "kinds", "tools", "projects", "agents", "models", "branches")
_MOST_VALUES = 10
_FILTERS = {
    "kinds": "in",
    "tools": "tool",
    "projects": "project",
    "agents": "agent",
    "models": "model",
    "branches": "branch",
}


Numbered = tuple[int, Mapping[str, Any]]


def draw_hits(out: Output, hits: Sequence[Mapping[str, Any]], *, in_order: bool) -> None:
    """Write hits, numbered from 1 as they came. Those of one session stand together below its title: all of them, or those
    that follow each other where they are to stay `in_order`."""
    now = datetime.now(UTC)
    digits = len(str(len(hits)))
    for place, members in enumerate(_groups(hits, in_order)):
        if place:
            out.line()
        out.line(_heading(out, members[0][1], now))
        for number, hit in members:
            _hit(out, number, digits, hit, now)


def _groups(hits: Sequence[Mapping[str, Any]], in_order: bool) -> Iterable[list[Numbered]]:
    numbered = enumerate(hits, 1)
    if in_order:
        return [list(group) for _, group in groupby(numbered, key=lambda pair: _owner(pair[1]))]
    groups: dict[tuple[str, str], list[Numbered]] = {}
    for number, hit in numbered:
        groups.setdefault(_owner(hit), []).append((number, hit))
    return groups.values()


def _owner(hit: Mapping[str, Any]) -> tuple[str, str]:
    return ("session" if hit["type"] == "entry" else str(hit["type"]), str(hit["id"]))


def _heading(out: Output, hit: Mapping[str, Any], now: datetime) -> str:
    session = hit["type"] in ("entry", "session")
    title = out.paint(clean(hit["title"]) or "(no title)", "bold")
    facts = [clean(hit["project"] or "")]
    if session:
        facts.insert(0, out.paint(clean(short_id(hit["id"])), "cyan"))
    else:
        facts.insert(0, out.paint(str(hit["type"]), "cyan"))
        facts.append(_place(out, hit))
    return "  ".join([facts[0], title, *(out.paint(fact, "dim") for fact in facts[1:] if fact)])


def _place(out: Output, hit: Mapping[str, Any]) -> str:
    """The planning file of a hit, with its line."""
    if hit["path"] is None:
        return ""
    path = clean(hit["path"])
    if out.columns is not None:
        path = clip_start(path, max(out.columns // 2, TEXT_MIN))
    return path if hit["line"] is None else f"{path}:{hit['line']}"


def _hit(out: Output, number: int, digits: int, hit: Mapping[str, Any], now: datetime) -> None:
    """One hit: its number, what it is and when, and the text around its matches."""
    label, style = look(hit["kind"]) if hit["kind"] else (str(hit["type"]), "dim")
    when = ago(hit["timestamp"], now)
    facts = [clean(hit["tool"] or ""), clean(short_model(hit["model"])) if hit["model"] else ""]
    copies = f"+{hit['copies']} in forks" if hit["copies"] else ""
    told = " ".join(fact for fact in (*facts, copies) if fact)
    start = f"{number:>{digits}}  "
    line = f"{out.paint(start, 'dim')}{out.paint(pad(label, _LABEL), style)} {out.paint(pad(when, _TIME), 'dim')}"
    out.line(f"{line} {out.paint(told, 'dim')}".rstrip())
    indent = " " * len(start)
    for text in _lines(out, hit["snippet"], len(indent)):
        out.line(f"{indent}{text}".rstrip())


def _lines(out: Output, parts: Iterable[Mapping[str, Any]], indent: int) -> list[str]:
    """A snippet with its matches marked, broken into lines where it is shown in a terminal."""
    text, marks = "", []
    for part in parts:
        said = clean_part(str(part["text"]))
        if part["match"]:
            marks.append((len(text), len(text) + len(said)))
        text += said
    room = None if out.columns is None else out.columns - indent
    lines, at = [], 0
    for line in wrap(text, room) if room is not None and room >= TEXT_MIN else [text]:
        start = text.find(line, at)
        at = start + len(line)
        lines.append(_painted(out, text, start, at, marks))
    return lines


def _painted(out: Output, text: str, start: int, end: int, marks: Iterable[tuple[int, int]]) -> str:
    """A stretch of the text, with what is marked in it."""
    painted, at = "", start
    for first, last in marks:
        begin, stop = max(first, at), min(last, end)
        if begin < stop:
            painted += text[at:begin] + out.paint(text[begin:stop], _MATCH)
            at = stop
    return painted + text[at:end]


def draw_facets(out: Output, facets: Mapping[str, Any]) -> None:
    """Write how many hits there are by what they are of, as the filters that would leave only these."""
    if not any(facets[name] for name in _FACETS):
        return
    out.line()
    about = "" if facets["exact"] else " (of the newest hits)"
    out.line(out.paint(f"By{about}", "bold"))
    for name in _FACETS:
        values = facets[name]
        if len(values) > (name == "types"):
            shown = [_value(out, name, value) for value in values[:_MOST_VALUES]]
            more = [f"… {len(values) - _MOST_VALUES} more"] if len(values) > _MOST_VALUES else []
            out.line(f"  {pad(name, max(map(width, _FACETS)))}  {', '.join([*shown, *more])}")


def _value(out: Output, name: str, value: Mapping[str, Any]) -> str:
    label = clean(value["label"]) or clean(value["value"])
    named = _FILTERS.get(name)
    shown = f"{named}:{_quoted(label)}" if named else label
    return f"{shown} {out.paint(format(value['count'], ','), 'dim')}"


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text
