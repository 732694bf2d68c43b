"""What the user said of what is in a bundle: chosen from a journal, and fitted into another one. Pure."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping

import msgspec

from ccdashd.edits.compaction import Line, live
from ccdashd.edits.decisions import (
    AnyEdit,
    ExternalLinkEdit,
    LinkEdit,
    MetadataEdit,
    Name,
    TagEdit,
    TagUse,
    UserEdit,
    decode,
    expanded,
)
from ccdashd.redact import Redactor

AS_WRITTEN = "~"
"""A home folder by which roots are read, and written, as they stand in the journal."""


def counting(journal: bytes, home: str) -> list[AnyEdit]:
    """The edits of a journal that still matter."""
    lines = (Line(raw, _decoded(raw, home)) for raw in io.BytesIO(journal))
    kept = io.BytesIO(b"".join(live(lines, home)))
    return [edit for raw in kept if (edit := _decoded(raw, home)) is not None]


def _decoded(line: bytes, home: str) -> AnyEdit | None:
    try:
        return decode(line, home)
    except msgspec.DecodeError:
        return None


def chosen(edits: Iterable[AnyEdit], concerns: Callable[[Name], bool]) -> list[UserEdit]:
    """Of the edits that count, those on entities that concern somebody, and the colors of the tags they use."""
    said = [edit for edit in edits if isinstance(edit, UserEdit)]
    kept = [edit for edit in said if any(map(concerns, names(edit)))]
    used = {edit.name.casefold() for edit in kept if isinstance(edit, TagUse)}
    colors = [edit for edit in said if isinstance(edit, TagEdit) and edit.color and edit.name.casefold() in used]
    return [*colors, *kept]


def redacted_line(line: bytes, redactor: Redactor) -> bytes:
    """A line of the journal, redacted; without its checksum, which would be that of another line."""
    body, _, _ = line.rpartition(b',"sum":"')
    return redactor.bytes(body + b"}") + b"\n"


def fitted(lines: Iterable[bytes], place: Callable[[str], str], sessions: Mapping[str, str | None]) -> list[UserEdit]:
    """The edits of a bundle's journal that add something, for the journal of this machine.

    `place` gives the absolute root for one as it is written; `sessions` tells for main sessions under which id each is
    here, with its sub-agents: None where what was said of it is left out. Lines that are not understood are left out.
    """
    found = []
    for line in lines:
        edit = _decoded(line, AS_WRITTEN)
        if not isinstance(edit, UserEdit) or not _adds(edit):
            continue
        if any(name.type == "session" and sessions.get(_main(name.key), "") is None for name in names(edit)):
            continue
        found.append(_renamed(edit, lambda name: _moved(name, place, sessions)))
    return found


def names(edit: UserEdit) -> list[Name]:
    """The entities that an edit is about."""
    match edit:
        case LinkEdit():
            return [edit.source, edit.target]
        case TagEdit():
            return []
        case ExternalLinkEdit() | TagUse() | MetadataEdit():
            return [edit.entity]


def placed(root: str, here: str, there: str, is_folder: Callable[[str], bool]) -> str:
    """The absolute root for one as it is written by a user whose home folder is `there`, for the one whose is `here`: where
    this user has such a folder, that one, else the one that the sessions of the bundle speak of."""
    own = expanded(root, here)
    return own if is_folder(own) else expanded(root, there)


def _adds(edit: UserEdit) -> bool:
    match edit:
        case LinkEdit(op=op):
            return op in ("make", "dismiss")
        case ExternalLinkEdit(op=op):
            return op == "create"
        case TagEdit(op=op):
            return op == "set"
        case TagUse(op=op):
            return op == "add"
        case MetadataEdit(value=value):
            return value is not None


def _main(session: str) -> str:
    return session.partition("/")[0]


def _moved(name: Name, place: Callable[[str], str], sessions: Mapping[str, str | None]) -> Name:
    if name.type != "session":
        return msgspec.structs.replace(name, root=place(name.root)) if name.root else name
    main, slash, agent = name.key.partition("/")
    return msgspec.structs.replace(name, key=(sessions.get(main) or main) + slash + agent)


def _renamed(edit: UserEdit, change: Callable[[Name], Name]) -> UserEdit:
    match edit:
        case LinkEdit():
            return msgspec.structs.replace(edit, source=change(edit.source), target=change(edit.target))
        case TagEdit():
            return edit
        case ExternalLinkEdit() | TagUse() | MetadataEdit():
            return msgspec.structs.replace(edit, entity=change(edit.entity))
