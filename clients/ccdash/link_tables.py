"""Links as tables and sentences: between two entities, and to the web."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ccdash.entities import Entity, Finder
from ccdash.figures import NOTHING, local
from ccdash.output import Output
from ccdash.plan_figures import percent, status_style
from ccdash.table import Column, draw
from ccdash.text import clean

Row = Mapping[str, Any]

VERBS = {
    "related": "is related to",
    "child": "has the child",
    "blocks": "blocks",
    "implements": "implements",
    "references": "references",
}
TOUCH = "touch:"
"""Begins the id of a link that tells what a session did to a file: nothing can be done with it but to look at it."""

_SAME_TITLE = ("file", "commit")
"""Entities whose title is in their id."""


def sentence(finder: Finder, link: Row) -> str:
    """What a link says: ``feature:till blocks feature:pay``."""
    return f"{finder.name(link['source'])} {VERBS[link['linkType']]} {finder.name(link['target'])}"


def signals(link: Row) -> str:
    """By what a link was found."""
    return ", ".join(map(clean, link["signals"]))


def draw_links(out: Output, finder: Finder, entity: Entity, links: Sequence[Row]) -> None:
    """Write links as seen from one of their ends: what is at the other end, how it hangs together, and how sure that is."""
    arrows = ("→", "←") if out.shows("→←") else ("->", "<-")
    columns = (
        Column("ID", style="dim", drop=1),
        Column("", style="bold"),
        Column("LINK"),
        Column("ENTITY", flexible=True, style="cyan", path=True, least=28),
        Column("TITLE", flexible=True, drop=5, least=20),
        Column("STATUS", style=status_style, drop=6),
        Column("SURE", right=True),
        Column("ORIGIN", drop=4),
        Column("BY", flexible=True, style="dim", drop=3, least=10),
    )
    rows = []
    for link in links:
        outward = (link["source"]["type"], link["source"]["id"]) == entity
        other = link["target" if outward else "source"]
        rows.append(
            (
                NOTHING if link["id"].startswith(TOUCH) else clean(link["id"]),
                arrows[not outward],
                "parent" if link["linkType"] == "child" and not outward else clean(link["linkType"]),
                finder.name(other),
                NOTHING if other["type"] in _SAME_TITLE or other["missing"] else clean(other["title"]),
                "missing" if other["missing"] else other["status"] or NOTHING,
                percent(link["confidence"]),
                "dismissed" if link["dismissed"] else clean(link["origin"]),
                signals(link) or clean(link["note"]) or NOTHING,
            )
        )
    draw(out, columns, rows)


def write_reasons(out: Output, finder: Finder, links: Sequence[Row]) -> None:
    """Write links as sentences, each with its evidence: signals with their weights, what is said there, and the places."""
    for number, link in enumerate(links):
        if number:
            out.line()
        state = "dismissed" if link["dismissed"] else percent(link["confidence"])
        out.line(f"{out.paint(sentence(finder, link), 'bold')} ({state}{_own_id(link)})")
        if link["origin"] == "manual":
            out.line(f"    linked by you on {local(link['createdAt'])}{_after(link['note'])}")
        for piece in link["evidence"]:
            times = f" ({piece['count']:,} times)" if piece["count"] > 1 else ""
            head = f"{clean(piece['signal'])} {percent(piece['weight'])}{times}"
            out.line(f"    {head}{_after(piece['detail'])}")
            if where := _where(piece):
                out.line(out.paint(f"        {where}", "dim"))


def _own_id(link: Row) -> str:
    return "" if link["id"].startswith(TOUCH) else f", link {clean(link['id'])}"


def _after(text: str) -> str:
    return f": {clean(text)}" if text else ""


def _where(piece: Row) -> str:
    place = clean(piece["place"])
    if piece["line"]:
        return f"{place}:{piece['line']}"
    return place if piece["offset"] is None else f"{place} (byte {piece['offset']:,})"


def draw_external(out: Output, links: Sequence[Row]) -> None:
    """Write links to the web."""
    columns = (
        Column("ID", style="dim", drop=2),
        Column("CATEGORY", drop=1),
        Column("LABEL", flexible=True, least=20),
        Column("URL", flexible=True, style="cyan", least=40),
    )
    draw(out, columns, [tuple(clean(link[key]) for key in ("id", "category", "label", "url")) for link in links])
