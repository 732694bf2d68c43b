"""Search and archive: how long until all text is found, what each question takes, what copies cost."""

from __future__ import annotations

import math
import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import zstandard

from tests.bench import limits
from tests.bench.corpora import Bench
from tests.bench.daemon import Daemon, scanned
from tests.bench.measures import MB, MS, trips
from tests.bench.processes import cpu_seconds
from tests.bench.report import Limit, Row, percentile
from tests.bench.wire import Wire, frame

RUNS = 40
SAMPLED = 20
"""Logs of which words are taken to be looked for."""

LOOK = 0.5
"""Seconds between two looks at how far the index of texts is."""

SELDOM = 40
"""Words that they hold least: of these, the one that all logs hold least is looked for."""

ABSENT = "qzx-not-in-any-log-qzx"
WAIT = 600.0
"""Seconds that the index of texts, or the archive, may take before it is called a failure."""

_WORD = re.compile(r"\b[a-z]{3,}\b")
_PAIR = re.compile(r"\b([a-z]{3,}) (?=([a-z]{3,})\b)")
_TEXT = re.compile(rb'"(?:text|content)":"((?:[^"\\]|\\.){40,4000})"')


def search(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    """A cold start until all text is found, then what searches take."""
    yield from _cold(bench, daemon)
    seldom, common, phrase = _words(bench.logs)
    limit = Limit("bare, 10 KB, ms", limits.echo_roundtrip(frame("ccdash/status"), 10_000)[0] * MS)
    with daemon.connect() as wire:
        hits = {word: wire.call("search/query", {"query": word})["total"] for word in seldom}
        rare = min((word for word in seldom if hits[word]), key=hits.__getitem__)
        questions = (("rare word", rare, 5), ("common word", common, 25), ("phrase", f'"{phrase}"', 10))
        for order in ("newest", "relevance"):
            for name, words, target in questions:
                found = wire.call("search/query", {"query": words, "order": order})
                # Other limits make other requests, so that none is answered from what is kept.
                ask = (frame("search/query", {"query": words, "order": order, "snippet": 200 + n % 40}) for n in count())
                before = cpu_seconds(daemon.pid)
                times, _ = trips(wire, ask.__next__, RUNS)
                cpu = (cpu_seconds(daemon.pid) - before) / RUNS
                note = f"{words}: {found['total']}{'' if found['totalExact'] else '+'} hits, p99 "
                note += f"{percentile(times, 0.99) * MS:.1f} ms, CPU {cpu * MS:.1f} ms"
                yield Row(f"search, {name}, {order}, p50", percentile(times, 0.5) * MS, "ms", target, limit, note=note)
        yield from _deep(bench, wire)


def _cold(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    daemon.stop()
    for path in daemon.paths.cache_dir.glob("*.db*"):
        path.unlink()
    daemon.start()
    listed = math.nan
    asked = 0.0
    answers = []
    with daemon.connect() as wire:
        while True:
            began = time.perf_counter()
            wire.call("sessions/list", {"limit": 50})
            took = time.perf_counter() - began
            status = wire.call("ccdash/status")
            if math.isnan(listed):
                listed = daemon.elapsed() if status["indexing"]["complete"] else math.nan
                time.sleep(0.1)
                continue
            answers.append(took)
            # Seldom, since it adds up the whole cache, on the cores that the index is built with.
            if scanned(status) and (looked := daemon.elapsed()) - asked > LOOK:
                asked = looked
                if wire.call("cache/status")["textIndex"]["complete"]:
                    break
            if daemon.elapsed() > WAIT:
                raise RuntimeError("the index of texts did not come to an end")
            time.sleep(0.02)
        whole = daemon.elapsed()
        index = wire.call("cache/status")["textIndex"]
    note = f"sessions listed and counted after {listed:.1f} s; {index['entries']:,} entries"
    yield Row("all text found after a cold start", whole, "s", 18, Limit("sessions counted, s", listed), note=note)
    note = f"{len(answers)} lists of 50 asked, slowest {max(answers) * MS:.1f} ms"
    yield Row("short queries meanwhile, p99", percentile(answers, 0.99) * MS, "ms", 20, note=note)
    size = daemon.database_bytes() + index["bytes"]
    note = f"cache {daemon.database_bytes() / MB:,.0f} MB, texts {index['bytes'] / MB:,.0f} MB"
    yield Row("cache with texts to logs", size / bench.summary.bytes * 100, "%", 22, note=note)


def _words(logs: list[Path]) -> tuple[list[str], str, str]:
    """Words that these logs hold least, the most frequent one, and two words that often stand together."""
    words: Counter[str] = Counter()
    pairs: Counter[tuple[str, str]] = Counter()
    for path in logs[:: max(1, len(logs) // SAMPLED)]:
        for match in _TEXT.findall(path.read_bytes()):
            # What is no escaped text is no loss here.
            text = match.decode("utf-8", "replace").replace("\\n", "\n").replace("\\t", "\t")
            words.update(_WORD.findall(text))
            pairs.update(_PAIR.findall(text))
    seldom = sorted(words, key=lambda word: (words[word], word))[:SELDOM]
    return seldom, words.most_common(1)[0][0], " ".join(pairs.most_common(1)[0][0])


def _deep(bench: Bench, wire: Wire) -> Iterator[Row]:
    grep = ["grep", "-rcF", ABSENT, str(bench.home)]
    env = {**os.environ, "LC_ALL": "C"}
    reading = math.inf
    for _ in range(2):
        began = time.perf_counter()
        subprocess.run(grep, env=env, stdout=subprocess.DEVNULL, check=False)
        reading = min(reading, time.perf_counter() - began)
    times = []
    answer: dict[str, Any] = {}
    for _ in range(3):
        began = time.perf_counter()
        answer = wire.call("search/deep", {"pattern": ABSENT})
        times.append(time.perf_counter() - began)
    note = f"{answer['files']:,} logs, {answer['bytes'] / MB:,.0f} MB"
    yield Row("deep search, absent", min(times), "s", 2.5, Limit("grep -F over the folder, s", reading), note=note)


def archive(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    """Copies of all logs, from none."""
    daemon.settle()
    with daemon.connect() as wire:
        began = time.perf_counter()
        status = wire.call("archive/status")
        waited = status["waitingLogs"]
        result = wire.call("archive/run", {"all": True})
        seconds = time.perf_counter() - began
        status = wire.call("archive/status")
        again = time.perf_counter()
        wire.call("archive/run", {"all": True})
        again = time.perf_counter() - again
    rate = _compressing(bench.logs)
    if result["sourceBytes"]:
        speed = result["sourceBytes"] / MB / seconds
        note = f"{result['logs']} logs in {seconds:.1f} s; {waited} waited"
        yield Row("archive, speed", speed, "MB/s", 150, Limit("zstd alone, MB/s", rate), higher=True, note=note)
    note = f"{status['storedBytes'] / MB:,.0f} MB for {status['sourceBytes'] / MB:,.0f} MB"
    yield Row("archive to logs", status["storedBytes"] / status["sourceBytes"] * 100, "%", 20, note=note)
    yield Row("archive, nothing to do", again, "s")


def _compressing(logs: list[Path]) -> float:
    """MB per second that zstd compresses of a sample in one process, at the level of the archive."""
    compressor = zstandard.ZstdCompressor(level=3)
    data = [path.read_bytes() for path in logs[:: max(1, len(logs) // 200)]]
    began = time.perf_counter()
    for piece in data:
        compressor.compress(piece)
    return sum(map(len, data)) / MB / (time.perf_counter() - began)
