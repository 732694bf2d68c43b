"""Counters that never fall, whatever becomes of the rows that they are sums of.

Prometheus takes every fall of a counter for a restart at zero, and counts all of it once more. But sums over the rows of
the cache do fall: when sessions are pruned, when the cache is deleted and some logs are gone by then, when a session turns
out to belong to another project. So each series remembers,

    seen     its sum when that was last taken
    carry    what was lost of the sum since it was first told
    held     by how much more was told, at earlier prices, than the sum and the carry are at those of today

and tells all three together. Where nothing was lost and prices never fell, that is the sum itself. They are kept in
``counters.json``, which is on disk before a value is told: a daemon that is killed has told nothing above what the next one
finds there.

Labels are bounded: the first so many projects, models and tools have series of their own, those that come later share one.
Who has a place keeps it, since moving would be a fall.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from ccdashd.edits.seal import is_damaged, seal

Key = tuple[str, ...]
"""Name of a counter, then the values of its labels."""

OTHER: Final = "other"
"""The label of all that have no series of their own."""

UNKNOWN: Final = "unknown"
"""The label of what has no name; an empty one would be as if it were not there."""

PRICED: Final = frozenset({"ccdash_cost_usd_total"})
"""Counters that depend on prices."""

LIMITS: Final = {"project": 50, "model": 50, "tool": 100}
"""How many of each have series of their own."""


class CountersProblem(Exception):
    """The file of counters cannot be read or written. The message says which, why, and what to do."""


class Series(msgspec.Struct, array_like=True):
    """What one series remembers."""

    key: Key
    seen: Annotated[int, Meta(ge=0)] = 0
    carry: Annotated[int, Meta(ge=0)] = 0
    held: Annotated[int, Meta(ge=0)] = 0

    @property
    def value(self) -> int:
        """What is told."""
        return self.seen + self.carry + self.held


class Ledger:
    """Series by key. Values are whole numbers of any size, in the smallest unit of each counter."""

    def __init__(self, series: Iterable[Series] = ()) -> None:
        self._series = {one.key: one for one in series}

    def settle(self, sums: Mapping[Key, int], repriced: Collection[str] = ()) -> bool:
        """Take the sums of now; a series that is not among them is 0. Tells whether anything changed.

        Those of the counters `repriced` are at other prices than those before: what they fall by is not lost, and may come
        back.
        """
        changed = False
        for key in sums.keys() - self._series.keys():
            self._series[key] = Series(key)
            changed = True
        for key, one in self._series.items():
            now = max(sums.get(key, 0), 0)  # damaged logs may tell of less than nothing
            if key[0] in repriced:
                one.held = max(one.value - now - one.carry, 0)
                one.seen = now
            elif now != one.seen:
                one.carry += max(one.seen - now, 0)
                one.seen = now
                changed = True
        return changed

    def restart(self) -> None:
        """What is counted begins at zero again: what was seen is what came before."""
        for one in self._series.values():
            one.carry += one.seen
            one.seen = 0

    def values(self) -> dict[Key, int]:
        """The value of each series."""
        return {key: one.value for key, one in self._series.items()}

    def series(self) -> list[Series]:
        """All of it, to be kept."""
        return list(self._series.values())


class _State(msgspec.Struct, forbid_unknown_fields=True):
    """What is in the file."""

    version: Literal[1] = 1
    members: dict[str, list[str]] = {}
    """By label: whose series are told apart, in the order in which they came."""
    names: dict[str, list[str]] = {}
    """By project: the names that it was told under, the last one last."""
    prices: str = ""
    """Those that `rows` are told at."""
    rows: list[Series] = []
    lives: list[Series] = []
    sum: str = ""
    """The checksum, as lines of the journal have it."""


class Counters:
    """The counters of one profile. Blocking; for one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Begin with what is in the file. Raises `CountersProblem` where it cannot be read; a file that is damaged is moved
        aside, and `damage` says so."""
        self.path = path
        self.damage: str | None = None
        """What was wrong with the file, in plain words."""
        state = self._load()
        self._members = {label: dict.fromkeys(state.members.get(label, ())) for label in LIMITS}
        self._names = state.names
        self._owners = {name: project for project, names in state.names.items() for name in names}
        self._prices = state.prices
        self.rows = Ledger(state.rows)
        """Sums over rows of the cache."""
        self.lives = Ledger(state.lives)
        """What is counted from the start of a daemon, over all of its lives."""
        self.lives.restart()
        self._unsaved = False

    def admit(self, label: str, ranked: Iterable[str]) -> None:
        """Give places to those that have none, the first of `ranked` first, as long as there are any."""
        members = self._members[label]
        for value in ranked:
            if len(members) >= LIMITS[label]:
                return
            if value not in members:
                members[value] = None
                self._unsaved = True

    def place(self, label: str, value: str) -> str:
        """The value that a series is kept under: itself, or `OTHER`."""
        return value if value in self._members[label] else OTHER

    def members(self, label: str) -> tuple[str, ...]:
        """Those that have series of their own, in the order in which they came."""
        return tuple(self._members[label])

    def name(self, project: str, wanted: str | None) -> str:
        """The name that a project is told under: `wanted`, unless that is, or was, the name of another one; the last one
        where `wanted` is None."""
        told = self._names.setdefault(project, [])
        if wanted is None and told:
            return told[-1]
        name = wanted = wanted or UNKNOWN
        number = 1
        while name == OTHER or self._owners.get(name, project) != project:
            number += 1
            name = f"{wanted}-{number}"
        if told[-1:] != [name]:
            told[:] = [*(other for other in told if other != name), name]
            self._owners[name] = project
            self._unsaved = True
        return name

    def settle(self, rows: Mapping[Key, int] | None, lives: Mapping[Key, int], prices: str = "") -> None:
        """Take the sums of now; those over rows at `prices`. None where they cannot be taken: then their counters stay."""
        if rows is not None:
            changed = prices != self._prices
            self._unsaved |= self.rows.settle(rows, PRICED if changed else ()) or changed
            self._prices = prices
        self._unsaved |= self.lives.settle(lives)

    def save(self) -> None:
        """Bring what changed to disk. Raises `CountersProblem`; it is tried again with the next call then."""
        if not self._unsaved:
            return
        state = _State(
            members={label: list(members) for label, members in self._members.items()},
            names=self._names,
            prices=self._prices,
            rows=self.rows.series(),
            lives=self.lives.series(),
        )
        # Not by msgspec, whose integers end at 64 bits: sums in picodollars need not.
        built = msgspec.to_builtins(state)
        del built["sum"]
        data = seal(json.dumps(built, separators=(",", ":")).encode())
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(self.path, data, mode=0o600)
        except OSError as error:
            raise CountersProblem(
                f"{self.path} cannot be written: {error.strerror or error}; counters of metrics may fall after a restart"
            ) from error
        self._unsaved = False

    def _load(self) -> _State:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return _State()
        except OSError as error:
            raise CountersProblem(f"{self.path} cannot be read: {error.strerror or error}") from error
        try:
            return _decode(data)
        except ValueError as error:
            aside = move_aside(self.path)
            self.damage = (
                f"{self.path} was damaged ({error}); it is kept as {aside.name}, and counters of metrics begin anew"
            )
            return _State()


def _decode(data: bytes) -> _State:
    """Raises ValueError."""
    if is_damaged(data):
        raise ValueError("its checksum does not fit")
    try:
        return msgspec.convert(json.loads(data), _State)
    except RecursionError as error:
        raise ValueError(str(error)) from error


def damage(path: Path) -> str | None:
    """What is wrong with the file of counters at `path`, in words; None where nothing is, or there is none."""
    try:
        _decode(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"it cannot be read: {error.strerror or error}"
    except ValueError as error:
        return f"it is damaged: {error}"
    return None


def move_aside(path: Path) -> Path:
    """Give a damaged file another name, which is returned; it stays where that cannot be done."""
    aside = path.with_name(f"{path.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    with suppress(OSError):
        path.rename(aside)
    return aside


def write_whole(path: Path, data: bytes, *, mode: int) -> None:
    """Put a file with these bytes and mode bits at `path`, such that a reader, or a crash, finds the old or the new one.

    Raises OSError.
    """
    # Not ending in that of `path`: who collects files by their names must not find it.
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(
            os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600), "wb"
        ) as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.rename(beside, path)
    except OSError:
        with suppress(OSError):
            beside.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # some network file systems know no such thing
            os.fsync(folder)
    finally:
        os.close(folder)
