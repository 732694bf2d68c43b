"""The bench itself: it measures, it tells of failures, and its arithmetic is right."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ccdash.demo import PRESETS, Preset
from tests.bench.__main__ import main, run
from tests.bench.corpora import Appended, prepare
from tests.bench.processes import cpu_seconds, cpu_spent, family, memory
from tests.bench.projects import generate
from tests.bench.report import Limit, Row, number, percentile, table
from tests.bench.wire import cut, frame


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(PRESETS, "tiny", Preset(6, 600_000, agents_per_session=1))
    return "tiny"


def test_measures_the_real_daemon(tiny: str, tmp_path: Path) -> None:
    failed: list[str] = []
    rows = {row.name: row for row in run(tiny, tmp_path, ["cold", "shell"], failed)}
    assert failed == []
    assert rows["sessions counted wrong"].value == rows["totals counted wrong"].value == 0
    assert rows["cold index"].value > 0
    assert not math.isnan(rows["newest 50 visible"].value)
    assert "ccdash sessions" in rows


def test_measures_planning_files(tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.bench.plans.FEATURES", 4)
    monkeypatch.setattr("tests.bench.plans.TIMES", 3)
    failed: list[str] = []
    rows = {row.name: row for row in run(tiny, tmp_path, ["plans"], failed)}
    assert failed == []
    assert rows["plans, counted wrong"].value == 0, rows["plans, counted wrong"].note
    assert rows["plans, cold scan"].value > 0
    assert "3 changes" in rows["changed file, renamed over, p50"].note
    assert "NEVER" not in rows["changed file, in place, p50"].note
    assert "3 edits" in rows["set status, apply, p50"].note


def test_measures_editors(tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("LINES", 60), ("EDITS", 5), ("RUNS", 3)):
        monkeypatch.setattr(f"tests.bench.editors.{name}", value)
    failed: list[str] = []
    rows = {row.name: row for row in run(tiny, tmp_path, ["editors"], failed)}
    assert failed == []
    assert rows["lines told wrong"].value == 0
    assert rows["blame, cold"].value > 0
    assert rows["lenses, p50"].value > 0


def test_measures_figures_over_time(tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.bench.analytics.RUNS", 2)
    monkeypatch.setattr("tests.bench.analytics.SHELL_RUNS", 1)
    failed: list[str] = []
    rows = {row.name: row for row in run(tiny, tmp_path, ["analytics"], failed)}
    assert failed == []
    assert rows["groupings that do not add up"].value == 0, rows["groupings that do not add up"].note
    assert rows["by model, p50"].value > 0
    assert rows["ccdash statusline"].value > 0


def test_a_project_is_the_same_every_time(tmp_path: Path) -> None:
    one, other = (generate(tmp_path / name, 3) for name in ("one", "other"))
    files = [path.relative_to(one.root) for path in one.files]
    assert files == [path.relative_to(other.root) for path in other.files]
    assert all((one.root / path).read_bytes() == (other.root / path).read_bytes() for path in files)
    assert sum(path.stat().st_size for path in one.files) == one.bytes
    assert (one.tasks, one.broken) == (other.tasks, other.broken)


def test_failure_of_one_group_is_told(
    tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(bench: object, daemon: object) -> list[Row]:
        raise RuntimeError("no luck")

    monkeypatch.setattr("tests.bench.__main__.MEASURES", {"broken": broken})
    monkeypatch.setattr("signal.signal", lambda *_: None)
    output = tmp_path / "figures.json"
    assert main(["--sizes", tiny, "--keep", str(tmp_path), "--json", str(output)]) == 1
    shown = capsys.readouterr()
    assert "NOT MEASURED: tiny: broken" in shown.out
    assert "no luck" in shown.err
    assert json.loads(output.read_text()) == []


def test_corpus_is_generated_once(tiny: str, tmp_path: Path) -> None:
    first = prepare(tiny, tmp_path)
    inode = first.largest.stat().st_ino
    assert prepare(tiny, tmp_path).largest.stat().st_ino == inode
    with first.largest.open("ab") as file:
        file.write(b"changed\n")
    again = prepare(tiny, tmp_path)
    assert again.summary == first.summary
    assert again.largest.stat().st_size == first.largest.stat().st_size
    (tmp_path / f"{tiny}.json").write_text('{"of": "another version"}')
    assert prepare(tiny, tmp_path).summary == first.summary


def test_appended_log_is_put_back(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"{}\n")
    os.utime(path, ns=(5, 7))
    with Appended(path) as log:
        log.write(b'{"more":1}')
        assert path.read_bytes() == b'{}\n{"more":1}\n'
    assert path.read_bytes() == b"{}\n"
    assert path.stat().st_mtime_ns == 7


def test_unknown_size_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--sizes", "huge"])
    assert "no size 'huge'; there are" in capsys.readouterr().err


def test_percentile_is_nearest_rank() -> None:
    values = [float(value) for value in range(1, 101)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)) == (50, 99, 100)
    assert percentile([3.0], 0.99) == 3
    assert math.isnan(percentile([], 0.5))


def test_table_sets_figures_beside_their_limits() -> None:
    rows = [
        Row("cold index", 4.0, "s", 6, Limit("read, s", 2.0)),
        Row("list 50, 64 clients", 4000, "/s", 2000, Limit("bare, /s", 8000), higher=True, note="p50 1 ms"),
    ]
    lines = table(rows, peers=True).splitlines()
    assert lines[2].split()[:6] == ["cold", "index", "4", "s", "≤", "6"]
    assert " 2.00 " in lines[2]
    assert "agentsview" in lines[2]
    assert " 2.00 " in lines[3]
    assert lines[-1] == "  list 50, 64 clients: p50 1 ms"


@pytest.mark.parametrize(("value", "text"), [(0.0123456, "0.0123"), (1.5, "1.5"), (12345.6, "12,346"), (math.nan, "-")])
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_frames_are_cut_wherever_they_break() -> None:
    whole = frame("ccdash/status") + frame("sessions/list", {"limit": 5}, number=2)
    buffer, bodies = bytearray(), []
    for byte in whole:
        buffer.append(byte)
        while (body := cut(buffer)) is not None:
            bodies.append(json.loads(body))
    assert [body["method"] for body in bodies] == ["ccdash/status", "sessions/list"]
    assert bodies[1]["params"] == {"limit": 5}
    assert not buffer


def test_own_process_has_memory_and_time() -> None:
    pid = os.getpid()
    pss, rss = memory(pid)
    assert 0 < pss <= rss
    assert pid in family(pid)
    assert cpu_seconds(pid) > 0


def test_time_of_processes_that_ended_counts() -> None:
    before = cpu_seconds(os.getpid()), cpu_spent(os.getpid())
    subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"], check=True)
    alive, spent = cpu_seconds(os.getpid()) - before[0], cpu_spent(os.getpid()) - before[1]
    assert spent > alive
