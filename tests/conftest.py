"""Fixtures of all tests: short folders for sockets, and a running daemon."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import Daemon


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path is short enough for a socket below it, as pytest's own may not be."""
    folder = Path(tempfile.mkdtemp(prefix="cc", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def idle_daemon(short_folder: Path) -> Iterator[Daemon]:
    """A daemon that is not started yet; ended after the test."""
    daemon = Daemon(short_folder)
    yield daemon
    daemon.close()


@pytest.fixture
def daemon(idle_daemon: Daemon) -> Daemon:
    """A daemon that answers."""
    return idle_daemon.start()
