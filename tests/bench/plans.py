"""What is measured of planning files: a project of them is made, added to the daemon, listed, edited and changed."""

from __future__ import annotations

import itertools
import math
import time
import typing
from collections.abc import Iterator
from pathlib import Path

from ccdashd.protocol.types.features import FeatureSort
from ccdashd.protocol.types.tasks import TaskSort
from tests.bench import limits, projects
from tests.bench.corpora import Bench
from tests.bench.daemon import Daemon
from tests.bench.measures import MB, MS, trips
from tests.bench.processes import Peak, cpu_spent, memory
from tests.bench.projects import Project
from tests.bench.report import Limit, Row, percentile
from tests.bench.wire import Wire, frame

FEATURES = projects.FEATURES
"""Features of the project that is measured; the size of the logs makes no difference."""

SCANS = 3
TIMES = 60
"""Changes of files, and edits of statuses."""

PATIENCE = 30.0
"""Seconds to wait for what should happen."""

BARE = "bare asyncio and msgspec, ms"

FEATURES_PAGE = frame("features/list", {"limit": 50})


def plans(bench: Bench, daemon: Daemon) -> Iterator[Row]:
    """On a daemon that has indexed the logs of `bench`."""
    project = projects.generate(daemon.folder / "app", FEATURES)
    daemon.settle()
    with daemon.connect() as wire:
        yield from _scan(project, daemon, wire)
        yield from _truth(project, wire)
        yield from _lists(wire)
        yield from _edits(wire)
        yield from _changes(project, daemon, wire)


def _scan(project: Project, daemon: Daemon, wire: Wire) -> Iterator[Row]:
    """From nothing to everything written; then again with nothing changed."""
    reading = min(limits.read_all(project.files) for _ in range(SCANS))
    composing, composing_cpu = min(limits.compose_all(project.files) for _ in range(SCANS))
    before = wire.call("documents/list", {"limit": 1})["total"]
    size = daemon.database_bytes()
    with Peak(daemon.pid, every=0.05) as peak:
        scans = [_added(project, daemon, wire)]
    grown, idle = daemon.database_bytes() - size, memory(daemon.pid)[0]
    for _ in range(SCANS - 1):
        _removed(project, wire, before)
        scans.append(_added(project, daemon, wire))
    wall, cpu = min(scans)
    about = f"{len(project.files):,} files, {project.bytes / MB:.1f} MB, {project.frontmatter} with frontmatter"
    note = f"{about}; {SCANS} scans: {', '.join(f'{scan[0]:.2f}' for scan in scans)} s"
    yield Row("plans, cold scan", wall, "s", 1, Limit("read and compose, 1 process, s", composing), note=note)
    yield Row("plans, cold scan, to reading", wall, "s", None, Limit("read all bytes, s", reading))
    limit = Limit("read and compose, CPU s", composing_cpu)
    yield Row("plans, cold scan, CPU", cpu, "s", None, limit, note="of all processes; moves less with the machine's load")
    yield Row("plans, memory peak", peak.pss / MB, "MB", None, note=f"{idle / MB:.0f} MB after it")
    yield Row("plans, cache.db to files", grown / project.bytes * 100, "%", None, note=f"{grown / MB:.1f} MB")
    rescans = []
    for _ in range(5):
        began = time.perf_counter()
        wire.call("cache/rescan")
        rescans.append(time.perf_counter() - began)
    began = time.perf_counter()
    for path in project.files:
        path.stat()
    limit = Limit("stat, s", time.perf_counter() - began)
    yield Row("plans, rescan unchanged", percentile(rescans, 0.5), "s", None, limit, note="with the logs")


def _added(project: Project, daemon: Daemon, wire: Wire) -> tuple[float, float]:
    """Seconds from the request to register the project until all of it is known, and of processor time."""
    spent, began = cpu_spent(daemon.pid), time.perf_counter()
    found = wire.call("projects/add", {"root": str(project.root)})
    wall = time.perf_counter() - began
    if found["documents"] != len(project.files):
        raise RuntimeError(f"{found['documents']} documents were known when the project was added")
    return wall, cpu_spent(daemon.pid) - spent


def _removed(project: Project, wire: Wire, left: int) -> None:
    """Let the daemon forget the project, until only so many documents are left."""
    known = wire.call("projects/list", {"limit": 500})["items"]
    wire.call("projects/remove", {"id": next(item["id"] for item in known if item["root"] == str(project.root))})
    until = time.perf_counter() + PATIENCE
    while wire.call("documents/list", {"limit": 1})["total"] != left:
        if time.perf_counter() > until:
            raise RuntimeError("the daemon did not forget the project")
        time.sleep(0.01)


