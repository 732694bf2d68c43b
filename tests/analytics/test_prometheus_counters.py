"""Counters never fall, whatever happens to rows, daemons and files; and are exact where nothing was lost."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ccdashd.analytics import counters
from ccdashd.analytics.counters import LIMITS, OTHER, Counters, CountersProblem, Key, Ledger, write_whole

KEYS = st.sampled_from([("cost", "a"), ("cost", "b"), ("tokens", "a", "input")])
AMOUNTS = st.integers(0, 10**25)
SUMS = st.dictionaries(KEYS, AMOUNTS)


@given(st.lists(SUMS))
def test_no_series_falls_or_vanishes_whatever_the_sums_are(takes: list[dict[Key, int]]) -> None:
    ledger, told = Ledger(), dict[Key, int]()
    for sums in takes:
        ledger.settle(sums)
        values = ledger.values()
        assert told.keys() <= values.keys()
        assert all(values[key] >= value for key, value in told.items())
        assert all(values[key] >= value for key, value in sums.items())
        told = values


@given(st.lists(st.tuples(SUMS, st.booleans())))
def test_no_series_falls_when_prices_change(takes: list[tuple[dict[Key, int], bool]]) -> None:
    ledger, told = Ledger(), dict[Key, int]()
    for sums, repriced in takes:
        ledger.settle(sums, ("cost",) if repriced else ())
        values = ledger.values()
        assert all(values[key] >= value for key, value in (*told.items(), *sums.items()))
        told = values


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)
def test_what_prices_did_they_can_undo(dear: int, cheap: int, more: int, lost: int) -> None:
    dear, cheap = max(dear, cheap), min(dear, cheap)
    key, ledger = ("cost", "a"), Ledger()
    ledger.settle({key: dear + lost})
    ledger.settle({key: dear})
    ledger.settle({key: cheap}, ("cost",))
    assert ledger.values()[key] == dear + lost
    ledger.settle({key: cheap + more})
    assert ledger.values()[key] == dear + lost + more, "what comes later counts at once"
    ledger.settle({key: dear + more}, ("cost",))
    assert ledger.values()[key] == dear + lost + more
    ledger.settle({key: 2 * dear + more}, ("cost",))
    assert ledger.values()[key] == 2 * dear + lost + more, "and nothing twice"


@given(st.lists(st.tuples(KEYS, st.integers(0, 10**20))))
def test_where_nothing_is_lost_the_value_is_the_sum(growth: list[tuple[Key, int]]) -> None:
    ledger, sums = Ledger(), dict[Key, int]()
    for key, more in growth:
        sums[key] = sums.get(key, 0) + more
        ledger.settle(sums)
        assert ledger.values() == sums


@given(st.lists(SUMS, min_size=1))
def test_the_value_is_all_that_was_ever_added(takes: list[dict[Key, int]]) -> None:
    ledger, before, added = Ledger(), dict[Key, int](), dict[Key, int]()
    for sums in takes:
        ledger.settle(sums)
        for key in before.keys() | sums.keys():
            added[key] = added.get(key, 0) + max(sums.get(key, 0) - before.get(key, 0), 0)
        before = sums
    assert ledger.values() == added


def test_only_a_change_is_one() -> None:
    ledger = Ledger()
    assert ledger.settle({("cost",): 0})
    assert not ledger.settle({("cost",): 0})
    assert ledger.settle({}) is False
    assert ledger.settle({("cost",): 1})
    assert ledger.settle({})


class Machine(RuleBasedStateMachine):
    """Rows that grow, are pruned and held; daemons that end in order, are killed, and begin anew."""

    folder: Path

    @initialize()
    def begin(self) -> None:
        self.path = self.folder / "counters.json"
        self.path.unlink(missing_ok=True)
        self.rows: dict[Key, int] = {}
        self.work = self.told_work = self.earlier = 0
        """What this daemon counted since its start, what it told of that, and what all before it told."""
        self.lost = False
        self.told: dict[Key, int] = {}
        self.counters = Counters(self.path)

    @rule(key=KEYS, amount=AMOUNTS)
    def grow(self, key: Key, amount: int) -> None:
        self.rows[key] = self.rows.get(key, 0) + amount

    @rule(key=KEYS, keep=st.floats(0, 1))
    def prune(self, key: Key, keep: float) -> None:
        if key in self.rows:
            self.rows[key] = int(self.rows[key] * keep)
            self.lost = True

    @rule(amount=st.integers(0, 10**6))
    def count(self, amount: int) -> None:
        self.work += amount

    @rule(settled=st.booleans())
    def tell(self, settled: bool) -> None:
        self.counters.settle(self.rows if settled else None, {("rows",): self.work})
        self.counters.save()
        values = self.counters.rows.values() | self.counters.lives.values()
        assert self.told.keys() <= values.keys()
        assert all(values[key] >= value for key, value in self.told.items())
        assert values["rows",] == self.earlier + self.work
        self.told_work = self.work
        if settled and not self.lost:
            assert self.counters.rows.values() == self.rows
        self.told = values

    @rule()
    def settle_without_telling(self) -> None:
        """A daemon that is killed between taking sums and having them on disk told nobody of them."""
        self.counters.settle(self.rows, {("rows",): self.work})

    @rule()
    def killed(self) -> None:
        self.earlier += self.told_work
        self.work = self.told_work = 0
        self.counters = Counters(self.path)

    @invariant()
    def whole(self) -> None:
        assert self.counters.damage is None


def test_no_life_of_a_daemon_falls_behind_what_another_one_told(tmp_path: Path) -> None:
    Machine.folder = tmp_path
    run_state_machine_as_test(Machine, settings=settings(max_examples=60, stateful_step_count=25, deadline=None))


@pytest.mark.parametrize("second", [0, 3, 5, 8])
def test_what_each_life_counts_adds_up(tmp_path: Path, second: int) -> None:
    for counted, told in ((5, 5), (second, 5 + second)):
        counters = Counters(tmp_path / "counters.json")
        counters.settle(None, {("rows",): counted})
        counters.save()
        assert counters.lives.values() == {("rows",): told}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from([f"tool-{n}" for n in range(LIMITS["tool"] + 20)]), max_size=40), max_size=6))
def test_who_has_a_place_keeps_it(tmp_path: Path, arrivals: list[list[str]]) -> None:
    path = tmp_path / "counters.json"
    path.unlink(missing_ok=True)
    places: dict[str, str] = {}
    for ranked in arrivals:
        known = Counters(path)
        known.admit("tool", ranked)
        for value in ranked:
            place = known.place("tool", value)
            assert place in (value, OTHER)
            assert places.setdefault(value, place) == place
        assert len(known.members("tool")) <= LIMITS["tool"]
        known.save()


def test_the_first_of_a_rank_get_the_last_places(tmp_path: Path) -> None:
    known = Counters(tmp_path / "counters.json")
    models = [f"m{n}" for n in range(LIMITS["model"] + 1)]
    known.admit("model", models)
    assert known.place("model", models[-2]) == models[-2]
    assert known.place("model", models[-1]) == OTHER


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["shop", "till", "shop-2", OTHER])), max_size=6))
def test_a_name_is_never_that_of_two_projects(tmp_path: Path, renamed: list[tuple[str, str]]) -> None:
    path = tmp_path / "counters.json"
    path.unlink(missing_ok=True)
    owners: dict[str, str] = {}
    for project, wanted in renamed:
        known = Counters(path)
        name = known.name(project, wanted)
        assert name == known.name(project, wanted)
        assert name != OTHER
        assert owners.setdefault(name, project) == project
        assert name == wanted or name.startswith(wanted)
        known.save()


def test_a_name_that_is_free_is_taken_as_it_is(tmp_path: Path) -> None:
    known = Counters(tmp_path / "counters.json")
    assert [known.name("a", "shop"), known.name("b", "shop"), known.name("a", "till"), known.name("a", "shop")] == [
        "shop",
        "shop-2",
        "till",
        "shop",
    ]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"\xff",
        b'{"version":2}',
        b'{"version":1,"rows":[[["cost"],-1,0]]}',
        b'{"version":1,"rows":[[["cost"],1.5,0]]}',
        b'{"version":1,"rows":',
        b"[" * 100_000,
    ],
)
def test_a_damaged_file_is_moved_aside(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "counters.json"
    path.write_bytes(data)
    known = Counters(path)
    assert known.damage is not None
    assert str(path) in known.damage
    (kept,) = tmp_path.glob("counters.json.damaged-*")
    assert kept.read_bytes() == data
    known.settle({("cost",): 1}, {})
    known.save()
    assert Counters(path).rows.values() == {("cost",): 1}


def test_the_file_is_private_and_in_a_folder_of_its_own(tmp_path: Path) -> None:
    known = Counters(tmp_path / "data" / "counters.json")
    known.settle({("cost", "\udc80\n"): 2**70}, {})
    known.save()
    assert stat.S_IMODE(known.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(known.path.parent.stat().st_mode) == 0o700
    assert Counters(known.path).rows.values() == {("cost", "\udc80\n"): 2**70}
    assert os.listdir(known.path.parent) == ["counters.json"]


def test_prices_are_others_after_a_restart_too(tmp_path: Path) -> None:
    key = ("ccdash_cost_usd_total", "shop", "opus")
    for prices, cost, told in (("a", 10, 10), ("b", 4, 10), ("b", 5, 11), ("a", 12, 12), ("a", 11, 12)):
        known = Counters(tmp_path / "counters.json")
        known.settle({key: cost}, {}, prices)
        known.save()
        assert known.rows.values() == {key: told}


def test_nothing_is_written_where_nothing_changed(tmp_path: Path) -> None:
    known = Counters(tmp_path / "counters.json")
    known.settle({}, {})
    known.save()
    assert not known.path.exists()
    known.settle({("cost",): 1}, {})
    known.save()
    before = known.path.stat()
    known.settle({("cost",): 1}, {})
    known.save()
    assert known.path.stat().st_ino == before.st_ino


def test_a_file_that_cannot_be_written_is_told_and_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.write_text("in the way")
    known = Counters(tmp_path / "counters.json")
    known.path = folder / "counters.json"
    known.settle({("cost",): 1}, {})
    with pytest.raises(CountersProblem, match=r"cannot be written: .*after a restart"):
        known.save()
    folder.unlink()
    known.save()
    assert Counters(known.path).rows.values() == {("cost",): 1}


def test_a_file_that_cannot_be_read_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "counters.json"
    path.mkdir()
    with pytest.raises(CountersProblem, match="cannot be read"):
        Counters(path)
    assert path.is_dir()


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "metrics.prom"
    write_whole(path, b"old", mode=0o644)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644

    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(counters.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new", mode=0o644)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["metrics.prom"]
