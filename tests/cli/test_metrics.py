"""``ccdash metrics``: as text, as a file for a collector, and what metrics mean."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.analytics.prom import parse
from tests.cli.conftest import Done, run_in_terminal
from tests.cli.daemon import FakeDaemon
from tests.cli.world import World

Run = Callable[..., Done]


def test_all_metrics_of_a_daemon(world: World, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    world.enter(monkeypatch)
    done = run("metrics")
    assert (done.code, done.err) == (0, "")
    samples = parse(done.out)
    assert samples["ccdash_up", frozenset()] == 1
    assert json.loads(run("metrics", "--json").out)["contentType"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_file_for_the_collector(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, umask: int
) -> None:
    world.enter(monkeypatch)
    path = tmp_path / "ccdash.prom"
    path.write_text("old")
    previous = os.umask(umask)
    try:
        done = run("metrics", "--output", str(path))
    finally:
        os.umask(previous)
    assert (done.code, done.out) == (0, "")
    assert str(path) in done.err
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert parse(path.read_text())["ccdash_up", frozenset()] == 1
    assert os.listdir(tmp_path) == ["ccdash.prom"]
    answer = json.loads(run("metrics", "--output", str(path), "--json").out)
    assert answer == {"path": str(path), "bytes": path.stat().st_size}


def test_files_that_cannot_be_meant_or_written(
    world: World, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    world.enter(monkeypatch)
    done = run("metrics", "--output", str(tmp_path / "ccdash.txt"))
    assert done.code == 2
    assert ".prom" in done.err
    done = run("metrics", "--output", str(tmp_path / "nowhere/ccdash.prom"))
    assert done.code == 1
    assert "nowhere/ccdash.prom cannot be written: No such file" in done.err
    assert run("metrics", "--list", "--output", "x.prom").code == 2


def test_what_metrics_mean(world: World, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    world.enter(monkeypatch)
    registry = world.ask("analytics/metrics")
    assert json.loads(run("metrics", "--list", "--json").out) == registry
    text = run("metrics", "--list").out
    for metric in registry["items"]:
        assert f"{metric['id']}  {metric['description']}" in text
        assert metric["definition"] in text


@pytest.mark.usefixtures("home")
def test_no_escape_sequence_reaches_a_terminal(fake: FakeDaemon) -> None:
    fake.answers["analytics/prometheus"] = {"contentType": "text/plain", "text": 'x{project="\x1b]0;owned\x07"} 1\n'}
    assert "\x1b" not in run_in_terminal("metrics").out
