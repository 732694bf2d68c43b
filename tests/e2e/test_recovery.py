"""Every step of the page on recovery, in a world in which just that broke: the commands are those of the page."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ccdashd.runtime import lock_holder
from tests.helpers import wait_until
from tests.ingest.tables import Tables, dump_file, same
from tests.integrity.test_flipped_bits import flip
from tests.integrity.world import Profile

PAGE = Path(__file__).parents[2] / "docs/recovery.md"


def sections() -> dict[str, list[str]]:
    """The blocks of commands below each heading."""
    text = PAGE.read_text()
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    found = {title: re.findall(r"^```sh\n(.*?)^```", part, re.DOTALL | re.MULTILINE) for title, part in _pairs(parts)}
    assert text.count("```") == 2 * sum(map(len, found.values())), "every block is run"
    return {title: blocks for title, blocks in found.items() if blocks}


def _pairs(parts: list[str]) -> Iterator[tuple[str, str]]:
    return zip(parts[::2], parts[1::2], strict=True)


class Desk:
    """A user with a shell, and the profile."""

    def __init__(self, profile: Profile, tools: Path) -> None:
        self.profile = profile
        self.home = Path(profile.cache.environ["HOME"])
        tools.mkdir()
        command = tools / "ccdash"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m ccdash "$@"\n')
        command.chmod(0o700)
        self._environ = {"PATH": f"{tools}:{os.environ['PATH']}", **profile.cache.environ}

    def run(self, commands: str, *, code: int = 0) -> str:
        """Run these commands as they stand."""
        done = subprocess.run(
            ["sh", "-e", "-c", commands], env=self._environ, cwd=self.home, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def held(self) -> Tables:
        """What the cache holds when the daemon has read all files; the daemon is stopped then."""
        self.run("ccdash up --wait && ccdash rescan && ccdash stop")
        return dump_file(self.profile.paths.database)

    def end(self) -> None:
        """End the daemon that a command started."""
        holder = lock_holder(self.profile.paths.daemon_lock)
        if holder is not None and holder.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(holder.pid, signal.SIGTERM)
            wait_until(lambda: lock_holder(self.profile.paths.daemon_lock) is None, "the end of the daemon")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    profile = Profile(tmp_path_factory.mktemp("p"))
    asyncio.run(profile.fill())
    desk = Desk(profile, profile.base / "tools")
    yield desk
    desk.end()
    shutil.rmtree(profile.base)


def broken_journal(desk: Desk) -> None:
    flip(desk.profile.paths.journal, 999)


def broken_cache(desk: Desk) -> None:
    flip(desk.profile.paths.database, 8 * 4096 * 40 + 9)


def lost_journal(desk: Desk) -> None:
    desk.profile.paths.journal.unlink()


def lost_everything(desk: Desk) -> None:
    desk.profile.paths.database.unlink()
    desk.profile.paths.journal.write_text("")
    shutil.rmtree(desk.profile.paths.archive)


def nothing(desk: Desk) -> None:
    """All is well; one wants to be careful, or another version."""


BROKEN: dict[str, tuple[Callable[[Desk], None], str]] = {
    "Have something to go back to": (nothing, r"ccdash-backups/ccdash-"),
    "Something looks wrong": (nothing, r"All is as it should be"),
    "Repair what can be repaired": (broken_journal, r"repaired journal: .*the bit is set right"),
    "The cache is damaged, or takes too much space": (broken_cache, r"Index: complete"),
    "Everything is lost, or was overwritten": (lost_everything, r"restored .*cache\.db"),
    "Only the journal is lost": (lost_journal, r"Index: complete"),
    "The disk is full": (nothing, r"given back"),
    "An older version of ccdash is to use the cache": (nothing, r"0004\s+applied"),
}
"""By heading, in the order in which they are tried: what broke, and what the commands say."""


def test_every_section_is_tried() -> None:
    assert sections().keys() == BROKEN.keys()


def test_after_each_all_is_as_it_was(desk: Desk) -> None:
    before = desk.held()
    for title, (broken, said) in BROKEN.items():
        broken(desk)
        out = "".join(map(desk.run, sections()[title]))
        assert re.search(said, out), f"{title}\n{out}"
        now = desk.held()
        if broken is broken_cache:
            lost = before["sync_state"].keys() - now["sync_state"].keys()
            assert len(lost) == 1, "that of the log that is gone and was never copied, as the page says"
        else:
            same(before, now, title)
