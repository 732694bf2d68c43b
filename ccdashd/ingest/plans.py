"""The planning files of all projects: which changed, and what follows from it. The pipeline's second half.

Each file is small and read whole. A few are read on the writer's thread inside their transaction, which is the shortest way
from a change to its notification; more are read in worker processes, and written in batches, each of which leaves features
and links as if there were no other.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ccdashd.derive.plan_rows import PlanRows
from ccdashd.ingest import consequences
from ccdashd.ingest.claim import at_or_below
from ccdashd.ingest.memory import give_back, uncollected
from ccdashd.ingest.plan_backlog import DEADLY, PlanBacklog
from ccdashd.ingest.read_plan import read_plans
from ccdashd.ingest.scan import FileStat, Problem, scan
from ccdashd.ingest.territory import Territory
from ccdashd.ingest.written import Written
from ccdashd.sources.planning.model import PLANNING_READER
from ccdashd.store import planning, projects
from ccdashd.store.planning import State

if TYPE_CHECKING:
    from ccdashd.ingest.pipeline import Pipeline

AT_ONCE = 32
"""Files up to which changes are read inside their transaction."""

BATCH = 2000
"""Files that one transaction writes: features and links are made anew in each."""


@dataclass
class Claim:
    """What is to be looked at in one project. Paths are relative to `root`."""

    project_id: str
    root: str
    read: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    states: dict[str, State] = field(default_factory=dict)
    """What was known of the files to be read before they were."""


@dataclass
class Outcome:
    """What a comparison of planning files with the cache found."""

    files: int = 0
    read: int = 0
    gone: int = 0

    def add(self, claim: Claim) -> None:
        self.read += len(claim.read)
        self.gone += len(claim.gone)


class Plans:
    """Keeps the rows of planning files what the files say."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        settings = pipeline.app.settings
        self._cap = settings.planning_file_cap_bytes
        self._most = settings.planning_files_cap
        self._on = settings.planning
        self.territory = Territory(settings.planning_folders)
        self.follow: Callable[[list[Path]], Awaitable[None]] = _nowhere
        """Watches these roots, and only these, from the moment it returns."""
        self.unnamed: list[str] = []
        """Planning files that cannot be named on the wire, as the last scan found them."""
        self._known: set[str] = set()
        self._unseen: set[str] = set()
        """Projects whose files were not looked at since they became other ones."""
        self._scanning = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._welcoming = asyncio.Lock()

    def knows(self, project_ids: set[str]) -> bool:
        """Whether these projects are among those that were there when `settle` looked."""
        return project_ids <= self._known

    async def settle(self) -> None:
        """Look at the projects that there are now; which of them have other files than before is noted for `welcome`."""
        roots = await self._pipeline.app.database.read(projects.roots)
        self._known = {project_id for project_id, _ in roots}
        self._unseen |= self.territory.settle(roots if self._on else ())
        self._unseen &= self.territory.projects.keys()
        await self.follow([Path(root) for root in self.territory.roots])

    async def welcome(self) -> None:
        """Read the files of projects that came since the last scan, and of those that lost files to them."""
        await self.settle()
        async with self._welcoming:  # who comes second finds it done
            if self._unseen:
                await self.reconcile(set(self._unseen))

    async def apply(self, paths: Iterable[str]) -> None:
        """Look at these paths, absolute ones, and write what changed. Raises Busy while the cache cannot be written."""
        for claim in await self.at_once(paths):
            await self.read_many(claim)

    async def at_once(self, paths: Iterable[str]) -> list[Claim]:
        """`apply`, but for projects of which many files are to be read: these are left to `read_many`."""
        wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
        for path in paths:
            place = self.territory.place(path)
            if place is not None and _is_nameable(place.path) and self.territory.accepts(path):
                wanted[place.project_id, place.root].add(place.path)
        claims = [Claim(project_id, root, read=sorted(changed)) for (project_id, root), changed in wanted.items()]
        return [claim for claim in claims if not await self._read_few(claim)]

    async def reconcile(self, only: set[str] | None = None, paths: list[str] | None = None) -> Outcome:
        """Compare every planning file with what is known: of all projects, of projects `only`, or at or below `paths`."""
        async with self._scanning:
            outcome = Outcome()
            problems: list[Problem] = []
            unnamed: list[str] = []
            for project_id, root in self.territory.projects.items():
                if only is not None and project_id not in only:
                    continue
                if paths is not None and not (at_or_below(root, paths) or any(at_or_below(p, [root]) for p in paths)):
                    continue
                found, hidden = await asyncio.to_thread(
                    planning_files, self.territory, self._most, project_id, root, unnamed
                )
                problems += hidden
                claim = await self._pipeline.app.database.read(partial(self._claim, project_id, root, found, hidden, paths))
                outcome.files += len(found) if paths is None else sum(at_or_below(f.path, paths) for f in found)
                outcome.add(claim)
                if not await self._read_few(claim):
                    await self.read_many(claim)
                self._unseen.discard(project_id)
            if only is None and paths is None:
                self.unnamed = unnamed
                self._note(problems)
                await self._drop_strangers()
            return outcome

    async def _drop_strangers(self) -> None:
        """Forget the files of projects that are not looked at (any more)."""
        known = set(self.territory.projects)
        strangers = await self._pipeline.app.database.read(partial(planning.strangers, known))
        for project_id in strangers:
            forget = partial(consequences.forget_project, project_id=project_id, owner=self._pipeline.owner)
            self._pipeline.publish(await self._pipeline.write(forget))

    async def _read_few(self, claim: Claim) -> bool:
        """Read and write what was claimed, where that is little; tells whether it was."""
        if len(claim.read) > AT_ONCE:
            return False
        await self._note_states(claim)
        # What once ended a worker must not end the daemon.
        if any(_is_deadly(state) for state in claim.states.values()):
            return False
        if claim.read or claim.gone:
            self._pipeline.publish(await self._pipeline.write(partial(self._read_and_write, claim)))
        return True

    async def read_many(self, claim: Claim) -> None:
        """Read what was claimed in workers, and write it. Raises Busy while the cache cannot be written."""
        # One at a time: of two that read the same file, the one that read it first could be the last to write it.
        async with self._reading:
            await self._note_states(claim)
            await self._read_many(claim)

    async def _note_states(self, claim: Claim) -> None:
        claim.states = await self._pipeline.app.database.read(partial(_states, claim))

    async def _read_many(self, claim: Claim) -> None:
        pipeline = self._pipeline
        database = pipeline.app.database
        await database.bulk(True)
        try:
            for begin in range(0, len(claim.read), BATCH):
                part = Claim(claim.project_id, claim.root, claim.read[begin : begin + BATCH], claim.gone, claim.states)
                claim.gone = []
                progress = partial(self._progress, begin, len(claim.read))
                backlog = PlanBacklog(claim.project_id, claim.root, self._cap, pipeline.app.settings.workers, progress)
                with uncollected():
                    files, gone = await backlog.run(part.read)
                    part.gone += gone
                    pipeline.publish(await pipeline.write(partial(self._write, part, files)))
        finally:
            await database.bulk(False)
            give_back()
            pipeline.progress("idle")

    def _progress(self, before: int, total: int, done: int) -> None:
        self._pipeline.progress("plans", files_done=before + done, files_total=total)

    def _claim(
        self,
        project_id: str,
        root: str,
        found: list[FileStat],
        hidden: list[Problem],
        paths: list[str] | None,
        connection: sa.Connection,
        revision: int,
    ) -> Claim:
        states = planning.states(connection, project_id)
        claim = Claim(project_id, root)
        above = root.rstrip("/") + "/"
        places = [problem.path for problem in hidden]
        there = set()
        for file in found:
            path = file.path.removeprefix(above)
            there.add(path)
            if paths is not None and not at_or_below(file.path, paths):
                continue
            state = states.get(path)
            same = state is not None and (file.size, file.mtime_ns, file.inode) == (state.size, state.mtime_ns, state.inode)
            if state is None or not same or state.reader != PLANNING_READER or state.problem or paths is not None:
                claim.read.append(path)
        for path in states.keys() - there:
            absolute = above + path
            if not at_or_below(absolute, places) and (paths is None or at_or_below(absolute, paths)):
                claim.gone.append(path)
        return claim

    def _read_and_write(self, claim: Claim, connection: sa.Connection) -> Written:
        claim.states = planning.states(connection, claim.project_id, claim.read)
        files, gone = read_plans(claim.project_id, claim.root, claim.read, self._cap)
        claim.gone += gone
        return self._write(claim, files, connection)

    def _write(self, claim: Claim, files: list[PlanRows], connection: sa.Connection) -> Written:
        """Write what was read, but of files that somebody else wrote since they were claimed."""
        if claim.project_id not in projects.ids(connection):
            return Written()
        now = planning.states(connection, claim.project_id, [*claim.read, *claim.gone])
        files = [file for file in files if now.get(file.path) == claim.states.get(file.path)]
        touched = [file for file in files if _is_known(file, now.get(file.path))]
        changed = [file for file in files if not _is_known(file, now.get(file.path))]
        planning.touch(connection, claim.project_id, touched)
        gone = {now[path].id for path in claim.gone if path in now and not self._is_there(claim, path)}
        changes = planning.Changes()
        planning.forget(connection, gone, changes)
        planning.store(connection, claim.project_id, changed, changes)
        return consequences.of_documents(connection, claim.project_id, changes, self._pipeline.owner)

    def _is_there(self, claim: Claim, path: str) -> bool:
        """Whether the project has such a file again; one that lies in another project now is not its own."""
        absolute = os.path.join(claim.root, path)
        return os.path.isfile(absolute) and self.territory.holds(claim.project_id, absolute)

    def _note(self, problems: list[Problem]) -> None:
        app = self._pipeline.app
        if problems:
            more = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
            app.problems.set("plans", f"{problems[0].path}: {problems[0].problem}{more}", "ccdash rescan looks at it again")
        else:
            app.problems.clear("plans")


