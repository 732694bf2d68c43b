"""Which sessions may go: what policies choose among the sessions that ccdash keeps something of. Pure.

    sessions that a policy fits ──► over its age: all of them
                                ──► over its bytes or number: the oldest that are linked with nothing, then the oldest,
                                    until the rest is within the limit

What is tagged ``keep`` and what is being written stays, whatever the limits. Policies are carried out in the order of their
ids, all ages first, and each counts what those before it left; so no more goes than the limits want.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import msgspec

DAY_MS: Final = 86_400_000

KEEP: Final = "keep"
"""The tag, in lower case, of what never goes."""

Status = Literal["linked", "unlinked", "done"]

Stays = Literal["keep", "active", "linked", "uncopied"]
"""Why a session stays though it is over a limit, or was asked for."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A policy as the journal and the cache keep it; `protocol.types.RetentionPolicy` says what its fields mean."""

    max_age_days: int | None = None
    max_bytes: int | None = None
    max_sessions: int | None = None
    root: str = ""
    """Root of the only project that it is for; empty for all."""
    status: Status | None = None
    automatic: bool = False

    @property
    def limited(self) -> bool:
        """Whether it has any limit; without one it chooses nothing."""
        return (self.max_age_days, self.max_bytes, self.max_sessions) != (None, None, None)


@dataclass(frozen=True, slots=True)
class Held:
    """A main session, with its sub-agents, that ccdash keeps something of."""

    id: str
    root: str
    """Of its project."""
    ended_at: int
    """Time of its last record, in milliseconds since the epoch."""
    parts: frozenset[str]
    """Of what its copies on disk consist; sessions may share parts. Empty where there is no copy."""
    linked: bool = False
    """With a feature, task or document."""
    features: tuple[str, ...] = ()
    """Statuses of the features that it is linked with."""
    keep: bool = False
    active: bool = False


class Going(NamedTuple):
    """A session that goes, and why, in words."""

    id: str
    reason: str


@dataclass
class Plan:
    """What goes, in this order, and why what is over a limit stays."""

    going: list[Going] = field(default_factory=list)
    kept: dict[str, Stays] = field(default_factory=dict)
    """By the ids of sessions."""


def plan(policies: Mapping[str, Policy], sessions: Iterable[Held], sizes: Mapping[str, int], now: int) -> Plan:
    """What `policies` let go at `now`, in milliseconds since the epoch; `sizes` has the bytes of each part."""
    chosen = Plan()
    left = {session.id: session for session in sessions}
    for id, policy in sorted(policies.items()):
        if policy.max_age_days is not None:
            before = now - policy.max_age_days * DAY_MS
            over = [session for session in left.values() if fits(policy, session) and session.ended_at < before]
            days = f"{policy.max_age_days:,} {'day' if policy.max_age_days == 1 else 'days'}"
            _choose(chosen, left, over, sorted(over, key=_order), _reason(id, f"its last record is older than {days}"))
    for id, policy in sorted(policies.items()):
        for limit, load, words in _loads(policy, sizes):
            scope = [session for session in left.values() if fits(policy, session)]
            over = _excess(sorted(scope, key=_age), scope, load, limit)
            may_go = [session for session in sorted(scope, key=_order) if _protection(session) is None]
            _choose(chosen, left, over, _excess(may_go, scope, load, limit), _reason(id, words))
    return chosen


def asked(ids: Collection[str], sessions: Iterable[Held]) -> Plan:
    """These sessions, but for those that never go; of one that there is no copy of, nothing goes."""
    chosen, left = Plan(), {session.id: session for session in sessions}
    for id in ids:
        if id in left:
            _choose(chosen, left, [left[id]], [left[id]], "asked for")
        elif id not in chosen.kept and all(going.id != id for going in chosen.going):
            chosen.kept[id] = "uncopied"
    return chosen


def fits(policy: Policy, session: Held) -> bool:
    """Whether a policy is for a session."""
    if policy.root and policy.root != session.root:
        return False
    match policy.status:
        case None:
            return True
        case "linked":
            return bool(session.features)
        case "unlinked":
            return not session.linked
        case "done":
            return bool(session.features) and all(status == "done" for status in session.features)


def freed(going: Iterable[Collection[str]], staying: Iterable[Collection[str]], sizes: Mapping[str, int]) -> int:
    """Bytes that are given back when what goes is deleted: those of parts that nothing else has."""
    gone: set[str] = set().union(*going)
    for parts in staying:
        gone.difference_update(parts)
    return sum(sizes[part] for part in gone)


_Load = Callable[[Held], Iterable[tuple[str, int]]]
"""What a session adds to what a limit counts: parts, each counted once, and how much each is."""


def _loads(policy: Policy, sizes: Mapping[str, int]) -> list[tuple[int, _Load, str]]:
    found: list[tuple[int, _Load, str]] = []
    if policy.max_bytes is not None:
        words = f"copies take more than {size_words(policy.max_bytes)}"
        found.append((policy.max_bytes, lambda session: ((part, sizes[part]) for part in session.parts), words))
    if policy.max_sessions is not None:
        words = f"there are more than {policy.max_sessions:,}"
        found.append((policy.max_sessions, lambda session: [(session.id, 1)], words))
    return found


def _excess(ordered: Iterable[Held], scope: Iterable[Held], load: _Load, limit: int) -> list[Held]:
    """As many of `ordered`, from its beginning, as must go until what `scope` adds up to is within the limit."""
    uses: Counter[str] = Counter()
    total = 0
    for session in scope:
        for part, amount in load(session):
            total += amount if not uses[part] else 0
            uses[part] += 1
    found = []
    for session in ordered:
        if total <= limit:
            break
        found.append(session)
        for part, amount in load(session):
            uses[part] -= 1
            total -= amount if not uses[part] else 0
    return found


def _choose(chosen: Plan, left: dict[str, Held], over: list[Held], going: list[Held], reason: str) -> None:
    """Note that of those over a limit, or in their place, `going` go, as far as they may."""
    for session in going:
        if _protection(session) is None:
            chosen.going.append(Going(session.id, reason))
            chosen.kept.pop(session.id, None)
            del left[session.id]
    for session in over:
        if session.id in left:
            chosen.kept.setdefault(session.id, _protection(session) or "linked")


def _protection(session: Held) -> Stays | None:
    if session.keep:
        return "keep"
    return "active" if session.active else None


def _age(session: Held) -> tuple[int, str]:
    return session.ended_at, session.id


def _order(session: Held) -> tuple[bool, int, str]:
    return session.linked, session.ended_at, session.id


def _reason(id: str, words: str) -> str:
    return f"{id}: {words}" if id else words


def size_words(size: int) -> str:
    """A number of bytes for people: 950 B, 12.3 kB, 4.56 GB."""
    number, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if number < 999.5 or unit == "TB":
            break
        number /= 1000
    return f"{number:.3g} {unit}" if number < 999.5 else f"{number:,.0f} {unit}"
