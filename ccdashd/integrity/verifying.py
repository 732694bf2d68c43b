"""Checks, as the daemon has them done, and repairs, which are the daemon's own.

The process that checks works on files while the daemon goes on. What was written meanwhile is looked at here once more:
it is as it should be as soon as the cache knows it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ccdashd.analytics import counters
from ccdashd.errors import Busy
from ccdashd.helper import HelperFailed, answers
from ccdashd.ingest.scan import look
from ccdashd.integrity import messages
from ccdashd.integrity.copies import mend_manifests, sweep
from ccdashd.integrity.messages import Checked, Found, Job, Progress, Remedy
from ccdashd.logfile import stamp
from ccdashd.protocol import types as t
from ccdashd.store import archived, logs, planning
from ccdashd.store.database import install
from ccdashd.store.text.connection import Unusable

if TYPE_CHECKING:
    from ccdashd.app import App

log = logging.getLogger(__name__)

Report = Callable[[int, int, str], None]
"""Hears what is done, of how much, and in words."""

PATIENCE = 3.0
"""Seconds that the cache has to take note of files that changed during a check."""

TRIES = 3
"""Checks after which a journal that is written all the time is taken for another one."""

_RESCAN = "ccdash rescan repairs it"


@dataclass
class Outcome:
    """What a check found."""

    faults: list[Found] = field(default_factory=list)
    files: int = 0
    copies: int = 0
    journal_fits: bool = True
    damaged_logs: list[str] = field(default_factory=list)
    """Logs of whose copies something is damaged."""
    damaged_manifests: list[str] = field(default_factory=list)
    """Files of the archive."""


async def verify(app: App, report: Report, *, repair: bool) -> t.VerifyResult:
    """Check everything that is ours; with `repair`, do what can be done about it and check again. Raises Busy."""
    began = time.monotonic()
    new = app.paths.cache_dir / f"cache-new-{os.getpid()}.db"
    kept: list[Path] = []
    try:
        outcome = await _checked(app, new, report)
        repaired: list[Found] = []
        # Sources first: a cache is made anew of what they are when they are whole again.
        for step in (_repair_sources, _repair_caches) if repair else ():
            repaired += outcome.faults
            if await step(app, outcome, new, kept):
                outcome = await _checked(app, new, report)
    finally:
        new.unlink(missing_ok=True)
    left = {(fault.part, fault.where, fault.problem) for fault in outcome.faults}
    done = dict.fromkeys(fault for fault in repaired if (fault.part, fault.where, fault.problem) not in left)
    return t.VerifyResult(
        ok=not outcome.faults,
        checked_files=outcome.files,
        checked_copies=outcome.copies,
        faults=[_wire(fault, True) for fault in done] + [_wire(fault, False) for fault in outcome.faults],
        kept=list(map(str, kept)),
        seconds=time.monotonic() - began,
        revision=app.revision,
    )


def _wire(fault: Found, repaired: bool) -> t.Fault:
    return t.Fault(part=fault.part, where=fault.where, problem=fault.problem, repair=fault.repair, repaired=repaired)


# --- the check ---


async def _checked(app: App, new: Path, report: Report) -> Outcome:
    if not app.indexing.complete:
        await app.pipeline.reconcile("before a check")
    await app.pipeline.repricing.settled()  # until then, some roll-ups are those of other prices
    for _ in range(TRIES):
        outcome = await _check(app, new, report)
        # Where the daemon itself wrote the journal anew meanwhile, the check had another cache than journal.
        if outcome.journal_fits or not await app.pipeline.journal_is_known():
            break
    if not outcome.journal_fits:
        problem = "it is not the journal that the cache was made of"
        outcome.faults.append(Found("journal", str(app.paths.journal), problem, "it is carried out anew", "journal"))
    return outcome


async def _check(app: App, new: Path, report: Report) -> Outcome:
    _forget_leftovers(new)
    outcome = Outcome()
    job = messages.encode(_job(app, new))
    try:
        async with aclosing(answers("ccdashd.integrity.check", job)) as found:
            async for answer in found:
                match messages.decode(answer):
                    case Found() as fault:
                        outcome.faults.append(fault)
                    case Progress() as progress:
                        files = (
                            f"{progress.files_done} of {progress.files_total} logs" if progress.files_total else "copies"
                        )
                        report(progress.done, progress.total, files)
                    case Checked() as checked:
                        outcome.files, outcome.copies = checked.files, checked.copies
                        outcome.journal_fits = checked.journal_fits
                        outcome.damaged_logs = list(map(os.fsdecode, checked.damaged_logs))
                        outcome.damaged_manifests = list(map(os.fsdecode, checked.damaged_manifests))
                        outcome.faults += await _look_again(app, checked)
    except HelperFailed as error:
        raise Busy(f"the check could not be done: {error}", reason="check") from error
    return outcome


def _forget_leftovers(new: Path) -> None:
    """Remove what a daemon that was killed left of a check."""
    for path in new.parent.glob("cache-new-*.db*"):
        with suppress(OSError):
            path.unlink()


def _job(app: App, new: Path) -> Job:
    paths = app.paths
    return Job(
        settings=messages.encode_settings(app.settings),
        cache=os.fsencode(paths.database),
        new=os.fsencode(new),
        text=os.fsencode(paths.text_index),
        archive=os.fsencode(paths.archive),
        journal=os.fsencode(paths.journal),
        counters=os.fsencode(paths.counters),
        backups=os.fsencode(paths.backups),
    )


# --- what changed meanwhile ---


async def _look_again(app: App, checked: Checked) -> list[Found]:
    """Faults of files that changed during the check, and that the cache does not know as they are by now."""
    paths = [os.fsdecode(path) for path in checked.changed_logs]
    plans = [(id, os.fsdecode(root), path) for id, root, path in checked.changed_plans]
    until = time.monotonic() + PATIENCE
    while paths or plans:
        paths = await app.database.read(partial(_unknown_logs, paths))
        plans = await app.database.read(partial(_unknown_plans, plans))
        if time.monotonic() > until:
            break
        await asyncio.sleep(0.05)
    problem = "it is not as it was when it was read"
    return [
        *(Found("files", logs.shown(logs.path_value(path)), problem, _RESCAN, "rescan") for path in paths),
        *(Found("plans", os.path.join(root, path), problem, _RESCAN, "rescan") for _, root, path in plans),
    ]


def _unknown_logs(paths: list[str], connection: sa.Connection, revision: int) -> list[str]:
    states = logs.states(connection, paths)
    return [path for path in paths if not _is_known(path, states.get(path))]


def _is_known(path: str, state: logs.FileState | None) -> bool:
    try:
        file = look(path)
    except OSError:
        return state is not None and state.state == "unreadable"
    if file is None:
        return state is None or state.state == "gone"
    now = (file.size, stamp(path, file.mtime_ns), file.inode)
    return state is not None and state.is_whole and now == (state.size, state.mtime_ns, state.inode)


def _unknown_plans(
    plans: list[tuple[str, str, str]], connection: sa.Connection, revision: int
) -> list[tuple[str, str, str]]:
    return [plan for plan in plans if not _is_known_plan(plan, connection)]


def _is_known_plan(plan: tuple[str, str, str], connection: sa.Connection) -> bool:
    project_id, root, path = plan
    state = planning.states(connection, project_id, [path]).get(path)
    try:
        stat = os.stat(os.path.join(root, path))
    except OSError:
        return state is None
    return state is not None and (stat.st_size, stat.st_mtime_ns, stat.st_ino) == (state.size, state.mtime_ns, state.inode)


# --- repairs ---


async def _repair_sources(app: App, outcome: Outcome, new: Path, kept: list[Path]) -> bool:
    """Mend what caches are made of; tells whether there was anything to do. Raises Busy where it fails."""
    remedies = _remedies(outcome, {"journal", "counters", "archive"})
    with _failing():
        if "journal" in remedies:
            kept += filter(None, [await app.pipeline.mend_journal()])
        if "counters" in remedies:
            kept.append(await asyncio.to_thread(counters.move_aside, app.paths.counters))
        if "archive" in remedies:
            kept += await _mend_archive(app, outcome)
    return bool(remedies)


async def _repair_caches(app: App, outcome: Outcome, new: Path, kept: list[Path]) -> bool:
    """Make anew what can be made anew; tells whether there was anything to do. Raises Busy where it fails."""
    remedies = _remedies(outcome, {"text", "damaged", "anew", "rescan"})
    with _failing():
        if "damaged" in remedies:
            kept.append(await app.while_closed(partial(_move_aside, app)))
        elif "anew" in remedies:
            kept.append(await app.while_closed(partial(_install, app, new)))
        if remedies & {"damaged", "anew", "rescan"}:
            await app.ready()
            await app.pipeline.reconcile("repair")
        if "text" in remedies:
            app.texts.damaged(Unusable("a check found it"))
            await app.texts.settled()
    return bool(remedies)


def _remedies(outcome: Outcome, among: set[Remedy]) -> set[Remedy]:
    for fault in outcome.faults:
        if fault.remedy in among:
            log.warning("repairing part=%s where=%r problem=%r", fault.part, fault.where, fault.problem)
    return {fault.remedy for fault in outcome.faults} & among


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except (OSError, HelperFailed, sqlite3.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Busy(f"the repair failed: {reason}; what was repaired before stays so", reason="repair") from error


async def _mend_archive(app: App, outcome: Outcome) -> list[Path]:
    """Copy logs again of whose copies something is damaged, as far as they are there."""
    archive = app.archive
    known = [log for log in await app.database.read(archived.logs) if os.path.exists(log.path)]
    manifests = {archive.manifest_path(log.path): log for log in known}
    damaged = outcome.damaged_manifests
    kept = await asyncio.to_thread(mend_manifests, archive, damaged, manifests)
    again = [manifests[file] for file in damaged if file in manifests]
    await app.keeper.copy([*again, *(log for log in known if log.path in outcome.damaged_logs)], anew=True)
    await asyncio.to_thread(sweep, archive)
    return list(map(Path, kept))


async def _install(app: App, new: Path, revision: int) -> Path:
    return await asyncio.to_thread(install, new, app.paths.database, revision + 1)


async def _move_aside(app: App, revision: int) -> Path:
    from ccdashd.store.database import move_aside

    return await asyncio.to_thread(move_aside, app.paths.database)