def planning_files(
    territory: Territory, most: int, project_id: str, root: str, unnamed: list[str]
) -> tuple[list[FileStat], list[Problem]]:
    """The planning files of one project, at most so many, those of projects inside it left out, and folders that cannot be
    looked at. Files that cannot be named on the wire go to `unnamed`."""
    problems, found = list[Problem](), list[FileStat]()

    def enters(folder: str) -> bool:
        place = territory.place(folder)
        return place is not None and place.project_id == project_id and territory.enters(folder)

    for file in scan([root], territory.accepts, problems, enters=enters):
        if not _is_nameable(file.path):
            unnamed.append(file.path)
        elif len(found) < most:
            found.append(file)
        else:
            problem = f"it has more planning files than the setting planning_files_cap allows ({most:,})"
            problems.append(Problem(root, problem))
            break
    return found, problems


def _states(claim: Claim, connection: sa.Connection, revision: int) -> dict[str, State]:
    return planning.states(connection, claim.project_id, claim.read)


def _is_deadly(state: State) -> bool:
    return state.problem.startswith(DEADLY)


def _is_known(file: PlanRows, state: State | None) -> bool:
    """Whether the rows are those of these bytes."""
    if state is None or state.problem or file.problem:
        return False
    return (state.hash, state.reader) == (file.hash, PLANNING_READER)


def _is_nameable(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


async def _nowhere(roots: list[Path]) -> None:
    """Stands in for a watcher where there is none."""
