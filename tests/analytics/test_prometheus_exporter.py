"""The exporter as time goes by: the file is written again and again, and what hindered is tried again."""

from __future__ import annotations

import os
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ccdashd.analytics import exporter
from ccdashd.analytics.exporter import Exporter
from tests.analytics.prom import parse, total
from tests.helpers import wait_until
from tests.rpc.conftest import Served


@pytest.fixture
def served(short_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A daemon whose minutes are short."""
    monkeypatch.setattr(exporter, "MINUTE", 0.02)
    served = Served(short_folder)
    served.start()
    yield served
    served.stop()


def export(served: Served, port: int = 0, file: Path | None = None) -> Exporter:
    """Have the daemon tell metrics."""

    def start() -> None:
        app = served.app
        app.settings = msgspec.structs.replace(app.settings, metrics_port=port, metrics_file=file)
        app._exporter = Exporter(app)
        app.exporter.start()

    served.soon(start)
    return served.app.exporter


def problems(served: Served) -> dict[str, str]:
    return {problem.part: problem.problem for problem in served.app.problems.all()}


def test_the_file_is_written_every_minute(served: Served, tmp_path: Path) -> None:
    folder = tmp_path / "collector"
    file = folder / "ccdash.prom"
    export(served, file=file)
    wait_until(lambda: problems(served), "the problem")
    assert problems(served).keys() == {"metrics file"}
    assert str(file) in problems(served)["metrics file"]
    folder.mkdir()
    first = wait_until(lambda: file.exists() and file.stat(), "the file")
    wait_until(lambda: file.stat().st_ino != first.st_ino, "another file")
    wait_until(lambda: not problems(served), "the end of the problem")
    assert total(parse(file.read_text()), "ccdash_up") == 1


def test_a_port_is_taken_when_it_is_free(served: Served) -> None:
    used = list[int]()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        told = export(served, port=port)
        wait_until(lambda: problems(served), "the problem")
        assert f"port {port} cannot be had" in problems(served)["metrics endpoint"]
        assert told.url is None
    url = wait_until(lambda: told.url, "the port")
    wait_until(lambda: not problems(served), "the end of the problem")
    served.app.in_use = lambda: used.append(1)
    with urllib.request.urlopen(url) as answer:
        assert total(parse(answer.read().decode()), "ccdash_up") == 1
    assert used, "a scrape counts as use"


def test_counters_stay_while_the_cache_cannot_be_used(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "ccdash.prom"
    told = export(served, file=file)
    before = parse(served.do(told.tell).decode())
    assert total(before, "ccdash_up") == 1
    database, served.app._database = served.app._database, None
    try:
        without = parse(served.do(told.tell).decode())
    finally:
        served.app._database = database
    assert total(without, "ccdash_up") == 0
    assert total(without, "ccdash_cache_rows_written_total") == total(before, "ccdash_cache_rows_written_total")
    assert "ccdash_sessions_live" not in {name for name, _ in without}
    assert os.path.exists(file)
