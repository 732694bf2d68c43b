"""A few lines about something, as an editor shows them when the pointer rests on it."""

from __future__ import annotations

import json
from typing import Final
from urllib.parse import quote

from ccdashd.lsp.editor import Editor
from ccdashd.protocol import lsp
from ccdashd.rendering import words

OPEN: Final = "ccdash.openTranscript"

LINES: Final = 12
"""Lines of a text that are quoted."""


class Page:
    """Builds a hover, in Markdown where the editor reads that. Text that is given to it is shown as it is."""

    def __init__(self, editor: Editor) -> None:
        self._markdown = editor.client.markdown
        self.opens = OPEN in editor.client.commands
        """Whether the editor carries out our commands itself."""
        self._blocks: list[str] = []

    def head(self, name: str, *facts: str) -> None:
        """The first line."""
        told = words.joined(*(self.text(fact) for fact in facts))
        name = f"**{self.text(name)}**" if self._markdown and name else self.text(name)
        self._blocks.append(words.joined(name, told))

    def say(self, *parts: str) -> None:
        """A paragraph of one line, of parts that `text` or `link` made; nothing where none says anything."""
        line = words.joined(*parts)
        if line:
            self._blocks.append(line)

    def listed(self, title: str, items: list[str]) -> None:
        """A list of lines that `text` or `link` made; nothing where there are none."""
        if items:
            self._blocks.append(
                "\n".join((f"{title}:", *([""] if self._markdown else []), *(f"- {item}" for item in items)))
            )

    def text(self, text: str) -> str:
        """One line of plain text."""
        return words.escaped(text) if self._markdown else words.plain(text)

    def link(self, text: str, uri: str) -> str:
        """A link to a file."""
        # A bracket of the path would end the link.
        target = uri.replace("(", "%28").replace(")", "%29")
        return f"[{self.text(text)}]({target})" if self._markdown else self.text(text)

    def quote(self, text: str, limit: int) -> None:
        """Lines of a text, set apart, of at most so many characters; nothing where there are none."""
        cut = text.strip()
        cut = cut if len(cut) <= limit else cut[: limit - 1].rstrip() + "…"
        lines = [f"> {self.text(line)}" for line in cut.splitlines()]
        lines = lines if len(lines) <= LINES else [*lines[: LINES - 1], "> …"]
        if lines:
            # Two spaces break a line of Markdown.
            self._blocks.append(("  \n" if self._markdown else "\n").join(lines))

    def transcript(self, title: str, session: str, entry: str | None = None) -> str:
        """What leads to a transcript: a link where the editor carries out our commands itself, else the session's id."""
        if self._markdown and self.opens:
            place = {"session": session} if entry is None else {"session": session, "entry": entry}
            argument = quote(json.dumps([place]), safe="")
            return f"[{self.text(title)}](command:{OPEN}?{argument})"
        return words.joined(self.text(title), self.text(session))

    def hover(self, where: lsp.Range | None = None) -> lsp.Hover:
        """All that was said, about that part of the text."""
        value = "\n\n".join(self._blocks)
        return lsp.Hover(contents=lsp.Markup(kind="markdown" if self._markdown else "plaintext", value=value), range=where)
