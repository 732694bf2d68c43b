"""Transcripts as a page of HTML that stands alone: no scripts, nothing fetched, all text escaped. Pure.

What is shown was written by agents, by people and by web pages that agents read. Beside the escaping, the page itself
forbids whatever could run in it or be loaded by it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from typing import Final

from ccdashd.protocol import types as t
from ccdashd.rendering import facts, markdown, words
from ccdashd.rendering.style import STYLE
from ccdashd.store.whole_entries import WholeEntry

IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
"""Types that are shown: by their first bytes, and none that could hold scripts."""

IMAGE_CAP: Final = 8 * 1024 * 1024
"""Bytes of an image that is shown."""

_SUMMARY: Final = 160
"""Characters of the line that stands for what is folded."""

_SAID: Final = frozenset({"prompt", "command", "steering", "queued", "bash", "assistant", "compactSummary", "interrupt"})
"""Kinds that are not folded."""

_WAS: Final = frozenset({"old_string", "oldString"})
_IS: Final = frozenset({"new_string", "newString"})

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def begin(session: t.Session, cost: t.Cost | None) -> str:
    """The page up to its first entry."""
    name = text(facts.title(session))
    told = "".join(f"<dt>{text(fact.name)}</dt><dd>{text(fact.value)}</dd>\n" for fact in facts.facts(session, cost))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="referrer" content="no-referrer">\n<title>{name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n'
        f'<header>\n<h1 dir="auto">{name}</h1>\n<dl>\n{told}</dl>\n</header>\n{_switches()}<main>\n'
    )


def end() -> str:
    """What follows the last entry."""
    return "</main>\n</body>\n</html>\n"


def open_agent(agent: t.SessionRow | None, depth: int) -> str:
    """The beginning of a sub-agent's transcript within that of who called it."""
    return f'<details class="agent" open><summary><b>Sub-agent</b> {text(facts.agent(agent))}</summary>\n'


def close_agent(depth: int) -> str:
    """Its end."""
    return "</details>\n"


def entry(whole: WholeEntry) -> str:
    """One entry; empty where it says nothing."""
    item = whole.entry
    if markdown.is_silent(item):
        return ""
    anchor = escape(f"e-{item.id}")
    link = f'<a href="#{anchor}">{_time(item.timestamp)}</a>'
    who = text(markdown.who(item))
    body = "".join(_body(whole))
    if item.kind in _SAID:
        inner = f"<h2>{who} {link}</h2>\n{body}"
    else:
        opened = " open" if item.kind == "toolResult" and item.is_error else ""
        inner = f"<details{opened}><summary><b>{who}</b> {link} {text(_summary(whole))}</summary>\n{body}</details>\n"
    return f'<article id="{anchor}" class="{_classes(item)}">\n{inner}</article>\n'


def text(given: str) -> str:
    """Text as HTML, of what can be seen."""
    return escape("\n".join(words.lines(given)))


def _switches() -> str:
    # Styles look from the boxes to what follows them, so these stand at the top of the page.
    labels = {"tools": "Tools", "thoughts": "Thinking", "others": "The rest"}
    return "".join(
        f'<input type="checkbox" id="{id}" class="show" checked> <label for="{id}" class="show">{name}</label>\n'
        for id, name in labels.items()
    )


def _classes(item: t.Entry) -> str:
    classes: list[str] = [item.kind]
    if item.kind in ("toolCall", "toolResult"):
        classes.append("tool")
    elif item.kind not in _SAID and item.kind != "thinking":
        classes.append("other")
    if item.is_error:
        classes.append("error")
    return " ".join(classes)


def _time(stamp: str | None) -> str:
    return f'<time datetime="{escape(stamp)}">{markdown.moment(stamp)}</time>' if stamp is not None else "¶"


def _summary(whole: WholeEntry) -> str:
    item = whole.entry
    first = next((line for line in words.lines(item.text) if line.strip()), "")
    number = item.text.count("\n") + 1
    more = f" · {words.number(number, 'line')}" if item.kind == "toolResult" and number > 1 else ""
    return words.short(first, _SUMMARY) + more


def _body(whole: WholeEntry) -> Iterator[str]:
    item = whole.entry
    if whole.input is not None:
        yield '<dl class="input">\n'
        for name, value in markdown.fields(whole.input):
            look = ' class="was"' if name in _WAS else ' class="is"' if name in _IS else ""
            yield f'<dt>{text(name)}</dt><dd><pre{look} dir="auto">{text(value)}</pre></dd>\n'
        yield "</dl>\n"
    elif item.kind in _SAID or item.kind == "thinking":
        yield f'<div class="text" dir="auto">{text(item.text.strip())}</div>\n'
    elif item.text:
        yield f'<pre dir="auto">{text(item.text)}</pre>\n'
    if item.truncated:
        yield '<p class="note">Cut: the log is gone, and there is no copy of it.</p>\n'
    for number, reference in enumerate(whole.blobs):
        label = escape(f"{reference.media_type}, {reference.bytes:,} bytes")
        if whole.data and reference.media_type in IMAGES and reference.bytes <= IMAGE_CAP:
            data = base64.b64encode(whole.data[number].data).decode()
            yield f'<img src="data:{reference.media_type};base64,{data}" alt="{label}" title="{label}" loading="lazy">\n'
        else:
            yield f'<p class="note">[{label}]</p>\n'
