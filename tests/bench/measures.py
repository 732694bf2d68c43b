"""What is measured: one function per group of rows, each on the real daemon."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from tests.bench import limits
from tests.bench.corpora import Appended, Bench
from tests.bench.daemon import Daemon, scanned
from tests.bench.load import drive
from tests.bench.processes import Peak, cpu_seconds, memory
from tests.bench.report import Limit, Row, percentile
from tests.bench.wire import Wire, frame

LIST = frame("sessions/list", {"limit": 50})
MB = 1e6
MS = 1e3

Measure = Callable[[Bench, Daemon], Iterator[Row]]


def cold(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    """From nothing to everything listed and counted, while questions are asked all the time."""
    reading = limits.read_all(bench.logs)
    reading = min(reading, limits.read_all(bench.logs))
    daemon.start()
    wanted = min(50, len(bench.summary.sessions))
    visible, answers = math.nan, []
    with Peak(daemon.pid) as peak, daemon.connect() as wire:
        first = daemon.elapsed()
        while True:
            if math.isnan(visible):
                seconds, page = _timed(wire, "sessions/list", {"limit": 50})
                if len(page["items"]) >= wanted:
                    visible = daemon.elapsed()
            else:
                seconds, _ = _timed(wire, "sessions/list", {"limit": 50, "offset": 50})
            answers.append(seconds)
            status = wire.call("ccdash/status")
            if status["indexing"]["complete"]:
                break
            # Often until there is something to see, then seldom enough not to slow down what is measured.
            time.sleep(0.01 if math.isnan(visible) else 0.1)
        whole = daemon.elapsed()
    decoding, decoding_cpu = limits.decode_all(bench.logs)
    yield Row("cold index", whole, "s", 6, Limit("read all bytes, s", reading), note=f"first answer {first:.2f} s")
    yield Row("cold index, to decoding", whole, "s", None, Limit("decode all lines, 1 process, s", decoding))
    limit = Limit("decode all lines, CPU s", decoding_cpu)
    yield Row("cold index, CPU", peak.cpu, "s", None, limit, note="of all processes; moves less with the machine's load")
    yield Row("newest 50 visible", visible, "s", 0.5, Limit("start Python, s", limits.start_python()))
    yield Row("slowest answer meanwhile", max(answers) * MS, "ms", note=f"{len(answers)} lists of 50 asked")
    note = f"resident set {peak.rss / MB:.0f} MB, shared pages counted for each process"
    yield Row("memory peak", peak.pss / MB, "MB", 600, note=note)
    yield from _truth(bench, daemon)


def _timed(wire: Wire, method: str, params: Any) -> tuple[float, Any]:
    began = time.perf_counter()
    result = wire.call(method, params)
    return time.perf_counter() - began, result


def _truth(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    """Speed is worth nothing when the counts are wrong: how many sessions differ from what was generated."""
    wrong = []
    with daemon.connect() as wire:
        for truth in bench.summary.sessions.values():
            session = wire.call("sessions/get", {"id": truth.id})
            tokens = {kind: session["tokens"][kind] for kind in truth.tokens}
            counts = session["counts"]
            found = (counts["prompts"], counts["assistantMessages"], counts["toolErrors"], session["tools"], tokens)
            if found != (truth.prompts, truth.assistant_messages, truth.tool_errors, truth.tools, truth.tokens):
                wrong.append(f"{truth.id}: {found}")
        status = wire.call("cache/status")
        totals = {kind: status["tokens"][kind] for kind in ("input", "output", "cacheRead", "cacheWrite")}
    note = "" if not wrong else f"first: {wrong[0]}"
    yield Row("sessions counted wrong", len(wrong), "", 0, note=note)
    off = sum(totals[kind] != bench.summary.totals[kind] for kind in totals)
    yield Row("totals counted wrong", off, "of 4", 0)


def idle(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    """What the daemon costs when nothing happens."""
    daemon.settle()
    time.sleep(3)
    pss, rss = memory(daemon.pid)
    yield Row("memory idle", pss / MB, "MB", 120, note=f"resident set {rss / MB:.0f} MB")
    before = cpu_seconds(daemon.pid)
    time.sleep(20)
    yield Row("idle CPU", (cpu_seconds(daemon.pid) - before) / 20 * 100, "%", 0.2, note="resolution 0.05 %")
    share = daemon.database_bytes() / bench.summary.bytes * 100
    yield Row("cache.db to logs", share, "%", 12, note=f"{daemon.database_bytes() / MB:,.0f} MB")


def restart(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    """Start again with nothing changed, three times; the median of each."""
    firsts, verified = [], []
    for _ in range(3):
        daemon.stop()
        daemon.start()
        with daemon.connect() as wire:
            assert wire.call("sessions/list", {"limit": 50})["items"]
            firsts.append(daemon.elapsed())
            while not scanned(wire.call("ccdash/status")):
                time.sleep(0.005)
            verified.append(daemon.elapsed())
    yield Row("restart, first answer", percentile(firsts, 0.5), "s", 0.4, Limit("start Python, s", limits.start_python()))
    began = time.perf_counter()
    for path in bench.logs:
        path.stat()
    yield Row("restart, all verified", percentile(verified, 0.5), "s", 1, Limit("stat, s", time.perf_counter() - began))


def reads(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    """Round trips of what a screen needs."""
    daemon.settle()
    with daemon.connect() as wire:
        times, size = trips(wire, lambda: LIST, 2000)
        bare = limits.echo_roundtrip(LIST, size)
        limit = Limit("bare asyncio and msgspec, ms", bare[0] * MS)
        yield Row("list 50, p50", percentile(times, 0.5) * MS, "ms", 1.5, limit, note=f"answer of {size / 1000:.0f} KB")
        limit = Limit("bare asyncio and msgspec, ms", bare[1] * MS)
        yield Row("list 50, p99", percentile(times, 0.99) * MS, "ms", None, limit)
        get = frame("sessions/get", {"id": bench.summary.largest})
        first, _ = wire.roundtrip(get)
        times, size = trips(wire, lambda: get, 500)
        limit = Limit("bare asyncio and msgspec, ms", limits.echo_roundtrip(get, size)[0] * MS)
        note = f"first {first * MS:.1f} ms"
        yield Row("get largest, p50", percentile(times, 0.5) * MS, "ms", 2, limit, note=note)
        total = wire.call("sessions/transcript", {"id": bench.summary.largest, "limit": 1})["total"]
        dice = Random(1)

        def chunk() -> bytes:
            start = int(dice.random() * max(1, total - 100))
            return frame("sessions/transcript", {"id": bench.summary.largest, "start": start, "limit": 100})

        times, size = trips(wire, chunk, 500)
        limit = Limit("bare asyncio and msgspec, ms", limits.echo_roundtrip(get, size)[0] * MS)
        note = f"anywhere in {total:,} entries, {size / 1000:.0f} KB"
        yield Row("transcript of 100, p50", percentile(times, 0.5) * MS, "ms", 5, limit, note=note)


def trips(wire: Wire, request: Callable[[], bytes], runs: int) -> tuple[list[float], int]:
    """Seconds of each of so many round trips, and the bytes of the last answer."""
    times, size = [], 0
    for _ in range(runs):
        seconds, size = wire.roundtrip(request())
        times.append(seconds)
    return times, size


def crowd(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    """Sixty-four connections at once, driven by processes of their own on the same cores."""
    daemon.settle()
    with daemon.connect() as wire:
        size = wire.roundtrip(LIST)[1]
    drive(daemon.paths.socket, LIST, 64, 1.0)
    load = drive(daemon.paths.socket, LIST, 64, 5.0)
    with limits.echo(size) as path:
        bare = drive(path, LIST, 64, 5.0)
    limit = Limit("bare asyncio and msgspec, /s", bare.rate)
    note = f"p50 {load.p50 * MS:.1f} ms, p99 {load.p99 * MS:.1f} ms"
    yield Row("list 50, 64 clients", load.rate, "/s", 2000, limit, higher=True, note=note)


def appends(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    """From the write of a line to the notification at a subscriber."""
    daemon.settle()
    # Put back only at the end: to the daemon that is a rewrite, and reading the largest log anew takes its time.
    with Appended(bench.quiet) as quiet, Appended(bench.largest) as largest:
        for name, log, every, count in (
            ("append, quiet log", quiet, 0.3, 60),
            ("append, largest log", largest, 0.3, 60),
            ("append, 20 a second", largest, 0.05, 300),
        ):
            times = _follow(daemon, log, every, count)
            lost = count - len(times)
            note = f"{log.before.st_size / MB:.1f} MB log, {count} appends" + (f", {lost} NEVER ANNOUNCED" if lost else "")
            yield Row(f"{name}, p50", percentile(times, 0.5) * MS, "ms", 30, note=note)
            yield Row(f"{name}, p99", percentile(times, 0.99) * MS, "ms", 150)


def _follow(daemon: Daemon, log: Appended, every: float, count: int) -> list[float]:
    """Seconds from each append to the notification that holds it; at most as many as were appended."""
    session = log.path.stem
    written: dict[str, float] = {}
    times: list[float] = []
    with daemon.connect() as wire:
        wire.call("ccdash/subscribe", {"topics": [f"transcript:{session}"]})
        begin = time.perf_counter() + 0.2
        for number in range(count):
            _collect(wire, begin + number * every, written, times)
            uuid, line = _line(session)
            written[uuid] = time.perf_counter()
            log.write(line)
        _collect(wire, time.perf_counter() + 5, written, times)
    return times


def _collect(wire: Wire, until: float, written: dict[str, float], times: list[float]) -> None:
    """Take notifications until then."""
    while (left := until - time.perf_counter()) > 0:
        message = wire.notification(left)
        if message is None:
            return
        now = time.perf_counter()
        if message["method"] == "ccdash/transcript":
            found = {entry["uuid"] for entry in message["params"]["entries"]} & written.keys()
            times += [now - written.pop(uuid) for uuid in found]


def _line(session: str) -> tuple[str, bytes]:
    uuid, at = str(uuid4()), datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    text = (
        f'{{"parentUuid":null,"isSidechain":false,"userType":"external","cwd":"/home/dev/work/bench","sessionId":'
        f'"{session}","version":"2.1.231","gitBranch":"main","type":"user","message":{{"role":"user","content":'
        f'"Next, please: {uuid}"}},"uuid":"{uuid}","timestamp":"{at}"}}'
    )
    return uuid, text.encode()


def shell(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    """The command, from the shell's point of view."""
    daemon.settle()
    argv = [str(Path(sys.executable).with_name("ccdash")), "sessions"]
    times = []
    for _ in range(21):
        began = time.perf_counter()
        done = subprocess.run(argv, env=daemon.env, capture_output=True, text=True, check=False)
        times.append(time.perf_counter() - began)
        if done.returncode or not done.stdout.strip():
            raise RuntimeError(f"ccdash sessions failed: {done.stderr.strip()}")
    limit = Limit("start Python, ms", limits.start_python() * MS)
    yield Row("ccdash sessions", percentile(times, 0.5) * MS, "ms", 120, limit)


MEASURES: dict[str, Measure] = {
    measure.__name__: measure for measure in (cold, idle, restart, reads, crowd, shell, appends)
}
"""In the order in which they run; all but the first need what `cold` left."""
