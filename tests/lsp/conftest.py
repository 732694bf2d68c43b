"""Daemons for editors: one in this process, and one whose cache is not opened before it is let."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ccdashd import app
from tests.helpers import PATIENCE, wait_until
from tests.lsp.desk import Desk
from tests.lsp.editors import EditorClient
from tests.lsp.real import real_desk
from tests.rpc.conftest import Served
from tests.store.plans import cache

Connect = Callable[[], EditorClient]


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """A daemon with default settings, shared by the tests of a module."""
    with tempfile.TemporaryDirectory(prefix="cc", dir="/tmp") as folder:
        served = Served(Path(folder))
        try:
            served.start()
            yield served
        finally:
            served.stop()


@pytest.fixture
def connect(served: Served) -> Iterator[Connect]:
    """Connects one more editor; all are gone after the test."""
    with ExitStack() as editors:
        yield lambda: editors.enter_context(EditorClient(served.path))
    wait_until(lambda: served.app.server.clients == 0, "the end of the connections")


@pytest.fixture
def editor(connect: Connect) -> EditorClient:
    """An editor that has said nothing yet."""
    return connect()


class Opening(Served):
    """A daemon that opens its cache only when it is let."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(folder)
        self._let = threading.Event()
        import_all = app._import_all

        def held() -> None:
            self._let.wait(PATIENCE)
            import_all()

        monkeypatch.setattr(app, "_import_all", held)

    def let(self) -> None:
        """Go on."""
        self._let.set()


@pytest.fixture
def opening(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opening]:
    """A daemon that is opening its cache."""
    opening = Opening(short_folder, monkeypatch)
    try:
        opening.listen()
        yield opening
    finally:
        opening.let()
        opening.stop()


@pytest.fixture(scope="session")
def real() -> Iterator[Desk]:
    """An editor over all planning files of a real project, which are read once for all tests."""
    if "CCDASH_CORPUS" not in os.environ:
        pytest.skip("CCDASH_CORPUS names no folder of real files")
    with cache() as connection:
        yield real_desk(connection)
