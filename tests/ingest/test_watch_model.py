"""Any order of changes: what is different afterwards was reported, or a scan asked for, and every folder is watched."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from ccdashd.ingest.watch import Watcher
from ccdashd.ingest.watching.backend import Reason
from tests.ingest.watch_recorder import Recorder, kernel_watches

FOLDERS = st.sampled_from(["", "a", "b", "a/a", "a/b", "b/a", "a/a/a"])
FILES = st.sampled_from(["x.jsonl", "y.jsonl"])

Snapshot = dict[str, tuple[int, int, int]]


class Changes(RuleBasedStateMachine):
    """Changes are made while the watcher cannot run, as many as there are rules between two `compare`."""

    def __init__(self) -> None:
        super().__init__()
        self.base = Path(tempfile.mkdtemp(prefix="ccdash-watch-"))
        self.root = self.base / "root"
        self.root.mkdir()
        self.runner = asyncio.Runner()
        self.seen = Recorder()
        self.watcher = Watcher(
            [self.root],
            self.seen.on_paths,
            self.seen.on_rescan,
            accept=lambda path: path.endswith(".jsonl"),
            probe_dir=self.base / "probe",
            mode="inotify",
        )
        self.runner.run(self.watcher.start())
        self.before: Snapshot = {}

    @rule(folder=FOLDERS)
    def make_folder(self, folder: str) -> None:
        (self.root / folder).mkdir(parents=True, exist_ok=True)

    @rule(folder=FOLDERS, name=FILES)
    def append(self, folder: str, name: str) -> None:
        if (self.root / folder).is_dir():
            with (self.root / folder / name).open("a") as file:
                file.write("{}\n")

    @rule(folder=FOLDERS, name=FILES)
    def remove_file(self, folder: str, name: str) -> None:
        (self.root / folder / name).unlink(missing_ok=True)

    @rule(folder=FOLDERS, name=FILES, to_folder=FOLDERS, to_name=FILES)
    def move_file(self, folder: str, name: str, to_folder: str, to_name: str) -> None:
        source, target = self.root / folder / name, self.root / to_folder / to_name
        if source.exists() and target.parent.is_dir():
            source.replace(target)

    @rule(folder=FOLDERS)
    def remove_folder(self, folder: str) -> None:
        shutil.rmtree(self.root / folder, ignore_errors=True)
        self.root.mkdir(exist_ok=True)

    @rule(folder=FOLDERS, to_folder=FOLDERS)
    def move_folder(self, folder: str, to_folder: str) -> None:
        source, target = self.root / folder, self.root / to_folder
        inside = target.is_relative_to(source) or source.is_relative_to(target)
        if source.is_dir() and target.parent.is_dir() and not target.exists() and not inside:
            source.rename(target)

    @rule()
    def replace_root(self) -> None:
        self.root.rename(self.base / "old")
        self.root.mkdir()
        shutil.rmtree(self.base / "old")

    @rule()
    def compare(self) -> None:
        # Events come in order: when the cookie was reported, so was all that came before it.
        assert self.runner.run(self.watcher.probe())
        after = snapshot(self.root)
        changed = {path for path, _ in self.before.items() ^ after.items()}
        scan_asked_for = {Reason.DIRECTORY_MOVED, Reason.ROOT_VANISHED, Reason.ROOT_APPEARED} & set(self.seen.rescans)
        if not scan_asked_for:
            assert changed <= self.seen.paths
        folders = sum(len(names) for _, names, _ in os.walk(self.base))
        status = self.watcher.status()
        assert status.directories == folders
        # And the guard of both roots.
        assert kernel_watches(self.watcher) == folders + 1
        assert (status.restarts, status.overflows, status.problem) == (0, 0, None)
        self.seen.clear()
        self.before = after

    def teardown(self) -> None:
        self.compare()
        self.runner.run(self.watcher.stop())
        self.runner.close()
        shutil.rmtree(self.base)


def snapshot(root: Path) -> Snapshot:
    files: Snapshot = {}
    for folder, _, names in os.walk(root):
        for name in names:
            status = os.stat(os.path.join(folder, name))
            files[os.path.join(folder, name)] = (status.st_ino, status.st_size, status.st_mtime_ns)
    return files


TestChanges = pytest.mark.skipif(sys.platform != "linux", reason="inotify is of Linux")(Changes.TestCase)
TestChanges.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