def _truth(project: Project, wire: Wire) -> Iterator[Row]:
    """How many tasks are counted otherwise than they were written, over all forms."""
    found = {
        form: wire.call("tasks/list", {"limit": 1, "form": form, "project": str(project.root)})["total"]
        for form in project.tasks
    }
    recovered = wire.call("documents/list", {"limit": 1, "problems": True, "project": str(project.root)})["total"]
    wrong = sum(abs(found[form] - count) for form, count in project.tasks.items()) + abs(recovered - project.broken)
    counts = ", ".join(f"{count:,} {form}" for form, count in sorted(found.items()))
    yield Row("plans, counted wrong", wrong, "", 0, note=f"{counts}; {recovered} files repaired")


def _lists(wire: Wire) -> Iterator[Row]:
    """Round trips of what a screen of plans needs. Questions that differ get no kept answer."""
    times, size = trips(wire, lambda: FEATURES_PAGE, 1000)
    yield _trip("features 50, p50", times, 3, size, FEATURES_PAGE)
    for name, method, sorts, target in (
        ("features 50, not kept, p50", "features/list", typing.get_args(FeatureSort), 3),
        ("tasks 50, not kept, p50", "tasks/list", typing.get_args(TaskSort), None),
    ):
        asked = itertools.product(range(20), sorts, ("asc", "desc"))
        requests = [frame(method, {"limit": 50, "offset": at, "sort": sort, "order": way}) for at, sort, way in asked]
        times = [wire.roundtrip(request)[0] for request in requests]
        yield _trip(name, times, target, wire.roundtrip(requests[0])[1], requests[0])
    ids = [item["id"] for item in wire.call("features/list", {"limit": 500})["items"]]
    requests = [frame("features/get", {"id": id}) for id in ids]
    answers = [wire.roundtrip(request) for request in requests]
    size = sum(size for _, size in answers) // len(answers)
    yield _trip("feature, not kept, p50", [seconds for seconds, _ in answers], None, size, requests[0])


def _trip(name: str, times: list[float], target: float | None, size: int, request: bytes) -> Row:
    limit = Limit(BARE, limits.echo_roundtrip(request, size, runs=300)[0] * MS)
    note = f"p99 {percentile(times, 0.99) * MS:.1f} ms, answer of {size / 1000:.0f} KB"
    return Row(name, percentile(times, 0.5) * MS, "ms", target, limit, note=note)


def _edits(wire: Wire) -> Iterator[Row]:
    """Set the status of tasks: what would change, then the change itself, until it is in the cache."""
    previews, applied = [], []
    tasks = wire.call("tasks/list", {"limit": TIMES, "form": "list", "status": ["todo"], "recovered": False})["items"]
    for task in tasks:
        wanted = {"id": task["id"], "status": "in_progress", "counters": True}
        began = time.perf_counter()
        files = wire.call("tasks/setStatus", wanted)["files"]
        previewed = time.perf_counter()
        wire.call("tasks/setStatus", wanted | {"apply": True, "hashes": {file["path"]: file["hash"] for file in files}})
        previews.append(previewed - began)
        applied.append(time.perf_counter() - previewed)
    yield Row("set status, preview, p50", percentile(previews, 0.5) * MS, "ms")
    yield Row("set status, apply, p50", percentile(applied, 0.5) * MS, "ms", note=f"{len(tasks)} edits; written with fsync")


def _changes(project: Project, daemon: Daemon, wire: Wire) -> Iterator[Row]:
    """From the write of a file to the notification at a subscriber, in place and by another file that takes its name."""
    with daemon.connect() as listener:
        listener.call("ccdash/subscribe", {"topics": ["documents"]})
        for name, rename in (("in place", False), ("renamed over", True)):
            times = [_changed(path, listener, rename) for path in (project.progress * TIMES)[:TIMES]]
            lost = sum(map(math.isnan, times))
            note = f"{len(times)} changes" + (f", {lost} NEVER ANNOUNCED" if lost else "")
            heard = [seconds for seconds in times if not math.isnan(seconds)]
            yield Row(f"changed file, {name}, p50", percentile(heard, 0.5) * MS, "ms", 50, note=note)
            yield Row(f"changed file, {name}, p99", percentile(heard, 0.99) * MS, "ms")


def _changed(path: Path, listener: Wire, rename: bool) -> float:
    """Seconds until the change of one file is told; NaN when that does not happen."""
    data = path.read_bytes()
    status = b"review" if b"\nstatus: review\n" not in data else b"active"
    head, _, rest = data.partition(b"\nstatus: ")
    changed = head + b"\nstatus: " + status + b"\n" + rest.partition(b"\n")[2]
    # What was told of the change before is over once the daemon is quiet for a moment.
    while listener.notification(0.05) is not None:
        pass
    began = time.perf_counter()
    projects.change(path, changed, rename=rename)
    while (message := listener.notification(max(0.0, began + PATIENCE - time.perf_counter()))) is not None:
        if any(change["id"].endswith(path.parts[-2] + "/" + path.name) for change in message["params"]["changes"]):
            return time.perf_counter() - began
    return math.nan
