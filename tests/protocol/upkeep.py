"""Samples of search, archive, retention and integrity, written by hand."""

from __future__ import annotations

from ccdashd.protocol import methods as m
from ccdashd.protocol import types as t
from tests.protocol.parts import PROBLEM, SESSION, TIME

TEXT_INDEX = t.TextIndex(
    enabled=True, complete=False, logs=8, logs_missing=2, bytes_missing=4096, entries=120, bytes=65_536
)
_HIT = t.SearchHit(
    type="entry",
    id=SESSION,
    entry="a1b2c3-120-1",
    title="Search takes 900 ms",
    kind="toolResult",
    tool="Bash",
    timestamp=TIME,
    project_id="p1",
    project="shop",
    agent="claude-code",
    model="claude-opus-4-6",
    path="/logs/a.jsonl",
    line=None,
    snippet=[t.SnippetPart(text="the "), t.SnippetPart(text="index", match=True), t.SnippetPart(text=" is used")],
    score=2.5,
    copies=1,
)
_FACET = [t.FacetValue(value="p1", label="shop", count=3)]
_MATCH = t.DeepMatch(
    session_id=SESSION,
    entry="a1b2c3-120",
    path="/logs/a.jsonl",
    archived=True,
    offset=120,
    length=300,
    line=3,
    before='"text":"',
    match="needle",
    after=' in the log"',
    matches=2,
    timestamp=TIME,
)
_POLICY = t.RetentionPolicy(id="old", max_age_days=365, status="unlinked", automatic=True)
_POLICIES = t.RetentionPolicies(items=[_POLICY], next_run_at=TIME, revision=9)
_REDACTIONS = t.Redactions(counts={"email": 2, "private-key": 1}, files=1)
_PART = t.StoragePart(name="cache", bytes=4096, files=2, rows=7)

RESULTS: dict[str, t.Wire] = {
    m.SEARCH_QUERY.name: t.SearchResult(
        items=[_HIT],
        total=3,
        total_exact=True,
        limit=1,
        next_cursor="k",
        facets=t.Facets(
            exact=True,
            types=_FACET,
            kinds=_FACET,
            tools=_FACET,
            projects=_FACET,
            agents=_FACET,
            models=_FACET,
            branches=_FACET,
        ),
        index=TEXT_INDEX,
        revision=9,
    ),
    m.SEARCH_DEEP.name: t.DeepSearchResult(
        matches=[_MATCH], found=1, stopped=True, files=4, bytes=99, seconds=0.5, problems=[PROBLEM], revision=9
    ),
    m.SESSIONS_RENDER.name: t.RenderedPiece(
        text="# Search takes 900 ms\n", next=100, total=140, redactions=_REDACTIONS, revision=9
    ),
    m.ARCHIVE_STATUS.name: t.ArchiveStatus(
        enabled=True,
        folder="/data/archive",
        logs=8,
        only_copies=2,
        source_bytes=99,
        stored_bytes=20,
        waiting_logs=1,
        waiting_bytes=9,
        excluded_logs=0,
        running=False,
        last_run_at=TIME,
        problem="the disk is full",
        revision=9,
    ),
    m.ARCHIVE_RUN.name: t.ArchiveRunResult(
        logs=3, source_bytes=99, stored_bytes=20, seconds=0.5, problems=[PROBLEM], revision=9
    ),
    m.ARCHIVE_LIST.name: t.Page(
        items=[
            t.ArchivedLog(
                path="/logs/a.jsonl",
                session_id=SESSION,
                title="Search takes 900 ms",
                project_id="p1",
                project="shop",
                size=99,
                stored_bytes=20,
                versions=2,
                gone=True,
                modified_at=TIME,
                archived_at=TIME,
            )
        ],
        total=2,
        offset=0,
        limit=1,
        revision=9,
    ),
    m.ARCHIVE_RESTORE.name: t.ArchiveRestoreResult(paths=["/tmp/back/a.jsonl"], bytes=99, revision=9),
    m.ARCHIVE_PRUNE.name: t.PruneResult(
        items=[
            t.PrunedSession(
                id=SESSION,
                title="Search takes 900 ms",
                project_id="p1",
                project="shop",
                ended_at=TIME,
                linked=False,
                gone=True,
                bytes=20,
                reason="older than 365 days",
            )
        ],
        applied=False,
        freed_bytes=20,
        kept={"keep": 1},
        problems=[PROBLEM],
        revision=9,
    ),
    m.ARCHIVE_PRUNES.name: t.Page(
        items=[t.Pruned(at=TIME, id=SESSION, title="Search takes 900 ms", reason="older than 365 days", bytes=20)],
        total=1,
        offset=0,
        limit=100,
        revision=9,
    ),
    m.ARCHIVE_EXPORT.name: t.ExportResult(
        path="/tmp/all.tar.zst",
        bytes=99,
        sessions=3,
        logs=4,
        documents=2,
        edits=5,
        redactions=_REDACTIONS,
        problems=[PROBLEM],
        revision=9,
    ),
    m.ARCHIVE_IMPORT.name: t.ImportResult(
        sessions=[t.ImportedSession(id=SESSION, title="Search takes 900 ms", action="keptBoth", new_id="n1")],
        documents=2,
        edits=5,
        from_version="0.1.0",
        exported_at=TIME,
        redacted=True,
        revision=9,
    ),
    m.RETENTION_GET.name: _POLICIES,
    m.RETENTION_SET.name: _POLICIES,
    m.RETENTION_DELETE.name: _POLICIES,
    m.CACHE_VERIFY.name: t.VerifyResult(
        ok=False,
        checked_files=4,
        checked_copies=9,
        faults=[
            t.Fault(
                part="archive",
                where="chunks/ab/abcd.zst",
                problem="the bytes are not those of its name",
                repair="copies it again from the log",
                repaired=False,
            )
        ],
        kept=[],
        seconds=0.5,
        revision=9,
    ),
    m.CACHE_BACKUP.name: t.BackupResult(
        path="/data/backups/ccdash-20260203T040506Z",
        bytes=99,
        files=4,
        verified=True,
        deleted=["/data/backups/ccdash-20260101T000000Z"],
        seconds=0.5,
        revision=9,
    ),
    m.CACHE_STORAGE.name: t.Storage(
        total=4096, parts=[_PART], tables=[_PART], projects=[_PART], sources=99, reclaimable=10, revision=9
    ),
    m.CACHE_VACUUM.name: t.VacuumResult(before=8192, after=4096, seconds=0.5, revision=9),
    m.CACHE_MIGRATE.name: t.MigrateResult(
        version="0004",
        newest="0005",
        migrations=[t.Migration(version="0005", title="What was pruned", applied=False)],
        backup="/data/backups/ccdash-20260203T040506Z",
        revision=9,
    ),
}

MESSAGES: dict[str, t.Wire] = {m.SEARCH_MATCHES.name: t.DeepMatches(token="w", matches=[_MATCH])}
