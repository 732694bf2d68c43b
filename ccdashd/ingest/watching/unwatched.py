"""The folders that inotify cannot watch, and why: they are polled, but for those that nobody may read."""

from __future__ import annotations

from collections.abc import Iterator

from ccdashd.ingest.watching.polling import Polling


class Unwatched:
    """`limited`: no watch was left for them. `remote`: roots that other machines write to. `denied`: not readable."""

    def __init__(self, polling: Polling) -> None:
        self._polling = polling
        self.limited: dict[str, None] = {}
        self.remote: set[str] = set()
        self.denied: set[str] = set()

    def __contains__(self, path: object) -> bool:
        return path in self.limited or path in self.remote or path in self.denied

    def __iter__(self) -> Iterator[str]:
        yield from self.limited
        yield from self.remote
        yield from self.denied

    @property
    def problem(self) -> str | None:
        problems = []
        if self.limited:
            problems.append(
                f"the limit of inotify watches is reached: {len(self.limited)} folders, {min(self.limited)!r} among"
                " them, are polled instead; raise fs.inotify.max_user_watches with sysctl"
            )
        if self.denied:
            problems.append(
                f"{len(self.denied)} of the folders may not be read, {min(self.denied)!r} among them;"
                " make them readable to see what is in them"
            )
        return "; ".join(problems) or None

    def limit(self, folder: str, *, report: bool) -> None:
        """Poll `folder` for want of a watch. `report`: the files that are there at the first look are reported."""
        self.limited[folder] = None
        self._polling.add(folder, report=report)

    def give_up(self, root: str) -> None:
        """Poll `root`, which was watched until now."""
        self.limited[root] = None
        self._polling.add_late(root)

    def poll_remote(self, root: str, *, report: bool) -> None:
        """Poll `root` because its changes are not seen here. `report` as above."""
        self.remote.add(root)
        self._polling.add(root, report=report)

    def discard(self, path: str, *, report: bool = False) -> None:
        """`path` is watched now, gone or not wanted. `report`: what has changed since it was polled last is reported."""
        self.denied.discard(path)
        if path in self.limited or path in self.remote:
            self.limited.pop(path, None)
            self.remote.discard(path)
            self._polling.discard(path, report=report)
