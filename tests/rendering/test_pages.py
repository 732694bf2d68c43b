"""Transcripts and blame as Markdown: what others wrote stays in indented code."""

from __future__ import annotations

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.protocol import methods as m
from ccdashd.protocol import types as t
from ccdashd.rendering import pages
from tests.protocol.samples import RESULTS

SESSION: t.SessionRow = RESULTS[m.SESSIONS_LIST.name].items[0]
PART: t.Transcript = RESULTS[m.SESSIONS_TRANSCRIPT.name]
BLAME: t.Blame = RESULTS[m.FILES_BLAME.name]

MARKED = frozenset("[]`<>!|&#*_")

WORDS = st.text(st.sampled_from("ab \n\r\t\x1b\x00`[](){}<>#*_!|&\\~-=+.:/\u202e\u2028"), max_size=60)


def acting(line: str) -> set[str]:
    """Characters of a line that may mean something in Markdown; what stands in our own code is not among them."""
    plain = re.sub("`ccdash [^`]*`", "", line)
    return {character for at, character in enumerate(plain) if character in MARKED and not plain[:at].endswith("\\")}


def check(text: str) -> None:
    for line in text.split("\n"):
        assert not set(line) & set("\r\x1b\x00\u202e\u2028")
        if not line.startswith("    "):
            said = line.removeprefix("## ").removeprefix("# ").removeprefix("- ")
            assert acting(said.replace("**", "").strip("*")) == set(), line


@given(WORDS, WORDS, st.sampled_from(["prompt", "assistant", "toolCall", "toolResult", "unknown"]))
def test_nothing_leads_out_of_a_transcript(words: str, name: str, kind: t.EntryKind) -> None:
    entry = msgspec.structs.replace(PART.items[0], text=words, tool=name, kind=kind)
    session = msgspec.structs.replace(SESSION, title=name, project_name=name, model=name, id=name)
    part = msgspec.structs.replace(PART, items=[entry, entry], start=3, total=9)
    check(pages.transcript(session, part, None).text)
    check(pages.sessions(name, [session], 2).text)


@given(WORDS, WORDS)
def test_nothing_leads_out_of_blame(words: str, name: str) -> None:
    change = BLAME.changes[0]
    prompt = t.BlamePrompt(entry=None, text=words, time=None)
    change = msgspec.structs.replace(change, title=name, session_id=name, model=name, prompt=prompt)
    blame = msgspec.structs.replace(BLAME, path=f"/{name}", changes=[change])
    rendered = pages.blame(blame, "\n".join([words.replace("\n", " ")] * blame.lines))
    check(rendered.text)
    assert sum(line.startswith("    ") or not line for line in rendered.text.split("\n")) >= blame.lines


def test_the_line_of_the_entry_that_is_meant() -> None:
    first, second = (msgspec.structs.replace(PART.items[0], id=id, text=id) for id in ("one", "two"))
    part = msgspec.structs.replace(PART, items=[first, second], start=0, total=2)
    rendered = pages.transcript(SESSION, part, "two")
    lines = rendered.text.split("\n")
    assert lines[rendered.line].startswith("## ")
    assert lines[rendered.line + 2] == "    two"
    assert pages.transcript(SESSION, part, None).line == 0
