"""A deep search over several processes: what comes of it is as if one had done it, and nothing of it stays."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest

from ccdashd.protocol import types as t
from ccdashd.search import deep
from ccdashd.search.deep import Outcome
from ccdashd.search.deep_worker import Match
from ccdashd.store.deep import Log
from tests.helpers import PATIENCE

T = TypeVar("T")


class Found:
    """Takes what a search finds."""

    def __init__(self, wait: Callable[[], Awaitable[None]] | None = None) -> None:
        self.matches: list[tuple[str, int]] = []
        self.told: list[Outcome] = []
        self._wait = wait

    async def take(self, log: Log, matches: list[Match]) -> None:
        self.matches += [(Path(log.path).name, match.line) for match in matches]
        if self._wait is not None:
            await self._wait()

    async def search(self, logs: Iterable[Log], workers: int = 3, **params: Any) -> Outcome:
        wanted = msgspec.convert({"pattern": "needle", "limit": 1000} | params, t.DeepSearchParams)
        return await deep.search(
            list(logs), wanted, archive="/nowhere", workers=workers, take=self.take, tell=self.told.append
        )


def run(work: Awaitable[T]) -> T:
    async def bounded() -> T:
        return await asyncio.wait_for(work, PATIENCE)

    return asyncio.run(bounded())


@pytest.fixture(autouse=True)
def many_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deep, "SHARE", 1)


@pytest.fixture
def logs(tmp_path: Path) -> list[Log]:
    """Logs of very different sizes, with a needle on every seventh line."""
    found = []
    for number in range(20):
        path = tmp_path / f"{number:02}.jsonl"
        count = 20_000 if number in (0, 11) else 5 * number
        path.write_text("".join("a needle\n" if line % 7 == 3 else "some hay here\n" for line in range(count)))
        found.append(Log(number, str(path), path.stat().st_size, gone=False, session_id=None))
    return found


def expected(logs: Iterable[Log]) -> list[tuple[str, int]]:
    return [
        (Path(log.path).name, number)
        for log in logs
        for number, line in enumerate(Path(log.path).read_text().splitlines(), 1)
        if "needle" in line
    ]


def children() -> set[str]:
    """Processes that were started since these tests began."""
    return set(re.findall(r"\d+", Path(f"/proc/self/task/{os.getpid()}/children").read_text())) - OTHERS


OTHERS: set[str] = set()


@pytest.fixture(autouse=True)
def others() -> Iterator[None]:
    """What other tests of this process left behind is not looked at."""
    OTHERS.update(children())
    yield
    OTHERS.clear()


@pytest.mark.parametrize("workers", [1, 3])
def test_matches_come_in_the_order_of_the_logs(logs: list[Log], workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deep, "AHEAD", 10)
    found = Found()
    outcome = run(found.search(logs, workers, limit=10_000))
    assert found.matches == expected(logs)
    assert outcome == Outcome(
        found=len(found.matches), stopped=False, files=20, bytes=sum(log.size for log in logs), skipped=0, problems=[]
    )
    assert not children()


def test_the_first_matches_are_those_of_the_first_logs(logs: list[Log]) -> None:
    found = Found()
    outcome = run(found.search(reversed(logs), limit=150))
    assert found.matches == expected(reversed(logs))[:150]
    assert (outcome.found, outcome.stopped) == (150, True)
    assert not children()


def test_every_log_is_in_one_share(logs: list[Log]) -> None:
    shares = deep._shares(logs, 3)
    assert sorted(number for share in shares for number in share) == list(range(20))
    assert all(share == sorted(share) for share in shares)
    loads = [sum(logs[number].size for number in share) for share in shares]
    assert max(loads) - min(loads) <= max(log.size for log in logs)
    assert len(deep._shares(logs[:1], 3)) == 1


def test_without_logs_nothing_is_started() -> None:
    assert run(Found().search([])) == Outcome()


def test_cancelling_ends_the_processes(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("needle\n" + "a" * 60 + "\n")
    log = Log(1, str(path), path.stat().st_size, gone=False, session_id=None)

    async def cancelled() -> None:
        task = asyncio.create_task(Found().search([log, log], pattern="(a+)+b", regex=True))
        while len(children()) < 2:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(cancelled())
    assert not children()


def test_what_fails_to_take_matches_ends_the_search(logs: list[Log]) -> None:
    async def fail() -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        run(Found(fail).search(logs))
    assert not children()


def test_a_process_that_dies_is_told_and_what_others_find_stays(tmp_path: Path) -> None:
    logs = []
    for number, text in enumerate(("needle\n", "a" * 60 + "\n", "needle\n")):
        path = tmp_path / f"{number}.jsonl"
        path.write_text(text)
        logs.append(Log(number, str(path), path.stat().st_size, gone=False, session_id=None))

    async def kill() -> None:
        while len(children()) > 1:
            await asyncio.sleep(0.005)
        for child in children():
            os.kill(int(child), signal.SIGKILL)

    found = Found(kill)
    outcome = run(found.search(logs, pattern="(a+)+b|needle", regex=True))
    assert found.matches == [("0.jsonl", 1), ("2.jsonl", 1)]
    assert (outcome.files, outcome.skipped) == (2, 1)
    (problem,) = outcome.problems
    assert problem.problem == "1 log was not searched to its end: the process ended with exit code -9"


def test_of_many_problems_the_first_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deep, "PROBLEMS", 2)
    logs = [Log(number, str(tmp_path / f"{number}.jsonl"), 0, gone=True, session_id=None) for number in range(5)]
    outcome = run(Found().search(logs, workers=1, archived=False))
    assert outcome.skipped == 5
    assert [(problem.part, problem.problem) for problem in outcome.problems] == [
        (str(tmp_path / "0.jsonl"), "the log is gone"),
        (str(tmp_path / "1.jsonl"), "the log is gone"),
        ("search", "3 more logs could not be read"),
    ]
