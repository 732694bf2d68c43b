"""One document, with all that was read in it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from ccdashd.derive import mismatches
from ccdashd.derive.features import blockers_of
from ccdashd.edits import files
from ccdashd.errors import ReadOnly
from ccdashd.protocol import types as t
from ccdashd.sources.planning.model import Document, Ref, Task
from ccdashd.store import diagnostics, linked, plan_lists
from ccdashd.store.schema import document_data, documents, task_data, tasks

_document = msgspec.json.Decoder(Document)
_task = msgspec.json.Decoder(Task)


def get(connection: sa.Connection, document_id: str, revision: int, *, content: bool = False) -> t.Document:
    """One document. With `content` also the text of its file as it is now, None where that is gone.

    Raises ReadOnly where the file's text is asked for and it may not be read, or lies outside its project.
    """
    query = plan_lists.DOCUMENT.add_columns(document_data.c.data).join(document_data, document_data.c.id == documents.c.id)
    row = connection.execute(query.where(documents.c.id == document_id)).one()
    listed = plan_lists.document(row)
    document = _document.decode(row.data)
    document.tasks = [
        _task.decode(data)
        for data in connection.execute(
            sa.select(task_data.c.data)
            .join(tasks, tasks.c.id == task_data.c.id)
            .where(tasks.c.document_id == document_id)
            .order_by(tasks.c.n)
        ).scalars()
    ]
    return t.Document(
        **{name: getattr(listed, name) for name in _SHARED},
        absolute_path=os.path.join(row.root, row.path),
        raw_type=document.raw_type,
        status_line=document.status_line,
        phase=document.phase,
        owners=document.owners,
        file_tags=document.tags,
        category=document.category,
        priority=document.priority,
        effort=document.effort,
        created=document.created,
        updated=document.updated,
        blockers=blockers_of(document),
        criteria=[
            t.Criterion(text=item.text, raw_status=item.raw_status, met=item.met, path=row.path, line=item.line)
            for item in document.criteria
        ],
        questions=document.questions,
        refs=_refs(connection, row, document.refs),
        files=document.files,
        commits=document.commits,
        prs=document.prs,
        sessions=document.session_ids,
        headings=[text for _, _, text in document.headings],
        mismatches=mismatches.of_document(document),
        diagnostics=diagnostics.of_document(connection, document_id),
        frontmatter=document.frontmatter,
        hash=row.hash,
        content=_text(row.root, row.path) if content else None,
        **linked.around(connection, "document", document_id),
        revision=revision,
    )


_SHARED = tuple(name for name in t.DocumentRow.__struct_fields__ if name in t.Document.__struct_fields__)


def _refs(connection: sa.Connection, row: Any, refs: Sequence[Ref]) -> list[t.DocumentRef]:
    ids = [f"{row.project_id}/{ref.path}" for ref in refs]
    known = set(connection.execute(sa.select(documents.c.id).where(documents.c.id.in_(ids))).scalars())
    return [
        t.DocumentRef(
            field=ref.field,
            raw=ref.raw,
            path=ref.path,
            line=ref.line,
            document_id=id if id in known else None,
            exists=bool(ref.path) and os.path.exists(os.path.join(row.root, ref.path)),
        )
        for ref, id in zip(refs, ids, strict=True)
    ]


def _text(root: str, path: str) -> str | None:
    try:
        return files.read(root, path).data.decode("utf-8", "replace")
    except ReadOnly:
        if not os.path.lexists(os.path.join(root, path)):
            return None
        raise
