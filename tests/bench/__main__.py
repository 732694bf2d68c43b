"""``python -m tests.bench``: start the real daemon over generated logs and measure what the issue asks for."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from ccdash.demo import PRESETS
from tests.bench import measures
from tests.bench.analytics import analytics, compared
from tests.bench.corpora import prepare
from tests.bench.daemon import Daemon
from tests.bench.editors import editors
from tests.bench.peers import SOURCE
from tests.bench.plans import plans
from tests.bench.report import Row, table
from tests.bench.search import archive, search

MEASURES: dict[str, measures.Measure] = {
    **measures.MEASURES,
    "plans": plans,
    "analytics": analytics,
    "editors": editors,
    "search": search,
    "archive": archive,
    "rivals": compared,
}
"""Every group of rows, in the order in which they run."""
ON_REQUEST = frozenset({"rivals"})
"""Groups that only run when they are named: they fetch other tools from registries, and take minutes."""


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure the daemon over generated logs.")
    parser.add_argument("--sizes", default="small,seed", help="comma-separated: small, seed, many (default: small,seed)")
    parser.add_argument("--only", action="append", choices=list(MEASURES), help="only this group; may be repeated")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep generated logs here, and use those that are there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON too")
    args = parser.parse_args(argv)
    args.sizes = args.sizes.split(",")
    for size in args.sizes:
        if size not in PRESETS:
            parser.error(f"no size {size!r}; there are {', '.join(sorted(PRESETS))}")
    return args


def run(size: str, folder: Path, only: list[str] | None, failed: list[str]) -> list[Row]:
    """Measure one size. Groups but `cold` need an index, which is made unmeasured when `cold` is left out.

    The names of groups that could not be measured are added to `failed`.
    """
    bench = prepare(size, folder)
    rows: list[Row] = []
    with Daemon(bench.home) as daemon:
        if only and "cold" not in only:
            daemon.start()
            daemon.settle()
        for name, measure in MEASURES.items():
            if name not in (only or MEASURES.keys() - ON_REQUEST):
                continue
            sys.stderr.write(f"{time.strftime('%H:%M:%S')} {size}: {name}\n")
            try:
                rows += measure(bench, daemon)
            except (OSError, RuntimeError) as error:
                # One part that fails must not hide what the others reach.
                sys.stderr.write(f"{size}: {name} FAILED: {error}\n{daemon.log_tail()}\n")
                failed.append(f"{size}: {name}")
    return rows


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 1 when something could not be measured; figures are printed, not judged."""
    args = arguments(argv)
    # So that a bench that is ended ends its daemon, and puts back the logs that it appended to.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    results: dict[str, list[Row]] = {}
    failed: list[str] = []
    with ExitStack() as stack:
        folder = args.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ccdash-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        for size in args.sizes:
            results[size] = run(size, folder, args.only, failed)
    cores = len(os.sched_getaffinity(0))
    print(f"{cores} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}")
    for size, rows in results.items():
        print(f"\n== {size} ==\n{table(rows, peers=size == 'seed')}")
    print(f"\nPeers: {SOURCE}.")
    if args.json is not None:
        figures = [row.as_json(size) for size, rows in results.items() for row in rows]
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if failed:
        print(f"NOT MEASURED: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
