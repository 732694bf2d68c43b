"""Fixtures of tests of ingest."""

from __future__ import annotations

import pytest

from ccdashd.ingest.watching import polling
from ccdashd.settings import WatchMode
from tests.ingest.watch_recorder import MODES


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> WatchMode:
    """Each way to watch; polling without its long waits."""
    monkeypatch.setattr(polling, "INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(polling, "BUSY_SHARE", 1.0)
    mode: WatchMode = request.param
    return mode
