"""Sections of the pages about features, tasks and documents: a heading, then a list, a table or a text, cut to be read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

from ccdash.output import Output
from ccdash.plan_figures import place
from ccdash.table import heading
from ccdash.text import clean, clean_lines, clip, wrap

SHORT_LIST = 12
"""Rows of a list that are shown unless all are wanted."""

SHORT_CRITERIA = 5
"""Criteria that are shown: many a plan that is done long since has hundreds of boxes that nobody ticked."""

TEXT_CELLS = 600
"""Cells of a text that are shown unless all of it is wanted."""

LINE_MAX = 100
"""Cells of a line of prose; wider ones are hard to read."""

RATINGS = ("rating", "friction")
"""Keys of metadata that the user sets to a number from 1 to `BEST`."""

BEST = 5

T = TypeVar("T")


class Page:
    """What a page is written with: the output, and whether anything is cut. Sections without content are left out."""

    def __init__(self, out: Output, *, full: bool) -> None:
        self.out = out
        self.full = full

    def text(self, title: str, text: str) -> None:
        """Write a text that may have several lines."""
        lines = clean_lines(text).strip().split("\n")
        if not any(lines):
            return
        if title:
            heading(self.out, title)
        else:
            self.out.line()
        if not self.full:
            lines = [clip(clean(" ".join(lines)), TEXT_CELLS)]
        for line in lines:
            self._prose(line, "")

    def table(self, title: str, rows: Sequence[T], draw: Callable[[Sequence[T]], None], more: str = "--full") -> None:
        """Write the rows by `draw`, some of them only where there are many; `more` is the command or option for all."""
        if rows:
            heading(self.out, title)
            draw(rows[: self.most])
            self.rest(len(rows), more)

    def bullets(self, title: str, items: Iterable[str], more: str = "--full") -> None:
        """Write clean texts as a list, broken to fit the window."""
        found = list(items)
        if found:
            heading(self.out, title)
            for item in found[: self.most]:
                self._prose(item, "- ")
            self.rest(len(found), more)

    def blockers(self, found: Sequence[Mapping[str, Any]]) -> None:
        """Write blockers that are not resolved."""
        still = [blocker for blocker in found if blocker["open"]]
        if not still:
            return
        heading(self.out, f"Blockers: {len(still):,}")
        for blocker in still[: self.most]:
            waiting = ", ".join(map(clean, blocker["tasks"]))
            about = [part for part in (clean(blocker["severity"]), f"blocks {waiting}" if waiting else "") if part]
            text = clean(blocker["title"]) or clean(blocker["description"])
            self._prose(text + (f" ({'; '.join(about)})" if about else ""), "- ", "red")
            self._place(place(blocker))
        self.rest(len(still))

    def mismatches(self, found: Sequence[Mapping[str, Any]]) -> None:
        """Write where files contradict each other, each with the places that say so."""
        if not found:
            return
        heading(self.out, f"Mismatches: {len(found):,}")
        for mismatch in found[: self.most]:
            self._prose(clean(mismatch["message"]), "- ", "yellow")
            for evidence in mismatch["evidence"]:
                where = place({"path": evidence["place"], "line": evidence["line"]})
                self._place(": ".join(part for part in (where, clean(evidence["detail"])) if part))
        self.rest(len(found))

    def criteria(self, found: Sequence[Mapping[str, Any]], total: int | None = None, left: int | None = None) -> None:
        """Write criteria that are not met, below the file that has them and with their lines.

        Where `found` are only some of them, `total` is the number of all, `left` that of those not met.
        """
        unmet = [criterion for criterion in found if criterion["met"] is False]
        if not unmet:
            return
        left = len(unmet) if left is None else left
        heading(self.out, f"Criteria not met: {left:,} of {len(found) if total is None else total:,}")
        shown = unmet if self.full else unmet[:SHORT_CRITERIA]
        for path, group in groupby(shown, key=lambda criterion: str(criterion["path"])):
            self.out.line(self.out.paint(clean(path), "dim"))
            for criterion in group:
                self._prose(clean(criterion["text"]), f"{criterion['line']:>6}  ")
        self.rest(left, shown=len(shown))
        if self.full and left > len(shown):
            hint = self.out.hint(f"… {left - len(shown):,} more; `ccdash doc PATH --full` lists those of a file")
            self.out.line(self.out.paint(hint, "dim"))

    def findings(self, found: Sequence[Mapping[str, Any]]) -> None:
        """Write what was not understood."""
        items = []
        for finding in found:
            line = f"line {finding['line']}: " if finding["line"] else ""
            times = f" ({finding['count']:,} times)" if finding["count"] > 1 else ""
            items.append(f"{line}{clean(finding['message'])}{times}")
        self.bullets("Not understood", items)

    def user(self, entity: Mapping[str, Any]) -> None:
        """Write what the user said of an entity: note, links to the web, other values. Tags and rating are facts."""
        values = dict(entity["metadata"])
        self.text("Note", str(values.pop("note", "")))
        self.bullets(
            "External links", [f"{clean(link['label'])}: {clean(link['url'])}" for link in entity["externalLinks"]]
        )
        for key in RATINGS:
            values.pop(key, None)
        self.bullets("Metadata", [f"{clean(key)}: {clean(plain(value))}" for key, value in sorted(values.items())])

    @property
    def most(self) -> int | None:
        """Rows of a list at most; None for all."""
        return None if self.full else SHORT_LIST

    def rest(self, total: int, more: str = "--full", *, shown: int = SHORT_LIST) -> None:
        """Tell what was cut off a list."""
        if not self.full and total > shown:
            self.out.line(self.out.paint(self.out.hint(f"… {total - shown:,} more; {more} lists them"), "dim"))

    def _place(self, text: str) -> None:
        """Write where something stands. Not broken: a path in two lines could not be copied."""
        self.out.line(self.out.paint(f"    {text}", "dim"))

    def _prose(self, text: str, mark: str, style: str = "") -> None:
        room = None if self.out.columns is None else max(min(self.out.columns, LINE_MAX) - len(mark), 16)
        first, *others = [text] if room is None else wrap(text, room)
        self.out.line(self.out.paint(mark + first, style))
        for line in others:
            self.out.line(self.out.paint(" " * len(mark) + line, style))


def user_facts(entity: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Tags and ratings of the user."""
    return [
        ("your tags", ", ".join(map(clean, entity["tags"]))),
        ("rating", rated(entity["metadata"]).removeprefix("rating ")),
    ]


def rated(values: Mapping[str, Any]) -> str:
    """What the user rated: ``rating 4 of 5, friction 2 of 5``; empty where nothing is."""
    return ", ".join(f"{key} {clean(values[key])} of {BEST}" for key in RATINGS if values.get(key) is not None)


def plain(value: Any) -> str:
    """A value of JSON as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
