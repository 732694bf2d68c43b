"""Figures over time: how long each question takes over all time, and what other tools say and take."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
import typing
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from ccdashd.protocol.types.analytics import Dimension
from tests.bench import limits, rivals
from tests.bench.corpora import Bench
from tests.bench.daemon import Daemon
from tests.bench.measures import MS, trips
from tests.bench.processes import cpu_seconds
from tests.bench.report import Limit, Row, percentile
from tests.bench.wire import Wire, frame
from tests.e2e.genuine import install
from tests.e2e.oracle import KINDS, cost, logs, read

RUNS = 60
SHELL_RUNS = 21
TARGET = 15
"""Milliseconds that any single trend or breakdown over all time may take."""

_METRICS = ("cost", "inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens", "messages")
_QUESTIONS: dict[str, tuple[str, Mapping[str, object], float | None]] = {
    "overview": ("analytics/overview", {}, TARGET),
    "trend by hour": ("analytics/trends", {"step": "hour", "since": "4w"}, TARGET),
    "trend by day": ("analytics/trends", {"step": "day"}, TARGET),
    "trend by day, six metrics": ("analytics/trends", {"step": "day", "metrics": _METRICS}, TARGET),
    "trend by day, split by model": ("analytics/trends", {"step": "day", "split": "model"}, TARGET),
    "trend by week, compared": ("analytics/trends", {"step": "week", "compare": True, "since": "2026-01-01"}, TARGET),
    "trend of tool calls": ("analytics/trends", {"metrics": ["toolCalls"]}, TARGET),
    "trend of active time": ("analytics/trends", {"metrics": ["activeSeconds"]}, TARGET),
    **{f"by {by}": ("analytics/breakdown", {"by": by}, TARGET) for by in typing.get_args(Dimension)},
    "heat map": ("analytics/heatmap", {}, TARGET),
    "top sessions": ("analytics/top", {}, TARGET),
    "distribution": ("analytics/distribution", {}, TARGET),
    "tools": ("analytics/tools", {}, None),
    "five-hour windows": ("analytics/windows", {}, TARGET),
    "weekly windows": ("analytics/windows", {"kind": "week"}, TARGET),
    "prometheus": ("analytics/prometheus", {}, None),
    "statusline": ("analytics/statusline", {}, TARGET),
}


def analytics(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    """Round trips of every question, over all time and over all of the corpus; none is answered from what is kept."""
    daemon.settle()
    limit = Limit("bare, 10 KB, ms", limits.echo_roundtrip(frame("ccdash/status"), 10_000)[0] * MS)
    with daemon.connect() as wire:
        yield from _conserved(wire)
        for name, (method, params, target) in _QUESTIONS.items():
            if method == "analytics/breakdown":
                # Tools, skills and files cost nothing by themselves.
                params = {**params, "metrics": [_metric(str(params["by"]))]}
            asked = _anew(method, params)
            first, _ = wire.roundtrip(next(asked))
            before = cpu_seconds(daemon.pid)
            times, size = trips(wire, asked.__next__, RUNS)
            # Moves less with the machine's load.
            cpu = (cpu_seconds(daemon.pid) - before) / RUNS
            p50, p99 = (percentile(times, share) * MS for share in (0.5, 0.99))
            note = f"p99 {p99:.1f} ms, first {first * MS:.1f} ms, CPU {cpu * MS:.1f} ms, answer of {size / 1000:.1f} KB"
            yield Row(f"{name}, p50", p50, "ms", target, limit, note=note)
    limit = Limit("start Python, ms", limits.start_python() * MS)
    for words, wanted in ((("statusline",), 60), (("stats",), None), (("usage", "--since", "all"), None)):
        seconds = [_shell(words, bench, daemon) for _ in range(SHELL_RUNS)]
        yield Row(f"ccdash {' '.join(words)}", percentile(seconds, 0.5) * MS, "ms", wanted, limit)


def _metric(by: str) -> str:
    return {"tool": "toolCalls", "skill": "toolCalls", "file": "edits"}.get(by, "cost")


def _anew(method: str, params: Mapping[str, object]) -> Iterator[bytes]:
    """Requests for the same of which no two have the same bytes, so that no kept answer fits."""
    text = msgspec.json.encode(params)
    for spaces in count():
        yield frame(method, msgspec.Raw(text[:-1] + b" " * spaces + b"}"))


def _conserved(wire: Wire) -> Iterator[Row]:
    """Speed is worth nothing when the sums are wrong: of how many groupings the parts are not the whole."""
    whole = wire.call("analytics/trends", {"metrics": _METRICS, "step": "month"})["total"]["values"]
    wrong = []
    for by in ("hour", "day", "week", "month", "project", "model", "agent", "branch", "session", "subagentType", "feature"):
        sums: dict[str, Decimal] = dict.fromkeys(_METRICS, Decimal(0))
        for row in _rows(wire, by):
            for name, value in row["values"].items():
                sums[name] += Decimal(str(value or 0))
        off = [
            name for name in _METRICS if abs(sums[name] - Decimal(str(whole[name]))) > (name == "cost") * Decimal("0.01")
        ]
        if off:
            wrong.append(f"{by}: {', '.join(off)}")
    yield Row("groupings that do not add up", len(wrong), "", 0, note="; ".join(wrong))


def _rows(wire: Wire, by: str) -> Iterator[dict[str, Any]]:
    offset, total = 0, math.inf
    while offset < total:
        page = wire.call("analytics/breakdown", {"by": by, "metrics": _METRICS, "limit": 500, "offset": offset})
        yield from page["items"]
        offset, total = offset + 500, page["count"]


def _shell(words: tuple[str, ...], bench: Bench, daemon: Daemon) -> float:
    """Seconds of a command; the status line is asked as an agent asks for it."""
    said = json.dumps({"session_id": bench.summary.largest})
    argv = [str(Path(sys.executable).with_name("ccdash")), *words]
    began = time.perf_counter()
    done = subprocess.run(argv, input=said, env=daemon.env, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode or not done.stdout.strip():
        raise RuntimeError(f"ccdash {' '.join(words)} failed: {done.stderr.strip()}")
    return seconds


def compared(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    """What other tools say of the same logs, how long that takes, and whether each difference is understood; then the same
    of real logs, where `CCDASH_CORPUS` names a folder of them."""
    yield from _compared(bench.home, daemon, "")
    if corpus := os.environ.get("CCDASH_CORPUS"):
        with tempfile.TemporaryDirectory(prefix="ccr") as home, Daemon(Path(home)) as other:
            install(Path(corpus), other.home)
            other.start()
            yield from _compared(other.home, other, "real logs, ")


def _compared(home: Path, daemon: Daemon, which: str) -> Iterator[Row]:
    daemon.settle()
    messages = read(logs(home)).messages
    with daemon.connect() as wire:
        for name, ours, groups in (
            ("days", _days(wire), rivals.days(messages)),
            ("five-hour windows", _windows(wire), rivals.windows(messages)),
        ):
            last = dict(sorted(groups.items())[-len(ours) :])
            wrong = rivals.unexplained(ours, rivals.by_rules(last))
            name = f"{which}ccdash: {name} other than by an independent reader"
            yield Row(name, len(wrong), f"of {len(ours)}", 0, note="; ".join(wrong[:2]))
        times, _ = trips(wire, lambda: frame("analytics/trends", {"metrics": _METRICS, "timeZone": "UTC"}), 20)
        yield Row(f"{which}ccdash: usage by day, p50", percentile(times, 0.5), "s")
    for rival in rivals.RIVALS:
        with tempfile.TemporaryDirectory(prefix="ccr") as folder:
            try:
                prepared, answers = rivals.run(rival, home, Path(folder))
            except rivals.NotInstallable as error:
                sys.stderr.write(f"{rival.name} cannot be installed here: {error}\n")
                continue
        if rival.prepare:
            yield Row(f"{which}{rival.name}: {' '.join(rival.prepare)}", prepared, "s")
        for question, seconds, theirs in answers:
            name = f"{which}{rival.name}: {question.name}"
            yield Row(name, seconds, "s")
            groups = question.group(messages)
            wrong = rivals.unexplained(theirs, rivals.by_rules(groups, question.rules, per_message=rival.per_message))
            notes = [f"says {_usd(theirs):.6f} USD, by an independent reader {_usd(rivals.by_rules(groups)):.6f}"]
            for rule in question.rules:
                left = [message for message in messages if rule.leaves_out(message)]
                notes.append(f"{rule.text}: {len(left)} messages, {cost(left)} USD")
            if question.note:
                notes.append(question.note)
            if rival.per_message:
                notes.append("rounds the cost of each message to a millionth of a dollar")
            note = "; ".join(notes + wrong[:2])
            yield Row(f"{name}, not explained", len(wrong), f"of {len(theirs)}", 0, note=note)


def _usd(parts: rivals.Parts) -> Decimal:
    return sum((figures[4] for figures in parts.values()), Decimal(0))


def _days(wire: Wire) -> rivals.Parts:
    asked = {"metrics": _METRICS, "timeZone": "UTC", "includeHidden": True}
    points = wire.call("analytics/trends", asked)["series"][0]["points"]
    return {point["label"]: _figures(point["values"]) for point in points if point["values"]["messages"]}


def _figures(values: dict[str, Any]) -> rivals.Figures:
    kinds = [values[name] or 0 for name in _METRICS[1:5]]
    return kinds[0], kinds[1], kinds[2], kinds[3], Decimal(str(values["cost"] or 0))


def _windows(wire: Wire) -> rivals.Parts:
    """All five-hour windows, or the last of them, as many as are told at once."""
    found = wire.call("analytics/windows", {"limit": 500, "includeHidden": True})["items"]
    return {
        window["start"][:13]: (
            *(window["tokens"][kind] for kind in KINDS),
            Decimal(str(window["values"]["cost"] or 0)),
        )
        for window in found
    }
