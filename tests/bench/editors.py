"""What is measured of editors: files are made that agents wrote step by step, and their lenses, hovers and blame asked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from ccdashd.lsp.text import uri_of
from tests.bench import limits
from tests.bench.corpora import Bench
from tests.bench.daemon import Daemon
from tests.bench.measures import MS, trips
from tests.bench.processes import cpu_seconds
from tests.bench.report import Limit, Row, percentile
from tests.bench.wire import Wire, frame
from tests.rpc.blame_world import lines_of
from tests.store.edited import Clock, Edited, Session

LINES = 5_000
EDITS = 200
FILES = 3
"""Each is blamed once without anything being remembered of it."""

SESSIONS = 10
"""That write one file."""

RUNS = 60

_INITIALIZE = frame("initialize", {"capabilities": {}, "processId": None, "rootUri": None})


def editors(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    """Round trips of what an editor asks about a long file that was edited often."""
    folder = daemon.folder / "edited"
    with _written(bench, daemon, folder) as files, daemon.connect() as wire:
        yield from _blame(files, daemon, wire)
        first, _ = wire.roundtrip(_INITIALIZE)
        yield Row("initialize", first * MS, "ms", 100)
        document = {"textDocument": {"uri": uri_of(files[0].path)}}
        for name, method, params in (
            ("lenses", "textDocument/codeLens", document),
            ("hover", "textDocument/hover", {**document, "position": {"line": 120, "character": 0}}),
        ):
            yield _row(name, wire, daemon, frame(method, params), 5)


def _blame(files: list[Edited], daemon: Daemon, wire: Wire) -> Iterator[Row]:
    cold, wrong, size = [], 0, 0
    before = cpu_seconds(daemon.pid)
    for file in files:
        seconds, size = wire.roundtrip(_asked(file))
        cold.append(seconds)
    cpu = (cpu_seconds(daemon.pid) - before) / len(files)
    for file in files:
        told = lines_of(wire.call("files/blame", {"path": file.path}))
        wrong += sum(ours != theirs for ours, theirs in zip(told, file.truth, strict=True))
    about = f"{len(files[0].lines):,} lines, {EDITS} edits, answer of {size / 1000:.0f} KB"
    yield Row("blame, cold", percentile(cold, 0.5) * MS, "ms", 50, note=f"{about}, CPU {cpu * MS:.0f} ms")
    yield _row("blame, warm", wire, daemon, _asked(files[0]), 5)
    yield Row("lines told wrong", wrong, "", 0)


def _asked(file: Edited) -> bytes:
    return frame("files/blame", {"path": file.path})


def _row(name: str, wire: Wire, daemon: Daemon, request: bytes, target: float) -> Row:
    first, _ = wire.roundtrip(request)
    before = cpu_seconds(daemon.pid)
    times, size = trips(wire, lambda: request, RUNS)
    cpu = (cpu_seconds(daemon.pid) - before) / RUNS
    limit = Limit("bare asyncio and msgspec, ms", limits.echo_roundtrip(request, size)[0] * MS)
    note = f"p99 {percentile(times, 0.99) * MS:.1f} ms, first {first * MS:.1f} ms, CPU {cpu * MS:.1f} ms"
    return Row(f"{name}, p50", percentile(times, 0.5) * MS, "ms", target, limit, note=note)


@contextmanager
def _written(bench: Bench, daemon: Daemon, folder: Path) -> Iterator[list[Edited]]:
    """Files on disk and in logs that the daemon has read; the logs are gone when left."""
    (folder / ".git").mkdir(parents=True)
    clock, dice, files = Clock(), Random(1), []
    logs = []
    try:
        for number in range(FILES):
            file = Edited(str(folder / f"file{number}.py"))
            for session in _edited(clock, dice, file):
                logs.append(session.save(bench.home / ".claude" / "projects"))
            Path(file.path).write_text(file.text, encoding="utf-8")
            files.append(file)
        with daemon.connect() as wire:
            wire.call("cache/rescan")
        daemon.settle()
        yield files
    finally:
        for log in logs:
            log.unlink()
        shutil.rmtree(logs[0].parent, ignore_errors=True)


def _edited(clock: Clock, dice: Random, file: Edited) -> list[Session]:
    """Sessions that write the file and edit it, prompt by prompt; a person does so now and then."""
    sessions = [Session(clock, str(Path(file.path).parent)) for _ in range(SESSIONS)]
    sessions[0].prompt("Write the file")
    file.written(sessions[0], 0, LINES)
    for number in range(EDITS - 1):
        session = sessions[number * SESSIONS // EDITS]
        if number % 2 == 0:
            session.prompt(f"Change place {number}: " + "and mind what is around it " * 10)
        for _ in range(4):
            session.say("I look at what is around it. " * 10)
            answer: dict[str, Any] = {"file": {"content": "x" * 3000}}
            session.call("Read", answer, file_path=file.path)
        file.replaced(session, dice.randrange(len(file.lines) - 10), 3, 3)
        if number % 20 == 0:
            file.by_hand(dice.randrange(len(file.lines)), 1, 2)
    return sessions
