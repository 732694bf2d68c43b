"""An entity among its parents and children, drawn as a tree."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from ccdash.output import Output
from ccdash.plan_figures import status_style
from ccdash.text import clean, clip, clip_start, width

Node = Mapping[str, Any]

TITLE_LEAST = 24
"""Cells of a title that are kept before the name beside it goes."""

NAME_LEAST = 20
"""Cells of a name, of which the end tells most, that are kept before the title is cut."""

_GAP = "  "


class _Lines(NamedTuple):
    """What branches are drawn with."""

    fork: str
    last: str
    through: str
    under: str


_BOX = _Lines("├─ ", "└─ ", "│  ", "   ")
_ASCII = _Lines("|- ", "`- ", "|  ", "   ")


def draw_tree(out: Output, tree: Node, name: Callable[[Node], str]) -> None:
    """Write an entity below its parents and above its children, each with its status and `name`."""
    top: Node = {**tree["node"], "asked": True}
    siblings = len(tree["siblings"])
    for parent in tree["parents"]:
        others = f"… {siblings:,} sibling{'' if siblings == 1 else 's'}" if siblings else ""
        top, siblings = {**parent, "children": [top], "rest": others}, 0
    lines = _BOX if out.shows("├└│─…") else _ASCII
    for prefix, node in _walk(top, lines, "", ""):
        out.line(_rest(out, prefix, node) if isinstance(node, str) else _entity(out, prefix, node, name(node)))


def _walk(node: Node, lines: _Lines, first: str, following: str) -> Iterator[tuple[str, Node | str]]:
    """Every node with the branches before it, and the words for children that are left out."""
    yield first, node
    below: list[Node | str] = list(node["children"])
    if node.get("more"):
        below.append(f"… {node['more']:,} more")
    if node.get("rest"):
        below.append(node["rest"])
    for at, child in enumerate(below):
        mark, under = (lines.last, lines.under) if at == len(below) - 1 else (lines.fork, lines.through)
        if isinstance(child, str):
            yield following + mark, child
        else:
            yield from _walk(child, lines, following + mark, following + under)


def _entity(out: Output, prefix: str, node: Node, name: str) -> str:
    title, state = clean(node["title"]), "missing" if node.get("missing") else node["status"]
    if out.columns is not None:
        room = max(out.columns - width(prefix) - (width(_GAP + state) if state else 0), 1)
        beside = room - width(_GAP) - min(width(name), NAME_LEAST)
        if beside < min(width(title), TITLE_LEAST):
            title, name = clip(title, room), ""
        else:
            title = clip(title, beside)
            name = clip_start(name, room - width(title + _GAP))
    parts = (
        out.paint(title, "bold" if node.get("asked") else ""),
        out.paint(state, status_style(state)),
        out.paint(name, "dim"),
    )
    return out.paint(prefix, "dim") + _GAP.join(part for part in parts if part)


def _rest(out: Output, prefix: str, words: str) -> str:
    return out.paint(prefix + (words if out.shows(words) else words.replace("…", "...")), "dim")
