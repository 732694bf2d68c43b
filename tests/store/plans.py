"""Planning files and caches of them, made by hand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import sqlalchemy as sa

from ccdashd.derive.plan_rows import rows_of
from ccdashd.sources.planning.model import Document, Finding, PlanningFile, Ref, Slug, Status, Task
from ccdashd.store import feature_rows, planning, versions
from ccdashd.store.connection import raw_connection
from ccdashd.store.planning import Changes
from tests.ingest.tables import Tables, dump

PROJECT = "app-123456"


def document(
    path: str,
    doc_type: str,
    status: Status | None = None,
    *,
    tasks: Iterable[Status] = (),
    phases: Sequence[str] = (),
    phase: str = "",
    feature_slug: str = "",
    prd: str = "",
    prd_ref: str = "",
    findings: int = 0,
    supersedes: Sequence[str] = (),
) -> Document:
    """A document with tasks of these statuses; those of `phases` name a phase of their own, in turn."""
    names = list(phases) or [phase]
    return Document(
        path=path,
        doc_type=doc_type,
        title=f"PRD: Title of {path}",
        status=status,
        raw_status=status or "",
        status_line=3 if status else 0,
        phase=phase,
        slugs=[
            *([Slug(slug=feature_slug, source="feature_slug")] if feature_slug else []),
            *([Slug(slug=prd, source="prd")] if prd else []),
        ],
        refs=[Ref(field="prd_ref", raw=prd_ref, path=prd_ref, line=4)] if prd_ref else [],
        tasks=[
            Task(
                key=f"T{n}",
                task_id=f"T{n}",
                form="list",
                line=10 + n,
                title=f"Task {n}",
                raw_status=word,
                status=word,
                phase=names[n % len(names)],
                assignees=["ada", "bob"][: n % 3],
                commits=[f"{n:07x}"],
            )
            for n, word in enumerate(tasks)
        ],
        findings=[Finding(code="yaml", severity="warning", line=n, message="?") for n in range(findings)],
        supersedes=list(supersedes),
        tags=["Ui", "api"],
    )


def file(document: Document, mtime: int = 1) -> PlanningFile:
    """The file of a document, last written so many seconds after the epoch."""
    return PlanningFile(path=document.path, size=1, mtime_ns=mtime * 10**9, inode=1, hash="00", document=document)


@contextmanager
def cache() -> Iterator[sa.Connection]:
    """A connection of a new cache."""
    engine = sa.create_engine("sqlite://")
    try:
        with engine.connect() as connection:
            raw_connection(connection).execute("PRAGMA foreign_keys = ON")
            versions.ensure(connection)
            yield connection
    finally:
        engine.dispose()


def write(connection: sa.Connection, files: Iterable[PlanningFile] = (), gone: Iterable[str] = ()) -> Changes:
    """Carry out a change of files, `gone` those at these paths, as one transaction would."""
    changes = Changes()
    planning.forget(connection, [f"{PROJECT}/{path}" for path in gone], changes)
    planning.store(connection, PROJECT, [rows_of(PROJECT, file) for file in files], changes)
    feature_rows.rebuild(connection, PROJECT, changes)
    return changes


def tables(connection: sa.Connection) -> Tables:
    """All that the cache holds."""
    raw = raw_connection(connection)
    assert isinstance(raw, sqlite3.Connection)
    return dump(raw)
