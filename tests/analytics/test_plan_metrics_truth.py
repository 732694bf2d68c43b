"""Tasks of a real project over time, against a count by lines of its files that shares nothing with the readers."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from ccdashd.analytics.progress import Plans, value
from ccdashd.derive.periods import ALL, Range, midnight
from ccdashd.settings import Settings
from ccdashd.sources.planning import documents as reader
from ccdashd.sources.planning.places import Places
from tests.store.plans import PROJECT, cache, file, write

pytestmark = pytest.mark.corpus

CORPUS = os.environ.get("CCDASH_CORPUS")
DONE = {"completed", "complete", "deviated"}
DATES = ("completed", "completed_at", "completed_date", "completion_date")
MONTHS = [date(2025 + month // 12, month % 12 + 1, 1) for month in range(24)]


@pytest.fixture(scope="module")
def root() -> Path:
    if not CORPUS:
        pytest.skip("CCDASH_CORPUS names no folder")
    return Path(CORPUS, "skillmeat")


def fields(lines: list[str]) -> dict[str, str]:
    pairs = [pair for line in lines for pair in FLOW.findall(line) or FIELD.findall(line)]
    return {key: value.partition(" #")[0].strip().strip("\"'") for key, value in reversed(pairs)}


FIELD = re.compile(r"^\s*(?:- )?(\w+):\s*(.*)")
FLOW = re.compile(r"(?<=[{,]) ?(\w+): ?([^,}]+)(?=.*}$)")


def tasks(lines: list[str]) -> Iterator[dict[str, str]]:
    """The items of the list ``tasks:``, whose fields are indented by two more than their dash."""
    for n, line in enumerate(lines):
        if line.rstrip() == "tasks:":
            rest = lines[n + 1 :]
            rest = rest[: next((n for n, line in enumerate(rest) if re.match(r"\w+:", line)), len(rest))]
            dash = next((found[0] for line in rest if (found := re.match(" *- ", line))), "no list")
            starts = [n for n, line in enumerate(rest) if line.startswith(dash)]
            for start, stop in pairwise([*starts, len(rest)]):
                inner = " " * len(dash)
                yield fields([rest[start], *(row for row in rest[start + 1 : stop] if re.match(rf"{inner}\w", row))])


def month(written: str) -> str:
    """The month of UTC; all times of these files have an offset."""
    if not re.match(r"\d{4}-\d\d-\d\d", written):
        return ""
    return written[:7] if len(written) == 10 else f"{datetime.fromisoformat(written).astimezone(UTC):%Y-%m}"


def test_tasks_of_lists_by_the_month_in_which_they_were_done(root: Path) -> None:
    expected: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for path in root.rglob("*.md"):
        if not path.is_file() or "templates" in path.parts:
            continue
        head = re.match(r"---\n(.*?)\n---", path.read_text(errors="replace"), re.DOTALL)
        lines = head[1].splitlines() if head else []
        top = fields([line for line in lines if re.match(r"\w", line)])
        for task in tasks(lines):
            counts[task.get("status", "")] += 1
            if task.get("status") in DONE:
                own, of_file = (next((m for key in DATES if (m := month(of.get(key, "")))), "") for of in (task, top))
                expected[own or (of_file if top.get("status") in DONE else "")] += 1
    places = Places(Settings().planning_folders)
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.md") if path.is_file())
    files = [file(reader.read(path, (root / path).read_bytes())) for path in paths if places.accepts(path)]
    for each in files:
        assert each.document is not None
        each.document.tasks = [task for task in each.document.tasks if task.form == "list"]
    with cache() as connection:
        write(connection, files)
        (part,) = Plans(connection, [PROJECT], UTC, date(2026, 12, 1)).projects.values()
    starts = [midnight(first, UTC) for first in MONTHS]
    found = {f"{first:%Y-%m}": part.done(Range(*ends)) for first, ends in zip(MONTHS, pairwise(starts), strict=False)}
    found[""] = part.undated
    assert {key: number for key, number in found.items() if number} == expected
    done = sum(expected.values())
    assert (done, sum(expected.values()) - expected[""]) == (2277, 660)
    assert value("tasksDone", [part], ALL) == done
    left = sum(counts[word] for word in ("pending", "in-progress", "in_progress", "partial"))
    assert (counts["deferred"], left) == (23, 625)
    assert value("taskCompletion", [part], ALL) == done / (done + left)
