"""The process of a deep search, run here: what it tells of logs equals a plain scan of their bytes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccdashd.search import deep_worker
from ccdashd.search.deep_worker import Job, Log, Match, Report, decode_report, encode, work
from tests.archive.world import Place
from tests.helpers import wait_until

lines = st.lists(st.binary(max_size=40) | st.sampled_from([b"", b"needle", b'{"needle":"\\\\\\u00e9needle"}']), max_size=30)
EXPRESSION = re.compile(b"needle|e")


def job(*paths: Path, **given: Any) -> Job:
    logs = [Log(number, os.fsencode(path), gone=False) for number, path in enumerate(paths)]
    fields = {"pattern": "needle", "regex": False, "ignore_case": False, "limit": 1000, "context": 10, "archive": b""}
    return Job(**{**fields, "logs": logs, **given})


def reports(wanted: Job) -> list[Report]:
    return [decode_report(report) for report in work(encode(wanted))]


def matches(wanted: Job) -> list[Match]:
    return [match for report in reports(wanted) for match in report.matches]


def line(text: str, **fields: Any) -> bytes:
    record = {"timestamp": "2026-01-02T03:04:05.250Z", "message": {"content": text}} | fields
    return json.dumps(record).encode() + b"\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


@settings(max_examples=60)
@given(st.lists(lines, max_size=3), st.booleans(), st.integers(1, 200))
def test_it_finds_what_a_scan_finds_however_logs_are_cut_into_blocks(
    tmp_path_factory: pytest.TempPathFactory, written: list[list[bytes]], ended: bool, block: int
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    expected, paths = [], []
    for number, parts in enumerate(written):
        data = b"\n".join(parts) + b"\n" * (ended and bool(parts))
        paths.append(folder / f"{number}.jsonl")
        paths[-1].write_bytes(data)
        place = 0
        for count, content in enumerate(data.split(b"\n"), 1):
            found = len(EXPRESSION.findall(content))
            if found:
                expected.append((number, place, len(content), count, found))
            place += len(content) + 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deep_worker, "BLOCK", block)
        told = reports(job(*paths, pattern="needle|e", regex=True))
    assert [(m.log, m.offset, m.length, m.line, m.matches) for report in told for m in report.matches] == expected
    assert [number for report in told for number in report.done] == list(range(len(paths)))
    assert sum(report.bytes for report in told) == sum(path.stat().st_size for path in paths)


def test_a_match_is_shown_as_people_read_it(log: Path) -> None:
    log.write_bytes(line('before\n\t"é😀" needle \\ after') + b'not JSON: \\"needle\\n\n')
    first, second = matches(job(log, context=12))
    assert (first.before, first.match, first.after) == ('efore\n\t"é😀" ', "needle", ' \\ after"}}')
    assert first.time == 1767323045250
    assert (second.before, second.match, second.after) == ('not JSON: \\"', "needle", "\\n")
    assert (second.line, second.offset, second.time) == (2, first.length + 1, None)


@settings(max_examples=150)
@given(st.text('\\"n\té😀a', max_size=30), st.text('\\"n\té😀a', max_size=30), st.integers(0, 8), st.booleans())
def test_no_escape_is_shown_cut(
    tmp_path_factory: pytest.TempPathFactory, before: str, after: str, context: int, ascii: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "escapes.jsonl"
    path.write_text(json.dumps({"": before + "[needle]" + after}, ensure_ascii=ascii))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deep_worker, "_SLACK", 12)
        (match,) = matches(job(path, pattern="[needle]", context=context))
    whole = f'{{"": "{before}'
    assert match.before == whole[max(len(whole) - context, 0) :]
    assert match.after == f'{after}"}}'[:context]


def test_a_long_match_and_a_long_record_are_cut(log: Path) -> None:
    log.write_bytes(line("x" * 100_000))
    (match,) = matches(job(log, pattern=".+", regex=True))
    assert (match.before, len(match.match), match.after) == ("", deep_worker.MATCH_CAP, "")


def test_it_stops_at_the_limit(log: Path) -> None:
    log.write_bytes(line("needle") * 1000)
    told = reports(job(log, log, limit=150))
    assert [len(report.matches) for report in told] == [64, 64, 22]
    assert [report.done for report in told] == [[], [], []]


def test_what_cannot_be_read_is_told(log: Path, tmp_path: Path) -> None:
    log.write_bytes(line("needle"))
    told = reports(job(tmp_path / "none.jsonl", tmp_path, log))
    problems = [problem for report in told for problem in report.problems]
    assert problems == [(0, "the log is gone"), (1, "Is a directory")]
    assert [match.log for report in told for match in report.matches] == [2]


def test_copies_are_searched_where_logs_are_gone(tmp_path: Path) -> None:
    place = Place(tmp_path)
    data = line("x" * 700_000) + line("needle") + line("y" * 700_000) + line("another needle")
    place.write("a", data)
    place.copy("a")
    path = Path(place.log("a"))
    archive = os.fsencode(place.archive.folder)
    before = matches(job(path, archive=archive))
    path.unlink()
    after = matches(job(path, archive=archive))
    assert [match.archived for match in before + after] == [False, False, True, True]
    for match in after:
        match.archived = False
    assert after == before
    told = reports(job(path, tmp_path / "other.jsonl", archive=archive))[-1]
    assert told.problems == [(1, "the log is gone, and there is no copy of it in the archive")]


@pytest.fixture
def busy(log: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A search that would take years, by a process whose parent waits for it; and its process id."""
    log.write_bytes(b"a" * 60 + b"\n")
    asked = encode(job(log, pattern="(a+)+b", regex=True))
    script = (
        "import subprocess, sys\n"
        f"worker = subprocess.Popen([sys.executable, '-m', {deep_worker.__name__!r}], stdin=subprocess.PIPE)\n"
        f"worker.stdin.write({len(asked).to_bytes(4, 'big') + asked!r})\n"
        "worker.stdin.flush()\n"
        "print(worker.pid, flush=True)\n"
        "worker.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    yield parent, pid
    parent.kill()
    parent.wait()
    parent.stdout.close()


def test_an_expression_without_end_ends_with_the_daemon(busy: tuple[subprocess.Popen[bytes], int]) -> None:
    parent, worker = busy
    ticks = Path(f"/proc/{worker}/stat")
    wait_until(lambda: int(ticks.read_text().split()[13]) > 5, "the search to be at work")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    wait_until(lambda: not ticks.exists(), "the end of the process")
