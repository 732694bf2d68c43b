"""``python -m ccdash.demo --preset NAME HOME``: write a generated corpus, for profiling and for trying things out."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from ccdash.demo import PRESETS, generate_preset
from ccdash.demo.clock import DEFAULT_NOW


def main(argv: list[str] | None = None) -> int:
    """Returns 0, or 1 when `HOME` cannot be written."""
    parser = argparse.ArgumentParser(prog="python -m ccdash.demo", description="Write generated agent logs.")
    parser.add_argument("home", type=Path, help="folder that will hold .claude/projects")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="demo")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", action="store_true", help="add one session per kind of damage")
    parser.add_argument("--now", action="store_true", help="let history end at the present, not at a fixed day")
    parser.add_argument(
        "--work", type=Path, metavar="FOLDER", help="write the projects of the preset demo here, with plans"
    )
    parser.add_argument("--truth", type=Path, metavar="FILE", help="write the truth about the logs as JSON")
    args = parser.parse_args(argv)
    now = int(time.time() * 1000) if args.now else DEFAULT_NOW
    began = time.monotonic()
    try:
        summary = generate_preset(
            args.home, PRESETS[args.preset], seed=args.seed, faults=args.faults, now=now, work=args.work
        )
        if args.truth is not None:
            args.truth.write_text(summary.to_json(), encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"cannot write the logs: {error}\n")
        return 1
    sys.stdout.write(
        f"{len(summary.sessions)} sessions, {len(summary.agents)} sub-agents, {summary.files} files, "
        f"{summary.records} records, {summary.bytes / 1e6:.0f} MB in {time.monotonic() - began:.1f} s\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
