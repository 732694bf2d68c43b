"""``cache/storage``: what all that is ours takes on disk."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from ccdashd.archive.chunks import on_disk
from ccdashd.archive.holdings import divided, survey
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import ReadCall, handles
from ccdashd.store import archived, storage

NO_PROJECT = "(no project)"
"""Stands for the project of copies that belong to none, or to a session that is not known."""


@handles(methods.CACHE_STORAGE)
def cache_storage(call: ReadCall, params: t.NoParams) -> t.Storage:
    """Bytes on disk by part, table and project."""
    paths = call.app.paths
    parts = [
        _part("cache", *_beside(paths.database)),
        _part("text", *_beside(paths.text_index)),
        _part("archive", paths.archive),
        _part("journal", *_beside(paths.journal)),
        _part("backups", paths.backups),
        _part("logs", paths.log_file.parent),
    ]
    execute = storage.execute_on(call.conn)
    tables, free = storage.tables(execute), storage.free(execute)
    text_tables, text_free = storage.of_text(paths.text_index)
    return t.Storage(
        total=sum(part.bytes for part in parts),
        parts=parts,
        tables=sorted([*tables, *text_tables], key=lambda part: (-part.bytes, part.name)),
        projects=_projects(call),
        sources=storage.source_bytes(call.conn),
        reclaimable=free + text_free,
        revision=call.revision,
    )


def _projects(call: ReadCall) -> list[t.StoragePart]:
    known = {log.path: (log.project_id or "", log.project or NO_PROJECT) for log in archived.logs(call.conn)}
    holdings = survey(call.app.archive)
    owners = {path: known.get(path, ("", NO_PROJECT)) for path in holdings.parts}
    sizes = divided(holdings, owners)
    logs: defaultdict[tuple[str, str], int] = defaultdict(int)
    for owner in owners.values():
        logs[owner] += 1
    parts = [t.StoragePart(name=name, bytes=sizes[id, name], files=logs[id, name], id=id or None) for id, name in sizes]
    return sorted(parts, key=lambda part: (-part.bytes, part.name, part.id or ""))


def _beside(path: Path) -> Iterator[Path]:
    """A file, and those that are called like it: write-ahead logs, and what was moved aside."""
    if path.parent.is_dir():
        yield from (other for other in path.parent.iterdir() if other.name.startswith(path.name))


def _part(name: str, *places: Path) -> t.StoragePart:
    sizes = [size for place in places for size in _sizes(place)]
    return t.StoragePart(name=name, bytes=sum(sizes), files=len(sizes))


def _sizes(place: Path) -> Iterator[int]:
    """Bytes on disk of each file at or below a place; what goes meanwhile is left out."""
    try:
        if not place.is_dir():
            yield on_disk(place.lstat())
            return
    except OSError:
        return
    for folder, _, names in os.walk(place):
        for name in names:
            try:
                yield on_disk(os.lstat(os.path.join(folder, name)))
            except OSError:
                continue
