"""Export and import, from the request to the last row.

    export   cache, journal ──► what belongs into the bundle ──► a process that writes it
    import   manifest ──► what is here of it ──► a process that checks all of it and compares ──► plan
             plan ──► a process that puts logs into the archive ──► rows, as of logs that are gone ──► links, tags, notes

Until the archive is written, nothing is changed. An import that ends in between, for whatever reason, is carried on by
importing the same bundle once more.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ccdashd import __version__, helper
from ccdashd.archive.bundles import edits
from ccdashd.archive.bundles import plan as plans
from ccdashd.archive.bundles.frames import BadBundle
from ccdashd.archive.bundles.manifest import Manifest, Session
from ccdashd.archive.bundles.messages import (
    Checked,
    CheckJob,
    Compared,
    DocumentSource,
    Exported,
    ExportJob,
    LogSource,
    Progress,
    Refused,
    Take,
    TakeJob,
    Taken,
    decode_answer,
    encode,
)
from ccdashd.archive.bundles.plan import Group, Plan
from ccdashd.archive.bundles.reading import Reader
from ccdashd.archive.bundles.writing import clear
from ccdashd.archive.forget import forget
from ccdashd.clock import now
from ccdashd.edits.decisions import UserEdit
from ccdashd.edits.decisions import encode as encode_edit
from ccdashd.edits.journal import JournalUnreadable
from ccdashd.errors import Busy
from ccdashd.protocol import types as t
from ccdashd.store import bundles, prunes
from ccdashd.store.bundles import Contents, Known

if TYPE_CHECKING:
    from ccdashd.app import App

Report = Callable[[int, int, str], None]
"""Told what is done, of how much, and in words."""


class TargetExists(Exception):
    """There is a file where a bundle is to be written."""


async def export(app: App, params: t.ExportParams, report: Report) -> t.ExportResult:
    """Write a bundle.

    Raises Busy while the first index runs, or another export writes to the same file; NotFound and InvalidParams for what
    is asked for, TargetExists, HelperFailed where the bundle could not be written, and JournalUnreadable.
    """
    app.require_index("exported")
    home = os.path.expanduser("~")
    contents = await app.database.read(
        lambda connection, _: bundles.contents(connection, params.what, params.id), heavy=True
    )
    said = await asyncio.to_thread(_said, app.paths.journal, home, contents)
    target = os.path.realpath(params.path) if params.replace else params.path  # a link stays one
    job = ExportJob(
        target=os.fsencode(target),
        replace=params.replace,
        archive=os.fsencode(app.archive.folder),
        roots=[os.fsencode(os.path.abspath(root)) for root in app.settings.claude_dirs],
        home=home,
        redact=params.redact,
        ccdash=__version__,
        exported_at=now(),
        what=params.what,
        id=contents.id,
        sessions=[Session(id=s.id, title=s.title, agent=s.agent, root=s.root, parent=s.parent) for s in contents.sessions],
        logs=[LogSource(os.fsencode(path), session) for path, session in contents.logs],
        documents=[DocumentSource(root, path) for root, path in contents.documents],
        edits=said,
    )
    try:
        answer = await _run("ccdashd.archive.bundles.export", encode(job), report, "exported")
    except BaseException:
        clear(target)
        raise
    if isinstance(answer, Refused):
        if answer.kind == "busy":
            raise Busy(f"nothing was written to {params.path}: {answer.problem}", answer.problem)
        raise TargetExists(answer.problem)
    assert isinstance(answer, Exported)
    hint = "The rest of the bundle is whole."
    return t.ExportResult(
        path=params.path,
        bytes=answer.bytes,
        sessions=len(contents.sessions),
        logs=answer.logs,
        documents=answer.documents,
        edits=len(said),
        redactions=t.Redactions(counts=answer.redactions, files=answer.redacted_files) if params.redact else None,
        problems=[t.Problem(part=path, problem=problem, hint=hint) for path, problem in answer.problems],
        revision=app.revision,
    )


def _said(path: Path, home: str, contents: Contents) -> list[bytes]:
    """The lines of the journal on what is in a bundle. Raises JournalUnreadable."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JournalUnreadable(path, error.strerror or str(error)) from error
    return [encode_edit(edit, home) for edit in edits.chosen(edits.counting(data, home), contents.concerns)]


