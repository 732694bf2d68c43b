"""A profile with everything in it, made once for each module; each test gets it as it was."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import Daemon
from tests.integrity.world import Profile


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Profile, Path]:
    """A profile, and a copy of all its files as they are at first."""
    profile = Profile(tmp_path_factory.mktemp("p"))
    asyncio.run(profile.fill())
    kept = tmp_path_factory.mktemp("kept") / "p"
    shutil.copytree(profile.base, kept)
    return profile, kept


@pytest.fixture
def profile(filled: tuple[Profile, Path]) -> Profile:
    profile, kept = filled
    shutil.rmtree(profile.base)
    shutil.copytree(kept, profile.base)
    return profile


@pytest.fixture
def daemon(profile: Profile, short_folder: Path) -> Iterator[Daemon]:
    daemon = profile.daemon(short_folder)
    yield daemon
    daemon.close()
