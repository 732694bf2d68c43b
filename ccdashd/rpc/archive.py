"""``archive/*``: copies of logs: what there is, copying now, and writing them back."""

from __future__ import annotations

import asyncio
import os
from functools import partial

import sqlalchemy as sa

from ccdashd.archive.archive import Archive
from ccdashd.archive.manifest import Manifest
from ccdashd.archive.restore import Gone, Taken, restore, targets
from ccdashd.clock import iso
from ccdashd.errors import Conflict, InvalidParams, NotFound, ReadOnly
from ccdashd.helper import HelperFailed
from ccdashd.protocol import methods
from ccdashd.protocol import types as t
from ccdashd.rpc.dispatch import Call, ReadCall, handles
from ccdashd.rpc.progress import own_progress
from ccdashd.store import archived, projects, prunes, sessions
from ccdashd.store.archived import Log
from ccdashd.store.logs import path_value, shown


@handles(methods.ARCHIVE_STATUS)
def archive_status(call: ReadCall, params: t.NoParams) -> t.ArchiveStatus:
    """What the archive holds, and what waits."""
    keeper, archive = call.app.keeper, call.app.archive
    found = keeper.catalogue.all()
    gone = {log.path: log.gone for log in archived.logs(call.conn)}
    waiting = keeper.waiting_now(call.conn, call.revision)
    return t.ArchiveStatus(
        enabled=call.app.settings.archive,
        folder=archive.folder,
        logs=len(found),
        only_copies=sum(_is_gone(manifest, gone) or len(manifest.versions) > 1 for manifest in found),
        source_bytes=sum(version.size for manifest in found for version in manifest.versions),
        stored_bytes=archive.size(),
        waiting_logs=len(waiting.logs),
        waiting_bytes=waiting.bytes,
        excluded_logs=waiting.excluded,
        running=keeper.is_running,
        last_run_at=keeper.last_run_at,
        problem=keeper.problem,
        revision=call.revision,
    )


def _is_gone(manifest: Manifest, gone: dict[str, bool]) -> bool:
    known = gone.get(manifest.log)
    return not os.path.exists(manifest.log) if known is None else known


@handles(methods.ARCHIVE_RUN)
async def archive_run(call: Call, params: t.ArchiveRunParams) -> t.ArchiveRunResult:
    """Copy logs now."""
    app, keeper = call.app, call.app.keeper
    if params.sessions is not None:
        logs = await _named(call, params.sessions)
    else:
        await app.retention.release()
        waiting = await keeper.waiting()
        logs = waiting.logs if params.all else keeper.quiet(waiting)
    with own_progress(call.connection, params, "Copy logs") as report:
        try:
            outcome = await keeper.copy(logs, report=report)
        except HelperFailed as error:
            raise ReadOnly(f"not all logs could be copied: {error}") from error
    return t.ArchiveRunResult(
        logs=outcome.logs,
        source_bytes=outcome.read,
        stored_bytes=outcome.written,
        seconds=outcome.seconds,
        problems=outcome.problems,
        revision=app.revision,
    )


async def _named(call: Call, wanted: list[str]) -> list[Log]:
    """The logs of these sessions that are there. What was pruned before may be copied again."""

    def read(connection: sa.Connection, revision: int) -> tuple[list[Log], list[str]]:
        ids = [sessions.find(connection, id) for id in wanted]
        found = {log.path: log for id in ids for log in archived.of_session(connection, id) if not log.gone}
        pruned = prunes.kept_out(connection)
        return list(found.values()), sorted({log.main_id for log in found.values()} & pruned)

    logs, pruned = await call.app.database.read(read)
    if pruned:
        await call.app.pipeline.decide(lambda _: (prunes.release(pruned), None))
    return logs


@handles(methods.ARCHIVE_LIST)
def archive_list(call: ReadCall, params: t.ArchiveListParams) -> t.Page[t.ArchivedLog]:
    """Logs that there are copies of."""
    wanted = None if params.project is None else projects.find(call.conn, params.project)
    known = {log.path: log for log in archived.logs(call.conn)}
    gone = {path: log.gone for path, log in known.items()}
    found = []
    for manifest in call.app.keeper.catalogue.all():
        log = known.get(manifest.log)
        if wanted is not None and (log is None or log.project_id != wanted):
            continue
        if params.gone is not None and _is_gone(manifest, gone) != params.gone:
            continue
        found.append(manifest)
    found.sort(key=lambda manifest: (-manifest.newest.mtime_ns, manifest.path))
    page = found[params.offset : params.offset + params.limit]
    return t.Page(
        items=[_listed(call.app.archive, manifest, known.get(manifest.log), _is_gone(manifest, gone)) for manifest in page],
        total=len(found),
        offset=params.offset,
        limit=params.limit,
        revision=call.revision,
    )


def _listed(archive: Archive, manifest: Manifest, log: Log | None, gone: bool) -> t.ArchivedLog:
    newest = manifest.newest
    return t.ArchivedLog(
        path=manifest.path,
        session_id=log.session_id if log is not None else None,
        title=log.title if log is not None else "",
        project_id=log.project_id if log is not None else None,
        project=log.project if log is not None else None,
        size=newest.size,
        stored_bytes=archive.stored({chunk for version in manifest.versions for chunk in version.chunks}),
        versions=len(manifest.versions),
        gone=gone,
        modified_at=iso(newest.mtime_ns // 1_000_000) or "",
        archived_at=newest.archived_at,
    )


@handles(methods.ARCHIVE_RESTORE)
async def archive_restore(call: Call, params: t.ArchiveRestoreParams) -> t.ArchiveRestoreResult:
    """Write a session's logs back into a folder."""
    app = call.app
    if not os.path.isabs(params.folder):
        raise InvalidParams("folder", "must be an absolute path", params.folder)

    def read(connection: sa.Connection, revision: int) -> list[Log]:
        id = sessions.find(connection, params.session)
        found = archived.of_session(connection, id)
        if not found:
            raise NotFound("session", params.session, "it has no logs")
        return found

    logs = await app.database.read(read)
    wanted = targets([log.path for log in logs], [str(root) for root in app.settings.claude_dirs], params.folder)
    total = sum(log.size for log in logs)
    loop = asyncio.get_running_loop()
    with own_progress(call.connection, params, "Write logs") as report:

        def tell(done: int) -> None:
            loop.call_soon_threadsafe(report, done, total, f"{len(wanted)} logs")

        try:
            written = await asyncio.to_thread(partial(restore, app.archive, wanted, tell))
        except Taken as error:
            raise Conflict(f"{error}; no file is replaced: give another folder") from error
        except Gone as error:
            raise ReadOnly(f"{shown(path_value(error.filename))} is gone, and there is no copy of it") from error
        except OSError as error:
            raise ReadOnly(f"not all logs could be written: {error.strerror or error}") from error
    return t.ArchiveRestoreResult(
        paths=[shown(path_value(path)) for path in written],
        bytes=sum(os.path.getsize(path) for path in written),
        revision=app.revision,
    )
