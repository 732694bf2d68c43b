"""What policies choose: never what is protected, what is linked last, and no more than a limit wants."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccdashd.derive import retention
from ccdashd.derive.retention import DAY_MS, Held, Plan, Policy

NOW = 1_000 * DAY_MS
SIZES = {"a": 100, "b": 200, "c": 400, "shared": 1000}


def held(id: str, days: int = 0, **more: Any) -> Held:
    given: dict[str, Any] = {"root": "/p", "parts": frozenset(id) & SIZES.keys(), **more}
    return Held(id=id, ended_at=NOW - days * DAY_MS, **given)


def chosen(policy: Policy, *sessions: Held, sizes: dict[str, int] = SIZES) -> Plan:
    return retention.plan({"p": policy}, sessions, sizes, NOW)


def ids(plan: Plan) -> list[str]:
    return [going.id for going in plan.going]


# --- examples ---


def test_all_that_is_older_goes_the_oldest_first_and_what_is_linked_last() -> None:
    sessions = [held("a", 10), held("b", 11), held("c", 40, linked=True), held("d", 30), held("e", 0)]
    plan = chosen(Policy(max_age_days=10), *sessions)
    assert ids(plan) == ["d", "b", "c"]
    assert plan.going[0].reason == "p: its last record is older than 10 days"
    assert not plan.kept


def test_of_too_many_the_oldest_go_but_what_is_linked_goes_after_all_that_is_not() -> None:
    sessions = [held("a", 4, linked=True), held("b", 3), held("c", 2), held("d", 1)]
    plan = chosen(Policy(max_sessions=2), *sessions)
    assert ids(plan) == ["b", "c"]
    assert plan.kept == {"a": "linked"}
    assert ids(chosen(Policy(max_sessions=0), *sessions)) == ["b", "c", "d", "a"]


def test_bytes_that_sessions_share_count_once_and_go_with_the_last_of_them() -> None:
    fork = {"parts": frozenset({"a", "shared"})}, {"parts": frozenset({"b", "shared"})}
    sessions = [held("one", 3, **fork[0]), held("two", 2, **fork[1]), held("c", 1)]
    assert ids(chosen(Policy(max_bytes=1700), *sessions)) == []
    assert ids(chosen(Policy(max_bytes=1699), *sessions)) == ["one"]
    assert ids(chosen(Policy(max_bytes=1599), *sessions)) == ["one", "two"]
    going = [session.parts for session in sessions[:1]]
    assert retention.freed(going, [session.parts for session in sessions[1:]], SIZES) == 100
    assert retention.freed([session.parts for session in sessions[:2]], [sessions[2].parts], SIZES) == 1300


def test_what_is_tagged_or_written_stays_and_is_told() -> None:
    sessions = [held("a", 9, keep=True), held("b", 8, active=True), held("c", 7), held("d", 1)]
    plan = chosen(Policy(max_age_days=5), *sessions)
    assert (ids(plan), plan.kept) == (["c"], {"a": "keep", "b": "active"})
    plan = chosen(Policy(max_sessions=2), *sessions)
    assert (ids(plan), plan.kept) == (["c", "d"], {"a": "keep", "b": "active"})


@pytest.mark.parametrize(
    ("status", "expected"), [("linked", ["b", "c"]), ("unlinked", ["a"]), ("done", ["b"]), (None, ["a", "b", "c", "d"])]
)
def test_a_policy_is_for_sessions_of_a_status(status: retention.Status | None, expected: list[str]) -> None:
    sessions = [
        held("a", 9),
        held("b", 8, linked=True, features=("done", "done")),
        held("c", 7, linked=True, features=("done", "review")),
        held("d", 6, linked=True),
    ]
    assert ids(chosen(Policy(max_sessions=0, status=status), *sessions)) == expected


def test_a_policy_of_a_project_neither_counts_nor_takes_those_of_others() -> None:
    sessions = [held("a", 9, root="/other"), held("b", 8), held("c", 7)]
    assert ids(chosen(Policy(max_sessions=1, root="/p"), *sessions)) == ["b"]


def test_what_one_policy_takes_counts_for_the_next() -> None:
    sessions = [held("a", 90), held("b", 2), held("c", 1)]
    policies = {"few": Policy(max_sessions=2), "old": Policy(max_age_days=30)}
    plan = retention.plan(policies, sessions, SIZES, NOW)
    assert [going.reason for going in plan.going] == ["old: its last record is older than 30 days"]
    assert retention.plan({"": Policy(max_sessions=2)}, sessions, SIZES, NOW).going[0].reason == "there are more than 2"


def test_a_policy_without_limits_takes_nothing() -> None:
    assert not Policy(status="done").limited
    assert Policy(max_bytes=0).limited
    assert chosen(Policy(), held("a", 999)) == Plan()


def test_those_that_are_asked_for_go_but_for_those_that_never_do() -> None:
    sessions = [held("a"), held("b", keep=True), held("c", active=True), held("d")]
    plan = retention.asked(["b", "a", "a", "c", "x"], sessions)
    assert plan.going == [retention.Going("a", "asked for")]
    assert plan.kept == {"b": "keep", "c": "active", "x": "uncopied"}


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (2_000_000_000, "2 GB"), (999_600, "1 MB"), (5 * 10**15, "5,000 TB")],
)
def test_sizes_are_told_in_words(size: int, words: str) -> None:
    assert retention.size_words(size) == words


# --- for any sessions ---

sizes_of_parts = st.fixed_dictionaries({part: st.integers(0, 50) for part in "abcdef"})
some_sessions = st.lists(
    st.builds(
        Held,
        id=st.uuids().map(str),
        root=st.sampled_from(["/p", "/q"]),
        ended_at=st.integers(0, 20).map(lambda days: NOW - days * DAY_MS),
        parts=st.frozensets(st.sampled_from("abcdef")),
        linked=st.booleans(),
        features=st.sampled_from([(), ("done",), ("done", "todo")]),
        keep=st.sampled_from([False, False, True]),
        active=st.sampled_from([False, False, True]),
    ),
    unique_by=lambda session: session.id,
    max_size=12,
)
limits = st.none() | st.integers(0, 20)
some_policies = st.builds(
    Policy,
    max_age_days=st.none() | st.integers(1, 20),
    max_bytes=st.none() | st.integers(0, 150),
    max_sessions=st.none() | st.integers(0, 12),
    root=st.sampled_from(["", "/p"]),
    status=st.sampled_from([None, "linked", "unlinked", "done"]),
)


@given(st.dictionaries(st.sampled_from("xyz"), some_policies), some_sessions, sizes_of_parts)
def test_what_is_protected_stays_and_afterwards_nothing_more_goes(
    policies: dict[str, Policy], sessions: list[Held], sizes: dict[str, int]
) -> None:
    plan = retention.plan(policies, sessions, sizes, NOW)
    gone = ids(plan)
    assert len(gone) == len(set(gone))
    assert not any(session.keep or session.active for session in sessions if session.id in gone)
    assert not plan.kept.keys() & set(gone)
    assert {session.id for session in sessions if session.id in gone} == set(gone)
    left = [session for session in sessions if session.id not in gone]
    assert ids(retention.plan(policies, left, sizes, NOW)) == []
    for session in sessions:
        assert session.id not in gone or any(retention.fits(policy, session) for policy in policies.values())


@given(some_policies, some_sessions, sizes_of_parts)
def test_a_limit_is_reached_and_not_more_than_that(policy: Policy, sessions: list[Held], sizes: dict[str, int]) -> None:
    scope = [session for session in sessions if retention.fits(policy, session)]
    by_load = Policy(max_bytes=policy.max_bytes, root=policy.root, status=policy.status)
    gone = ids(retention.plan({"p": by_load}, sessions, sizes, NOW))

    def taken(without: list[str]) -> int:
        left = (session.parts for session in scope if session.id not in without)
        return sum(sizes[part] for part in frozenset[str]().union(*left))

    if policy.max_bytes is not None and gone:
        assert taken(gone[:-1]) > policy.max_bytes
    movable = [session.id for session in scope if not (session.keep or session.active)]
    assert policy.max_bytes is None or taken(gone) <= policy.max_bytes or set(gone) == set(movable)
    linked = [session.linked for id in gone for session in sessions if session.id == id]
    assert linked == sorted(linked)


@given(some_policies, some_sessions, sizes_of_parts, st.integers(1, 10))
def test_a_tighter_limit_takes_what_a_wider_one_takes(
    policy: Policy, sessions: list[Held], sizes: dict[str, int], less: int
) -> None:
    for name, least in (("max_age_days", 1), ("max_bytes", 0), ("max_sessions", 0)):
        limit = getattr(policy, name)
        if limit is None:
            continue
        common = {"root": policy.root, "status": policy.status}
        wide, tight = (
            Policy(**common, **{name: number})  # type: ignore[arg-type]
            for number in (limit, max(least, limit - less))
        )
        wider, tighter = (ids(retention.plan({"p": one}, sessions, sizes, NOW)) for one in (wide, tight))
        if name == "max_age_days":
            assert set(wider) <= set(tighter)
        else:
            assert tighter[: len(wider)] == wider


@given(some_sessions, sizes_of_parts)
def test_what_is_freed_is_what_only_they_have(sessions: list[Held], sizes: dict[str, int]) -> None:
    for number in range(len(sessions) + 1):
        gone, left = sessions[:number], sessions[number:]
        before, after = (
            sum(sizes[part] for part in set(itertools.chain.from_iterable(session.parts for session in some)))
            for some in (sessions, left)
        )
        freed = retention.freed((s.parts for s in gone), (s.parts for s in left), sizes)
        assert freed == before - after
