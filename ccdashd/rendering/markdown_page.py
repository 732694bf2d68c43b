"""Transcripts as a file of Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ccdashd.protocol import types as t
from ccdashd.rendering import facts, markdown, words
from ccdashd.store.whole_entries import WholeEntry


def begin(session: t.Session, cost: t.Cost | None) -> str:
    """The file up to its first entry."""
    told = [f"- {fact.name}: {words.escaped(fact.value)}" for fact in facts.facts(session, cost)]
    return "\n".join([f"# {words.escaped(facts.title(session))}", "", *told, "", ""])


def end() -> str:
    """What follows the last entry: nothing."""
    return ""


def open_agent(agent: t.SessionRow | None, depth: int) -> str:
    """The beginning of a sub-agent's transcript within that of who called it."""
    return f"{'#' * (1 + min(depth, 4))} {words.escaped(words.joined('Sub-agent', facts.agent(agent)))}\n\n"


def close_agent(depth: int) -> str:
    """Its end."""
    return f"{'#' * (1 + min(depth, 4))} End of the sub-agent\n\n"


def entry(whole: WholeEntry) -> str:
    """One entry; empty where it says nothing."""
    if markdown.is_silent(whole.entry):
        return ""
    return "".join(f"{line}\n" for line in markdown.entry(whole.entry, _lines(whole)))


def _lines(whole: WholeEntry) -> Iterator[str]:
    item = whole.entry
    if whole.input is not None:
        yield from markdown.field_lines(whole.input)
    else:
        yield from words.lines(item.text.strip("\r\n"))
    if item.truncated:
        yield "[cut: the log is gone, and there is no copy of it]"
    for reference in whole.blobs:
        yield f"[{reference.media_type}, {reference.bytes:,} bytes, sha256 {reference.sha256}]"
