"""A profile with everything in it that is ours: a cache of logs and planning files, an archive, a journal, counters."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ccdashd.analytics.counters import Counters
from ccdashd.archive.archive import Archive
from ccdashd.archive.copy import Copier
from ccdashd.clock import now
from ccdashd.edits.decisions import AnyEdit, LinkEdit, MetadataEdit, Name, ProjectEdit, TagEdit, TagUse
from ccdashd.edits.journal import Journal
from tests.helpers import Daemon
from tests.ingest.caches import Cache
from tests.ingest.plan_world import PLACES as PLANS
from tests.ingest.plan_world import PlanWorld
from tests.ingest.world import KINDS, PLACES, SESSIONS, World


class Profile:
    """Below `base`. Its cache is not open."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.logs = World(base / "w")
        self.plans = PlanWorld(base)
        self.cache = Cache(base / "c", self.logs.root, self.plans.logs, texts=True)
        self.paths = self.cache.paths
        self.archive = Archive(self.paths.archive)

    async def fill(self) -> None:
        """Logs that are there, copied, gone, and gone without a copy; planning files; decisions; counters."""
        for place in (*PLACES[:3], PLACES[6], PLACES[9]):
            self.logs.append(place, list(KINDS))
        self.logs.fork(PLACES[0], PLACES[4], 7)
        for number, place in enumerate(PLANS[:14]):
            self.plans.write(place, "list", number)
        for number, kind in enumerate(("write", "command", "mention")):
            self.plans.work(number % 3, kind, PLANS[number])
        self.decide()
        await self.cache.open()
        self.copy(PLACES[1], PLACES[9], PLACES[0])
        self.logs.delete(PLACES[1])
        self.logs.delete(PLACES[2])
        await self.cache.scan()
        await self.cache.app.texts.settled()
        await self.cache.close()
        counters = Counters(self.paths.counters)
        counters.settle({("ccdash_messages_total", "shop"): 12}, {("ccdash_requests_total", "cache/status"): 3})
        counters.save()

    def decide(self) -> None:
        """What the user says."""
        root = str(self.plans.root)
        session = Name(type="session", key=SESSIONS[0])
        feature = Name(type="feature", root=root, key="till")
        edits: list[AnyEdit] = [
            ProjectEdit(op="add", root=root, name="The shop"),
            TagEdit(op="set", name="urgent", color="#ff0000"),
            TagUse(op="add", name="urgent", entity=session),
            LinkEdit(op="make", source=session, target=feature, link_type="related", note="by hand"),
            MetadataEdit(entity=session, key="note", value="Look at this once more."),
        ]
        journal = Journal(self.paths.journal)
        for edit in edits:
            journal.append(msgspec.structs.replace(edit, at=now()))

    def daemon(self, folder: Path) -> Daemon:
        """A daemon for this profile, not started; `folder` must be short."""
        daemon = Daemon(folder)
        daemon.environ |= self.cache.environ
        daemon.paths = self.paths
        return daemon

    def copy(self, *places: str) -> None:
        """Copy logs into the archive."""
        with self.archive.writing() as staging:
            copier = Copier(self.archive, staging, now)
            for place in places:
                copier.copy(str(self.logs.path(place)))
            copier.settle()
