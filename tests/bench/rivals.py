"""Other tools that count usage of the same logs, installed and run: what they say, how long they take, and why they say
something else.

Each difference is named as a rule. The rules are applied to what an independent reader finds in the logs
(`tests.e2e.oracle`), and the outcome must be the tool's own figures, to the last token and millionth of a dollar: so a
difference that is not understood shows. The tools are fetched from their registries into a folder that is thrown away;
after that they run without a network, where the system can do so, and only read the logs.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, NamedTuple

from tests.e2e.oracle import KINDS, Message, day

MICRO = Decimal("0.000001")
INSTALLING = 300.0
RUNNING = 900.0
"""Seconds after which a tool that is not done has failed."""

Figures = tuple[int, int, int, int, Decimal]
"""Tokens by kind, and US dollars."""
Parts = dict[str, Figures]
"""By day, or by the beginning of a window."""
Groups = Mapping[str, Sequence[Message]]


@dataclass(frozen=True)
class Rule:
    """Which messages a tool leaves out."""

    text: str
    leaves_out: Callable[[Message], bool]


@dataclass(frozen=True)
class Question:
    """Something that a tool can be asked."""

    name: str
    arguments: tuple[str, ...]
    read: Callable[[Any], Parts]
    """From the JSON of its answer."""
    group: Callable[[Iterable[Message]], Groups]
    """What the parts are made of."""
    rules: tuple[Rule, ...] = ()
    note: str = ""
    """How its groups differ from those of the truth."""


@dataclass(frozen=True)
class Rival:
    """A tool at the version whose rules are known."""

    name: str
    install: Callable[[Path], list[str]]
    """Into a folder; the beginning of its command."""
    prepare: tuple[str, ...]
    """Arguments of what must be run once, as its index; empty where there is none."""
    questions: tuple[Question, ...]
    environ: Callable[[Path, Path], dict[str, str]]
    """From the home folder of the logs and a folder of its own."""
    per_message: bool = False
    """Whether it rounds the cost of each message to a millionth, and not the sum."""


class Answer(NamedTuple):
    """What a tool said to a question, and after how many seconds."""

    question: Question
    seconds: float
    parts: Parts


class NotInstallable(Exception):
    """A tool cannot be had here; the text says why."""


def run(rival: Rival, home: Path, folder: Path) -> tuple[float, list[Answer]]:
    """Install a tool and ask it all its questions; seconds that it took to prepare itself, NaN where it does not, and the
    answers. Raises `NotInstallable`, or `RuntimeError` when it fails."""
    command = [*_alone(), *rival.install(folder)]
    own = folder / "home"
    own.mkdir()
    environ = {"PATH": os.environ["PATH"], "HOME": str(own), "TZ": "UTC", "DO_NOT_TRACK": "1"}
    environ |= rival.environ(home, folder)
    prepared = _timed([*command, *rival.prepare], environ)[0] if rival.prepare else math.nan
    answers = []
    for question in rival.questions:
        said = [_timed([*command, *question.arguments], environ) for _ in range(3)]
        seconds, text = min(said, key=lambda one: one[0])
        answers.append(Answer(question, seconds, question.read(json.loads(text))))
    return prepared, answers


def by_rules(groups: Groups, rules: Iterable[Rule] = (), *, per_message: bool = False) -> Parts:
    """What a tool with these rules says of each group; without any the truth."""
    kept = {
        name: [one for one in group if not any(rule.leaves_out(one) for rule in rules)] for name, group in groups.items()
    }
    return {name: _figures(group, per_message) for name, group in kept.items() if group}


def unexplained(theirs: Parts, ruled: Parts) -> list[str]:
    """Where a tool says something that its rules do not; of dollars to half a millionth, since some tools print binary
    fractions."""
    empty: Figures = (0, 0, 0, 0, Decimal(0))
    wrong = []
    for name in sorted(theirs.keys() | ruled.keys()):
        one, other = theirs.get(name, empty), ruled.get(name, empty)
        if one[:4] != other[:4] or abs(one[4] - other[4]) > MICRO / 2:
            wrong.append(f"{name}: {one}, by its rules {other}")
    return wrong


def days(messages: Iterable[Message]) -> Groups:
    """By day in UTC, of the first record of each message."""
    return _by_day((message.time, message) for message in messages)


def last_days(messages: Iterable[Message]) -> Groups:
    """By day in UTC, of the record that tells the most of each message, mostly its last."""
    return _by_day((message.told, message) for message in messages)


def _by_day(messages: Iterable[tuple[datetime | None, Message]]) -> Groups:
    found: defaultdict[str, list[Message]] = defaultdict(list)
    for at, message in messages:
        if at is not None:
            found[day(at, "UTC")].append(message)
    return found


def windows(messages: Iterable[Message]) -> Groups:
    """By the beginning of a five-hour window: the full hour of the first message after the last window."""
    timed = sorted(((message.time, message) for message in messages if message.time is not None), key=lambda pair: pair[0])
    found: dict[str, list[Message]] = {}
    start, end = "", datetime.min.replace(tzinfo=UTC)
    for at, message in timed:
        if at >= end:
            hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            start, end = hour.strftime("%Y-%m-%dT%H"), hour + timedelta(hours=5)
        found.setdefault(start, []).append(message)
    return found


def _figures(messages: Iterable[Message], per_message: bool) -> Figures:
    listed = list(messages)
    costs = [message.cost or Decimal(0) for message in listed]
    if per_message:
        costs = [cost.quantize(MICRO, ROUND_HALF_UP) for cost in costs]
    kinds = [sum(message.tokens[kind] for message in listed) for kind in KINDS]
    return kinds[0], kinds[1], kinds[2], kinds[3], sum(costs, Decimal(0))


def _alone() -> list[str]:
    """The beginning of a command that has no network, where the system lets a user do that."""
    probe = ["unshare", "--user", "--map-root-user", "--net"]
    try:
        return probe if subprocess.run([*probe, "true"], capture_output=True, check=False).returncode == 0 else []
    except OSError:
        return []


def _timed(argv: list[str], environ: dict[str, str]) -> tuple[float, str]:
    began = time.perf_counter()
    done = subprocess.run(argv, env=environ, capture_output=True, text=True, timeout=RUNNING, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip()[-500:]}")
    return time.perf_counter() - began, done.stdout


def _fetch(argv: list[str]) -> None:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=INSTALLING, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstallable(f"{argv[0]}: {error}") from None
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise NotInstallable(f"{argv[0]}: {said[-1] if said else 'failed'}")


def _ccusage(folder: Path) -> list[str]:
    # Its program is a package per platform, which npm leaves out without a word where it cannot have it.
    parts = (f"ccusage@{CCUSAGE}", f"@ccusage/ccusage-{_platform()}@{CCUSAGE}")
    _fetch(["npm", "install", "--prefix", str(folder / "npm"), "--no-audit", "--no-fund", *parts])
    return ["node", str(folder / "npm/node_modules/ccusage/src/cli.js")]


def _platform() -> str:
    machine = os.uname()
    return f"{machine.sysname.lower()}-{ {'x86_64': 'x64', 'aarch64': 'arm64'}.get(machine.machine, machine.machine) }"


def _agentsview(folder: Path) -> list[str]:
    _fetch([sys.executable, "-m", "venv", str(folder / "venv")])
    _fetch([str(folder / "venv/bin/pip"), "install", "--quiet", f"agentsview=={AGENTSVIEW}"])
    return [str(folder / "venv/bin/agentsview")]


def _ccusage_days(answer: Any) -> Parts:
    return {
        row["period"]: (
            row["inputTokens"],
            row["outputTokens"],
            row["cacheReadTokens"],
            row["cacheCreationTokens"],
            Decimal(repr(row["totalCost"])),
        )
        for row in answer["daily"]
    }


def _ccusage_windows(answer: Any) -> Parts:
    return {
        row["startTime"][:13]: (
            row["tokenCounts"]["inputTokens"],
            row["tokenCounts"]["outputTokens"],
            row["tokenCounts"]["cacheReadInputTokens"],
            row["tokenCounts"]["cacheCreationInputTokens"],
            Decimal(repr(row["costUSD"])),
        )
        for row in answer["blocks"]
        if not row["isGap"]
    }


def _agentsview_days(answer: Any) -> Parts:
    return {
        row["date"]: (
            row["inputTokens"],
            row["outputTokens"],
            row["cacheReadTokens"],
            row["cacheCreationTokens"],
            Decimal(row["totalCost"]["microdollars"]) * MICRO,
        )
        for row in answer["daily"]
    }


def _beside(message: Message) -> bool:
    path = Path(message.log)
    return path.name.startswith("agent-") and path.parent.parent.name == "projects"


CCUSAGE = "20.0.24"
AGENTSVIEW = "0.46.1"
_CCUSAGE = ("--json", "--offline", "--timezone", "UTC")
_AGENTSVIEW = ("usage", "daily", "--all", "--json", "--offline", "--no-sync", "--timezone", "UTC")

NO_MIRRORS = Rule("leaves out messages that only a parent's progress records tell of", lambda message: message.mirror)
NONE_BESIDE = Rule("leaves out logs of sub-agents that stand beside those of sessions (agents of 2025)", _beside)

RIVALS = (
    Rival(
        name=f"ccusage {CCUSAGE}",
        install=_ccusage,
        prepare=(),
        questions=(
            Question("usage by day", ("daily", *_CCUSAGE), _ccusage_days, days),
            Question("five-hour windows", ("blocks", *_CCUSAGE), _ccusage_windows, windows, (NO_MIRRORS,)),
        ),
        environ=lambda home, folder: {"CLAUDE_CONFIG_DIR": str(home / ".claude")},
    ),
    Rival(
        name=f"agentsview {AGENTSVIEW}",
        install=_agentsview,
        prepare=("sync",),
        questions=(
            Question(
                "usage by day",
                _AGENTSVIEW,
                _agentsview_days,
                last_days,
                (NONE_BESIDE, NO_MIRRORS),
                "dates a message by its last record, not its first",
            ),
        ),
        environ=lambda home, folder: {
            "CLAUDE_PROJECTS_DIR": str(home / ".claude/projects"),
            "AGENTSVIEW_DATA_DIR": str(folder / "data"),
            "AGENTSVIEW_NO_DAEMON": "1",
            "AGENTSVIEW_TELEMETRY_ENABLED": "0",
        },
        per_message=True,
    ),
)
