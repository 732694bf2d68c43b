"""``ccdash.setStatus``: the edit goes to the buffer where the editor has the file open, else to the file on disk.

It is the same edit of one value either way. What is being typed is never written over: a buffer is edited by the editor
itself, and only in the version that the edit was planned for.
"""

from __future__ import annotations

import asyncio
import os
import re
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
import sqlalchemy as sa

from ccdashd.edits import files, status
from ccdashd.edits.frontmatter import EditRefused
from ccdashd.edits.status import Wanted
from ccdashd.errors import Busy, Conflict, InvalidParams, NotFound, ReadOnly
from ccdashd.lsp.editor import Editor, Open
from ccdashd.lsp.edits import edit_of, workspace_edit
from ccdashd.lsp.plan_places import read, text_on_disk
from ccdashd.protocol import lsp
from ccdashd.protocol import types as t
from ccdashd.sources.planning.places import SUFFIXES
from ccdashd.store import holders, plan_file
from ccdashd.store.holders import Holder
from ccdashd.store.plan_file import PlanPath

if TYPE_CHECKING:
    from ccdashd.app import App

ATTEMPTS: Final = 3
"""Times that an edit is planned anew where the text changed meanwhile."""

_SHOWN: Final = 200
"""Characters of a wrong word that an error repeats."""

_TASK: Final = re.compile(rf"(.+?(?:{'|'.join(map(re.escape, SUFFIXES))}))#(.+)", re.IGNORECASE | re.DOTALL)


class SetStatus(msgspec.Struct, frozen=True):
    """The argument of the command."""

    entity: t.EntityRef
    """A task, a phase, a feature, or a document for its own status. A task may be newer than the cache."""
    status: str


class Settled(msgspec.Struct, rename="camel", frozen=True):
    """What became of it."""

    path: str
    """Absolute."""
    raw_status: str
    """The status as it then stands there."""
    changed: bool
    """False where the file said so already."""
    saved: bool
    """False where a buffer has it that the user is to save."""


async def set_status(app: App, editor: Editor, wish: SetStatus) -> Settled:
    """Set the status of an entity.

    Raises InvalidParams and NotFound for what is asked; ReadOnly, Conflict, Busy, Unsupported where it cannot be done now.
    """
    try:
        wanted = status.wanted(wish.status)
    except ValueError as error:
        raise InvalidParams("status", str(error), wish.status[:_SHOWN]) from None
    holder = await app.database.read(partial(_holder, wish.entity))
    path = os.path.join(holder.root, holder.path)
    if not app.is_plan(path):
        raise ReadOnly(f"{holder.path} is no planning file of the project, so it is left alone", path=holder.path)
    for _ in range(ATTEMPTS):
        opened = editor.documents.get(path)
        if opened is None or opened.text is None:
            return await _on_disk(app, holder, path, wanted)
        if not editor.client.apply_edit:
            if await asyncio.to_thread(_is_unsaved, holder, opened.text):
                raise Conflict(f"{holder.path} has changes that are not saved; save it, then try again", path=holder.path)
            return await _on_disk(app, holder, path, wanted)
        settled = await _in_buffer(editor, holder, opened, wanted)
        if settled is not None:
            return settled
    raise Conflict(f"{holder.path} changes while its status is set; try again in a moment", path=holder.path)


def _holder(entity: t.EntityRef, connection: sa.Connection, _: int) -> Holder:
    """Where the status of an entity stands. Raises NotFound, and ReadOnly where no file holds it."""
    match entity.type:
        case "feature":
            return holders.of_feature(connection, entity.id, cascade=False)[0]
        case "phase":
            return holders.of_phase(connection, entity.id)
        case "document":
            return _in_project(connection, entity, entity.id, None)
        case "task":
            found = _TASK.fullmatch(entity.id)
            if found is not None:
                return _in_project(connection, entity, found[1], found[2])
            raise NotFound("task", entity.id, "see tasks/list")
    raise InvalidParams("entity.type", "must be task, phase, feature or document: others have no status", entity.type)


def _in_project(connection: sa.Connection, entity: t.EntityRef, document_id: str, task: str | None) -> Holder:
    place = plan_file.place_by_id(connection, document_id)
    if place is None:
        raise NotFound(entity.type, entity.id, f"see {entity.type}s/list")
    return Holder(document_id, place.root, place.path, task)


def _plan(holder: Holder, data: bytes, wanted: Wanted) -> status.Plan:
    try:
        return status.plan(holder.path, data, wanted, holder.task)
    except EditRefused as error:
        raise ReadOnly(f"{holder.path}: {error.message}", path=holder.path) from None


async def _in_buffer(editor: Editor, holder: Holder, opened: Open, wanted: Wanted) -> Settled | None:
    """Have the editor change the text; None where that is another one meanwhile."""

    def planned(text: str) -> tuple[status.Plan, lsp.TextEdit]:
        reading = read(holder.path, text)
        plan = _plan(holder, reading.data, wanted)
        return plan, edit_of(reading.text, plan.data.decode("utf-8", "surrogateescape"))

    plan, edit = await asyncio.to_thread(planned, opened.text or "")
    if not plan.changes:
        return Settled(opened.path, plan.raw_status, changed=False, saved=False)
    if editor.documents.get(opened.path) is not opened:
        return None
    wish = lsp.ApplyEdit(
        edit=workspace_edit(editor, opened.uri, opened.version, [edit]), label=f"Set status to {plan.raw_status}"
    )
    answer = await editor.ask("workspace/applyEdit", wish, lsp.ApplyEditResult)
    if answer.applied:
        return Settled(opened.path, plan.raw_status, changed=True, saved=False)
    if editor.documents.get(opened.path) is not opened:
        return None
    why = answer.failure_reason or "it did not say why"
    raise Conflict(f"the editor did not change {holder.path}: {why}; try again", path=holder.path)


def _is_unsaved(holder: Holder, text: str) -> bool:
    written = text_on_disk(PlanPath(holder.document_id.partition("/")[0], holder.root, holder.path))
    return written is None or written.removeprefix("\ufeff") != text.removeprefix("\ufeff")


async def _on_disk(app: App, holder: Holder, path: str, wanted: Wanted) -> Settled:
    plan = await asyncio.to_thread(_write, holder, wanted)
    if plan.changes:
        try:
            await app.pipeline.apply([path])
        except Busy as error:
            message = f"{holder.path}: written, but the cache cannot take note of it now: {error.message}"
            raise Busy(message, reason="cache") from error
    return Settled(path, plan.raw_status, changed=bool(plan.changes), saved=True)


def _write(holder: Holder, wanted: Wanted) -> status.Plan:
    file = files.read(holder.root, holder.path)
    plan = _plan(holder, file.data, wanted)
    if plan.changes:
        files.replace(holder.root, holder.path, file.hash, plan.data)
    return plan
