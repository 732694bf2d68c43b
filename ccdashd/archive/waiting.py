"""Which logs are to be copied: those that changed since, but for those that settings or the user keep out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from ccdashd.archive.manifest import Manifest
from ccdashd.settings import Settings
from ccdashd.store.archived import Log

DAY_NS = 86_400 * 1_000_000_000


@dataclass
class Waiting:
    """Logs that the archive does not hold as they are."""

    logs: list[Log] = field(default_factory=list)
    """The oldest first, which agents delete first."""
    excluded: int = 0
    """Logs that are kept out, whether or not there is a copy of before."""

    @property
    def bytes(self) -> int:
        """How long they are together."""
        return sum(log.size for log in self.logs)

    def quiet(self, seconds: float, now_ns: int) -> list[Log]:
        """Those that did not change for so long; a time to come says that the clock was set back since."""
        return [log for log in self.logs if not 0 <= now_ns - log.mtime_ns < seconds * 1_000_000_000]


class Rules:
    """What keeps logs out of the archive."""

    def __init__(self, settings: Settings, pruned: Collection[str] = ()) -> None:
        """`pruned` are main sessions."""
        self._days = settings.archive_max_age_days
        self._folders = [_compiled(pattern) for pattern in settings.archive_exclude]
        self._pruned = pruned
        self._known: dict[str, bool] = {}

    def excludes(self, log: Log, now_ns: int) -> bool:
        """Whether a log is kept out."""
        if log.main_id in self._pruned or (self._days and now_ns - log.mtime_ns > self._days * DAY_NS):
            return True
        return any(folder and self._is_excluded(folder) for folder in (log.root, log.cwd))

    def _is_excluded(self, folder: str) -> bool:
        known = self._known.get(folder)
        if known is None:
            known = self._known[folder] = any(pattern.fullmatch(folder) is not None for pattern in self._folders)
        return known


def _compiled(pattern: str) -> re.Pattern[str]:
    """What fits a folder that a pattern names, and those below it."""
    wild = re.escape(pattern.rstrip("/")).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(f"{wild}(?:/.*)?", re.DOTALL)


def waiting(logs: Iterable[Log], manifests: Iterable[Manifest], rules: Rules, now_ns: int) -> Waiting:
    """What of these logs, which are all that the cache knows, waits to be copied."""
    copied = {manifest.log: (manifest.newest.size, manifest.newest.mtime_ns) for manifest in manifests}
    found = Waiting()
    for log in logs:
        if log.gone:
            continue
        if rules.excludes(log, now_ns):
            found.excluded += 1
        elif log.size and copied.get(log.path) != (log.size, log.mtime_ns):
            found.logs.append(log)
    found.logs.sort(key=lambda log: (log.mtime_ns, log.path))
    return found
