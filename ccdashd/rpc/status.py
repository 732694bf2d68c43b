"""``tasks/setStatus``, ``features/setStatus``, ``features/setPhaseStatus``: statuses written into the files that hold them.

    find the files ──► read and plan each ──► preview
                                          └─► hashes as the client saw them ──► write all ──► pipeline ──► read back

Nothing is written before every file is known to be what the client saw, and can be edited.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from ccdashd.edits import files, status
from ccdashd.edits.files import Replacement
from ccdashd.edits.frontmatter import EditRefused, unified_diff
from ccdashd.errors import Busy, CcdashError, Conflict, InvalidParams, ReadOnly
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import Call, handles
from ccdashd.sources.planning.model import digest
from ccdashd.store import finding, holders
from ccdashd.store.entities import Key, entities
from ccdashd.store.holders import Holder

_SHOWN = 200
"""Characters of a wrong word, and wrong paths, that an error repeats."""

Find = Callable[[sa.Connection, int], tuple[Key, list[Holder]]]


@handles(methods.TASKS_SET_STATUS)
async def tasks_set_status(call: Call, params: t.SetTaskStatus) -> t.StatusResult:
    """Set the status of a task in its file, or preview that."""

    def find(connection: sa.Connection, revision: int) -> tuple[Key, list[Holder]]:
        id = finding.task_id(connection, params.id, params.project, params.feature)
        return ("task", id), [holders.of_task(connection, id)]

    return await _set(call, params, find)


@handles(methods.FEATURES_SET_PHASE_STATUS)
async def features_set_phase_status(call: Call, params: t.SetPhaseStatus) -> t.StatusResult:
    """Set the status of a phase in its file, or preview that."""

    def find(connection: sa.Connection, revision: int) -> tuple[Key, list[Holder]]:
        return ("phase", params.id), [holders.of_phase(connection, params.id)]

    return await _set(call, params, find)


@handles(methods.FEATURES_SET_STATUS)
async def features_set_status(call: Call, params: t.SetFeatureStatus) -> t.StatusResult:
    """Set the status of a feature in the document that holds it, or preview that."""

    def find(connection: sa.Connection, revision: int) -> tuple[Key, list[Holder]]:
        id = finding.feature_id(connection, params.id, params.project)
        return ("feature", id), holders.of_feature(connection, id, cascade=params.cascade)

    return await _set(call, params, find)


@dataclass(frozen=True, slots=True)
class _Edit:
    """What becomes of one file."""

    holder: Holder
    raw_status: str
    data: bytes
    wire: t.FileEdit


async def _set(call: Call, params: t.SetTaskStatus | t.SetPhaseStatus | t.SetFeatureStatus, find: Find) -> t.StatusResult:
    now = datetime.now().astimezone() if params.updated else None
    try:
        wanted = status.wanted(params.status, counters=params.counters, now=now)
    except ValueError as error:
        raise InvalidParams("status", str(error), params.status[:_SHOWN]) from None
    if params.apply and params.hashes is None:
        raise InvalidParams("hashes", "is missing; preview, and give the hash of each file that it names", None)
    entity, found = await call.app.database.read(find)
    edits = await asyncio.to_thread(_plan, found, wanted)
    if params.apply:
        await asyncio.to_thread(_compare, edits, params.hashes or {})
        await _write(call, [edit for edit in edits if edit.wire.changes])
    read_back = partial(_read_back, entity, edits if params.apply else [])
    now_is, revision = await call.app.database.read(read_back)
    changed = [edit.wire for edit in edits if edit.wire.changes]
    return t.StatusResult(applied=params.apply, files=changed, entity=now_is, revision=revision)


def _plan(found: Sequence[Holder], wanted: status.Wanted) -> list[_Edit]:
    edits: dict[tuple[int, int], _Edit] = {}
    for holder in found:
        file = files.read(holder.root, holder.path)
        try:
            plan = status.plan(holder.path, file.data, wanted, holder.task)
        except EditRefused as error:
            raise ReadOnly(f"{holder.path}: {error.message}", path=holder.path) from None
        wire = t.FileEdit(
            path=holder.path,
            document_id=holder.document_id,
            hash=file.hash,
            new_hash=digest(plan.data),
            changes=plan.changes,
            diff=unified_diff(file.data, plan.data, holder.path),
        )
        # Two documents may be one file, by a link: it is written once.
        edits.setdefault((file.stat.st_dev, file.stat.st_ino), _Edit(holder, plan.raw_status, plan.data, wire))
    return list(edits.values())


def _compare(edits: Sequence[_Edit], hashes: dict[str, str]) -> None:
    """That the client saw each file as it is. Raises InvalidParams and Conflict."""
    for wire in (edit.wire for edit in edits):
        seen = hashes.get(wire.path)
        if seen is None and wire.changes:
            raise InvalidParams(
                "hashes", f"has none for {wire.path}, which is to be changed; preview again", sorted(hashes)[:_SHOWN]
            )
        if seen is not None and seen != wire.hash:
            raise _changed(wire.path, wire.hash)
    for path in sorted(hashes.keys() - {edit.wire.path for edit in edits}):
        # It was to be changed when the client saw it: what would be done now is something else.
        try:
            now = files.read(edits[0].holder.root, path).hash if edits else ""
        except CcdashError:
            now = ""
        raise _changed(path, now)


def _changed(path: str, hash: str) -> Conflict:
    return Conflict(f"{path} changed since you read it; read it again", path=path, hash=hash)


async def _write(call: Call, edits: Sequence[_Edit]) -> None:
    if not edits:
        return
    paths = [os.path.join(edit.holder.root, edit.holder.path) for edit in edits]
    new = [Replacement(edit.holder.root, edit.wire.path, edit.wire.hash, edit.data) for edit in edits]
    try:
        await asyncio.to_thread(files.replace_all, new)
    except CcdashError:
        # Some may be written already, and those that changed under us are worth a look too.
        with suppress(Busy):
            await call.app.pipeline.apply(paths)
        raise
    try:
        await call.app.pipeline.apply(paths)
    except Busy as error:
        names = ", ".join(edit.wire.path for edit in edits)
        message = f"{names}: written, but the cache cannot take note of it now: {error.message}"
        raise Busy(message, reason="cache") from error


def _read_back(entity: Key, edits: Sequence[_Edit], connection: sa.Connection, revision: int) -> tuple[t.Entity, int]:
    """The entity as it is now. Raises RuntimeError where what was written is not what was read from it."""
    for edit in edits:
        stored = holders.stored(connection, edit.holder)
        # Where the file changed once more meanwhile, there is nothing to hold it against.
        if stored is not None and stored[0] == edit.wire.new_hash and stored[1] != edit.raw_status:
            raise RuntimeError(f"{edit.wire.path} was read as {stored[1]!r} after {edit.raw_status!r} was written")
    return entities(connection, [entity])[entity], revision