async def import_(app: App, params: t.ImportParams, report: Report, is_fit: Callable[[UserEdit], bool]) -> t.ImportResult:
    """Take in the sessions of a bundle; of what its user said, that `is_fit`.

    Raises Busy while the first index runs; BadBundle; HelperFailed where the bundle cannot be read any more or the archive
    cannot be written; and Busy and OSError as `Pipeline.decide` does.
    """
    app.require_index("imported")
    async with app.importing:
        manifest, digest = await asyncio.to_thread(_peek, params.path)
        groups = plans.groups(manifest, os.path.abspath(app.settings.claude_dirs[0]))
        ids = sorted({place.session for group in groups for place in group.places})
        known = await app.database.read(lambda connection, _: bundles.known(connection, ids), heavy=True)
        checked = await _run(_IMPORT, _check_job(app, params, digest, groups, known), report, "checked")
        assert isinstance(checked, Checked)
        here = partial(_is_here, app)
        plan = plans.plan(groups, params.conflict, known, set(checked.held), here, os.path.lexists)
        home = os.path.expanduser("~")
        place = partial(edits.placed, here=home, there=manifest.home, is_folder=os.path.isdir)
        said = [edit for edit in edits.fitted(checked.edits, place, plan.ids) if is_fit(edit)]
        choose = partial(_choose, said, params.conflict == "replace")
        if params.dry_run:
            new = await app.database.read(lambda connection, _: len(choose(connection)[0]))
        else:
            await _take(app, params.path, digest, plan, report)
            new = await app.pipeline.decide(choose) if said else 0
    return t.ImportResult(
        sessions=[t.ImportedSession(id=s.id, title=s.title, action=s.action, new_id=s.new_id) for s in plan.sessions],
        documents=len(manifest.documents),
        edits=new,
        from_version=manifest.ccdash,
        exported_at=manifest.exported_at,
        redacted=manifest.redacted,
        revision=app.revision,
    )


_IMPORT = "ccdashd.archive.bundles.importing"


def _peek(path: str) -> tuple[Manifest, bytes]:
    try:
        with Reader(path) as reader:
            return reader.manifest, reader.manifest_hash
    except FileNotFoundError:
        raise BadBundle("there is no such file") from None
    except OSError as error:
        raise BadBundle(f"it cannot be read: {error.strerror or error}") from None


def _check_job(
    app: App, params: t.ImportParams, digest: bytes, groups: list[Group], known: dict[str, list[Known]]
) -> bytes:
    compared = []
    for group in groups:
        for place in group.places:
            paths = {place.path, *(log.path for log in known.get(place.session, ()))}
            if params.conflict == "keepBoth":
                paths.add(plans.kept_path(place.path, group.new_id))
            compared += [Compared(file.name, sorted(map(os.fsencode, paths))) for file in place.files]
    return encode(CheckJob(os.fsencode(params.path), os.fsencode(app.archive.folder), digest, compared))


def _is_here(app: App, path: str) -> bool:
    return os.path.lexists(path) or os.path.lexists(app.archive.manifest_path(path))


def _choose(said: list[UserEdit], replace: bool, connection: sa.Connection) -> tuple[list[UserEdit], int]:
    new = bundles.unsaid(connection, said, replace=replace)
    return new, len(new)


async def _take(app: App, path: str, digest: bytes, plan: Plan, report: Report) -> None:
    """Bring the logs of a plan into the archive, then into the cache."""
    if not plan.takes:
        return
    pipeline = app.pipeline
    # What was pruned once would be pruned again as soon as it is back.
    pruned = await app.database.read(lambda connection, _: sorted(prunes.kept_out(connection) & plan.ids.keys()))
    if pruned:
        await pipeline.decide(lambda _: (prunes.release(pruned), None))
    takes = [Take(os.fsencode(take.path), take.names, take.beside) for take in plan.takes]
    drops = list(map(os.fsencode, plan.drops))
    job = TakeJob(os.fsencode(path), os.fsencode(app.archive.folder), digest, takes, drops, now())
    try:
        answer = await _run(_IMPORT, encode(job), report, "imported")
    except BaseException:
        with suppress(Busy):  # the daemon ends; the next one looks by itself
            app.retention.untidy = True
        raise
    assert isinstance(answer, Taken)
    await forget(app, plan.forgets)
    await pipeline.copied([take.path for take in plan.takes])


async def _run(module: str, job: bytes, report: Report, word: str) -> Refused | Exported | Checked | Taken:
    """The last answer of a process, and what it tells before. Raises BadBundle, and HelperFailed."""
    last: Refused | Exported | Checked | Taken | None = None
    async with aclosing(helper.answers(module, job)) as answers:
        async for body in answers:
            answer = decode_answer(body)
            if isinstance(answer, Progress):
                report(answer.done, answer.total, f"{answer.done:,} of {answer.total:,} bytes {word}")
            else:
                last = answer
    if last is None:
        raise helper.HelperFailed("the process ended without an answer")
    if isinstance(last, Refused) and last.kind == "bundle":
        raise BadBundle(last.problem)
    return last
