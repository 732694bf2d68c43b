"""Which lines of a journal still matter. Pure.

What is left says the same as all lines together, for a state without any decision. Lines that were not understood, such as
those of a newer version, are left as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple, TypeVar

import msgspec

from ccdashd.derive.progress_days import kept as kept_days
from ccdashd.edits.decisions import (
    AlertEdit,
    AlertFiredEdit,
    AnyEdit,
    DayEdit,
    ExternalLinkEdit,
    LinkEdit,
    MetadataEdit,
    ProjectEdit,
    PruneEdit,
    RetentionEdit,
    TagEdit,
    TagUse,
    encode,
)

Identity = tuple[str, ...]

T = TypeVar("T")

KEPT_ALERTS: Final = 1000
"""Alerts that the history keeps beside those that fire."""

KEPT_PRUNES: Final = 1000
"""Prunes that the history keeps beside those that keep a session out of the archive."""


class Line(NamedTuple):
    """A line as it stands in the file, and the edit that it holds; None where it was not understood."""

    raw: bytes
    edit: AnyEdit | None


@dataclass
class _Tag:
    """A tag with those lines that gave it to entities. `n` is the number of the line that made it."""

    n: int
    edit: TagEdit
    """The one that would make it as it is now."""
    uses: dict[Identity, tuple[int, TagUse]] = field(default_factory=dict)


@dataclass
class _Alerts:
    """Lines of alerts, by their ids in the order in which they fired."""

    fired: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    """The last line of those that do not fire any more; what has ended does not fall silent."""

    def note(self, n: int, edit: AlertFiredEdit) -> None:
        if edit.op == "fired":
            self.fired.setdefault(edit.id, n)
        elif edit.id in self.fired and not (edit.op == "quieted" and edit.id in self.ended):
            self.ended[edit.id] = n

    def kept(self) -> list[int]:
        """The lines of the last `KEPT_ALERTS`, and of those that fire."""
        last = list(self.fired)[-KEPT_ALERTS:]
        ids = {*last, *(self.fired.keys() - self.ended.keys())}
        return [n for id in ids for n in (self.fired[id], self.ended.get(id)) if n is not None]


@dataclass
class _Prunes:
    """Lines of prunes, by session and time in their order."""

    pruned: dict[tuple[str, str], int] = field(default_factory=dict)
    released: dict[tuple[str, str], int] = field(default_factory=dict)
    """The line that each was released by."""
    open: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """By session: those that nothing released yet."""

    def note(self, n: int, edit: PruneEdit) -> None:
        session, key = edit.session.key, (edit.session.key, edit.at)
        if edit.op == "release":
            self.released.update(dict.fromkeys(self.open.pop(session, []), n))
        elif key not in self.pruned:
            self.pruned[key] = n
            self.open.setdefault(session, []).append(key)

    def kept(self) -> list[int]:
        """The lines of the last `KEPT_PRUNES`, and of those that nothing released."""
        last = list(self.pruned)[-KEPT_PRUNES:]
        keys = {*last, *(self.pruned.keys() - self.released.keys())}
        return [n for key in keys for n in (self.pruned[key], self.released.get(key)) if n is not None]


def live(lines: Iterable[Line], home: str) -> list[bytes]:
    """Those lines that still matter, in their order."""
    kept: dict[int, bytes] = {}
    last: dict[Identity, int] = {}
    projects: dict[str, dict[str, int]] = {}
    tags: dict[str, _Tag] = {}
    alerts = _Alerts()
    prunes = _Prunes()
    days: dict[str, dict[date, int]] = {}
    known: list[Line] = []
    for n, line in enumerate(lines):
        known.append(line)
        match line.edit:
            case None:
                if line.raw.strip(b"\0 \t\r\n"):
                    kept[n] = line.raw
            case ProjectEdit() as edit:
                _project(projects.setdefault(edit.root, {}), n, edit)
            case LinkEdit(op=op, source=source, target=target, link_type=link_type):
                key = ("link", *source.identity, *target.identity, link_type)
                _last(last, key, n, op in ("make", "dismiss"))
            case ExternalLinkEdit(op=op, entity=entity, url=url):
                _last(last, ("external", *entity.identity, url), n, op == "create")
            case MetadataEdit(entity=entity, key=name, value=value):
                _last(last, ("metadata", *entity.identity, name), n, value is not None)
            case AlertEdit(id=id, rule=rule):
                _last(last, ("alert", id), n, rule is not None)
            case AlertFiredEdit() as edit:
                alerts.note(n, edit)
            case RetentionEdit(id=id, policy=policy):
                _last(last, ("retention", id), n, policy is not None)
            case PruneEdit() as edit:
                prunes.note(n, edit)
            case DayEdit(root=root, day=day):
                days.setdefault(root, {})[day] = n
            case TagEdit() as edit:
                _tag(tags, n, edit)
            case TagUse() as edit:
                _use(tags, n, edit)
    of_projects = (n for numbers in projects.values() for n in numbers.values())
    for n in (*last.values(), *alerts.kept(), *prunes.kept(), *of_projects):
        kept[n] = known[n].raw
    for numbers in days.values():
        kept.update({numbers[day]: known[numbers[day]].raw for day in kept_days(numbers)})
    for tag in tags.values():
        for n, use in tag.uses.values():
            kept[n] = known[n].raw if use is known[n].edit else encode(use, home)
        kept[tag.n] = encode(tag.edit, home) + kept.get(tag.n, b"")
    return [_ended(kept[n]) for n in sorted(kept)]


def _last(last: dict[Identity, int], key: Identity, n: int, there: bool) -> None:
    if there:
        last[key] = n
    else:
        last.pop(key, None)


def _project(numbers: dict[str, int], n: int, edit: ProjectEdit) -> None:
    if edit.op == "remove":
        numbers.clear()
        return
    if edit.op == "add":
        numbers["added"] = n
    if edit.name is not None:
        numbers["name"] = n
    if edit.hidden is not None:
        numbers["hidden"] = n


def _tag(tags: dict[str, _Tag], n: int, edit: TagEdit) -> None:
    folded = edit.name.casefold()
    if edit.op == "set":
        tag = tags.setdefault(folded, _Tag(n, edit))
        if edit.color:
            tag.edit = msgspec.structs.replace(tag.edit, color=edit.color, at=edit.at)
    elif edit.op == "delete":
        tags.pop(folded, None)
    elif folded in tags:
        renamed = tags.pop(folded)
        into = tags.get(edit.new_name.casefold())
        if into is None:
            into = _Tag(renamed.n, msgspec.structs.replace(renamed.edit, name=edit.new_name))
            tags[edit.new_name.casefold()] = into
        elif not into.edit.color:
            into.edit = msgspec.structs.replace(into.edit, color=renamed.edit.color)
        for identity, (number, use) in renamed.uses.items():
            into.uses.setdefault(identity, (number, msgspec.structs.replace(use, name=into.edit.name)))


def _use(tags: dict[str, _Tag], n: int, edit: TagUse) -> None:
    folded, identity = edit.name.casefold(), edit.entity.identity
    if edit.op == "add":
        tag = tags.setdefault(folded, _Tag(n, TagEdit(op="set", name=edit.name, at=edit.at)))
        if edit.name != tag.edit.name:
            edit = msgspec.structs.replace(edit, name=tag.edit.name)
        tag.uses.setdefault(identity, (n, edit))
    elif folded in tags:
        tags[folded].uses.pop(identity, None)


def _ended(line: bytes) -> bytes:
    return line if line.endswith(b"\n") else line + b"\n"
