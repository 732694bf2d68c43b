"""Parts of transcripts, blame and lists of sessions as Markdown for editors that cannot show them otherwise. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ccdashd.protocol import types as t
from ccdashd.rendering import markdown, words

RESULT_CAP: Final = 2_000
TEXT_CAP: Final = 20_000
"""Characters of the result of a tool, and of other entries, that are shown."""

_TITLE: Final = 80
_PROMPT: Final = 100


class Rendered(NamedTuple):
    """A text, and the line in it that is to be shown first, from 0."""

    text: str
    line: int = 0


def transcript(session: t.SessionRow, part: t.Transcript, entry: str | None) -> Rendered:
    """A part of a transcript, around an entry where one is meant."""
    facts = words.joined(session.project_name, words.model(session.model), markdown.moment(session.started_at))
    lines = [f"# {words.escaped(words.short(session.title or session.id, _TITLE))}", "", words.escaped(facts), ""]
    command = f"`ccdash show {session_argument(session.id)} --transcript` shows all"
    if part.start:
        lines += [f"*{words.number(part.start, 'record')} before; {command}.*", ""]
    place = 0
    for item in part.items:
        if item.id == entry or item.uuid == entry:
            place = len(lines)
        lines += _entry(item)
    after = part.total - part.start - len(part.items)
    if after > 0:
        lines += [f"*{words.number(after, 'record')} after; {command}.*", ""]
    return Rendered("\n".join(lines), place)


def blame(blame: t.Blame, text: str) -> Rendered:
    """A file with who wrote which lines."""
    written = [words.visible(line) for line in text.split("\n")]
    told = f"{blame.agent_lines:,} of {words.number(blame.lines, 'line')} written by agents"
    lines = [f"# {words.escaped(blame.path)}", "", told, ""]
    end = 0
    for block in blame.blocks:
        if block.start - 1 > end:
            lines += ["## Others", "", *markdown.code(written[end : block.start - 1]), ""]
        change = blame.changes[block.change]
        prompt = f"“{words.short(change.prompt.text, _PROMPT)}”" if change.prompt is not None else ""
        facts = words.joined(words.model(change.model), markdown.moment(change.time), words.cost(change.cost))
        lines += [f"## {words.escaped(words.joined(words.short(change.title or change.session_id, _TITLE), prompt))}", ""]
        lines += [f"{words.escaped(facts)} · `ccdash show {session_argument(change.session_id)}`", ""]
        lines += [*markdown.code(written[block.start - 1 : block.end]), ""]
        end = block.end
    if end < blame.lines:
        lines += ["## Others", "", *markdown.code(written[end : blame.lines]), ""]
    return Rendered("\n".join(lines))


def sessions(heading: str, rows: Sequence[t.SessionRow], total: int) -> Rendered:
    """A list of sessions."""
    lines = [f"# {words.escaped(heading)}", ""]
    for row in rows:
        facts = words.joined(
            row.project_name, words.model(row.model), markdown.moment(row.ended_at), words.status(row.status)
        )
        lines.append(f"- **{words.escaped(words.short(row.title or row.id, _TITLE))}** {words.escaped(facts)}  ")
        lines.append(f"  `ccdash show {session_argument(row.id)} --transcript`")
    if total > len(rows):
        lines.append(f"- and {total - len(rows):,} more")
    return Rendered("\n".join([*lines, ""]))


def session_argument(id: str) -> str:
    """A session's id as it can stand in a command line. Ids come from names of files, so they need not be harmless."""
    return "".join(character for character in id if character.isalnum() or character in "-_/.")


def _entry(item: t.Entry) -> Iterator[str]:
    if markdown.is_silent(item):
        return
    text = item.text.strip("\n")
    cap = RESULT_CAP if item.kind == "toolResult" else TEXT_CAP
    yield from markdown.entry(item, words.lines(text if len(text) <= cap else text[:cap].rstrip() + "…"))
