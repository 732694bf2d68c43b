"""Any order of changes, to files and to which roots are watched: nothing is missed, and no watch is left over."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from ccdashd.ingest.scan import FileStat, scan
from ccdashd.ingest.watch import Watcher
from ccdashd.ingest.watching.backend import Reason
from tests.ingest.watch_recorder import Recorder, is_log, kernel_watches, linux

FOLDERS = ["logs", "p", "p/docs", "p/docs/n", "p/docs/n/src", "p/src", "p/src/n", "p/src/n/docs", "q"]
LATER = ["logs/a", "p/docs/n/docs", "p/new", "p/docs/new", "new", "q/docs"]
PROJECTS = ["p", "p/docs/n", "p/src/n", "q", "link"]

folders = st.sampled_from([*FOLDERS, *LATER])

Paths = dict[str, FileStat]


class Changes(RuleBasedStateMachine):
    """`logs` is watched with all below it; of each project its top, and `docs` with all below that.

    A folder belongs to the deepest root above it. What lies in `link` lies in `q` too. Changes are made while the watcher
    cannot run, as many as there are rules between two `compare`, or while it takes other roots.
    """

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp(prefix="ccdash-roots-"))
        for folder in FOLDERS:
            (self.base / folder).mkdir()
        (self.base / "link").symlink_to(self.base / "q")
        self.roots = [self.base / "logs"]
        # Whether what leads to a root was replaced further up than at its guard: that is found by the check, once a minute.
        self.unseen = False
        self.runner = asyncio.Runner()
        self.seen = Recorder()
        self.watcher = Watcher(
            self.roots,
            self.seen.on_paths,
            self.seen.on_rescan,
            accept=is_log,
            enters=self.enters,
            probe_dir=self.base / "probe",
            mode="inotify",
        )
        self.runner.run(self.watcher.start())
        self.known: Paths = {}

    def enters(self, folder: str) -> bool:
        path = Path(folder)
        if path in self.roots:
            return True
        root = next((above for above in path.parents if above in self.roots), None)
        return root is not None and (root.name == "logs" or path.relative_to(root).parts[0] == "docs")

    @rule(folder=folders)
    def make_folder(self, folder: str) -> None:
        self.unseen |= folder.startswith("q") and not (self.base / "q").exists()
        (self.base / folder).mkdir(parents=True, exist_ok=True)

    @rule(folder=folders)
    def append(self, folder: str) -> None:
        self.make_folder(folder)
        with (self.base / folder / "x.jsonl").open("a") as file:
            file.write("{}\n")

    @rule(folder=folders)
    def remove_file(self, folder: str) -> None:
        (self.base / folder / "x.jsonl").unlink(missing_ok=True)

    @rule(folder=folders, to_folder=folders)
    def move_file(self, folder: str, to_folder: str) -> None:
        if (self.base / folder / "x.jsonl").exists() and (self.base / to_folder).is_dir():
            (self.base / folder / "x.jsonl").replace(self.base / to_folder / "x.jsonl")

    @rule(folder=folders)
    def remove_folder(self, folder: str) -> None:
        shutil.rmtree(self.base / folder, ignore_errors=True)

    @rule(folder=folders, to_folder=folders)
    def move_folder(self, folder: str, to_folder: str) -> None:
        source, target = self.base / folder, self.base / to_folder
        inside = target.is_relative_to(source) or source.is_relative_to(target)
        if source.is_dir() and target.parent.is_dir() and not target.exists() and not inside:
            leads_to_root = any(root.is_relative_to(source) for root in self.roots)
            seen = source in self.roots or str(source.parent) in self.folders()
            self.unseen |= (leads_to_root and not seen) or "q" in (folder, to_folder)
            source.rename(target)

    @rule(projects=st.sets(st.sampled_from(PROJECTS), min_size=1, max_size=2))
    def change_roots(self, projects: set[str]) -> None:
        """Those that are roots are none afterwards, and the other way round."""
        before = self.roots
        changed = [self.base / project for project in sorted(projects)]
        self.roots = [root for root in before if root not in changed] + [root for root in changed if root not in before]
        self.runner.run(self.watcher.set_roots(self.roots))
        # As the pipeline does it: what is in a new root is looked at now, what is in none is forgotten.
        now = self.now()
        new = [root for root in self.roots if root not in before]
        for path in self.known.keys() | now.keys():
            if not self.is_reached(path):
                self.known.pop(path, None)
            elif any(Path(path).is_relative_to(root) for root in new):
                self.known.pop(path, None)
                self.known.update({path: now[path]} if path in now else {})

    @rule()
    def compare(self) -> None:
        if self.unseen:
            assert self.watcher._backend is not None
            self.runner.run(self.watcher._backend.check())
        # Events come in order: when the cookie was reported, so was all that came before it.
        assert self.runner.run(self.watcher.probe())
        reached = self.folders()
        now = self.now()
        changed = {path for path, _ in self.known.items() ^ now.items()}
        scan_asked_for = {Reason.DIRECTORY_MOVED, Reason.ROOT_VANISHED, Reason.ROOT_APPEARED} & set(self.seen.rescans)
        if not scan_asked_for:
            assert changed <= self.seen.paths
        status = self.watcher.status()
        assert status.directories == len(reached)
        assert kernel_watches(self.watcher) == len(
            {inode(folder) for folder in reached} | {inode(guard) for guard in self.guards()}
        )
        assert (status.restarts, status.overflows, status.problem) == (0, 0, None)
        self.seen.clear()
        self.known = now
        self.unseen = False

    def teardown(self) -> None:
        try:
            self.compare()
        finally:
            self.runner.run(self.watcher.stop())
            self.runner.close()
            shutil.rmtree(self.base)

    def now(self) -> Paths:
        return {file.path: file for file in scan(self.roots, is_log, enters=self.enters)}

    def is_reached(self, path: str) -> bool:
        return self.enters(os.path.dirname(path))

    def folders(self) -> list[str]:
        reached: list[str] = []
        waiting = [str(root) for root in (*self.roots, self.base / "probe")]
        while waiting:
            folder = waiting.pop()
            if folder in reached or not os.path.isdir(folder):
                continue
            reached.append(folder)
            with os.scandir(folder) as entries:
                waiting += [each.path for each in entries if each.is_dir(follow_symlinks=False) and self.enters(each.path)]
        return reached

    def guards(self) -> list[Path]:
        return [next(above for above in root.parents if above.is_dir()) for root in (*self.roots, self.base / "probe")]


def inode(folder: str | Path) -> int:
    return os.stat(folder).st_ino


TestChanges = linux(Changes.TestCase)
TestChanges.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
