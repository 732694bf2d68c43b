"""What search knows beside transcripts: titles of sessions, planning files, tasks, features, and the user's notes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from ccdashd.clock import milliseconds
from ccdashd.derive.features import Details
from ccdashd.edits import files
from ccdashd.errors import ReadOnly
from ccdashd.protocol import types as t
from ccdashd.store.connection import raw_connection, select
from ccdashd.store.entities import entities

ItemType = Literal["session", "document", "task", "feature", "note"]

TYPES: tuple[ItemType, ...] = ("session", "document", "task", "feature", "note")

_feature = msgspec.json.Decoder(Details)
_note = msgspec.json.Decoder()


class Item(NamedTuple):
    """Something that is found by its title or text. The text of a planning file is that of its file: see `text_of`."""

    type: ItemType
    id: str
    """That of the entity; of a note ``<type>:<id>`` of the entity that it is on."""
    project_id: str | None
    time: int | None
    """When it was changed last, in milliseconds since the epoch."""
    title: str
    text: str = ""
    root: str = ""
    """Absolute path of the project, where `path` is not empty."""
    path: str = ""
    """The planning file in its project, of a document or task."""
    line: int | None = None
    """Of a task, in its file."""
    version: str = ""
    """Of a document: the hash of its file."""

    @property
    def stamp(self) -> bytes:
        """Tells whether what can be found of it changed."""
        said = "\0".join((self.title, self.text, self.path, self.version))
        return hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=8).digest()


def items(connection: sa.Connection, type: ItemType, ids: Sequence[str] | None = None) -> Iterator[Item]:
    """The items of a type: those with these ids that there are, or all."""
    return _READERS[type](connection, ids)


def text_of(item: Item) -> str:
    """The text of an item; that of a planning file is read from disk, and is empty where that cannot be done."""
    if item.type != "document":
        return item.text
    try:
        return files.read(item.root, item.path).data.decode("utf-8", "replace")
    except (ReadOnly, OSError):
        return ""


def _rows(connection: sa.Connection, query: str, id: str, ids: Sequence[str] | None) -> Iterable[tuple[Any, ...]]:
    """Rows of a query, which ends in a WHERE clause or in what one may follow."""
    if ids is None:
        return raw_connection(connection).execute(query)
    joint = "AND" if "WHERE" in query else "WHERE"
    return select(connection, f"{query} {joint} {id} IN ({{}})", ids)


_SESSIONS = "SELECT id, project_id, ended_at, title FROM sessions WHERE title <> ''"


def _sessions(connection: sa.Connection, ids: Sequence[str] | None) -> Iterator[Item]:
    for id, project_id, time, title in _rows(connection, _SESSIONS, "id", ids):
        yield Item("session", id, project_id or None, time, title)


_DOCUMENTS = """
SELECT d.id, d.project_id, d.mtime_ns / 1000000, d.title, p.root, d.path, d.hash
FROM documents d JOIN projects p ON p.id = d.project_id
"""


def _documents(connection: sa.Connection, ids: Sequence[str] | None) -> Iterator[Item]:
    for id, project_id, time, title, root, path, hash in _rows(connection, _DOCUMENTS, "d.id", ids):
        yield Item("document", id, project_id, time, title or path, root=root, path=path, version=hash)


_TASKS = """
SELECT t.id, t.project_id, d.mtime_ns / 1000000, t.task_id, t.title, t.description, p.root, d.path, t.line
FROM tasks t JOIN documents d ON d.id = t.document_id JOIN projects p ON p.id = t.project_id
"""


def _tasks(connection: sa.Connection, ids: Sequence[str] | None) -> Iterator[Item]:
    for id, project_id, time, task_id, title, description, root, path, line in _rows(connection, _TASKS, "t.id", ids):
        name = f"{task_id} {title}".strip() or id
        yield Item("task", id, project_id, time, name, description, root=root, path=path, line=line)


def tasks_of(connection: sa.Connection, document_ids: Iterable[str]) -> list[str]:
    """The ids of the tasks of these planning files."""
    return [id for (id,) in select(connection, "SELECT id FROM tasks WHERE document_id IN ({})", document_ids)]


_FEATURES = "SELECT id, project_id, modified_at, slug, name, data FROM features"


def _features(connection: sa.Connection, ids: Sequence[str] | None) -> Iterator[Item]:
    for id, project_id, time, slug, name, data in _rows(connection, _FEATURES, "id", ids):
        yield Item("feature", id, project_id, time, name or slug, f"{slug}\n{_feature.decode(data).description}")


_NOTES = """
SELECT entity_type || ':' || entity_id, entity_type, entity_id, value, updated_at FROM app_metadata WHERE key = 'note'
"""


def _notes(connection: sa.Connection, ids: Sequence[str] | None) -> Iterator[Item]:
    rows = list(_rows(connection, _NOTES, "entity_type || ':' || entity_id", ids))
    of = entities(connection, [(type, id) for _, type, id, _, _ in rows])
    for key, type, id, value, updated_at in rows:
        note = _note.decode(value)
        entity = of[type, id]
        if isinstance(note, str) and note:
            # A line that was written by hand may have no time.
            time = milliseconds(updated_at) if updated_at else None
            yield Item("note", key, entity.project_id, time, entity.title, note)


_READERS: dict[ItemType, Callable[[sa.Connection, Sequence[str] | None], Iterator[Item]]] = {
    "session": _sessions,
    "document": _documents,
    "task": _tasks,
    "feature": _features,
    "note": _notes,
}


def entity_of_note(id: str) -> tuple[t.EntityType, str]:
    """Type and id of the entity that a note is on."""
    type, _, entity_id = id.partition(":")
    return type, entity_id  # type: ignore[return-value]


def place(item: Item) -> str | None:
    """Absolute path of the file of a document or task."""
    return os.path.join(item.root, item.path) if item.path else None
